/* probes/lens/lens_ref.c - see probes/lens/lens_ref.h. */
#include "probes/lens/lens_ref.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"

int lens_ref_logits(double *logits, const Gpt *gpt, const float *x, const float *matrix,
                    const float *bias)
{
    size_t C = (size_t)gpt->cfg.d_model, V = (size_t)gpt->cfg.d_vocab;
    const real *w = gpt->params + gpt->map.lnf_w, *b = gpt->params + gpt->map.lnf_b;
    const real *W_U = gpt->params + gpt->map.W_U, *b_U = gpt->params + gpt->map.b_U;
    double mean = 0, variance = 0, *y = mem_alloc(C, sizeof(double), "a row");
    if (!y) {
        return OGPT_ENOMEM;
    }
    for (size_t c = 0; c < C; c++) {
        y[c] = (double)x[c] + (matrix ? (double)bias[c] : 0);
        for (size_t k = 0; k < C && matrix; k++) {
            y[c] += (double)x[k] * (double)matrix[k * C + c];
        }
        mean += y[c] / (double)C;
    }
    for (size_t c = 0; c < C; c++) {
        variance += (y[c] - mean) * (y[c] - mean) / (double)C;
    }
    for (size_t v = 0; v < V; v++) {
        logits[v] = (double)b_U[v];
        for (size_t c = 0; c < C; c++) {
            double h =
                (y[c] - mean) / sqrt(variance + (double)gpt->cfg.eps) * (double)w[c] + (double)b[c];
            logits[v] += h * (double)W_U[c * V + v];
        }
    }
    mem_free(y);
    return 0;
}

static double log_sum(const double *z, size_t V)
{
    double top = z[0], sum = 0;
    for (size_t v = 1; v < V; v++) {
        top = fmax(top, z[v]);
    }
    for (size_t v = 0; v < V; v++) {
        sum += exp(z[v] - top);
    }
    return top + log(sum);
}

double lens_ref_kl(const double *a, const double *b, size_t V)
{
    double of_a = log_sum(a, V), of_b = log_sum(b, V), sum = 0;
    for (size_t v = 0; v < V; v++) {
        sum += exp(a[v] - of_a) * ((a[v] - of_a) - (b[v] - of_b));
    }
    return sum;
}
