/* probes/sae/mmcs.c - contract in probes/sae/mmcs.h. */
#include "probes/sae/mmcs.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "num/vectors.h"

#define MMCS_ROWS 64 /* of a in one product */

typedef struct MmcsRun {
    float *best;        /* (n_a) */
    const float *a, *b; /* rows of length 1, or 0 */
    size_t n_a, n_b, d;
    float *cosines; /* (workers, MMCS_ROWS, n_b) */
} MmcsRun;

static float *unit_rows(const float *rows, size_t n, size_t d)
{
    float *unit = mem_alloc(n * d, sizeof(float), "directions of length 1");
    if (unit) {
        memcpy(unit, rows, n * d * sizeof(*unit));
    }
    for (size_t i = 0; unit && i < n; i++) {
        vector_unit(unit + i * d, d);
    }
    return unit;
}

static int best_of_rows(void *context, size_t job, size_t worker)
{
    const MmcsRun *run = context;
    const size_t first = job * MMCS_ROWS, d = run->d;
    const size_t n = run->n_a - first < MMCS_ROWS ? run->n_a - first : MMCS_ROWS;
    float *cosines = run->cosines + worker * MMCS_ROWS * run->n_b;
    gemm(false, true, n, run->n_b, d, 1, run->a + first * d, d, run->b, d, 0, cosines, run->n_b);
    for (size_t i = 0; i < n; i++) {
        float best = -1;
        for (size_t j = 0; j < run->n_b; j++) {
            best = cosines[i * run->n_b + j] > best ? cosines[i * run->n_b + j] : best;
        }
        run->best[first + i] = vector_length(run->a + (first + i) * d, d) > 0 ? best : NAN;
    }
    return 0;
}

/* What the largest cosines of all directions of a say. */
static void summarise(Mmcs *out, const double *best, size_t n)
{
    double sum = 0;
    size_t above = 0;
    *out = (Mmcs){.mean = NAN, .above = NAN};
    for (size_t i = 0; i < n; i++) {
        if (isnan(best[i])) {
            out->n_zero++;
            continue;
        }
        int bin = best[i] < 0 ? 0 : (int)(best[i] * MMCS_BINS);
        out->histogram[bin < MMCS_BINS ? bin : MMCS_BINS - 1]++;
        sum += best[i];
        above += best[i] > 0.9;
        out->n++;
    }
    if (out->n > 0) {
        out->mean = sum / (double)out->n;
        out->above = (double)above / (double)out->n;
    }
}

int mmcs_of(Mmcs *out, float *best, const MmcsSet *a, const MmcsSet *b, size_t d, const Work *work)
{
    float *unit_a = unit_rows(a->rows, a->n, d), *unit_b = unit_rows(b->rows, b->n, d);
    float *found = mem_alloc(a->n, sizeof(float), "largest cosines");
    double *wide = mem_alloc(a->n, sizeof(double), "largest cosines");
    MmcsRun run = {found, unit_a, unit_b, a->n, b->n, d, NULL};
    run.cosines = mem_alloc(work_workers(work) * MMCS_ROWS * b->n, sizeof(float), "cosines");
    int rc = unit_a && unit_b && found && wide && run.cosines ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : pool_run(work->pool, (a->n + MMCS_ROWS - 1) / MMCS_ROWS, best_of_rows, &run);
    for (size_t i = 0; rc == 0 && i < a->n; i++) {
        wide[i] = found[i];
        if (best) {
            best[i] = found[i];
        }
    }
    if (rc == 0) {
        summarise(out, wide, a->n);
    }
    mem_free(run.cosines);
    mem_free(wide);
    mem_free(found);
    mem_free(unit_b);
    mem_free(unit_a);
    return rc;
}

void mmcs_ref(Mmcs *out, const MmcsSet *a, const MmcsSet *b, size_t d)
{
    double sum = 0;
    size_t above = 0;
    *out = (Mmcs){.mean = NAN, .above = NAN};
    for (size_t i = 0; i < a->n; i++) {
        const double own = vector_length(a->rows + i * d, d);
        double best = -1;
        for (size_t j = 0; j < b->n; j++) {
            const double other = vector_length(b->rows + j * d, d);
            const double dot = vector_dot(a->rows + i * d, b->rows + j * d, d);
            const double cosine = own > 0 && other > 0 ? dot / (own * other) : 0;
            best = cosine > best ? cosine : best;
        }
        if (!(own > 0)) {
            out->n_zero++;
            continue;
        }
        const int bin = best < 0 ? 0 : (int)(best * MMCS_BINS);
        out->histogram[bin < MMCS_BINS ? bin : MMCS_BINS - 1]++;
        out->n++;
        sum += best;
        above += best > 0.9;
    }
    out->mean = out->n > 0 ? sum / (double)out->n : NAN;
    out->above = out->n > 0 ? (double)above / (double)out->n : NAN;
}
