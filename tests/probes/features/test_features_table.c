/* tests/probes/features/test_features_table.c - features that are the exact board are named so; on
 * boards of other games they are not; dead and constant ones; the nearest directions; lists. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "probes/features/features_table.h"
#include "tests/probes/probe_fixture.h"

/* Rows of a 4x4 board: coordinate c of 0 .. 47 is 1 where square c % 16 is in class c / 16; one is
 * never on, one always, one is noise. Features are the coordinates above 0. */
enum {
    SQUARES = 16,
    DEAD = 48,
    ALWAYS,
    NOISE,
    WIDTH,
    GAMES = 20,
    PLIES = 30,
    ROWS = GAMES * PLIES
};

typedef struct Rows {
    float x[ROWS * WIDTH];
    uint8_t own[ROWS * COVERAGE_SQUARES], other[ROWS * COVERAGE_SQUARES];
    uint32_t first[GAMES + 1];
} Rows;

static Pool *pool;
static Rows sets[2];
static CodebookRows fit, test;
static float columns[WIDTH * WIDTH];

static CodebookRows rows_make(Rows *out, uint64_t index)
{
    Rng rng = rng_at(index, RNG_TEST, 7);
    memset(out->own, COVERAGE_ABSENT, sizeof(out->own));
    memset(out->other, COVERAGE_ABSENT, sizeof(out->other));
    for (size_t i = 0; i < ROWS; i++) {
        float *x = out->x + i * WIDTH;
        memset(x, 0, WIDTH * sizeof(*x));
        for (size_t s = 0; s < SQUARES; s++) {
            const uint8_t class = (uint8_t)rng_below(&rng, 3);
            out->own[i * COVERAGE_SQUARES + s] = class;
            out->other[i * COVERAGE_SQUARES + s] = (uint8_t)rng_below(&rng, 3);
            x[class * SQUARES + s] = (float)(1 + rng_uniform(&rng));
        }
        x[ALWAYS] = 2;
        x[NOISE] = (float)rng_normal(&rng);
    }
    for (size_t g = 0; g <= GAMES; g++) {
        out->first[g] = (uint32_t)(g * PLIES);
    }
    return (CodebookRows){
        .x = out->x, .board = {ROWS, GAMES, out->own, out->first, SQUARES}, .other = out->other};
}

static void positive(const void *self, const float *x, size_t rows, float *f)
{
    for (size_t i = 0; i < rows * WIDTH; i++) {
        f[i] = x[i] > 0 ? x[i] : 0;
    }
}

static int setup(void **state)
{
    fit = rows_make(&sets[0], 1);
    test = rows_make(&sets[1], 2);
    return blas_init() || pool_new(&pool, 3);
}

static int teardown(void **state)
{
    pool_free(pool);
    return 0;
}

static FeaturesTable make(Pool *by, uint64_t seed)
{
    static FeaturesDirections none = {.width = WIDTH};
    Codebook codebook = {
        .name = "planted", .inputs = WIDTH, .width = WIDTH, .features = WIDTH, .encode = positive};
    const FeaturesInput in = {&codebook, columns, &fit, &test, &none};
    FeaturesTable out;
    assert_int_equal(features_table_make(&out, &in, &(Work){.pool = by, .seed = seed}), 0);
    return out;
}

static void test_planted_squares(void **state)
{
    FeaturesTable table = make(pool, 1);
    size_t order[WIDTH];
    assert_int_equal(table.n, WIDTH);
    for (size_t j = 0; j < DEAD; j++) {
        const FeaturesRow *row = &table.rows[j];
        const int pair = (int)(j / SQUARES * COVERAGE_SQUARES + j % SQUARES);
        size_t on = 0;
        double sum = 0;
        for (size_t i = 0; i < ROWS; i++) {
            on += test.x[i * WIDTH + j] > 0;
            sum += (double)test.x[i * WIDTH + j];
        }
        assert_true(row->alive && row->density == (double)on / ROWS);
        assert_true(fabs(row->mean_on - sum / (double)on) < 1e-12);
        assert_int_equal(row->own.pair, pair); /* 47: d4 mine */
        assert_true(row->own.precision == 1 && row->own.recall == 1 && row->own.fit_f1 == 1);
        assert_true(row->own.f1.value == 1 && row->own.f1.low == 1 && row->own.f1.high == 1);
        assert_int_equal(row->own.threshold, 0);
        /* A third of the boards of other games agree: F1 1/3, and the best of 48 a little more. */
        assert_true(row->shuffled.f1.value > 0.2 && row->shuffled.f1.value < 0.55);
        assert_true(row->shuffled.f1.low <= row->shuffled.f1.value &&
                    row->shuffled.f1.value <= row->shuffled.f1.high &&
                    row->shuffled.f1.low < row->shuffled.f1.high);
    }
    const FeaturesRow *dead = &table.rows[DEAD], *always = &table.rows[ALWAYS];
    assert_true(!dead->alive && dead->density == 0 && isnan(dead->mean_on));
    assert_true(dead->own.pair == -1 && dead->own.f1.value == 0 && isnan(dead->own.precision));
    assert_true(always->alive && always->density == 1 && always->mean_on == 2);
    assert_true(always->own.recall == 1 && always->own.precision < 0.5);
    assert_true(table.rows[NOISE].own.f1.value < 0.6);
    assert_int_equal(features_table_order(order, &table), 0);
    assert_true(order[0] == 0 && order[47] == 47 && order[WIDTH - 1] == DEAD);
    features_table_release(&table);
}

