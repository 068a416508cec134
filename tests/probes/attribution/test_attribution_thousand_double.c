/* tests/probes/attribution/test_attribution_thousand_double.c - built: double. links: base/formats
 * label: slow. The shipped networks at 1,000 positions and at every grain, without the rounding of
 * float: every contribution to every move, summed, is the logit to 1e-9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "attribution_fixture.h"
#include "base/files.h"
#include "base/formats/safetensors.h"

/* The thousand by ./dev faults; a fifth in ./dev test, where the same positions in float are a
 * thousand; fewer under the sanitizers, which look at the code and not at the numbers. */
static size_t positions(void)
{
    const char *sanitized = getenv("OGPT_SANITIZED");
    return sanitized && strcmp(sanitized, "1") == 0 ? 60 : getenv("OGPT_FAULTS_FULL") ? 1000 : 200;
}

/* A shipped network as double; the file has each head's columns together, memory has not. */
static Gpt *shipped(const char *name, int n_ctx, int d_vocab)
{
    const char *root = getenv("OGPT_SOURCE");
    char path[FILES_PATH_MAX];
    GptConfig cfg;
    Gpt *gpt = NULL;
    StFile *file = NULL;
    assert_int_equal(gpt_config_preset(&cfg, "tiny"), 0);
    cfg.n_ctx = n_ctx;
    cfg.d_vocab = d_vocab;
    snprintf(path, sizeof(path), "%s/datasets/models/%s/model.safetensors", root ? root : ".",
             name);
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    assert_int_equal(st_open(&file, path), 0);
    for (size_t t = 0; t < gpt->n_specs; t++) {
        const TensorSpec *spec = &gpt->specs[t];
        float *values = calloc(spec->count, sizeof(*values));
        assert_non_null(values);
        assert_int_equal(st_read_f32(values, file, spec->name, spec->rank, spec->shape, false), 0);
        bool heads = spec->rank == 3 && !strstr(spec->name, "W_O");
        for (size_t i = 0; i < spec->count; i++) {
            size_t HS = (size_t)cfg.d_head, C = (size_t)cfg.d_model;
            size_t h = i / (C * HS), c = i / HS % C, at = heads ? c * C + h * HS + i % HS : i;
            gpt->params[spec->offset + at] = values[i];
        }
        free(values);
    }
    st_close(file);
    return gpt;
}

static void check_shipped(const char *name, int n_ctx, int d_vocab, AttributionGrain coarsest)
{
    Gpt *gpt = shipped(name, n_ctx, d_vocab);
    Readout readout;
    size_t T = (size_t)n_ctx;
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    readout_draw_random(&readout, 1);
    for (AttributionGrain grain = coarsest; grain <= GRAIN_NEURON; grain++) {
        Trial trial;
        double products = 0, one_by_one = 0, largest = 0;
        size_t n = 0;
        assert_int_equal(trial_open(&trial, gpt, grain, &readout, 2), 0);
        for (uint64_t index = 0; n < positions(); index++, n += 2 * T) {
            trial_pass(&trial, index);
            double *logits = trial_logits(&trial);
            TrialErrors errors = trial_errors(&trial, logits);
            products = fmax(products, errors.products);
            one_by_one = fmax(one_by_one, errors.one_by_one);
            largest = fmax(largest, errors.largest);
            free(logits);
        }
        print_message("%s, %s: %zu positions, largest logit %.1f, error %.2e, one by one %.2e\n",
                      name, attribution_grain_name(grain), n, largest, products, one_by_one);
        assert_true(largest > 10); /* a trained network, read as it was written */
        assert_true(products < 1e-9);
        assert_true(one_by_one < 1e-9);
        trial_close(&trial);
    }
    readout_release(&readout);
    gpt_free(gpt);
}

static void the_shipped_networks(void **state)
{
    check_shipped("tiny-6x6", 31, 33, GRAIN_LAYER);
    check_shipped("tiny-8x8", 59, 61, GRAIN_NEURON); /* plain loops: the finest is enough */
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
