/* tests/probes/edits/kept_cases.h - what was measured of single cases, for the tests of edits. */
#ifndef OGPT_TESTS_PROBES_EDITS_KEPT_CASES_H
#define OGPT_TESTS_PROBES_EDITS_KEPT_CASES_H

#include <string.h>

#include "base/arena.h"
#include "probes/edits/edit_measure.h"

static inline CaseMetrics case_at(const EditMetrics *metrics, size_t i)
{
    CaseMetrics one;
    assert_int_equal(edit_metrics_case(&one, metrics, i), 0);
    return one;
}

/* Whether all cases have the same bytes. */
static inline bool cases_are_equal(const EditMetrics *a, const EditMetrics *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; i < a->n && equal; i++) {
        const CaseMetrics one = case_at(a, i), other = case_at(b, i);
        equal = memcmp(&one, &other, sizeof(one)) == 0;
    }
    return equal;
}

#endif
