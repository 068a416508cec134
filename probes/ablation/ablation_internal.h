/* probes/ablation/ablation_internal.h - what the files of this room share: draws, and the values
 * of all sites of a position as one row. Private to the room. */
#ifndef OGPT_PROBES_ABLATION_ABLATION_INTERNAL_H
#define OGPT_PROBES_ABLATION_ABLATION_INTERNAL_H

#include "base/rng.h"
#include "model/gpt.h"

/* Streams of draws of (seed, RNG_ABLATION); below 2^48 draws each. */
enum { ABLATION_DRAW_SQUARE, ABLATION_DRAW_DONOR, ABLATION_DRAW_DIRECTION, ABLATION_DRAW_GROUP };
static inline Rng ablation__rng(uint64_t seed, int stream, uint64_t index)
{
    return rng_at(seed, RNG_ABLATION, (uint64_t)stream << 48 | index);
}

/* ---- values of a position ----
 *
 * One row holds what every unit wrote at one position:
 *     input (C), then of each layer z (C), attn_out (C), mlp_post (M), mlp_out (C) */
typedef struct AblationLayout {
    size_t L, C, M, row; /* row: numbers of a row */
} AblationLayout;

AblationLayout ablation__layout(const GptConfig *cfg);
/* Where a site begins in a row; resid_pre of layer 0 is the input. */
size_t ablation__place(const AblationLayout *layout, HookSite site, int layer);
/* Ask for the sites of a row. */
void ablation__want(uint64_t sites[N_HOOK_SITES], const AblationLayout *layout);
/* Whether a site has a place in a row. */
bool ablation__holds(HookSite site, int layer);

#endif
