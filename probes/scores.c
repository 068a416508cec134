/* probes/scores.c - scoring predicted labels. See probes/scores.h. */
#include "probes/scores.h"

#include "base/arena.h"
#include "base/err.h"

#define PREDICT_ROWS 512 /* positions a job */

int labelled_draw(LabelledSet *out, GameSource *source, const Task *task,
                  LabelConvention convention, size_t n_games, int plies, uint64_t seed, Pool *pool)
{
    *out = (LabelledSet){0};
    int rc = positions_draw(&out->set, source, n_games, plies, seed, pool);
    if (rc) {
        return rc;
    }
    size_t n = out->set.n_positions;
    int size = out->set.vocab->variant->size;
    out->n_squares = (size_t)(size * size);
    out->labels = mem_alloc(n, out->n_squares, "labels");
    out->occupied = mem_alloc(n, sizeof(uint64_t), "masks of occupied squares");
    out->flipped = mem_alloc(n, sizeof(uint64_t), "masks of flipped discs");
    if (!out->labels || !out->occupied || !out->flipped) {
        labelled_release(out);
        return OGPT_ENOMEM;
    }
    rc = positions_label(out->labels, &out->set, task, convention, pool);
    rc = rc ? rc : positions_masks(out->occupied, out->flipped, &out->set, pool);
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
                  Pool *pool)
{
    size_t cells = (size_t)probe->n_squares * (size_t)probe->n_classes;
    size_t n_workers = pool ? pool_size(pool) : 1;
    float *scores = mem_alloc(n_workers * PREDICT_ROWS * cells, sizeof(float), "probe scores");
    if (!scores) {
        return OGPT_ENOMEM;
    }
    PredictJob job = {predicted, probe, i, x, n, scores};
    int rc = pool_run(pool, (n + PREDICT_ROWS - 1) / PREDICT_ROWS, predict_rows, &job);
    mem_free(scores);
    return rc;
}

/* ---- scores ---- */

enum { SCORE_ACCURACY, SCORE_BOARD, SCORE_NONEMPTY, SCORE_FLIPPED, N_SCORES };

/* Per score and game: how many were right, and how many there were. */
typedef struct GameSums {
    double *right[N_SCORES], *total[N_SCORES]; /* (n_games) each */
} GameSums;

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
    sums->right[SCORE_BOARD][game] += right == all;
    sums->total[SCORE_BOARD][game] += 1;
}

typedef struct IntervalJob {
    const GameSums *sums;
    size_t n_games;
    uint64_t seed;
    Interval out[N_SCORES];
} IntervalJob;

static int score_interval(void *context, size_t job, size_t worker)
{
    IntervalJob *interval = context;
    interval->out[job] = bootstrap_ratio(interval->sums->right[job], interval->sums->total[job],
                                         interval->n_games, interval->seed);
    return 0;
}

int score_predictions(ProbeScore *out, const LabelledSet *truth, const uint8_t *predicted,
                      uint64_t seed, Pool *pool)
{
    const PositionSet *set = &truth->set;
    double *numbers = mem_calloc(2 * N_SCORES * set->n_games, sizeof(double), "sums of games");
    if (!numbers) {
        return OGPT_ENOMEM;
    }
    GameSums sums;
    for (size_t score = 0; score < N_SCORES; score++) {
        sums.right[score] = numbers + 2 * score * set->n_games;
        sums.total[score] = sums.right[score] + set->n_games;
    }
    for (size_t g = 0; g < set->n_games; g++) {
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            add_position(&sums, g, truth, predicted, i);
        }
    }
    IntervalJob job = {.sums = &sums, .n_games = set->n_games, .seed = seed};
    int rc = pool_run(pool, N_SCORES, score_interval, &job);
    if (rc == 0) {
        *out = (ProbeScore){job.out[SCORE_ACCURACY], job.out[SCORE_BOARD], job.out[SCORE_NONEMPTY],
                            job.out[SCORE_FLIPPED]};
    }
    mem_free(numbers);
    return rc;
}
