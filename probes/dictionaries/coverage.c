/* probes/dictionaries/coverage.c - see probes/dictionaries/coverage.h. */
#include "probes/dictionaries/coverage.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "num/blas.h"

/* ---- counting ---- */

typedef struct LevelCounting {
    CoverageCounts *out;
    const uint8_t *levels;
    const CoverageRows *rows;
} LevelCounting;

/* Rows of one level, added up in bytes until one of them could run over. */
typedef struct LevelSums {
    uint8_t bytes[COVERAGE_PAIRS];
    uint32_t n;
} LevelSums;

static void sums_flush(uint32_t *hits, LevelSums *sums)
{
    for (size_t p = 0; p < COVERAGE_PAIRS; p++) {
        hits[p] += sums->bytes[p];
    }
    memset(sums, 0, sizeof(*sums));
}

static void sums_add(LevelSums *sums, const uint8_t *labels)
{
    for (size_t c = 0; c < COVERAGE_CLASSES; c++) {
        uint8_t *bytes = sums->bytes + c * COVERAGE_SQUARES;
        for (size_t s = 0; s < COVERAGE_SQUARES; s++) {
            bytes[s] = (uint8_t)(bytes[s] + (labels[s] == c));
        }
    }
}

/* One feature: the rows of each level, then sums over the levels above each threshold. */
static int count_feature(void *context, size_t f, size_t worker)
{
    const LevelCounting *counting = context;
    const CoverageRows *rows = counting->rows;
    const uint8_t *levels = counting->levels + f * rows->n;
    uint32_t *said = counting->out->said + f * COVERAGE_THRESHOLDS;
    uint32_t *hits = counting->out->hits + f * COVERAGE_THRESHOLDS * COVERAGE_PAIRS;
    LevelSums sums[COVERAGE_THRESHOLDS];
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while counting features");
    }
    memset(sums, 0, sizeof(sums));
    for (size_t i = 0; i < rows->n; i++) {
        if (levels[i] > 0) {
            LevelSums *at = &sums[levels[i] - 1];
            sums_add(at, rows->labels + i * COVERAGE_SQUARES);
            said[levels[i] - 1]++;
            if (++at->n == UINT8_MAX) {
                sums_flush(hits + (size_t)(levels[i] - 1) * COVERAGE_PAIRS, at);
            }
        }
    }
    for (size_t t = COVERAGE_THRESHOLDS; t-- > 0;) {
        sums_flush(hits + t * COVERAGE_PAIRS, &sums[t]);
        if (t + 1 < COVERAGE_THRESHOLDS) {
            said[t] += said[t + 1];
            for (size_t p = 0; p < COVERAGE_PAIRS; p++) {
                hits[t * COVERAGE_PAIRS + p] += hits[(t + 1) * COVERAGE_PAIRS + p];
            }
        }
    }
    return 0;
}

int coverage_count(CoverageCounts *out, const uint8_t *levels, size_t features,
                   const CoverageRows *rows, const Work *work)
{
    *out = (CoverageCounts){.n = rows->n, .features = features, .n_squares = rows->n_squares};
    out->said = mem_calloc(features * COVERAGE_THRESHOLDS, sizeof(uint32_t), "counts of features");
    out->hits = mem_calloc(features * COVERAGE_THRESHOLDS * COVERAGE_PAIRS, sizeof(uint32_t),
                           "counts of features and squares");
    LevelCounting counting = {out, levels, rows};
    for (size_t i = 0; i < rows->n; i++) {
        const uint8_t *labels = rows->labels + i * COVERAGE_SQUARES;
        for (size_t s = 0; s < rows->n_squares; s++) {
            out->there[labels[s] * COVERAGE_SQUARES + s]++;
        }
    }
    int rc = out->said && out->hits ? pool_run(work->pool, features, count_feature, &counting)
                                    : OGPT_ENOMEM;
    if (rc) {
        coverage_counts_release(out);
    }
    return rc;
}

void coverage_counts_release(CoverageCounts *counts)
{
    mem_free(counts->said);
    mem_free(counts->hits);
    counts->said = counts->hits = NULL;
}

