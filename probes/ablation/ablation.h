/* probes/ablation/ablation.h - what a network loses without some of its parts, and what its other
 * parts make up for.
 *
 * At a position with metric m (probes/ablation/ablation_positions.h), for a set S of units whose
 * outputs a_u are replaced by a'_u (probes/ablation/ablation_units.h):
 *   TE  total effect    m(clean) - m(pass with the outputs replaced)
 *   DE  direct effect   g . sum over S of (a_u - a'_u): changed on the direct path to the logits
 *                       alone; all later parts and the scale s of the final LayerNorm stay clean
 *   R   repair          DE - TE: what the rest of the network makes up for (below 0: adds)
 * g = d m / d (stream behind the last block) with s held. Then, exactly,
 *   R = sum over other parts j of g . (a_j(ablated) - a_j(clean))        "part" of j
 *     + (s(clean) / s(ablated) - 1) g . x(ablated)                       "norm", the LayerNorm
 * Every run computes both sides apart and returns the largest difference (identity_error).
 * Sources: Rushing and Nanda 2024 (arXiv:2402.15390), sections 2 and 3; McGrath et al. 2023
 * (arXiv:2307.15771).
 */
#ifndef OGPT_PROBES_ABLATION_ABLATION_H
#define OGPT_PROBES_ABLATION_ABLATION_H

#include "probes/ablation/ablation_donors.h"
#include "probes/ablation/ablation_positions.h"
#include "probes/ablation/ablation_units.h"
#include "probes/ablation/ablation_values.h"

/* What an ablation reads; all borrowed. */
typedef struct AblationInputs {
    const Gpt *gpt;
    const AblationPositions *positions;
    const AblationMeans *means;   /* needed by mean and random; NULL: neither is asked for */
    const AblationDonors *donors; /* needed by resample and matched, assigned; or NULL */
    bool all;      /* replace outputs at all positions of the history; else the last */
    uint64_t seed; /* of random directions */
} AblationInputs;

/* One set at one position. */
typedef struct AblationEffect {
    float total, direct, norm; /* TE, DE, the LayerNorm's part of R */
    float moved;               /* largest change of a logit, in absolute value */
    uint8_t wrong, strict;     /* of the ablated pass: wrong moves of the top N; 1: the first is */
} AblationEffect;

typedef struct AblationResult {
    size_t n_sets, n, n_senders; /* n: positions; n_senders: parts (probes/graph/graph.h) */
    AblationEffect *effects;     /* (n_sets, n); owned */
    double *parts;               /* (n_sets, n_senders) sums over positions; owned */
    AblationEffect *clean;       /* (n): total is the clean metric; wrong, strict; owned */
    double identity_error;       /* largest |TE - (DE - R)| of all sets and positions */
    double rescue_error;         /* largest change of a logit in sets with `rescue`; exactly 0 */
} AblationResult;

/* Ablate each of the sets, whose units must not overlap, at every position. The same result for any
 * number of workers. work: journal (`name` is the stage of its blocks), tick(name), then
 * tick("passes"); a pass is one set at up to 64 positions (scope all: 16). Returns 0, OGPT_EUSAGE
 * (a kind that lacks its means or donors; an impossible set), OGPT_EFORMAT (network and positions
 * of different boards; a ply that no training game reaches), OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM. */
int ablation_run(AblationResult *out, const AblationInputs *in, const AblationSet *sets,
                 size_t n_sets, const char *name, const Work *work);
void ablation_release(AblationResult *result);
/* Bytes of a result of n positions, and of the workers that make it. */
size_t ablation_result_bytes(const AblationInputs *in, size_t n, size_t n_sets);
size_t ablation_worker_bytes(const AblationInputs *in, const Work *work);
/* Passes of one set over n positions. */
double ablation_passes(const AblationInputs *in, size_t n);
/* Floating-point operations of the passes, for an estimate of time. */
double ablation_flops(const AblationInputs *in, const AblationSet *sets, size_t n_sets);

/* ---- a network with its blocks in another order ---- */

typedef enum AblationCurve { CURVE_CLEAN, CURVE_REMOVED, CURVE_SWAPPED } AblationCurve;
typedef struct AblationCurvePoint {
    AblationCurve curve;
    int layer;               /* the block that is left out, or the first of the two; -1 */
    AblationEffect *effects; /* (n): total is m(clean) - m, or m of the clean network; owned */
} AblationCurvePoint;
typedef struct AblationCurves {
    size_t n_points, n;
    AblationCurvePoint *points; /* clean, L removed, L-1 swapped; owned */
} AblationCurves;

/* Leave each block out (the stream passes through), and exchange each with the next, at all
 * positions: Veit et al. 2016 for residual networks. Returns as ablation_run. */
int ablation_curves(AblationCurves *out, const AblationInputs *in, const Work *work);
void ablation_curves_release(AblationCurves *curves);
/* Fill `copy`, of the same shape, with the network as a curve has it at block `layer`. */
void ablation_curve_network(Gpt *copy, const Gpt *gpt, AblationCurve curve, int layer);

#endif
