/* probes/patching/patch_words.c - names of directions, scopes and norms. */
#include "probes/patching/edges.h"

const char *patch_direction_name(PatchDirection direction)
{
    return direction == PATCH_NOISING ? "noising" : "denoising";
}

const char *patch_scope_name(PatchScope scope)
{
    return scope == PATCH_LAST ? "last" : "all";
}

const char *patch_norm_name(PatchNorm norm)
{
    return norm == PATCH_RECOMPUTED ? "recomputed" : "frozen";
}
