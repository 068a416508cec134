/* tests/probes/dictionaries/test_coverage.c - board metrics against their plain version and against
 * a fixture that another program made from the published definitions; intervals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/blas.h"
#include "probes/dictionaries/vote.h"

static Pool *pool;

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) {
        fail_msg("%.15g expected, found %.15g", expected, value);
    }
}

static int setup(void **state)
{
    return blas_init() || pool_new(&pool, 3);
}

static int teardown(void **state)
{
    pool_free(pool);
    return 0;
}

/* Random boards of 36 squares, and features that follow a pair each, with noise. */
enum { N = 700, M = 23, GAMES = 35 };
static uint8_t labels[N * COVERAGE_SQUARES], levels[M * N];
static float values[N * M], f_max[M];
static uint32_t first[GAMES + 1];

static CoverageRows random_rows(uint64_t seed, size_t n_squares)
{
    Rng rng = rng_at(seed, RNG_TEST, 0);
    memset(labels, COVERAGE_ABSENT, sizeof(labels));
    memset(f_max, 0, sizeof(f_max));
    for (size_t i = 0; i < N; i++) {
        for (size_t s = 0; s < n_squares; s++) {
            labels[i * COVERAGE_SQUARES + s] = (uint8_t)rng_below(&rng, 3);
        }
        for (size_t j = 0; j < M; j++) {
            bool own = labels[i * COVERAGE_SQUARES + j % n_squares] == j % 3;
            double value = (own ? 1.0 : -0.5) + 0.5 * rng_normal(&rng);
            values[i * M + j] = j == 6                ? 1 /* all in one level */
                                : j == 5 || value < 0 ? 0
                                                      : (float)value;
            f_max[j] = values[i * M + j] > f_max[j] ? values[i * M + j] : f_max[j];
        }
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < M; j++) {
            levels[j * N + i] = coverage_level(values[i * M + j], f_max[j]);
        }
    }
    for (size_t g = 0; g <= GAMES; g++) {
        first[g] = (uint32_t)(g * N / GAMES);
    }
    return (CoverageRows){N, GAMES, labels, first, n_squares};
}

static void test_counts_are_those_of_the_definition(void **state)
{
    for (size_t n_squares = 16; n_squares <= 64; n_squares += 24) {
        CoverageRows rows = random_rows(n_squares, n_squares);
        CoverageCounts plain, fast, alone;
        assert_int_equal(coverage_count_ref(&plain, values, f_max, M, &rows), 0);
        assert_int_equal(coverage_count(&fast, levels, M, &rows, &(Work){.pool = pool}), 0);
        assert_int_equal(coverage_count(&alone, levels, M, &rows, WORK_ALONE), 0);
        const size_t said = M * COVERAGE_THRESHOLDS * sizeof(uint32_t);
        assert_memory_equal(plain.said, fast.said, said);
        assert_memory_equal(plain.hits, fast.hits, said * COVERAGE_PAIRS);
        assert_memory_equal(plain.there, fast.there, sizeof(plain.there));
        assert_memory_equal(alone.hits, fast.hits, said * COVERAGE_PAIRS);
        assert_int_equal(fast.said[6 * COVERAGE_THRESHOLDS + 9], N); /* bytes would have run over */
        assert_int_equal(fast.said[5 * COVERAGE_THRESHOLDS], 0);
        coverage_counts_release(&plain);
        coverage_counts_release(&fast);
        coverage_counts_release(&alone);
    }
}

static void test_levels_are_strict(void **state)
{
    assert_int_equal(coverage_level(0, 10), 0);
    assert_int_equal(coverage_level(-1, 10), 0);
    assert_int_equal(coverage_level(0.5F, 10), 1);
    assert_int_equal(coverage_level(1, 10), 1);
    assert_int_equal(coverage_level(1.5F, 10), 2);
    assert_int_equal(coverage_level(10, 10), 10);
    assert_int_equal(coverage_level(11, 10), 11);
    assert_int_equal(coverage_level(1, 0), 0); /* silent on the fit rows */
}

/* ---- the published metrics ---- */

typedef struct Fixture {
    size_t squares, features, fit, test;
    CoverageRows rows[2];
    uint8_t *labels, *levels[2];
    uint32_t first[2][2];
    double coverage[2], one[2], board[2]; /* all, masked */
} Fixture;

static size_t number(FILE *file)
{
    long out = -1;
    assert_int_equal(fscanf(file, "%ld", &out), 1);
    return (size_t)out;
}

