/* tests/probes/feature_circuits/test_feature_circuit_pair.c - nodes of a pair against passes that
 * are changed by hand, and on networks whose answer is known. links: model/planted */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feature_fixture.h"

/* Everything from the other run is the other run, and nothing is the base run, in every bit: where
 * the site cuts the network in two. */
static void all_nodes_are_the_other_run(void **state)
{
    static const struct {
        HookSite site;
        int layer;
    } cuts[] = {{HOOK_RESID_PRE, LAYER_EMBED},
                {HOOK_RESID_POST, 0},
                {HOOK_RESID_PRE, 1},
                {HOOK_RESID_MID, 1},
                {HOOK_RESID_POST, 1}};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        FeatureFixture f;
        fixture_noisy(&f, cuts[i].site, cuts[i].layer, PATCH_ALL);
        fixture_measure(&f);
        const double *v = f.values;
        assert_true(v[FEATURE_HEAD_WHOLE] == v[FEATURE_HEAD_RUNS + FEATURE_RUN_OTHER]);
        assert_true(v[FEATURE_HEAD_BASE] == v[FEATURE_HEAD_RUNS + FEATURE_RUN_BASE]);
        assert_true(fabs(v[FEATURE_HEAD_WHOLE] - v[FEATURE_HEAD_BASE]) > 0.01);
        /* Bases without an error are all of it, too. */
        for (size_t b = BASIS_COORDINATES; b <= BASIS_ROTATED; b++) {
            assert_true(v[feature_circuit_pair_all(&f.layout, b)] ==
                        v[FEATURE_HEAD_WHOLE] - v[FEATURE_HEAD_BASE]);
        }
        /* Twin: features without their error are not. */
        assert_true(fabs(v[feature_circuit_pair_all(&f.layout, BASIS_FEATURES)] -
                         (v[FEATURE_HEAD_WHOLE] - v[FEATURE_HEAD_BASE])) > 1e-4);
        /* From the far end it is the same up to float: sums of 24 terms of 24 bits. */
        assert_true(v[FEATURE_HEAD_SPLIT] < 1e-5);
        assert_int_equal(f.n_bases,
                         cuts[i].site == HOOK_RESID_POST ? N_FEATURE_BASES : BASIS_NEURONS);
        fixture_close(&f);
    }
    (void)state;
}

/* A write into the stream is not all of it: the other run is not reached. */
static void other_sites_are_not_the_other_run(void **state)
{
    FeatureFixture f;
    fixture_noisy(&f, HOOK_MLP_OUT, 0, PATCH_ALL);
    fixture_measure(&f);
    assert_true(f.values[FEATURE_HEAD_BASE] == f.values[FEATURE_HEAD_RUNS]);
    assert_true(fabs(f.values[FEATURE_HEAD_WHOLE] - f.values[FEATURE_HEAD_RUNS + 1]) > 1e-3);
    fixture_close(&f);
    (void)state;
}

/* A feature patched with itself changes no bit, and neither does any other node. */
static void a_pair_of_one_history_shows_nothing(void **state)
{
    for (int scope = PATCH_LAST; scope <= PATCH_ALL; scope++) {
        FeatureFixture f;
        fixture_noisy(&f, HOOK_RESID_POST, 0, (PatchScope)scope);
        memcpy(f.pair.corrupt, f.pair.clean, sizeof(f.pair.clean));
        fixture_measure(&f);
        assert_true(f.values[FEATURE_HEAD_BASE] != 0);
        assert_true(f.values[FEATURE_HEAD_BASE] == f.values[FEATURE_HEAD_WHOLE]);
        for (size_t i = N_FEATURE_HEAD; i < f.layout.n; i++) {
            assert_true(f.values[i] == 0);
        }
        fixture_close(&f);
    }
    (void)state;
}

/* The exact effects of nodes from a pass through the whole network, whose rows were changed in
 * double precision by the plain autoencoder. */