/* ---- choosing ---- */

void coverage_choose(CoverageChoice *out, const CoverageCounts *counts)
{
    *out = (CoverageChoice){0};
    for (size_t f = 0; f < counts->features; f++) {
        for (size_t t = 0; t < COVERAGE_THRESHOLDS; t++) {
            const size_t at = f * COVERAGE_THRESHOLDS + t;
            const uint32_t *hits = counts->hits + at * COVERAGE_PAIRS;
            for (size_t p = 0; p < COVERAGE_PAIRS && counts->said[at] > 0; p++) {
                double value = coverage_f1(hits[p], counts->said[at], counts->there[p]);
                if (value > out->f1[p]) {
                    out->f1[p] = value;
                    out->feature[p] = (uint32_t)f;
                    out->threshold[p] = (uint8_t)t;
                }
            }
        }
    }
}

/* Mean of values over the pairs of the board, or over those of them that occur. */
static CoverageMean mean_of(const double *values, size_t n_squares, const double *there)
{
    double sums[COVERAGE_CLASSES] = {0}, n[COVERAGE_CLASSES] = {0};
    for (size_t c = 0; c < COVERAGE_CLASSES; c++) {
        for (size_t s = 0; s < n_squares; s++) {
            size_t p = c * COVERAGE_SQUARES + s;
            if (!there || there[p] > 0) {
                sums[c] += values[p];
                n[c]++;
            }
        }
    }
    return (CoverageMean){(sums[0] + sums[1] + sums[2]) / (n[0] + n[1] + n[2]),
                          (sums[1] + sums[2]) / (n[1] + n[2])};
}

CoverageMean coverage_mean(const CoverageChoice *choice, size_t n_squares)
{
    return mean_of(choice->f1, n_squares, NULL);
}

CoverageMean coverage_one_threshold(const CoverageCounts *counts)
{
    CoverageMean best = {0, 0};
    for (size_t t = 0; t < COVERAGE_THRESHOLDS; t++) {
        double values[COVERAGE_PAIRS] = {0};
        for (size_t f = 0; f < counts->features; f++) {
            const size_t at = f * COVERAGE_THRESHOLDS + t;
            for (size_t p = 0; p < COVERAGE_PAIRS && counts->said[at] > 0; p++) {
                values[p] = fmax(values[p], coverage_f1(counts->hits[at * COVERAGE_PAIRS + p],
                                                        counts->said[at], counts->there[p]));
            }
        }
        CoverageMean mean = mean_of(values, counts->n_squares, NULL);
        best.all = fmax(best.all, mean.all);
        best.masked = fmax(best.masked, mean.masked);
    }
    return best;
}

/* ---- scoring a choice ---- */

void coverage_draws(float *weights, size_t n, uint64_t seed)
{
    memset(weights, 0, BOOTSTRAP_REPLICATES * n * sizeof(*weights));
    for (uint64_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        Rng rng = rng_at(seed, RNG_BOOTSTRAP, r);
        for (size_t draw = 0; draw < n; draw++) {
            weights[r * n + rng_below(&rng, (uint32_t)n)]++;
        }
    }
}

enum { SCORE_HITS, SCORE_SAID, SCORE_THERE, SCORE_COUNTS };

typedef struct ChoiceScoring {
    const CoverageChoice *choice;
    const uint8_t *levels;
    const CoverageRows *rows;
    float *counts; /* (games, SCORE_COUNTS, pairs): whole numbers below 2^24, exact in float */
} ChoiceScoring;

