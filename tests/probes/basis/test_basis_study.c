/* tests/probes/basis/test_basis_study.c - a whole study: a network beside itself, and beside the
 * same network in other coordinates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "probes/basis/basis_study.h"
#include "tests/probes/probe_fixture.h"

static ProbeFixture fixture;
static PositionSet set, all; /* all plies of the games */
static Pool *pool;

static int setup(void **state)
{
    GameSource *source = NULL;
    int rc = fixture_open(&fixture, 60) || pool_new(&pool, 2) ||
             source_corpus(&source, fixture.corpus, SPLIT_ALL, false, 1) ||
             positions_draw(&set, source, 40, 4, &(Work){.seed = 1});
    source_free(source);
    source = NULL;
    rc = rc || source_corpus(&source, fixture.corpus, SPLIT_ALL, false, 1) ||
         positions_draw(&all, source, 60, 0, &(Work){.seed = 1});
    source_free(source);
    return rc;
}

static int teardown(void **state)
{
    positions_release(&set);
    positions_release(&all);
    pool_free(pool);
    fixture_close(&fixture);
    return 0;
}

/* A probe that reads square s on coordinate s % 24: turn and empty are one axis each. */
static void axes(Probe *probe, int n_squares)
{
    *probe = (Probe){.task = "mine",
                     .classes = {"empty", "theirs", "mine"},
                     .labels = "mover",
                     .site = HOOK_RESID_POST,
                     .size = 6,
                     .n_squares = n_squares,
                     .d_model = 24,
                     .n_classes = 3,
                     .n_layers = 1,
                     .fitted = {true}};
    assert_int_equal(probe_allocate(probe), 0);
    for (int s = 0; s < n_squares && s < 12; s++) {
        probe->weight[0][(s * n_squares + s) * 3 + 2] = s < 11 ? 2 : 3;
        probe->weight[0][(s * n_squares + s) * 3 + 1] = -2;
        /* Square 11 is never empty: it turns, and has no second direction. */
        probe->weight[0][((12 + s) * n_squares + s) * 3] = s < 11 ? 1 : 0;
    }
}

static const BasisPlace *place(const BasisStudy *study, BasisNetwork network, HookSite site,
                               int layer)
{
    for (size_t i = 0; i < study->n_places; i++) {
        const BasisPlace *at = &study->places[i];
        if (at->network == network && at->site == site && at->layer == layer) {
            return at;
        }
    }
    return NULL;
}

static const BasisSet *named(const BasisStudy *study, BasisNetwork network, const char *name)
{
    for (size_t i = 0; i < study->n_sets; i++) {
        if (study->sets[i].network == network && strcmp(study->sets[i].name, name) == 0) {
            return &study->sets[i];
        }
    }
    return NULL;
}

static void whole_study(void **state)
{
    Gpt *other = fixture_network(6, 2);
    Probe probe;
    BasisStudy one, two;
    axes(&probe, 36);
    const BasisInputs in = {
        .gpt = {fixture.model.gpt, other}, .probe = &probe, .set = &set, .rotations = 6};
    assert_int_equal(basis_study_run(&one, &in, &(Work){.seed = 1}), 0);
    assert_int_equal(basis_study_run(&two, &in, &(Work){.seed = 1, .pool = pool}), 0);
    assert_int_equal(one.n_places, 3 * (4 + 3));
    assert_int_equal(one.n_differences, 4 + 3);
    for (size_t i = 0; i < one.n_places; i++) {
        assert_memory_equal(&one.places[i].kurtosis.beyond, &two.places[i].kurtosis.beyond,
                            sizeof(Interval));
        assert_true(isfinite(one.places[i].kurtosis.z));
    }
    for (size_t i = 0; i < one.n_differences; i++) {
        const BasisDifference *at = &one.differences[i];
        double own = place(&one, BASIS_OWN, at->site, at->layer)->kurtosis.beyond.value;
        double beside = place(&one, BASIS_BESIDE, at->site, at->layer)->kurtosis.beyond.value;
        assert_true(fabs(at->beyond.value - (own - beside)) < 1e-12 && own != beside);
        assert_true(at->beyond.low < at->beyond.value && at->beyond.value < at->beyond.high);
    }
    assert_true(place(&one, BASIS_OWN, HOOK_POST, 1)->width == 96);
    /* The planted directions: 12 axes for turned squares, 11 for empty ones, none shared. */
    const BasisSet *board = named(&one, BASIS_OWN, "board");
    assert_int_equal(board->angles.n, 23);
    assert_true(board->angles.cosines.largest < 1e-6);
    assert_true(board->angles.z_mean < -5);
    assert_int_equal(named(&one, BASIS_OWN, "turn")->angles.n, 12);
    assert_true(one.turn_empty.value < 1e-6);
    assert_int_equal(named(&one, BASIS_OWN, "neurons_in")->angles.n, 96);
    assert_true(named(&one, BASIS_BESIDE, "neurons_in")->angles.bound > 0);
    assert_int_equal(named(&one, BASIS_OWN, "embed")->angles.n, 32); /* without the pad */
    assert_null(named(&one, BASIS_BESIDE, "board"));
    basis_study_release(&one);
    basis_study_release(&two);
    probe_release(&probe);
    gpt_free(other);
}

