/* tests/probes/dictionaries/test_absorption.c - a planted absorption is found at its rate, and none
 * where none is planted; a planted split; labels that mean nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rng.h"
#include "num/blas.h"
#include "probes/dictionaries/absorption.h"

/* One square; it is mine where coordinate 0 is 1. Coordinates 1 .. TOKENS are tokens of which at
 * most one is there, only where the square is mine, each in a 50th of these rows. */
enum { TOKENS = 20, WIDTH = TOKENS + 1, FEATURES = TOKENS + 1, ROWS = 4000, MINE = 2 };

typedef struct TokenRows {
    float x[ROWS * WIDTH];
    uint8_t labels[ROWS * COVERAGE_SQUARES], levels[FEATURES * ROWS];
    size_t mine, with_token;
} TokenRows;

static TokenRows sets[2];
static const uint32_t first[] = {0, ROWS};
static Pool *pool;

static void draw_rows(TokenRows *out, uint64_t seed)
{
    memset(out, 0, sizeof(*out));
    memset(out->labels, COVERAGE_ABSENT, sizeof(out->labels));
    for (size_t i = 0; i < ROWS; i++) {
        Rng rng = rng_at(seed, RNG_TEST, i);
        const bool mine = rng_below(&rng, 2) == 1;
        const size_t token = rng_below(&rng, 50);
        out->labels[i * COVERAGE_SQUARES] = mine ? MINE : 1;
        out->x[i * WIDTH] = mine ? 1 : 0;
        out->mine += mine;
        if (mine && token < TOKENS) {
            out->x[i * WIDTH + 1 + token] = 1;
            out->with_token++;
        }
    }
}

/* Feature 0 tells the square and features 1 .. the tokens. absorbs: a token's feature holds the
 * square too, and feature 0 is silent then. */
static Codebook dictionary_of(bool absorbs)
{
    Codebook out;
    assert_int_equal(codebook_linear(&out, WIDTH, WIDTH, FEATURES), 0);
    out.decoder = mem_calloc(FEATURES * WIDTH, sizeof(float), "a decoder");
    for (size_t j = 0; j < FEATURES; j++) {
        out.weight[j * FEATURES + j] = 1;
        out.decoder[j * WIDTH + j] = 1;
        if (absorbs && j > 0) {
            out.weight[j * FEATURES] = -2;
            out.decoder[j * WIDTH] = 1;
        }
    }
    return out;
}

static Codebook probe_of(void)
{
    Codebook out;
    assert_int_equal(codebook_linear(&out, WIDTH, WIDTH, COVERAGE_CLASSES), 0);
    out.weight[MINE] = 1;
    out.bias[MINE] = -0.5F;
    out.weight[1] = -1;
    out.bias[1] = 0.5F;
    return out;
}

static AbsorptionRows rows_of(TokenRows *set, const Codebook *codebook)
{
    for (size_t i = 0; i < ROWS; i++) {
        float f[FEATURES];
        codebook_encode(codebook, set->x + i * WIDTH, 1, f);
        for (size_t j = 0; j < FEATURES; j++) {
            set->levels[j * ROWS + i] = f[j] > 0;
        }
    }
    return (AbsorptionRows){set->levels, {ROWS, 1, set->labels, first, 1}};
}

static AbsorptionScore measure(const Codebook *codebook, Pool *by)
{
    AbsorptionScore out;
    Codebook probe = probe_of();
    const AbsorptionInput in = {.codebook = codebook,
                                .columns = codebook->decoder,
                                .probe = &probe,
                                .choose = rows_of(&sets[0], codebook),
                                .test = rows_of(&sets[1], codebook),
                                .x = sets[1].x,
                                .inputs = sets[1].x};
    assert_int_equal(absorption_measure(&out, &in, &(Work){.pool = by}), 0);
    codebook_release(&probe);
    return out;
}

static int setup(void **state)
{
    draw_rows(&sets[0], 1);
    draw_rows(&sets[1], 2);
    return blas_init() || pool_new(&pool, 3);
}

static int teardown(void **state)
{
    pool_free(pool);
    return 0;
}

/* Two pairs are there, mine and theirs: the probe sees both, absorbed are mine with a token. Theirs
 * has no direction of its own in the dictionary. */
static void test_planted(void **state)
{
    Codebook none = dictionary_of(false), some = dictionary_of(true);
    const AbsorptionScore without = measure(&none, pool), with = measure(&some, pool),
                          alone = measure(&some, NULL);
    const size_t theirs = ROWS - sets[1].mine;
    assert_true(sets[1].with_token > ROWS / 10);
    assert_true(without.absorbed == 0 && without.split == 0);
    /* No feature is on where it is theirs, so that pair has no main feature and does not count. */
    assert_true(theirs > 0 && with.absorbed == (double)sets[1].with_token / (double)sets[1].mine);
    assert_true(with.split == 0 && with.mains == 1);
    assert_memory_equal(&with, &alone, sizeof(with));
    codebook_release(&none);
    codebook_release(&some);
}

/* A column that is hardly aligned absorbs nothing, whatever is left of the square. */
static void test_aligned(void **state)
{
    Codebook some = dictionary_of(true);
    for (size_t j = 1; j < FEATURES; j++) {
        some.decoder[j * WIDTH] = 0.02F;
    }
    assert_true(measure(&some, pool).absorbed == 0);
    codebook_release(&some);
}

/* Half of the square by one feature, half by another. */
static void test_split(void **state)
{
    Codebook halves = dictionary_of(false);
    memset(halves.weight, 0, WIDTH * FEATURES * sizeof(float));
    halves.weight[0] = 1;
    halves.weight[1] = -1;
    for (size_t c = 1; c <= TOKENS; c++) { /* the second half: rows with a token */
        halves.weight[c * FEATURES] = -2;
        halves.weight[c * FEATURES + 1] = 2;
    }
    const AbsorptionScore split = measure(&halves, pool);
    assert_true(split.absorbed == 0 && split.split == 1 && split.mains == 2);
    codebook_release(&halves);
}

/* Main features of labels that mean nothing are silent on many rows that the probe sees: the number
 * is small only where main features mean what they should. */
static void test_labels_of_others(void **state)
{
    Codebook none = dictionary_of(false);
    uint8_t labels[ROWS * COVERAGE_SQUARES];
    memcpy(labels, sets[0].labels, sizeof(labels));
    for (size_t i = 0; i < ROWS; i++) { /* mine where a token is there or not, by a draw */
        Rng rng = rng_at(9, RNG_TEST, i);
        const bool token = sets[0].x[i * WIDTH] > 0 && rng_below(&rng, 50) == 0;
        sets[0].labels[i * COVERAGE_SQUARES] = sets[0].x[i * WIDTH + 1] > 0 || token ? MINE : 1;
    }
    const AbsorptionScore shuffled = measure(&none, pool);
    assert_true(shuffled.absorbed > 0.4); /* nearly all of mine, half of what the probe sees */
    memcpy(sets[0].labels, labels, sizeof(labels));
    codebook_release(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_planted),
                                       cmocka_unit_test(test_aligned), cmocka_unit_test(test_split),
                                       cmocka_unit_test(test_labels_of_others)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
