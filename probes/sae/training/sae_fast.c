/* probes/sae/training/sae_fast.c - contract in probes/sae/training/sae_net.h: rows and columns of
 * listed features only. Agrees with sae_plain.c but for the order of sums. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/sae/training/sae_net.h"
#include "probes/sae/training/sae_vectors.h"

/* The longest prefix of matryoshka that does not hold feature j is behind it: 0 for the first. */
static inline size_t group_of(const SaeStep *step, size_t j)
{
    size_t q = 0;
    while (q + 1 < step->n_groups && j >= step->group_end[q]) {
        q++;
    }
    return q;
}

/* Fill the entries of a row: features and values. */
static void list_row(SaeStep *step, size_t r, double *sums)
{
    const SaeNet *net = step->net;
    const float *pre = step->pre + r * net->m;
    SaeList *list = &step->kept;
    uint32_t equal = step->equal[r];
    size_t at = list->row_at[r];
    for (size_t j = 0; j < net->m; j++) {
        if (sae__keeps(step, pre[j], r, j, &equal)) {
            list->index[at++] = (uint32_t)j;
        }
    }
    for (size_t i = list->row_at[r]; i < list->row_end[r]; i++) {
        const size_t j = list->index[i];
        const float f = sae__value(net, pre[j], j);
        list->f[i] = f;
        if (f > 0) {
            sums[SUM_LEAST] = f < sums[SUM_LEAST] ? f : sums[SUM_LEAST];
        }
        sums[SUM_F] += net->kind == SAE_GATED ? pre[j] : f;
    }
}

/* residual and g of a row, prefix by prefix. */
static void rebuild_row(SaeStep *step, size_t r, double *sums)
{
    const SaeNet *net = step->net;
    const SaeList *list = &step->kept;
    const size_t d = net->d_out;
    const float scale = 2 / (float)step->ask.rows, *b_dec = net->params + net->b_dec;
    float *residual = step->residual + r * d;
    const float *y = step->y + r * d;
    for (size_t c = 0; c < d; c++) {
        residual[c] = b_dec[c] - y[c];
    }
    size_t i = list->row_at[r];
    for (size_t q = 0; q < step->n_groups; q++) {
        size_t from = i;
        while (i < list->row_end[r] && list->index[i] < step->group_end[q]) {
            i++;
        }
        sae__add_rows(residual, net->params + net->w_dec, list->index + from, list->f + from,
                      i - from, d);
        float *g = step->g + (q * step->max_rows + r) * d;
        for (size_t c = 0; c < d; c++) {
            g[c] = scale * residual[c];
        }
        if (q + 1 < step->n_groups) {
            sums[SUM_EXTRA] += sae__dot(residual, residual, d);
        }
    }
    for (size_t q = step->n_groups - 1; q-- > 0;) {
        float *g = step->g + (q * step->max_rows + r) * d;
        for (size_t c = 0; c < d; c++) {
            g[c] += g[step->max_rows * d + c];
        }
    }
    sae__row_done(step, sums, residual, step->g + r * d, r);
}

/* gated: d second error / d x_hat of a row, into g_aux. */
static void second_error(SaeStep *step, size_t r, double *sums)
{
    const SaeNet *net = step->net;
    const SaeList *list = &step->kept;
    const size_t d = net->d_out, at = list->row_at[r], n = list->row_end[r] - at;
    const float *pre = step->pre + r * net->m, *b_dec = net->params + net->b_dec;
    float *g = step->g_aux + r * d;
    for (size_t c = 0; c < d; c++) {
        g[c] = b_dec[c] - step->y[r * d + c];
    }
    for (size_t i = 0; i < n; i++) {
        list->c[at + i] = pre[list->index[at + i]]; /* for a moment */
    }
    sae__add_rows(g, net->params + net->w_dec, list->index + at, list->c + at, n, d);
    sums[SUM_EXTRA] += sae__dot(g, g, d);
    for (size_t c = 0; c < d; c++) {
        g[c] *= 2 / (float)step->ask.rows;
    }
}

static int fast_chunk(void *context, size_t job, size_t worker)
{
    SaeStep *step = context;
    const SaeNet *net = step->net;
    SaeList *list = &step->kept;
    const size_t d = net->d_out;
    size_t end;
    const size_t first = sae__chunk(&end, step, job);
    double *sums = sae__row_sums(step, job);
    for (size_t r = first; r < end; r++) {
        const float *pre = step->pre + r * net->m;
        list_row(step, r, sums);
        rebuild_row(step, r, sums);
        if (net->kind == SAE_GATED) {
            second_error(step, r, sums);
        }
        for (size_t i = list->row_at[r]; i < list->row_end[r]; i++) {
            const size_t j = list->index[i];
            const float *w = net->params + net->w_dec + j * d;
            const float *g = step->g + (group_of(step, j) * step->max_rows + r) * d;
            float dmag, dgate = 0;
            if (net->kind == SAE_GATED) {
                dgate = sae__dot(step->g_aux + r * d, w, d);
            }
            list->c[i] =
                sae__coefficient(step, &dmag, pre[j], list->f[i], sae__dot(g, w, d), dgate, j);
            if (list->dmag) {
                list->dmag[i] = dmag;
            }
        }
    }
    return 0;
}

