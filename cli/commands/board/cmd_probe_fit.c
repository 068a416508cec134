/* cli/commands/board/cmd_probe_fit.c - ogpt probe fit: the board read out of the network by probes,
 * layer by layer, with controls. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/ranks/ranks.h"
#include "cli/commands/board/probe_run.h"

typedef struct FitGiven {
    ProbeSample sample;
    const char *out, *task, *solver, *labels, *l2, *against;
    LayerList layers;
    int site; /* HookSite */
    int64_t hidden, epochs;
    bool all_steps;
} FitGiven;

#define AT(field) offsetof(FitGiven, field)
static const OptionSpec options[] = {
    OPTIONS_OF_SAMPLE(FitGiven),
    OPTION_INT("games", AT(sample.games), "N", 1, GAMES_MOST, "training games", .def = "1250"),
    OPTION_PLIES(AT(sample.plies)),
    OPTION_OUT("out", AT(out), "PROBE",
               "directory for the probe; a sweep that was killed goes on there", .required = true),
    OPTION_FLAG(
        "all-steps", AT(all_steps),
        "MODEL is a run: a probe at each of its checkpoints, below PROBE, without controls; one "
        "table by step and layer"),
    OPTION_CHOICE("task", AT(task), TASK_NAMES, "what is read of every square", .def = "mine"),
    OPTION_LAYERS(AT(layers), "where to read"),
    OPTION_SITE(AT(site), HOOK_NAMES_VECTOR, "where in each block"),
    OPTION_CHOICE("solver", AT(solver), SOLVER_NAMES,
                  "newton: multinomial, all squares at once; liblinear: one-vs-rest, the slow "
                  "referee; adamw: the published recipe",
                  .def = "newton"),
    OPTION_INT("hidden", AT(hidden), "H", 0, PROBE_MAX_HIDDEN,
               "units of a hidden layer, as in the first paper; solver adamw", .def = "0"),
    OPTION_INT("epochs", AT(epochs), "N", 0, 1000,
               "passes of adamw over the games; 0: 1 linear (published), 16 at most with --hidden",
               .def = "0"),
    OPTION_CHOICE("check-against", AT(against), "liblinear",
                  "also solve liblinear's binary problems with both and compare"),
    OPTION_CHOICE("labels", AT(labels), "mover|parity",
                  "whose view: the side really to move, or the published ply parity",
                  .def = "mover"),
    OPTION_TEXT("l2", AT(l2), "X",
                "regularisation on standardised inputs, per position; auto: chosen for each layer "
                "on validation games",
                .def = "0.0001"),
};

/* A positive number, or "auto". The published recipe has weight decay instead. */
static int l2_parse(double *out, const char *text)
{
    char *end;
    if (strcmp(text, "auto") == 0) {
        *out = FIT_L2_AUTO;
        return 0;
    }
    *out = strtod(text, &end);
    if (end == text || *end != '\0' || !(*out >= 1e-9 && *out <= 1e3)) {
        return err_set(OGPT_EUSAGE, "--l2 \"%s\": expected auto, or a number from 1e-09 to 1000",
                       text);
    }
    return 0;
}

static int layers_take(SweepOptions *out, const Context *context, const Subject *subject)
{
    const FitGiven *given = context->options;
    LayerList list = given->layers;
    int rc = layers_resolve(&list, subject->model.gpt->cfg.n_layers, out->site == HOOK_RESID_POST,
                            context->args[0]);
    out->n_layers = list.n;
    memcpy(out->layers, list.layers, (size_t)list.n * sizeof(out->layers[0]));
    return rc;
}

static int fit_run(Context *context)
{
    const FitGiven *given = context->options;
    ProbeRun run = {0};
    SweepOptions *out = &run.options;
    size_t n_stale;
    double l2 = 0;
    int rc = l2_parse(&l2, given->l2);
    rc = rc ? rc : probe_run_open(&run, context, &given->sample, given->out);
    out->task = given->task;
    out->labels = given->labels;
    out->solver = given->solver;
    out->site = (HookSite)given->site;
    out->l2 = l2;
    out->n_hidden = (int)given->hidden;
    out->epochs = (int)given->epochs;
    out->check = given->against;
    rc = rc ? rc : layers_take(out, context, &run.inputs.subject);
    rc = rc || !ranks_first() ? rc : path_clean_stale(&n_stale, given->out);
    rc = rc ? rc : study_begin(context, given->out, false);
    rc = rc                 ? rc
         : given->all_steps ? probe_run_steps(&run, context, context->args[0])
                            : probe_run_sweep(&run, context, true);
    probe_run_release(&run);
    return rc;
}

const Command cmd_probe_fit = {
    .name = "probe fit",
    .arguments = "MODEL --corpus CORPUS --out PROBE",
    .summary = "fit probes at every layer, with controls",
    .examples =
        "ogpt probe fit runs/tiny --corpus games.ogpc --out probe\n"
        "ogpt probe fit runs/mine --corpus games.ogpc --out probe-mine --no-controls\n"
        "ogpt probe fit runs/tiny --corpus games.ogpc --out probe-2 --seed 2\n"
        "ogpt probe fit runs/tiny --corpus games.ogpc --out colour --task colour\n"
        "ogpt probe fit runs/tiny --corpus games.ogpc --out empty --task empty\n"
        "ogpt probe fit runs/tiny --corpus games.ogpc --out probe-5 --layers 5 "
        "--check-against liblinear\n"
        "ogpt probe fit runs/tiny --corpus games.ogpc --out mlp --solver adamw --hidden 128",
    COMMAND_OPTIONS(options, FitGiven),
    .min_args = 1,
    .max_args = 1,
    .model_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE | USES_RANKS,
    PROBE_TABLES,
    .run = fit_run,
};
