/* model/sites.c - names and widths of the hook sites. See model/sites.h. */
#include "model/sites.h"

#include <stdio.h>
#include <string.h>

typedef enum SiteWidth { WIDTH_MODEL, WIDTH_MLP, WIDTH_KEYS, WIDTH_ONE } SiteWidth;
typedef enum SiteKind {
    KIND_FIRST,
    KIND_STREAM,
    KIND_ROW,
    KIND_READ,
    KIND_HOOK,
    KIND_OUTSIDE
} SiteKind;

#define SITE_ROW(id, name, full, width, kind) {name, full, WIDTH_##width, KIND_##kind},
static const struct {
    const char *name, *full;
    SiteWidth width;
    SiteKind kind;
} sites[N_HOOK_SITES] = {HOOK_SITES(SITE_ROW)};

/* Spellings that help pages have offered. */
static const struct {
    const char *name;
    HookSite site;
} aliases[] = {{"post", HOOK_POST}, {"scores", HOOK_SCORES}};

int hook_site_parse(const char *name)
{
    for (int i = 0; i < N_HOOK_SITES; i++) {
        if (strcmp(sites[i].name, name) == 0 || strcmp(sites[i].full, name) == 0) {
            return i;
        }
    }
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(aliases[i].name, name) == 0) {
            return (int)aliases[i].site;
        }
    }
    return -1;
}

int hook_site_parse_for(const char *name, HookUse use)
{
    int site = hook_site_parse(name);
    return site >= 0 && hook_site_serves((HookSite)site, use) ? site : -1;
}

bool hook_site_serves(HookSite site, HookUse use)
{
    SiteKind kind = sites[site].kind;
    switch (use) {
    case HOOK_USE_STREAM: return kind <= KIND_STREAM;
    case HOOK_USE_VECTOR: return kind <= KIND_ROW;
    case HOOK_USE_CAPTURE: return kind <= KIND_READ;
    default: return true;
    }
}

const char *hook_site_names(HookUse use)
{
    switch (use) {
    case HOOK_USE_STREAM: return HOOK_NAMES_STREAM;
    case HOOK_USE_VECTOR: return HOOK_NAMES_VECTOR;
    case HOOK_USE_CAPTURE: return HOOK_NAMES_CAPTURE;
    default: return HOOK_NAMES_ANY;
    }
}

const char *hook_site_name(HookSite site)
{
    return sites[site].name;
}

bool hook_site_outside(HookSite site)
{
    return sites[site].kind == KIND_OUTSIDE;
}

void hook_full_name(char out[64], HookSite site, int layer)
{
    if (hook_site_outside(site)) {
        snprintf(out, 64, "%s", sites[site].full);
    } else {
        snprintf(out, 64, "blocks.%d.%s", layer, sites[site].full);
    }
}

size_t hook_width(const GptConfig *cfg, HookSite site, size_t keys)
{
    switch (sites[site].width) {
    case WIDTH_MLP: return (size_t)cfg->d_mlp;
    case WIDTH_KEYS: return (size_t)cfg->n_heads * keys;
    case WIDTH_ONE: return 1;
    default: return (size_t)cfg->d_model;
    }
}