/* No coordinate of the stream is special: not one layer beyond four deviations of the rotations. */
static bool stream_is_plain(const BasisStudy *study, BasisNetwork network)
{
    bool plain = true;
    for (int layer = -1; layer < 3; layer++) {
        const BasisPlace *at = place(study, network, HOOK_RESID_POST, layer);
        assert_non_null(at);
        plain = plain && fabs(at->kurtosis.z) < 4;
    }
    return plain;
}

/* The controls are what they are named: neurons are special, also of random weights; the stream of
 * random weights is not. The twin must fail: a network whose tokens lie on coordinates. */
static void controls_hold_and_their_twin_does_not(void **state)
{
    Gpt *planted = fixture_network(6, 2);
    BasisStudy study;
    const size_t d = (size_t)planted->cfg.d_model;
    for (size_t token = 0; token < (size_t)planted->cfg.d_vocab; token++) {
        planted->params[planted->map.W_E + token * d + token % d] += 8;
    }
    const BasisInputs in = {.gpt = {fixture.model.gpt, planted}, .set = &all, .rotations = 30};
    assert_int_equal(basis_study_run(&study, &in, &(Work){.seed = 1, .pool = pool}), 0);
    for (int layer = 0; layer < 3; layer++) {
        assert_true(place(&study, BASIS_RANDOM, HOOK_POST, layer)->kurtosis.z > 3);
    }
    assert_true(stream_is_plain(&study, BASIS_RANDOM));
    assert_false(stream_is_plain(&study, BASIS_BESIDE));
    /* So the planted network differs from one without a plant, at the embedding. */
    assert_true(study.differences[0].layer == -1 && study.differences[0].beyond.high < 0);
    basis_study_release(&study);
    gpt_free(planted);
}

/* Two networks that differ in nothing but their seeds do not differ in the stream, though their
 * games are the same and many. */
static void seeds_are_no_difference(void **state)
{
    size_t differ = 0, n = 0, off = 0;
    for (uint64_t seed = 10; seed < 14; seed += 2) {
        BasisStudy study;
        Gpt *one = fixture_network(6, seed), *other = fixture_network(6, seed + 1);
        const BasisInputs in = {.gpt = {one, other}, .set = &all, .rotations = 12};
        assert_int_equal(basis_study_run(&study, &in, &(Work){.seed = seed, .pool = pool}), 0);
        for (size_t i = 0; i < study.n_differences; i++) {
            const BasisDifference *at = &study.differences[i];
            n += at->site == HOOK_RESID_POST;
            differ += at->site == HOOK_RESID_POST && (at->beyond.low > 0 || at->beyond.high < 0);
        }
        for (int layer = -1; layer < 3; layer++) {
            const Interval at =
                place(&study, BASIS_RANDOM, HOOK_RESID_POST, layer)->kurtosis.beyond;
            off += at.low > 0 || at.high < 0;
        }
        basis_study_release(&study);
        gpt_free(one);
        gpt_free(other);
    }
    assert_true(n == 8 && differ <= 2); /* one in 20 by chance, layers of a network go together */
    assert_true(off <= 2);
}

static void refusals(void **state)
{
    Probe probe;
    BasisStudy study;
    axes(&probe, 36);
    assert_int_equal(probe_check_mine(&probe, "p"), 0);
    snprintf(probe.task, sizeof(probe.task), "legal");
    assert_int_equal(probe_check_mine(&probe, "p"), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "found task legal"));
    const BasisInputs in = {.gpt = {fixture.model.gpt}, .set = &set, .rotations = 2};
    assert_true(basis_study_bytes(&in, WORK_ALONE) > 1000);
    for (uint64_t n = 1; n < 60; n += 7) {
        mem_fail_at(n, 0);
        int rc = basis_study_run(&study, &in, &(Work){.seed = 1});
        mem_fail_at(0, 0);
        assert_int_equal(rc, OGPT_ENOMEM);
        basis_study_release(&study);
    }
    probe_release(&probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_study),
        cmocka_unit_test(controls_hold_and_their_twin_does_not),
        cmocka_unit_test(seeds_are_no_difference),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
