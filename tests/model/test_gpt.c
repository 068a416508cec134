/* The graph: fast kernels against plain ones, causality, hooks, shapes on file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/gpt.h"
#include "num/blas.h"

#define N_GAMES 3
#define N_TIME 31

static const GptConfig cfg = {.n_layers = 3,
                              .d_model = 64,
                              .n_heads = 4,
                              .d_head = 16,
                              .d_mlp = 256,
                              .n_ctx = 31,
                              .d_vocab = 33,
                              .eps = 1e-5f};
static Gpt *gpt;
static Tape *forward_tape, *train_tape;
static uint8_t tokens[N_GAMES * N_TIME], targets[N_GAMES * N_TIME];

static int set_up(void **state)
{
    (void)state;
    if (blas_init() != 0 || gpt_new(&gpt, &cfg) != 0 ||
        tape_new(&forward_tape, &cfg, N_GAMES, TAPE_FORWARD, NULL) != 0 ||
        tape_new(&train_tape, &cfg, N_GAMES, TAPE_TRAIN, NULL) != 0) {
        return -1;
    }
    gpt_init(gpt, 3, RNG_INIT);
    Rng rng = rng_at(3, RNG_TEST, 0);
    for (size_t i = 0; i < gpt->n_numbers; i++) {
        gpt->params[i] += (float)(0.1 * rng_normal(&rng));
    }
    for (size_t i = 0; i < N_GAMES * N_TIME; i++) {
        tokens[i] = (uint8_t)rng_below(&rng, 33);
        targets[i] = (uint8_t)rng_below(&rng, 33);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tape_free(train_tape);
    tape_free(forward_tape);
    gpt_free(gpt);
    return 0;
}

static double largest_difference(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    }
    return worst;
}

/* Logits are of order 10 here and pass three blocks: 1e-4 is some hundred roundings. */
#define LOGIT_TOL 1e-4

static void test_fast_graph_is_the_plain_graph(void **state)
{
    (void)state;
    Tape *plain = NULL;
    float *g_plain = calloc(gpt->n_numbers, sizeof(float));
    float *g_fast = calloc(gpt->n_numbers, sizeof(float));
    assert_int_equal(tape_new(&plain, &cfg, N_GAMES, TAPE_TRAIN, &kernels_ref), 0);
    const float *a = gpt_forward(gpt, plain, tokens, N_GAMES, N_TIME, NULL);
    const float *b = gpt_forward(gpt, train_tape, tokens, N_GAMES, N_TIME, NULL);
    assert_true(largest_difference(a, b, (size_t)N_GAMES * N_TIME * 33) < LOGIT_TOL);
    assert_true(largest_difference(a, b + 1, (size_t)N_GAMES * N_TIME * 33 - 1) > LOGIT_TOL);
    double loss_a = gpt_loss(plain, targets, 1), loss_b = gpt_loss(train_tape, targets, 1);
    assert_true(fabs(loss_a - loss_b) < 1e-5 * loss_a);
    gpt_backward(gpt, plain, tokens, 1, g_plain);
    gpt_backward(gpt, train_tape, tokens, 1, g_fast);
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        double size = 1e-3; /* gradients are of order 1; some vanish by symmetry */
        for (size_t j = 0; j < spec->count; j++) {
            size = fmax(size, fabs((double)g_plain[spec->offset + j]));
        }
        double d = largest_difference(g_plain + spec->offset, g_fast + spec->offset, spec->count);
        if (d > 1e-3 * size) {
            fail_msg("%s: gradients differ by %g of %g", spec->name, d, size);
        }
    }
    free(g_plain);
    free(g_fast);
    tape_free(plain);
}

/* With factors rounded to bfloat16 the gradient keeps its direction: eight bits of mantissa give
 * each product a relative error of 2^-8, and sums average it; 0.999 leaves a wide margin below a
 * wrong transpose or a missing term, which the twin below shows. */
