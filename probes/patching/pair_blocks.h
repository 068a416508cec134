/* probes/patching/pair_blocks.h - pairs sorted by length and cut into blocks. Private to the room.
 *
 * A block holds at most EDGE_BLOCK pairs; their number and order hang on the pairs alone. */
#ifndef OGPT_PROBES_PATCHING_PAIR_BLOCKS_H
#define OGPT_PROBES_PATCHING_PAIR_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/cases/pairs.h"
#include "datasets/vocab.h"

enum { EDGE_BLOCK = 16 };

typedef struct PairBlock {
    size_t first, n; /* order[first] ... + n */
    size_t T;        /* moves of every pair; 1 unless sorted by length alone */
} PairBlock;

/* order (n): longest first. blocks (room for n) is filled; returns how many there are. same_length:
 * the pairs of a block have one length, T. */
size_t patch_blocks__list(PairBlock *blocks, size_t *order, const GamePair *pairs, size_t n,
                          bool same_length);

/* The tokens of one history of each pair of a block: (n, stride), and their lengths. */
typedef struct EdgeTokens {
    uint8_t tokens[EDGE_BLOCK * GAME_MAX_MOVES], lengths[EDGE_BLOCK];
} EdgeTokens;
void patch_blocks__tokens(EdgeTokens *out, const GamePair *pairs, const size_t *order, size_t n,
                          const Vocab *vocab, size_t stride, bool corrupt);

#endif
