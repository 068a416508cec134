/* probes/features/features_table.c - see probes/features/features_table.h. */
#include "probes/features/features_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "probes/features/features_values.h"

enum { FEATURES_SCORED = 256 }; /* features whose draws are made together */

typedef struct FeaturesMaking {
    FeaturesTable *out;
    const FeaturesInput *in;
    const Work *work;
    Work quiet;
    size_t m;
    float *fit_values;                 /* (m, n_fit) */
    uint8_t *fit_levels, *test_levels; /* (m, n) */
    float *draws;                      /* (BOOTSTRAP_REPLICATES, games of test) */
    float *counts, *sums; /* (games, 2 FEATURES_SCORED), (BOOTSTRAP_REPLICATES, the same) */
} FeaturesMaking;

/* One feature: all but its property. */
static int describe(void *context, size_t j, size_t worker)
{
    const FeaturesMaking *making = context;
    const size_t n_fit = making->in->fit->board.n, n_test = making->in->test->board.n;
    const float *fit = making->fit_values + j * n_fit, *test = making->out->values + j * n_test;
    const float *column = making->in->columns + j * making->in->codebook->width;
    FeaturesRow *row = &making->out->rows[j];
    float largest = 0;
    double sum = 0;
    size_t on = 0;
    for (size_t i = 0; i < n_fit; i++) {
        largest = fit[i] > largest ? fit[i] : largest;
    }
    for (size_t i = 0; i < n_test; i++) {
        on += test[i] > 0;
        sum += test[i] > 0 ? (double)test[i] : 0;
        making->test_levels[j * n_test + i] = coverage_level(test[i], largest);
    }
    for (size_t i = 0; i < n_fit; i++) {
        making->fit_levels[j * n_fit + i] = coverage_level(fit[i], largest);
    }
    row->alive = largest > 0 || on > 0;
    row->density = (double)on / (double)n_test;
    row->mean_on = on > 0 ? sum / (double)on : NAN;
    row->largest = (double)largest;
    row->probe = features_nearest_probe(making->in->directions, column);
    row->move = features_nearest_move(making->in->directions, column);
    return 0;
}

/* ---- properties ---- */

static void choose(FeaturesProperty *out, const CoverageCounts *counts, size_t j)
{
    *out = (FeaturesProperty){.pair = -1, .precision = NAN, .recall = NAN};
    for (size_t t = 0; t < COVERAGE_THRESHOLDS; t++) {
        const size_t at = j * COVERAGE_THRESHOLDS + t;
        for (size_t p = 0; p < COVERAGE_PAIRS; p++) {
            const double f1 = coverage_f1(counts->hits[at * COVERAGE_PAIRS + p], counts->said[at],
                                          counts->there[p]);
            if (f1 > out->fit_f1) {
                out->fit_f1 = f1;
                out->pair = (int)p;
                out->threshold = (int)t;
            }
        }
    }
}

static void score(FeaturesProperty *out, const CoverageCounts *counts, size_t j)
{
    if (out->pair >= 0) {
        const size_t at = j * COVERAGE_THRESHOLDS + (size_t)out->threshold;
        const double hits = counts->hits[at * COVERAGE_PAIRS + (size_t)out->pair];
        const double said = counts->said[at], there = counts->there[out->pair];
        out->precision = said > 0 ? hits / said : NAN;
        out->recall = there > 0 ? hits / there : NAN;
        out->f1.value = coverage_f1(hits, said, there);
    }
}

/* Per game: twice the hits, and said + there, of a feature whose place in the block is k. */
static void count_games(const FeaturesMaking *making, const CoverageRows *rows,
                        const FeaturesProperty *property, size_t j, size_t k)
{
    const uint8_t *levels = making->test_levels + j * rows->n;
    const size_t square = property->pair < 0 ? 0 : (size_t)property->pair % COVERAGE_SQUARES;
    for (size_t g = 0; g < rows->n_games; g++) {
        float *counts = making->counts + g * 2 * FEATURES_SCORED + 2 * k;
        counts[0] = counts[1] = 0;
        for (size_t i = rows->first[g]; property->pair >= 0 && i < rows->first[g + 1]; i++) {
            const bool said = levels[i] > property->threshold;
            const bool there =
                rows->labels[i * COVERAGE_SQUARES + square] == property->pair / COVERAGE_SQUARES;
            counts[0] += said && there ? 2 : 0;
            counts[1] += (float)(said + there);
        }
    }
}

