/* cli/commands/board/cmd_probe_eval.c - ogpt probe eval: a probe on file, scored, with controls. */
#include "base/arena.h"
#include "base/err.h"
#include "cli/commands/board/probe_run.h"
#include "cli/commands/common/probe_input.h"
#include "probes/cases/cases.h"

typedef struct EvalGiven {
    ProbeSample sample;
    const char *positions;
} EvalGiven;

static const OptionSpec options[] = {
    OPTIONS_OF_SAMPLE(EvalGiven),
    OPTION_INT("games", offsetof(EvalGiven, sample.games), "N", 0, GAMES_MOST,
               "training games that the controls are fitted on; 0: as many as the probe was",
               .def = "0"),
    OPTION_INT("plies", offsetof(EvalGiven, sample.plies), "N", -1, 60,
               "positions drawn from each game; 0 takes all, -1: as the probe was fitted",
               .def = "-1"),
    OPTION_TEXT("positions", offsetof(EvalGiven, positions), "CASES",
                "score the positions of this case file, each history once, in place of test "
                "games"),
};

/* Controls are fitted on as much as the probe was, unless asked otherwise: starved controls would
 * flatter it. An imported probe does not name its sample, and gets the usual one. */
static void sample_take(SweepOptions *out, const Probe *probe)
{
    SweepOptions usual = SWEEP_OPTIONS_DEFAULT;
    bool known = probe->n_games > 0 && probe->n_games <= GAMES_MOST;
    if (out->n_games == 0) {
        out->n_games = known ? (size_t)probe->n_games : usual.n_games;
    }
    if (out->plies < 0) {
        out->plies = known ? (int)probe->plies : usual.plies;
    }
}

/* The histories of a case file, unedited, are what is scored. *moves: owned by the caller. */
static int positions_take(uint8_t **moves, ProbeRun *run, Context *context, const char *path)
{
    const GameVariant *variant = run->inputs.subject.variant;
    CaseSet cases = {0};
    int rc = cases_read(&cases, variant, path);
    if (rc == 0 && cases.n == 0) {
        rc = err_set(OGPT_EFORMAT, "%s: no case on which a game can go on, expected positions",
                     path);
    }
    *moves = rc ? NULL : mem_alloc(cases.n, (size_t)variant->n_moves, "histories of cases");
    rc = rc || *moves ? rc : OGPT_ENOMEM;
    run->options.ends = *moves;
    rc = rc ? rc : cases_histories(*moves, &run->options.n_ends, &cases);
    if (rc == 0 && run->options.n_ends < cases.n) {
        context_say(context, "%zu cases repeat a history: it is scored once",
                    cases.n - run->options.n_ends);
    }
    cases_release(&cases);
    return rc;
}

static int eval_run(Context *context)
{
    const EvalGiven *given = context->options;
    char path[FILES_PATH_MAX] = "";
    uint8_t *ends = NULL;
    ProbeRun run = {0};
    int rc = probe_run_open(&run, context, &given->sample, path);
    rc = rc ? rc
            : context_probe_open(context, &run.probe, path, &run.inputs.subject,
                                 context->n_args > 1 ? context->args[1] : NULL);
    if (rc == 0) {
        sample_take(&run.options, &run.probe);
    }
    rc = rc || !given->positions ? rc : positions_take(&ends, &run, context, given->positions);
    rc = rc ? rc : study_begin(context, path, false);
    rc = rc ? rc : probe_run_sweep(&run, context, false);
    probe_run_release(&run);
    mem_free(ends);
    return rc;
}

const Command cmd_probe_eval = {
    .name = "probe eval",
    .arguments = "MODEL [PROBE] --corpus CORPUS [--positions CASES]",
    .summary = "score a probe on file (default: MODEL/" PROBE_FOLDER "), with controls",
    .examples = "ogpt probe eval runs/tiny probe --corpus other.ogpc --test-games 5000",
    COMMAND_OPTIONS(options, EvalGiven),
    .min_args = 1,
    .max_args = 2,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    PROBE_TABLES,
    .run = eval_run,
};
