/* game/canonical.c - the smallest of a game's mirror images. */
#include "game/canonical.h"

#include <string.h>

#define HALF_TURN 3 /* mirrors columns and rows */

/* Sixteen squares at once, a byte each: a vector type, which is a GNU extension (game/board.c). */
#define CHUNK 16
typedef uint8_t Squares __attribute__((vector_size(CHUNK)));

/* Their images on a board of `size` under a symmetry that keeps the start position: transposed
 * first, then turned by half a turn, 8*row + column -> 8*(size-1 - row) + (size-1 - column).
 * SQ_NONE stays. Without branches: games begin on all four sides, so a processor could not foresee
 * them. across and around: 255 if squares are to be transposed, and turned; else 0. */
static inline void chunk_turn(uint8_t *out, const uint8_t *moves, uint8_t across, uint8_t around,
                              int size)
{
    Squares sq;
    memcpy(&sq, moves, sizeof(sq));
    const Squares none = (Squares)(sq == SQ_NONE);
    const Squares straight = ((sq >> 3 | (sq & 7) << 3) & across) | (sq & (uint8_t)~across);
    const Squares turned = (uint8_t)(9 * (size - 1)) - straight;
    const Squares image = (turned & around) | (straight & (uint8_t)~around) | none;
    memcpy(out, &image, sizeof(image));
}

int game_canonical(uint8_t *out, const uint8_t *moves, const GameVariant *variant)
{
    /* Black can begin on four squares beside the centre; on 8x8 d3, c4, f5, e6. */
    const int size = variant->size, low = size / 2 - 2, high = size / 2 + 1;
    const uint64_t first_moves = 1ULL << (8 * low + low + 1) | 1ULL << (8 * (low + 1) + low) |
                                 1ULL << (8 * (high - 1) + high) | 1ULL << (8 * high + high - 1);
    const size_t n = (size_t)variant->n_moves;
    const uint8_t first = moves[0];
    if (first >= BOARD_SQUARES || !(first_moves >> first & 1)) {
        return game_canonical_ref(out, moves, variant);
    }
    /* The smallest image begins on the square of the uppermost row. Half a turn leads to the upper
     * half of the board, and of the two squares there one lies across the diagonal. */
    const bool turns = first / 8 >= size / 2;
    const bool transposes = first / 8 == low + 1 || first / 8 == high - 1;
    const uint8_t across = (uint8_t)-transposes, around = (uint8_t)-turns;
    if (n < CHUNK) { /* 4x4 */
        uint8_t wide[CHUNK] = {0};
        memcpy(wide, moves, n);
        chunk_turn(wide, wide, across, around, size);
        memcpy(out, wide, n);
    }
    for (size_t at = 0; n >= CHUNK && at < n; at += CHUNK) { /* the last chunk overlaps others */
        const size_t from = at + CHUNK <= n ? at : n - CHUNK;
        chunk_turn(out + from, moves + from, across, around, size);
    }
    return (transposes ? SYMMETRY_TRANSPOSE : 0) | (turns ? HALF_TURN : 0);
}

void game_symmetries(int out[4], const GameVariant *variant)
{
    int n = 0;
    for (int s = 0; s < 8 && n < 4; s++) {
        if (symmetry_mask(variant, s, variant->start.mine) == variant->start.mine &&
            symmetry_mask(variant, s, variant->start.theirs) == variant->start.theirs) {
            out[n++] = s;
        }
    }
}

int game_canonical_ref(uint8_t *out, const uint8_t *moves, const GameVariant *variant)
{
    int symmetries[4], best = 0;
    const size_t n = (size_t)variant->n_moves;
    game_symmetries(symmetries, variant);
    memcpy(out, moves, n);
    for (int i = 1; i < 4; i++) {
        uint8_t image[GAME_MAX_MOVES];
        for (size_t t = 0; t < n; t++) {
            image[t] = moves[t] == SQ_NONE ? SQ_NONE
                                           : (uint8_t)symmetry_sq(variant, symmetries[i], moves[t]);
        }
        if (memcmp(image, out, n) < 0) {
            memcpy(out, image, n);
            best = symmetries[i];
        }
    }
    return best;
}
