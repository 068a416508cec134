/* tests/probes/sae/test_sae.c - every kind against its plain version; files there and back, damaged
 * and foreign; selection; MMCS. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/rng.h"
#include "num/blas.h"
#include "probes/sae/mmcs.h"
#include "probes/sae/sae.h"
#include "probes/sae/sae_select.h"
#include "tests/folder.h"

#define WIDTH 12
#define WIDTH_OUT 7
#define FEATURES 40
#define ROWS 300

static Pool *pool;
static Work usual;
static char folder[FOLDER_MAX];

static int setup(void **state)
{
    usual = (Work){0};
    int rc = blas_init() || pool_new(&pool, 2) || folder_make(folder);
    usual.pool = pool;
    return rc;
}

static int teardown(void **state)
{
    pool_free(pool);
    return dir_remove(folder);
}

static void draw(float *out, size_t n, uint64_t index)
{
    Rng rng = rng_at(1, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)rng_normal(&rng);
    }
}

static void draw_units(float *rows, size_t n, size_t d, uint64_t index)
{
    draw(rows, n * d, index);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t c = 0; c < d; c++) {
            sum += (double)rows[i * d + c] * rows[i * d + c];
        }
        for (size_t c = 0; c < d; c++) {
            rows[i * d + c] = (float)(rows[i * d + c] / sqrt(sum));
        }
    }
}

/* One with random numbers everywhere. */
static Sae *random_sae(SaeKind kind)
{
    SaeConfig cfg = {.kind = kind,
                     .d_in = WIDTH,
                     .d_out = kind == SAE_TRANSCODER ? WIDTH_OUT : WIDTH,
                     .features = FEATURES,
                     .k = sae_has_k(kind) ? 3 : 0,
                     .site = kind == SAE_TRANSCODER ? HOOK_LN2 : HOOK_RESID_POST,
                     .site_out = kind == SAE_TRANSCODER ? HOOK_MLP_OUT : HOOK_RESID_POST,
                     .layer = 2,
                     .l1 = 0.25,
                     .scale = 1.5,
                     .scale_out = 0.5,
                     .lr = 1e-3,
                     .seed = 7,
                     .explained = 0.75};
    snprintf(cfg.model_hash, sizeof(cfg.model_hash), "0123456789abcdef");
    snprintf(cfg.games, sizeof(cfg.games), "fresh:8:1");
    Sae *sae = NULL;
    assert_int_equal(sae_new(&sae, &cfg), 0);
    draw(sae->w_enc, FEATURES * cfg.d_in, 10);
    draw_units(sae->w_dec, FEATURES, cfg.d_out, 11);
    draw(sae->b_enc, FEATURES, 12);
    draw(sae->b_dec, cfg.d_out, 13);
    if (sae->r_mag) {
        draw(sae->r_mag, FEATURES, 14);
        draw(sae->b_mag, FEATURES, 15);
    }
    for (size_t j = 0; sae->theta && j < FEATURES; j++) {
        sae->theta[j] = kind == SAE_JUMPRELU ? (float)j / FEATURES : 1.5F;
    }
    sae_prepare(sae);
    return sae;
}

/* ---- what it computes ---- */

static void every_kind_is_its_plain_version(void **state)
{
    float x[ROWS * WIDTH];
    static float f[ROWS * FEATURES], x_hat[ROWS * WIDTH];
    static double plain[ROWS * FEATURES], plain_hat[ROWS * WIDTH];
    draw(x, ROWS * WIDTH, 20);
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        Sae *sae = random_sae((SaeKind)kind);
        size_t active = 0;
        sae_encode(sae, x, ROWS, f);
        sae_decode(sae, f, ROWS, x_hat);
        sae_ref(sae, x, ROWS, plain, plain_hat);
        for (size_t i = 0; i < ROWS * FEATURES; i++) {
            active += f[i] > 0;
            assert_true(fabs(f[i] - plain[i]) < 1e-4);
        }
        for (size_t i = 0; i < ROWS * sae->cfg.d_out; i++) {
            assert_true(fabs(x_hat[i] - plain_hat[i]) < 1e-3);
        }
        assert_true(active > ROWS / 2 && active < ROWS * FEATURES * 3 / 4);
        if (kind == SAE_TOPK) {
            assert_int_equal(active, 3 * ROWS);
        }
        sae_free(sae);
    }
}

