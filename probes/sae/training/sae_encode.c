/* probes/sae/training/sae_encode.c - contract in probes/sae/training/sae_net.h: what every feature
 * says of every row, and which are kept. */
#include <math.h>
#include <string.h>

#include "num/blas.h"
#include "probes/sae/training/sae_net.h"
#include "probes/sae/sae_select.h"

#define FLOOR_SHARE 0.8F /* of a limit: the next one will hardly be below */

typedef struct EncodeRun {
    SaeStep *step;
    Selection selection; /* batchtopk */
    bool guessed;        /* it looks only at what is above the floor */
} EncodeRun;

static int make_biases(void *context, size_t job, size_t worker)
{
    SaeStep *step = ((EncodeRun *)context)->step;
    const SaeNet *net = step->net;
    const float *params = net->params, *b_dec = params + net->b_dec;
    const size_t last = (job + 1) * BLOCK_FEATURES;
    for (size_t j = job * BLOCK_FEATURES; j < last && j < net->m; j++) {
        double sum = params[net->b_enc + j];
        for (size_t c = 0; c < net->d_in && net->kind != SAE_TRANSCODER; c++) {
            sum -= (double)params[net->w_enc + j * net->d_in + c] * b_dec[c];
        }
        step->b_pre[j] = (float)sum;
        if (net->kind == SAE_JUMPRELU) {
            const float least = params[net->extra + j] - SAE_BANDWIDTH / 2;
            step->least[j] = least > 0 ? least : 0;
        }
    }
    return 0;
}

/* topk: the smallest value that is kept in a row, and how many of those that have it. */
static void limit_row(SaeStep *step, size_t r, float *scratch)
{
    const float *pre = step->pre + r * step->net->m;
    size_t n = sae__select_above(scratch, pre, step->net->m, step->floor), above = 0;
    if (n < step->ask.k && step->floor > 0) {
        n = sae__select_above(scratch, pre, step->net->m, 0);
    }
    const float least = sae__kth_largest(scratch, n, step->ask.k);
    for (size_t i = 0; i < n; i++) {
        above += scratch[i] > least;
    }
    step->least[r] = least;
    step->equal[r] = (uint32_t)(step->ask.k > above ? step->ask.k - above : 0);
}

static int encode_chunk(void *context, size_t job, size_t worker)
{
    EncodeRun *run = context;
    SaeStep *step = run->step;
    const SaeNet *net = step->net;
    const size_t m = net->m, d = net->d_in;
    size_t end;
    const size_t first = sae__chunk(&end, step, job);
    gemm(false, true, end - first, m, d, 1, step->x + first * d, d, net->params + net->w_enc, d, 0,
         step->pre + first * m, m);
    for (size_t r = first; r < end; r++) {
        float *pre = step->pre + r * m;
        for (size_t j = 0; j < m; j++) {
            pre[j] += step->b_pre[j];
        }
        if (net->kind == SAE_TOPK) {
            limit_row(step, r, step->dead_pre + worker * m);
        }
    }
    return 0;
}

/* The numbers of a chunk that may be among the largest; SIZE_MAX where there are too many of them
 * to be worth it. */
static int gather_chunk(void *context, size_t job, size_t worker)
{
    SaeStep *step = ((EncodeRun *)context)->step;
    const size_t m = step->net->m, room = CHUNK_ROWS * (m / 4 + 1);
    float *row = step->dead_pre + worker * m, *high = step->high + job * room;
    size_t end, n = 0;
    const size_t first = sae__chunk(&end, step, job);
    for (size_t r = first; r < end && n != SIZE_MAX; r++) {
        const size_t own = sae__select_above(row, step->pre + r * m, m, step->floor);
        if (n + own > room) {
            n = SIZE_MAX;
        } else {
            memcpy(high + n, row, own * sizeof(float));
            n += own;
        }
    }
    step->n_high[job] = n;
    return 0;
}

static int count_chunk(void *context, size_t job, size_t worker)
{
    EncodeRun *run = context;
    SaeStep *step = run->step;
    const size_t m = step->net->m;
    size_t end;
    const size_t first = sae__chunk(&end, step, job);
    uint32_t *bins = step->bins + job * SELECT_BINS;
    memset(bins, 0, SELECT_BINS * sizeof(*bins));
    if (run->guessed) {
        sae__select_count(bins, &run->selection, step->high + job * CHUNK_ROWS * (m / 4 + 1),
                          step->n_high[job]);
    } else {
        sae__select_count(bins, &run->selection, step->pre + first * m, (end - first) * m);
    }
    return 0;
}

