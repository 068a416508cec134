/* tests/report/readers/test_basis_result.c - no heading stands twice in a table of ogpt basis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/readers/basis_result.h"

static size_t repeated(const TableSpec *spec)
{
    size_t n = 0;
    for (size_t i = 0; i < spec->n_columns; i++) {
        for (size_t j = 0; j < i; j++) {
            const char *a = spec->columns[i].heading, *b = spec->columns[j].heading;
            n += a && b && strcmp(a, b) == 0;
        }
    }
    return n;
}

static void headings_are_distinct(void **state)
{
    static const TableSpec *const specs[] = {
        &basis_table,     &basis_places_table, &basis_differences_table, &basis_sets_table,
        &basis_toy_table, &basis_phases_table, &basis_features_table};
    static const Column same[] = {{.key = "a", .heading = "z"},
                                  {.key = "b", .heading = "p"},
                                  {.key = "c", .heading = "z"},
                                  {.key = "d"}};
    const TableSpec twin = {"twin", "twin", TABLE_COLUMNS(same)};
    assert_int_equal(repeated(&twin), 1);
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        assert_true(specs[i]->n_columns > 4);
        assert_int_equal(repeated(specs[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(headings_are_distinct)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
