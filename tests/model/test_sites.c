/* Every hook site through both engines and both kernel sets: values going forward, gradients going
 * back, and the bits of a pass in which nobody looks. tests/model/test_prefix.c edits every site
 * through both engines; tests/model/test_site_gradients.c proves the gradients. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/prefix.h"
#include "num/blas.h"

enum { B = 3, T = 31, L = 3, C = 64, NH = 4, V = 33, STRIDE = 32, MOST = B * T * 256 };

/* The same products in other shapes and orders, through three blocks, relative to the largest
 * number of a site: some tens of roundings (6e-8) of sums of up to 256 terms. */
#define TOL 2e-4

static const uint8_t lengths[B] = {31, 1, 18};
static uint8_t tokens[B * T];
static float dlogits[B * V]; /* of the last positions: some metric */
static GptConfig cfg;
static Gpt *gpt;

/* What hooks found in one pass over a network. */
typedef struct SiteFound {
    float values[N_HOOK_SITES][L][MOST], gradients[N_HOOK_SITES][L][MOST];
    float logits[B * V];
    size_t widths[N_HOOK_SITES];
    bool prefix;
} SiteFound;

static void keep_hook(void *context, const HookPoint *point)
{
    SiteFound *found = context;
    size_t n = point->B * point->T * point->width;
    const float *from = point->gradient ? point->gradient : point->value;
    float *to = point->gradient ? found->gradients[point->site][point->layer]
                                : found->values[point->site][point->layer];
    assert_true(n <= MOST);
    assert_int_equal(point->width,
                     hook_width(&cfg, point->site, found->prefix ? STRIDE : (size_t)T));
    found->widths[point->site] = point->width;
    memcpy(to, from, n * sizeof(*to));
}

static Hooks all_sites(SiteFound *found)
{
    Hooks hooks = {.fn = keep_hook, .context = found};
    for (int site = 0; site < N_HOOK_SITES; site++) {
        hooks.sites[site] = hook_site_outside((HookSite)site) ? 1 : (1U << L) - 1;
    }
    return hooks;
}

static SiteFound *run_full(const Kernels *kernels)
{
    SiteFound *found = calloc(1, sizeof(*found));
    Hooks hooks = all_sites(found);
    static float d[B * T * V];
    Tape *tape = NULL;
    assert_int_equal(tape_new(&tape, &cfg, B, TAPE_GRADIENT, kernels), 0);
    const float *logits = gpt_forward(gpt, tape, tokens, B, T, &hooks);
    for (size_t b = 0; b < B; b++) {
        size_t at = (b * T + lengths[b] - 1U) * V;
        memcpy(found->logits + b * V, logits + at, V * sizeof(float));
        memcpy(d + at, dlogits + b * V, V * sizeof(float));
    }
    gpt_gradient(gpt, tape, NULL, d, &hooks, NULL);
    tape_free(tape);
    return found;
}

static SiteFound *run_prefix(const Kernels *kernels)
{
    SiteFound *found = calloc(1, sizeof(*found));
    Hooks hooks = all_sites(found);
    Prefix *prefix = NULL;
    found->prefix = true;
    assert_int_equal(prefix_new(&prefix, &cfg, B, TAPE_GRADIENT, kernels), 0);
    prefix_fill(prefix, gpt, tokens, T, lengths, B, NULL);
    memcpy(found->logits, prefix_last(prefix, gpt, &hooks), sizeof(found->logits));
    prefix_gradient(prefix, gpt, dlogits, &hooks);
    prefix_free(prefix);
    return found;
}

/* The last row of sequence b at a site: width numbers, or n_heads times lengths[b]. */
static size_t last_row(float *out, const SiteFound *found, const float *rows, HookSite site,
                       size_t b)
{
    size_t width = found->widths[site], n = 0;
    const float *row = rows + (found->prefix ? b : b * T + lengths[b] - 1U) * width;
    bool by_key = site == HOOK_SCORES || site == HOOK_PATTERN;
    for (size_t i = 0; i < width; i++) {
        if (!by_key || i % (width / NH) < lengths[b]) {
            out[n++] = row[i];
        }
    }
    return n;
}

