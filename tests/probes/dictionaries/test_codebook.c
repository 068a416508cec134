/* tests/probes/dictionaries/test_codebook.c - dictionaries whose scores are known: one that holds
 * the exact board, components, the mean; what the k largest are; twins that must fail. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/blas.h"
#include "probes/dictionaries/codebook_score.h"
#include "probes/dictionaries/twins.h"

/* Rows of a 4x4 board: coordinates 0 .. 47 are 1 where square (c % 16) is in class (c / 16), plus
 * noise; 48 .. 55 are noise alone. The centre squares are never empty, as in the game. */
enum { SQUARES = 16, WIDTH = 56, GAMES = 30, PLIES = 40, ROWS = GAMES * PLIES };

typedef struct Rows {
    float x[ROWS * WIDTH];
    uint8_t labels[ROWS * COVERAGE_SQUARES], other[ROWS * COVERAGE_SQUARES];
    uint32_t first[GAMES + 1];
} Rows;

static Pool *pool;
static Rows sets[3];
static CodebookData data;

static uint8_t draw_class(Rng *rng, size_t square)
{
    bool centre = square == 5 || square == 6 || square == 9 || square == 10;
    return (uint8_t)(centre ? 1 + rng_below(rng, 2) : rng_below(rng, 3));
}

static CodebookRows rows_make(Rows *out, uint64_t index, double noise)
{
    Rng rng = rng_at(index, RNG_TEST, 2);
    memset(out->labels, COVERAGE_ABSENT, sizeof(out->labels));
    memset(out->other, COVERAGE_ABSENT, sizeof(out->other));
    for (size_t i = 0; i < ROWS; i++) {
        float *x = out->x + i * WIDTH;
        for (size_t c = 0; c < WIDTH; c++) {
            x[c] = (float)(noise * rng_normal(&rng));
        }
        for (size_t s = 0; s < SQUARES; s++) {
            uint8_t class = draw_class(&rng, s);
            out->labels[i * COVERAGE_SQUARES + s] = class;
            out->other[i * COVERAGE_SQUARES + s] = draw_class(&rng, s);
            x[class * SQUARES + s] += 1;
        }
    }
    for (size_t g = 0; g <= GAMES; g++) {
        out->first[g] = (uint32_t)(g * PLIES);
    }
    return (CodebookRows){
        .x = out->x, .board = {ROWS, GAMES, out->labels, out->first, SQUARES}, .other = out->other};
}

