/* tests/base/test_rng.c - Philox known answers, distributions, permutations. */
#include "tests/base/base_test.h"

#include <math.h>
#include <stdbool.h>

#include "base/rng.h"

/* Known answers of Philox4x32-10 that Random123 publishes: counter, key, result. */
static void test_known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], result[4];
    } table[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < 3; i++) {
        Rng rng = {.n_used = 4};
        memcpy(rng.counter, table[i].counter, sizeof(rng.counter));
        memcpy(rng.key, table[i].key, sizeof(rng.key));
        for (size_t w = 0; w < 4; w++) {
            assert_int_equal(rng_u32(&rng), table[i].result[w]);
        }
    }
    Rng first = rng_at(0, (RngPurpose)0, 0);
    assert_int_equal(rng_u32(&first), 0x6627e8d5);
    assert_true(rng_u64(&first) == 0xbc57ac4ce169c58dU);
}

/* A stream goes on over its blocks, and nothing but (seed, purpose, index) makes it. */
static void test_streams_are_functions_of_their_names(void **state)
{
    Rng a = rng_at(7, RNG_TEST, 12345678901), b = a, c = rng_at(7, RNG_TEST, 12345678901);
    for (int i = 0; i < 1000; i++) {
        uint32_t word = rng_u32(&a);
        assert_int_equal(word, rng_u32(&b));
        assert_int_equal(word, rng_u32(&c));
    }
    Rng base = rng_at(7, RNG_TEST, 1);
    Rng others[] = {rng_at(8, RNG_TEST, 1), rng_at(7 + (1UL << 32), RNG_TEST, 1),
                    rng_at(7, RNG_EVAL, 1), rng_at(7, RNG_TEST, 2),
                    rng_at(7, RNG_TEST, 1 + (1UL << 32))};
    uint64_t first = rng_u64(&base);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_true(rng_u64(&others[i]) != first);
    }
}

static double chi_square(const size_t *count, size_t n_cells, double n_draws)
{
    double expected = n_draws / (double)n_cells, sum = 0;
    for (size_t i = 0; i < n_cells; i++) {
        sum += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
    }
    return sum;
}

/* Bounds of chi-square: mean + 5 standard deviations, df + 5 sqrt(2 df). Seeds are fixed, so the
 * outcome is too; the bound says how unlikely a sound generator would be to miss it (< 1e-4). */
static bool is_uniform(const size_t *count, size_t n_cells, double n_draws)
{
    double df = (double)n_cells - 1;
    return chi_square(count, n_cells, n_draws) < df + 5 * sqrt(2 * df);
}

static void test_below_is_uniform(void **state)
{
    enum { DRAWS = 200000 };
    static const uint32_t sizes[] = {1, 2, 3, 10, 33, 64};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t count[64] = {0};
        Rng rng = rng_at(1, RNG_TEST, s);
        for (int i = 0; i < DRAWS; i++) {
            uint32_t x = rng_below(&rng, sizes[s]);
            assert_in_range(x, 0, sizes[s] - 1);
            count[x]++;
        }
        assert_true(sizes[s] == 1 || is_uniform(count, sizes[s], DRAWS));
        count[0] += DRAWS / 20; /* the negative twin: one value drawn too often */
        assert_false(sizes[s] > 1 && is_uniform(count, sizes[s], DRAWS));
    }
}

/* n = 3 * 2^30: without rejection the multiples of 3 would come up half the time, not a third. */
static void test_below_rejects_the_bias(void **state)
{
    enum { DRAWS = 60000 };
    size_t count[3] = {0}, biased[3] = {0};
    Rng rng = rng_at(2, RNG_TEST, 0);
    for (int i = 0; i < DRAWS; i++) {
        count[rng_below(&rng, 3U << 30) % 3]++;
        biased[((uint64_t)rng_u32(&rng) * (3U << 30) >> 32) % 3]++;
    }
    assert_true(is_uniform(count, 3, DRAWS));
    assert_false(is_uniform(biased, 3, DRAWS));
}

static void test_uniform_and_normal_moments(void **state)
{
    enum { DRAWS = 400000 };
    Rng rng = rng_at(3, RNG_TEST, 0);
    double sum = 0, square = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = rng_uniform(&rng);
        assert_true(u >= 0 && u < 1);
        sum += u;
        square += u * u;
    }
    /* five standard errors: sqrt(1/12/n) and sqrt(4/45/n) */
    assert_true(fabs(sum / DRAWS - 0.5) < 5 * sqrt(1.0 / 12 / DRAWS));
    assert_true(fabs(square / DRAWS - 1.0 / 3) < 5 * sqrt(4.0 / 45 / DRAWS));
    double moment[5] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double x = rng_normal(&rng), power = x;
        assert_true(isfinite(x));
        for (int k = 1; k <= 4; k++) {
            moment[k] += power / DRAWS;
            power *= x;
        }
    }
    /* five standard errors; variances of x, x^2, x^3, x^4 are 1, 2, 15 and 96 */
    assert_true(fabs(moment[1]) < 5 * sqrt(1.0 / DRAWS));
    assert_true(fabs(moment[2] - 1) < 5 * sqrt(2.0 / DRAWS));
    assert_true(fabs(moment[3]) < 5 * sqrt(15.0 / DRAWS));
    assert_true(fabs(moment[4] - 3) < 5 * sqrt(96.0 / DRAWS));
}

