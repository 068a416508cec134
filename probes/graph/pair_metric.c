/* probes/graph/pair_metric.c - Delta of a pair. */
#include "probes/graph/pair_metric.h"

#include <string.h>

/* Spread `total` evenly over the tokens of a set of squares. */
static void spread(real *weights, const Vocab *vocab, uint64_t squares, double total)
{
    int n = __builtin_popcountll(squares);
    for (uint64_t rest = squares; rest != 0; rest &= rest - 1) {
        weights[vocab->tok_of_sq[__builtin_ctzll(rest)]] += (real)(total / n);
    }
}

void pair_weights(real *weights, const Vocab *vocab, const GamePair *pair)
{
    const Board *board = &pair->clean_board;
    uint64_t both = pair->legal_clean & pair->legal_corrupt;
    uint64_t up = pair->legal_clean & ~pair->legal_corrupt;
    uint64_t down = pair->legal_corrupt & ~pair->legal_clean;
    if (!up && !down) {
        up = both;
        down = vocab->variant->squares & ~(board->mine | board->theirs | both);
    }
    up = up ? up : both;
    down = down ? down : both;
    memset(weights, 0, (size_t)vocab->d_vocab * sizeof(*weights));
    if (up && down) { /* else there is nothing to compare: all weights stay zero */
        spread(weights, vocab, up, 1.0);
        spread(weights, vocab, down, -1.0);
    }
}

double pair_delta(const real *weights, const real *logits, int d_vocab)
{
    double sum = 0.0;
    for (int v = 0; v < d_vocab; v++) {
        sum += (double)weights[v] * (double)logits[v];
    }
    return sum;
}
