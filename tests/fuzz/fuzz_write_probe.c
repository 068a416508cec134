/* tests/fuzz/fuzz_write_probe.c - a probe of shapes, names and numbers that the input chooses:
 * saved and loaded it is the same. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "probes/board/probe.h"
#include "tests/fuzz/fuzz.h"

static void text_draw(char *out, size_t room, FuzzInput *input)
{
    const size_t n = 1 + fuzz_byte(input) % (room - 1);
    for (size_t i = 0; i < n; i++) {
        out[i] = (char)(' ' + fuzz_byte(input) % 95);
    }
    out[n] = '\0';
}

/* Finite numbers of any size. */
static void numbers_draw(float *out, size_t n, const FuzzInput *input)
{
    uint8_t *bytes = (uint8_t *)out;
    for (size_t i = 0; i < n * sizeof(*out) && input->n > 0; i++) {
        bytes[i] = input->at[(i * 7 + n) % input->n];
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = isfinite(out[i]) ? out[i] : 1.5f;
    }
}

static void probe_draw(Probe *probe, FuzzInput *input)
{
    *probe = (Probe){.size = 4 + 2 * (fuzz_byte(input) % 3), .site = HOOK_RESID_POST};
    probe->n_squares = probe->size * probe->size;
    probe->d_model = 1 + fuzz_byte(input) % 5;
    probe->n_hidden = fuzz_byte(input) % 3;
    probe->n_classes = 2 + fuzz_byte(input) % 3;
    probe->n_layers = 1 + fuzz_byte(input) % 3;
    probe->l2 = (double)fuzz_number(input, 2) / 3;
    probe->n_games = (int64_t)fuzz_number(input, 4);
    probe->seed = fuzz_number(input, 8);
    text_draw(probe->task, sizeof(probe->task), input);
    text_draw(probe->labels, sizeof(probe->labels), input);
    text_draw(probe->solver, sizeof(probe->solver), input);
    text_draw(probe->model_hash, sizeof(probe->model_hash), input);
    for (int k = 0; k < probe->n_classes; k++) {
        text_draw(probe->classes[k], sizeof(probe->classes[k]), input);
    }
    fuzz_require(probe_allocate(probe) == 0, "there is memory");
    const size_t n_bias = (size_t)probe->n_squares * (size_t)probe->n_classes;
    for (int i = 0; i < probe->n_layers; i++) {
        probe->layers[i] = LAYER_EMBED + i;
        probe->fitted[i] = i == 0 || fuzz_byte(input) % 2 == 1;
        probe->seconds[i] = NAN;
        if (probe->fitted[i]) {
            numbers_draw(probe->weight[i], probe_inputs(probe) * n_bias, input);
            numbers_draw(probe->bias[i], n_bias, input);
        }
        if (probe->fitted[i] && probe->n_hidden > 0) {
            const size_t n_hidden = (size_t)probe->n_hidden;
            numbers_draw(probe->hidden_weight[i], (size_t)probe->d_model * n_hidden, input);
            numbers_draw(probe->hidden_bias[i], n_hidden, input);
        }
    }
}

static void probes_compare(const Probe *a, const Probe *b)
{
    fuzz_require(strcmp(a->task, b->task) == 0 && strcmp(a->labels, b->labels) == 0 &&
                     strcmp(a->solver, b->solver) == 0 && strcmp(a->model_hash, b->model_hash) == 0,
                 "the texts are the same");
    fuzz_require(a->size == b->size && a->d_model == b->d_model && a->n_hidden == b->n_hidden &&
                     a->n_classes == b->n_classes && a->n_layers == b->n_layers && a->l2 == b->l2 &&
                     a->n_games == b->n_games && a->seed == b->seed,
                 "the numbers are the same");
    const size_t n_bias = (size_t)a->n_squares * (size_t)a->n_classes;
    for (int i = 0; i < a->n_layers && a->n_layers == b->n_layers; i++) {
        const size_t n_bytes = probe_inputs(a) * n_bias * sizeof(float);
        fuzz_plant(b->weight[i], n_bytes);
        fuzz_require(a->layers[i] == b->layers[i] && a->fitted[i] == b->fitted[i] &&
                         memcmp(a->weight[i], b->weight[i], n_bytes) == 0 &&
                         memcmp(a->bias[i], b->bias[i], n_bias * sizeof(float)) == 0,
                     "the layers are the same");
        const size_t n_hidden = (size_t)a->n_hidden * sizeof(float);
        fuzz_require(n_hidden == 0 || (memcmp(a->hidden_weight[i], b->hidden_weight[i],
                                              (size_t)a->d_model * n_hidden) == 0 &&
                                       memcmp(a->hidden_bias[i], b->hidden_bias[i], n_hidden) == 0),
                     "and their hidden layers");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    Probe probe;
    Probe back;
    char path[512];
    probe_draw(&probe, &input);
    snprintf(path, sizeof(path), "%s/written", fuzz_dir());
    fuzz_require(probe_save(&probe, path) == 0, "a probe can be saved");
    fuzz_require(probe_load(&back, path) == 0, "and loaded");
    probes_compare(&probe, &back);
    probe_release(&back);
    probe_release(&probe);
    dir_remove(path);
    return 0;
}
