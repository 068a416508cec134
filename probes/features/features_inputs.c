/* probes/features/features_inputs.c - see probes/features/features_inputs.h. */
#include "probes/features/features_inputs.h"

#include "base/arena.h"
#include "base/err.h"

int features_set_read(FeaturesSet *out, const Gpt *gpt, HookSite site, int layer, const Work *work)
{
    const SiteLayers where = {site, &layer, 1};
    const PositionSet *set = &out->set.set;
    out->x = mem_alloc(set->n_positions * hook_width(&gpt->cfg, site, 0), sizeof(float),
                       "rows of a network");
    int rc = out->x ? activations_capture(&out->x, set, gpt, &where, work) : OGPT_ENOMEM;
    rc = rc ? rc : codebook_inputs_labels(&out->own, &out->other, &out->set, work);
    out->rows = (CodebookRows){
        .x = out->x,
        .board = {set->n_positions, set->n_games, out->own, set->first, out->set.n_squares},
        .other = out->other};
    return rc;
}

void features_set_release(FeaturesSet *set)
{
    labelled_release(&set->set);
    mem_free(set->x);
    mem_free(set->own);
    mem_free(set->other);
    *set = (FeaturesSet){0};
}

size_t features_set_bytes(size_t n_positions, size_t width)
{
    return n_positions * (width * sizeof(float) + 2 * COVERAGE_SQUARES);
}
