/* label: slow
 * As test_planted.c, on 6x6 and 8x8, and with more seeds on 4x4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph_check.h"

static void truth_holds_on_every_board(void **state)
{
    /* Under the sanitizers one network of each kind: they look at the code, not at the numbers. */
    const char *sanitized = getenv("OGPT_SANITIZED");
    bool few = sanitized && strcmp(sanitized, "1") == 0;
    (void)state;
    for (int kind = 0; kind < N_PLANTED; kind++) {
        for (uint64_t seed = 10; seed < (few ? 11 : 12); seed++) {
            graph_check_kind((PlantedKind)kind, 4, seed);
        }
        if (!few) {
            graph_check_kind((PlantedKind)kind, 6, 1);
            graph_check_kind((PlantedKind)kind, 8, 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth_holds_on_every_board),
    };
    return cmocka_run_group_tests_name("planted_sizes", tests, NULL, NULL);
}
