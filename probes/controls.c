/* probes/controls.c - the controls beside every probe. See probes/controls.h. */
#include "probes/controls.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"

const char *control_name(Control control)
{
    static const char *const names[N_CONTROLS] = {"majority", "history", "random_model",
                                                  "shuffled"};
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
    /* Row GAME_MAX_MOVES counts all plies together. */
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

int history_rows(float *rows, const PositionSet *set, LabelConvention convention, Pool *pool)
{
    HistoryVisit visit = {rows, set->vocab};
    return positions_visit(set, convention, visit_history, &visit, pool);
}

/* ---- shuffled labels ---- */

static size_t scored_positions(const PositionSet *set, size_t game)
{
    int n_moves = set->vocab->variant->n_moves;
    int n = game_length(set->moves + game * (size_t)n_moves, n_moves);
    return n > 1 ? (size_t)n - 1 : 0;
}

/* The game whose labels game g takes at ply t: its successor in a random cyclic order, or the
 * next one after that which lasts as long. Only a game that outlasts all others keeps its own. */
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
                    LabelConvention convention, uint64_t seed, Pool *pool)
{
    size_t n = set->n_games, stride = (size_t)set->vocab->variant->n_moves;
    /* The borrowed labels are those of an auxiliary set: one game a position, one ply each. */
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
        order[i] = (size_t)rng_permute(seed, RNG_SHUFFLE, 0, i, n);
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
    rc = positions_label(shuffled, &borrowed, task, convention, pool);
done:
    positions_release(&borrowed);
    mem_free(order);
    return rc;
}
