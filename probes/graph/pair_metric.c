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
    up = pair->target ? pair->target : up ? up : both;
    down = pair->target ? pair->other : down ? down : both;
    memset(weights, 0, (size_t)vocab->d_vocab * sizeof(*weights));
    if (up && down) { /* else there is nothing to compare: all weights stay zero */
        spread(weights, vocab, up, 1.0);
        spread(weights, vocab, down, -1.0);
    }
}

const char *pair_metric_words(const GamePair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].target) {
            return "logit of the target that the file names - of the other move";
        }
        if (pairs[i].legal_clean != pairs[i].legal_corrupt) {
            return "mean logit of moves legal on the first board only - on the second only";
        }
    }
    return "mean logit of the legal moves - of the other empty squares";
}

double pair_delta(const real *weights, const real *logits, int d_vocab)
{
    double sum = 0.0;
    for (int v = 0; v < d_vocab; v++) {
        sum += (double)weights[v] * (double)logits[v];
    }
    return sum;
}
