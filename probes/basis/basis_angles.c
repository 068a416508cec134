/* probes/basis/basis_angles.c - see probes/basis/basis_angles.h. */
#include "probes/basis/basis_angles.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "num/blas.h"
#include "num/matrices/symmetric.h"
#include "num/vectors.h"

double basis_welch(size_t n, size_t d)
{
    return n > d ? (double)(n - d) / ((double)d * (double)(n - 1)) : 0;
}

double basis_dimensions(double *dims, const double *w, size_t n, size_t d)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        double own = 0, sum = 0;
        for (size_t j = 0; j < n; j++) {
            double dot = 0;
            for (size_t c = 0; c < d; c++) {
                dot += w[i * d + c] * w[j * d + c];
            }
            sum += dot * dot;
            own = j == i ? dot : own;
        }
        dims[i] = own > 0 ? own * own / sum : 0;
        total += dims[i];
    }
    return total;
}

static BasisCosines cosines_of(const float *gram, size_t n)
{
    BasisCosines out = {0};
    double pairs = 0.5 * (double)n * (double)(n - 1);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            double cosine = fabs((double)gram[i * n + j]);
            out.mean += cosine / pairs;
            out.square += cosine * cosine / pairs;
            out.largest = fmax(out.largest, cosine);
        }
    }
    return out;
}

static void gram_of(float *gram, const float *unit, size_t n, size_t d)
{
    gemm(false, true, n, n, d, 1, unit, d, unit, d, 0, gram, n);
}

/* ---- chance ---- */

typedef struct RandomSets {
    size_t n, d;
    uint64_t seed;
    float **unit, **gram; /* of a worker */
    BasisCosines draws[BASIS_DRAWS];
} RandomSets;

static int draw_job(void *context, size_t job, size_t worker)
{
    RandomSets *drawing = context;
    float *unit = drawing->unit[worker];
    Rng rng = rng_at(drawing->seed, RNG_BASIS, UINT64_C(1) << 32 | job);
    for (size_t i = 0; i < drawing->n; i++) {
        float *row = unit + i * drawing->d;
        for (size_t c = 0; c < drawing->d; c++) {
            row[c] = (float)rng_normal(&rng);
        }
        vector_unit(row, drawing->d);
    }
    gram_of(drawing->gram[worker], unit, drawing->n, drawing->d);
    drawing->draws[job] = cosines_of(drawing->gram[worker], drawing->n);
    return 0;
}

static void spread_of(double *mean, double *deviation, const BasisCosines *draws, size_t member)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < BASIS_DRAWS; i++) {
        double value;
        memcpy(&value, (const unsigned char *)&draws[i] + member, sizeof(value));
        sum += value;
        squares += value * value;
    }
    *mean = sum / BASIS_DRAWS;
    *deviation = sqrt(fmax(0, squares - sum * *mean) / (BASIS_DRAWS - 1));
}

int basis_chance(BasisChance *out, size_t n, size_t d, const Work *work)
{
    size_t workers = work_workers(work);
    RandomSets *drawing = mem_calloc(1, sizeof(*drawing), "random directions");
    float *memory = mem_alloc(workers * (n * d + n * n), sizeof(*memory), "random directions");
    float **pointers = mem_alloc(2 * workers, sizeof(*pointers), "random directions");
    int rc = drawing && memory && pointers ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        *drawing = (RandomSets){.n = n, .d = d, .seed = work->seed};
        drawing->unit = pointers;
        drawing->gram = pointers + workers;
        for (size_t w = 0; w < workers; w++) {
            drawing->unit[w] = memory + w * (n * d + n * n);
            drawing->gram[w] = drawing->unit[w] + n * d;
        }
        rc = pool_run(work->pool, BASIS_DRAWS, draw_job, drawing);
    }
    if (rc == 0) {
        *out = (BasisChance){.n = n, .d = d};
        spread_of(&out->mean.mean, &out->deviation.mean, drawing->draws,
                  offsetof(BasisCosines, mean));
        spread_of(&out->mean.largest, &out->deviation.largest, drawing->draws,
                  offsetof(BasisCosines, largest));
        spread_of(&out->mean.square, &out->deviation.square, drawing->draws,
                  offsetof(BasisCosines, square));
    }
    mem_free(drawing);
    mem_free(memory);
    mem_free(pointers);
    return rc;
}

/* ---- one set ---- */

/* |cos| summed over pairs of groups, and how many pairs: (n_groups, n_groups). */
typedef struct GroupSums {
    double *sum, *count;
    size_t n;
} GroupSums;

