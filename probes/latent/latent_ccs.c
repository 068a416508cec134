/* probes/latent/latent_ccs.c - CCS of all squares and starts at once. See
 * probes/latent/latent_fit.h.
 *
 * All scores of a piece of pairs are two matrix products, and so is the gradient. A chunk is one or
 * more pieces, so that there are never more than CCS_CHUNKS of them, whatever the games; their sums
 * are added in order. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "num/blas.h"
#include "num/optimisers/optim.h"
#include "probes/latent/latent_fit.h"

enum { CCS_PAIRS = 512, CCS_CHUNKS = 64 }; /* pairs of a piece; chunks at most */
#define CCS_RATE 0.02F                     /* of Adam, on standardised rows */

/* ---- the plain version ---- */

double latent_ccs_ref(double *gradient, const double *w, size_t square, const LatentRows *rows,
                      const LatentPairs *pairs)
{
    size_t width = rows->width;
    double loss = 0, n = (double)pairs->of_square[square];
    memset(gradient, 0, (width + 1) * sizeof(*gradient));
    for (size_t i = 0; i < rows->n; i++) {
        const float *first = rows->first + i * width, *second = rows->second + i * width;
        double score[2] = {w[width], w[width]};
        for (size_t c = 0; c < width; c++) {
            score[0] += w[c] * (double)first[c];
            score[1] += w[c] * (double)second[c];
        }
        if (!latent_keeps(pairs, i, square)) {
            continue;
        }
        double p = 1 / (1 + exp(-score[0])), q = 1 / (1 + exp(-score[1])), sum = p + q - 1;
        loss += (sum * sum + pow(fmin(p, q), 2)) / n;
        double dp = (2 * sum + (p <= q ? 2 * p : 0)) * p * (1 - p) / n;
        double dq = (2 * sum + (q < p ? 2 * q : 0)) * q * (1 - q) / n;
        for (size_t c = 0; c < width; c++) {
            gradient[c] += dp * (double)first[c] + dq * (double)second[c];
        }
        gradient[width] += dp + dq;
    }
    return loss;
}

/* ---- all at once ---- */

typedef struct CcsRun {
    const LatentRows *rows;
    const LatentPairs *pairs;
    size_t starts, problems, chunks, pieces; /* pieces: of a chunk */
    const float *w;                          /* (width + 1, problems) */
    float *gradients;                        /* (chunks, width + 1, problems) */
    double *losses;                          /* (chunks, problems) */
    float **scores;                          /* of a worker: (2, CCS_PAIRS, problems) */
} CcsRun;

/* Scores of both members become what their gradients are. */
static void slopes_of(float *p_row, float *q_row, double *loss, float *bias, const CcsRun *run,
                      size_t pair)
{
    for (size_t s = 0; s < run->pairs->n_squares; s++) {
        bool kept = latent_keeps(run->pairs, pair, s);
        float share = kept ? 1 / (float)run->pairs->of_square[s] : 0;
        for (size_t k = s * run->starts; k < (s + 1) * run->starts; k++) {
            if (!kept) {
                p_row[k] = q_row[k] = 0;
                continue;
            }
            float p = 1 / (1 + expf(-p_row[k])), q = 1 / (1 + expf(-q_row[k])), sum = p + q - 1;
            float least = p < q ? p : q;
            loss[k] += (double)((sum * sum + least * least) * share);
            p_row[k] = (2 * sum + (p <= q ? 2 * p : 0)) * p * (1 - p) * share;
            q_row[k] = (2 * sum + (q < p ? 2 * q : 0)) * q * (1 - q) * share;
            bias[k] += p_row[k] + q_row[k];
        }
    }
}