static bool same_property(const FeaturesProperty *a, const FeaturesProperty *b)
{
    return a->pair == b->pair && a->threshold == b->threshold && a->fit_f1 == b->fit_f1 &&
           memcmp(&a->precision, &b->precision, sizeof(double)) == 0 &&
           memcmp(&a->recall, &b->recall, sizeof(double)) == 0 &&
           memcmp(&a->f1, &b->f1, sizeof(a->f1)) == 0;
}

static void test_threads_and_seeds(void **state)
{
    FeaturesTable many = make(pool, 1), alone = make(NULL, 1), other = make(NULL, 2);
    size_t differ = 0;
    for (size_t j = 0; j < WIDTH; j++) {
        assert_true(same_property(&many.rows[j].own, &alone.rows[j].own));
        assert_true(same_property(&many.rows[j].shuffled, &alone.rows[j].shuffled));
        differ += !same_property(&many.rows[j].shuffled, &other.rows[j].shuffled);
    }
    assert_memory_equal(many.values, alone.values, sizeof(float) * WIDTH * ROWS);
    assert_true(differ >= DEAD); /* the draws of the intervals */
    features_table_release(&many);
    features_table_release(&alone);
    features_table_release(&other);
}

static void test_directions(void **state)
{
    ProbeFixture fixture;
    FeaturesDirections out;
    assert_int_equal(fixture_open(&fixture, 2), 0);
    const Gpt *gpt = fixture.subject.model.gpt;
    const Vocab *vocab = fixture.subject.vocab;
    const size_t d = 24, squares = 36, step = squares * 3, V = (size_t)vocab->d_vocab;
    float *weight = malloc(d * step * sizeof(float)), column[24];
    Probe probe = {.n_squares = 36, .n_classes = 3, .d_model = 24, .n_layers = 1};
    Rng rng = rng_at(4, RNG_TEST, 1);
    for (size_t i = 0; i < d * step; i++) {
        weight[i] = (float)rng_normal(&rng);
    }
    const size_t never = 14; /* a centre square is never empty: its class has no weights */
    for (size_t c = 0; c < d; c++) {
        float *w = weight + c * step + never * 3;
        w[0] = 0;
        w[2] = -w[1];
    }
    probe.layers[0] = 1;
    probe.fitted[0] = true;
    probe.weight[0] = weight;
    assert_int_equal(features_directions_make(&out, gpt, vocab, HOOK_RESID_POST, 1, &probe, 1), 0);
    for (size_t s = 0; s < squares; s += 5) { /* theirs against the other two */
        for (size_t c = 0; c < d; c++) {
            const float *w = weight + c * step + s * 3;
            column[c] = 3 * (2 * w[1] - w[0] - w[2]);
        }
        const FeaturesNearest near = features_nearest_probe(&out, column);
        assert_int_equal(near.square, task_square(vocab->variant, (int)s));
        assert_int_equal(near.class, 1);
        assert_true(fabs(near.cosine - 1) < 1e-6);
        double values[BOARD_SQUARES];
        features_cosines(values, &out, column, 1);
        assert_true(values[near.square] == near.cosine);
    }
    double cosines[BOARD_SQUARES];
    features_cosines(cosines, &out, column, 0);
    assert_true(isnan(cosines[task_square(vocab->variant, (int)never)]));
    assert_false(isnan(cosines[task_square(vocab->variant, 0)]));
    for (size_t tok = 1; tok < V; tok += 7) {
        for (size_t c = 0; c < d; c++) {
            column[c] = (float)(-2 * gpt->params[gpt->map.lnf_w + c] *
                                gpt->params[gpt->map.W_U + c * V + tok]);
        }
        double values[BOARD_SQUARES], mean = 0, least = 0;
        for (size_t c = 0; c < d; c++) {
            mean += (double)column[c] / (double)d;
        }
        for (size_t c = 0; c < d; c++) {
            column[c] -= (float)mean;
        }
        features_cosines(values, &out, column, -1);
        for (int sq = 0; sq < BOARD_SQUARES; sq++) {
            least = values[sq] < least ? values[sq] : least;
        }
        assert_true(fabs(values[vocab->sq_of_tok[tok]] + 1) < 1e-6); /* the opposite */
        assert_true(least == values[vocab->sq_of_tok[tok]]);
        assert_true(features_nearest_move(&out, column).square != vocab->sq_of_tok[tok]);
    }
    /* The largest of 108 cosines in 24 dimensions is far from 0, and far from 1. */
    assert_true(out.probe_chance > 0.35 && out.probe_chance < 0.65);
    assert_true(out.moves_chance > 0.3 && out.moves_chance < out.probe_chance);
    features_directions_release(&out);
    assert_int_equal(features_directions_make(&out, gpt, vocab, HOOK_POST, 1, NULL, 1), 0);
    assert_true(isnan(out.probe_chance) && isnan(out.moves_chance) && out.n_moves == 0);
    assert_int_equal(features_nearest_move(&out, column).square, -1);
    features_directions_release(&out);
    free(weight);
    fixture_close(&fixture);
}

static void test_lists(void **state)
{
    static const char *const wrong[] = {"",   ",",   "1,",  "a",    "-1",   "3-",
                                        "10", "4-2", "0 1", "1-10", "1--2", "99999999999999999999"};
    bool *chosen = NULL;
    const bool wanted[10] = {true, false, false, true, true, true, false, false, false, true};
    assert_int_equal(features_list_parse(&chosen, 10, "9,3-5,0,4"), 0);
    assert_memory_equal(chosen, wanted, sizeof(wanted));
    mem_free(chosen);
    assert_true(features_list_parse(&chosen, 10, NULL) == 0 && !chosen);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(features_list_parse(&chosen, 10, wrong[i]), OGPT_EUSAGE);
        mem_free(chosen);
        assert_non_null(strstr(err_message(), "--features"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_squares),
        cmocka_unit_test(test_threads_and_seeds),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
