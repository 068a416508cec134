/* probes/sae/training/sae_plain.c - contract in probes/sae/training/sae_net.h: rows and columns
 * with whole matrices. The specification of the fast path, and the path where many features are
 * active. */
#include <string.h>

#include "num/blas.h"
#include "probes/sae/training/sae_net.h"

/* Features first .. end - 1 of prefix q are not in a shorter one. */
static size_t group_first(const SaeStep *step, size_t q)
{
    return q == 0 ? 0 : step->group_end[q - 1];
}

/* f of all features of a chunk of rows; what it sums up. */
static void fill_values(const SaeStep *step, size_t first, size_t end, double *sums)
{
    const SaeNet *net = step->net;
    for (size_t r = first; r < end; r++) {
        const float *pre = step->pre + r * net->m;
        float *f = step->dense_f + r * net->m;
        uint32_t equal = step->equal[r];
        for (size_t j = 0; j < net->m; j++) {
            f[j] = sae__keeps(step, pre[j], r, j, &equal) ? sae__value(net, pre[j], j) : 0;
            if (f[j] > 0) {
                sums[SUM_LEAST] = f[j] < sums[SUM_LEAST] ? f[j] : sums[SUM_LEAST];
            }
            sums[SUM_F] += net->kind == SAE_GATED ? (pre[j] > 0 ? pre[j] : 0) : f[j];
        }
    }
}

/* out (rows) = b_dec - y. */
static void start_residual(const SaeStep *step, float *out, size_t first, size_t end)
{
    const size_t d = step->net->d_out;
    const float *b_dec = step->net->params + step->net->b_dec;
    for (size_t r = first; r < end; r++) {
        for (size_t c = 0; c < d; c++) {
            out[r * d + c] = b_dec[c] - step->y[r * d + c];
        }
    }
}

/* residual and g of a chunk: each prefix adds its features, and has an error of its own. */
static void rebuild(SaeStep *step, size_t first, size_t end, double *sums)
{
    const SaeNet *net = step->net;
    const size_t d = net->d_out, m = net->m, n = (end - first) * d;
    const float scale = 2 / (float)step->ask.rows;
    float *residual = step->residual + first * d;
    start_residual(step, step->residual, first, end);
    for (size_t q = 0; q < step->n_groups; q++) {
        const size_t at = group_first(step, q), width = step->group_end[q] - at;
        float *g = step->g + (q * step->max_rows + first) * d;
        gemm(false, false, end - first, d, width, 1, step->dense_f + first * m + at, m,
             net->params + net->w_dec + at * d, d, 1, residual, d);
        double error = 0;
        for (size_t i = 0; i < n; i++) {
            g[i] = scale * residual[i];
            error += (double)residual[i] * residual[i];
        }
        sums[SUM_EXTRA] += q + 1 < step->n_groups ? error : 0;
    }
    for (size_t q = step->n_groups - 1;
         q-- > 0;) { /* a feature is in its prefix and all longer ones */
        float *g = step->g + (q * step->max_rows + first) * d;
        for (size_t i = 0; i < n; i++) {
            g[i] += g[step->max_rows * d + i];
        }
    }
    for (size_t r = first; r < end; r++) {
        sae__row_done(step, sums, step->residual + r * d, step->g + r * d, r);
    }
}

/* gated: the error of max(pre, 0) through the decoder, and d of it / d pre into dgate (rows, m). */
static void second_error(SaeStep *step, float *dgate, size_t first, size_t end, double *sums)
{
    const SaeNet *net = step->net;
    const size_t d = net->d_out, m = net->m, rows = end - first;
    const float *pre = step->pre + first * m, *w_dec = net->params + net->w_dec;
    float *g = step->g_aux + first * d;
    for (size_t i = 0; i < rows * m; i++) {
        dgate[i] = pre[i] > 0 ? pre[i] : 0;
    }
    start_residual(step, step->g_aux, first, end);
    gemm(false, false, rows, d, m, 1, dgate, m, w_dec, d, 1, g, d);
    for (size_t i = 0; i < rows * d; i++) {
        sums[SUM_EXTRA] += (double)g[i] * g[i];
        g[i] *= 2 / (float)step->ask.rows;
    }
    gemm(false, true, rows, m, d, 1, g, d, w_dec, d, 0, dgate, m);
}

