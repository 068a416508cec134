/* probes/steering/steer_heads.c - see probes/steering/steer_heads.h. */
#include "probes/steering/steer_heads.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/graph/outputs.h"
#include "probes/steering/steer_sums.h"

static int compare_heads(const void *a, const void *b)
{
    const SteerHead *x = a, *y = b;
    const double difference = y->effect.value - x->effect.value;
    return difference > 0         ? 1
           : difference < 0       ? -1
           : x->layer != y->layer ? x->layer - y->layer
                                  : x->head - y->head;
}

int steer_heads_rank(SteerHead *out, const Gpt *gpt, const SteerCases *cases, const SteerBank *to,
                     const SteerScore *clean, const float *answers, const Work *work)
{
    const int NH = gpt->cfg.n_heads, n = gpt->cfg.n_layers * NH;
    SteerScore *scores = mem_alloc(cases->n, sizeof(*scores), "effects of heads");
    int rc = scores ? 0 : OGPT_ENOMEM;
    for (int h = 0; h < n && rc == 0; h++) {
        const SteerChange change = {
            .kind = STEER_HEAD, .bank = to, .group = -1, .layer = h / NH, .head = h % NH};
        rc = steer_run_kept(scores, gpt, cases, &change, answers, (SteerPlace){"heads", (size_t)h},
                            work);
        if (rc == 0) {
            out[h] = (SteerHead){
                h / NH, h % NH,
                steer_paired(cases, STEER_OF_METRIC, STEER_CARING, scores, clean, work->seed)};
        }
        work_tick(work, "heads", h + 1, n);
    }
    mem_free(scores);
    if (rc == 0) {
        qsort(out, (size_t)n, sizeof(*out), compare_heads);
    }
    return rc;
}

/* out (C) += sign * what one head writes where its z is that of the bank. */
static void add_output(double *out, real *z, real *written, const Gpt *gpt, const SteerHead *head,
                       const float *mean, double sign)
{
    const size_t C = (size_t)gpt->cfg.d_model;
    for (size_t c = 0; c < C; c++) {
        z[c] = (real)mean[c];
    }
    outputs_of_head(written, gpt, head->layer, head->head, z, 1);
    for (size_t c = 0; c < C; c++) {
        out[c] += sign * (double)written[c];
    }
}

int steer_heads_bank(SteerBank *out, HookSite site, const Gpt *gpt, const SteerBank *to,
                     const SteerBank *from, const SteerHead *heads, size_t n)
{
    const size_t C = (size_t)gpt->cfg.d_model;
    double *sum = mem_alloc(C, sizeof(*sum), "a function vector");
    real *rows = mem_alloc(2 * C, sizeof(*rows), "output of a head");
    int rc = sum && rows ? steer_bank_new(out, site, &gpt->cfg, to->n_groups) : OGPT_ENOMEM;
    for (size_t g = 0; g < to->n_groups && rc == 0; g++) {
        memset(sum, 0, C * sizeof(*sum));
        for (size_t h = 0; h < n; h++) {
            const int layer = heads[h].layer;
            add_output(sum, rows, rows + C, gpt, &heads[h], steer_bank_at(to, layer, g), 1);
            if (from) {
                add_output(sum, rows, rows + C, gpt, &heads[h], steer_bank_at(from, layer, g), -1);
            }
        }
        for (size_t l = 0; l < out->n_layers; l++) {
            for (size_t c = 0; c < C; c++) {
                steer_bank_at(out, (int)l, g)[c] = (float)sum[c];
            }
        }
    }
    mem_free(sum);
    mem_free(rows);
    return rc;
}
