/* probes/compare/compare.c - see probes/compare/compare.h. */
#include "probes/compare/compare.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"

/* One split of one contender, which is read layer by layer. */
typedef struct ReadJob {
    Contender *contender;
    LabelledSet set;
    uint8_t *predicted;
    bool test;  /* keep the readings, not only the accuracy */
    int n_done; /* layers read before this split */
    const Work *work;
    Work quiet;
} ReadJob;

static int read_layer(void *context, int index, const float *rows)
{
    ReadJob *job = context;
    Contender *contender = job->contender;
    const LabelledSet *set = &job->set;
    int rc = predict_probe(job->predicted, contender->probe, index, rows, set->set.n_positions,
                           &job->quiet);
    work_tick(job->work, "layers", job->n_done + index + 1, 2 * contender->probe->n_layers);
    if (rc || job->test) {
        return rc ? rc
                  : readings_add(&contender->readings, contender->probe->layers[index],
                                 READING_PROBE, set, job->predicted, &job->quiet);
    }
    size_t right = 0, cells = set->set.n_positions * set->n_squares;
    for (size_t i = 0; i < cells; i++) {
        right += job->predicted[i] == set->labels[i];
    }
    contender->validation[index] = (double)right / (double)cells;
    return 0;
}

static int read_split(Contender *contender, Split split, size_t n_games, Corpus *corpus,
                      const CompareOptions *options, const Work *work)
{
    const Probe *probe = contender->probe;
    const SiteLayers where = {probe->site, probe->layers, probe->n_layers};
    ReadJob job = {.contender = contender,
                   .test = split == SPLIT_TEST,
                   .n_done = split == SPLIT_TEST ? probe->n_layers : 0,
                   .work = work,
                   .quiet = work_quiet(work)};
    LabelConvention convention;
    GameSource *source = NULL;
    const Task *task = task_find(probe->task);
    int rc = task ? convention_parse(&convention, probe->labels)
                  : err_set(OGPT_EFORMAT, "%s: task \"%s\", expected one of %s", contender->path,
                            probe->task, TASK_NAMES);
    rc = rc ? rc : source_corpus(&source, corpus, 1U << split, true, work->seed);
    rc = rc ? rc : labelled_draw(&job.set, source, task, convention, n_games, options->plies, work);
    source_free(source);
    if (rc) {
        return rc;
    }
    job.predicted = mem_alloc(job.set.set.n_positions, job.set.n_squares, "predicted labels");
    rc = job.predicted ? activations_visit(&job.set.set, contender->subject->model.gpt, &where,
                                           read_layer, &job, &job.quiet)
                       : OGPT_ENOMEM;
    mem_free(job.predicted);
    labelled_release(&job.set);
    return rc;
}

static int check_contender(const Contender *contender, const Corpus *corpus,
                           const CompareOptions *options)
{
    const Probe *probe = contender->probe;
    int rc = subject_check_probe(contender->subject, contender->path, probe);
    rc = rc ? rc : subject_check_corpus(contender->subject, "the corpus", corpus);
    rc = rc ? rc : probe_check_finished(probe, contender->path);
    if (rc == 0 && options->layer != COMPARE_BEST && probe_layer_index(probe, options->layer) < 0) {
        rc = err_set(OGPT_EUSAGE, "%s: has no layer %d", contender->path, options->layer);
    }
    return rc;
}

int contender_read(Contender *contender, Corpus *corpus, const CompareOptions *options,
                   const Work *work)
{
    int rc = check_contender(contender, corpus, options);
    rc = rc ? rc
            : read_split(contender, SPLIT_VALIDATION, (options->n_test_games + 1) / 2, corpus,
                         options, work);
    rc = rc ? rc : read_split(contender, SPLIT_TEST, options->n_test_games, corpus, options, work);
    if (rc) {
        return rc;
    }
    contender->best = 0;
    for (int i = 1; i < contender->probe->n_layers; i++) {
        if (contender->validation[i] > contender->validation[contender->best]) {
            contender->best = i;
        }
    }
    if (options->layer != COMPARE_BEST) {
        contender->best = probe_layer_index(contender->probe, options->layer);
    }
    return 0;
}

void contender_release(Contender *contender)
{
    readings_release(&contender->readings);
}

size_t contender_bytes(const Contender *contender, const CompareOptions *options, const Work *work)
{
    const Probe *probe = contender->probe;
    const GptConfig *cfg = &contender->subject->model.gpt->cfg;
    size_t plies = options->plies > 0 ? (size_t)options->plies : (size_t)cfg->n_ctx;
    size_t n = options->n_test_games * plies;
    size_t layer = activations_bytes(n, (size_t)probe->d_model);
    size_t all = layer * (size_t)probe->n_layers;
    size_t held = work->memory_bytes == 0 || all < work->memory_bytes ? all : work->memory_bytes;
    size_t labels = 3 * n * (size_t)probe->n_squares; /* true, predicted, ages */
    size_t readings = (size_t)probe->n_layers *
                      (sizeof(Reading) + 2 * N_SCORES * sizeof(double) * options->n_test_games);
    return (held < layer ? layer : held) + labels + readings + activations_scratch_bytes(cfg, work);
}

/* Readings are added layer by layer, in the order of the probe's layers. */
static const GameSums *sums_of(const Contender *contender, int index)
{
    return &contender->readings.list[index]->sums;
}

int compare_layers(PairedTest *tests, const Contender *contender, const CompareOptions *options,
                   const Work *work)
{
    PairedQuestion questions[LAYERS_MAX] = {{0}};
    PairedTest asked[LAYERS_MAX];
    size_t n = 0;
    for (int i = 0; i < contender->probe->n_layers; i++) {
        if (i != contender->best) {
            questions[n++] =
                (PairedQuestion){sums_of(contender, i), sums_of(contender, contender->best)};
        }
    }
    int rc = paired_tests(asked, questions, n, options->score, work);
    n = 0;
    for (int i = 0; i < contender->probe->n_layers && rc == 0; i++) {
        tests[i] = i == contender->best ? (PairedTest){{NAN, NAN, NAN}, NAN, NAN} : asked[n++];
    }
    return rc;
}

int compare_contenders(PairedTest *tests, const Contender *contenders, size_t n,
                       const CompareOptions *options, const Work *work)
{
    PairedQuestion questions[COMPARE_MAX * (COMPARE_MAX - 1) / 2] = {{0}};
    size_t n_questions = 0;
    for (size_t j = 1; j < n; j++) {
        for (size_t i = 0; i < j; i++) {
            questions[n_questions++] =
                (PairedQuestion){sums_of(&contenders[i], contenders[i].best),
                                 sums_of(&contenders[j], contenders[j].best)};
        }
    }
    return paired_tests(tests, questions, n_questions, options->score, work);
}

Interval compare_score(const Contender *contender, int index, ScoreKind score, uint64_t seed)
{
    const GameSums *sums = sums_of(contender, index);
    return bootstrap_ratio(sums->right[score], sums->total[score], sums->n_games, seed);
}