/* Whether the numbers above the floor are enough to find the limit among them. */
static int guess_limit(EncodeRun *run, const Work *work)
{
    SaeStep *step = run->step;
    uint64_t n = 0;
    if (!(step->floor > 0)) {
        return 0;
    }
    int rc = pool_run(work->pool, sae__chunks(step), gather_chunk, run);
    run->guessed = rc == 0;
    for (size_t chunk = 0; chunk < sae__chunks(step); chunk++) {
        run->guessed = run->guessed && step->n_high[chunk] != SIZE_MAX;
        n += step->n_high[chunk];
    }
    run->guessed = run->guessed && n >= run->selection.k;
    return rc;
}

/* The limit above which k values a row are kept, over the whole batch: at most that many are, also
 * where several are equal. */
static int find_limit(EncodeRun *run, const Work *work)
{
    SaeStep *step = run->step;
    const size_t chunks = sae__chunks(step);
    run->selection = (Selection){.k = (uint64_t)step->ask.k * step->ask.rows + 1};
    step->limit = 0;
    int rc = guess_limit(run, work);
    while (rc == 0 && run->selection.round < SELECT_ROUNDS) {
        uint64_t bins[SELECT_BINS] = {0};
        rc = pool_run(work->pool, chunks, count_chunk, run);
        for (size_t i = 0; rc == 0 && i < chunks * SELECT_BINS; i++) {
            bins[i % SELECT_BINS] += step->bins[i];
        }
        if (rc == 0 && !sae__select_round(&run->selection, bins)) {
            return 0; /* so few are positive that all of them are kept */
        }
    }
    step->limit = rc ? 0 : sae__select_value(&run->selection);
    step->floor = FLOOR_SHARE * step->limit;
    return rc;
}

/* row_end = entries of each row; the number of active ones in the chunk's sums. */
static int list_chunk(void *context, size_t job, size_t worker)
{
    SaeStep *step = ((EncodeRun *)context)->step;
    const SaeNet *net = step->net;
    const size_t m = net->m;
    size_t end;
    const size_t first = sae__chunk(&end, step, job);
    double *sums = sae__row_sums(step, job);
    memset(sums, 0, (N_ROW_SUMS + 2 * net->d_out) * sizeof(*sums));
    sums[SUM_LEAST] = INFINITY;
    size_t active = 0;
    for (size_t r = first; r < end; r++) {
        const float *pre = step->pre + r * m;
        uint32_t equal = step->equal[r];
        size_t n = 0;
        for (size_t j = 0; j < m; j++) {
            const bool kept = sae__keeps(step, pre[j], r, j, &equal);
            n += kept;
            if (net->kind == SAE_JUMPRELU || net->kind == SAE_GATED) {
                active += kept && sae__value(net, pre[j], j) > 0;
            }
        }
        step->kept.row_end[r] = n;
        active += net->kind == SAE_JUMPRELU || net->kind == SAE_GATED ? 0 : n;
    }
    sums[SUM_ACTIVE] = (double)active;
    return 0;
}

int sae__encode(SaeStep *step, size_t *entries, const Work *work)
{
    EncodeRun run = {.step = step};
    const SaeNet *net = step->net;
    const size_t chunks = sae__chunks(step);
    step->limit = 0;
    int rc =
        pool_run(work->pool, (net->m + BLOCK_FEATURES - 1) / BLOCK_FEATURES, make_biases, &run);
    rc = rc ? rc : pool_run(work->pool, chunks, encode_chunk, &run);
    if (rc == 0 && sae_has_k(net->kind) && net->kind != SAE_TOPK) {
        rc = find_limit(&run, work);
    }
    rc = rc ? rc : pool_run(work->pool, chunks, list_chunk, &run);
    if (rc) {
        return rc;
    }
    *entries = 0;
    for (size_t r = 0; r < step->ask.rows; r++) {
        step->kept.row_at[r] = *entries;
        *entries += step->kept.row_end[r];
        step->kept.row_end[r] = *entries;
    }
    if (net->kind == SAE_TOPK) { /* most rows of the next batch have enough above this */
        double sum = 0;
        for (size_t r = 0; r < step->ask.rows; r++) {
            sum += step->least[r];
        }
        step->floor = FLOOR_SHARE * (float)(sum / (double)step->ask.rows);
    }
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        step->sums.active += sae__row_sums(step, chunk)[SUM_ACTIVE];
    }
    return 0;
}
