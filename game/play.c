/* game/play.c - uniformly random legal games. */
#include "game/play.h"

#include <assert.h>
#include <string.h>

int mask_select_ref(uint64_t mask, int r)
{
    for (int i = 0; i < r; i++) {
        mask &= mask - 1;
    }
    assert(mask != 0);
    return __builtin_ctzll(mask);
}

int play_random(uint8_t *moves, const GameVariant *variant, uint64_t seed, RngPurpose purpose,
                uint64_t index)
{
    Rng rng = rng_at(seed, purpose, index);
    Board board = variant->start;
    int n = 0;
    for (;;) {
        uint64_t legal = board_moves(variant, &board);
        if (legal == 0) {
            board = board_swapped(&board);
            legal = board_moves(variant, &board);
            if (legal == 0) {
                break;
            }
        }
        const int count = __builtin_popcountll(legal);
        const int sq = mask_select(legal, (int)rng_below(&rng, (uint32_t)count));
        moves[n++] = (uint8_t)sq;
        board = board_child(variant, &board, sq);
    }
    memset(moves + n, SQ_NONE, (size_t)(variant->n_moves - n));
    return n;
}