static void against_plain_passes(HookSite site, int layer, PatchScope scope)
{
    FeatureFixture f;
    PlainRows base = {.keep = true}, other = {.keep = true};
    fixture_noisy(&f, site, layer, scope);
    const size_t width = f.sae->cfg.d_in, m = f.sae->cfg.features, T = FIXTURE_MOVES;
    fixture_measure(&f);
    const double at_base = plain_delta(&f, f.pair.clean, &base);
    plain_delta(&f, f.pair.corrupt, &other);
    double *a = calloc(2 * T * m, sizeof(*a));
    sae_ref(f.sae, base.x, T, a, NULL);
    sae_ref(f.sae, other.x, T, a + T * m, NULL);
    const double *exact = plane(&f, BASIS_FEATURES, FEATURE_EXACT);
    size_t wrong = 0, differ = 0, apart = 0;
    for (size_t j = 0; j < m; j++) {
        PlainRows rows = base;
        rows.keep = false;
        double change = 0;
        for (size_t t = base.first; t < T; t++) {
            for (size_t c = 0; c < width; c++) {
                const double step = a[(T + t) * m + j] - a[t * m + j];
                rows.x[t * width + c] += (float)(step * (double)f.sae->w_dec[j * width + c]);
                change += fabs(step);
            }
        }
        const double effect = plain_delta(&f, f.pair.clean, &rows) - at_base;
        differ += change > 0;
        /* Logits are of the order 1 and their float rounding is 1e-6. */
        wrong += fabs(effect - exact[j]) > 2e-5;
        apart += fabs(effect - exact[(j + 1) % m]) > 1e-3; /* twin: the effect of another one */
    }
    assert_int_equal(wrong, 0);
    assert_true(differ > m / 4 && apart > m / 4);
    free(a);
    fixture_close(&f);
}

static void exact_effects_are_those_of_plain_passes(void **state)
{
    against_plain_passes(HOOK_RESID_POST, 0, PATCH_ALL);
    against_plain_passes(HOOK_RESID_POST, 0, PATCH_LAST);
    against_plain_passes(HOOK_RESID_POST, 1, PATCH_LAST);
    against_plain_passes(HOOK_RESID_MID, 1, PATCH_ALL);
    against_plain_passes(HOOK_MLP_OUT, 0, PATCH_LAST);
    against_plain_passes(HOOK_RESID_PRE, LAYER_EMBED, PATCH_ALL);
    (void)state;
}

/* The estimates of all nodes and the error add up to gradient . (other - base), which is the
 * derivative of the metric on the way to the other run. */
static void estimates_add_up_to_the_derivative(void **state)
{
    FeatureFixture f;
    PlainRows base = {.keep = true}, other = {.keep = true};
    fixture_noisy(&f, HOOK_RESID_POST, 0, PATCH_ALL);
    fixture_measure(&f);
    const size_t numbers = f.sae->cfg.d_in * FIXTURE_MOVES;
    const double start = plain_delta(&f, f.pair.clean, &base);
    plain_delta(&f, f.pair.corrupt, &other);
    double step[2];
    for (int side = 0; side < 2; side++) {
        PlainRows rows = base;
        rows.keep = false;
        for (size_t i = 0; i < numbers; i++) {
            rows.x[i] += (side ? -0.01F : 0.01F) * (other.x[i] - base.x[i]);
        }
        step[side] = plain_delta(&f, f.pair.clean, &rows);
    }
    const double slope = (step[0] - step[1]) / 0.02;
    assert_true(fabs(slope) > 0.05);
    /* 1e-6 of logits over steps of 0.01, and the third derivative. */
    assert_true(fabs(f.values[FEATURE_HEAD_ATP] - slope) < 2e-3 * fmax(1, fabs(slope)));
    /* Identity: float numbers, added up in double precision. */
    assert_true(f.values[FEATURE_HEAD_IDENTITY] < 1e-5);
    for (size_t b = 0; b < f.n_bases; b++) {
        const size_t nodes = f.layout.nodes[b];
        assert_true(fabs(sum_of(plane(&f, b, FEATURE_ATP), nodes) - f.values[FEATURE_HEAD_ATP]) <
                    1e-4);
        /* Twins: without the error, and of exact effects, it does not hold. */
        if (f.bases[b].has_error) {
            assert_true(fabs(sum_of(plane(&f, b, FEATURE_ATP), nodes - 1) -
                             f.values[FEATURE_HEAD_ATP]) > 1e-3);
        }
        assert_true(fabs(sum_of(plane(&f, b, FEATURE_EXACT), nodes) - f.values[FEATURE_HEAD_ATP]) >
                    1e-3);
    }
    assert_true(fabs(f.values[FEATURE_HEAD_WHOLE] - start - f.values[FEATURE_HEAD_ATP]) > 1e-3);
    fixture_close(&f);
    (void)state;
}

