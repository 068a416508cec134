/* probes/lens/lens_study.h - all lenses of one network, with their controls.
 *
 * Translators, maps and probes are fitted on training games; every score is of test games;
 * intervals are 95 % over whole games.
 */
#ifndef OGPT_PROBES_LENS_LENS_STUDY_H
#define OGPT_PROBES_LENS_LENS_STUDY_H

#include "probes/ablation/ablation.h"
#include "probes/lens/lens_board.h"
#include "probes/lens/lens_decode.h"
#include "probes/lens/lens_fit.h"
#include "probes/lens/lens_measure.h"
#include "probes/lens/lens_order.h"

/* What is studied; all borrowed. */
typedef struct LensStudyInputs {
    const Gpt *gpt;
    const Gpt *other;   /* control: whose tuned lens is tried on this network. NULL: the
                         * same network with its residual coordinates permuted */
    const Probe *probe; /* of resid_post, task "mine", labels "mover"; NULL: no board
                         * lens */
    const LabelledSet *train, *test; /* of that task */
    LensFitOptions fit;
} LensStudyInputs;

/* A block left out, or exchanged with the next. */
typedef struct LensBlockRow {
    AblationCurve curve;
    int layer;
    Interval scores[N_LENS_SCORES]; /* of the changed network's own answers */
} LensBlockRow;

typedef struct LensPlaceRow {
    Interval scores[N_LENS_READERS][N_LENS_SCORES];
    Interval tuned_change; /* KL on test games, tuned - logit */
    LensFit fit, random_fit;
    LensDecoded decoded, random_decoded;
} LensPlaceRow;

typedef struct LensStudy {
    int n_layers, n_places;
    LensMeasured measured;
    AblationDraws draws;
    LensPlaceRow *places; /* (n_places); owned */
    LensBoard board;      /* n is 0 without a probe */
    LensOrder order;
    size_t n_blocks;
    LensBlockRow *blocks; /* owned; the first is the network as it is */
} LensStudy;

/* *out is filled; owned: lens_study_release. work: the pool, the seed of controls and intervals,
 * the journal, tick("parts"). Returns 0, OGPT_EFORMAT (other: another shape), OGPT_ENUM,
 * OGPT_EINTR, OGPT_ENOMEM. */
int lens_study_run(LensStudy *out, const LensStudyInputs *in, const Work *work);
void lens_study_release(LensStudy *study);
/* Bytes, and floating-point operations, that it takes, roughly. */
size_t lens_study_bytes(const LensStudyInputs *in, const Work *work);
double lens_study_flops(const LensStudyInputs *in);

#endif
