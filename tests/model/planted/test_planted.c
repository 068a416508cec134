/* The truth about planted networks, against a graph in double precision that shares no code with
 * model/ (graph_check.h), on the smallest board. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "graph_check.h"

static void truth_holds_and_twin_fails(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_PLANTED; kind++) {
        graph_check_kind((PlantedKind)kind, 4, (uint64_t)kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth_holds_and_twin_fails),
    };
    return cmocka_run_group_tests_name("planted", tests, NULL, NULL);
}