int sae__rows_fast(SaeStep *step, const Work *work)
{
    return pool_run(work->pool, sae__chunks(step), fast_chunk, step);
}

/* ---- by features ---- */

typedef struct TurnRun {
    SaeStep *step;
    SaeList *list;
} TurnRun;

static int count_columns(void *context, size_t job, size_t worker)
{
    const TurnRun *run = context;
    const SaeList *list = run->list;
    size_t end;
    const size_t first = sae__chunk(&end, run->step, job), m = run->step->net->m;
    uint32_t *counts = list->counts + job * m;
    memset(counts, 0, m * sizeof(*counts));
    for (size_t r = first; r < end; r++) {
        for (size_t i = list->row_at[r]; i < list->row_end[r]; i++) {
            counts[list->index[i]]++;
        }
    }
    return 0;
}

static int place_columns(void *context, size_t job, size_t worker)
{
    const TurnRun *run = context;
    const SaeList *list = run->list;
    size_t end;
    const size_t first = sae__chunk(&end, run->step, job);
    uint32_t *next = list->counts + job * run->step->net->m; /* places by now */
    for (size_t r = first; r < end; r++) {
        for (size_t i = list->row_at[r]; i < list->row_end[r]; i++) {
            const uint32_t place = next[list->index[i]]++;
            list->entry[place] = (uint32_t)i;
            list->row[place] = (uint32_t)r;
        }
    }
    return 0;
}

int sae__list_turn(SaeStep *step, SaeList *list, const Work *work)
{
    TurnRun run = {step, list};
    const size_t chunks = sae__chunks(step), m = step->net->m;
    int rc = pool_run(work->pool, chunks, count_columns, &run);
    if (rc) {
        return rc;
    }
    uint32_t place = 0;
    for (size_t j = 0; j < m; j++) {
        list->column_at[j] = place;
        for (size_t chunk = 0; chunk < chunks; chunk++) {
            const uint32_t n = list->counts[chunk * m + j];
            list->counts[chunk * m + j] = place;
            place += n;
        }
    }
    list->column_at[m] = place;
    return pool_run(work->pool, chunks, place_columns, &run);
}

typedef struct ColumnRun {
    SaeStep *step;
    const SaeList *list;
    bool revived;
} ColumnRun;

static void fast_column(const ColumnRun *run, size_t j)
{
    SaeStep *step = run->step;
    const SaeNet *net = step->net;
    const SaeList *list = run->list;
    const size_t at = list->column_at[j], n = list->column_at[j + 1] - at;
    const float *g =
        run->revived ? step->g_aux : step->g + group_of(step, j) * step->max_rows * net->d_out;
    double c = 0, dmag = 0, scaled = 0;
    if (n == 0) {
        return;
    }
    for (size_t i = at; i < at + n; i++) {
        const size_t entry = list->entry[i];
        c += list->c[entry];
        step->fired[j] |= !run->revived && list->f[entry] > 0;
        if (list->dmag) {
            dmag += list->dmag[entry];
            scaled += (double)list->dmag[entry] * list->f[entry];
        }
    }
    sae__add_entries(step->gradient + net->w_dec + j * net->d_out, g, list->row + at,
                     list->entry + at, list->f, n, net->d_out);
    sae__add_entries(step->gradient + net->w_enc + j * net->d_in, step->x, list->row + at,
                     list->entry + at, list->c, n, net->d_in);
    sae__column_done(step, j, c, dmag, scaled);
}

static int fast_block(void *context, size_t job, size_t worker)
{
    const ColumnRun *run = context;
    const size_t first = job * BLOCK_FEATURES, m = run->step->net->m;
    for (size_t j = first; j < first + BLOCK_FEATURES && j < m; j++) {
        fast_column(run, j);
    }
    return 0;
}

int sae__columns_fast(SaeStep *step, bool revived, const Work *work)
{
    ColumnRun run = {step, revived ? &step->revived : &step->kept, revived};
    int rc = sae__list_turn(step, revived ? &step->revived : &step->kept, work);
    return rc ? rc
              : pool_run(work->pool, (step->net->m + BLOCK_FEATURES - 1) / BLOCK_FEATURES,
                         fast_block, &run);
}
