/* How to read a site, write a site, and take gradients: the shortest working code, for readers of
 * model/README.md. The asserts say what each example shows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/gpt.h"

enum { B = 2, T = 5, L = 6, C = 16, V = 9, LAYER = 4, N_SQUARES = 4, N_CLASSES = 3 };
enum { MINE = 2, SQUARE = 1 };

static const GptConfig cfg = {.n_layers = L,
                              .d_model = C,
                              .n_heads = 2,
                              .d_head = C / 2,
                              .d_mlp = 32,
                              .n_ctx = 8,
                              .d_vocab = V,
                              .eps = 1e-5f};
static const uint8_t tokens[B * T] = {1, 5, 2, 8, 3, 6, 4, 7, 0, 0}; /* 0 pads */
static Gpt *gpt;
static Tape *tape;

/* A hook and what it works on. */
typedef struct Example {
    float rows[B * T * C];                   /* read here */
    float probe[C][N_SQUARES][N_CLASSES];    /* as Probe.weight of one layer */
    float by;                                /* added to the first number of the last position */
    float at_layer[B * T * C], after, early; /* gradients: at LAYER; sizes behind and before it */
} Example;

/* ---- read a site, write a site ---- */

static void read_rows(void *context, const HookPoint *point)
{
    Example *example = context;
    memcpy(example->rows, point->value, point->B * point->T * point->width * sizeof(float));
}

static void write_row(void *context, const HookPoint *point)
{
    const Example *example = context;
    for (size_t b = 0; b < point->B; b++) {
        point->value[(b * point->T + point->T - 1) * point->width] += example->by;
    }
}

/* A pass with one hook at (HOOK_RESID_POST, LAYER). */
static const float *forward(Example *example, void (*fn)(void *, const HookPoint *))
{
    Hooks hooks = {.fn = fn, .context = example};
    hooks.sites[HOOK_RESID_POST] = UINT64_C(1) << LAYER;
    return gpt_forward(gpt, tape, tokens, B, T, &hooks);
}

static void hooks_read_and_write(void **state)
{
    static Example example;
    float plain[B * T * V];
    (void)state;
    memcpy(plain, forward(&example, read_rows), sizeof(plain));
    assert_true(example.rows[0] != 0);
    example.by = 3;
    const float *edited = forward(&example, write_row);
    /* Attention looks back only: the positions before the last one keep their bits. */
    assert_memory_equal(plain, edited, (T - 1) * V * sizeof(float));
    assert_memory_not_equal(plain + (T - 1) * V, edited + (T - 1) * V, V * sizeof(float));
    example.by = 0;
    assert_memory_equal(plain, forward(&example, write_row), sizeof(plain));
}

/* ---- the gradient of a logit difference ---- */

static void read_gradient(void *context, const HookPoint *point)
{
    Example *example = context;
    memcpy(example->at_layer, point->gradient, sizeof(example->at_layer));
}

static float logit_difference(const float *logits)
{
    return logits[(T - 1) * V + 3] - logits[(T - 1) * V + 5]; /* last position of sequence 0 */
}

static void gradient_of_a_logit_difference(void **state)
{
    static Example example;
    float dlogits[B * T * V] = {0}, step = 0.01f;
    Hooks hooks = {.fn = read_gradient, .context = &example};
    hooks.sites[HOOK_RESID_POST] = UINT64_C(1) << LAYER;
    (void)state;
    dlogits[(T - 1) * V + 3] = 1;
    dlogits[(T - 1) * V + 5] = -1;
    gpt_forward(gpt, tape, tokens, B, T, NULL);
    gpt_gradient(gpt, tape, tokens, dlogits, &hooks, NULL);
    /* The same by a central difference, in float: 1 % of the gradient and a rounding of logits. */
    example.by = step;
    float above = logit_difference(forward(&example, write_row));
    example.by = -step;
    float below = logit_difference(forward(&example, write_row));
    float found = example.at_layer[(T - 1) * C], moved = (above - below) / (2 * step);
    float tolerance = 0.01f * fabsf(moved) + 1e-4f;
    assert_true(fabsf(moved) > 5 * tolerance); /* so that a zero or a wrong sign is seen */
    assert_true(fabsf(found - moved) <= tolerance);
    assert_false(fabsf(-found - moved) <= tolerance);
}

/* ---- the gradient of a probe's score ---- */

/* The score of (SQUARE, MINE) at the last position of sequence 0 is w . row. Its gradient by the
 * row is w: column (SQUARE, MINE) of the weights, one number every N_SQUARES * N_CLASSES. */
static void add_probe(void *context, const HookPoint *point)
{
    Example *example = context;
    float *size = point->layer < LAYER ? &example->early : &example->after;
    const float *w = (const float *)example->probe + SQUARE * N_CLASSES + MINE;
    float *row = point->gradient + (point->T - 1) * point->width;
    if (point->layer == LAYER) {
        for (size_t c = 0; c < point->width; c++) {
            row[c] += w[c * N_SQUARES * N_CLASSES];
        }
        memcpy(example->at_layer, point->gradient, sizeof(example->at_layer));
        return;
    }
    for (size_t i = 0; i < point->B * point->T * point->width; i++) {
        *size += fabsf(point->gradient[i]);
    }
}

/* The probe reads layer 4; its gradient is carried to every layer before. */
static void gradient_of_a_probe_score(void **state)
{
    static Example example;
    Hooks hooks = {.fn = add_probe, .context = &example};
    hooks.sites[HOOK_RESID_POST] = (UINT64_C(1) << L) - 1;
    (void)state;
    for (size_t c = 0; c < C; c++) {
        for (size_t i = 0; i < N_SQUARES * N_CLASSES; i++) {
            Rng rng = rng_at(9, RNG_TEST, c * N_SQUARES * N_CLASSES + i);
            example.probe[c][i / N_CLASSES][i % N_CLASSES] = (float)rng_normal(&rng);
        }
    }
    gpt_forward(gpt, tape, tokens, B, T, NULL);
    gpt_gradient(gpt, tape, tokens, NULL, &hooks, NULL); /* NULL: no logit is read */
    for (size_t c = 0; c < C; c++) {
        assert_true(example.at_layer[(T - 1) * C + c] == example.probe[c][SQUARE][MINE]);
        assert_false(example.at_layer[(T - 1) * C + c] == example.probe[c][MINE][SQUARE]);
    }
    assert_true(example.early > 0);  /* layers 0 to 3: the gradient has come back through blocks */
    assert_true(example.after == 0); /* layer 5, behind the probe: zeros, it changes no score */
}

static int setup(void **state)
{
    (void)state;
    if (gpt_new(&gpt, &cfg) || tape_new(&tape, &cfg, B, TAPE_GRADIENT, NULL)) {
        return -1;
    }
    gpt_init(gpt, 3, RNG_INIT);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tape_free(tape);
    gpt_free(gpt);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_read_and_write),
        cmocka_unit_test(gradient_of_a_logit_difference),
        cmocka_unit_test(gradient_of_a_probe_score),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
