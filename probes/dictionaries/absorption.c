/* probes/dictionaries/absorption.c - see probes/dictionaries/absorption.h. */
#include "probes/dictionaries/absorption.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"

enum { ABSORPTION_CODED = 256 }; /* rows that are coded together */

typedef struct Mains {
    uint32_t feature[ABSORPTION_MAINS];
    size_t n;
} Mains;

/* Rows where the probe sees a pair, and of these where it is absorbed. */
typedef struct Seen {
    uint64_t rows, absorbed;
} Seen;

typedef struct Absorbing {
    const AbsorptionInput *in;
    size_t m, words, pairs; /* pairs of the board: 3 squares */
    uint64_t *on;           /* (m, words) choosing rows where a feature is on, as bits */
    uint64_t *there;        /* (pairs, words) */
    Mains *mains;           /* (pairs) */
    float *dots;            /* (m, pairs) W_dec[j] . direction */
    float *lengths;         /* (m) */
    float *f, *yes;         /* (workers, ABSORPTION_CODED, m), the same with pairs */
    Seen *seen;             /* (workers) */
} Absorbing;

/* ---- main features ---- */

static int fill_bits(void *context, size_t j, size_t worker)
{
    Absorbing *run = context;
    const AbsorptionRows *rows = &run->in->choose;
    const uint8_t *levels = rows->levels + j * rows->board.n;
    for (size_t i = 0; i < rows->board.n; i++) {
        run->on[j * run->words + i / 64] |= (uint64_t)(levels[i] > 0) << i % 64;
    }
    return 0;
}

static void fill_there(Absorbing *run)
{
    const CoverageRows *board = &run->in->choose.board;
    for (size_t i = 0; i < board->n; i++) {
        const uint8_t *labels = board->labels + i * COVERAGE_SQUARES;
        for (size_t s = 0; s < board->n_squares; s++) {
            const size_t pair = labels[s] * board->n_squares + s;
            run->there[pair * run->words + i / 64] |= UINT64_C(1) << i % 64;
        }
    }
}

/* F1 of "one of `any` or this feature is on". */
static double f1_with(const Absorbing *run, const uint64_t *any, size_t feature,
                      const uint64_t *there)
{
    const uint64_t *on = run->on + feature * run->words;
    double hits = 0, said = 0, true_rows = 0;
    for (size_t w = 0; w < run->words; w++) {
        hits += __builtin_popcountll((any[w] | on[w]) & there[w]);
        said += __builtin_popcountll(any[w] | on[w]);
        true_rows += __builtin_popcountll(there[w]);
    }
    return coverage_f1(hits, said, true_rows);
}

static int find_mains(void *context, size_t pair, size_t worker)
{
    Absorbing *run = context;
    Mains *mains = &run->mains[pair];
    const uint64_t *there = run->there + pair * run->words;
    uint64_t *any = mem_calloc(run->words, sizeof(*any), "rows of main features");
    double reached = 0;
    while (any && mains->n < ABSORPTION_MAINS) {
        size_t best = 0;
        double most = 0;
        for (size_t j = 0; j < run->m; j++) {
            const double f1 = f1_with(run, any, j, there);
            best = f1 > most ? j : best;
            most = f1 > most ? f1 : most;
        }
        if (most <= 0 || (mains->n > 0 && most - reached <= ABSORPTION_GAIN)) {
            break;
        }
        mains->feature[mains->n++] = (uint32_t)best;
        reached = most;
        for (size_t w = 0; w < run->words; w++) {
            any[w] |= run->on[best * run->words + w];
        }
    }
    const int rc = !any ? OGPT_ENOMEM
                   : interrupt_pending()
                       ? err_set(OGPT_EINTR, "interrupted while features are chosen")
                       : 0;
    mem_free(any);
    return rc;
}

/* ---- absorption ---- */

static bool is_absorbed(const Absorbing *run, const float *f, size_t pair)
{
    const Mains *mains = &run->mains[pair];
    double sum = 0, most = 0;
    size_t best = 0;
    for (size_t k = 0; k < mains->n; k++) {
        if (f[mains->feature[k]] > 0) {
            return false;
        }
    }
    for (size_t j = 0; j < run->m; j++) {
        const double part = f[j] > 0 ? (double)f[j] * run->dots[j * run->pairs + pair] : 0;
        best = part > most ? j : best;
        most = part > most ? part : most;
        sum += part;
    }
    return most > 0 && most > sum / 2 &&
           run->dots[best * run->pairs + pair] > ABSORPTION_COSINE * run->lengths[best];
}

