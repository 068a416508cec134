/* tests/model/test_checkpoints.c - checkpoints that are cut short, changed, or cannot be read now.
 * If the newest is damaged, the one before is loaded with a warning; never for any other reason. */
#include "tests/base/base_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/rng.h"
#include "model/checkpoint.h"

static const GptConfig cfg = {.n_layers = 1,
                              .d_model = 8,
                              .n_heads = 1,
                              .d_head = 8,
                              .d_mlp = 32,
                              .n_ctx = 11,
                              .d_vocab = 13,
                              .eps = 1e-5f};

static char hashes[2][HASH_HEX_SIZE]; /* of steps 1 and 2 */

/* A run directory of two steps with different weights. */
static void run_make(const char *name)
{
    Gpt *gpt = NULL;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    for (int step = 1; step <= 2; step++) {
        Publish *publish = NULL;
        char path[64];
        snprintf(path, sizeof(path), "%s/step-%08d", name, step);
        gpt_init(gpt, (uint64_t)step, RNG_TEST);
        assert_int_equal(publish_begin(&publish, at(path), false), 0);
        assert_int_equal(model_save(publish, hashes[step - 1], gpt, NULL, false), 0);
        Js *fields = js_object();
        js_set_int(fields, "step", step);
        assert_int_equal(publish_commit(publish, fields), 0);
        js_free(fields);
    }
    gpt_free(gpt);
    assert_string_not_equal(hashes[0], hashes[1]);
}

static void step_is(const char *name, int step)
{
    ModelFile model;
    char *warning = NULL;
    if (model_load(&model, at(name), &warning) != 0) {
        fail_msg("%s", err_message());
    }
    assert_int_equal(model.step, step);
    assert_string_equal(model.model_hash, hashes[step - 1]);
    assert_true(!!warning == (step == 1));
    if (step == 1) {
        assert_non_null(warning ? strstr(warning, "step-00000002") : NULL);
    }
    mem_free(warning);
    model_release(&model);
}

/* Every file of the newest step, cut at lengths from nothing to all but a byte. */
static void cut_files_are_passed_over(void **state)
{
    static const char *const files[] = {"MANIFEST.json", "config.json", "model.safetensors"};
    const char *sanitized = getenv("OGPT_SANITIZED");
    const size_t cuts = sanitized && strcmp(sanitized, "1") == 0 ? 7 : 60;
    ModelFile model;
    run_make("cut");
    step_is("cut", 2); /* the twin: undamaged */
    for (size_t f = 0; f < 3; f++) {
        char name[64];
        void *data;
        size_t n_bytes;
        snprintf(name, sizeof(name), "cut/step-00000002/%s", files[f]);
        assert_int_equal(file_read_all(&data, &n_bytes, at(name), 1 << 20), 0);
        for (size_t i = 0; i < cuts; i++) {
            put(name, data, i == cuts - 1 ? n_bytes - 1 : n_bytes * i / cuts);
            step_is("cut", 1);
            /* By its own name it is refused. */
            assert_int_equal(model_load(&model, at("cut/step-00000002"), NULL), OGPT_EFORMAT);
        }
        unlink(at(name));
        step_is("cut", 1);
        put(name, data, n_bytes);
        step_is("cut", 2);
        mem_free(data);
    }
}

/* A newest step that cannot be read just now may be sound: an older model in its place would give
 * wrong results and exit code 0. */
static void unread_is_not_damaged(void **state)
{
    ModelFile model;
    uint64_t n_faults = 0;
    run_make("unread");
    for (int rc = OGPT_ENOMEM; rc != 0;) {
        char *warning = NULL;
        mem_fail_at(n_faults + 1, 0);
        rc = model_load(&model, at("unread"), &warning);
        mem_fail_at(0, 0);
        if (rc != 0) {
            assert_int_equal(rc, OGPT_ENOMEM);
            n_faults++;
        } else {
            assert_int_equal(model.step, 2);
            model_release(&model);
        }
        mem_free(warning);
    }
    assert_true(n_faults > 20);
}

static char one[FILES_PATH_MAX], other[FILES_PATH_MAX]; /* two models that change places */
static atomic_bool exchanging;

static void *exchange_run(void *argument)
{
    while (exchanging) {
        syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2 /* RENAME_EXCHANGE */);
        usleep(30);
    }
    return NULL;
}

/* Two models change places again and again while one name is loaded: the hash is always that of the
 * weights. */
static void exchanged_models_are_never_mixed(void **state)
{
    pthread_t thread;
    Gpt *drawn[2];
    int n_of[2] = {0};
    run_make("exchanged");
    snprintf(one, sizeof(one), "%s", at("exchanged/step-00000001"));
    snprintf(other, sizeof(other), "%s", at("exchanged/step-00000002"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(gpt_new(&drawn[i], &cfg), 0);
        gpt_init(drawn[i], (uint64_t)i + 1, RNG_TEST);
    }
    exchanging = true;
    assert_int_equal(pthread_create(&thread, NULL, exchange_run, NULL), 0);
    for (int i = 0; i < 600; i++) {
        ModelFile model;
        if (model_load(&model, one, NULL) != 0) {
            fail_msg("%s", err_message());
        }
        const int which = strcmp(model.model_hash, hashes[1]) == 0;
        n_of[which]++;
        if (memcmp(model.gpt->params, drawn[which]->params,
                   drawn[which]->n_numbers * sizeof(real)) != 0) {
            fail_msg("load %d: the hash of model %d, the weights of the other", i, which + 1);
        }
        model_release(&model);
    }
    exchanging = false;
    pthread_join(thread, NULL);
    print_message("%d and %d loads\n", n_of[0], n_of[1]);
    assert_true(n_of[0] > 0 && n_of[1] > 0); /* else nothing was tried */
    gpt_free(drawn[0]);
    gpt_free(drawn[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_files_are_passed_over),
        cmocka_unit_test(unread_is_not_damaged),
        cmocka_unit_test(exchanged_models_are_never_mixed),
    };
    return cmocka_run_group_tests_name("checkpoints", tests, work_create, work_remove);
}
