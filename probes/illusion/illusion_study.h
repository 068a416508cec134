/* probes/illusion/illusion_study.h - for every origin, method and layer: does an edit work through
 * what its layer can read, or does it need a part that nothing reads?
 *
 * effect  (m(changed) - m(first)) / (m(second) - m(first)) over the pairs, a ratio of means, m =
 *         Delta of the pair (probes/graph/pair_metric.h): 0 nothing, 1 as if the second history was
 *         read
 *
 * index   effect of full minus effect of row (probes/illusion/illusion_runs.h). Above 0: the effect
 *         needs the part that is not read. It is reported, not judged: some null part is natural,
 *         because activations have one (Wu et al. 2024, arXiv:2401.12631); so the effect of row,
 *         and the index of a random direction of the same null share, stand beside it
 *
 * closed  (null - changed) / (null - self), wrong moves by the board of the second history
 */
#ifndef OGPT_PROBES_ILLUSION_ILLUSION_STUDY_H
#define OGPT_PROBES_ILLUSION_ILLUSION_STUDY_H

#include "num/statistics/stats.h"
#include "probes/illusion/illusion_runs.h"

typedef enum IllusionOrigin {
    ILLUSION_MEANS,
    ILLUSION_TRAINED,
    ILLUSION_PROBE,
    N_ILLUSION_ORIGINS
} IllusionOrigin;
const char *illusion_origin_name(IllusionOrigin origin); /* static */

typedef struct IllusionRow {
    IllusionOrigin origin;
    IllusionMethod method;
    int layer;
    size_t rank;         /* of the space that is read */
    double disconnected; /* |v_null|^2 / |v|^2, mean over pairs; gradient: of the probe's v */
    double dormant;      /* share of pairs whose square has a dormant v_row */
    Interval effect[N_ILLUSION_PARTS];
    double training; /* effect of full on the training pairs: a layer is chosen by it */
    Interval index, random_index, beyond; /* beyond: index minus random_index */
    Interval closed, closed_row;
} IllusionRow;

typedef struct IllusionStudyInputs {
    const Gpt *gpt;
    const SteerFit *fit;            /* target STEER_MINE */
    const PairSet *training, *test; /* of one square turned each */
    HookSite site;                  /* mlp_post, or of the residual stream */
    double kept;                    /* share of the trace of G, for the residual stream */
    size_t gram_pairs;              /* positions for G */
    const Probe *probe;             /* of the site, or NULL */
} IllusionStudyInputs;

typedef struct IllusionStudy {
    IllusionRow *rows; /* (n_rows) by origin, method, layer; owned */
    size_t n_rows;
    Interval null, self; /* wrong moves by the second board, and by its own */
    Interval delta;      /* m(second) - m(first), nats */
    size_t n_untrained;  /* squares of test pairs that no training pair turns */
} IllusionStudy;

/* So many pairs of one square turned each, to train on and to report, of random games of two seeds.
 * A training pair one of whose histories is reported is left out. pairs_release both, also after an
 * error. Returns as pairs_make, or OGPT_EUSAGE (no training pair is left). */
int illusion_pairs(PairSet *training, PairSet *test, const GameVariant *variant, size_t n_training,
                   size_t n_test, const Work *work);
/* The same result for any number of workers. work: tick("gradients") and tick("pairs");
 * memory_bytes for the rows of the means (at least one layer). Returns 0 or an error of the parts.
 */
int illusion_study_run(IllusionStudy *out, const IllusionStudyInputs *in, const Work *work);
void illusion_study_release(IllusionStudy *study);
/* Bytes that it takes, roughly, with the rows of one layer. */
size_t illusion_study_bytes(const IllusionStudyInputs *in, const Work *work);

#endif