static bool is_permutation(uint64_t index, uint64_t n)
{
    unsigned char *seen = mem_calloc(n, 1, "a test");
    bool good = true;
    for (uint64_t i = 0; i < n && good; i++) {
        uint64_t x = rng_permute(5, RNG_TEST, index, i, n);
        good = x < n && !seen[x];
        if (good) {
            seen[x] = 1;
        }
    }
    mem_free(seen);
    return good;
}

static void test_permute_is_a_permutation(void **state)
{
    for (uint64_t n = 1; n <= 300; n++) {
        assert_true(is_permutation(n, n));
    }
    assert_true(is_permutation(0, 4096));
    assert_true(is_permutation(1, 65537));
    assert_true(is_permutation(2, 262145)); /* the set walked in is nearly 4 n */
}

/* Beyond 32 bits nothing can be enumerated: no two of the first images agree, all lie inside. */
static void test_permute_large(void **state)
{
    static const uint64_t sizes[] = {5000000000, 1UL << 62, (1UL << 62) + 1, UINT64_MAX};
    for (size_t s = 0; s < 4; s++) {
        uint64_t image[64];
        for (uint64_t i = 0; i < 64; i++) {
            image[i] = rng_permute(6, RNG_TEST, s, i, sizes[s]);
            assert_true(image[i] < sizes[s]);
            for (uint64_t j = 0; j < i; j++) {
                assert_true(image[i] != image[j]);
            }
        }
    }
}

/* All 24 orders of 4 come equally often over the index; so does the place of entry 0 of 100. */
static void test_permute_is_uniform(void **state)
{
    enum { DRAWS = 48000 };
    size_t count[256] = {0}, order[24], place[100] = {0};
    for (uint64_t index = 0; index < DRAWS; index++) {
        size_t code = 0;
        for (uint64_t i = 0; i < 4; i++) {
            code = code * 4 + rng_permute(9, RNG_TEST, index, i, 4);
        }
        count[code]++;
        place[rng_permute(9, RNG_TEST, index, 0, 100)]++;
    }
    size_t n_orders = 0;
    for (size_t i = 0; i < 256; i++) {
        if (count[i] > 0) {
            assert_in_range(n_orders, 0, 23);
            order[n_orders++] = count[i];
        }
    }
    assert_int_equal(n_orders, 24);
    assert_true(is_uniform(order, 24, DRAWS));
    assert_true(is_uniform(place, 100, DRAWS));
}

/* Words made several blocks at a time are those made one by one, on both sides of 2^32. */
static void test_words_are_those_of_the_stream(void **state)
{
    static const uint64_t indices[] = {0, 1, 77, UINT32_MAX, (1UL << 32) + 5, UINT64_MAX};
    static const uint64_t seeds[] = {0, 1, (1UL << 40) + 3, UINT64_MAX};
    for (size_t i = 0; i < 6; i++) {
        for (size_t s = 0; s < 4; s++) {
            Rng rng = rng_at(seeds[s], RNG_TEST, indices[i]);
            for (uint32_t run = 0; run < 3; run++) {
                uint32_t words[RNG_RUN];
                rng_words(words, seeds[s], RNG_TEST, indices[i], run);
                for (int w = 0; w < RNG_RUN; w++) {
                    assert_int_equal(words[w], rng_u32(&rng));
                }
            }
        }
    }
}

/* A word is rejected if it is one of the 2^32 mod n lowest products: for n = 3 * 2^30 a quarter. */
static void test_words_are_rejected_as_lemire_says(void **state)
{
    enum { DRAWS = 20000 };
    static const uint32_t sizes[] = {1, 2, 10, 3U << 30, UINT32_MAX};
    for (size_t s = 0; s < 5; s++) {
        const uint64_t rest = (1ULL << 32) % sizes[s];
        Rng rng = rng_at(4, RNG_TEST, s);
        int rejected = 0;
        for (int i = 0; i < DRAWS; i++) {
            const uint32_t word = i < 4 ? (uint32_t)i : rng_u32(&rng);
            const uint64_t product = (uint64_t)word * sizes[s];
            uint32_t below = 0;
            const bool taken = rng_word_below(&below, word, sizes[s]);
            assert_int_equal(taken, product % (1ULL << 32) >= rest);
            assert_int_equal(below, product >> 32);
            rejected += !taken;
        }
        assert_true(sizes[s] == 3U << 30 ? rejected > DRAWS / 5 : rejected <= 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_streams_are_functions_of_their_names),
        cmocka_unit_test(test_below_is_uniform),
        cmocka_unit_test(test_below_rejects_the_bias),
        cmocka_unit_test(test_uniform_and_normal_moments),
        cmocka_unit_test(test_permute_is_a_permutation),
        cmocka_unit_test(test_permute_large),
        cmocka_unit_test(test_permute_is_uniform),
        cmocka_unit_test(test_words_are_those_of_the_stream),
        cmocka_unit_test(test_words_are_rejected_as_lemire_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
