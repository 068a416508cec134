/* cli/commands/readers/cmd_lens.c - ogpt lens: what a network would answer, and which board can be
 * read, if it ended earlier. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/game_input.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/model_input.h"
#include "cli/commands/common/probe_input.h"
#include "cli/commands/common/shared_options.h"
#include "cli/study.h"
#include "model/speed.h"
#include "probes/lens/lens_inputs.h"
#include "report/readers/lens_result.h"
#include "store/journal.h"

typedef struct LensOptions {
    const char *corpus, *probe, *other;
    int64_t games, test_games, plies, rounds, memory;
} LensOptions;

#define AT(field) offsetof(LensOptions, field)
static const OptionSpec options[] = {
    OPTION_TEXT("corpus", AT(corpus), "CORPUS",
                "games: lenses are fitted on its training split and scored on its test split "
                "(default: fresh random games, by the seed)"),
    OPTION_PROBE(AT(probe), "the probe of the board lens, read at all layers"),
    OPTION_TEXT("other", AT(other), "MODEL",
                "control: a network whose tuned lens is tried on this one (default: this one with "
                "its residual coordinates in another order)"),
    OPTION_INT("games", AT(games), "N", 1, 1e6, "training games", .def = "2500"),
    OPTION_INT("test-games", AT(test_games), "N", 2, 1e6, "test games", .def = "1000"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions drawn from each game; 0 takes all",
               .def = "8"),
    OPTION_INT("rounds", AT(rounds), "N", 1, 10000,
               "evaluations that the fit of one translator may take", .def = "60"),
    OPTION_MEMORY(AT(memory)),
};

typedef struct LensSession {
    Context *context;
    const LensOptions *given;
    StudyInputs inputs; /* subject, and the corpus or NULL */
    Subject other;      /* empty: none */
    Probe probe;
    char probe_path[FILES_PATH_MAX]; /* "": none */
    LabelledSet train, test;
    LensStudyInputs study;
} LensSession;

/* A hidden layer is read as well. */
static int check_board(const Probe *probe, const char *path)
{
    return probe_check_mine_at(probe, path, HOOK_RESID_POST, false);
}

static int load(LensSession *session)
{
    Context *context = session->context;
    const LensOptions *given = session->given;
    int rc = context_inputs_open(context, &session->inputs, context->args[0], given->corpus);
    rc = rc ? rc
            : context_probe_fitting(context, &session->probe, session->probe_path,
                                    &session->inputs.subject, given->probe, check_board,
                                    "board lens");
    session->study.probe = session->probe_path[0] ? &session->probe : NULL;
    rc = rc || !given->other ? rc : context_subject_open(context, &session->other, given->other);
    session->study.gpt = rc ? NULL : session->inputs.subject.model.gpt;
    session->study.other = session->other.model.gpt;
    if (rc == 0 && session->study.other &&
        !gpt_config_same_shape(&session->study.other->cfg, &session->study.gpt->cfg)) {
        rc = err_set(OGPT_EFORMAT, "--other %s: another shape than %s; its lens cannot be tried",
                     given->other, session->inputs.subject.model.path);
    }
    return rc || !session->study.other
               ? rc
               : subject_check_second(&session->inputs.subject, "--other", &session->other);
}

/* Positions; what they will take; too much is refused. */
static int prepare(LensSession *session)
{
    const LensOptions *given = session->given;
    Context *context = session->context;
    const Work *work = study_work(context, "games", "games");
    const LensSample sample = {(size_t)given->games, (size_t)given->test_games, (int)given->plies};
    char time[SPEED_TEXT];
    session->study.fit.rounds = (int)given->rounds;
    session->study.train = &session->train;
    session->study.test = &session->test;
    int rc = lens_inputs_draw(&session->train, &session->test, session->inputs.subject.variant,
                              session->inputs.corpus, &sample, work);
    const size_t bytes = rc ? 0 : lens_study_bytes(&session->study, work);
    rc = rc ? rc : context_check_memory(bytes, given->memory, "fewer --games or --plies");
    if (rc) {
        return rc;
    }
    speed_estimate(time, lens_study_flops(&session->study), FORWARD_SHARE_OF_SPEED / 2,
                   context->pool);
    context_say(context,
                "%zu training positions of %zu games, %zu test positions of %zu: %s (estimated), "
                "%zu MiB of memory",
                session->train.set.n_positions, session->train.set.n_games,
                session->test.set.n_positions, session->test.set.n_games, time, (bytes >> 20) + 1);
    return 0;
}

/* Finished fits are kept until the tables are filled. */
static int compute(LensStudy *study, KeptWork *kept, const LensSession *session)
{
    Context *context = session->context;
    Work work = *study_work(context, "lenses", "parts");
    Sha256 *hash = NULL;
    int rc = kept_blocks_key(&hash, context, session->inputs.subject.model.model_hash);
    if (rc == 0) {
        kept_blocks_text(hash, session->other.model.model_hash);
        lens_inputs_hash(hash, &session->study);
    }
    rc = kept_blocks_begin(kept, context, hash, rc);
    work.journal = &kept->callbacks;
    return rc ? rc : lens_study_run(study, &session->study, &work);
}

static int lens_run(Context *context)
{
    LensSession session = {.context = context, .given = context->options};
    LensStudy study = {0};
    KeptWork kept = {0};
    char source[GAME_WORDS_MAX];
    context_games_words(source, context, session.given->corpus, "training and test");
    int rc = load(&session);
    rc = rc ? rc : study_begin(context, session.inputs.subject.model.path, true);
    rc = rc ? rc : prepare(&session);
    rc = rc ? rc : compute(&study, &kept, &session);
    if (rc == 0) {
        lens_report(context->report,
                    &(LensFindings){.study = &study,
                                    .in = &session.study,
                                    .source = source,
                                    .model_hash = session.inputs.subject.model.model_hash,
                                    .other = session.given->other,
                                    .probe = session.probe_path,
                                    .colour = context->style.colour});
        rc = kept_blocks_end(&kept);
    }
    lens_study_release(&study);
    labelled_release(&session.train);
    labelled_release(&session.test);
    probe_release(&session.probe);
    subject_release(&session.other);
    context_inputs_release(&session.inputs);
    return rc;
}

const Command cmd_lens = {
    .name = "lens",
    .arguments = "MODEL [--corpus CORPUS] [--probe PROBE] [--other MODEL]",
    .summary = "what a network would answer, and which board is read, if it ended earlier",
    .examples = "ogpt lens tiny-6x6 --games 500 --test-games 200\n"
                "ogpt lens runs/tiny --corpus games.ogpc --games 1000",
    COMMAND_OPTIONS(options, LensOptions),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&lens_table, &lens_places_table, &lens_side_table, &lens_sets_table,
                   &lens_fits_table, &lens_boards_table, &lens_order_table, &lens_arrivals_table,
                   &lens_whole_arrivals_table, &lens_leads_table, &lens_settled_table,
                   &lens_decoded_table, &lens_blocks_table),
    .run = lens_run,
};