/* The largest difference of the last rows of all sequences, relative to the largest number. */
static double gap(const SiteFound *a, const float *of_a, const SiteFound *b, const float *of_b,
                  HookSite site)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < B; i++) {
        float x[256] = {0}, y[256] = {0};
        size_t n = last_row(x, a, of_a, site, i);
        assert_int_equal(last_row(y, b, of_b, site, i), n);
        for (size_t j = 0; j < n; j++) {
            largest = fmax(largest, fabs((double)x[j]));
            difference = fmax(difference, fabs((double)x[j] - (double)y[j]));
        }
    }
    return largest > 0 ? difference / largest : difference;
}

static void every_site_is_the_same_everywhere(void **state)
{
    (void)state;
    SiteFound *plain = run_full(&kernels_ref);
    SiteFound *others[] = {run_full(kernels_fast()), run_prefix(&kernels_ref),
                           run_prefix(kernels_fast())};
    for (size_t i = 0; i < 3; i++) {
        SiteFound *other = others[i];
        for (int s = 0; s < N_HOOK_SITES; s++) {
            HookSite site = (HookSite)s;
            for (int l = 0; l < (hook_site_outside(site) ? 1 : L); l++) {
                double values =
                    gap(plain, plain->values[site][l], other, other->values[site][l], site);
                double gradients =
                    gap(plain, plain->gradients[site][l], other, other->gradients[site][l], site);
                if (!(values < TOL && gradients < TOL)) {
                    fail_msg("%s, layer %d, run %zu: values differ by %g, gradients by %g",
                             hook_site_name(site), l, i, values, gradients);
                }
                /* Negative twin: values are no gradients. */
                assert_true(gap(plain, plain->values[site][l], other, other->gradients[site][l],
                                site) > 100 * TOL);
            }
        }
        for (size_t j = 0; j < B * V; j++) {
            assert_true(fabsf(plain->logits[j] - other->logits[j]) < 1e-2f);
        }
    }
    for (size_t i = 0; i < 3; i++) {
        free(others[i]);
    }
    free(plain);
}

/* Where nobody looks, a pass has the bits of a training pass, and so has its gradient. */
static void a_pass_without_hooks_keeps_its_bits(void **state)
{
    (void)state;
    Tape *tapes[3] = {NULL};
    float *grads[2] = {calloc(gpt->n_numbers, sizeof(float)),
                       calloc(gpt->n_numbers, sizeof(float))};
    const float *logits[3];
    for (int mode = TAPE_FORWARD; mode <= TAPE_GRADIENT; mode++) {
        assert_int_equal(tape_new(&tapes[mode], &cfg, B, (TapeMode)mode, NULL), 0);
        logits[mode] = gpt_forward(gpt, tapes[mode], tokens, B, T, NULL);
        assert_memory_equal(logits[0], logits[mode], (size_t)B * T * V * sizeof(float));
    }
    for (int i = 0; i < 2; i++) {
        gpt_loss(tapes[i + 1], tokens, 1);
        gpt_backward(gpt, tapes[i + 1], tokens, 1, grads[i]);
        tape_free(tapes[i + 1]);
        tapes[i + 1] = NULL;
    }
    assert_memory_equal(grads[0], grads[1], gpt->n_numbers * sizeof(float));
    grads[0][gpt->map.W_U] *= 1.0001f;
    assert_memory_not_equal(grads[0], grads[1], gpt->n_numbers * sizeof(float));
    tape_free(tapes[0]);
    free(grads[0]);
    free(grads[1]);
}

