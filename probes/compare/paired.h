/* probes/compare/paired.h - readings of the same games by several probes, and paired tests between
 * them.
 *
 * Two readings of the same positions can differ clearly although their intervals overlap, because
 * hard games are hard for both. So the difference is tested, game by game (num/statistics/stats.h),
 * and corrected for the number of comparisons that are made together (Holm 1979).
 */
#ifndef OGPT_PROBES_COMPARE_PAIRED_H
#define OGPT_PROBES_COMPARE_PAIRED_H

#include "probes/compare/breakdown.h"
#include "probes/board/controls.h"

#define READING_PROBE (-1) /* a layer of the probe, not a control */

typedef struct Reading {
    int layer;   /* of the network */
    int control; /* Control, CONTROL_CHANCE or READING_PROBE */
    GameSums sums;
    Breakdown breakdown;
} Reading;

/* All readings of one set of positions. Start with {0}; readings_release frees all. */
typedef struct Readings {
    PositionTraits traits; /* made by the first reading */
    size_t n;
    Reading *list[LAYERS_MAX + N_CONTROLS + 1];
} Readings;

/* Count and keep a reading: predicted (n_positions, n_squares). Returns 0, OGPT_EFORMAT,
 * OGPT_EINTR, OGPT_ENOMEM. */
int readings_add(Readings *readings, int layer, int control, const LabelledSet *truth,
                 const uint8_t *predicted, const Work *work);
void readings_release(Readings *readings);
/* The reading by a layer (control READING_PROBE) or by a control; NULL if there is none. */
const Reading *readings_find(const Readings *readings, int layer, int control);

/* One comparison: a - b. */
typedef struct PairedQuestion {
    const GameSums *a, *b;
} PairedQuestion;

/* tests[i] answers question i; all are corrected together. work: the pool, the seed of the
 * bootstrap. Returns 0, OGPT_EFORMAT (two readings are not of the same games and cells),
 * OGPT_ENOMEM. */
int paired_tests(PairedTest *tests, const PairedQuestion *questions, size_t n, ScoreKind score,
                 const Work *work);

#endif
