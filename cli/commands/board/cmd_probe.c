/* cli/commands/board/cmd_probe.c - ogpt probe fit, ogpt probe eval: the board read out of the
 * network by linear probes, layer by layer, with controls beside it. */
#include "cli/command.h"
#include "cli/commands/common/model_input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "report/csv.h"
#include "cli/commands/common/layer_list.h"
#include "cli/commands/board/probe_report.h"

typedef struct ProbeOptions {
    const char *corpus, *out, *task, *layers, *site, *solver, *labels, *l2, *against;
    int64_t games, test_games, plies, memory, hidden, epochs;
    bool no_controls, heat;
    const char *csv;
} ProbeOptions;

#define MOST_GAMES 10000000
#define AT(field) offsetof(ProbeOptions, field)
#define NUMBER(name_, field, min_, max_, def_, help_)                                              \
    {                                                                                              \
        .name = name_, .type = OPT_INT, .offset = AT(field), .min = min_, .max = max_,             \
        .def = def_, .argument = "N", .help = help_                                                \
    }
#define TEXT(name_, field, argument_, help_)                                                       \
    {                                                                                              \
        .name = name_, .type = OPT_TEXT, .offset = AT(field), .argument = argument_, .help = help_ \
    }
#define FLAG(name_, field, help_)                                                                  \
    {                                                                                              \
        .name = name_, .type = OPT_FLAG, .offset = AT(field), .help = help_                        \
    }

/* The options that both commands have, but for the training sample. */
#define CORPUS_OPTION TEXT("corpus", corpus, "FILE", "games to read positions from; needed")
#define TEST_OPTION                                                                                \
    NUMBER("test-games", test_games, 2, MOST_GAMES, "1000",                                        \
           "test games; half as many validation games choose the best layer")
#define MEMORY_OPTION                                                                              \
    NUMBER("memory", memory, 1, 1e6, "1024",                                                       \
           "MiB for activations: layers are captured in groups that fit")
#define HEAT_OPTION                                                                                \
    FLAG("heat", heat, "also draw accuracy by layer and, of the best layer, by square")
#define CSV_OPTION                                                                                 \
    TEXT("csv", csv, "DIR", "also write every table as a CSV file into this directory")
#define NO_CONTROLS_OPTION                                                                         \
    FLAG("no-controls", no_controls,                                                               \
         "leave out majority, move history, random weights, shuffled labels, planted board")

static const OptionSpec fit_options[] = {
    CORPUS_OPTION,
    NUMBER("games", games, 1, MOST_GAMES, "1250", "training games"),
    TEST_OPTION,
    NUMBER("plies", plies, 0, 60, "8", "positions drawn of each game; 0 takes all"),
    MEMORY_OPTION,
    HEAT_OPTION,
    CSV_OPTION,
    NO_CONTROLS_OPTION,
    {"out", OPT_TEXT, offsetof(ProbeOptions, out), .argument = "PROBE",
     .help = "directory for the probe; a sweep that was killed goes on there; needed"},
    {"task", OPT_CHOICE, offsetof(ProbeOptions, task), .def = "mine", .choices = TASK_NAMES,
     .argument = "TASK", .help = "what is read of every square"},
    {"layers", OPT_TEXT, offsetof(ProbeOptions, layers), .def = ALL_LAYERS, .argument = "LIST",
     .help = "all, or numbers and 'embed' with commas: embed,0,5"},
    {"site", OPT_TEXT, offsetof(ProbeOptions, site), .def = "resid_post", .argument = "SITE",
     .help = "where in each block: " HOOK_NAMES_VECTOR},
    {"solver", OPT_CHOICE, offsetof(ProbeOptions, solver), .def = "newton", .choices = SOLVER_NAMES,
     .argument = "NAME",
     .help = "newton: multinomial, all squares at once; liblinear: one-vs-rest, the slow referee; "
             "adamw: the published recipe"},
    {"hidden", OPT_INT, offsetof(ProbeOptions, hidden), 0, PROBE_MAX_HIDDEN, .def = "0",
     .argument = "H", .help = "units of a hidden layer, as the first paper; solver adamw"},
    {"epochs", OPT_INT, offsetof(ProbeOptions, epochs), 0, 1000, .def = "0", .argument = "N",
     .help = "passes of adamw over the games; 0: 1 linear (published), 16 at most with --hidden"},
    {"check-against", OPT_CHOICE, offsetof(ProbeOptions, against), .choices = "liblinear",
     .argument = "NAME", .help = "also solve liblinear's binary problems with both and compare"},
    {"labels", OPT_CHOICE, offsetof(ProbeOptions, labels), .def = "mover",
     .choices = "mover|parity", .argument = "RULE",
     .help = "whose view: the side really to move, or the published ply parity"},
    {"l2", OPT_TEXT, offsetof(ProbeOptions, l2), .def = "0.0001", .argument = "X",
     .help = "regularisation on standardised inputs, per position; auto: chosen for each layer on "
             "validation games"},
};
static const OptionSpec eval_options[] = {
    CORPUS_OPTION,
    NUMBER("games", games, 0, MOST_GAMES, "0",
           "training games that the controls are fitted on; 0: as many as the probe was"),
    TEST_OPTION,
    NUMBER("plies", plies, -1, 60, "-1",
           "positions drawn of each game; 0 takes all, -1: as the probe was fitted"),
    MEMORY_OPTION,
    HEAT_OPTION,
    CSV_OPTION,
    NO_CONTROLS_OPTION,
};

