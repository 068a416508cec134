/* cli/commands/world/cmd_world_emergence.c - ogpt world emergence: when in its training did a
 * network learn what, and what first? */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "report/world/emergence_result.h"

typedef struct EmergenceOptions {
    int64_t games, fit_games, plies;
} EmergenceOptions;

#define AT(field) offsetof(EmergenceOptions, field)
static const OptionSpec options[] = {
    OPTION_INT("games", AT(games), "N", 2, 1e6, "games that every checkpoint is scored on",
               .def = "300"),
    OPTION_INT("fit-games", AT(fit_games), "N", 1, 1e6, "other games that probes are fitted on",
               .def = "400"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions of each game that probes read; 0: all",
               .def = "8"),
};

typedef struct EmergenceSession {
    Context *context;
    char **names; /* of files in the run's folder, sorted */
    size_t n_names, n;
    const char *checkpoints[EMERGENCE_STEPS_MAX]; /* (n) */
    double steps[EMERGENCE_STEPS_MAX];
    Subject subject; /* of the last one that was opened */
    EmergenceGames *games;
    double *values; /* (n, measures, games, 2) */
    KeptWork kept;
} EmergenceSession;

/* The checkpoints of the run, by step. */
static int checkpoints_list(EmergenceSession *session, const char *path)
{
    int rc = dir_list(&session->names, &session->n_names, path);
    for (size_t i = 0; rc == 0 && i < session->n_names; i++) {
        int64_t step = run_step_of_name(session->names[i]);
        size_t at = session->n;
        if (step < 1) {
            continue;
        }
        if (at == EMERGENCE_STEPS_MAX) { /* none is left out in silence */
            return err_set(OGPT_EUSAGE,
                           "%s: more than %d checkpoints; ogpt train --keep log2 keeps fewer", path,
                           EMERGENCE_STEPS_MAX);
        }
        for (; at > 0 && session->steps[at - 1] > (double)step; at--) {
            session->steps[at] = session->steps[at - 1];
            session->checkpoints[at] = session->checkpoints[at - 1];
        }
        session->steps[at] = (double)step;
        session->checkpoints[at] = session->names[i];
        session->n++;
    }
    if (rc == 0 && session->n < 2) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: checkpoints of at least two steps expected, found %zu; ogpt train --keep "
                     "log2 keeps those after 1, 2, 4, 8, ... steps",
                     path, session->n);
    }
    return rc;
}

static int checkpoint_open(EmergenceSession *session, size_t i)
{
    char path[FILES_PATH_MAX];
    subject_release(&session->subject);
    int rc = path_join(path, session->context->args[0], session->checkpoints[i]);
    return rc ? rc : context_subject_open(session->context, &session->subject, path);
}

/* The journal belongs to the last checkpoint, these steps and options. */
static int journal_begin(EmergenceSession *session)
{
    Context *context = session->context;
    Sha256 *hash = NULL;
    int rc = kept_blocks_key(&hash, context, session->subject.model.model_hash);
    rc = rc ? rc : kept_blocks_options(hash, context);
    for (size_t i = 0; rc == 0 && i < session->n; i++) {
        kept_blocks_text(hash, session->checkpoints[i]);
    }
    return kept_blocks_begin(&session->kept, context, hash, rc);
}

static int checkpoints_measure(EmergenceSession *session)
{
    const EmergenceOptions *given = session->context->options;
    size_t numbers = (size_t)N_EMERGENCE_MEASURES * (size_t)given->games * 2;
    const WorkJournal *journal = &session->kept.callbacks;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < session->n; i++) {
        double *values = session->values + i * numbers;
        int kept = journal->recall(journal->context, values, numbers, "checkpoint", i);
        if (kept != 0) {
            rc = kept < 0 ? kept : 0;
            continue;
        }
        const Work *work = study_work(session->context, session->checkpoints[i], "measures");
        rc = checkpoint_open(session, i);
        rc = rc ? rc : emergence_measure(values, session->games, session->subject.model.gpt, work);
        rc = rc ? rc : journal->keep(journal->context, values, numbers, "checkpoint", i);
    }
    return rc;
}

static int emergence_report(EmergenceSession *session, const char *model_hash)
{
    const EmergenceOptions *given = session->context->options;
    const EmergenceData data = {.n_steps = session->n,
                                .n_curves = N_EMERGENCE_MEASURES,
                                .n_games = (size_t)given->games,
                                .steps = session->steps,
                                .values = session->values,
                                .falls = emergence_falls};
    EmergenceFound *found = mem_calloc(1, sizeof(*found), "steps of curves");
    int rc = found ? emergence_find(found, &data, session->context->seed) : OGPT_ENOMEM;
    if (rc == 0) {
        world_report_emergence(session->context->report,
                               &(EmergenceReport){.found = found,
                                                  .steps = session->steps,
                                                  .n_steps = session->n,
                                                  .fit_games = (size_t)given->fit_games,
                                                  .test_games = (size_t)given->games,
                                                  .run = session->context->args[0],
                                                  .model_hash = model_hash});
        rc = kept_blocks_end(&session->kept);
    }
    mem_free(found);
    return rc;
}

static int emergence_run(Context *context)
{
    const EmergenceOptions *given = context->options;
    EmergenceSession session = {.context = context};
    char model_hash[HASH_HEX_SIZE] = "";
    int rc = checkpoints_list(&session, context->args[0]);
    rc = rc ? rc : checkpoint_open(&session, session.n - 1);
    if (rc == 0) {
        memcpy(model_hash, session.subject.model.model_hash, sizeof(model_hash));
        rc = study_begin(context, context->args[0], true);
    }
    rc = rc ? rc : journal_begin(&session);
    rc = rc ? rc
            : emergence_games_new(&session.games, session.subject.vocab, (size_t)given->fit_games,
                                  (size_t)given->games, (int)given->plies,
                                  study_work(context, "games", "games"));
    session.values = rc ? NULL
                        : mem_calloc(session.n * N_EMERGENCE_MEASURES * (size_t)given->games * 2,
                                     sizeof(double), "curves by game");
    rc = rc || session.values ? rc : OGPT_ENOMEM;
    rc = rc ? rc : checkpoints_measure(&session);
    rc = rc ? rc : emergence_report(&session, model_hash);
    mem_free(session.values);
    emergence_games_free(session.games);
    subject_release(&session.subject);
    names_free(session.names, session.n_names);
    return rc;
}

const Command cmd_world_emergence = {
    .name = "world emergence",
    .arguments = "RUN [--games N]",
    .summary = "when in its training a network learns what, and what first",
    .examples = "ogpt train grown --fresh --size 6 --preset nano --steps 32 --keep log2\n"
                "ogpt world emergence grown --games 100 --svg emergence.svg",
    COMMAND_OPTIONS(options, EmergenceOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&emergence_table, &emergence_curves_table, &emergence_order_table,
                   &emergence_points_table),
    .run = emergence_run,
};