/* Intervals of a block of features. Counts and sums are whole numbers below 2^24: exact. */
static void draw_block(FeaturesMaking *making, const CoverageRows *rows, size_t first, size_t n,
                       bool shuffled)
{
    const size_t width = 2 * FEATURES_SCORED;
    double replicates[BOOTSTRAP_REPLICATES];
    memset(making->counts, 0, rows->n_games * width * sizeof(float));
    for (size_t k = 0; k < n; k++) {
        const FeaturesRow *row = &making->out->rows[first + k];
        count_games(making, rows, shuffled ? &row->shuffled : &row->own, first + k, k);
    }
    gemm(false, false, BOOTSTRAP_REPLICATES, width, rows->n_games, 1, making->draws, rows->n_games,
         making->counts, width, 0, making->sums, width);
    for (size_t k = 0; k < n; k++) {
        FeaturesRow *row = &making->out->rows[first + k];
        FeaturesProperty *property = shuffled ? &row->shuffled : &row->own;
        for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
            const float *sum = making->sums + r * width + 2 * k;
            replicates[r] = sum[0] > 0 ? (double)sum[0] / (double)sum[1] : 0;
        }
        bootstrap_quantiles(&property->f1, replicates, BOOTSTRAP_REPLICATES);
    }
}

/* Boards of the games themselves, or of other games. */
static int properties(FeaturesMaking *making, bool shuffled)
{
    CoverageRows fit = making->in->fit->board, test = making->in->test->board;
    CoverageCounts counts = {0};
    fit.labels = shuffled ? making->in->fit->other : fit.labels;
    test.labels = shuffled ? making->in->test->other : test.labels;
    int rc = coverage_count(&counts, making->fit_levels, making->m, &fit, &making->quiet);
    for (size_t j = 0; j < making->m && rc == 0; j++) {
        FeaturesRow *row = &making->out->rows[j];
        choose(shuffled ? &row->shuffled : &row->own, &counts, j);
    }
    coverage_counts_release(&counts);
    rc = rc ? rc : coverage_count(&counts, making->test_levels, making->m, &test, &making->quiet);
    for (size_t j = 0; j < making->m && rc == 0; j++) {
        FeaturesRow *row = &making->out->rows[j];
        score(shuffled ? &row->shuffled : &row->own, &counts, j);
    }
    coverage_counts_release(&counts);
    for (size_t first = 0; first < making->m && rc == 0; first += FEATURES_SCORED) {
        const size_t left = making->m - first;
        const size_t n = left < FEATURES_SCORED ? left : FEATURES_SCORED;
        draw_block(making, &test, first, n, shuffled);
        rc = interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while scoring features") : 0;
        work_tick(making->work, "features", (double)((shuffled ? making->m : 0) + first + n),
                  (double)(2 * making->m));
    }
    return rc;
}

/* ---- all of it ---- */

static int allocate(FeaturesMaking *making)
{
    const size_t m = making->m;
    const size_t n_fit = making->in->fit->board.n, n_test = making->in->test->board.n;
    const size_t games = making->in->test->board.n_games;
    making->out->rows = mem_calloc(m, sizeof(FeaturesRow), "rows of features");
    making->out->values = mem_alloc(m * n_test, sizeof(float), "values of features");
    making->fit_values = mem_alloc(m * n_fit, sizeof(float), "values of features");
    making->fit_levels = mem_alloc(m, n_fit, "levels of features");
    making->test_levels = mem_alloc(m, n_test, "levels of features");
    making->draws = mem_alloc(BOOTSTRAP_REPLICATES * games, sizeof(float), "draws of games");
    making->counts = mem_alloc(games * 2 * FEATURES_SCORED, sizeof(float), "counts by game");
    making->sums =
        mem_alloc((size_t)BOOTSTRAP_REPLICATES * 2 * FEATURES_SCORED, sizeof(float), "sums");
    return making->out->rows && making->out->values && making->fit_values && making->fit_levels &&
                   making->test_levels && making->draws && making->counts && making->sums
               ? 0
               : OGPT_ENOMEM;
}

