/* tests/probes/sae/training/test_sae_train.c - planted dictionaries are found by every kind, their
 * normal twin is not; two seeds agree. label: slow */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "num/blas.h"
#include "probes/sae/mmcs.h"
#include "probes/sae/training/sae_train.h"

#define WIDTH 96
#define PLANTED 144
#define FEATURES 216
#define BLOCK 16384

static Work usual;
static float columns[PLANTED * WIDTH];
static SaePlantedRows planted = {WIDTH, PLANTED, 4, BLOCK, 3, columns};

static int setup(void **state)
{
    int rc = blas_init(); /* one worker: batches this small are one job each */
    for (size_t j = 0; j < PLANTED; j++) {
        Rng rng = rng_at(7, RNG_TEST, j);
        double sum = 0;
        for (size_t c = 0; c < WIDTH; c++) {
            columns[j * WIDTH + c] = (float)rng_normal(&rng);
            sum += (double)columns[j * WIDTH + c] * columns[j * WIDTH + c];
        }
        for (size_t c = 0; c < WIDTH; c++) {
            columns[j * WIDTH + c] = (float)(columns[j * WIDTH + c] / sqrt(sum));
        }
    }
    return rc;
}

/* How each kind is trained here: short runs take large steps. */
static SaeTrainOptions options_of(SaeKind kind)
{
    SaeTrainOptions options = {.kind = kind,
                               .features = FEATURES,
                               .activations = 150000,
                               .batch = 256,
                               .lr = 5e-3,
                               .warmup = -1,
                               .dead_after = 50000,
                               .seed = 1};
    if (sae_has_k(kind)) {
        options.k = 4;
        options.activations = kind == SAE_MATRYOSHKA || kind == SAE_TRANSCODER ? 190000 : 130000;
    } else if (kind == SAE_STANDARD) {
        options.l1 = 2;
    } else if (kind == SAE_GATED) {
        options.l1 = 5;
        options.activations = 200000;
    } else {
        options.l0 = 3;
        options.l1 = 1;
        options.activations = 200000;
    }
    sae_train_complete(&options);
    return options;
}

static Sae *topk; /* of the first test */

static Sae *train(const SaeStream *stream, const SaeTrainOptions *options)
{
    Sae *sae = NULL;
    const SaeTrainJob job = {.stream = stream, .options = options};
    assert_int_equal(sae_train(&sae, &job, &usual), 0);
    return sae;
}

/* The planted directions in the dictionary. */
static Mmcs found_in(const Sae *sae)
{
    Mmcs found;
    const MmcsSet truth = {columns, PLANTED}, own = {sae->w_dec, sae->cfg.features};
    assert_int_equal(mmcs_of(&found, NULL, &truth, &own, WIDTH, &usual), 0);
    return found;
}

static void planted_dictionaries_are_found(void **state)
{
    const SaeStream stream = sae_stream_planted(&planted);
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        const SaeTrainOptions options = options_of((SaeKind)kind);
        Sae *sae = train(&stream, &options);
        const Mmcs found = found_in(sae);
        if (!(found.mean >= 0.95 && found.above >= 0.95)) {
            fail_msg("%s: MMCS %.4f, %.4f above .9", sae_kind_name((SaeKind)kind), found.mean,
                     found.above);
        }
        if (kind == SAE_TOPK) {
            topk = sae;
        } else {
            sae_free(sae);
        }
    }
}

