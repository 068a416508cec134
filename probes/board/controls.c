/* probes/board/controls.c - see probes/board/controls.h. */
#include "probes/board/controls.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"

const char *control_name(Control control)
{
    static const char *const names[N_CONTROLS] = {
        [CONTROL_MAJORITY] = "majority",       [CONTROL_HISTORY] = "history",
        [CONTROL_HISTORY_MLP] = "history_mlp", [CONTROL_RANDOM_MODEL] = "random_model",
        [CONTROL_SHUFFLED] = "shuffled",       [CONTROL_PLANTED] = "planted",
    };
    return names[control];
}

/* ---- majority ---- */

static uint8_t most_common(const uint32_t *count, size_t n_classes)
{
    size_t best = 0;
    for (size_t k = 1; k < n_classes; k++) {
        best = count[k] > count[best] ? k : best;
    }
    return (uint8_t)best;
}

int majority_predict(uint8_t *predicted, const LabelledSet *train, const LabelledSet *test,
                     size_t n_classes)
{
    size_t S = train->n_squares, cells = S * n_classes;
    /* Row GAME_MAX_MOVES counts all plies. */
    uint32_t *count = mem_calloc((GAME_MAX_MOVES + 1) * cells, sizeof(uint32_t), "class counts");
    uint32_t n_at[GAME_MAX_MOVES] = {0};
    if (!count) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < train->set.n_positions; i++) {
        size_t t = train->set.t[i];
        n_at[t]++;
        for (size_t s = 0; s < S; s++) {
            size_t cell = s * n_classes + train->labels[i * S + s];
            count[t * cells + cell]++;
            count[GAME_MAX_MOVES * cells + cell]++;
        }
    }
    for (size_t i = 0; i < test->set.n_positions; i++) {
        size_t row = n_at[test->set.t[i]] ? test->set.t[i] : GAME_MAX_MOVES;
        for (size_t s = 0; s < S; s++) {
            predicted[i * S + s] = most_common(count + row * cells + s * n_classes, n_classes);
        }
    }
    mem_free(count);
    return 0;
}

/* ---- move history ---- */

enum { BY_MOVER, BY_OTHER, AGE_BY_MOVER, AGE_BY_OTHER, HISTORY_FEATURES };

size_t history_width(const Vocab *vocab)
{
    return HISTORY_FEATURES * (size_t)vocab->variant->n_moves;
}

typedef struct HistoryVisit {
    float *rows;
    const Vocab *vocab;
} HistoryVisit;

static void visit_history(void *context, const TaskPosition *position, size_t index)
{
    const HistoryVisit *visit = context;
    size_t width = history_width(visit->vocab);
    float *row = visit->rows + index * width;
    Colour viewer = task_viewer(position);
    memset(row, 0, width * sizeof(float));
    for (int i = 0; i <= position->t; i++) {
        Colour player = i > 0 ? position->after[i - 1].to_move : position->variant->start.to_move;
        int tok = visit->vocab->tok_of_sq[position->moves[i]];
        float *features = row + HISTORY_FEATURES * (tok - 1);
        int by = player == viewer ? BY_MOVER : BY_OTHER;
        features[by] = 1;
        features[by == BY_MOVER ? AGE_BY_MOVER : AGE_BY_OTHER] =
            (float)(position->t - i + 1) / (float)position->variant->n_moves;
    }
}

int history_rows(float *rows, const PositionSet *set, LabelConvention convention, const Work *work)
{
    HistoryVisit visit = {rows, set->vocab};
    return positions_visit(set, convention, visit_history, &visit, work);
}

/* ---- shuffled labels ---- */

/* Its positions; behind the last move nothing is scored but where it is asked for. */
static size_t scored_positions(const PositionSet *set, size_t game)
{
    int n_moves = set->vocab->variant->n_moves;
    int n = game_length(set->moves + game * (size_t)n_moves, n_moves);
    return n > 1 ? (size_t)n - !set->ends : 0;
}

/* The game that lends its labels to `game` at ply t: the next one in a random cyclic order that
 * lasts that long. Only where it outlasts all others a game keeps its own labels. */
static size_t partner(const PositionSet *set, const size_t *order, const size_t *place, size_t game,
                      size_t t)
{
    size_t n = set->n_games;
    for (size_t step = 1; step < n; step++) {
        size_t other = order[(place[game] + step) % n];
        if (scored_positions(set, other) > t) {
            return other;
        }
    }
    return game;
}

