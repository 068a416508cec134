/* The network's logits against an independent implementation (tests/model/golden, written by
 * tools/make_golden_logits.py in double precision), and against three wrong networks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/files.h"
#include "base/formats/npy.h"
#include "model/checkpoint.h"
#include "model/gpt.h"
#include "num/blas.h"

/* Logits reach 6.5 here. Our float arithmetic moves them by about 5e-6 (measured; the same
 * network in PyTorch's float32 moves as far), twenty times below this. The mildest wrong twin,
 * tanh-GELU, moves them by 1.7e-3. */
#define TOLERANCE 1e-4

#define MAX_FILE_BYTES (1 << 20)

static Gpt *gpt;
static size_t n_games, n_tokens, n_logits; /* of tokens.npy (n_games, n_tokens) */
static uint8_t *tokens;

static void golden_path(char path[FILES_PATH_MAX], const char *name)
{
    const char *source = getenv("OGPT_SOURCE");
    snprintf(path, FILES_PATH_MAX, "%s/tests/model/golden/%s", source ? source : ".", name);
}

/* Owned: mem_free. */
static void *read_array(NpyHeader *header, const char *name)
{
    char path[FILES_PATH_MAX];
    void *data = NULL;
    golden_path(path, name);
    if (npy_read(header, &data, path, MAX_FILE_BYTES) != 0) {
        fail_msg("%s", err_message());
    }
    return data;
}

static float *read_logits(const char *name)
{
    NpyHeader header;
    float *logits = read_array(&header, name);
    assert_string_equal(header.dtype, "f4");
    assert_int_equal(header.rank, 3);
    assert_int_equal(header.shape[0] * header.shape[1] * header.shape[2], n_logits);
    return logits;
}

static int set_up(void **state)
{
    (void)state;
    char path[FILES_PATH_MAX];
    Js *json = NULL;
    GptConfig cfg;
    NpyHeader header;
    golden_path(path, "config.json");
    int rc = blas_init();
    rc = rc ? rc : js_parse_file(&json, path, MAX_FILE_BYTES);
    rc = rc ? rc : gpt_config_read(&cfg, json, path);
    js_free(json);
    rc = rc ? rc : gpt_new(&gpt, &cfg);
    if (rc == 0) {
        golden_path(path, "model.safetensors");
        rc = model_read_tensors(gpt, path, NULL, false);
    }
    if (rc == 0) {
        golden_path(path, "tokens.npy");
        rc = npy_read(&header, (void **)&tokens, path, MAX_FILE_BYTES);
    }
    if (rc != 0) {
        print_error("%s\n", err_message());
        return -1;
    }
    n_games = header.shape[0];
    n_tokens = header.shape[1];
    n_logits = n_games * n_tokens * (size_t)cfg.d_vocab;
    return header.rank == 2 && n_tokens == (size_t)cfg.n_ctx ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mem_free(tokens);
    gpt_free(gpt);
    return 0;
}

/* Largest difference of the network's logits from reference (n_games, n_tokens, d_vocab), over
 * the first T tokens of each game. */
static double distance(const float *reference, const Kernels *kernels, size_t T)
{
    const size_t V = (size_t)gpt->cfg.d_vocab;
    Tape *tape = NULL;
    uint8_t *input = mem_alloc(n_games, T, "tokens");
    assert_non_null(input);
    for (size_t i = 0; i < n_games * T; i++) {
        input[i] = tokens[i / T * n_tokens + i % T];
    }
    assert_int_equal(tape_new(&tape, &gpt->cfg, n_games, TAPE_FORWARD, kernels), 0);
    const real *logits = gpt_forward(gpt, tape, input, n_games, T, NULL);
    double worst = 0;
    for (size_t i = 0; i < n_games * T * V; i++) {
        size_t game = i / (T * V), rest = i % (T * V);
        double d = fabs((double)logits[i] - (double)reference[game * n_tokens * V + rest]);
        worst = d > worst || isnan(d) ? d : worst;
    }
    tape_free(tape);
    mem_free(input);
    return worst;
}

static void agrees(void **state)
{
    (void)state;
    const Kernels *sets[] = {&kernels_ref, kernels_fast()};
    float *logits = read_logits("logits.npy");
    for (size_t i = 0; i < 2; i++) {
        /* The whole context, and shorter ones: the network is causal, so the logits of the
         * first T tokens do not depend on the rest. */
        const size_t lengths[] = {n_tokens, 17, 1};
        for (size_t k = 0; k < 3; k++) {
            double d = distance(logits, sets[i], lengths[k]);
            print_message("%s kernels, %zu tokens: largest difference %.2g\n", sets[i]->name,
                          lengths[k], d);
            assert_true(d <= TOLERANCE);
        }
    }
    mem_free(logits);
}

/* A wrong network is seen, by at least ten tolerances. */
static void refuses_twin(const char *name)
{
    float *logits = read_logits(name);
    double d = distance(logits, NULL, n_tokens);
    print_message("%s: largest difference %.2g\n", name, d);
    assert_true(d > 10 * TOLERANCE);
    mem_free(logits);
}

static void refuses_tanh_gelu(void **state)
{
    (void)state;
    refuses_twin("logits_tanh.npy");
}

static void refuses_small_eps(void **state)
{
    (void)state;
    refuses_twin("logits_eps.npy");
}

static void refuses_exchanged_heads(void **state)
{
    (void)state;
    refuses_twin("logits_heads.npy");
}

/* One weight moved in its second decimal is seen: every tensor takes part in the logits. */
static void every_tensor_counts(void **state)
{
    (void)state;
    float *logits = read_logits("logits.npy");
    for (size_t i = 0; i < gpt->n_specs; i++) {
        real *values = gpt_tensor(gpt, (int)i);
        size_t middle = gpt->specs[i].count / 2;
        real kept = values[middle];
        values[middle] += 0.05f;
        double d = distance(logits, NULL, n_tokens);
        values[middle] = kept;
        /* A key's bias adds the same to all scores of a query and cancels in the softmax. */
        bool cancels = strstr(gpt->specs[i].name, ".attn.b_K");
        if (cancels ? d > TOLERANCE : !(d > TOLERANCE)) {
            fail_msg("%s: moved by 0.05, logits by %g", gpt->specs[i].name, d);
        }
    }
    mem_free(logits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees),
        cmocka_unit_test(refuses_tanh_gelu),
        cmocka_unit_test(refuses_small_eps),
        cmocka_unit_test(refuses_exchanged_heads),
        cmocka_unit_test(every_tensor_counts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
