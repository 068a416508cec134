/* probes/activations/tasks.h - what can be asked about a position: one table of probe tasks.
 *
 * A task gives every square of the board after move t one of a few classes. To add a task, add one
 * row to the table in tasks.c, one label function, and its name to TASK_NAMES: the same names in
 * the order of the table. tests/probes/activations/test_tasks.c computes the labels of every task a
 * second time, by other rules: add the task there. It checks that TASK_NAMES holds each name, and
 * test_offered_words.c that each name is taken; nothing checks the order. Limits:
 * TASK_MAX_CLASSES classes; at most 15 characters in the name of a task or of a class, because
 * probes keep names in 16 bytes. Edits write the states of "mine" and "colour" only
 * (probes/edits/edit_methods.h); probes of every task can be fitted and compared.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_TASKS_H
#define OGPT_PROBES_ACTIVATIONS_TASKS_H

#include <stddef.h>

#include "datasets/labels.h"
#include "game/board.h"

#define TASK_MAX_CLASSES 8

/* Position t of a replayed game: boards after moves 0..t are in after[0..t]. */
typedef struct TaskPosition {
    const GameVariant *variant;
    const uint8_t *moves;
    const Board *after;
    int t;
    LabelConvention convention; /* who is "mine" */
} TaskPosition;

typedef struct Task {
    const char *name;
    const char *summary;
    int n_classes;
    const char *classes[TASK_MAX_CLASSES];
    /* labels[size*size], row-major, each below n_classes. */
    void (*label)(uint8_t *labels, const TaskPosition *position);
} Task;

#define TASK_NAMES "mine|colour|empty|flipped|legal|played|previous"

/* Static; NULL if there is no task of that name. */
const Task *task_find(const char *name);
const Task *task_at(size_t index); /* NULL after the last */

/* "mover" or "parity". Returns 0 or OGPT_EUSAGE. */
int convention_parse(LabelConvention *out, const char *name);

/* The side that counts as "mine": the side really to move, or by the published convention the side
 * that the parity of the ply names, even where that side has to pass. */
Colour task_viewer(const TaskPosition *position);
/* The board before move t. */
Board task_board_before(const TaskPosition *position);
/* The square of index i (row-major over the board) as a bit number. */
int task_square(const GameVariant *variant, int i);

#endif