static void test_bf16_gradient_points_the_same_way(void **state)
{
    (void)state;
    Tape *tape = NULL;
    float *g[2] = {calloc(gpt->n_numbers, sizeof(float)), calloc(gpt->n_numbers, sizeof(float))};
    assert_int_equal(tape_new(&tape, &cfg, N_GAMES, TAPE_TRAIN, kernels_bf16()), 0);
    gpt_forward(gpt, train_tape, tokens, N_GAMES, N_TIME, NULL);
    gpt_loss(train_tape, targets, 1);
    gpt_backward(gpt, train_tape, tokens, 1, g[0]);
    gpt_forward(gpt, tape, tokens, N_GAMES, N_TIME, NULL);
    gpt_loss(tape, targets, 1);
    gpt_backward(gpt, tape, tokens, 1, g[1]);
    double dot = 0, aa = 0, bb = 0, shifted = 0;
    for (size_t i = 0; i < gpt->n_numbers; i++) {
        dot += (double)g[0][i] * (double)g[1][i];
        aa += (double)g[0][i] * (double)g[0][i];
        bb += (double)g[1][i] * (double)g[1][i];
        shifted += i > 0 ? (double)g[0][i] * (double)g[1][i - 1] : 0;
    }
    assert_true(dot / sqrt(aa * bb) > 0.999);
    assert_true(fabs(shifted) / sqrt(aa * bb) < 0.9);
    assert_memory_not_equal(g[0], g[1], gpt->n_numbers * sizeof(float)); /* it did round */
    tape_free(tape);
    free(g[0]);
    free(g[1]);
}

static void test_forward_tape_equals_train_tape(void **state)
{
    (void)state;
    const float *a = gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, NULL);
    const float *b = gpt_forward(gpt, train_tape, tokens, N_GAMES, N_TIME, NULL);
    assert_memory_equal(a, b, (size_t)N_GAMES * N_TIME * 33 * sizeof(float));
}

/* A shorter pass gives the same logits at the positions it has: attention is causal. */
static void test_causal(void **state)
{
    (void)state;
    static float kept[N_TIME * 33];
    const size_t cut = 12;
    memcpy(kept, gpt_forward(gpt, forward_tape, tokens, 1, N_TIME, NULL), sizeof(kept));
    const float *part = gpt_forward(gpt, forward_tape, tokens, 1, cut, NULL);
    assert_true(largest_difference(kept, part, cut * 33) < LOGIT_TOL);
    tokens[0] = (uint8_t)((tokens[0] + 1) % 33);
    part = gpt_forward(gpt, forward_tape, tokens, 1, cut, NULL);
    assert_true(largest_difference(kept, part, cut * 33) > LOGIT_TOL);
    tokens[0] = (uint8_t)((tokens[0] + 32) % 33);
}

typedef struct LookedAt {
    int calls[N_HOOK_SITES];
    int last_layer;
    float add; /* added to channel 0 of the last position */
    float kept[N_GAMES * N_TIME * 64];
} LookedAt;

static void look(void *context, const HookPoint *point)
{
    LookedAt *seen = context;
    seen->calls[point->site]++;
    seen->last_layer = hook_site_outside(point->site) ? seen->last_layer : point->layer;
    assert_null(point->gradient);
    assert_int_equal(point->B, N_GAMES);
    assert_int_equal(point->T, N_TIME);
    assert_int_equal(point->width, hook_width(&cfg, point->site, N_TIME));
    if (point->site == HOOK_RESID_POST) {
        memcpy(seen->kept, point->value, sizeof(seen->kept));
        for (size_t b = 0; b < N_GAMES; b++) {
            point->value[(b * N_TIME + N_TIME - 1) * 64] += seen->add;
        }
    }
}