/* A positive number, or "auto". The published recipe has weight decay instead. */
static int l2_parse(double *out, const ProbeOptions *given)
{
    char *end;
    if (strcmp(given->l2, "auto") == 0) {
        *out = FIT_L2_AUTO;
        return 0;
    }
    *out = strtod(given->l2, &end);
    if (end == given->l2 || *end != '\0' || !(*out >= 1e-9 && *out <= 1e3)) {
        return err_set(OGPT_EUSAGE, "--l2 \"%s\": expected auto, or a number from 1e-09 to 1000",
                       given->l2);
    }
    return 0;
}

/* ---- progress ---- */

typedef struct Show {
    Context *context;
    Progress progress;
    int done; /* layers */
    ProbeView view;
} Show;

static void show_start(void *context, const SweepResult *so_far)
{
    Show *show = context;
    context_say(show->context,
                "%zu training, %zu validation, %zu test positions; up to %.0f MiB "
                "of memory",
                so_far->n_train, so_far->n_validation, so_far->n_test,
                (double)(so_far->bytes + memory_peak_bytes()) / 1048576);
    show->progress = progress_begin(show->context, "probing", "layers", so_far->n_layers);
}

static void show_layer(void *context, const LayerScore *layer)
{
    Show *show = context;
    char detail[64];
    snprintf(detail, sizeof(detail), "layer %d: %.2f %% of cells", layer->layer,
             100 * layer->test.accuracy.value);
    progress_step(&show->progress, ++show->done, detail);
}

static int show_scored(void *context, int layer, int control, const LabelledSet *truth,
                       const uint8_t *predicted)
{
    Show *show = context;
    return probe_view_scored(&show->view, layer, control, truth, predicted);
}

/* ---- the result ---- */

/* Every table of the result as a file of its own. */
static int write_csv(Context *context, const SweepResult *result, const Probe *probe,
                     const ProbeView *view)
{
    const ProbeOptions *given = context->options;
    if (!given->csv) {
        return 0;
    }
    CsvTable tables[] = {
        {"layers", probe_layers_json(result, probe)},
        {"controls", probe_controls_json(result, probe)},
        {"breakdown", probe_view_rows(view)},
        {"tests", probe_view_tests(view)},
    };
    return csv_write(given->csv, tables, sizeof(tables) / sizeof(tables[0]), context->force);
}

/* ---- the commands ---- */