static int by_size(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static void selection_is_sorting(void **state)
{
    float x[500], sorted[500], kept[500];
    for (int round = 0; round < 20; round++) {
        draw(x, 500, 30 + (uint64_t)round);
        for (size_t i = 0; i < 500; i += 3) {
            x[i] = round % 2 ? 0.5F : x[i]; /* many equal ones */
        }
        memcpy(sorted, x, sizeof(x));
        qsort(sorted, 500, sizeof(float), by_size);
        for (size_t k = 1; k <= 500; k = k * 2 + 1) {
            const float want = sorted[k - 1] > 0 ? sorted[k - 1] : 0;
            assert_true(sae__kth_largest(x, 500, k) == want);
            memcpy(kept, x, sizeof(x));
            sae_keep_largest(kept, 500, k);
            size_t n = 0, positive = 0;
            for (size_t i = 0; i < 500; i++) {
                n += kept[i] > 0;
                positive += x[i] > 0;
                assert_true(kept[i] == 0 || (kept[i] == x[i] && x[i] >= want));
            }
            assert_int_equal(n, k < positive ? k : positive);
        }
    }
    /* Many: by counting. */
    static float many[5000], all[5000];
    draw(many, 5000, 60);
    memcpy(all, many, sizeof(all));
    qsort(all, 5000, sizeof(float), by_size);
    for (size_t k = 1; k <= 5000; k = k * 3 + 1) {
        const float want = all[k - 1] > 0 ? all[k - 1] : 0;
        assert_true(sae__kth_largest(many, 5000, k) == want);
    }
}

static void of_equal_ones_the_first_are_kept(void **state)
{
    const float given[] = {3, 0, 5, 1, 5, 2, 5, 0, 4};
    const float two[] = {0, 0, 5, 0, 5, 0, 0, 0, 0}, five[] = {3, 0, 5, 0, 5, 0, 5, 0, 4};
    float f[9];
    memcpy(f, given, sizeof(f));
    sae_keep_largest(f, 9, 2);
    assert_memory_equal(f, two, sizeof(f));
    memcpy(f, given, sizeof(f));
    sae_keep_largest(f, 9, 5);
    assert_memory_equal(f, five, sizeof(f));
    sae_keep_largest(f, 9, 9);
    assert_memory_equal(f, five, sizeof(f));
    for (uint64_t draw = 0; draw < 300; draw++) { /* against counting */
        Rng rng = rng_at(draw, RNG_TEST, 3);
        float own[60];
        size_t n = 1 + rng_below(&rng, 60), k = 1 + rng_below(&rng, 60), kept = 0, positive = 0;
        for (size_t i = 0; i < n; i++) {
            own[i] = draw % 2 ? (float)rng_below(&rng, 6) : (float)rng_normal(&rng);
            own[i] = own[i] > 0 ? own[i] : 0;
            positive += own[i] > 0;
        }
        float whole[60];
        memcpy(whole, own, sizeof(own));
        sae_keep_largest(own, n, k);
        for (size_t i = 0; i < n; i++) {
            size_t ahead = 0; /* larger, or equal and earlier */
            for (size_t j = 0; j < n; j++) {
                ahead += whole[j] > whole[i] || (whole[j] == whole[i] && j < i);
            }
            assert_true(own[i] == (ahead < k ? whole[i] : 0));
            kept += own[i] > 0;
        }
        assert_int_equal(kept, positive < k ? positive : k);
    }
    float broken[] = {1, NAN, 3, -2}; /* what is no number stays, to be found */
    sae_keep_largest(broken, 4, 1);
    assert_true(broken[0] == 0 && isnan(broken[1]) && broken[2] == 3 && broken[3] == 0);
}

/* ---- files ---- */

static void files_there_and_back(void **state)
{
    char path[FILES_PATH_MAX];
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        Sae *sae = random_sae((SaeKind)kind), *back = NULL;
        snprintf(path, sizeof(path), "%s/%s", folder, sae_kind_name((SaeKind)kind));
        assert_int_equal(sae_save(sae, path, NULL), 0);
        assert_int_equal(sae_open(&back, path), 0);
        assert_int_equal(back->cfg.kind, kind);
        assert_int_equal(back->cfg.k, sae->cfg.k);
        assert_int_equal(back->cfg.site_out, sae->cfg.site_out);
        assert_string_equal(back->cfg.games, "fresh:8:1");
        assert_true(back->cfg.scale == 1.5 && back->cfg.explained == 0.75);
        assert_memory_equal(back->w_enc, sae->w_enc, FEATURES * WIDTH * sizeof(float));
        assert_memory_equal(back->w_dec, sae->w_dec, FEATURES * sae->cfg.d_out * sizeof(float));
        assert_memory_equal(back->b_pre, sae->b_pre, FEATURES * sizeof(float));
        if (sae->theta) {
            assert_memory_equal(back->theta, sae->theta, FEATURES * sizeof(float));
        }
        if (sae->r_mag) {
            assert_memory_equal(back->b_mag, sae->b_mag, FEATURES * sizeof(float));
        }
        sae_free(back);
        sae_free(sae);
    }
}