static void fixture_read(Fixture *out)
{
    char path[4096];
    const char *source = getenv("OGPT_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/probes/dictionaries/published_metric.txt",
             source ? source : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    out->squares = number(file);
    out->features = number(file);
    out->fit = number(file);
    out->test = number(file);
    const size_t n = out->fit + out->test, m = out->features;
    float *read = calloc(n * m, sizeof(float)), largest[16] = {0};
    out->labels = malloc(n * COVERAGE_SQUARES);
    memset(out->labels, COVERAGE_ABSENT, n * COVERAGE_SQUARES);
    for (size_t i = 0; i < n; i++) {
        for (size_t s = 0; s < out->squares; s++) {
            out->labels[i * COVERAGE_SQUARES + s] = (uint8_t)number(file);
        }
        for (size_t j = 0; j < m; j++) {
            float value = read[i * m + j] = (float)number(file);
            largest[j] = i < out->fit && value > largest[j] ? value : largest[j];
        }
    }
    for (int mask = 0; mask < 2; mask++) {
        assert_int_equal(
            fscanf(file, "%lf %lf %lf", &out->coverage[mask], &out->one[mask], &out->board[mask]),
            3);
    }
    fclose(file);
    for (int set = 0; set < 2; set++) {
        const size_t from = set ? out->fit : 0, rows = set ? out->test : out->fit;
        out->levels[set] = malloc(rows * m);
        for (size_t i = 0; i < rows; i++) {
            for (size_t j = 0; j < m; j++) {
                out->levels[set][j * rows + i] =
                    coverage_level(read[(from + i) * m + j], largest[j]);
            }
        }
        out->first[set][0] = 0;
        out->first[set][1] = (uint32_t)rows;
        out->rows[set] = (CoverageRows){rows, 1, out->labels + from * COVERAGE_SQUARES,
                                        out->first[set], out->squares};
    }
    free(read);
}

static void test_published_metrics_agree(void **state)
{
    Fixture fixture;
    CoverageCounts counts;
    CoverageChoice choice;
    CoverageScore score;
    VoteTable table;
    VoteSums sums[COVERAGE_THRESHOLDS];
    fixture_read(&fixture);
    const size_t m = fixture.features;
    assert_int_equal(coverage_count(&counts, fixture.levels[1], m, &fixture.rows[1], WORK_ALONE),
                     0);
    coverage_choose(&choice, &counts);
    CoverageMean mean = coverage_mean(&choice, fixture.squares);
    CoverageMean one = coverage_one_threshold(&counts);
    assert_int_equal(
        coverage_score(&score, &choice, fixture.levels[1], &fixture.rows[1], true, WORK_ALONE), 0);
    near(mean.all, fixture.coverage[0], 1e-10);
    near(mean.masked, fixture.coverage[1], 1e-10);
    near(one.all, fixture.one[0], 1e-10);
    near(one.masked, fixture.one[1], 1e-10);
    near(score.all.value, fixture.coverage[0], 1e-10);
    near(score.masked.value, fixture.coverage[1], 1e-10);
    /* One threshold for all pairs is another number, and so are the pairs that occur alone: square
     * 3 is never empty. */
    assert_true(one.all < mean.all - 0.01);
    assert_int_equal(
        coverage_score(&score, &choice, fixture.levels[1], &fixture.rows[1], false, WORK_ALONE), 0);
    near(score.all.value, fixture.coverage[0] * 12 / 11, 1e-10);
    coverage_counts_release(&counts);

    assert_int_equal(coverage_count(&counts, fixture.levels[0], m, &fixture.rows[0], WORK_ALONE),
                     0);
    assert_int_equal(vote_table_make(&table, &counts), 0);
    assert_int_equal(vote_count(sums, &table, fixture.levels[1], &fixture.rows[1], WORK_ALONE), 0);
    for (int mask = 0; mask < VOTE_MASKS; mask++) {
        size_t t = vote_threshold(sums, 1, mask);
        near(vote_f1(sums + t, 1, mask), fixture.board[mask], 1e-10);
    }
    vote_table_release(&table);
    coverage_counts_release(&counts);
    free(fixture.labels);
    free(fixture.levels[0]);
    free(fixture.levels[1]);
}

/* ---- intervals ---- */

/* One feature that says square 0 is mine and is right in `share` of its games: the interval of F1
 * holds the F1 of endless games in about 95 of 100 draws. */
static void test_intervals_cover(void **state)
{
    enum { DRAWS = 60, ROWS = 4 };
    int covered = 0, narrow = 0;
    CoverageScore *score = malloc(sizeof(*score));
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        static uint8_t own[GAMES * ROWS * COVERAGE_SQUARES], said[GAMES * ROWS];
        Rng rng = rng_at(draw, RNG_TEST, 1);
        memset(own, COVERAGE_ABSENT, sizeof(own));
        for (size_t g = 0; g <= GAMES; g++) {
            first[g] = (uint32_t)(g * ROWS);
        }
        for (size_t i = 0; i < GAMES * ROWS; i++) {
            static bool mine, right;
            if (i % ROWS == 0) { /* rows of a game are alike */
                mine = rng_below(&rng, 2);
                right = rng_uniform(&rng) < 0.7;
            }
            own[i * COVERAGE_SQUARES] = mine ? 2 : 1;
            said[i] = (mine == right) * 5;
        }
        CoverageRows rows = {GAMES * ROWS, GAMES, own, first, 1};
        CoverageChoice choice = {0};
        choice.f1[2 * COVERAGE_SQUARES] = 1; /* mine; the other pairs have no classifier */
        assert_int_equal(coverage_score(score, &choice, said, &rows, false, &(Work){.seed = draw}),
                         0);
        /* Masked: theirs (0) and mine (.7), so half of it. */
        covered += score->masked.low <= 0.35 && score->masked.high >= 0.35;
        narrow += score->masked.high - score->masked.low < 0.25;
        assert_true(score->masked.low < score->masked.value);
    }
    free(score);
    assert_in_range(covered, 52, DRAWS);
    assert_in_range(narrow, 52, DRAWS);
}

