/* probes/features/features_inputs.h - games of a study of features: positions, rows, labels. */
#ifndef OGPT_PROBES_FEATURES_FEATURES_INPUTS_H
#define OGPT_PROBES_FEATURES_FEATURES_INPUTS_H

#include "probes/activations/activations.h"
#include "probes/dictionaries/codebook_inputs.h"

typedef struct FeaturesSet {
    LabelledSet set;      /* drawn by codebook_inputs_draw_set; owned, as the next three */
    float *x;             /* (n_positions, width) */
    uint8_t *own, *other; /* (n_positions, COVERAGE_SQUARES) */
    CodebookRows rows;    /* all of it */
} FeaturesSet;

/* Read the rows of a site and layer at the positions of out->set. Returns as activations_capture;
 * features_set_release in both cases. */
int features_set_read(FeaturesSet *out, const Gpt *gpt, HookSite site, int layer, const Work *work);
void features_set_release(FeaturesSet *set);
/* Bytes of one: rows and labels. */
size_t features_set_bytes(size_t n_positions, size_t width);

#endif
