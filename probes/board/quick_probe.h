/* probes/board/quick_probe.h - a small probe of the board, fitted again and again while a network
 * trains: the curve of a world appearing.
 *
 * Task mine, one layer, QUICK_GAMES games for fitting and half as many others for the score, the
 * same ones each time, so that points of a curve compare. Coarser than ogpt probe fit: read its
 * numbers as a curve, not as a result.
 */
#ifndef OGPT_PROBES_BOARD_QUICK_PROBE_H
#define OGPT_PROBES_BOARD_QUICK_PROBE_H

#include "base/work.h"
#include "datasets/batch.h"
#include "model/gpt.h"

#define QUICK_GAMES 400
#define QUICK_PLIES 8

typedef struct QuickProbe QuickProbe;

/* Draw the positions: fitting games from `fit`, scored games from `test` (both borrowed during
 * the call only), by work->seed. Returns 0, OGPT_EFORMAT, OGPT_ENOMEM. */
int quick_probe_new(QuickProbe **out, GameSource *fit, GameSource *test, const Work *work);
void quick_probe_free(QuickProbe *probe);

typedef struct QuickScore {
    int layer;       /* three quarters up the network, where published probes peak */
    double accuracy; /* share of cells */
    double board;    /* share of whole boards */
} QuickScore;

/* Fit and score on a network; the bootstrap has work->seed. Returns 0, OGPT_ENUM, OGPT_EINTR,
 * OGPT_ENOMEM. */
int quick_probe_score(QuickScore *out, const QuickProbe *probe, const Gpt *gpt, const Work *work);

#endif
