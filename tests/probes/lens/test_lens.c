/* tests/probes/lens/test_lens.c - the identities of lenses: the last place is the network itself, a
 * translator of zeros is none, blocks that write nothing change nothing; and the plain lens. */
#include "tests/probes/lens/lens_fixture.h"

#include "probes/activations/passes.h"
#include "probes/lens/lens_ref.h"

static void places(void **state)
{
    assert_int_equal(lens_places(3), 7);
    assert_int_equal(lens_site(0), HOOK_RESID_PRE);
    assert_int_equal(lens_layer(0), LAYER_EMBED);
    for (int layer = 0; layer < 3; layer++) {
        assert_int_equal(lens_site(lens_post(layer)), HOOK_RESID_POST);
        assert_int_equal(lens_layer(lens_post(layer)), layer);
        assert_int_equal(lens_site(lens_post(layer) - 1), HOOK_RESID_MID);
        assert_int_equal(lens_layer(lens_post(layer) - 1), layer);
    }
    assert_string_equal(lens_reader_name(LENS_RANDOM_TUNED), "random_tuned");
}

/* The answers of the network by a pass of its own, which knows nothing of lenses. */
static void compare_with_forward(const LensMeasured *measured, const Gpt *gpt)
{
    uint8_t tokens[PASS_GAMES * GAME_MAX_MOVES], targets[PASS_GAMES * GAME_MAX_MOVES];
    const PositionSet *set = &test.set;
    size_t V = (size_t)gpt->cfg.d_vocab, T = (size_t)gpt->cfg.n_ctx;
    Tape *tape = NULL;
    assert_int_equal(tape_new(&tape, &gpt->cfg, PASS_GAMES, TAPE_FORWARD, NULL), 0);
    batch_encode(tokens, targets, set->vocab, set->moves, PASS_GAMES);
    const real *logits = gpt_forward(gpt, tape, tokens, PASS_GAMES, T, NULL);
    for (size_t g = 0; g < PASS_GAMES; g++) {
        for (size_t i = set->first[g]; i < set->first[g + 1]; i++) {
            assert_memory_equal(measured->finals + i * V, logits + (g * T + set->t[i]) * V,
                                V * sizeof(float));
        }
    }
    tape_free(tape);
}

static void last_place_is_the_network(void **state)
{
    const Gpt *gpt = fixture.model.gpt;
    LensMeasured measured;
    measure(&measured, gpt, (const LensBank *const[]){NULL}, 1, &usual);
    int last = measured.n_places - 1;
    assert_true(measured.last_error == 0); /* bit for bit */
    compare_with_forward(&measured, gpt);
    /* KL of equal logits: rounding of sums in double. */
    assert_true(fabs(mean_of(&measured, 0, last, LENS_KL)) < 1e-12);
    /* The twin: one place earlier the lens is another answer. */
    assert_true(mean_of(&measured, 0, last - 1, LENS_KL) > 0.01);
    lens_measured_release(&measured);
}

static void zeros_are_the_logit_lens(void **state)
{
    const Gpt *gpt = fixture.model.gpt;
    LensBank zeros = lens_bank_empty(&gpt->cfg), other = lens_bank_empty(&gpt->cfg);
    LensMeasured measured;
    for (int place = 0; place < zeros.n_places; place++) {
        assert_int_equal(lens_bank_add(&zeros, place), 0);
        assert_int_equal(lens_bank_add(&other, place), 0);
        other.matrix[place][5] = 0.5f; /* the twin */
    }
    measure(&measured, gpt, (const LensBank *const[]){NULL, &zeros, &other}, 3, &usual);
    for (int place = 0; place < measured.n_places; place++) {
        for (int score = 0; score < N_LENS_SCORES; score++) {
            assert_memory_equal(lens_measured_at(&measured, 0, place, (LensScore)score),
                                lens_measured_at(&measured, 1, place, (LensScore)score),
                                measured.n_games * sizeof(double));
        }
        assert_true(mean_of(&measured, 0, place, LENS_KL) != mean_of(&measured, 2, place, LENS_KL));
    }
    lens_measured_release(&measured);
    lens_bank_release(&zeros);
    lens_bank_release(&other);
}

static void silent_blocks_change_nothing(void **state)
{
    const Gpt *gpt = fixture.model.gpt;
    Gpt *one = NULL, *both = NULL;
    LensMeasured measured;
    assert_int_equal(gpt_new(&one, &gpt->cfg), 0);
    assert_int_equal(gpt_new(&both, &gpt->cfg), 0);
    ablation_curve_network(one, gpt, CURVE_REMOVED, 1);
    ablation_curve_network(both, one, CURVE_REMOVED, 2);
    measure(&measured, both, (const LensBank *const[]){NULL}, 1, &usual);
    for (int place = lens_post(0); place < measured.n_places; place++) {
        for (int score = 0; score < N_LENS_SCORES; score++) {
            double here = mean_of(&measured, 0, place, (LensScore)score);
            double end = mean_of(&measured, 0, measured.n_places - 1, (LensScore)score);
            assert_true(fabs(here - end) <= 1e-6);
        }
    }
    assert_true(mean_of(&measured, 0, lens_post(0) - 1, LENS_KL) > 0.01); /* the twin */
    lens_measured_release(&measured);
    gpt_free(one);
    gpt_free(both);
}

