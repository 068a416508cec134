/* probes/compare/paired.h - what probes read of the same games, kept side by side, and paired tests
 * between them.
 *
 * Two readings of the same positions differ less than their intervals tell, because hard games
 * are hard for both: the test is of the difference, game by game (num/stats.h), and corrected for
 * the number of comparisons made together (Holm 1979).
 */
#ifndef OGPT_PROBES_COMPARE_PAIRED_H
#define OGPT_PROBES_COMPARE_PAIRED_H

#include "probes/compare/breakdown.h"
#include "probes/board/controls.h"

#define READING_PROBE (-1) /* no control: a layer of the probe */

typedef struct Reading {
    int layer;   /* of the network */
    int control; /* Control, CONTROL_CHANCE or READING_PROBE */
    GameSums sums;
    Breakdown breakdown;
} Reading;

/* All readings of one set of positions. Start from {0}; readings_release frees all. */
typedef struct Readings {
    PositionTraits traits; /* made by the first reading */
    size_t n;
    Reading *list[LAYERS_MAX + N_CONTROLS + 1];
} Readings;

/* Keep what was predicted. Returns 0, OGPT_EFORMAT, OGPT_EINTR, OGPT_ENOMEM. */
int readings_add(Readings *readings, int layer, int control, const LabelledSet *truth,
                 const uint8_t *predicted, const Work *work);
void readings_release(Readings *readings);
/* The reading of a layer (control READING_PROBE) or of a control; NULL when there is none. */
const Reading *readings_find(const Readings *readings, int layer, int control);

/* One comparison: a - b. */
typedef struct PairedQuestion {
    const GameSums *a, *b;
} PairedQuestion;

/* tests[i] of question i, all corrected together; questions run in parallel, and the
 * bootstrap has work->seed.
 * Returns 0, or OGPT_EFORMAT when two readings are not of the same games and cells. */
int paired_tests(PairedTest *tests, const PairedQuestion *questions, size_t n, ScoreKind score,
                 const Work *work);

#endif
