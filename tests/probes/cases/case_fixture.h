/* tests/probes/cases/case_fixture.h - cases for tests of edits: made, asserted, ready. */
#ifndef OGPT_TESTS_PROBES_CASES_CASE_FIXTURE_H
#define OGPT_TESTS_PROBES_CASES_CASE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probes/cases/cases.h"

/* n natural cases of a board; `tune`: of the games set apart for tuning. */
static inline CaseSet fixture_cases(int size, size_t n, bool tune)
{
    CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
    CaseSet set;
    options.n = n;
    options.tune = tune;
    assert_int_equal(cases_make(&set, game_variant(size), &options, &(Work){.seed = 1}), 0);
    return set;
}

#endif
