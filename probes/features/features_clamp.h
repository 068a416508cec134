/* probes/features/features_clamp.h - a feature is clamped at given positions, and the rules judge
 * the answers; the passes are those of probes/steering/steer_run.h. Private to the room. */
#ifndef OGPT_PROBES_FEATURES_FEATURES_CLAMP_H
#define OGPT_PROBES_FEATURES_FEATURES_CLAMP_H

#include "probes/features/features_look.h"

typedef struct FeaturesClamping {
    const Gpt *gpt;
    HookSite site;
    int layer;
    size_t feature;
    const float *column; /* (width) of the decoder */
    double mean;         /* of its values where it is on; 0: never on */
    const PositionSet *set;
    FeaturesSight *sights; /* (n) on where value > 0; sorted here by the length of the history */
    size_t n;
} FeaturesClamping;

int features_clamp(FeaturesClamp out[N_FEATURES_CLAMPS], FeaturesClamping *clamping,
                   const Work *work);

#endif
