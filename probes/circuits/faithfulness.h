/* probes/circuits/faithfulness.h - how much of the answer a circuit keeps: all edges outside it
 * carry the other run.
 *
 *   f(C) = (m(C) - m(empty)) / (m(full) - m(empty)), a ratio of sums over pairs
 *   CPR  = the area under f over the share of edges kept, 0 to 1: higher is better
 *   CMD  = the area of |1 - f|: lower is better     (areas by trapezoids; Mueller et al. 2025, MIB)
 *
 * Beside f the engine judges the answer: wrong moves (false positives and negatives of the top-N
 * rule, probes/legality/answers.h) and whether the first choice is illegal, on the board of the
 * full run and on the board of the other run. Where a board has no legal move, it counts nowhere.
 */
#ifndef OGPT_PROBES_CIRCUITS_FAITHFULNESS_H
#define OGPT_PROBES_CIRCUITS_FAITHFULNESS_H

#include "num/statistics/stats.h"
#include "probes/patching/edges.h"

#define FAITH_SHARES                                                                               \
    {                                                                                              \
        0, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1                                          \
    }
enum { FAITH_POINTS = 11 };

typedef struct FaithPoint {
    double share;
    size_t n_edges; /* kept */
    Interval f;
    double wrong_base, wrong_other;   /* moves a pair */
    double strict_base, strict_other; /* shares of pairs */
} FaithPoint;

typedef struct FaithCurve {
    FaithPoint points[FAITH_POINTS];
    Interval cpr, cmd;
} FaithCurve;

/* One circuit: kept (n_edges) 0 or 1. Returns 0, OGPT_EINTR, OGPT_ENOMEM. */
int faith_circuit(FaithPoint *out, EdgeRuns *runs, const EdgeQuestion *question,
                  const uint8_t *kept, const Work *work);
/* The first edges of an order (n_edges), at the shares above, rounded. `name` is the stage of the
 * journal. Returns 0, OGPT_EINTR, OGPT_ENOMEM or an error of the journal. */
int faith_curve(FaithCurve *out, EdgeRuns *runs, const EdgeQuestion *question,
                const uint32_t *order, const char *name, const Work *work);
/* The mean of n_orders curves of random orders (seed of the work, RNG_CONTROL); the intervals are
 * the smallest and the largest of them. */
int faith_random(FaithCurve *out, EdgeRuns *runs, const EdgeQuestion *question, size_t n_orders,
                 const Work *work);

#endif
