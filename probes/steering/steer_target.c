/* probes/steering/steer_target.c - see probes/steering/steer_target.h. */
#include "probes/steering/steer_target.h"

#include <stdio.h>

#include "base/err.h"
#include "datasets/labels.h"
#include "game/notation.h"

static const struct {
    const char *name, *meaning;
} targets[N_STEER_TARGETS] = {
#define STEER_WORDS(id, name, meaning) [id] = {name, meaning},
    STEER_TARGETS(STEER_WORDS)};

const char *steer_target_name(SteerTarget target)
{
    return targets[target].name;
}

const char *steer_target_meaning(SteerTarget target)
{
    return targets[target].meaning;
}

const double *steer_shares(SteerTarget target)
{
    static const double mine[3] = {0, -1, 1}, empty[3] = {1, -0.5, -0.5};
    return target == STEER_MINE ? mine : empty;
}

size_t steer_groups(SteerTarget target, const GameVariant *variant)
{
    return target == STEER_NO_CORNER ? 2 : (size_t)(variant->size * variant->size);
}

/* The corners, moved by `inwards` squares along their ranks. */
static uint64_t corners(const GameVariant *variant, int inwards)
{
    const int last = variant->size - 1;
    const uint64_t rank = UINT64_C(1) << inwards | UINT64_C(1) << (last - inwards);
    return rank | rank << (8 * last);
}

uint64_t steer_group(SteerTarget target, const GameVariant *variant, size_t group)
{
    if (target == STEER_NO_CORNER) {
        return corners(variant, (int)group);
    }
    const size_t size = (size_t)variant->size;
    const uint64_t square = UINT64_C(1) << (8 * (group / size) + group % size);
    return target == STEER_OCCUPIED && (square & variant->centre) ? 0 : square;
}

bool steer_group_steered(SteerTarget target, const GameVariant *variant, size_t group)
{
    return target == STEER_NO_CORNER ? group == 0 : steer_group(target, variant, group) != 0;
}

void steer_group_name(char out[STEER_GROUP_NAME], SteerTarget target, const GameVariant *variant,
                      size_t group)
{
    if (target == STEER_NO_CORNER) {
        snprintf(out, STEER_GROUP_NAME, "%s", group == 0 ? "corners" : "beside corners");
    } else {
        const size_t size = (size_t)variant->size;
        square_print(out, (int)(8 * (group / size) + group % size));
    }
}

int steer_group_parse(int *out, SteerTarget target, const GameVariant *variant, const char *square)
{
    *out = -1;
    if (!square) {
        return 0;
    }
    if (target == STEER_NO_CORNER) {
        return err_set(OGPT_EUSAGE,
                       "--square %s: --target no-corner is about all corners; leave --square out",
                       square);
    }
    const int sq = square_parse(variant, square);
    const size_t group = sq < 0 ? 0 : steer_group_of_square(variant, sq);
    if (sq < 0 || !steer_group_steered(target, variant, group)) {
        return err_set(OGPT_EUSAGE,
                       "--square \"%s\": expected a square of the %dx%d board%s, such as c2",
                       square, variant->size, variant->size,
                       target == STEER_OCCUPIED ? " outside the centre, which is never empty" : "");
    }
    *out = (int)group;
    return 0;
}

SteerClass steer_class(SteerTarget target, const GameVariant *variant, size_t group,
                       const Board *board)
{
    const uint64_t squares = steer_group(target, variant, group);
    if (target == STEER_MINE) {
        return squares & board->theirs ? STEER_FROM
               : squares & board->mine ? STEER_TO
                                       : STEER_NEITHER;
    }
    return squares == 0                              ? STEER_NEITHER
           : squares & (board->mine | board->theirs) ? STEER_FROM
                                                     : STEER_TO;
}

void steer_edit(EditCase *edit, SteerTarget target, const GameVariant *variant, size_t group,
                const Board *board)
{
    const uint64_t black = board_discs(board, BLACK);
    uint64_t rest = steer_group(target, variant, group) & (board->mine | board->theirs);
    edit->n_squares = 0;
    for (; rest != 0 && edit->n_squares < CASE_MAX_SQUARES; rest &= rest - 1) {
        const int sq = __builtin_ctzll(rest);
        const uint8_t from = black >> sq & 1 ? LABEL_BLACK : LABEL_WHITE;
        const uint8_t turned = from == LABEL_BLACK ? LABEL_WHITE : LABEL_BLACK;
        edit->squares[edit->n_squares++] =
            (CaseSquare){(uint8_t)sq, from, target == STEER_MINE ? turned : LABEL_EMPTY};
    }
}