static int score_pair(void *context, size_t p, size_t worker)
{
    const ChoiceScoring *scoring = context;
    const CoverageRows *rows = scoring->rows;
    const uint8_t *levels = scoring->levels + scoring->choice->feature[p] * rows->n;
    /* A pair without a classifier says nothing. */
    const unsigned threshold =
        scoring->choice->f1[p] > 0 ? scoring->choice->threshold[p] : COVERAGE_THRESHOLDS;
    for (size_t g = 0; g < rows->n_games; g++) {
        uint32_t sums[SCORE_COUNTS] = {0};
        for (size_t i = rows->first[g]; i < rows->first[g + 1]; i++) {
            bool there =
                rows->labels[i * COVERAGE_SQUARES + p % COVERAGE_SQUARES] == p / COVERAGE_SQUARES;
            bool said = threshold < COVERAGE_THRESHOLDS && levels[i] > threshold;
            sums[SCORE_HITS] += said && there;
            sums[SCORE_SAID] += said;
            sums[SCORE_THERE] += there;
        }
        for (size_t k = 0; k < SCORE_COUNTS; k++) {
            scoring->counts[(g * SCORE_COUNTS + k) * COVERAGE_PAIRS + p] = (float)sums[k];
        }
    }
    return interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while scoring features") : 0;
}

/* The means of one set of sums (SCORE_COUNTS, pairs). */
static CoverageMean mean_of_sums(const float *sums, const double *there, size_t n_squares)
{
    double values[COVERAGE_PAIRS];
    for (size_t p = 0; p < COVERAGE_PAIRS; p++) {
        values[p] = coverage_f1(sums[SCORE_HITS * COVERAGE_PAIRS + p],
                                sums[SCORE_SAID * COVERAGE_PAIRS + p],
                                sums[SCORE_THERE * COVERAGE_PAIRS + p]);
    }
    return mean_of(values, n_squares, there);
}

static int replicate(CoverageScore *out, const ChoiceScoring *scoring, const double *there,
                     const Work *work)
{
    const size_t games = scoring->rows->n_games, width = SCORE_COUNTS * COVERAGE_PAIRS;
    float *weights = mem_alloc(BOOTSTRAP_REPLICATES * games, sizeof(float), "draws of games");
    float *sums = mem_alloc(BOOTSTRAP_REPLICATES * width, sizeof(float), "sums of draws");
    int rc = weights && sums ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        coverage_draws(weights, games, work->seed);
        gemm(false, false, BOOTSTRAP_REPLICATES, width, games, 1, weights, games, scoring->counts,
             width, 0, sums, width);
        for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
            CoverageMean mean = mean_of_sums(sums + r * width, there, scoring->rows->n_squares);
            out->replicates[0][r] = mean.all;
            out->replicates[1][r] = mean.masked;
        }
    }
    mem_free(weights);
    mem_free(sums);
    return rc;
}

static void quantiles(Interval *out, double value, const double *replicates)
{
    double sorted[BOOTSTRAP_REPLICATES];
    memcpy(sorted, replicates, sizeof(sorted));
    out->value = value;
    bootstrap_quantiles(out, sorted, BOOTSTRAP_REPLICATES);
}

int coverage_score(CoverageScore *out, const CoverageChoice *choice, const uint8_t *levels,
                   const CoverageRows *rows, bool as_published, const Work *work)
{
    ChoiceScoring scoring = {.choice = choice, .levels = levels, .rows = rows};
    double there[COVERAGE_PAIRS] = {0};
    float total[SCORE_COUNTS * COVERAGE_PAIRS] = {0};
    scoring.counts = mem_alloc(rows->n_games * SCORE_COUNTS * COVERAGE_PAIRS, sizeof(float),
                               "counts of squares by game");
    int rc =
        scoring.counts ? pool_run(work->pool, COVERAGE_PAIRS, score_pair, &scoring) : OGPT_ENOMEM;
    for (size_t i = 0; i < rows->n_games * SCORE_COUNTS * COVERAGE_PAIRS && rc == 0; i++) {
        total[i % (SCORE_COUNTS * COVERAGE_PAIRS)] += scoring.counts[i];
    }
    for (size_t p = 0; p < COVERAGE_PAIRS; p++) {
        there[p] = total[SCORE_THERE * COVERAGE_PAIRS + p];
    }
    const double *counted = as_published ? NULL : there;
    rc = rc ? rc : replicate(out, &scoring, counted, work);
    if (rc == 0) {
        CoverageMean mean = mean_of_sums(total, counted, rows->n_squares);
        quantiles(&out->all, mean.all, out->replicates[0]);
        quantiles(&out->masked, mean.masked, out->replicates[1]);
    }
    mem_free(scoring.counts);
    return rc;
}
