/* probes/compare/breakdown.h - where a probe is right: by class, by square, by ply, by tile age and
 * by passes. Counts only, without intervals by game: few positions lie behind one key.
 *
 * class    the cells that are truly of the class: accuracy is recall; with precision and F1
 * square   index row-major over the board
 * ply      moves that the network has seen, t + 1
 * age      tile age: how many moves ago the disc of a square last changed. Age 0 was played or
 *          turned over by the last move; a disc of the start that was never turned over has age
 *          t + 1. Empty squares have no age and are left out.
 * passes   forced passes before the position: moves after which the same side moves again, the
 *          last move included
 */
#ifndef OGPT_PROBES_COMPARE_BREAKDOWN_H
#define OGPT_PROBES_COMPARE_BREAKDOWN_H

#include "probes/board/scores.h"

typedef enum BreakdownKind {
    BY_CLASS,
    BY_SQUARE,
    BY_PLY,
    BY_AGE,
    BY_PASSES,
    N_BREAKDOWNS
} BreakdownKind;

/* "class", "square", "ply", "age", "passes". */
const char *breakdown_name(BreakdownKind kind);

#define BREAKDOWN_KEYS (BOARD_SQUARES + 1) /* more than any square, ply, age or passes */
#define AGE_NONE 255                       /* of an empty square */

typedef struct CellCounts {
    uint64_t cells, boards, boards_right;
    uint64_t hits[TASK_MAX_CLASSES], said[TASK_MAX_CLASSES], there[TASK_MAX_CLASSES];
} CellCounts;

/* The counts of one reading: by a probe at one layer, or by a control. */
typedef struct Breakdown {
    size_t n_classes;
    CellCounts count[N_BREAKDOWNS][BREAKDOWN_KEYS]; /* [BY_CLASS][0]: all cells */
} Breakdown;

/* One row of the table. Numbers that do not exist are NaN. */
typedef struct BreakdownRow {
    uint64_t cells;
    double accuracy;    /* right cells over cells */
    double precision;   /* of BY_CLASS */
    double f1;          /* BY_CLASS: of the class; else as ProbeScore.f1 over these cells */
    double board_exact; /* BY_PLY and BY_PASSES: share of whole boards */
} BreakdownRow;

/* Ages and passes of the positions of a set, computed once for all layers. */
typedef struct PositionTraits {
    uint8_t *age;    /* (n_positions, n_squares), AGE_NONE: empty */
    uint8_t *passes; /* (n_positions) */
} PositionTraits;

/* Replay the positions. Owned: traits_release. Returns 0, OGPT_EFORMAT, OGPT_EINTR, OGPT_ENOMEM. */
int traits_read(PositionTraits *out, const PositionSet *set, const Work *work);
void traits_release(PositionTraits *traits);

/* Count predicted (n_positions, n_squares) against the true labels. */
void breakdown_count(Breakdown *out, const LabelledSet *truth, const PositionTraits *traits,
                     const uint8_t *predicted);
/* One row. False if no cell has that key. */
bool breakdown_row(BreakdownRow *out, const Breakdown *breakdown, BreakdownKind kind, int key);

#endif