static SweepOptions sweep_options(const Context *context)
{
    const ProbeOptions *given = context->options;
    SweepOptions out = SWEEP_OPTIONS_DEFAULT;
    out.n_games = (size_t)given->games;
    out.n_test_games = (size_t)given->test_games;
    out.plies = (int)given->plies;
    out.controls = !given->no_controls;
    out.replace = context->force;
    return out;
}

/* Fit (or, for a probe that was read, score), store the rows, print the result. */
static int probe_report(Context *context, Probe *probe, const char *path, const Subject *subject,
                        Corpus *corpus, SweepOptions *options, bool fit)
{
    SweepResult result;
    const ProbeOptions *given = context->options;
    Show show = {.context = context, .view.work = context_work(context, NULL)};
    Work work = context_work(context, &show.progress);
    SweepObserver observer = {&show, show_start, show_layer, show_scored};
    Text text = {0};
    work.memory_bytes = (size_t)given->memory << 20;
    options->observer = &observer;
    int rc = fit ? sweep_fit(&result, probe, path, subject, corpus, options, &work)
                 : sweep_score(&result, probe, path, subject, corpus, options, &work);
    progress_end(&show.progress);
    rc = rc ? rc : probe_view_finish(&show.view, probe, &result);
    if (rc) {
        goto done;
    }
    if (result.n_train_games < options->n_games || result.n_test_games < options->n_test_games) {
        context_warn(context,
                     "the corpus has %zu training and %zu test games, %zu and %zu were "
                     "asked for: all are used",
                     result.n_train_games, result.n_test_games, options->n_games,
                     options->n_test_games);
    }
    rc = context_add_all(context, "probe_layers", probe_layers_json(&result, probe));
    rc = rc ? rc : context_add_all(context, "probe_controls", probe_controls_json(&result, probe));
    rc = rc ? rc : context_add_all(context, "probe_breakdown", probe_view_rows(&show.view));
    rc = rc ? rc : context_add_all(context, "probe_tests", probe_view_tests(&show.view));
    if (rc == 0) {
        probe_print_table(&text, &result, probe, &show.view);
        if (given->heat) {
            probe_view_heat(&text, &show.view, context->colour);
        }
        rc = context_result(
            context,
            probe_document(&result, probe, &show.view, path, corpus_info(corpus)->content_hash),
            text.data);
    }
    if (rc == 0) {
        probe_warn(context, &result, probe);
        rc = write_csv(context, &result, probe, &show.view); /* refused: the result stands */
    }
done:
    probe_view_release(&show.view);
    text_release(&text);
    return rc;
}

static int open_inputs(Context *context, Subject *subject, Corpus **corpus)
{
    const ProbeOptions *given = context->options;
    if (!given->corpus) {
        return err_set(OGPT_EUSAGE, "%s: --corpus FILE is needed; see 'ogpt %s --help'",
                       context->command->name, context->command->name);
    }
    int rc = context_subject_open(context, subject, context->args[0]);
    rc = rc ? rc : corpus_open(corpus, given->corpus, false);
    rc = rc ? rc : subject_check_corpus(subject, given->corpus, *corpus);
    return rc ? rc : context_pool(context);
}

/* What a fitted probe is for: a look at a game, and cases for edits. */
static void suggest_next(const Context *context, const Probe *probe, const char *path)
{
    const char *moves = probe->size == 8 ? "f5 d6 c3" : probe->size == 6 ? "e4 c5" : "d3";
    context_next(context,
                 "ogpt show %s --probe %s --moves \"%s\", ogpt cases make cases.csv --size %d",
                 context->args[0], path, moves, probe->size);
}