static void test_hooks_read_without_changing(void **state)
{
    (void)state;
    static float plain[N_GAMES * N_TIME * 33];
    static LookedAt seen;
    Hooks hooks = {.fn = look, .context = &seen};
    memcpy(plain, gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, NULL), sizeof(plain));
    for (int site = 0; site < N_HOOK_SITES; site++) {
        hooks.sites[site] = 7; /* all three layers */
    }
    const float *logits = gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, &hooks);
    assert_true(largest_difference(plain, logits, (size_t)N_GAMES * N_TIME * 33) < LOGIT_TOL);
    for (int site = 0; site < N_HOOK_SITES; site++) {
        assert_int_equal(seen.calls[site], hook_site_outside((HookSite)site) ? 1 : 3);
    }
    assert_int_equal(seen.last_layer, 2);
}

static void test_hooks_edit(void **state)
{
    (void)state;
    static float plain[N_GAMES * N_TIME * 33];
    static LookedAt seen;
    Hooks hooks = {.fn = look, .context = &seen, .sites = {[HOOK_RESID_POST] = 2}};
    memcpy(plain, gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, NULL), sizeof(plain));
    seen.add = 5;
    const float *logits = gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, &hooks);
    assert_int_equal(seen.calls[HOOK_RESID_POST], 1);
    /* Only the last position was edited, so only it may change. */
    for (size_t b = 0; b < N_GAMES; b++) {
        size_t at = b * N_TIME * 33;
        assert_true(largest_difference(plain + at, logits + at, (N_TIME - 1) * 33) < LOGIT_TOL);
        assert_true(largest_difference(plain + at + (N_TIME - 1) * 33,
                                       logits + at + (N_TIME - 1) * 33, 33) > 100 * LOGIT_TOL);
    }
}

/* The stream in front of every block, behind the last, and in the middle of every block, of a whole
 * pass. */
static float streams[4][N_GAMES * N_TIME * 64], middles[3][N_GAMES * N_TIME * 64];

static void keep_stream(void *context, const HookPoint *point)
{
    float *out = point->site == HOOK_RESID_MID   ? middles[point->layer]
                 : point->site == HOOK_RESID_PRE ? streams[point->layer]
                                                 : streams[cfg.n_layers];
    memcpy(out, point->value, sizeof(streams[0]));
}

enum { LOGITS = N_GAMES * N_TIME * 33 };

/* From the stream to the logits of the whole pass; and, in a twin, not from another stream. */
static void check_part(const PassPart *part, float *stream, const float *whole)
{
    static float moved[LOGITS];
    /* Whatever ran before: at this place the stream is all there is. */
    gpt_forward(gpt, forward_tape, targets, N_GAMES, N_TIME, NULL);
    assert_memory_equal(gpt_forward_part(gpt, forward_tape, part, stream, N_GAMES, N_TIME, NULL),
                        whole, LOGITS * sizeof(*whole));
    stream[0] += 1.0F;
    memcpy(moved, gpt_forward_part(gpt, forward_tape, part, stream, N_GAMES, N_TIME, NULL),
           sizeof(moved));
    stream[0] -= 1.0F;
    assert_true(largest_difference(moved, whole, LOGITS) > 1e-3);
}

/* Only the last positions: the rows of the whole pass, whose sums are done in other shapes. */
static void check_last(const PassPart *part, const float *stream, const float *whole)
{
    const float *last = gpt_forward_part(gpt, forward_tape, part, stream, N_GAMES, N_TIME, NULL);
    double twin = 0;
    for (size_t b = 0; b < N_GAMES; b++) {
        const float *row = whole + ((b + 1) * N_TIME - 1) * 33;
        assert_true(largest_difference(last + b * 33, row, 33) < 1e-4);
        twin = fmax(twin, largest_difference(last + b * 33, row - 33, 33));
    }
    assert_true(twin > 1e-2); /* the position before */
}

