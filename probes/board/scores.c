/* probes/board/scores.c - scoring predicted labels. See probes/board/scores.h. */
#include "probes/board/scores.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"

#define PREDICT_ROWS 512 /* positions a job */

int labelled_draw(LabelledSet *out, GameSource *source, const Task *task,
                  LabelConvention convention, size_t n_games, int plies, const Work *work)
{
    *out = (LabelledSet){0};
    int rc = positions_draw(&out->set, source, n_games, plies, work);
    return rc ? rc : labelled_fill(out, task, convention, work);
}

int labelled_fill(LabelledSet *out, const Task *task, LabelConvention convention, const Work *work)
{
    size_t n = out->set.n_positions;
    int size = out->set.vocab->variant->size;
    out->n_squares = (size_t)(size * size);
    out->n_classes = (size_t)task->n_classes;
    out->labels = mem_alloc(n, out->n_squares, "labels");
    out->occupied = mem_alloc(n, sizeof(uint64_t), "masks of occupied squares");
    out->flipped = mem_alloc(n, sizeof(uint64_t), "masks of flipped discs");
    if (!out->labels || !out->occupied || !out->flipped) {
        labelled_release(out);
        return OGPT_ENOMEM;
    }
    int rc = positions_label(out->labels, &out->set, task, convention, work);
    rc = rc ? rc : positions_masks(out->occupied, out->flipped, &out->set, work);
    if (rc) {
        labelled_release(out);
    }
    return rc;
}

void labelled_release(LabelledSet *set)
{
    positions_release(&set->set);
    mem_free(set->labels);
    mem_free(set->occupied);
    mem_free(set->flipped);
    *set = (LabelledSet){0};
}

typedef struct PredictJob {
    uint8_t *predicted;
    const Probe *probe;
    int layer;
    const float *x;
    size_t n;
    float *scores; /* per worker (PREDICT_ROWS, n_squares, n_classes) */
} PredictJob;

static int predict_rows(void *context, size_t job, size_t worker)
{
    PredictJob *predict = context;
    const Probe *probe = predict->probe;
    size_t S = (size_t)probe->n_squares, cells = S * (size_t)probe->n_classes;
    size_t first = job * PREDICT_ROWS;
    size_t n = predict->n - first < PREDICT_ROWS ? predict->n - first : PREDICT_ROWS;
    probe_classify(predict->predicted + first * S, predict->scores + worker * PREDICT_ROWS * cells,
                   probe, predict->layer, predict->x + first * (size_t)probe->d_model, n);
    return 0;
}

int predict_probe(uint8_t *predicted, const Probe *probe, int i, const float *x, size_t n,
                  const Work *work)
{
    size_t cells = (size_t)probe->n_squares * (size_t)probe->n_classes;
    float *scores =
        mem_alloc(work_workers(work) * PREDICT_ROWS * cells, sizeof(float), "probe scores");
    if (!scores) {
        return OGPT_ENOMEM;
    }
    PredictJob job = {predicted, probe, i, x, n, scores};
    int rc = pool_run(work->pool, (n + PREDICT_ROWS - 1) / PREDICT_ROWS, predict_rows, &job);
    mem_free(scores);
    return rc;
}

/* ---- scores ---- */

double f1_of_counts(double hits, double said, double there)
{
    return said + there > 0 ? 2 * hits / (said + there) : NAN;
}

double f1_of_task(const double *f1_of_class, size_t n_classes)
{
    double sum = 0, counted = 0;
    for (size_t k = n_classes == 2 ? 1 : 0; k < n_classes; k++) {
        sum += isnan(f1_of_class[k]) ? 0 : f1_of_class[k];
        counted += !isnan(f1_of_class[k]);
    }
    return counted > 0 ? sum / counted : NAN;
}

static void add_position(GameSums *sums, size_t game, const LabelledSet *truth,
                         const uint8_t *predicted, size_t i)
{
    size_t S = truth->n_squares;
    const uint8_t *label = truth->labels + i * S;
    uint64_t right = 0, all = S == 64 ? UINT64_MAX : (UINT64_C(1) << S) - 1;
    for (size_t s = 0; s < S; s++) {
        right |= (uint64_t)(label[s] == predicted[i * S + s]) << s;
    }
    uint64_t of[N_SCORES] = {all, 0, truth->occupied[i], truth->flipped[i]};
    for (int score = 0; score < N_SCORES; score++) {
        sums->right[score][game] += __builtin_popcountll(right & of[score]);
        sums->total[score][game] += __builtin_popcountll(of[score]);
    }
    sums->right[SCORE_BOARDS][game] += right == all;
    sums->total[SCORE_BOARDS][game] += 1;
}

