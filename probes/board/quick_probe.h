/* probes/board/quick_probe.h - a small probe of the board that is fitted again and again while
 * a network trains, as a curve.
 *
 * Task mine, one layer, QUICK_GAMES games for fitting and half as many for the score. The games are
 * the same each time, so that the points of the curve can be compared. It is coarser than ogpt
 * probe fit: read it as a curve, not as a result.
 */
#ifndef OGPT_PROBES_BOARD_QUICK_PROBE_H
#define OGPT_PROBES_BOARD_QUICK_PROBE_H

#include "base/work.h"
#include "datasets/batch.h"
#include "model/gpt.h"

#define QUICK_GAMES 400
#define QUICK_PLIES 8

typedef struct QuickProbe QuickProbe;

/* Draw the positions by work->seed: games to fit from `fit`, games to score from `test`, both
 * borrowed during the call only. Returns 0, OGPT_EFORMAT, OGPT_ENOMEM. */
int quick_probe_new(QuickProbe **out, GameSource *fit, GameSource *test, const Work *work);
void quick_probe_free(QuickProbe *probe);

typedef struct QuickScore {
    int layer;       /* three quarters of the way up, where published probes peak */
    double accuracy; /* share of cells */
    double board;    /* share of whole boards */
} QuickScore;

/* Fit and score on a network; the bootstrap has work->seed. Returns 0, OGPT_ENUM, OGPT_EINTR,
 * OGPT_ENOMEM. */
int quick_probe_score(QuickScore *out, const QuickProbe *probe, const Gpt *gpt, const Work *work);

#endif
