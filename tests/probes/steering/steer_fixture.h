/* tests/probes/steering/steer_fixture.h - networks and positions for tests. */
#ifndef OGPT_TESTS_STEER_FIXTURE_H
#define OGPT_TESTS_STEER_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rng.h"
#include "probes/steering/steer_study.h"
#include "tests/probes/small_network.h"

static inline GameSource *fresh_games(int size, RngPurpose purpose)
{
    GameSource *source;
    assert_int_equal(source_fresh(&source, game_variant(size), 3, purpose), 0);
    return source;
}

static inline SteerCases some_cases(int size, SteerTarget target, size_t games)
{
    GameSource *source = fresh_games(size, RNG_EVAL);
    SteerCases cases;
    assert_int_equal(
        steer_cases_draw(&cases, source, target, STEER_ANY_GROUPS, games, 3, WORK_ALONE), 0);
    source_free(source);
    return cases;
}

static inline SteerFit some_fit(int size, SteerTarget target, size_t games)
{
    GameSource *source = fresh_games(size, RNG_FRESH);
    SteerFit fit;
    assert_int_equal(steer_fit_draw(&fit, source, target, games, 4, WORK_ALONE), 0);
    source_free(source);
    return fit;
}

/* The difference of means of a site. */
static inline SteerBank some_bank(const Gpt *gpt, const SteerFit *fit, HookSite site)
{
    SteerBank from = {0}, to = {0}, out = {0};
    assert_int_equal(steer_bank_means(&from, &to, gpt, fit, site, WORK_ALONE), 0);
    assert_int_equal(steer_bank_difference(&out, &to, &from), 0);
    steer_bank_release(&from);
    steer_bank_release(&to);
    return out;
}

static inline double largest_gap(const float *a, const float *b, size_t n)
{
    double gap = 0;
    for (size_t i = 0; i < n; i++) {
        gap = fmax(gap, fabs((double)a[i] - (double)b[i]));
    }
    return gap;
}

#endif