static int fit_run(Context *context)
{
    const ProbeOptions *given = context->options;
    SweepOptions options = sweep_options(context);
    Subject subject = {0};
    Corpus *corpus = NULL;
    Probe probe = {0};
    size_t n_stale;
    if (!given->out) {
        return err_set(OGPT_EUSAGE,
                       "probe fit: --out PROBE is needed; see 'ogpt probe fit --help'");
    }
    int site = hook_site_parse_for(given->site, HOOK_USE_VECTOR);
    if (site < 0) {
        return err_set(OGPT_EUSAGE, "--site \"%s\": expected " HOOK_NAMES_VECTOR, given->site);
    }
    options.task = given->task;
    options.labels = given->labels;
    options.solver = given->solver;
    options.site = (HookSite)site;
    options.n_hidden = (int)given->hidden;
    options.epochs = (int)given->epochs;
    options.check = given->against;
    int rc = l2_parse(&options.l2, given);
    rc = rc ? rc : layer_list_parse(options.layers, &options.n_layers, given->layers);
    rc = rc ? rc : open_inputs(context, &subject, &corpus);
    rc = rc ? rc : layer_list_check(options.layers, options.n_layers, &subject.model);
    rc = rc ? rc : path_clean_stale(&n_stale, given->out);
    rc = rc ? rc : context_run_begin(context, given->out, false);
    rc = rc ? rc : probe_report(context, &probe, given->out, &subject, corpus, &options, true);
    if (rc == 0) {
        suggest_next(context, &probe, given->out);
    }
    probe_release(&probe);
    corpus_close(corpus);
    subject_release(&subject);
    return rc;
}

/* Controls are fitted on as much as the probe was, unless asked otherwise: starved controls would
 * flatter it. An imported probe does not tell its sample, and gets the usual one. */
static void take_sample(SweepOptions *options, const Probe *probe)
{
    SweepOptions usual = SWEEP_OPTIONS_DEFAULT;
    bool known = probe->n_games > 0 && probe->n_games <= MOST_GAMES;
    if (options->n_games == 0) {
        options->n_games = known ? (size_t)probe->n_games : usual.n_games;
    }
    if (options->plies < 0) {
        options->plies = known ? (int)probe->plies : usual.plies;
    }
}

static int eval_run(Context *context)
{
    SweepOptions options = sweep_options(context);
    const char *path = context->args[1];
    Subject subject = {0};
    Corpus *corpus = NULL;
    Probe probe = {0};
    int rc = open_inputs(context, &subject, &corpus);
    rc = rc ? rc : probe_load(&probe, path);
    if (rc == 0) {
        take_sample(&options, &probe);
    }
    rc = rc ? rc : context_run_begin(context, path, false);
    rc = rc ? rc : probe_report(context, &probe, path, &subject, corpus, &options, false);
    if (rc == 0) {
        suggest_next(context, &probe, path);
    }
    probe_release(&probe);
    corpus_close(corpus);
    subject_release(&subject);
    return rc;
}

const Command cmd_probe_fit = {
    .name = "probe fit",
    .arguments = "MODEL --corpus CORPUS --out PROBE",
    .summary = "fit probes at every layer, with controls",
    .examples = "ogpt probe fit runs/tiny --corpus games.ogpc --out probes/mine\n"
                "ogpt probe fit runs/tiny --corpus games.ogpc --out probes/colour --task colour\n"
                "ogpt probe fit runs/tiny --corpus games.ogpc --out probes/5 --layers 5 "
                "--check-against liblinear\n"
                "ogpt probe fit runs/tiny --corpus games.ogpc --out probes/mlp --solver adamw "
                "--hidden 128",
    .options = fit_options,
    .n_options = sizeof(fit_options) / sizeof(fit_options[0]),
    .options_bytes = sizeof(ProbeOptions),
    .min_args = 1,
    .max_args = 1,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    .run = fit_run,
};

const Command cmd_probe_eval = {
    .name = "probe eval",
    .arguments = "MODEL PROBE --corpus CORPUS",
    .summary = "score a probe on file, with controls",
    .examples = "ogpt probe eval runs/tiny probes/mine --corpus other.ogpc --test-games 5000",
    .options = eval_options,
    .n_options = sizeof(eval_options) / sizeof(eval_options[0]),
    .options_bytes = sizeof(ProbeOptions),
    .min_args = 2,
    .max_args = 2,
    .uses = USES_SEED | USES_THREADS | USES_STORE | USES_FORCE,
    .run = eval_run,
};
