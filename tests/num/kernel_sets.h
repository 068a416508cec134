/* tests/num/kernel_sets.h - one group of tests, run by every set of kernels of this build. */
#ifndef OGPT_TESTS_NUM_KERNEL_SETS_H
#define OGPT_TESTS_NUM_KERNEL_SETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "num/gemm_bf16.h"
#include "num/kernels.h"

/* `products`: only those of bfloat16 are tested, whose plain form once is enough. The exit code. */
#define run_in_each_set(tests, set_up, tear_down, products)                                        \
    _run_in_each_set(#tests, tests, sizeof(tests) / sizeof((tests)[0]), set_up, tear_down, products)

static inline int _run_in_each_set(const char *name, const struct CMUnitTest *tests, size_t n_tests,
                                   CMFixtureFunction set_up, CMFixtureFunction tear_down,
                                   bool products)
{
    const char *sets[8];
    size_t n = kernels_sets(sets, 8);
    int failed = n == 0;
    for (size_t i = 0; i < n && i < 8; i++) {
        print_message("kernels for %s\n", sets[i]);
        failed += kernels_choose(sets[i]) != 0 || strcmp(kernels_set(), sets[i]) != 0;
        if (!products || i == 0 || bf16_available()) {
            failed += _cmocka_run_group_tests(name, tests, n_tests, set_up, tear_down);
        }
    }
    return failed;
}

#endif