/* Rows of the same mean and covariance without features. */
static void normal_rows_hold_no_dictionary(void **state)
{
    float *rows = mem_alloc(BLOCK * WIDTH, sizeof(float), "rows");
    double mean[WIDTH], *factor = mem_alloc(WIDTH * WIDTH, sizeof(double), "a factor");
    const SaeStream stream = sae_stream_planted(&planted);
    const SaeTrainOptions options = options_of(SAE_BATCHTOPK);
    size_t n = 0;
    assert_int_equal(stream.fill(stream.context, rows, NULL, &n, 0, &usual), 0);
    assert_int_equal(sae_gaussian_fit(mean, factor, rows, n, WIDTH), 0);
    SaeGaussianRows normal = {WIDTH, BLOCK, 3, mean, factor};
    const SaeStream twin = sae_stream_gaussian(&normal);
    /* The twin has the covariance: the mean of x_i x_k over its rows. */
    double own = 0, twins = 0, both = 0;
    float *made = mem_alloc(BLOCK * WIDTH, sizeof(float), "rows");
    assert_int_equal(twin.fill(twin.context, made, NULL, &n, 0, &usual), 0);
    for (size_t i = 0; i < WIDTH; i++) {
        for (size_t k = 0; k <= i; k++) {
            double a = 0, b = 0;
            for (size_t r = 0; r < n; r += 4) {
                a += (rows[r * WIDTH + i] - mean[i]) * (rows[r * WIDTH + k] - mean[k]);
                b += (made[r * WIDTH + i] - mean[i]) * (made[r * WIDTH + k] - mean[k]);
            }
            own += a * a;
            twins += b * b;
            both += a * b;
        }
    }
    assert_true(both / sqrt(own * twins) > 0.9);
    Sae *sae = train(&twin, &options);
    const Mmcs found = found_in(sae);
    assert_true(found.mean < 0.5 && found.above < 0.05);
    sae_free(sae);
    mem_free(made);
    mem_free(factor);
    mem_free(rows);
}

/* Keep the directions of features that are active on planted rows; returns how many. */
static size_t keep_alive(float *directions, const Sae *sae, const float *rows, size_t n)
{
    const size_t m = sae->cfg.features;
    float *f = mem_alloc(n * m, sizeof(float), "features");
    size_t alive = 0;
    sae_encode(sae, rows, n, f);
    for (size_t j = 0; j < m; j++) {
        size_t active = 0;
        for (size_t r = 0; r < n; r++) {
            active += f[r * m + j] > 0;
        }
        if (active >= n / 500) { /* a planted one is active in one row of 36 */
            memcpy(directions + alive++ * WIDTH, sae->w_dec + j * WIDTH, WIDTH * sizeof(float));
        }
    }
    mem_free(f);
    return alive;
}

static void two_seeds_agree(void **state)
{
    const SaeStream stream = sae_stream_planted(&planted);
    SaeTrainOptions options = options_of(SAE_TOPK);
    float *rows = mem_alloc(BLOCK * WIDTH, sizeof(float), "rows");
    float *one = mem_alloc(FEATURES * WIDTH, sizeof(float), "directions");
    float *two = mem_alloc(FEATURES * WIDTH, sizeof(float), "directions");
    size_t n = 0;
    Mmcs found;
    assert_int_equal(stream.fill(stream.context, rows, NULL, &n, 1000, &usual), 0);
    assert_non_null(topk);
    options.seed = 2;
    Sae *second = train(&stream, &options);
    assert_true(memcmp(topk->w_dec, second->w_dec, FEATURES * WIDTH * sizeof(float)) != 0);
    const MmcsSet a = {one, keep_alive(one, topk, rows, 4000)};
    const MmcsSet b = {two, keep_alive(two, second, rows, 4000)};
    assert_true(a.n >= PLANTED * 9 / 10 && b.n >= PLANTED * 9 / 10);
    assert_int_equal(mmcs_of(&found, NULL, &a, &b, WIDTH, &usual), 0);
    if (!(found.mean >= 0.95)) {
        fail_msg("MMCS %.4f of %zu alive in %zu", found.mean, a.n, b.n);
    }
    sae_free(second);
    sae_free(topk);
    mem_free(two);
    mem_free(one);
    mem_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_dictionaries_are_found),
        cmocka_unit_test(normal_rows_hold_no_dictionary),
        cmocka_unit_test(two_seeds_agree),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