/* All scores of a row at minus infinity: nothing is attended to, in either engine. */
static void blind_hook(void *context, const HookPoint *point)
{
    size_t n = point->B * point->T * point->width;
    (void)context;
    for (size_t i = 0; point->site == HOOK_SCORES && i < n; i++) {
        point->value[i] = -INFINITY;
    }
    for (size_t i = 0; point->site == HOOK_Z && i < n; i++) {
        assert_true(point->value[i] == 0);
    }
}

static void nothing_to_attend_to(void **state)
{
    (void)state;
    const Kernels *const sets[] = {&kernels_ref, kernels_fast()};
    Hooks hooks = {.fn = blind_hook, .sites = {[HOOK_SCORES] = 2, [HOOK_Z] = 2}};
    for (size_t i = 0; i < 2; i++) {
        Prefix *prefix = NULL;
        Tape *tape = NULL;
        assert_int_equal(prefix_new(&prefix, &cfg, B, TAPE_FORWARD, sets[i]), 0);
        assert_int_equal(tape_new(&tape, &cfg, B, TAPE_FORWARD, sets[i]), 0);
        prefix_fill(prefix, gpt, tokens, T, lengths, B, NULL);
        assert_true(isfinite(prefix_last(prefix, gpt, &hooks)[0]));
        assert_true(isfinite(gpt_forward(gpt, tape, tokens, B, T, &hooks)[0]));
        prefix_free(prefix);
        tape_free(tape);
    }
}

/* Gives every key of every query the same score or weight, later keys too. */
static void level_hook(void *context, const HookPoint *point)
{
    (void)context;
    for (size_t i = 0; i < point->B * point->T * point->width; i++) {
        point->value[i] = 0.25f;
    }
}

/* Causality hides later keys from scores that a hook leaves, and not from a pattern. */
static void what_hooks_show_of_later_keys(void **state)
{
    (void)state;
    const HookSite sites[] = {HOOK_SCORES, HOOK_PATTERN};
    uint8_t changed[T];
    float logits[V];
    memcpy(changed, tokens, T);
    changed[T - 1] = (uint8_t)(tokens[T - 1] % (V - 1) + 1);
    for (size_t i = 0; i < 2; i++) {
        for (int mode = TAPE_FORWARD; mode <= TAPE_GRADIENT; mode += TAPE_GRADIENT) {
            Hooks hooks = {.fn = level_hook};
            Tape *tape = NULL;
            hooks.sites[sites[i]] = 2;
            assert_int_equal(tape_new(&tape, &cfg, 1, (TapeMode)mode, NULL), 0);
            memcpy(logits, gpt_forward(gpt, tape, tokens, 1, T, &hooks), sizeof(logits));
            const float *other = gpt_forward(gpt, tape, changed, 1, T, &hooks);
            assert_int_equal(memcmp(logits, other, sizeof(logits)) == 0, sites[i] == HOOK_SCORES);
            tape_free(tape);
        }
    }
}

static int set_up(void **state)
{
    (void)state;
    Rng rng = rng_at(11, RNG_TEST, 0);
    if (blas_init() != 0 || gpt_config_preset(&cfg, "nano") != 0) {
        return -1;
    }
    cfg.n_layers = L;
    cfg.n_ctx = T;
    cfg.d_vocab = V;
    if (gpt_new(&gpt, &cfg) != 0) {
        return -1;
    }
    for (size_t i = 0; i < gpt->n_numbers; i++) {
        gpt->params[i] = (float)(0.2 * rng_normal(&rng));
    }
    for (size_t i = 0; i < B * T; i++) {
        tokens[i] = (uint8_t)(1 + rng_below(&rng, V - 1));
    }
    for (size_t i = 0; i < B * V; i++) {
        dlogits[i] = (float)rng_normal(&rng);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gpt_free(gpt);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_site_is_the_same_everywhere),
        cmocka_unit_test(a_pass_without_hooks_keeps_its_bits),
        cmocka_unit_test(nothing_to_attend_to),
        cmocka_unit_test(what_hooks_show_of_later_keys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