static double drawn_mean(const GroupSums *groups, const uint32_t *times)
{
    double sum = 0, count = 0;
    for (size_t a = 0; a < groups->n; a++) {
        for (size_t b = 0; b < a && times[a] > 0; b++) {
            double weight = (double)times[a] * (double)times[b];
            sum += weight * groups->sum[a * groups->n + b];
            count += weight * groups->count[a * groups->n + b];
        }
    }
    return count > 0 ? sum / count : NAN;
}

static int interval_over_groups(Interval *out, const float *gram, const uint32_t *group, size_t n,
                                size_t n_groups, uint64_t seed)
{
    double *sums = mem_calloc(2 * n_groups * n_groups, sizeof(*sums), "angles of groups");
    double *replicates = mem_alloc(BOOTSTRAP_REPLICATES, sizeof(*replicates), "replicates");
    uint32_t *times = mem_alloc(n_groups, sizeof(*times), "draws of groups");
    size_t kept = 0;
    int rc = sums && replicates && times ? 0 : OGPT_ENOMEM;
    GroupSums groups = {sums, sums + n_groups * n_groups, n_groups};
    for (size_t i = 0; i < n && rc == 0; i++) {
        for (size_t j = 0; j < i; j++) {
            size_t a = group[i] > group[j] ? group[i] : group[j], b = group[i] + group[j] - a;
            groups.sum[a * n_groups + b] += fabs((double)gram[i * n + j]);
            groups.count[a * n_groups + b] += 1;
        }
    }
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES && rc == 0; r++) {
        Rng rng = rng_at(seed, RNG_BOOTSTRAP, r);
        memset(times, 0, n_groups * sizeof(*times));
        for (size_t g = 0; g < n_groups; g++) {
            times[rng_below(&rng, (uint32_t)n_groups)]++;
        }
        double mean = drawn_mean(&groups, times);
        if (!isnan(mean)) {
            replicates[kept++] = mean;
        }
    }
    if (rc == 0) {
        double all = 0, count = 0;
        for (size_t a = 0; a < n_groups; a++) {
            for (size_t b = 0; b < a; b++) {
                all += groups.sum[a * n_groups + b];
                count += groups.count[a * n_groups + b];
            }
        }
        out->value = all / count;
        bootstrap_quantiles(out, replicates, kept);
    }
    mem_free(sums);
    mem_free(replicates);
    mem_free(times);
    return rc;
}

/* The effective rank from the smaller of both Gram matrices; dimensions of unit directions. */
static int rank_and_dimensions(BasisAngles *out, const float *unit, const float *gram)
{
    size_t n = out->n, d = out->d, m = n < d ? n : d;
    double *small = mem_calloc(m * m + m, sizeof(*small), "the rank of directions");
    if (!small) {
        return OGPT_ENOMEM;
    }
    for (size_t a = 0; a < m; a++) {
        for (size_t b = 0; b < m; b++) {
            small[a * m + b] = n <= d ? (double)gram[a * n + b] : 0;
            for (size_t i = 0; i < n && n > d; i++) {
                small[a * m + b] += (double)unit[i * d + a] * (double)unit[i * d + b];
            }
        }
    }
    symmetric_eigenvalues(small + m * m, small, m);
    out->rank = effective_rank(small + m * m, m);
    mem_free(small);
    out->least = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) {
            sum += (double)gram[i * n + j] * (double)gram[i * n + j];
        }
        out->dimensions += 1 / sum / (double)n;
        out->least = fmin(out->least, 1 / sum);
    }
    return 0;
}

int basis_angles(BasisAngles *out, const float *unit, const uint32_t *group, size_t n_groups,
                 const BasisChance *chance, const Work *work)
{
    size_t n = chance->n, d = chance->d;
    float *gram = mem_alloc(n * n, sizeof(*gram), "angles");
    if (!gram) {
        return OGPT_ENOMEM;
    }
    gram_of(gram, unit, n, d);
    *out = (BasisAngles){.n = n, .d = d, .bound = basis_welch(n, d)};
    out->cosines = cosines_of(gram, n);
    out->z_largest = (out->cosines.largest - chance->mean.largest) / chance->deviation.largest;
    out->z_square = (out->cosines.square - chance->mean.square) / chance->deviation.square;
    int rc = interval_over_groups(&out->mean, gram, group, n, n_groups, work->seed);
    out->z_mean = (out->mean.value - chance->mean.mean) / chance->deviation.mean;
    rc = rc ? rc : rank_and_dimensions(out, unit, gram);
    mem_free(gram);
    return rc;
}
