/* probes/ablation/ablation_positions.c - positions from pairs and from games. */
#include "probes/ablation/ablation_positions.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "game/play.h"
#include "probes/ablation/ablation_internal.h"
#include "probes/activations/positions.h"
#include "probes/graph/pair_metric.h"

static int room_for(AblationPositions *out, const Vocab *vocab, size_t n)
{
    *out = (AblationPositions){.vocab = vocab};
    out->at = mem_calloc(n, sizeof(*out->at), "positions to be ablated");
    out->weights = mem_calloc(n * (size_t)vocab->d_vocab, sizeof(*out->weights),
                              "metric of positions to be ablated");
    if (!out->at || !out->weights) {
        ablation_positions_release(out);
        return OGPT_ENOMEM;
    }
    return 0;
}

static bool any_weight(const real *weights, int d_vocab)
{
    for (int v = 0; v < d_vocab; v++) {
        if (weights[v] != 0) {
            return true;
        }
    }
    return false;
}

/* Add a position, unless it has no metric. It lacks a square if none was turned. */
static void add(AblationPositions *out, const GamePair *pair, size_t game, uint64_t seed)
{
    int V = out->vocab->d_vocab;
    AblationPosition *at = &out->at[out->n];
    real *weights = out->weights + out->n * (size_t)V;
    pair_weights(weights, out->vocab, pair);
    if (pair->legal_clean == 0 || !any_weight(weights, V)) {
        out->no_metric++;
        return;
    }
    *at = (AblationPosition){.n_moves = pair->n_moves,
                             .game = game,
                             .board = pair->clean_board,
                             .legal = pair->legal_clean};
    memcpy(at->moves, pair->clean, sizeof(at->moves));
    if (pair->turned) {
        at->square = (uint8_t)__builtin_ctzll(pair->turned);
    } else {
        Rng rng = ablation__rng(seed, ABLATION_DRAW_SQUARE, out->n);
        uint32_t n = (uint32_t)__builtin_popcountll(at->legal);
        at->square = (uint8_t)mask_select(at->legal, (int)rng_below(&rng, n));
    }
    out->n++;
}

/* Longest history first, otherwise in the old order; games numbered as they are met. */
static int put_in_order(AblationPositions *out)
{
    size_t V = (size_t)out->vocab->d_vocab, at = 0;
    AblationPositions sorted;
    if (out->n == 0) {
        return err_set(OGPT_EFORMAT,
                       "no position to ablate at: none of %zu has both a legal move "
                       "and another empty square",
                       out->no_metric);
    }
    int rc = room_for(&sorted, out->vocab, out->n);
    if (rc != 0) {
        return rc;
    }
    for (int length = GAME_MAX_MOVES; length > 0; length--) {
        for (size_t i = 0; i < out->n; i++) {
            if (out->at[i].n_moves == length) {
                sorted.at[at] = out->at[i];
                memcpy(sorted.weights + at * V, out->weights + i * V, V * sizeof(real));
                at++;
            }
        }
    }
    mem_free(out->at);
    mem_free(out->weights);
    out->at = sorted.at;
    out->weights = sorted.weights;
    return 0;
}

int ablation_positions_of_pairs(AblationPositions *out, const PairSet *pairs, const Work *work)
{
    const Vocab *vocab = vocab_of(pairs->variant);
    int rc = room_for(out, vocab, pairs->n);
    for (size_t i = 0; rc == 0 && i < pairs->n; i++) {
        if (pairs->pairs[i].n_moves > vocab->n_ctx) {
            rc = err_set(OGPT_EFORMAT, "pair %zu has %d moves, the network reads at most %d", i + 1,
                         pairs->pairs[i].n_moves, vocab->n_ctx);
            break;
        }
        add(out, &pairs->pairs[i], out->n, work->seed);
    }
    out->n_games = out->n;
    out->metric = pair_metric_words(pairs->pairs, pairs->n);
    rc = rc ? rc : put_in_order(out);
    if (rc != 0) {
        ablation_positions_release(out);
    }
    return rc;
}

typedef struct Drawing {
    const PositionSet *set;
    GamePair *pairs; /* (n_positions) both histories the same */
} Drawing;

static void derive(void *context, const TaskPosition *position, size_t index)
{
    const Drawing *drawing = context;
    GamePair *pair = &drawing->pairs[index];
    pair->n_moves = position->t + 1;
    memset(pair->clean, SQ_NONE, sizeof(pair->clean));
    memcpy(pair->clean, position->moves, (size_t)pair->n_moves);
    pair->clean_board = pair->corrupt_board = position->after[position->t];
    pair->legal_clean = pair->legal_corrupt =
        board_moves(position->variant, &position->after[position->t]);
}

int ablation_positions_draw(AblationPositions *out, GameSource *source, size_t n_games, int plies,
                            const Work *work)
{
    const Work quiet = work_quiet(work);
    PositionSet set;
    *out = (AblationPositions){0};
    int rc = positions_draw(&set, source, n_games, plies, &quiet);
    if (rc != 0) {
        return rc;
    }
    Drawing drawing = {.set = &set};
    drawing.pairs = mem_calloc(set.n_positions, sizeof(*drawing.pairs), "positions to be ablated");
    rc = drawing.pairs ? room_for(out, set.vocab, set.n_positions) : OGPT_ENOMEM;
    rc = rc ? rc : positions_visit(&set, LABELS_MOVER, derive, &drawing, &quiet);
    for (size_t g = 0; rc == 0 && g < set.n_games; g++) {
        size_t before = out->n;
        for (size_t i = set.first[g]; i < set.first[g + 1]; i++) {
            add(out, &drawing.pairs[i], out->n_games, work->seed);
        }
        out->n_games += out->n > before;
    }
    out->metric = pair_metric_words(NULL, 0);
    rc = rc ? rc : put_in_order(out);
    mem_free(drawing.pairs);
    positions_release(&set);
    if (rc != 0) {
        ablation_positions_release(out);
    }
    return rc;
}

int ablation_positions_part(AblationPositions *out, const AblationPositions *from, size_t n)
{
    size_t V = (size_t)from->vocab->d_vocab;
    size_t taken = n < from->n ? n : from->n;
    size_t *number = mem_calloc(from->n_games, sizeof(*number), "numbers of games");
    int rc = number ? room_for(out, from->vocab, taken) : OGPT_ENOMEM;
    for (size_t i = 0; rc == 0 && i < taken; i++) {
        size_t j = i * from->n / taken;
        out->at[i] = from->at[j];
        memcpy(out->weights + i * V, from->weights + j * V, V * sizeof(real));
        size_t *game = &number[from->at[j].game]; /* 1 + its new number */
        *game = *game ? *game : ++out->n_games;
        out->at[i].game = *game - 1;
    }
    if (rc == 0) {
        out->n = taken;
        out->metric = from->metric;
    }
    mem_free(number);
    return rc;
}

void ablation_positions_release(AblationPositions *positions)
{
    mem_free(positions->at);
    mem_free(positions->weights);
    *positions = (AblationPositions){0};
}
