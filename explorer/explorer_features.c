/* explorer/explorer_features.c - a sparse autoencoder and what its features stand for, as parts of
 * a page. Contract in explorer/internal.h. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/safetensors.h"
#include "explorer/internal.h"
#include "probes/activations/activations.h"

size_t explorer__sae_tensors(ExplorerTensor out[EXPLORER_SAE_TENSORS], const Sae *sae)
{
    const size_t m = sae->cfg.features, d = sae->cfg.d_in;
    const ExplorerTensor all[] = {{"w_enc", sae->w_enc, m * d}, {"b_enc", sae->b_enc, m},
                                  {"w_dec", sae->w_dec, m * d}, {"b_dec", sae->b_dec, d},
                                  {"theta", sae->theta, m},     {"r_mag", sae->r_mag, m},
                                  {"b_mag", sae->b_mag, m}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].values && n < EXPLORER_SAE_TENSORS) { /* theta, or the two of a gate */
            out[n++] = all[i];
        }
    }
    return n;
}

/* ---- JSON ---- */

/* A share in 1/10000, so that the text stays short; null: there is none. */
static Js *share_json(double share)
{
    return isfinite(share) ? js_int((int64_t)lround(1e4 * share)) : js_null();
}

static Js *number_json(double number)
{
    return isfinite(number) ? js_num(number) : js_null();
}

/* Square and class of a pair; -1, -1: none. */
static void push_property(Js *out, const FeaturesProperty *property, const GameVariant *variant)
{
    const int pair = property->pair;
    js_push(out, js_int(pair < 0 ? -1 : task_square(variant, pair % COVERAGE_SQUARES)));
    js_push(out, js_int(pair < 0 ? -1 : pair / COVERAGE_SQUARES));
}

/* The members of a row of explorer/core/features.js, in its order; null: it is never on. */
static Js *row_json(const FeaturesRow *row, const GameVariant *variant)
{
    const Interval *own = &row->own.f1, *shuffled = &row->shuffled.f1;
    const double shares[] = {row->density,    row->own.precision, row->own.recall,
                             own->value,      own->low,           own->high,
                             shuffled->value, shuffled->low,      shuffled->high};
    if (!row->alive) {
        return js_null();
    }
    Js *out = js_array();
    push_property(out, &row->own, variant);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        js_push(out, share_json(shares[i]));
    }
    js_push(out, number_json(row->mean_on));
    js_push(out, number_json(row->largest));
    return out;
}

Js *explorer__sae_json(const ExplorerPage *page)
{
    ExplorerTensor tensors[EXPLORER_SAE_TENSORS];
    const SaeConfig *cfg = &page->sae->cfg;
    uint64_t at = explorer__n_numbers_read(page);
    const size_t n_tensors = explorer__sae_tensors(tensors, page->sae);
    Js *out = js_object(), *begin = js_object(), *rows = js_array();
    js_set(out, "path", page->sae_name ? js_str(page->sae_name) : js_null());
    js_set_str(out, "kind", sae_kind_name(cfg->kind));
    js_set_str(out, "site", hook_site_name(cfg->site));
    js_set_int(out, "layer", cfg->layer);
    js_set_int(out, "features", (int64_t)cfg->features);
    js_set_int(out, "k", (int64_t)cfg->k);
    js_set_int(out, "fit_games", (int64_t)page->n_fit_games);
    js_set_int(out, "test_games", (int64_t)page->n_test_games);
    for (size_t i = 0; i < n_tensors; i++) {
        js_set_int(begin, tensors[i].name, (int64_t)at);
        at += tensors[i].n;
    }
    js_set(out, "begin", begin);
    for (size_t j = 0; j < page->features->n; j++) {
        js_push(rows, row_json(&page->features->rows[j], page->subject->variant));
    }
    js_set(out, "rows", rows);
    return out;
}

/* ---- what rounding does to a code ---- */

enum { CHANGE_ROWS = 64 }; /* that are coded together */

