/* tests/model/test_run_verify.c - run_verify and model_verify: sound runs, and one fault each that
 * a hash alone does not show. */
#include "tests/base/base_test.h"

#include <math.h>

#include "model/run_verify.h"

static char line[1200]; /* the last finding */
static size_t n_findings, n_sound;

static void finding_keep(void *context, const char *text)
{
    snprintf(line, sizeof(line), "%s", text);
    n_findings++;
}

static void sound_count(void *context, const ModelFile *model)
{
    n_sound++;
}

static const RunVerify watch = {finding_keep, sound_count, NULL};

/* Publish a model of one layer in which weight number `spoilt` is `value`. */
static void model_publish(const char *path, int64_t step, size_t spoilt, float value)
{
    const GptConfig cfg = {.n_layers = 1,
                           .d_model = 4,
                           .n_heads = 1,
                           .d_head = 4,
                           .d_mlp = 16,
                           .n_ctx = 11,
                           .d_vocab = 13,
                           .eps = 1e-5f};
    Gpt *gpt = NULL;
    Publish *publish = NULL;
    char hash[HASH_HEX_SIZE];
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    gpt->params[spoilt] = (real)value;
    assert_int_equal(publish_begin(&publish, path, false), 0);
    assert_int_equal(model_save(publish, hash, gpt, NULL, false), 0);
    Js *fields = js_object();
    js_set_int(fields, "step", step);
    assert_int_equal(publish_commit(publish, fields), 0);
    js_free(fields);
    gpt_free(gpt);
}

static void run_count(const char *name, size_t steps, size_t sound, size_t findings)
{
    size_t n_steps = 0;
    n_findings = n_sound = 0;
    assert_int_equal(run_verify(&n_steps, at(name), &watch), 0);
    if (n_steps != steps || n_sound != sound || n_findings != findings) {
        fail_msg("%s: %zu steps, %zu sound, %zu findings (%s)", name, n_steps, n_sound, n_findings,
                 line);
    }
}

static void every_fault_is_found(void **state)
{
    assert_int_equal(dir_create(at("run")), 0);
    model_publish(at("run/step-00000001"), 1, 3, 0.5f);
    model_publish(at("run/step-00000002"), 2, 3, 0.5f);
    run_count("run", 2, 2, 0);
    /* NaN among the weights, with a manifest that verifies */
    model_publish(at("run/step-00000003"), 3, 3, NAN);
    run_count("run", 3, 2, 1);
    assert_non_null(strstr(line, "expected finite numbers"));
    assert_int_equal(dir_remove(at("run/step-00000003")), 0);
    /* a step under the name of another */
    model_publish(at("run/step-00000009"), 8, 3, 0.5f);
    run_count("run", 3, 3, 1);
    assert_non_null(strstr(line, "expected step 9 by its name, found 8"));
    assert_int_equal(dir_remove(at("run/step-00000009")), 0);
    /* a directory that a dead process left */
    char name[64];
    snprintf(name, sizeof(name), "run/.old-%ld-step-00000001", dead_pid());
    assert_int_equal(dir_create(at(name)), 0);
    run_count("run", 2, 2, 1);
    assert_non_null(strstr(line, "left by a process that is over"));
    assert_int_equal(dir_remove(at(name)), 0);
    run_count("run", 2, 2, 0);
}

static void other_directories_are_refused(void **state)
{
    size_t n_steps = 0;
    assert_int_equal(dir_create(at("none/step-1")), 0);
    assert_refused(run_verify(&n_steps, at("none"), &watch), OGPT_EFORMAT, "no step-* in it");
    n_findings = 0;
    assert_int_equal(model_verify(at("nowhere"), &watch), OGPT_EIO);
    assert_int_equal(n_findings, 0);
}

/* config.json of a larger network than the tensors: refused before memory is allocated. */
static void larger_configs_are_refused(void **state)
{
    static const char config[] =
        "{\"n_layers\": 16, \"d_model\": 4096, \"n_heads\": 1, \"d_head\": 4096, \"d_mlp\": 16384,"
        " \"n_ctx\": 11, \"d_vocab\": 13, \"act_fn\": \"gelu\", \"normalization_type\": \"LN\"}";
    static const char tensors[] = "model.safetensors";
    Publish *publish = NULL;
    void *bytes = NULL;
    size_t n_bytes = 0;
    model_publish(at("small"), 1, 0, 0.5f);
    char path[FILES_PATH_MAX];
    assert_int_equal(path_join(path, at("small"), tensors), 0);
    assert_int_equal(file_read_all(&bytes, &n_bytes, path, 1 << 20), 0);
    assert_int_equal(publish_begin(&publish, at("large"), false), 0);
    assert_int_equal(publish_file(publish, tensors, bytes, n_bytes), 0);
    assert_int_equal(publish_file(publish, "config.json", config, strlen(config)), 0);
    assert_int_equal(publish_commit(publish, NULL), 0);
    mem_free(bytes);
    ModelFile model;
    assert_refused(model_load(&model, at("large"), NULL), OGPT_EFORMAT, "the file has room for");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return 0; /* the child of dead_pid: it only has to end */
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_found),
        cmocka_unit_test(other_directories_are_refused),
        cmocka_unit_test(larger_configs_are_refused),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
