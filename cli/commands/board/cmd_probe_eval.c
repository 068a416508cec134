/* cli/commands/board/cmd_probe_eval.c - ogpt probe eval: a probe on file, scored, with controls. */
#include "cli/commands/board/probe_run.h"
#include "cli/commands/common/probe_input.h"

typedef struct EvalGiven {
    ProbeSample sample;
} EvalGiven;

static const OptionSpec options[] = {
    OPTIONS_OF_SAMPLE(EvalGiven),
    OPTION_INT("games", offsetof(EvalGiven, sample.games), "N", 0, GAMES_MOST,
               "training games that the controls are fitted on; 0: as many as the probe was",
               .def = "0"),
    OPTION_INT("plies", offsetof(EvalGiven, sample.plies), "N", -1, 60,
               "positions drawn from each game; 0 takes all, -1: as the probe was fitted",
               .def = "-1"),
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

static int eval_run(Context *context)
{
    const EvalGiven *given = context->options;
    char path[FILES_PATH_MAX] = "";
    ProbeRun run = {0};
    int rc = probe_run_open(&run, context, &given->sample, path);
    rc = rc ? rc
            : context_probe_open(context, &run.probe, path, &run.inputs.subject,
                                 context->n_args > 1 ? context->args[1] : NULL);
    if (rc == 0) {
        sample_take(&run.options, &run.probe);
    }
    rc = rc ? rc : study_begin(context, path, false);
    rc = rc ? rc : probe_run_sweep(&run, context, false);
    probe_run_release(&run);
    return rc;
}

const Command cmd_probe_eval = {
    .name = "probe eval",
    .arguments = "MODEL [PROBE] --corpus CORPUS",
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