size_t features_table_bytes(size_t features, size_t n_fit, size_t n_test, size_t n_games,
                            size_t workers)
{
    return features * ((n_fit + n_test) * (sizeof(float) + 1) + sizeof(FeaturesRow) +
                       COVERAGE_THRESHOLDS * COVERAGE_PAIRS * sizeof(uint32_t)) +
           (workers * FEATURES_CODED * features + 2 * FEATURES_SCORED * n_games +
            BOOTSTRAP_REPLICATES * (n_games + 2 * FEATURES_SCORED)) *
               sizeof(float);
}

int features_table_make(FeaturesTable *out, const FeaturesInput *in, const Work *work)
{
    FeaturesMaking making = {
        .out = out, .in = in, .work = work, .quiet = work_quiet(work), .m = in->codebook->features};
    *out = (FeaturesTable){.n = making.m, .n_test = in->test->board.n};
    int rc = allocate(&making);
    if (rc == 0) {
        coverage_draws(making.draws, in->test->board.n_games, work->seed);
    }
    rc = rc ? rc : features_values(making.fit_values, in->codebook, in->fit, work);
    rc = rc ? rc : features_values(out->values, in->codebook, in->test, work);
    rc = rc ? rc : pool_run(work->pool, making.m, describe, &making);
    rc = rc ? rc : properties(&making, false);
    rc = rc ? rc : properties(&making, true);
    mem_free(making.fit_values);
    mem_free(making.fit_levels);
    mem_free(making.test_levels);
    mem_free(making.draws);
    mem_free(making.counts);
    mem_free(making.sums);
    if (rc) {
        features_table_release(out);
    }
    return rc;
}

void features_table_release(FeaturesTable *table)
{
    mem_free(table->rows);
    mem_free(table->values);
    *table = (FeaturesTable){0};
}

typedef struct FeaturesRank {
    double f1;
    size_t index;
} FeaturesRank;

static int compare_ranks(const void *left, const void *right)
{
    const FeaturesRank *a = left, *b = right;
    return a->f1 != b->f1 ? (a->f1 < b->f1) - (a->f1 > b->f1)
                          : (a->index > b->index) - (a->index < b->index);
}

int features_table_order(size_t *order, const FeaturesTable *table)
{
    FeaturesRank *ranks = mem_alloc(table->n, sizeof(*ranks), "order of features");
    for (size_t j = 0; ranks && j < table->n; j++) {
        ranks[j] = (FeaturesRank){table->rows[j].own.f1.value, j};
    }
    if (ranks) {
        qsort(ranks, table->n, sizeof(*ranks), compare_ranks);
    }
    for (size_t j = 0; ranks && j < table->n; j++) {
        order[j] = ranks[j].index;
    }
    const int rc = ranks ? 0 : OGPT_ENOMEM;
    mem_free(ranks);
    return rc;
}

int features_list_parse(bool **out, size_t n, const char *text)
{
    const char *at = text;
    bool *chosen = text ? mem_calloc(n, sizeof(*chosen), "chosen features") : NULL;
    *out = chosen;
    if (!chosen) {
        return text ? OGPT_ENOMEM : 0;
    }
    do {
        char *end = NULL;
        const unsigned long long low = strtoull(at, &end, 10);
        unsigned long long high = low;
        bool sound = *at >= '0' && *at <= '9';
        if (sound && *end == '-') {
            at = end + 1;
            sound = *at >= '0' && *at <= '9';
            high = sound ? strtoull(at, &end, 10) : 0;
        }
        if (!sound || high < low || high >= n || (*end != ',' && *end != '\0')) {
            return err_set(OGPT_EUSAGE,
                           "--features \"%s\": expected numbers from 0 to %zu, such as 3,17,40-50",
                           text, n - 1);
        }
        for (unsigned long long j = low; j <= high; j++) {
            chosen[j] = true;
        }
        at = *end == ',' ? end + 1 : NULL;
    } while (at);
    return 0;
}