int game_sums_count(GameSums *out, const LabelledSet *truth, const uint8_t *predicted)
{
    const PositionSet *set = &truth->set;
    double *numbers = mem_calloc(2 * N_SCORES * set->n_games, sizeof(double), "sums of games");
    *out = (GameSums){0};
    if (!numbers) {
        return OGPT_ENOMEM;
    }
    out->n_games = set->n_games;
    for (size_t score = 0; score < N_SCORES; score++) {
        out->right[score] = numbers + 2 * score * set->n_games;
        out->total[score] = out->right[score] + set->n_games;
    }
    for (size_t g = 0; g < set->n_games; g++) {
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            add_position(out, g, truth, predicted, i);
        }
    }
    return 0;
}

void game_sums_release(GameSums *sums)
{
    mem_free(sums->right[0]);
    *sums = (GameSums){0};
}

/* For each class and game: twice the cells that are of the class and predicted so, and the sum of
 * both counts. F1 is their ratio. */
typedef struct ClassSums {
    double *hits[TASK_MAX_CLASSES], *margins[TASK_MAX_CLASSES]; /* (n_games) each */
} ClassSums;

static void count_classes(ClassSums *sums, ProbeScore *score, const LabelledSet *truth,
                          const uint8_t *predicted)
{
    const PositionSet *set = &truth->set;
    size_t S = truth->n_squares;
    for (size_t g = 0; g < set->n_games; g++) {
        for (size_t cell = set->first[g] * S; cell < set->first[g + 1] * S; cell++) {
            uint8_t there = truth->labels[cell], said = predicted[cell];
            score->of_class[there].n_true++;
            score->of_class[said].n_said++;
            sums->margins[there][g]++;
            sums->margins[said][g]++;
            if (there == said) {
                score->of_class[there].n_hits++;
                sums->hits[there][g] += 2;
            }
        }
    }
}

typedef struct IntervalJob {
    const GameSums *sums;
    const ClassSums *classes;
    uint64_t seed;
    Interval out[N_SCORES + TASK_MAX_CLASSES];
} IntervalJob;

static int score_interval(void *context, size_t job, size_t worker)
{
    IntervalJob *interval = context;
    size_t k = job - N_SCORES;
    const double *right = job < N_SCORES ? interval->sums->right[job] : interval->classes->hits[k];
    const double *of = job < N_SCORES ? interval->sums->total[job] : interval->classes->margins[k];
    interval->out[job] = bootstrap_ratio(right, of, interval->sums->n_games, interval->seed);
    return 0;
}

static void fill_score(ProbeScore *out, const IntervalJob *job, size_t n_classes)
{
    double f1[TASK_MAX_CLASSES];
    out->accuracy = job->out[SCORE_CELLS];
    out->board = job->out[SCORE_BOARDS];
    out->nonempty = job->out[SCORE_NONEMPTY];
    out->flipped = job->out[SCORE_FLIPPED];
    for (size_t k = 0; k < n_classes; k++) {
        ClassScore *class = &out->of_class[k];
        double hits = (double)class->n_hits;
        class->f1 = job->out[N_SCORES + k];
        f1[k] = class->f1.value;
        class->precision = class->n_said > 0 ? hits / (double)class->n_said : NAN;
        class->recall = class->n_true > 0 ? hits / (double)class->n_true : NAN;
    }
    out->f1 =
        n_classes == 2 ? out->of_class[1].f1 : (Interval){f1_of_task(f1, n_classes), NAN, NAN};
}

int score_predictions(ProbeScore *out, const LabelledSet *truth, const uint8_t *predicted,
                      const Work *work)
{
    size_t n = truth->set.n_games, K = truth->n_classes;
    GameSums sums = {0};
    ClassSums classes;
    double *numbers = mem_calloc(2 * K * n, sizeof(double), "sums of classes");
    int rc = numbers ? game_sums_count(&sums, truth, predicted) : OGPT_ENOMEM;
    if (rc == 0) {
        for (size_t k = 0; k < K; k++) {
            classes.hits[k] = numbers + 2 * k * n;
            classes.margins[k] = classes.hits[k] + n;
        }
        *out = (ProbeScore){0};
        count_classes(&classes, out, truth, predicted);
        IntervalJob job = {.sums = &sums, .classes = &classes, .seed = work->seed};
        rc = pool_run(work->pool, N_SCORES + K, score_interval, &job);
        fill_score(out, &job, K);
    }
    game_sums_release(&sums);
    mem_free(numbers);
    return rc;
}
