/* probes/activations/tasks.c - the table of probe tasks. See probes/activations/tasks.h. */
#include "probes/activations/tasks.h"

#include <string.h>

#include "base/err.h"

int task_square(const GameVariant *variant, int i)
{
    return 8 * (i / variant->size) + i % variant->size;
}

Colour task_viewer(const TaskPosition *position)
{
    if (position->convention == LABELS_MOVER) {
        return position->after[position->t].to_move;
    }
    return position->t % 2 == 0 ? WHITE : BLACK; /* black makes move 0, so white is next */
}

Board task_board_before(const TaskPosition *position)
{
    return position->t > 0 ? position->after[position->t - 1] : position->variant->start;
}

/* Class 1 for the squares of `mask`, class 0 for the others. */
static void label_mask(uint8_t *labels, const GameVariant *variant, uint64_t mask)
{
    for (int i = 0; i < variant->size * variant->size; i++) {
        labels[i] = (uint8_t)(mask >> task_square(variant, i) & 1);
    }
}

static void label_mine(uint8_t *labels, const TaskPosition *position)
{
    labels_mine(labels, position->variant, &position->after[position->t], position->t,
                position->convention);
}

static void label_colour(uint8_t *labels, const TaskPosition *position)
{
    labels_colour(labels, position->variant, &position->after[position->t]);
}

static void label_empty(uint8_t *labels, const TaskPosition *position)
{
    const Board *board = &position->after[position->t];
    label_mask(labels, position->variant, board->mine | board->theirs);
}

static void label_flipped(uint8_t *labels, const TaskPosition *position)
{
    Board before = task_board_before(position);
    label_mask(labels, position->variant,
               board_flips(position->variant, &before, position->moves[position->t]));
}

static void label_legal(uint8_t *labels, const TaskPosition *position)
{
    Board board = position->after[position->t];
    if (board.to_move != task_viewer(position)) {
        board = board_swapped(&board);
    }
    label_mask(labels, position->variant, board_moves(position->variant, &board));
}

static void label_played(uint8_t *labels, const TaskPosition *position)
{
    label_mask(labels, position->variant, UINT64_C(1) << position->moves[position->t]);
}

/* The board one move ago, as the side to move now sees it. */
static void label_previous(uint8_t *labels, const TaskPosition *position)
{
    const GameVariant *variant = position->variant;
    Board before = task_board_before(position);
    Colour viewer = task_viewer(position);
    uint64_t mine = board_discs(&before, viewer);
    uint64_t occupied = before.mine | before.theirs;
    for (int i = 0; i < variant->size * variant->size; i++) {
        uint64_t bit = UINT64_C(1) << task_square(variant, i);
        labels[i] = mine & bit ? LABEL_MINE : occupied & bit ? LABEL_THEIRS : LABEL_EMPTY;
    }
}

static const Task tasks[] = {
    {"mine",
     "empty, the other side's disc, or a disc of the side to move",
     3,
     {"empty", "theirs", "mine"},
     label_mine},
    {"colour", "empty, white or black", 3, {"empty", "white", "black"}, label_colour},
    {"empty", "empty or occupied", 2, {"empty", "occupied"}, label_empty},
    {"flipped", "turned over by the last move", 2, {"kept", "flipped"}, label_flipped},
    {"legal", "a legal move for the side to move", 2, {"illegal", "legal"}, label_legal},
    {"played", "the square of the last move", 2, {"other", "last"}, label_played},
    {"previous",
     "the board one move ago, seen by the side to move now",
     3,
     {"empty", "theirs", "mine"},
     label_previous},
};

const Task *task_at(size_t index)
{
    return index < sizeof(tasks) / sizeof(tasks[0]) ? &tasks[index] : NULL;
}

const Task *task_find(const char *name)
{
    for (size_t i = 0; task_at(i); i++) {
        if (strcmp(task_at(i)->name, name) == 0) {
            return task_at(i);
        }
    }
    return NULL;
}

int convention_parse(LabelConvention *out, const char *name)
{
    if (strcmp(name, "mover") == 0) {
        *out = LABELS_MOVER;
    } else if (strcmp(name, "parity") == 0) {
        *out = LABELS_PARITY;
    } else {
        return err_set(OGPT_EUSAGE, "label convention \"%s\", expected mover or parity", name);
    }
    return 0;
}
