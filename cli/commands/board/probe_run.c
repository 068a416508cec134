/* cli/commands/board/probe_run.c - a sweep from its inputs to its tables. Contract in
 * cli/commands/board/probe_run.h. */
#include "cli/commands/board/probe_run.h"

#include "base/process.h"
#include "cli/commands/common/hint_words.h"
#include "model/speed.h"

int probe_run_open(ProbeRun *run, Context *context, const ProbeSample *sample, const char *path)
{
    run->sample = sample;
    run->path = path;
    run->options = SWEEP_OPTIONS_DEFAULT;
    run->options.n_games = (size_t)sample->games;
    run->options.n_test_games = (size_t)sample->test_games;
    run->options.plies = (int)sample->plies;
    run->options.controls = !sample->no_controls;
    run->options.replace = context->force;
    return context_inputs_open(context, &run->inputs, context->args[0], sample->corpus);
}

void probe_run_release(ProbeRun *run)
{
    swept_release(&run->swept);
    probe_release(&run->probe);
    context_inputs_release(&run->inputs);
}

typedef struct SweepShow {
    const Context *context;
    Swept *swept;
} SweepShow;

static void show_start(void *owner, const SweepResult *so_far)
{
    const SweepShow *show = owner;
    char time[SPEED_TEXT];
    speed_estimate(time, so_far->flops, FIT_SHARE_OF_SPEED, show->context->pool);
    context_say(show->context,
                "%zu training, %zu validation, %zu test positions; up to %.0f MiB of memory, %s "
                "(estimated)",
                so_far->n_train, so_far->n_validation, so_far->n_test,
                (double)(so_far->bytes + memory_peak_bytes()) / 1048576, time);
}

static int show_scored(void *owner, int layer, int control, const LabelledSet *truth,
                       const uint8_t *predicted)
{
    const SweepShow *show = owner;
    return swept_scored(show->swept, layer, control, truth, predicted);
}

/* A split with fewer games than asked is used whole; one with enough has no limit to report. */
static void warn_few(const Context *context, const char *split, size_t there, size_t asked)
{
    if (there < asked) {
        context_warn(context, "the corpus has %zu %s games, %zu were asked for: all are used",
                     there, split, asked);
    }
}

void probe_run__warn_few(const Context *context, const SweepResult *result,
                         const SweepOptions *asked)
{
    warn_few(context, "training", result->n_train_games, asked->n_games);
    if (!asked->ends) {
        warn_few(context, "test", result->n_test_games, asked->n_test_games);
    }
}

/* A game on 4x4 is too short for cases. */
static void suggest_next(Context *context, const char *probe, const GameVariant *variant)
{
    const int size = variant->size;
    const char *moves = size == 8 ? "f5 d6 c3" : size == 6 ? "e4 c5" : "d3";
    char cases[FILES_PATH_MAX];
    study_next(context, "show", context->args[0], "--probe", probe, "--moves", moves, NULL);
    if (size > 4) {
        context_name_free(cases, "cases", ".csv");
        study_next(context, "cases", "make", cases, VARIANT_WORDS(variant), NULL);
    }
}

static void result_fill(ProbeRun *run, Context *context)
{
    const SweepResult *result = &run->swept.result;
    probe_run__warn_few(context, result, &run->options);
    const ProbeFindings found = {.path = run->path,
                                 .corpus_hash = corpus_info(run->inputs.corpus)->content_hash,
                                 .probe = &run->probe,
                                 .swept = &run->swept};
    probe_text_warn(context->report, &found);
    probe_tables_fill(context->report, &found);
    if (run->sample->heat) {
        probe_text_heat(study_text(context), &found, context->style.colour);
    }
    suggest_next(context, run->path, run->inputs.subject.variant);
}

int probe_run_sweep(ProbeRun *run, Context *context, bool fit)
{
    Swept *swept = &run->swept;
    SweepShow show = {context, swept};
    SweepObserver observer = {.context = &show, .start = show_start, .scored = show_scored};
    Work work = *study_work(context, "probing", "parts");
    work.memory_bytes = (size_t)run->sample->memory << 20;
    run->options.observer = &observer;
    swept->work = &work;
    int rc = (fit ? sweep_fit(&swept->result, &run->probe, run->path, &run->inputs.subject,
                              run->inputs.corpus, &run->options, &work)
                  : sweep_score(&swept->result, &run->probe, run->path, &run->inputs.subject,
                                run->inputs.corpus, &run->options, &work));
    rc = rc ? rc : swept_test(swept);
    if (rc == 0) {
        result_fill(run, context);
    }
    return rc;
}