static int plain_chunk(void *context, size_t job, size_t worker)
{
    SaeStep *step = context;
    const SaeNet *net = step->net;
    const size_t m = net->m, d = net->d_out;
    size_t end;
    const size_t first = sae__chunk(&end, step, job);
    double *sums = sae__row_sums(step, job);
    float *df = step->scratch + worker * 2 * CHUNK_ROWS * m, *dgate = df + CHUNK_ROWS * m;
    fill_values(step, first, end, sums);
    rebuild(step, first, end, sums);
    if (net->kind == SAE_GATED) {
        second_error(step, dgate, first, end, sums);
    }
    for (size_t q = 0; q < step->n_groups; q++) {
        const size_t at = group_first(step, q), width = step->group_end[q] - at;
        gemm(false, true, end - first, width, d, 1, step->g + (q * step->max_rows + first) * d, d,
             net->params + net->w_dec + at * d, d, 0, df + at, m);
    }
    for (size_t r = first; r < end; r++) {
        uint32_t equal = step->equal[r];
        for (size_t j = 0; j < m; j++) {
            const size_t i = r * m + j, own = (r - first) * m + j;
            float dmag = 0, *pre = step->pre + i;
            *pre = !sae__keeps(step, *pre, r, j, &equal)
                       ? 0
                       : sae__coefficient(step, &dmag, *pre, step->dense_f[i], df[own],
                                          net->kind == SAE_GATED ? dgate[own] : 0, j);
            if (step->dense_dmag) {
                step->dense_dmag[i] = dmag;
            }
        }
    }
    return 0;
}

int sae__rows_plain(SaeStep *step, const Work *work)
{
    return pool_run(work->pool, sae__chunks(step), plain_chunk, step);
}

/* Sums over the rows for feature j: its biases, and whether it is active. */
static void column_sums(SaeStep *step, size_t j)
{
    const SaeNet *net = step->net;
    double c = 0, dmag = 0, scaled = 0;
    for (size_t r = 0; r < step->ask.rows; r++) {
        const size_t i = r * net->m + j;
        c += step->pre[i];
        step->fired[j] |= step->dense_f[i] > 0;
        if (step->dense_dmag) {
            dmag += step->dense_dmag[i];
            scaled += (double)step->dense_dmag[i] * step->dense_f[i];
        }
    }
    sae__column_done(step, j, c, dmag, scaled);
}

static int plain_block(void *context, size_t job, size_t worker)
{
    SaeStep *step = context;
    const SaeNet *net = step->net;
    const size_t m = net->m, d = net->d_out, rows = step->ask.rows;
    const size_t first = job * BLOCK_FEATURES;
    const size_t end = first + BLOCK_FEATURES < m ? first + BLOCK_FEATURES : m;
    for (size_t q = 0; q < step->n_groups; q++) { /* the part of the block in each prefix */
        const size_t from = group_first(step, q) > first ? group_first(step, q) : first;
        const size_t to = step->group_end[q] < end ? step->group_end[q] : end;
        if (from < to) {
            gemm(true, false, to - from, d, rows, 1, step->dense_f + from, m,
                 step->g + q * step->max_rows * d, d, 0, step->gradient + net->w_dec + from * d, d);
        }
    }
    gemm(true, false, end - first, net->d_in, rows, 1, step->pre + first, m, step->x, net->d_in, 0,
         step->gradient + net->w_enc + first * net->d_in, net->d_in);
    for (size_t j = first; j < end; j++) {
        column_sums(step, j);
    }
    return 0;
}

int sae__columns_plain(SaeStep *step, const Work *work)
{
    return pool_run(work->pool, (step->net->m + BLOCK_FEATURES - 1) / BLOCK_FEATURES, plain_block,
                    step);
}