/* The same autoencoder, each number rounded to float16. */
static int round_sae(Sae **out, const Sae *sae)
{
    ExplorerTensor from[EXPLORER_SAE_TENSORS], to[EXPLORER_SAE_TENSORS];
    int rc = sae_new(out, &sae->cfg);
    const size_t n = rc ? 0 : explorer__sae_tensors(from, sae);
    if (rc == 0) {
        explorer__sae_tensors(to, *out);
    }
    for (size_t t = 0; t < n; t++) {
        float *values = (float *)to[t].values; /* owned by *out */
        for (size_t i = 0; i < to[t].n; i++) {
            values[i] = float16_widen(float16_narrow(from[t].values[i]));
        }
    }
    if (rc == 0) {
        sae_prepare(*out);
    }
    return rc;
}

typedef struct CodeChange {
    double largest;
    size_t on, turned;
} CodeChange;

static int compare_codes(CodeChange *change, const Sae *const saes[2], float *const rows[2],
                         size_t n)
{
    const size_t m = saes[0]->cfg.features, d = saes[0]->cfg.d_in;
    float *codes[2] = {mem_alloc(CHANGE_ROWS * m, sizeof(float), "features of rows"),
                       mem_alloc(CHANGE_ROWS * m, sizeof(float), "features of rows")};
    const int rc = codes[0] && codes[1] ? 0 : OGPT_ENOMEM;
    for (size_t first = 0; first < n && rc == 0; first += CHANGE_ROWS) {
        const size_t count = n - first < CHANGE_ROWS ? n - first : CHANGE_ROWS;
        for (int i = 0; i < 2; i++) {
            sae_encode(saes[i], rows[i] + first * d, count, codes[i]);
        }
        for (size_t i = 0; i < count * m; i++) {
            const bool before = codes[0][i] > 0, after = codes[1][i] > 0;
            change->on += before || after;
            change->turned += before != after;
            if (before && after) {
                change->largest =
                    fmax(change->largest, fabs((double)codes[0][i] - (double)codes[1][i]));
            }
        }
    }
    mem_free(codes[0]);
    mem_free(codes[1]);
    return rc;
}

int explorer__sae_change(ExplorerWritten *out, const ExplorerPage *page)
{
    const SaeConfig *cfg = &page->sae->cfg;
    const SiteLayers where = {cfg->site, &cfg->layer, 1};
    PositionSet set = {0};
    GameSource *source = NULL;
    Gpt *rounded = NULL;
    Sae *coarse = NULL;
    float *rows[2] = {NULL, NULL};
    double weight_change = 0;
    CodeChange change = {0};
    int rc = source_fresh(&source, page->subject->variant, 0, RNG_EVAL);
    rc = rc ? rc : positions_draw(&set, source, EXPLORER_GAMES, 0, WORK_ALONE);
    rc = rc ? rc : explorer_round_network(&rounded, &weight_change, page->subject->model.gpt);
    rc = rc ? rc : round_sae(&coarse, page->sae);
    const Gpt *const gpts[2] = {page->subject->model.gpt, rounded};
    const Sae *const saes[2] = {page->sae, coarse};
    for (int i = 0; i < 2 && rc == 0; i++) {
        rows[i] = mem_alloc(set.n_positions * cfg->d_in, sizeof(float), "rows of a network");
        rc = rows[i] ? activations_capture(&rows[i], &set, gpts[i], &where, WORK_ALONE)
                     : OGPT_ENOMEM;
    }
    rc = rc ? rc : compare_codes(&change, saes, rows, set.n_positions);
    if (rc == 0) {
        out->feature_change = change.largest;
        out->features_turned = change.on > 0 ? (double)change.turned / (double)change.on : 0;
    }
    mem_free(rows[0]);
    mem_free(rows[1]);
    sae_free(coarse);
    gpt_free(rounded);
    positions_release(&set);
    source_free(source);
    return rc;
}