int shuffled_labels(uint8_t *shuffled, const PositionSet *set, const Task *task,
                    LabelConvention convention, const Work *work)
{
    size_t n = set->n_games, stride = (size_t)set->vocab->variant->n_moves;
    /* The borrowed labels are those of an auxiliary set with one game and one ply for each
     * position. */
    PositionSet borrowed = {.vocab = set->vocab, .n_games = set->n_positions};
    size_t *order = mem_alloc(2 * n, sizeof(size_t), "order of shuffled games");
    borrowed.n_positions = set->n_positions;
    borrowed.moves = mem_alloc(set->n_positions, stride, "shuffled games");
    borrowed.first = mem_alloc(set->n_positions + 1, sizeof(uint32_t), "shuffled positions");
    borrowed.t = mem_alloc(set->n_positions, 1, "shuffled positions");
    int rc = OGPT_ENOMEM;
    if (!order || !borrowed.moves || !borrowed.first || !borrowed.t) {
        goto done;
    }
    size_t *place = order + n;
    for (size_t i = 0; i < n; i++) {
        order[i] = (size_t)rng_permute(work->seed, RNG_SHUFFLE, 0, i, n);
        place[order[i]] = i;
    }
    for (size_t g = 0; g < n; g++) {
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            size_t other = partner(set, order, place, g, set->t[i]);
            memcpy(borrowed.moves + i * stride, set->moves + other * stride, stride);
            borrowed.first[i] = (uint32_t)i;
            borrowed.t[i] = set->t[i];
        }
    }
    borrowed.first[set->n_positions] = (uint32_t)set->n_positions;
    rc = positions_label(shuffled, &borrowed, task, convention, work);
done:
    positions_release(&borrowed);
    mem_free(order);
    return rc;
}

/* ---- planted board ---- */

#define PLANTED_ROWS 1024 /* positions a job */
#define PLANTED_INDEX                                                                              \
    (UINT64_C(1) << 40) /* above the indices of the tensors that RNG_CONTROL also draws */

/* A plain sum is enough: the integrand is smooth, and below 1e-14 at both ends. */
static double planted_accuracy(double signal, size_t n_classes)
{
    double sum = 0, step = 0.001;
    for (int i = 0; i * step < signal + 16; i++) {
        double z = i * step - 8;
        double phi = exp(-0.5 * (z - signal) * (z - signal)) / sqrt(2 * M_PI);
        sum += step * phi * pow(0.5 * erfc(-z / sqrt(2)), (double)(n_classes - 1));
    }
    return sum;
}

/* planted_signal(PLANTED_ACCURACY, 2 and 3): solving takes longer than many a fit. */
static const double usual_signal[] = {0x1.d2466082bb7ap+1, 0x1.f9d14109a0c4p+1};

double planted_signal(double accuracy, size_t n_classes)
{
    double low = 0, high = 16;
    if (accuracy == PLANTED_ACCURACY && (n_classes == 2 || n_classes == 3)) {
        return usual_signal[n_classes - 2];
    }
    for (int i = 0; i < 50; i++) {
        double middle = 0.5 * (low + high);
        if (planted_accuracy(middle, n_classes) < accuracy) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

typedef struct Planted {
    float *x;
    uint8_t *labels;
    size_t n, n_squares, n_classes;
    uint64_t seed, first; /* index of position 0 */
    double signal;
} Planted;

static int plant_positions(void *context, size_t job, size_t worker)
{
    const Planted *planted = context;
    size_t S = planted->n_squares, K = planted->n_classes, first = job * PLANTED_ROWS;
    size_t end = planted->n - first < PLANTED_ROWS ? planted->n : first + PLANTED_ROWS;
    for (size_t i = first; i < end; i++) {
        Rng rng = rng_at(planted->seed, RNG_CONTROL, planted->first + i);
        for (size_t s = 0; s < S; s++) {
            uint8_t label = (uint8_t)rng_below(&rng, (uint32_t)K);
            float *own = planted->x + (i * S + s) * K;
            planted->labels[i * S + s] = label;
            for (size_t k = 0; k < K; k++) {
                own[k] = (float)(rng_normal(&rng) + (k == label ? planted->signal : 0));
            }
        }
    }
    return 0;
}

int planted_rows(float *x, uint8_t *labels, size_t n, size_t n_squares, size_t n_classes,
                 uint64_t stream, const Work *work)
{
    Planted planted = {.x = x,
                       .labels = labels,
                       .n = n,
                       .n_squares = n_squares,
                       .n_classes = n_classes,
                       .seed = work->seed,
                       .first = PLANTED_INDEX + (stream << 32),
                       .signal = planted_signal(PLANTED_ACCURACY, n_classes)};
    return pool_run(work->pool, (n + PLANTED_ROWS - 1) / PLANTED_ROWS, plant_positions, &planted);
}
