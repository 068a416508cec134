/* probes/sae/training/sae_sweep.c - contract in probes/sae/training/sae_sweep.h. */
#include "probes/sae/training/sae_sweep.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "base/number_list.h"

/* "all", or "topk,gated", each once. A transcoder reads other rows than the others, so it is none
 * of "all". */
static int read_kinds(SaeSweep *out, const char *text)
{
    bool taken[N_SAE_KINDS] = {false};
    char word[SWEEP_NAME];
    const bool all = strcmp(text, "all") == 0;
    out->n_kinds = 0;
    for (int kind = 0; all && kind < N_SAE_KINDS; kind++) {
        if (kind != SAE_TRANSCODER) {
            out->kinds[out->n_kinds++] = (SaeKind)kind;
        }
    }
    for (const char *at = all ? NULL : text; at;) {
        const char *end = strchr(at, ',');
        const size_t n = end ? (size_t)(end - at) : strlen(at);
        snprintf(word, sizeof(word), "%.*s", n < sizeof(word) ? (int)n : 0, at);
        const int kind = sae_kind_parse(word);
        if (kind < 0 || taken[kind]) {
            return err_set(OGPT_EUSAGE,
                           "--kind %s: expected all, or some of standard, gated, topk, batchtopk, "
                           "jumprelu, matryoshka, transcoder, each once",
                           text);
        }
        taken[kind] = true;
        out->kinds[out->n_kinds++] = (SaeKind)kind;
        at = end ? end + 1 : NULL;
    }
    return taken[SAE_TRANSCODER] && out->n_kinds > 1
               ? err_set(OGPT_EUSAGE,
                         "--kind %s: a transcoder reads other rows than the others: "
                         "train it by a command of its own",
                         text)
               : 0;
}

static bool has_l1(SaeKind kind)
{
    return kind == SAE_STANDARD || kind == SAE_GATED;
}

/* Options that mean nothing to the only kind. */
static int check_kind(SaeKind kind, const SweepWords *words)
{
    const char *name = sae_kind_name(kind);
    if (sae_has_k(kind) && (words->l0 || words->l1)) {
        return err_set(OGPT_EUSAGE, "--kind %s keeps --k features a row: --%s means nothing to it",
                       name, words->l0 ? "l0" : "l1");
    }
    if (!sae_has_k(kind) && words->k) {
        return err_set(OGPT_EUSAGE,
                       "--kind %s keeps no number of features: take --l0%s instead of "
                       "--k",
                       name, has_l1(kind) ? " or --l1" : "");
    }
    return 0;
}

int sae_sweep_read(SaeSweep *out, const SweepWords *words)
{
    *out = (SaeSweep){.n_seeds = words->seeds};
    bool any_k = false;
    int rc = read_kinds(out, words->kind);
    rc = rc || out->n_kinds > 1 ? rc : check_kind(out->kinds[0], words);
    for (int i = 0; i < out->n_kinds && rc == 0; i++) {
        any_k = any_k || sae_has_k(out->kinds[i]);
        if (words->l1 && !has_l1(out->kinds[i])) {
            rc = err_set(OGPT_EUSAGE, "--kind %s has no penalty of --l1: take --l0",
                         sae_kind_name(out->kinds[i]));
        }
    }
    if (rc == 0 && words->k && words->l0) {
        rc = err_set(OGPT_EUSAGE, "--k and --l0 are both how many features a row has: give one of "
                                  "them, it serves all kinds");
    }
    if (rc == 0 && words->l0 && words->l1) {
        rc = err_set(OGPT_EUSAGE, "--l0 moves the penalty that --l1 sets: give one of them");
    }
    if (rc == 0) {
        const char *name = words->l1 ? "l1" : words->l0 ? "l0" : words->k || any_k ? "k" : "l0";
        const char *text = words->l1 ? words->l1 : words->l0 ? words->l0 : words->k;
        out->by_l1 = words->l1 ? true : false;
        const NumberList what = {name, SAE_FEATURES_MAX, any_k, SWEEP_MAX};
        rc = number_list_read(out->values, &out->n_values, text ? text : words->values, &what);
    }
    out->n = out->n_kinds * out->n_values * out->n_seeds;
    return rc;
}