/* Add what `n` pairs from `first` on give. `add`: 0 for the first piece of a chunk. */
static void add_piece(float *gradient, double *loss, const CcsRun *run, float *scores, size_t first,
                      size_t n, float add)
{
    size_t width = run->rows->width, Q = run->problems;
    float *p = scores, *q = p + CCS_PAIRS * Q;
    const float *a = run->rows->first + first * width, *b = run->rows->second + first * width;
    for (size_t i = 0; i < n; i++) {
        memcpy(p + i * Q, run->w + width * Q, Q * sizeof(*p));
        memcpy(q + i * Q, run->w + width * Q, Q * sizeof(*q));
    }
    gemm(false, false, n, Q, width, 1, a, width, run->w, Q, 1, p, Q);
    gemm(false, false, n, Q, width, 1, b, width, run->w, Q, 1, q, Q);
    for (size_t i = 0; i < n; i++) {
        slopes_of(p + i * Q, q + i * Q, loss, gradient + width * Q, run, first + i);
    }
    gemm(true, false, width, Q, n, 1, a, width, p, Q, add, gradient, Q);
    gemm(true, false, width, Q, n, 1, b, width, q, Q, 1, gradient, Q);
}

static int chunk_job(void *context, size_t chunk, size_t worker)
{
    const CcsRun *run = context;
    size_t width = run->rows->width, Q = run->problems;
    float *gradient = run->gradients + chunk * (width + 1) * Q;
    double *loss = run->losses + chunk * Q;
    memset(gradient + width * Q, 0, Q * sizeof(*gradient));
    memset(loss, 0, Q * sizeof(*loss));
    for (size_t piece = 0; piece < run->pieces; piece++) {
        size_t first = (chunk * run->pieces + piece) * CCS_PAIRS;
        size_t left = first < run->rows->n ? run->rows->n - first : 0;
        if (left > 0) {
            add_piece(gradient, loss, run, run->scores[worker], first,
                      left < CCS_PAIRS ? left : CCS_PAIRS, piece > 0);
        }
    }
    return 0;
}

/* How n pairs are cut: returns chunks, each of *pieces of CCS_PAIRS pairs, the last one shorter. */
static size_t chunks_of(size_t *pieces, size_t n)
{
    size_t all = (n + CCS_PAIRS - 1) / CCS_PAIRS;
    *pieces = (all + CCS_CHUNKS - 1) / CCS_CHUNKS;
    return *pieces ? (all + *pieces - 1) / *pieces : 0;
}

size_t latent_ccs_bytes(size_t n, size_t width, size_t n_squares, size_t starts, const Work *work)
{
    size_t pieces, chunks = chunks_of(&pieces, n), Q = n_squares * starts;
    size_t numbers = (width + 1) * Q;
    return (chunks + 4) * numbers * sizeof(float) + (chunks + 1) * Q * sizeof(double) +
           work_workers(work) * 2 * CCS_PAIRS * Q * sizeof(float);
}

static int ccs_begin(CcsRun *run, const LatentRows *rows, const LatentPairs *pairs, size_t starts,
                     const Work *work)
{
    size_t workers = work_workers(work), Q = pairs->n_squares * starts;
    *run = (CcsRun){.rows = rows, .pairs = pairs, .starts = starts, .problems = Q};
    run->chunks = chunks_of(&run->pieces, rows->n);
    run->gradients =
        mem_alloc(run->chunks * (rows->width + 1) * Q, sizeof(float), "gradients of pairs");
    run->losses = mem_alloc(run->chunks * Q, sizeof(double), "losses of pairs");
    run->scores = mem_calloc(workers, sizeof(*run->scores), "scores of pairs");
    int rc = run->gradients && run->losses && run->scores ? 0 : OGPT_ENOMEM;
    for (size_t w = 0; w < workers && rc == 0; w++) {
        run->scores[w] = mem_alloc(2 * CCS_PAIRS * Q, sizeof(float), "scores of pairs");
        rc = run->scores[w] ? 0 : OGPT_ENOMEM;
    }
    return rc;
}

static void ccs_end(CcsRun *run, const Work *work)
{
    for (size_t w = 0; w < work_workers(work) && run->scores; w++) {
        mem_free(run->scores[w]);
    }
    mem_free(run->scores);
    mem_free(run->gradients);
    mem_free(run->losses);
}

/* Chunks are added up in their order. */
static int ccs_evaluate(float *gradient, double *loss, CcsRun *run, const float *w,
                        const Work *work)
{
    size_t Q = run->problems, numbers = (run->rows->width + 1) * Q;
    run->w = w;
    int rc = pool_run(work->pool, run->chunks, chunk_job, run);
    memset(gradient, 0, numbers * sizeof(*gradient));
    memset(loss, 0, Q * sizeof(*loss));
    for (size_t chunk = 0; chunk < run->chunks && rc == 0; chunk++) {
        for (size_t i = 0; i < numbers; i++) {
            gradient[i] += run->gradients[chunk * numbers + i];
        }
        for (size_t k = 0; k < Q; k++) {
            loss[k] += run->losses[chunk * Q + k];
        }
    }
    return rc;
}

