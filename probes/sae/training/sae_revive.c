/* probes/sae/training/sae_revive.c - contract in probes/sae/training/sae_net.h: features that are
 * silent for long learn from what the others leave (AuxK of Gao et al., arXiv:2406.04093, A.2). */
#include <string.h>

#include "probes/sae/training/sae_net.h"
#include "probes/sae/sae_select.h"
#include "probes/sae/training/sae_vectors.h"

static int list_chunk(void *context, size_t job, size_t worker)
{
    SaeStep *step = context;
    SaeList *list = &step->revived;
    size_t end;
    const size_t first = sae__chunk(&end, step, job);
    float *dead = step->dead_pre + worker * step->net->m;
    for (size_t r = first; r < end; r++) {
        const float *pre = step->pre + r * step->net->m;
        for (size_t i = 0; i < step->n_dead; i++) {
            const float own = pre[step->dead[i]];
            dead[i] = own > 0 ? own : 0;
        }
        if (step->n_dead > step->aux_k) {
            sae_keep_largest(dead, step->n_dead, step->aux_k);
        }
        size_t at = list->row_at[r] = r * step->aux_k;
        for (size_t i = 0; i < step->n_dead; i++) {
            if (dead[i] > 0) {
                list->index[at] = step->dead[i];
                list->f[at++] = dead[i];
            }
        }
        list->row_end[r] = at;
    }
    return 0;
}

int sae__revive_list(SaeStep *step, const Work *work)
{
    return step->n_dead > 0 ? pool_run(work->pool, sae__chunks(step), list_chunk, step) : 0;
}

static int error_chunk(void *context, size_t job, size_t worker)
{
    SaeStep *step = context;
    const SaeNet *net = step->net;
    const SaeList *list = &step->revived;
    const size_t d = net->d_out;
    size_t end;
    const size_t first = sae__chunk(&end, step, job);
    double *sums = sae__row_sums(step, job);
    for (size_t r = first; r < end; r++) {
        const size_t at = list->row_at[r], n = list->row_end[r] - at;
        float *g = step->g_aux + r * d;
        memcpy(g, step->residual + r * d, d * sizeof(float));
        sae__add_rows(g, net->params + net->w_dec, list->index + at, list->f + at, n, d);
        sums[SUM_AUX] += sae__dot(g, g, d);
        for (size_t c = 0; c < d; c++) {
            g[c] *= (float)(2 * step->aux_scale);
        }
        for (size_t i = at; i < at + n; i++) {
            list->c[i] = sae__dot(g, net->params + net->w_dec + list->index[i] * d, d);
        }
    }
    return 0;
}

int sae__revive(SaeStep *step, const Work *work)
{
    int rc = pool_run(work->pool, sae__chunks(step), error_chunk, step);
    for (size_t chunk = 0; rc == 0 && chunk < sae__chunks(step); chunk++) {
        step->sums.aux += step->aux_scale * sae__row_sums(step, chunk)[SUM_AUX];
    }
    return rc ? rc : sae__columns_fast(step, true, work);
}