SaeSweepItem sae_sweep_item(const SaeSweep *sweep, int index)
{
    SaeSweepItem out = {.kind = sweep->kinds[index % sweep->n_kinds],
                        .value = sweep->values[index / sweep->n_kinds % sweep->n_values],
                        .seed = index / (sweep->n_kinds * sweep->n_values)};
    out.swept = sweep->by_l1 ? "l1" : sae_has_k(out.kind) ? "k" : "l0";
    const bool kinds = sweep->n_kinds > 1, seeds = sweep->n_seeds > 1;
    char seed[16] = "";
    if (seeds) {
        snprintf(seed, sizeof(seed), "-s%d", out.seed + 1);
    }
    snprintf(out.name, sizeof(out.name), "%s%s%s-%g%s", kinds ? sae_kind_name(out.kind) : "",
             kinds ? "-" : "", out.swept, out.value, seed);
    return out;
}

void sae_sweep_options(SaeTrainOptions *out, const SaeSweep *sweep, int index,
                       const SaeTrainOptions *common)
{
    const SaeSweepItem item = sae_sweep_item(sweep, index);
    *out = *common;
    out->kind = item.kind;
    out->k = strcmp(item.swept, "k") == 0 ? (size_t)item.value : 0;
    out->l0 = strcmp(item.swept, "l0") == 0 ? item.value : 0;
    out->l1 = strcmp(item.swept, "l1") == 0 ? item.value : SAE_L1_FIRST;
    out->seed = common->seed + (uint64_t)item.seed;
    sae_train_complete(out);
}

Js *sae_sweep_about(const SaeTrainOptions *options, const SaeConfig *about,
                    const SaeSweepItem *item, int64_t buffer)
{
    Js *out = js_object();
    js_set_str(out, "kind", sae_kind_name(options->kind));
    js_set_str(out, "site", hook_site_name(about->site));
    js_set_int(out, "layer", about->layer);
    js_set_int(out, "features", (int64_t)options->features);
    js_set_num(out, item->swept, item->value);
    js_set_int(out, "activations", options->activations);
    js_set_int(out, "batch", options->batch);
    js_set_num(out, "lr", options->lr);
    js_set_int(out, "dead_after", options->dead_after);
    js_set_int(out, "buffer", buffer);
    js_set_str(out, "games", about->games);
    js_set_str(out, "model_hash", about->model_hash);
    js_set_int(out, "seed", (int64_t)options->seed);
    return out;
}

/* ---- what is there ---- */

int sae_sweep_find(bool *there, const char *path, const Js *about)
{
    PathKind kind = PATH_MISSING;
    Js *manifest = NULL;
    int rc = path_kind(&kind, path);
    *there = false;
    if (rc || kind == PATH_MISSING) {
        return rc;
    }
    rc = sae_check_goal(path);
    rc = rc ? rc : manifest_verify(&manifest, path);
    const Js *then = rc ? NULL : js_member(manifest, "about");
    JsDifference other = {0};
    rc = rc ? rc : js_difference(&other, about, then);
    if (rc == 0 && other.key) {
        rc = err_set(OGPT_EUSAGE,
                     "%s: is there, made with %s %s, now it is %s: choose another --out, or "
                     "--force to replace it",
                     path, other.key, other.other ? other.other : "(none)", other.own);
    }
    js_difference_release(&other);
    js_free(manifest);
    *there = rc == 0;
    return rc;
}

/* Whether an entry of the folder is one of them, its checkpoint, its lock, or unfinished. */
static bool belongs(const SaeSweep *sweep, const char *entry)
{
    bool known = name_is_temporary(entry);
    for (int i = 0; i < sweep->n && !known; i++) {
        const SaeSweepItem item = sae_sweep_item(sweep, i);
        const size_t n = strlen(item.name);
        known = strncmp(entry, item.name, n) == 0 && (entry[n] == '\0' || entry[n] == '.');
    }
    return known;
}

int sae_sweep_check_folder(const SaeSweep *sweep, const char *path)
{
    PathKind kind = PATH_MISSING;
    char **names = NULL;
    size_t n = 0;
    int rc = path_kind(&kind, path);
    if (rc || sweep->n == 1 || kind == PATH_MISSING) {
        return rc;
    }
    rc = dir_list(&names, &n, path);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (!belongs(sweep, names[i])) {
            rc = err_set(OGPT_EUSAGE,
                         "%s: holds %s, which is none of the %d autoencoders of these options, "
                         "such as %s: choose another --out, or move it away",
                         path, names[i], sweep->n, sae_sweep_item(sweep, 0).name);
        }
    }
    names_free(names, n);
    return rc;
}
