/* probes/attribution/attribution_run.h - attribution over the positions of many games: means with
 * intervals by game, controls, and how far the sums can be trusted.
 */
#ifndef OGPT_PROBES_ATTRIBUTION_ATTRIBUTION_RUN_H
#define OGPT_PROBES_ATTRIBUTION_ATTRIBUTION_RUN_H

#include "base/work.h"
#include "num/statistics/stats.h"
#include "probes/attribution/attribution.h"
#include "probes/attribution/attribution_target.h"

typedef struct AttributionOptions {
    AttributionGrain grain;
    bool recomputed;    /* values with the LayerNorm computed again, else with its scale kept */
    bool back;          /* grain source: count positions back from the reader */
    bool all;           /* keep every contribution of the first position to every column */
    size_t block_games; /* games that are kept together in work->journal, a multiple of PASS_GAMES;
                         * 0: 1,024, at the grains source and neuron 256 (then 9 MB), and nothing is
                         * kept of a run of at most ATTRIBUTION_KEPT_POSITIONS */
} AttributionOptions;

/* One component. Means over the positions. */
typedef struct AttributionRow {
    Component what;
    Interval value;          /* what it adds to the number; no interval for fewer than 2 games */
    double other_ln;         /* the same with the LayerNorm treated the other way */
    double random, shuffled; /* controls: to a random direction; to what another game asks for */
    double magnitude, random_magnitude; /* mean |contribution| over all columns */
    double erased;    /* the largest share of its write that one later component takes back */
    Component eraser; /* which; set where erased > 0 */
} AttributionRow;

/* Components of one kind and layer taken together, as shares of the number itself. */
typedef struct AttributionShare {
    ComponentKind kind; /* token, position, head, attention bias, MLP (its bias too), or bias */
    int layer;
    bool all;                  /* heads, or MLPs, of all layers: repeats what other rows say */
    Interval share;            /* of the number */
    Interval random, shuffled; /* what the controls get, as shares of the true number */
} AttributionShare;

typedef struct Attribution {
    ComponentList list;
    AttributionRow *rows;     /* (list.n), owned */
    AttributionShare *shares; /* (n_shares), owned; none at grains that do not divide layers */
    size_t n_shares;
    size_t n_games, n_positions; /* games with a position */
    Interval number;             /* what is attributed: mean over the positions */
    double identity_error;       /* largest |sum of contributions - column|, over all positions and
                                  * all columns */
    double largest;              /* the largest |column| there */
    /* Frozen against recomputed, over positions and components (a component taken out on the
     * direct path, the LayerNorm computed again); NaN where there is no LayerNorm. */
    double ln_gap; /* sum |frozen - recomputed| / sum |frozen| */
    double correlation, slope;
    size_t n_erased; /* components with erased > 0.5 */
    real *all;       /* (list.n, K) of the first position, or NULL; owned */
    double *columns; /* (K) what the network says there, or NULL; owned */
} Attribution;

#define ATTRIBUTION_KEPT_POSITIONS 20000 /* a run of more takes long enough to be kept */
#define ATTRIBUTION_ERASED 0.5 /* a write that is taken back by more than this is flagged */

/* Bytes that attribution_run will take. */
size_t attribution_bytes(const GptConfig *cfg, const AttributionTarget *target,
                         const AttributionPositions *positions, const AttributionOptions *options,
                         const Work *work);
/* positions: aimed at this target. The same numbers for any number of workers; tick("games").
 * Finished blocks of games go to work->journal (see block_games).
 * Returns 0, OGPT_EFORMAT (network and games are of different boards), OGPT_ENUM (a column is not
 * finite), OGPT_EINTR, OGPT_ENOMEM. */
int attribution_run(Attribution *out, const Gpt *gpt, const AttributionTarget *target,
                    const AttributionPositions *positions, const AttributionOptions *options,
                    const Work *work);
/* Add everything that a block depends on besides the network to the key of a journal. */
void attribution_hash(Sha256 *hash, const AttributionTarget *target,
                      const AttributionPositions *positions, const AttributionOptions *options);
void attribution_release(Attribution *attribution);

/* Intervals of many ratios over the same n units at once: out[j] = sum values[i*J + j] / sum
 * denominator[i], each as bootstrap_ratio (num/statistics/stats.h) would give it up to rounding,
 * because the draws are the same. Every denominator is above 0. Returns 0 or OGPT_ENOMEM. */
int attribution_intervals(Interval *out, const double *values, const double *denominator, size_t n,
                          size_t J, const Work *work);

#endif