static void foreign_ones_are_refused(void **state)
{
    Sae *sae = random_sae(SAE_TOPK);
    const char *hash = "0123456789abcdef", *other = "fedcba9876543210";
    GptConfig cfg = {.n_layers = 4, .d_model = WIDTH, .n_heads = 2, .d_mlp = 48, .n_ctx = 59};
    assert_int_equal(sae_check(sae, "s", &cfg, hash, "m", HOOK_RESID_POST, 2), 0);
    assert_int_equal(sae_check(sae, "s", &cfg, other, "m", -1, 0), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "0123456789ab"));
    assert_non_null(strstr(err_message(), "fedcba987654"));
    assert_int_equal(sae_check(sae, "s", &cfg, hash, "m", HOOK_RESID_POST, 3), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "layer 2, but resid_post of layer 3"));
    assert_int_equal(sae_check(sae, "s", &cfg, hash, "m", HOOK_MLP_OUT, 2), OGPT_EFORMAT);
    cfg.d_model = 16;
    assert_int_equal(sae_check(sae, "s", &cfg, NULL, "m", -1, 0), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "rows of 12 numbers, but resid_post of m has 16"));
    cfg.d_model = WIDTH;
    cfg.n_layers = 2;
    assert_int_equal(sae_check(sae, "s", &cfg, NULL, "m", -1, 0), OGPT_EFORMAT);
    sae_free(sae);
}

/* Publish a copy of a sound file with a change in cfg.json or the tensors; what opening it says. */
static int open_changed(const char *from, const char *was, const char *is, size_t keep_bytes)
{
    char path[FILES_PATH_MAX], file[FILES_PATH_MAX], text[8192] = "";
    void *config, *tensors;
    size_t n_config, n_tensors;
    Publish *publish = NULL;
    Sae *sae = NULL;
    path_join(file, from, "cfg.json");
    assert_int_equal(file_read_all(&config, &n_config, file, 1 << 20), 0);
    path_join(file, from, "sae_weights.safetensors");
    assert_int_equal(file_read_all(&tensors, &n_tensors, file, 1 << 20), 0);
    char *place = strstr(config, was);
    assert_non_null(place);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - (char *)config), (char *)config, is,
             place + strlen(was));
    snprintf(path, sizeof(path), "%s/changed", folder);
    assert_int_equal(publish_begin(&publish, path, true), 0);
    assert_int_equal(publish_file(publish, "cfg.json", text, strlen(text)), 0);
    assert_int_equal(publish_file(publish, "sae_weights.safetensors", tensors,
                                  keep_bytes > 0 ? keep_bytes : n_tensors),
                     0);
    Js *fields = js_object();
    assert_int_equal(publish_commit(publish, fields), 0);
    js_free(fields);
    mem_free(config);
    mem_free(tensors);
    int rc = sae_open(&sae, path);
    assert_true((rc == 0) == !!sae);
    sae_free(sae);
    return rc;
}

