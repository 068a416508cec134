/* probes/circuits/receiver_gradients.c - back through one head's columns and the LayerNorm. */
#include "probes/circuits/receiver_gradients.h"

#include <math.h>

/* d (C), the gradient of the normalised row, becomes that of x (C). */
static void norm_back(real *d, const real *x, const real *w, const GptConfig *cfg, PatchNorm norm)
{
    size_t C = (size_t)cfg->d_model;
    real mean = 0, variance = 0, g_mean = 0, gx_mean = 0;
    for (size_t c = 0; c < C; c++) {
        mean += x[c];
    }
    mean /= (real)C;
    for (size_t c = 0; c < C; c++) {
        variance += (x[c] - mean) * (x[c] - mean);
        d[c] *= w[c];
        g_mean += d[c];
        gx_mean += d[c] * (x[c] - mean);
    }
    real rstd = 1 / (real)sqrt((double)(variance / (real)C + (real)cfg->eps));
    g_mean /= (real)C;
    gx_mean *= norm == PATCH_FROZEN ? 0 : rstd * rstd / (real)C;
    for (size_t c = 0; c < C; c++) {
        d[c] = rstd * (d[c] - g_mean - (x[c] - mean) * gx_mean);
    }
}

/* out (C) = the columns of one head of w (C, C) times its slice of d (C). */
static void head_back(real *out, const real *w, const real *d, const GptConfig *cfg, int head)
{
    size_t C = (size_t)cfg->d_model, HS = (size_t)cfg->d_head, first = (size_t)head * HS;
    for (size_t c = 0; c < C; c++) {
        const real *row = w + c * C + first;
        real sum = 0;
        for (size_t j = 0; j < HS; j++) {
            sum += row[j] * d[first + j];
        }
        out[c] = sum;
    }
}

void receiver_gradient(real *out, const EdgeQuestion *question, const GradientPoint *point,
                       Receiver receiver)
{
    const Gpt *gpt = question->gpt;
    const TensorMap *map = &gpt->map;
    const GptConfig *cfg = &gpt->cfg;
    size_t C = (size_t)cfg->d_model, n = point->n;
    size_t layer = receiver.layer > 0 ? (size_t)receiver.layer : 0;
    const real *block = gpt->params + layer * map->block_stride;
    const real *x = point->pre + layer * n * C, *scale = block + map->ln1_w, *w = NULL;
    const real *d = NULL;
    switch (receiver.kind) {
    case RECEIVER_Q: d = point->dq, w = block + map->W_Q; break;
    case RECEIVER_K: d = point->dk, w = block + map->W_K; break;
    case RECEIVER_V: d = point->dv, w = block + map->W_V; break;
    case RECEIVER_MLP:
        d = point->dln2, x = point->mid + layer * n * C, scale = block + map->ln2_w;
        break;
    case RECEIVER_LOGITS:
        d = point->dfinal, x = point->last, scale = gpt->params + map->lnf_w;
        break;
    }
    d += layer * n * C;
    for (size_t i = 0; i < n; i++) {
        if (w) {
            head_back(out + i * C, w, d + i * C, cfg, receiver.head);
        } else {
            for (size_t c = 0; c < C; c++) {
                out[i * C + c] = d[i * C + c];
            }
        }
        norm_back(out + i * C, x + i * C, scale, cfg, question->norm);
    }
}
