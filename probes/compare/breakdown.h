/* probes/compare/breakdown.h - where a probe is right: by class, by square, by ply, by tile age and
 * by passes. Counts only: the positions behind one key are few, and their intervals are those of a
 * share of so many cells.
 *
 * class    of the true cells of the class: recall in place of accuracy; with precision and F1
 * square   index row-major over the board
 * ply      moves that the network has seen, t + 1
 * age      tile age: how many moves ago the disc of a square last changed. 0 was played or turned
 *          over by the last move; a disc of the start that was never turned over has t + 1. Empty
 *          squares have no age and are left out.
 * passes   forced passes before the position: moves after which the same side moved again, the
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

/* What one probe, at one layer, or one control read. */
typedef struct Breakdown {
    size_t n_classes;
    CellCounts count[N_BREAKDOWNS][BREAKDOWN_KEYS]; /* [BY_CLASS][0]: all cells */
} Breakdown;

/* One line of the table. NaN where a number does not exist. */
typedef struct BreakdownRow {
    uint64_t cells;
    double accuracy;    /* right cells over cells */
    double precision;   /* of BY_CLASS */
    double f1;          /* of the class; else as ProbeScore.f1 over these cells */
    double board_exact; /* of BY_PLY and BY_PASSES: whole boards */
} BreakdownRow;

/* What the positions of a set have beside their labels: made once, used for every layer. */
typedef struct PositionTraits {
    uint8_t *age;    /* (n_positions, n_squares), AGE_NONE: empty */
    uint8_t *passes; /* (n_positions) */
} PositionTraits;

/* Returns 0, OGPT_EFORMAT, OGPT_EINTR, OGPT_ENOMEM. Owned: traits_release. */
int traits_read(PositionTraits *out, const PositionSet *set, const Work *work);
void traits_release(PositionTraits *traits);

/* predicted (n_positions, n_squares). */
void breakdown_count(Breakdown *out, const LabelledSet *truth, const PositionTraits *traits,
                     const uint8_t *predicted);
/* False when the breakdown has no cell of that key. */
bool breakdown_row(BreakdownRow *out, const Breakdown *breakdown, BreakdownKind kind, int key);

#endif