int latent_ccs_gradient(float *gradient, double *loss, const float *w, size_t starts,
                        const LatentRows *rows, const LatentPairs *pairs, const Work *work)
{
    CcsRun run;
    int rc = ccs_begin(&run, rows, pairs, starts, work);
    rc = rc ? rc : ccs_evaluate(gradient, loss, &run, w, work);
    ccs_end(&run, work);
    return rc;
}

/* ---- the fit ---- */

/* The arrays of Adam, one block. */
typedef struct CcsState {
    float *w, *m, *v, *gradient; /* (width + 1, problems) */
    double *loss;                /* (problems) */
} CcsState;

static int descend(CcsState *state, CcsRun *run, size_t steps, const Work *work)
{
    size_t numbers = (run->rows->width + 1) * run->problems;
    int rc = 0;
    for (size_t step = 0; step <= steps && rc == 0; step++) {
        const AdamWStep adam = {.lr = CCS_RATE,
                                .beta1 = 0.9F,
                                .beta2 = 0.999F,
                                .eps = 1e-8F,
                                .step = (int64_t)step + 1};
        rc = interrupt_pending()
                 ? err_set(OGPT_EINTR, "interrupted after %zu of %zu steps", step, steps)
                 : ccs_evaluate(state->gradient, state->loss, run, state->w, work);
        if (rc == 0 && step < steps) { /* the last evaluation is of the result */
            adamw_step(state->w, state->m, state->v, state->gradient, numbers, 1, &adam);
        }
        work_tick(work, "steps", (double)step, (double)steps);
    }
    return rc;
}

/* The start of every square that has the least loss. */
static int choose(LatentFit *out, const CcsState *state, const CcsRun *run)
{
    size_t width = run->rows->width, Q = run->problems;
    for (size_t s = 0; s < out->n_squares; s++) {
        size_t best = s * run->starts;
        out->stopped[s] = NAN;
        for (size_t k = best; k < (s + 1) * run->starts; k++) {
            best = state->loss[k] < state->loss[best] ? k : best;
        }
        if (run->pairs->of_square[s] == 0) {
            continue;
        }
        if (!isfinite(state->loss[best])) {
            return err_set(OGPT_ENUM, "CCS: the loss of square %zu is not finite", s);
        }
        out->loss[s] = state->loss[best];
        for (size_t c = 0; c < width; c++) {
            out->w[s * width + c] = state->w[c * Q + best];
        }
    }
    return 0;
}

int latent_ccs(LatentFit *out, const LatentRows *rows, const LatentPairs *pairs,
               const LatentOptions *options, const Work *work)
{
    size_t Q = pairs->n_squares * options->starts, numbers = (rows->width + 1) * Q;
    CcsRun run;
    *out = (LatentFit){0};
    float *memory = mem_calloc(4 * numbers, sizeof(*memory), "weights of CCS");
    double *loss = mem_alloc(Q, sizeof(*loss), "losses of CCS");
    int rc = ccs_begin(&run, rows, pairs, options->starts, work);
    rc = rc ? rc : latent_fit_allocate(out, rows->width, pairs->n_squares);
    rc = rc || (memory && loss) ? rc : OGPT_ENOMEM;
    if (rc == 0) {
        CcsState state = {memory, memory + numbers, memory + 2 * numbers, memory + 3 * numbers,
                          loss};
        for (size_t k = 0; k < Q; k++) {
            Rng rng = rng_at(work->seed, RNG_LATENT, UINT64_C(2) << 40 | k);
            for (size_t c = 0; c < rows->width; c++) {
                state.w[c * Q + k] = (float)(rng_normal(&rng) / sqrt((double)rows->width));
            }
        }
        rc = descend(&state, &run, options->steps, work);
        rc = rc ? rc : choose(out, &state, &run);
    }
    if (rc != 0) {
        latent_fit_release(out);
    }
    ccs_end(&run, work);
    mem_free(memory);
    mem_free(loss);
    return rc;
}