static void hostile_files_are_refused(void **state)
{
    static const char *const changes[][2] = {
        {"\"d_sae\": 40", "\"d_sae\": 41"},
        {"\"d_sae\": 40", "\"d_sae\": 200000"},
        {"\"d_sae\": 40", "\"d_sae\": -1"},
        {"\"d_in\": 12", "\"d_in\": 13"},
        {"\"d_in\": 12", "\"d_in\": 16384"},
        {"\"kind\": \"topk\"", "\"kind\": \"gated\""},
        {"\"kind\": \"topk\"", "\"kind\": \"other\""},
        {"\"architecture\": \"topk\"", "\"architecture\": 3"},
        {"\"site\": \"resid_post\"", "\"site\": \"pattern\""},
        {"\"layer\": 2", "\"layer\": 64"},
        {"\"site_out\": \"resid_post\"", "\"site_out\": \"mlp_out\""},
        {"\"k\": 3,\n      ", "\"k\": 41,\n      "},
        {"\"ogpt\"", "\"other\""},
        {"\"scale\": 1.5", "\"scale\": \"x\""},
        {"\"format\": 1", "\"format\": 0"}};
    char path[FILES_PATH_MAX];
    Sae *sae = random_sae(SAE_TOPK), *back = NULL;
    snprintf(path, sizeof(path), "%s/sound", folder);
    assert_int_equal(sae_save(sae, path, NULL), 0);
    assert_int_equal(open_changed(path, "\"layer\": 2", "\"layer\": 2", 0), 0);
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        assert_int_equal(open_changed(path, changes[i][0], changes[i][1], 0), OGPT_EFORMAT);
    }
    assert_int_equal(open_changed(path, "\"format\": 1", "\"format\": 2", 0), OGPT_EVERSION);
    assert_int_equal(open_changed(path, "\"layer\": 2", "\"layer\": 2", 2000), OGPT_EFORMAT);
    /* Numbers that no autoencoder has. */
    sae->w_dec[3] = 2;
    snprintf(path, sizeof(path), "%s/long", folder);
    assert_int_equal(sae_save(sae, path, NULL), 0);
    assert_int_equal(sae_open(&back, path), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "row 0 of W_dec has length"));
    sae->w_enc[5] = NAN;
    assert_int_equal(sae_save(sae, path, NULL), 0);
    assert_int_equal(sae_open(&back, path), OGPT_EFORMAT);
    assert_int_equal(sae_open(&back, "/nowhere/at/all"), OGPT_EIO);
    assert_int_equal(sae_save(sae, folder, NULL), OGPT_EUSAGE);
    sae_free(sae);
    SaeConfig wide = {.kind = SAE_TOPK, .d_in = 8, .d_out = 9, .features = 4};
    assert_int_equal(sae_new(&back, &wide), OGPT_EUSAGE);
}

/* ---- MMCS ---- */

static void mmcs_of_known_dictionaries(void **state)
{
    const size_t d = 128, m = 1024;
    float *a = mem_alloc(m * d, sizeof(float), "a"), *b = mem_alloc(m * d, sizeof(float), "b");
    float *best = mem_alloc(m, sizeof(float), "best");
    draw_units(a, m, d, 50);
    draw_units(b, m, d, 51);
    const MmcsSet of_a = {a, m}, of_b = {b, m};
    Mmcs found, plain;
    assert_int_equal(mmcs_of(&found, best, &of_a, &of_b, d, &usual), 0);
    /* The expected largest of 1,024 cosines in 128 dimensions. */
    assert_true(fabs(found.mean - 0.28) < 0.01);
    assert_true(found.above == 0 && found.n == m && found.n_zero == 0);
    const MmcsSet few_a = {a, 64}, few_b = {b, 64};
    assert_int_equal(mmcs_of(&found, NULL, &few_a, &few_b, d, &usual), 0);
    mmcs_ref(&plain, &few_a, &few_b, d);
    assert_true(fabs(found.mean - plain.mean) < 1e-6);
    assert_memory_equal(found.histogram, plain.histogram, sizeof(found.histogram));
    /* The same directions, longer and in another order; one has no length. */
    for (size_t i = 0; i < m; i++) {
        for (size_t c = 0; c < d; c++) {
            b[i * d + c] = i == 5 ? 0 : 3 * a[(m - 1 - i) * d + c];
        }
    }
    assert_int_equal(mmcs_of(&found, best, &of_b, &of_a, d, &usual), 0);
    assert_true(fabs(found.mean - 1) < 1e-6 && found.above == 1);
    assert_true(found.n == m - 1 && found.n_zero == 1 && isnan(best[5]));
    assert_int_equal(found.histogram[MMCS_BINS - 1], m - 1);
    /* A half that is in it, and a half that is not. */
    draw_units(b, m / 2, d, 52);
    assert_int_equal(mmcs_of(&found, NULL, &of_b, &of_a, d, &usual), 0);
    assert_true(fabs(found.above - 0.5) < 1e-9);
    mem_free(best);
    mem_free(b);
    mem_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_its_plain_version),
        cmocka_unit_test(selection_is_sorting),
        cmocka_unit_test(of_equal_ones_the_first_are_kept),
        cmocka_unit_test(files_there_and_back),
        cmocka_unit_test(foreign_ones_are_refused),
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(mmcs_of_known_dictionaries),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
