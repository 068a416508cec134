/* probes/circuits/circuit_control.h - the same edges on pairs that should show nothing.
 *
 *   flip           the pairs themselves
 *   swapped        the same runs, but Delta asks for the moves of another pair: labels swapped
 *   transposition  the same board by another history: a perfect world model shows no effect
 *
 * Numbers are nats of Delta, not ratios: the denominator of a control is near zero.
 */
#ifndef OGPT_PROBES_CIRCUITS_CIRCUIT_CONTROL_H
#define OGPT_PROBES_CIRCUITS_CIRCUIT_CONTROL_H

#include "num/statistics/stats.h"
#include "probes/patching/edges.h"

typedef enum ControlPairs {
    CONTROL_FLIP,
    CONTROL_SWAPPED,
    CONTROL_TRANSPOSITION,
    N_CONTROL_PAIRS
} ControlPairs;
const char *circuit_control_name(ControlPairs pairs); /* static */

typedef struct CircuitControl {
    size_t n_pairs;
    Interval total; /* mean Delta(base) - Delta(other) over pairs */
    Interval edges; /* mean over pairs and edges of what the edge takes from Delta, in the direction
                     * in which it does on the flips */
    double edges_size; /* mean over edges of |mean over pairs| */
} CircuitControl;

/* question: its pairs are those of the control; runs: of this question, or NULL: made for this
 * call. edges (n): which are patched, one at a time; direction (n): the sign of each one's effect
 * on the flips, or NaN where that is not known: then it is what the edge does here, and filled in.
 * Ticks "edges". Returns 0 or an error of edges_new or edges_patched. */
int circuit_control_measure(CircuitControl *out, const EdgeQuestion *question, EdgeRuns *runs,
                            const uint32_t *edges, double *direction, size_t n, const Work *work);
/* As many transpositions as pairs, of the same lengths, drawn from the seed of the work. Returns as
 * pairs_make. */
int circuit_control_draw(PairSet *out, const PairSet *pairs, const Work *work);
/* swapped (n) = the pairs, each with the boards and legal moves of the next one, so that Delta is
 * that of another pair. One pair alone stays as it is. */
void circuit_control_swap(GamePair *swapped, const GamePair *pairs, size_t n);

#endif