static void test_forward_part(void **state)
{
    static float whole[LOGITS];
    Hooks hooks = {.fn = keep_stream};
    (void)state;
    hooks.sites[HOOK_RESID_PRE] = hooks.sites[HOOK_RESID_MID] = 7;
    hooks.sites[HOOK_RESID_POST] = 4;
    memcpy(whole, gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, &hooks), sizeof(whole));
    for (int layer = 0; layer <= cfg.n_layers; layer++) {
        check_part(&(PassPart){.first = layer}, streams[layer], whole);
        if (layer < cfg.n_layers) {
            check_part(&(PassPart){.first = layer, .middle = true}, middles[layer], whole);
            check_last(&(PassPart){.first = layer, .last = true}, streams[layer], whole);
        }
        if (layer < cfg.n_layers - 1) {
            check_last(&(PassPart){.first = layer, .middle = true, .last = true}, middles[layer],
                       whole);
        }
    }
}

/* Hooks of the last block see one row a sequence behind keys and values. */
static void add_one(void *context, const HookPoint *point)
{
    size_t *rows = context;
    *rows = point->T;
    for (size_t i = 0; i < point->B * point->T * point->width; i++) {
        point->value[i] += 1.0F;
    }
}

static void test_forward_last_hooks(void **state)
{
    static const HookSite sites[] = {HOOK_Q, HOOK_SCORES, HOOK_PATTERN,
                                     HOOK_Z, HOOK_POST,   HOOK_FINAL};
    static float whole[LOGITS];
    size_t rows;
    (void)state;
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        Hooks keep = {.fn = keep_stream}, hooks = {.fn = add_one, .context = &rows};
        keep.sites[HOOK_RESID_PRE] = 4;
        gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, &keep);
        hooks.sites[sites[i]] = sites[i] == HOOK_FINAL ? 1 : 4;
        memcpy(whole, gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, &hooks),
               sizeof(whole));
        assert_int_equal(rows, N_TIME);
        const float *last =
            gpt_forward_part(gpt, forward_tape, &(PassPart){.first = 2, .last = true}, streams[2],
                             N_GAMES, N_TIME, &hooks);
        assert_int_equal(rows, 1);
        for (size_t b = 0; b < N_GAMES; b++) {
            assert_true(largest_difference(last + b * 33, whole + ((b + 1) * N_TIME - 1) * 33, 33) <
                        1e-4);
        }
    }
}

static void test_hook_names(void **state)
{
    (void)state;
    static const HookUse uses[] = {HOOK_USE_ANY, HOOK_USE_CAPTURE, HOOK_USE_VECTOR,
                                   HOOK_USE_STREAM};
    char name[64], *rest;
    hook_full_name(name, HOOK_Z, 3);
    assert_string_equal(name, "blocks.3.attn.hook_z");
    hook_full_name(name, HOOK_RESID_POST, 0);
    assert_string_equal(name, "blocks.0.hook_resid_post");
    hook_full_name(name, HOOK_FINAL_SCALE, 0);
    assert_string_equal(name, "ln_final.hook_scale");
    for (int site = 0; site < N_HOOK_SITES; site++) {
        assert_int_equal(hook_site_parse(hook_site_name((HookSite)site)), site);
    }
    assert_int_equal(hook_site_parse("resid"), -1);
    assert_int_equal(hook_site_parse("post"), HOOK_POST); /* offered by help pages for long */
    assert_int_equal(hook_site_parse("hook_post"), -1);
    assert_int_equal(hook_site_parse("mlp.hook_post"), HOOK_POST);

    /* Every word of a list is a site that serves its use, and every such site is a word of it. */
    for (size_t u = 0; u < sizeof(uses) / sizeof(uses[0]); u++) {
        char list[512];
        int n_words = 0, n_sites = 0;
        snprintf(list, sizeof(list), "%s", hook_site_names(uses[u]));
        for (char *word = strtok_r(list, "|", &rest); word; word = strtok_r(NULL, "|", &rest)) {
            assert_true(hook_site_parse_for(word, uses[u]) >= 0);
            n_words++;
        }
        for (int site = 0; site < N_HOOK_SITES; site++) {
            n_sites += hook_site_serves((HookSite)site, uses[u]);
        }
        assert_int_equal(n_words, n_sites);
    }
    assert_string_equal(HOOK_NAMES_STREAM, "resid_pre|resid_mid|resid_post");
    assert_int_equal(hook_site_parse_for("attn_scores", HOOK_USE_CAPTURE), -1);
    assert_int_equal(hook_site_parse_for("pattern", HOOK_USE_VECTOR), -1);
    assert_int_equal(hook_site_parse_for("pattern", HOOK_USE_CAPTURE), HOOK_PATTERN);
}

