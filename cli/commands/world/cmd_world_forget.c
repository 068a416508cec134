/* cli/commands/world/cmd_world_forget.c - ogpt world forget: what is lost when a network learns
 * other games, and how soon it comes back. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/common/kept_blocks.h"
#include "cli/commands/common/shared_options.h"
#include "cli/commands/world/forget_session.h"
#include "report/world/forget_result.h"

#define AT(field) offsetof(ForgetCommand, field)
static const OptionSpec options[] = {
    OPTION_OUT("out", AT(out), "DIR", "folder of the three networks that are trained",
               .required = true),
    OPTION_RULES(
        AT(rules),
        "rules of the new games: no-mid-flip unless told, for a network of others classic"),
    OPTION_TEXT("to", AT(to), "CORPUS", "learn the games of this corpus instead"),
    OPTION_INT("games", AT(games), "N", 0, 1e9,
               "games that each of the three networks learns; 0: none, to see what that says",
               .def = "65536"),
    OPTION_INT("batch", AT(batch), "N", 8, 65536, "games a step, a multiple of 8", .def = "128"),
    OPTION_NUM("lr", AT(lr), "X", 1e-9, 1,
               "peak rate of the blocks' matrices, ten times that of the rest", .def = "0.005"),
    OPTION_NUM("within", AT(within), "X", 0, 10,
               "relearned: the old games cost at most so many nats more than before",
               .def = "0.01"),
    OPTION_INT("test-games", AT(test_games), "N", 2, 1e6, "games of each kind that are scored",
               .def = "400"),
    OPTION_INT("fit-games", AT(fit_games), "N", 2, 1e6,
               "other games of each kind that probes are fitted on", .def = "400"),
    OPTION_INT("plies", AT(plies), "N", 0, 60, "positions of each game that probes read; 0: all",
               .def = "8"),
};

/* Numbers of networks and checkpoints, by game. */
typedef struct ForgetWork {
    ForgetSession *session;
    ForgetStudy *study;
    KeptWork kept;
    double *values, *before; /* (forget_numbers) */
    size_t n_games;
    char label[64]; /* of the progress */
    ForgetReport report;
    int64_t point_games[FORGET_POINTS_MAX];
    ForgetScore points[FORGET_POINTS_MAX][N_FORGET_KINDS];
} ForgetWork;

static int journal_begin(ForgetWork *work)
{
    const ForgetSession *session = work->session;
    Sha256 *hash = NULL;
    int rc = kept_blocks_key(&hash, session->context, session->before.model.model_hash);
    rc = rc ? rc : kept_blocks_options(hash, session->context);
    for (int i = 0; rc == 0 && i < N_FORGET_NETWORKS; i++) {
        kept_blocks_text(hash, session->runs.hash[i]);
    }
    return kept_blocks_begin(&work->kept, session->context, hash, rc);
}

/* Measure the network at `path` unless the journal has it; line NULL: without it and probes. */
static int network_measure(ForgetWork *work, const char *path, const char *stage, size_t block,
                           double *line)
{
    Context *context = work->session->context;
    size_t n = forget_numbers(work->study);
    const WorkJournal *journal = &work->kept.callbacks;
    ModelFile model;
    int kept = journal->recall(journal->context, work->values, n, stage, block);
    if (kept == 1 && line) {
        kept = journal->recall(journal->context, line, FORGET_LINE, "line", block);
    }
    int rc = kept != 0 ? (kept < 0 ? kept : 0) : context_model_load(context, &model, path);
    if (kept != 0 || rc != 0) {
        return rc;
    }
    snprintf(work->label, sizeof(work->label), "%s %zu of %zu", line ? "network" : "checkpoint",
             block + 1, line ? (size_t)N_FORGET_NETWORKS : work->session->runs.n_points);
    const Work *listen = study_work(context, work->label, "parts");
    rc = forget_measure(work->values, work->study, model.gpt, line, listen);
    listen = rc || !line ? NULL : study_work(context, "the line to it", "networks");
    rc = rc || !line ? rc : forget_line(line, work->study, model.gpt, listen);
    rc = rc || !line ? rc : journal->keep(journal->context, line, FORGET_LINE, "line", block);
    rc = rc ? rc : journal->keep(journal->context, work->values, n, stage, block);
    model_release(&model);
    return rc;
}

