/* probes/sae/training/sae_sweep.c - see probes/sae/training/sae_sweep.h. */
#include "probes/sae/training/sae_sweep.h"

#include <string.h>

#include "base/err.h"
#include "base/number_list.h"

static int read_values(SaeSweep *out, const char *name, const char *text, bool whole)
{
    const NumberList what = {name, SAE_FEATURES_MAX, whole, SAE_SWEEP_MAX};
    out->swept = name;
    return number_list_read(out->values, &out->n, text, &what);
}

int sae_sweep_parse(SaeSweep *out, SaeKind kind, const char *k, const char *l0, const char *l1)
{
    const char *name = sae_kind_name(kind);
    const bool by_k = sae_has_k(kind), by_l1 = kind == SAE_STANDARD || kind == SAE_GATED;
    if (by_k && (l0 || l1)) {
        return err_set(OGPT_EUSAGE, "--kind %s keeps --k features a row: --%s means nothing to it",
                       name, l0 ? "l0" : "l1");
    }
    if (!by_k && k) {
        return err_set(OGPT_EUSAGE,
                       "--kind %s keeps no number of features: take --l0%s instead of "
                       "--k",
                       name, by_l1 ? " or --l1" : "");
    }
    if (!by_l1 && l1) {
        return err_set(OGPT_EUSAGE, "--kind %s has no penalty of --l1: take --l0", name);
    }
    if (l0 && l1) {
        return err_set(OGPT_EUSAGE, "--l0 moves the penalty that --l1 sets: give one of them");
    }
    if (by_k) {
        return read_values(out, "k", k ? k : "32", true);
    }
    return l1 ? read_values(out, "l1", l1, false) : read_values(out, "l0", l0 ? l0 : "32", false);
}

void sae_sweep_set(SaeTrainOptions *out, const SaeSweep *sweep, int index)
{
    const double value = sweep->values[index];
    out->k = strcmp(sweep->swept, "k") == 0 ? (size_t)value : 0;
    out->l0 = strcmp(sweep->swept, "l0") == 0 ? value : 0;
    out->l1 = strcmp(sweep->swept, "l1") == 0 ? value : SAE_L1_FIRST;
}

double sae_sweep_value(const SaeTrainOptions *options)
{
    return options->k > 0 ? (double)options->k : options->l0 > 0 ? options->l0 : options->l1;
}

Js *sae_sweep_about(const SaeTrainOptions *options, const SaeConfig *about, const SaeSweep *sweep,
                    int64_t buffer)
{
    Js *out = js_object();
    js_set_str(out, "kind", sae_kind_name(options->kind));
    js_set_str(out, "site", hook_site_name(about->site));
    js_set_int(out, "layer", about->layer);
    js_set_int(out, "features", (int64_t)options->features);
    js_set_num(out, sweep->swept, sae_sweep_value(options));
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