/* With many points the integrated gradients of all nodes add up to the whole effect. */
static void integrated_gradients_are_complete(void **state)
{
    for (int scope = PATCH_LAST; scope <= PATCH_ALL; scope++) {
        double off[2];
        for (int i = 0; i < 2; i++) {
            FeatureFixture f;
            fixture_noisy(&f, HOOK_RESID_POST, 0, (PatchScope)scope);
            f.question.points = i ? 64 : 1;
            fixture_measure(&f);
            off[i] = fabs(sum_of(plane(&f, 0, FEATURE_IG), f.layout.nodes[0]) -
                          (f.values[FEATURE_HEAD_WHOLE] - f.values[FEATURE_HEAD_BASE]));
            fixture_close(&f);
        }
        assert_true(off[0] > 1e-3);
        /* The midpoint rule falls with the square of the points, down to float rounding. */
        assert_true(off[1] < off[0] / 100 + 1e-5);
    }
    (void)state;
}

/* Where every path is linear, estimates are the exact effects, which add up. */
static void on_a_linear_network_estimates_are_exact(void **state)
{
    FeatureFixture f;
    for (int scope = PATCH_LAST; scope <= PATCH_ALL; scope++) {
        fixture_linear(&f, (PatchScope)scope);
        fixture_measure(&f);
        const double whole = f.values[FEATURE_HEAD_WHOLE] - f.values[FEATURE_HEAD_BASE];
        for (size_t b = 0; b < f.n_bases; b++) {
            double most = 0, off = 0;
            for (size_t i = 0; i < f.layout.nodes[b]; i++) {
                const double exact = plane(&f, b, FEATURE_EXACT)[i];
                most = fmax(most, fabs(exact));
                off = fmax(off, fabs(plane(&f, b, FEATURE_ATP)[i] - exact));
                off = fmax(off, fabs(plane(&f, b, FEATURE_IG)[i] - exact));
            }
            assert_true(most > 0.01);
            /* What planted networks round, and what float leaves of logits of some nats. */
            assert_true(off < PLANTED_TOLERANCE * PLANTED_STRENGTH);
            assert_true(fabs(sum_of(plane(&f, b, FEATURE_EXACT), f.layout.nodes[b]) - whole) <
                        (double)f.layout.nodes[b] * PLANTED_TOLERANCE);
        }
        assert_true(fabs(whole) > 0.5);
        fixture_close(&f);
    }
    /* Twin: a network that is curved. */
    double off = 0;
    fixture_noisy(&f, HOOK_RESID_POST, 0, PATCH_ALL);
    fixture_measure(&f);
    for (size_t i = 0; i < f.layout.nodes[0]; i++) {
        off = fmax(off, fabs(plane(&f, 0, FEATURE_ATP)[i] - plane(&f, 0, FEATURE_EXACT)[i]));
    }
    assert_true(off > 1e-3);
    fixture_close(&f);
    (void)state;
}

/* ---- an answer that reads one column ---- */

/* Row j of the Hadamard matrix, of length 1; rows but the first have mean 0. */
static float hadamard(size_t j, size_t c)
{
    return __builtin_parityll(j & c) ? -0.25F : 0.25F;
}

enum { READ = 3, PARTNER = 2, ALWAYS = 1, CLEAN_TOKEN = 3, CORRUPT_TOKEN = 5, HADAMARD_ROWS = 8 };

/* Blocks write nothing, the LayerNorm only divides (as in model/planted/planted.h: a tiny stream
 * and a large eps), token CLEAN_TOKEN writes the columns READ and ALWAYS, token CORRUPT_TOKEN
 * PARTNER and ALWAYS, and the logit of the target reads the column READ. */
static Gpt *one_column_network(int target)
{
    GptConfig cfg = small_config(4, 2, 20);
    Gpt *gpt = NULL;
    cfg.eps = 0.25F;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    const size_t C = 16, V = (size_t)cfg.d_vocab;
    for (size_t c = 0; c < C; c++) {
        real *clean = gpt->params + gpt->map.W_E + CLEAN_TOKEN * C;
        real *corrupt = gpt->params + gpt->map.W_E + CORRUPT_TOKEN * C;
        clean[c] = 1e-3F * (hadamard(READ, c) + 0.5F * hadamard(ALWAYS, c));
        corrupt[c] = 1e-3F * (0.7F * hadamard(PARTNER, c) + 0.5F * hadamard(ALWAYS, c));
        gpt->params[gpt->map.lnf_w + c] = 1000;
        gpt->params[gpt->map.W_U + c * V + (size_t)target] = hadamard(READ, c);
    }
    return gpt;
}