static int networks_measure(ForgetWork *work)
{
    const ForgetSession *session = work->session;
    const uint64_t seed = session->context->seed;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < N_FORGET_NETWORKS; i++) {
        rc = network_measure(work, session->runs.path[i], "network", i, work->report.lines[i]);
        if (rc == 0 && i == FORGET_BEFORE) {
            memcpy(work->before, work->values, forget_numbers(work->study) * sizeof(double));
        }
        rc = rc ? rc
                : forget_find(work->report.scores[i], work->values, work->before, work->n_games,
                              seed);
    }
    for (size_t i = 0; rc == 0 && i < session->runs.n_points; i++) {
        work->point_games[i] = session->runs.steps[i] * session->train.batch;
        rc = network_measure(work, session->runs.points[i], "point", i, NULL);
        rc =
            rc ? rc : forget_find(work->points[i], work->values, work->before, work->n_games, seed);
    }
    return rc;
}

static int measure_and_report(ForgetWork *work)
{
    ForgetSession *session = work->session;
    Context *context = session->context;
    const ForgetCommand *given = context->options;
    int rc = forget_study_new(&work->study, session->before.model.gpt, session->sources,
                              (size_t)given->fit_games, (size_t)given->test_games,
                              (int)given->plies, study_work(context, "games, probe", "parts"));
    rc = rc ? rc : journal_begin(work);
    size_t n = rc ? 0 : forget_numbers(work->study);
    work->n_games = n / (N_FORGET_KINDS * N_FORGET_MEASURES * 2);
    work->values = rc ? NULL : mem_alloc(2 * n, sizeof(double), "values by game");
    work->before = work->values ? work->values + n : NULL;
    rc = rc || work->values ? rc : OGPT_ENOMEM;
    rc = rc ? rc : networks_measure(work);
    if (rc == 0) {
        ForgetReport *report = &work->report;
        report->source = context_model_name(context->args[0]);
        report->model_hash = session->before.model.model_hash;
        report->rules = game_rules_name(session->before.variant->rules);
        report->other = game_rules_name(session->other->rules);
        report->corpus = given->to;
        report->random = !given->to || strcmp(corpus_info(session->corpus)->source, "random") == 0;
        report->games = given->games > 0 ? (size_t)(session->train.steps * given->batch) : 0;
        report->test_games = work->n_games;
        report->fit_games = (size_t)given->fit_games;
        report->within = given->within;
        report->n_points = session->runs.n_points;
        report->point_games = work->point_games;
        report->points = work->points;
        world_report_forget(context->report, report);
        rc = kept_blocks_end(&work->kept);
    }
    mem_free(work->values);
    forget_study_free(work->study);
    return rc;
}

static int forget_run(Context *context)
{
    ForgetSession *session = mem_calloc(1, sizeof(*session), "networks that learn");
    ForgetWork *work = mem_calloc(1, sizeof(*work), "what they forget");
    int rc = session && work ? forget_session_open(session, context) : OGPT_ENOMEM;
    rc = rc ? rc : study_begin(context, session->before.model.path, true);
    rc = rc ? rc : context_pool(context);
    rc = rc ? rc : forget_session_train(session);
    if (rc == 0) {
        work->session = session;
        rc = measure_and_report(work);
    }
    if (session) {
        forget_session_release(session);
    }
    mem_free(session);
    mem_free(work);
    return rc;
}

const Command cmd_world_forget = {
    .name = "world forget",
    .arguments = "MODEL --out DIR [--rules NAME | --to CORPUS]",
    .summary = "what is lost when a network learns other games, and how soon it comes back",
    .examples = "ogpt world forget tiny-6x6 --out forget --games 4096\n"
                "ogpt world forget tiny-6x6 --out nothing --games 0",
    COMMAND_OPTIONS(options, ForgetCommand),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    COMMAND_TABLES(&forget_table, &forget_networks_table, &forget_points_table, &forget_line_table),
    .run = forget_run,
};