/* Vote intervals use the same draws as coverage: the twin with other draws differs. */
static void test_votes_have_intervals(void **state)
{
    VoteSums sums[GAMES] = {0};
    Interval score, other;
    double replicates[BOOTSTRAP_REPLICATES];
    for (size_t g = 0; g < GAMES; g++) {
        sums[g].hits[0] = (double)(g % 7);
        sums[g].said[0] = 7;
        sums[g].there[0] = 8;
    }
    assert_int_equal(vote_score(&score, replicates, sums, GAMES, VOTE_ALL, 1), 0);
    assert_int_equal(vote_score(&other, NULL, sums, GAMES, VOTE_ALL, 2), 0);
    double numerator[GAMES], denominator[GAMES];
    for (size_t g = 0; g < GAMES; g++) {
        numerator[g] = 2 * sums[g].hits[0];
        denominator[g] = 15;
    }
    Interval plain = bootstrap_ratio(numerator, denominator, GAMES, 1);
    near(score.value, plain.value, 1e-12);
    near(score.low, plain.low, 1e-9);
    near(score.high, plain.high, 1e-9);
    assert_true(fabs(other.low - score.low) > 1e-6);
}

/* Who votes: .95 of the firings right, and ten of them. */
static void test_who_votes(void **state)
{
    uint32_t said[4 * COVERAGE_THRESHOLDS] = {0};
    uint32_t *hits = calloc((size_t)4 * COVERAGE_THRESHOLDS * COVERAGE_PAIRS, sizeof(uint32_t));
    const uint32_t rows[4][2] = {{20, 19}, {20, 18}, {9, 9}, {10, 10}}; /* said, right */
    for (size_t f = 0; f < 4; f++) {
        said[f * COVERAGE_THRESHOLDS] = rows[f][0];
        hits[f * COVERAGE_THRESHOLDS * COVERAGE_PAIRS + COVERAGE_SQUARES + 3] = rows[f][1];
    }
    CoverageCounts counts = {.features = 4, .n_squares = 16, .said = said, .hits = hits};
    VoteTable table;
    assert_int_equal(vote_table_make(&table, &counts), 0);
    for (size_t f = 0; f < 4; f++) {
        bool votes = f == 0 || f == 3;
        uint64_t pairs = table.pairs[(f * COVERAGE_THRESHOLDS) * COVERAGE_CLASSES + 1];
        assert_int_equal(pairs, votes ? 8 : 0);
    }
    VoteShape shape = vote_shape(&table, 0);
    assert_true(shape.features == 2 && shape.pairs == 1 && shape.voters == 2);
    assert_true(vote_shape(&table, 1).features == 0 && isnan(vote_shape(&table, 1).voters));
    vote_table_release(&table);
    free(hits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_are_strict),
        cmocka_unit_test(test_counts_are_those_of_the_definition),
        cmocka_unit_test(test_published_metrics_agree),
        cmocka_unit_test(test_intervals_cover),
        cmocka_unit_test(test_votes_have_intervals),
        cmocka_unit_test(test_who_votes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
