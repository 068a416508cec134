/* The gradient of every tensor against central differences (built: double).
 *
 * Built in double precision: this program compiles the plain kernels and the graph itself with
 * OGPT_REAL_DOUBLE (tests/CMakeLists.txt), so rounding does not hide a wrong term. A tensor is
 * right when ||g - g'|| <= 1e-5 * max(||g||, 1e-4 * ||all gradients||); the second term keeps
 * a tensor with a gradient that vanishes by symmetry (b_K) from being compared with its rounding.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/gpt.h"

#define B 2
#define T 7
#define STEP 1e-5

static const GptConfig cfg = {.n_layers = 2,
                              .d_model = 12,
                              .n_heads = 3,
                              .d_head = 4,
                              .d_mlp = 20,
                              .n_ctx = 8,
                              .d_vocab = 9,
                              .eps = 1e-5f};
static const uint8_t tokens[B * T] = {1, 5, 2, 8, 3, 0, 4, 7, 6, 1, 1, 2, 5, 3};
static const uint8_t targets[B * T] = {5, 2, 8, 3, 6, 4, 0, 6, 1, 1, 2, 5, 3, 7};

typedef struct Fixture {
    Gpt *gpt;
    Tape *tape;
    double *gradient;
} Fixture;

static double loss_of(Fixture *f)
{
    gpt_forward(f->gpt, f->tape, tokens, B, T, NULL);
    return gpt_loss(f->tape, targets, 0);
}

static double norm(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * x[i];
    }
    return sqrt(sum);
}

/* Distance between the gradient and central differences, relative as stated above. */
static double tensor_error(Fixture *f, const TensorSpec *spec, double all)
{
    double *w = f->gpt->params + spec->offset, *g = f->gradient + spec->offset, sum = 0;
    for (size_t i = 0; i < spec->count; i++) {
        double kept = w[i];
        w[i] = kept + STEP;
        double up = loss_of(f);
        w[i] = kept - STEP;
        double down = loss_of(f);
        w[i] = kept;
        double d = g[i] - (up - down) / (2 * STEP);
        sum += d * d;
    }
    return sqrt(sum) / fmax(norm(g, spec->count), 1e-4 * all);
}

static int set_up(void **state)
{
    static Fixture f;
    if (gpt_new(&f.gpt, &cfg) != 0 || tape_new(&f.tape, &cfg, B, TAPE_TRAIN, NULL) != 0) {
        return -1;
    }
    /* Large weights everywhere, biases and LayerNorm too: small ones would hide wrong terms. */
    for (size_t i = 0; i < f.gpt->n_specs; i++) {
        Rng rng = rng_at(7, RNG_TEST, i);
        for (size_t j = 0; j < f.gpt->specs[i].count; j++) {
            f.gpt->params[f.gpt->specs[i].offset + j] =
                (f.gpt->specs[i].init_std < 0 ? 1 : 0) + 0.3 * rng_normal(&rng);
        }
    }
    f.gradient = calloc(f.gpt->n_numbers, sizeof(double));
    gpt_forward(f.gpt, f.tape, tokens, B, T, NULL);
    gpt_loss(f.tape, targets, 1);
    gpt_backward(f.gpt, f.tape, tokens, 1, f.gradient);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    free(f->gradient);
    tape_free(f->tape);
    gpt_free(f->gpt);
    return 0;
}

static void test_every_tensor(void **state)
{
    Fixture *f = *state;
    double all = norm(f->gradient, f->gpt->n_numbers);
    assert_true(all > 1);
    for (size_t i = 0; i < f->gpt->n_specs; i++) {
        const TensorSpec *spec = &f->gpt->specs[i];
        if (spec->group == GROUP_FROZEN) {
            continue;
        }
        double error = tensor_error(f, spec, all);
        if (!(error <= 1e-5)) {
            fail_msg("%s: relative gradient error %g", spec->name, error);
        }
    }
}

/* The comparison itself can go red: a gradient that is 1 % off in one number is refused. */
static void test_wrong_gradient_is_seen(void **state)
{
    Fixture *f = *state;
    const TensorSpec *spec = &f->gpt->specs[gpt_tensor_index(f->gpt, "blocks.1.mlp.W_in")];
    double all = norm(f->gradient, f->gpt->n_numbers);
    size_t largest = 0;
    double *g = f->gradient + spec->offset;
    for (size_t i = 0; i < spec->count; i++) {
        largest = fabs(g[i]) > fabs(g[largest]) ? i : largest;
    }
    g[largest] *= 1.01;
    assert_true(tensor_error(f, spec, all) > 1e-5);
    g[largest] /= 1.01;
}

/* Gradients add up over calls, or take the place of what is there, and the pad has no loss. */
static void test_accumulation_and_pad(void **state)
{
    Fixture *f = *state;
    double *twice = calloc(f->gpt->n_numbers, sizeof(double));
    for (int i = 0; i < 2; i++) {
        gpt_forward(f->gpt, f->tape, tokens, B, T, NULL);
        gpt_loss(f->tape, targets, 1);
        gpt_backward(f->gpt, f->tape, tokens, 1, twice);
    }
    for (size_t i = 0; i < f->gpt->n_numbers; i++) {
        assert_true(fabs(twice[i] - 2 * f->gradient[i]) <= 1e-12 * (1 + fabs(twice[i])));
    }
    for (int kept = 1; kept >= 0; kept--) { /* with `keep` rubbish stays rubbish */
        for (size_t i = 0; i < f->gpt->n_numbers; i++) {
            twice[i] = NAN;
        }
        gpt_forward(f->gpt, f->tape, tokens, B, T, NULL);
        gpt_loss(f->tape, targets, 1);
        gpt_backward(f->gpt, f->tape, tokens, kept, twice);
        for (size_t i = 0; i < f->gpt->n_numbers; i++) {
            assert_true(kept ? isnan(twice[i])
                             : fabs(twice[i] - f->gradient[i]) <= 1e-12 * (1 + fabs(twice[i])));
        }
    }
    const uint8_t pads[B * T] = {0};
    gpt_forward(f->gpt, f->tape, tokens, B, T, NULL);
    assert_true(gpt_loss(f->tape, pads, 1) == 0);
    memset(twice, 0, f->gpt->n_numbers * sizeof(double));
    gpt_backward(f->gpt, f->tape, tokens, 1, twice);
    assert_true(norm(twice, f->gpt->n_numbers) == 0);
    free(twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_tensor),
        cmocka_unit_test(test_wrong_gradient_is_seen),
        cmocka_unit_test(test_accumulation_and_pad),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
