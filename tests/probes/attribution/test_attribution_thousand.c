/* tests/probes/attribution/test_attribution_thousand.c - label: slow. links: model/layouts
 * Every contribution of every component to every move at 1,000 positions adds up to the logit: of
 * both shipped networks, of one with a bias of the head, of one imported without LayerNorm weights.
 */
#include "tests/folder.h"
#include "tests/model/layouts/layout_files.h"

#include "attribution_fixture.h"
#include "model/layouts/layouts.h"
#include "probes/activations/subject.h"

/* A tenth under the sanitizers, which look at the code and not at the numbers. */
static size_t positions(void)
{
    const char *sanitized = getenv("OGPT_SANITIZED");
    return sanitized && strcmp(sanitized, "1") == 0 ? 100 : 1000;
}

static void shipped_path(char *out, const char *name)
{
    const char *root = getenv("OGPT_SOURCE");
    snprintf(out, FILES_PATH_MAX, "%s/datasets/models/%s", root ? root : ".", name);
}

/* The largest error at each grain; the logits must be of some size. */
static void check_network(const Gpt *gpt, const char *what)
{
    Readout readout;
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    readout_draw_random(&readout, 1);
    for (AttributionGrain grain = 0; grain <= GRAIN_NEURON; grain++) {
        Trial trial;
        TrialErrors worst = {0};
        size_t n = 0, T = (size_t)gpt->cfg.n_ctx;
        assert_int_equal(trial_open(&trial, gpt, grain, &readout, 2), 0);
        for (uint64_t index = 0; n < positions(); index++, n += 2 * T) {
            trial_pass(&trial, index);
            double *logits = trial_logits(&trial);
            TrialErrors errors = trial_errors(&trial, logits);
            worst.products = fmax(worst.products, errors.products);
            worst.one_by_one = fmax(worst.one_by_one, errors.one_by_one);
            worst.largest = fmax(worst.largest, errors.largest);
            free(logits);
        }
        print_message("%s, %s: %zu positions, largest logit %.1f, error %.2e, one by one %.2e\n",
                      what, attribution_grain_name(grain), n, worst.largest, worst.products,
                      worst.one_by_one);
        assert_true(worst.largest > 3);
        assert_true(worst.products < 1e-4);
        assert_true(worst.one_by_one < 1e-4);
        trial_close(&trial);
    }
    readout_release(&readout);
}

static void the_shipped_networks(void **state)
{
    static const char *const names[] = {"tiny-6x6", "tiny-8x8"};
    for (size_t i = 0; i < 2; i++) {
        char path[FILES_PATH_MAX];
        Subject subject;
        shipped_path(path, names[i]);
        assert_int_equal(subject_open(&subject, path, NULL), 0);
        check_network(subject.model.gpt, names[i]);
        subject_release(&subject);
    }
}

/* The shipped one without its LayerNorm weights, as published checkpoints come, and with a bias of
 * the head; read by the import. */
static void imported_without_layernorm_weights(void **state)
{
    char path[FILES_PATH_MAX], source[FILES_PATH_MAX], folder[FOLDER_MAX];
    TensorFile file;
    LayoutFiles files;
    Gpt *gpt = NULL;
    shipped_path(source, "tiny-6x6/model.safetensors");
    tensors_read(&file, source);
    for (size_t i = file.n; i-- > 0;) {
        if (strstr(file.names[i], "ln1.") || strstr(file.names[i], "ln2.") ||
            strstr(file.names[i], "ln_final.")) {
            tensor_remove(&file, file.names[i]);
        }
    }
    float *b_U = file.data[tensor_at(&file, "unembed.b_U")];
    for (int v = 0; b_U && v < 33; v++) {
        b_U[v] = (float)(v % 7) - 3;
    }
    assert_int_equal(folder_make(folder), 0);
    snprintf(path, sizeof(path), "%s/lnpre.safetensors", folder);
    tensors_write(&file, path);
    assert_int_equal(layout_files_find(&files, path), 0);
    assert_int_equal(layout_read(&gpt, LAYOUT_TL, &files, 0), 0);
    assert_true(gpt->params[gpt->map.lnf_w] == 1 && gpt->params[gpt->map.b_U + 1] == -2);
    check_network(gpt, "LNPre with b_U");
    gpt_free(gpt);
    tensors_free(&file);
    dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_networks),
        cmocka_unit_test(imported_without_layernorm_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
