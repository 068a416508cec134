/* datasets/labels.c - boards as labels. */
#include "datasets/labels.h"

/* labels[size*size] from two masks of discs; squares in neither are empty. */
static void write_labels(uint8_t *labels, const GameVariant *variant, uint64_t first,
                         uint8_t first_label, uint64_t second, uint8_t second_label)
{
    for (int row = 0; row < variant->size; row++) {
        for (int column = 0; column < variant->size; column++) {
            const int sq = 8 * row + column;
            *labels++ = first >> sq & 1    ? first_label
                        : second >> sq & 1 ? second_label
                                           : LABEL_EMPTY;
        }
    }
}

void labels_mine(uint8_t *labels, const GameVariant *variant, const Board *after, int t,
                 LabelConvention convention)
{
    Colour mover = after->to_move;
    if (convention == LABELS_PARITY) {
        /* Ply t+1 is next; without passes black plays the even plies. */
        mover = (t + 1) % 2 == 0 ? BLACK : WHITE;
    }
    const Colour other = mover == BLACK ? WHITE : BLACK;
    write_labels(labels, variant, board_discs(after, mover), LABEL_MINE, board_discs(after, other),
                 LABEL_THEIRS);
}

void labels_colour(uint8_t *labels, const GameVariant *variant, const Board *after)
{
    write_labels(labels, variant, board_discs(after, BLACK), LABEL_BLACK, board_discs(after, WHITE),
                 LABEL_WHITE);
}

uint64_t lenient_moves(const GameVariant *variant, const Board *after)
{
    const Board other = board_swapped(after);
    return board_moves(variant, after) | board_moves(variant, &other);
}