static int look_at_rows(void *context, size_t job, size_t worker)
{
    Absorbing *run = context;
    const AbsorptionInput *in = run->in;
    const CoverageRows *board = &in->test.board;
    const size_t first = job * ABSORPTION_CODED, left = board->n - first;
    const size_t n = left < ABSORPTION_CODED ? left : ABSORPTION_CODED;
    float *f = run->f + worker * ABSORPTION_CODED * run->m;
    float *yes = run->yes + worker * ABSORPTION_CODED * run->pairs;
    codebook_encode(in->codebook, in->inputs + first * in->codebook->inputs, n, f);
    codebook_encode(in->probe, in->x + first * in->probe->inputs, n, yes);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *labels = board->labels + (first + i) * COVERAGE_SQUARES;
        for (size_t s = 0; s < board->n_squares; s++) {
            const size_t pair = labels[s] * board->n_squares + s;
            if (yes[i * run->pairs + pair] > 0 && run->mains[pair].n > 0) {
                run->seen[worker].rows++;
                run->seen[worker].absorbed += is_absorbed(run, f + i * run->m, pair);
            }
        }
    }
    return interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while absorption is counted") : 0;
}

/* ---- all of it ---- */

static int allocate(Absorbing *run, const Work *work)
{
    const size_t workers = work_workers(work), coded = workers * ABSORPTION_CODED;
    run->on = mem_calloc(run->m * run->words, sizeof(*run->on), "rows of features");
    run->there = mem_calloc(run->pairs * run->words, sizeof(*run->there), "rows of squares");
    run->mains = mem_calloc(run->pairs, sizeof(*run->mains), "main features");
    run->dots = mem_alloc(run->m * run->pairs, sizeof(*run->dots), "features by squares");
    run->lengths = mem_alloc(run->m, sizeof(*run->lengths), "lengths of columns");
    run->f = mem_alloc(coded * run->m, sizeof(*run->f), "features of rows");
    run->yes = mem_alloc(coded * run->pairs, sizeof(*run->yes), "squares of rows");
    run->seen = mem_calloc(workers, sizeof(*run->seen), "counts of absorption");
    return run->on && run->there && run->mains && run->dots && run->lengths && run->f && run->yes &&
                   run->seen
               ? 0
               : OGPT_ENOMEM;
}

static void measure_columns(Absorbing *run)
{
    const size_t d = run->in->codebook->width;
    gemm(false, false, run->m, run->pairs, d, 1, run->in->columns, d, run->in->probe->weight,
         run->pairs, 0, run->dots, run->pairs);
    for (size_t j = 0; j < run->m; j++) {
        double sum = 0;
        for (size_t c = 0; c < d; c++) {
            sum += (double)run->in->columns[j * d + c] * run->in->columns[j * d + c];
        }
        run->lengths[j] = (float)sqrt(sum);
    }
}

static void summarise(AbsorptionScore *out, const Absorbing *run, size_t workers)
{
    double rows = 0, absorbed = 0, known = 0, split = 0, mains = 0;
    for (size_t i = 0; i < workers; i++) {
        rows += (double)run->seen[i].rows;
        absorbed += (double)run->seen[i].absorbed;
    }
    for (size_t p = 0; p < run->pairs; p++) {
        known += run->mains[p].n > 0;
        split += run->mains[p].n > 1;
        mains += (double)run->mains[p].n;
    }
    *out = (AbsorptionScore){absorbed / rows, split / known, mains / known};
}

int absorption_measure(AbsorptionScore *out, const AbsorptionInput *in, const Work *work)
{
    Absorbing run = {.in = in,
                     .m = in->codebook->features,
                     .words = (in->choose.board.n + 63) / 64,
                     .pairs = COVERAGE_CLASSES * in->choose.board.n_squares};
    int rc = allocate(&run, work);
    rc = rc ? rc : pool_run(work->pool, run.m, fill_bits, &run);
    if (rc == 0) {
        fill_there(&run);
        measure_columns(&run);
        rc = pool_run(work->pool, run.pairs, find_mains, &run);
    }
    rc = rc ? rc
            : pool_run(work->pool, (in->test.board.n + ABSORPTION_CODED - 1) / ABSORPTION_CODED,
                       look_at_rows, &run);
    if (rc == 0) {
        summarise(out, &run, work_workers(work));
    }
    mem_free(run.on);
    mem_free(run.there);
    mem_free(run.mains);
    mem_free(run.dots);
    mem_free(run.lengths);
    mem_free(run.f);
    mem_free(run.yes);
    mem_free(run.seen);
    return rc;
}