/* Every answer at every place against plain loops, LayerNorm by the row's own scale. */
static void plain_lens(void **state)
{
    const Gpt *gpt = fixture.model.gpt;
    LensRows rows;
    LensBank bank = lens_bank_empty(&gpt->cfg);
    LensMeasured measured;
    double end[64], lens[64], kl[2] = {0, 0};
    size_t C = (size_t)gpt->cfg.d_model, V = (size_t)gpt->cfg.d_vocab;
    Rng rng = rng_at(3, RNG_TEST, 0);
    for (int place = 0; place < bank.n_places; place++) {
        assert_int_equal(lens_bank_add(&bank, place), 0);
        for (size_t i = 0; i < C * C; i++) {
            bank.matrix[place][i] = (float)(0.1 * rng_normal(&rng));
        }
    }
    assert_int_equal(lens_rows_capture(&rows, gpt, &test.set, &usual), 0);
    measure(&measured, gpt, (const LensBank *const[]){NULL, &bank}, 2, &usual);
    for (int place = 0; place < measured.n_places; place++) {
        kl[0] = kl[1] = 0;
        for (size_t i = 0; i < rows.n; i++) {
            const float *x = rows.x[place] + i * C;
            lens_ref_logits(end, gpt, rows.x[rows.n_places - 1] + i * C, NULL, NULL);
            lens_ref_logits(lens, gpt, x, NULL, NULL);
            kl[0] += lens_ref_kl(end, lens, V) / (double)rows.n;
            lens_ref_logits(lens, gpt, x, bank.matrix[place], bank.bias[place]);
            kl[1] += lens_ref_kl(end, lens, V) / (double)rows.n;
        }
        for (size_t reader = 0; reader < 2; reader++) {
            /* Logits of float sums of 24 numbers, of order 1: 1e-5 of a KL of order 1. */
            assert_true(fabs(kl[reader] - mean_of(&measured, reader, place, LENS_KL)) < 2e-5);
        }
    }
    assert_true(fabs(kl[1] - kl[0]) > 1e-3); /* the translator is not nothing */
    lens_measured_release(&measured);
    lens_rows_release(&rows);
    lens_bank_release(&bank);
}

static void workers_change_nothing(void **state)
{
    const Gpt *gpt = fixture.model.gpt;
    LensMeasured two, alone;
    measure(&two, gpt, (const LensBank *const[]){NULL}, 1, &usual);
    measure(&alone, gpt, (const LensBank *const[]){NULL}, 1, &(Work){.seed = 1});
    size_t numbers = (size_t)two.n_places * N_LENS_SCORES * two.n_games;
    assert_memory_equal(two.sums, alone.sums, numbers * sizeof(double));
    lens_measured_release(&two);
    lens_measured_release(&alone);
}

/* Coordinates in another order: the same answers, if rows go along. */
static void permuted_bank(void **state)
{
    enum { C = 24 };
    const Gpt *gpt = fixture.model.gpt;
    LensBank bank = lens_bank_empty(&gpt->cfg), permuted;
    uint32_t order[C];
    float x[C], y[C], moved[C];
    Rng rng = rng_at(4, RNG_TEST, 0);
    assert_int_equal(lens_bank_add(&bank, 1), 0);
    for (size_t i = 0; i < C * C; i++) {
        bank.matrix[1][i] = (float)rng_normal(&rng);
    }
    for (size_t c = 0; c < C; c++) {
        order[c] = (uint32_t)rng_permute(1, RNG_TEST, 0, c, C);
        bank.bias[1][c] = (float)rng_normal(&rng);
        x[c] = (float)rng_normal(&rng);
        moved[order[c]] = x[c];
    }
    assert_int_equal(lens_bank_permuted(&permuted, &bank, order), 0);
    assert_null(permuted.matrix[0]);
    for (size_t c = 0; c < C; c++) {
        double a = bank.bias[1][c], b = permuted.bias[1][order[c]], unmoved = b;
        for (size_t k = 0; k < C; k++) {
            a += (double)x[k] * bank.matrix[1][k * C + c];
            b += (double)moved[k] * permuted.matrix[1][k * C + order[c]];
            unmoved += (double)x[k] * permuted.matrix[1][k * C + order[c]];
        }
        assert_true(fabs(a - b) < 1e-12 * C);
        y[c] = (float)fabs(a - unmoved);
    }
    assert_true(y[0] + y[1] + y[2] > 0.1f); /* rows that stay behind get another answer */
    lens_bank_release(&bank);
    lens_bank_release(&permuted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(last_place_is_the_network),
        cmocka_unit_test(zeros_are_the_logit_lens),
        cmocka_unit_test(silent_blocks_change_nothing),
        cmocka_unit_test(plain_lens),
        cmocka_unit_test(workers_change_nothing),
        cmocka_unit_test(permuted_bank),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