/* The scale of a LayerNorm is the denominator, as in TransformerLens, and the pass continues with
 * what a hook leaves there: a doubled scale halves what the layer adds to its bias. */
static void double_scale(void *context, const HookPoint *point)
{
    float *rows = context;
    if (point->site == HOOK_LN1_SCALE) {
        for (size_t n = 0; n < point->B * point->T; n++) {
            rows[n] = point->value[n];
            point->value[n] *= 2;
        }
    } else {
        memcpy(rows + N_GAMES * N_TIME, point->value, N_GAMES * N_TIME * 64 * sizeof(*rows));
    }
}

static void test_layernorm_scale(void **state)
{
    (void)state;
    static float rows[N_GAMES * N_TIME * 65], plain[N_GAMES * N_TIME * 65];
    const float *x = gpt->params + gpt->map.W_E + tokens[5] * 64, *pos;
    const float *bias = gpt->params + gpt->map.ln1_b;
    double mean = 0, variance = 0;
    Hooks hooks = {.fn = double_scale, .context = plain, .sites = {[HOOK_LN1] = 1}};
    pos = gpt->params + gpt->map.W_pos + (size_t)5 * 64;
    for (size_t c = 0; c < 64; c++) {
        mean += (double)(x[c] + pos[c]) / 64;
    }
    for (size_t c = 0; c < 64; c++) {
        variance += pow((double)(x[c] + pos[c]) - mean, 2) / 64;
    }
    gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, &hooks);
    hooks.context = rows;
    hooks.sites[HOOK_LN1_SCALE] = 1;
    gpt_forward(gpt, forward_tape, tokens, N_GAMES, N_TIME, &hooks);
    assert_true(fabs((double)rows[5] / sqrt(variance + 1e-5) - 1) < 1e-5);
    for (size_t i = N_GAMES * N_TIME; i < (size_t)N_GAMES * N_TIME * 65; i++) {
        float b = bias[(i - N_GAMES * N_TIME) % 64];
        assert_true(fabsf(rows[i] - (b + (plain[i] - b) / 2)) < 1e-5f);
    }
}

static void test_parameter_counts(void **state)
{
    (void)state;
    GptConfig paper = {.n_ctx = 59, .d_vocab = 61};
    assert_int_equal(gpt_config_preset(&paper, "paper"), 0);
    assert_int_equal(gpt_config_parameters(&paper), 25312768); /* protocols: the published model */
    Gpt *big = NULL;
    size_t trained = 0;
    assert_int_equal(gpt_new(&big, &paper), 0);
    for (size_t i = 0; i < big->n_specs; i++) {
        trained += big->specs[i].group != GROUP_FROZEN ? big->specs[i].count : 0;
    }
    assert_int_equal(trained, 25312768);
    gpt_free(big);
    paper.n_heads = 7;
    assert_non_null(gpt_config_check(&paper));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast_graph_is_the_plain_graph),
        cmocka_unit_test(test_bf16_gradient_points_the_same_way),
        cmocka_unit_test(test_forward_tape_equals_train_tape),
        cmocka_unit_test(test_causal),
        cmocka_unit_test(test_hooks_read_without_changing),
        cmocka_unit_test(test_hooks_edit),
        cmocka_unit_test(test_forward_part),
        cmocka_unit_test(test_forward_last_hooks),
        cmocka_unit_test(test_hook_names),
        cmocka_unit_test(test_layernorm_scale),
        cmocka_unit_test(test_parameter_counts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
