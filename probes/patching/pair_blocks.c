/* probes/patching/pair_blocks.c - blocks of pairs. See probes/patching/pair_blocks.h. */
#include "probes/patching/pair_blocks.h"

#include <string.h>

#include "base/err.h"
#include "probes/patching/edges.h"

int patch_check(const Gpt *gpt, const Vocab *vocab, const GamePair *pairs, size_t n)
{
    const GptConfig *cfg = &gpt->cfg;
    if (n == 0) {
        return err_set(OGPT_EUSAGE,
                       "there are no pairs to patch; make some with: ogpt cases pairs");
    }
    if (cfg->d_vocab != vocab->d_vocab) {
        return err_set(OGPT_EFORMAT,
                       "the model has d_vocab %d, pairs on %dx%d need %d; use pairs of the model's "
                       "board size",
                       cfg->d_vocab, vocab->variant->size, vocab->variant->size, vocab->d_vocab);
    }
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].n_moves > cfg->n_ctx || pairs[i].n_moves < 1) {
            return err_set(OGPT_EFORMAT, "pair %zu has %d moves, the model reads 1 to %d", i,
                           pairs[i].n_moves, cfg->n_ctx);
        }
    }
    return 0;
}

void patch_order(size_t *order, const GamePair *pairs, size_t n)
{
    size_t at = 0;
    for (int length = GAME_MAX_MOVES; length > 0; length--) {
        for (size_t i = 0; i < n; i++) {
            if (pairs[i].n_moves == length) {
                order[at++] = i;
            }
        }
    }
}

/* Blocks of a stretch of n pairs: an even number where it is long, all of about the same size. */
static size_t blocks_of(size_t n)
{
    size_t blocks = (n + EDGE_BLOCK - 1) / EDGE_BLOCK;
    return blocks > 1 ? blocks + blocks % 2 : blocks;
}

size_t patch_blocks__list(PairBlock *blocks, size_t *order, const GamePair *pairs, size_t n,
                          bool same_length)
{
    size_t found = 0;
    patch_order(order, pairs, n);
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n; end++) {
            if (same_length && pairs[order[end]].n_moves != pairs[order[first]].n_moves) {
                break;
            }
        }
        size_t parts = blocks_of(end - first);
        for (size_t i = 0; i < parts; i++) {
            size_t from = first + (end - first) * i / parts;
            blocks[found++] =
                (PairBlock){.first = from,
                            .n = first + (end - first) * (i + 1) / parts - from,
                            .T = same_length ? (size_t)pairs[order[first]].n_moves : 1};
        }
    }
    return found;
}

void patch_blocks__tokens(EdgeTokens *out, const GamePair *pairs, const size_t *order, size_t n,
                          const Vocab *vocab, size_t stride, bool corrupt)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        const GamePair *pair = &pairs[order[i]];
        const uint8_t *moves = corrupt ? pair->corrupt : pair->clean;
        out->lengths[i] = (uint8_t)pair->n_moves;
        for (int t = 0; t < pair->n_moves; t++) {
            out->tokens[i * stride + (size_t)t] = vocab->tok_of_sq[moves[t]];
        }
    }
}
