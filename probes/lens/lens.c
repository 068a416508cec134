/* probes/lens/lens.c - see probes/lens/lens.h. */
#include "probes/lens/lens.h"

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"

int lens_places(int n_layers)
{
    return 2 * n_layers + 1;
}

HookSite lens_site(int place)
{
    return place == 0 ? HOOK_RESID_PRE : place % 2 == 1 ? HOOK_RESID_MID : HOOK_RESID_POST;
}

int lens_layer(int place)
{
    return place == 0 ? LAYER_EMBED : (place - 1) / 2;
}

int lens_post(int layer)
{
    return layer == LAYER_EMBED ? 0 : 2 * layer + 2;
}

/* ---- translators ---- */

LensBank lens_bank_empty(const GptConfig *cfg)
{
    return (LensBank){.n_places = lens_places(cfg->n_layers), .d_model = (size_t)cfg->d_model};
}

int lens_bank_add(LensBank *bank, int place)
{
    size_t C = bank->d_model;
    bank->matrix[place] = mem_calloc(C * C, sizeof(float), "a translator");
    bank->bias[place] = mem_calloc(C, sizeof(float), "a translator");
    return bank->matrix[place] && bank->bias[place] ? 0 : OGPT_ENOMEM;
}

void lens_bank_release(LensBank *bank)
{
    for (int place = 0; place < LENS_PLACES_MAX; place++) {
        mem_free(bank->matrix[place]);
        mem_free(bank->bias[place]);
    }
    *bank = (LensBank){0};
}

int lens_bank_permuted(LensBank *out, const LensBank *bank, const uint32_t *order)
{
    size_t C = bank->d_model;
    int rc = 0;
    *out = (LensBank){.n_places = bank->n_places, .d_model = C};
    for (int place = 0; place < bank->n_places && rc == 0; place++) {
        if (!bank->matrix[place]) {
            continue;
        }
        rc = lens_bank_add(out, place);
        for (size_t i = 0; i < C && rc == 0; i++) {
            out->bias[place][order[i]] = bank->bias[place][i];
            for (size_t j = 0; j < C; j++) {
                out->matrix[place][order[i] * C + order[j]] = bank->matrix[place][i * C + j];
            }
        }
    }
    if (rc) {
        lens_bank_release(out);
    }
    return rc;
}

/* ---- rows ---- */

size_t lens_rows_bytes(const GptConfig *cfg, size_t n_positions)
{
    return (size_t)lens_places(cfg->n_layers) *
           activations_bytes(n_positions, (size_t)cfg->d_model);
}

int lens_rows_capture(LensRows *out, const Gpt *gpt, const PositionSet *set, const Work *work)
{
    int L = gpt->cfg.n_layers, layers[LAYERS_MAX];
    float *posts[LAYERS_MAX], *mids[LAYERS_MAX];
    const Work quiet = work_quiet(work);
    *out = (LensRows){
        .n = set->n_positions, .d_model = (size_t)gpt->cfg.d_model, .n_places = lens_places(L)};
    for (int place = 0; place < out->n_places; place++) {
        out->x[place] = mem_alloc(out->n * out->d_model, sizeof(float), "rows of the stream");
        if (!out->x[place]) {
            lens_rows_release(out);
            return OGPT_ENOMEM;
        }
    }
    for (int i = 0; i <= L; i++) {
        layers[i] = i - 1;
        posts[i] = out->x[lens_post(i - 1)];
        mids[i] = i < L ? out->x[1 + 2 * i] : NULL;
    }
    int rc =
        activations_capture(posts, set, gpt, &(SiteLayers){HOOK_RESID_POST, layers, L + 1}, &quiet);
    rc = rc ? rc
            : activations_capture(mids, set, gpt, &(SiteLayers){HOOK_RESID_MID, layers + 1, L},
                                  &quiet);
    if (rc) {
        lens_rows_release(out);
    }
    return rc;
}

void lens_rows_release(LensRows *rows)
{
    for (int place = 0; place < LENS_PLACES_MAX; place++) {
        mem_free(rows->x[place]);
    }
    *rows = (LensRows){0};
}
