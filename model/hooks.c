/* model/hooks.c - names and widths of the sites where the network can be read and edited. */
#include <stdio.h>
#include <string.h>

#include "model/gpt.h"

/* Short name (for --site) and the rest of TransformerLens's name behind "blocks.{l}.". */
static const struct {
    const char *name, *full;
} sites[N_HOOK_SITES] = {
    [HOOK_RESID_PRE] = {"resid_pre", "hook_resid_pre"},
    [HOOK_Z] = {"z", "attn.hook_z"},
    [HOOK_PATTERN] = {"pattern", "attn.hook_pattern"},
    [HOOK_ATTN_OUT] = {"attn_out", "hook_attn_out"},
    [HOOK_RESID_MID] = {"resid_mid", "hook_resid_mid"},
    [HOOK_POST] = {"mlp_post", "mlp.hook_post"},
    [HOOK_MLP_OUT] = {"mlp_out", "hook_mlp_out"},
    [HOOK_RESID_POST] = {"resid_post", "hook_resid_post"},
};

int hook_site_parse(const char *name)
{
    for (int i = 0; i < N_HOOK_SITES; i++) {
        if (strcmp(sites[i].name, name) == 0 || strcmp(sites[i].full, name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *hook_site_name(HookSite site)
{
    return sites[site].name;
}

void hook_full_name(char out[64], HookSite site, int layer)
{
    snprintf(out, 64, "blocks.%d.%s", layer, sites[site].full);
}

size_t hook_width(const GptConfig *cfg, HookSite site, size_t T)
{
    switch (site) {
    case HOOK_POST: return (size_t)cfg->d_mlp;
    case HOOK_PATTERN: return (size_t)cfg->n_heads * T;
    default: return (size_t)cfg->d_model;
    }
}