static void make_data(double noise)
{
    data = (CodebookData){.fit = rows_make(&sets[0], 1, noise),
                          .valid = rows_make(&sets[1], 2, noise),
                          .test = rows_make(&sets[2], 3, noise),
                          .width = WIDTH};
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

static TwinSource source_of(const CodebookData *from)
{
    return (TwinSource){.x = from->fit.x, .n = from->fit.board.n, .width = WIDTH, .seed = 5};
}

static CodebookScore *measure(Twin twin, size_t keep, size_t features)
{
    CodebookScore *out = malloc(sizeof(*out));
    Codebook codebook;
    TwinSource source = source_of(&data);
    const Work work = {.pool = pool, .seed = 3};
    assert_int_equal(twin_make(&codebook, twin, &source, keep, features, &work), 0);
    assert_int_equal(codebook_measure(out, &codebook, &data, &work), 0);
    codebook_release(&codebook);
    return out;
}

/* Coordinates hold the exact board: every score of boards is 1, but on other games' boards. */
static void test_exact_board_is_covered(void **state)
{
    make_data(0);
    CodebookScore *exact = measure(TWIN_BASIS, 0, 0), *drawn = measure(TWIN_RANDOM, 0, 96);
    for (int mask = 0; mask < BOARD_MASKS; mask++) {
        assert_true(exact->coverage[mask].value == 1 && exact->coverage[mask].low == 1);
        assert_true(exact->board[mask].value == 1 && exact->board_published[mask].value == 1);
        assert_true(exact->coverage_shuffled[mask] < 0.75);
        assert_true(exact->board_shuffled[mask] < 0.1);
        assert_true(drawn->coverage[mask].value < 0.8);
        assert_true(drawn->board[mask].value < 0.2);
        assert_true(drawn->coverage[mask].value > 0.3);
    }
    /* As published the four pairs of centre and empty count, and nothing can say them. */
    assert_true(fabs(exact->coverage_published[0].value - 44.0 / 48) < 1e-12);
    assert_true(exact->coverage_published[1].value == 1 && exact->coverage_one[1] == 1);
    assert_true(exact->pairs == 44 && exact->absorbed == 0);
    assert_true(exact->l0 > 15);
    Interval gap = codebook_difference(exact, drawn, false, BOARD_ALL);
    assert_true(gap.low > 0.15 && gap.low < gap.value && gap.value < gap.high);
    free(exact);
    free(drawn);
}

/* What chance chooses among many features is worth less on other games. */
static void test_choosing_on_the_test_flatters(void **state)
{
    make_data(2);
    CodebookScore *drawn = measure(TWIN_RANDOM, 0, 400);
    assert_true(drawn->coverage_published[1].value > drawn->coverage[1].value + 0.02);
    assert_true(drawn->coverage_one[1] <= drawn->coverage_published[1].value);
    free(drawn);
}

static void test_what_is_explained(void **state)
{
    make_data(0.5);
    CodebookScore *mean = measure(TWIN_MEAN, 0, 0);
    assert_true(fabs(mean->explained) < 1e-12); /* x - mean is rounded to a float */
    assert_true(mean->l0 == 0 && mean->alive == 0 && mean->coverage[0].value == 0);
    CodebookScore *all = measure(TWIN_PCA, 0, 0), *basis = measure(TWIN_BASIS, 0, 0);
    /* The ridge of 1e-6 is all that is missing. */
    assert_true(all->explained > 1 - 1e-5 && all->explained <= 1);
    assert_true(basis->explained > 1 - 1e-5);
    assert_true(all->l0 == WIDTH);
    double last = 0;
    for (size_t keep = 4; keep <= 24; keep += 10) {
        CodebookScore *few = measure(TWIN_PCA, keep, 0);
        assert_true(few->l0 == (double)keep && few->l0_valid == (double)keep);
        assert_true(few->explained > last + 0.01 && few->explained < 0.95);
        last = few->explained;
        free(few);
    }
    free(mean);
    free(all);
    free(basis);
}

/* Components are orthonormal and in the order of their variance. */
static void test_components(void **state)
{
    make_data(0.3);
    Codebook codebook;
    TwinSource source = source_of(&data);
    assert_int_equal(twin_make(&codebook, TWIN_PCA, &source, 0, 0, WORK_ALONE), 0);
    double last = INFINITY;
    for (size_t a = 0; a < WIDTH; a++) {
        double variance = 0;
        for (size_t b = 0; b <= a; b++) {
            double dot = 0;
            for (size_t c = 0; c < WIDTH; c++) {
                dot +=
                    codebook.weight[c * 2 * WIDTH + 2 * a] * codebook.weight[c * 2 * WIDTH + 2 * b];
            }
            assert_true(fabs(dot - (a == b)) < 1e-5);
        }
        for (size_t i = 0; i < ROWS; i++) {
            double at = codebook.bias[2 * a];
            for (size_t c = 0; c < WIDTH; c++) {
                at += codebook.weight[c * 2 * WIDTH + 2 * a] * sets[0].x[i * WIDTH + c];
            }
            variance += at * at;
        }
        assert_true(variance <= last * (1 + 1e-4));
        last = variance;
    }
    codebook_release(&codebook);
}

/* The same bits at any number of workers. */
static void test_workers(void **state)
{
    make_data(0.5);
    Codebook alone, many;
    TwinSource source = source_of(&data);
    CodebookScore *one = malloc(sizeof(*one)), *three = malloc(sizeof(*three));
    const Work work = {.pool = pool, .seed = 3}, single = {.seed = 3}, other = {.seed = 4};
    assert_int_equal(twin_make(&alone, TWIN_RANDOM, &source, 9, 200, &single), 0);
    assert_int_equal(twin_make(&many, TWIN_RANDOM, &source, 9, 200, &work), 0);
    assert_memory_equal(alone.decoder, many.decoder, 200 * WIDTH * sizeof(float));
    assert_int_equal(codebook_measure(one, &alone, &data, &single), 0);
    assert_int_equal(codebook_measure(three, &many, &data, &work), 0);
    assert_memory_equal(one, three, sizeof(*one));
    assert_int_equal(codebook_measure(three, &many, &data, &other), 0);
    assert_true(one->coverage[0].value == three->coverage[0].value);
    assert_true(one->coverage[0].low != three->coverage[0].low);
    codebook_release(&alone);
    codebook_release(&many);
    free(one);
    free(three);
}

/* A probe whose weights are the board: its directions hold it, also where rows keep 16 of them. */
static void test_probe_twin(void **state)
{
    make_data(0.1);
    Probe probe = {.size = 4,
                   .n_squares = SQUARES,
                   .d_model = WIDTH,
                   .n_classes = 3,
                   .n_layers = 1,
                   .fitted = {true}};
    assert_int_equal(probe_allocate(&probe), 0);
    for (size_t c = 0; c < 3 * SQUARES; c++) {
        bool centre = c == 5 || c == 6 || c == 9 || c == 10;
        probe.weight[0][(c * SQUARES + c % SQUARES) * 3 + c / SQUARES] = centre ? 0 : 1;
        probe.bias[0][c] = 0.01F * (float)(c % 7);
    }
    TwinSource source = source_of(&data);
    assert_false(twin_exists(TWIN_PROBE, &source));
    assert_false(twin_exists(TWIN_NEURONS, &source));
    source.probe = &probe;
    Codebook codebook;
    CodebookScore *score = malloc(sizeof(*score));
    size_t biased = 0;
    assert_true(twin_exists(TWIN_PROBE, &source));
    assert_int_equal(twin_make(&codebook, TWIN_PROBE, &source, 16, 0, WORK_ALONE), 0);
    /* The biases say where a direction is 0: there the class and the others are even. */
    for (size_t j = 0; j < 3 * SQUARES; j++) {
        const size_t class = j / SQUARES, square = j % SQUARES;
        const float *bias = probe.bias[0] + square * 3;
        double length = 0;
        for (size_t c = 0; c < WIDTH; c++) {
            const float *w = probe.weight[0] + (c * SQUARES + square) * 3;
            length += pow(w[class] - (w[(class + 1) % 3] + w[(class + 2) % 3]) / 2.0, 2);
        }
        const double own = bias[class] - (bias[(class + 1) % 3] + bias[(class + 2) % 3]) / 2.0;
        const bool centre = square == 5 || square == 6 || square == 9 || square == 10;
        assert_true(centre && class == 0 ? codebook.bias[j] == 0
                                         : fabs(codebook.bias[j] - own / sqrt(length)) < 1e-6);
        biased += fabs(own) > 0.001;
    }
    assert_true(biased > SQUARES);
    assert_int_equal(codebook_measure(score, &codebook, &data, WORK_ALONE), 0);
    assert_true(score->coverage[0].value > 0.999 && score->board[0].value > 0.999);
    assert_true(score->alive == 44 && score->l0 == 16);
    codebook_release(&codebook);
    probe_release(&probe);
    free(score);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_board_is_covered),
        cmocka_unit_test(test_choosing_on_the_test_flatters),
        cmocka_unit_test(test_what_is_explained),
        cmocka_unit_test(test_components),
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_probe_twin),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
