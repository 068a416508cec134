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
static PositionSet set;
static Pool *pool;

static int setup(void **state)
{
    GameSource *source = NULL;
    int rc = fixture_open(&fixture, 60) || pool_new(&pool, 2) ||
             source_corpus(&source, fixture.corpus, SPLIT_ALL, false, 1) ||
             positions_draw(&set, source, 40, 4, &(Work){.seed = 1});
    source_free(source);
    return rc;
}

static int teardown(void **state)
{
    positions_release(&set);
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
        probe->weight[0][(s * n_squares + s) * 3 + 2] = 2;
        probe->weight[0][(s * n_squares + s) * 3 + 1] = -2;
        probe->weight[0][((12 + s) * n_squares + s) * 3] = 1;
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
        .gpt = {fixture.model.gpt, other}, .probe = {&probe, NULL}, .set = &set, .rotations = 6};
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
    /* Neurons are special, also of random weights; the stream of random weights is not. */
    assert_true(place(&one, BASIS_OWN, HOOK_POST, 1)->kurtosis.z > 3);
    assert_true(place(&one, BASIS_OWN, HOOK_POST, 1)->width == 96);
    /* The planted directions: 12 axes for turned squares, 12 for empty ones, none shared. */
    const BasisSet *board = named(&one, BASIS_OWN, "board");
    assert_int_equal(board->angles.n, 24);
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

static void refusals(void **state)
{
    Probe probe;
    BasisStudy study;
    axes(&probe, 36);
    assert_int_equal(basis_check_probe(&probe, "p"), 0);
    snprintf(probe.task, sizeof(probe.task), "legal");
    assert_int_equal(basis_check_probe(&probe, "p"), OGPT_EUSAGE);
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
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