/* The last move differs; feature READ is the whole effect, PARTNER and the error have none. With
 * columns exchanged the same features carry nothing, and coordinates each have a part. */
static void one_column_carries_all(void **state)
{
    FeatureFixture f;
    uint64_t seed = 1;
    Gpt *gpt = one_column_network(10);
    Sae *sae = fixture_sae(16, HADAMARD_ROWS, HOOK_RESID_POST, 0);
    for (size_t j = 0; j < HADAMARD_ROWS; j++) {
        for (size_t c = 0; c < 16; c++) {
            sae->w_dec[j * 16 + c] = sae->w_enc[j * 16 + c] = hadamard(j, c);
            sae->b_dec[c] = 0;
        }
    }
    sae_prepare(sae);
    for (bool astray = true; astray; seed += astray) { /* both features get a column of no effect */
        fixture_ask(&f, gpt, sae, PATCH_ALL, seed);
        const float *columns = f.bases[BASIS_SHUFFLED].columns;
        astray = false;
        for (size_t j = PARTNER; j <= READ; j++) {
            astray |= memcmp(columns + j * 16, sae->w_dec + READ * 16, 16 * sizeof(float)) == 0;
        }
        for (size_t b = 0; astray && b < f.n_bases; b++) {
            feature_circuit_basis_release(&f.bases[b]);
        }
        if (astray) {
            free(f.values);
        }
    }
    f.pair.clean[FIXTURE_MOVES - 1] = f.question.vocab->sq_of_tok[CLEAN_TOKEN];
    memcpy(f.pair.corrupt, f.pair.clean, sizeof(f.pair.clean));
    f.pair.corrupt[FIXTURE_MOVES - 1] = f.question.vocab->sq_of_tok[CORRUPT_TOKEN];
    fixture_measure(&f);
    const double whole = f.values[FEATURE_HEAD_WHOLE] - f.values[FEATURE_HEAD_BASE];
    assert_true(fabs(whole) > 1);
    for (int score = 0; score < N_FEATURE_SCORES; score++) {
        const double *effect = plane(&f, BASIS_FEATURES, (size_t)score);
        for (size_t j = 0; j <= HADAMARD_ROWS; j++) {
            /* A tiny stream in float: 1e-6 of it, and of its variance beside eps, which is 1e-7. */
            assert_true(fabs(effect[j] - (j == READ ? whole : 0)) < 1e-4 * fabs(whole));
        }
        const double *curve =
            f.values + feature_circuit_pair_curve(&f.layout, BASIS_FEATURES, (FeatureOrder)score);
        assert_true(fabs(curve[0] - whole) < 1e-4 * fabs(whole));
        /* Twins: exchanged columns leave it to the error, coordinates share it. */
        assert_true(fabs(plane(&f, BASIS_SHUFFLED, (size_t)score)[READ]) < 1e-4 * fabs(whole));
        assert_true(fabs(plane(&f, BASIS_SHUFFLED, (size_t)score)[HADAMARD_ROWS] - whole) <
                    1e-4 * fabs(whole));
        curve = f.values +
                feature_circuit_pair_curve(&f.layout, BASIS_COORDINATES, (FeatureOrder)score);
        assert_true(curve[0] / whole > 0 && curve[0] / whole < 0.3);
    }
    assert_true(plane(&f, BASIS_FEATURES, FEATURE_CHANGE)[PARTNER] > 0);
    assert_true(plane(&f, BASIS_FEATURES, FEATURE_CHANGE)[ALWAYS] == 0 ||
                plane(&f, BASIS_FEATURES, FEATURE_CHANGE)[ALWAYS] < 1e-9);
    fixture_close(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_nodes_are_the_other_run),
        cmocka_unit_test(other_sites_are_not_the_other_run),
        cmocka_unit_test(a_pair_of_one_history_shows_nothing),
        cmocka_unit_test(exact_effects_are_those_of_plain_passes),
        cmocka_unit_test(estimates_add_up_to_the_derivative),
        cmocka_unit_test(integrated_gradients_are_complete),
        cmocka_unit_test(on_a_linear_network_estimates_are_exact),
        cmocka_unit_test(one_column_carries_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
