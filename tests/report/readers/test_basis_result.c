/* tests/report/readers/test_basis_result.c - no heading stands twice in a table of the readers
 * basis, ccs, heads and lens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/readers/basis_result.h"
#include "report/readers/ccs_result.h"
#include "report/readers/heads_result.h"
#include "report/readers/lens_result.h"

static size_t repeated(const TableSpec *spec)
{
    size_t n = 0;
    for (size_t i = 0; i < spec->n_columns; i++) {
        for (size_t j = 0; j < i; j++) {
            const char *a = spec->columns[i].heading, *b = spec->columns[j].heading;
            bool same = a && b && strcmp(a, b) == 0;
            if (same) {
                print_message("%s: two columns are headed %s\n", spec->name, a);
            }
            n += same;
        }
    }
    return n;
}

static void headings_are_distinct(void **state)
{
    static const TableSpec *const specs[] = {&basis_table,
                                             &basis_places_table,
                                             &basis_differences_table,
                                             &basis_sets_table,
                                             &basis_toy_table,
                                             &basis_phases_table,
                                             &basis_features_table,
                                             &ccs_table,
                                             &ccs_scores_table,
                                             &ccs_squares_table,
                                             &heads_table,
                                             &heads_controls_table,
                                             &heads_list_table,
                                             &heads_patterns_table,
                                             &heads_follow_table,
                                             &heads_follow_top_table,
                                             &heads_circuits_table,
                                             &heads_composition_table,
                                             &heads_composition_top_table,
                                             &heads_matrices_table,
                                             &lens_table,
                                             &lens_places_table,
                                             &lens_side_table,
                                             &lens_sets_table,
                                             &lens_fits_table,
                                             &lens_decoded_table,
                                             &lens_boards_table,
                                             &lens_order_table,
                                             &lens_leads_table,
                                             &lens_settled_table,
                                             &lens_arrivals_table,
                                             &lens_whole_arrivals_table,
                                             &lens_blocks_table};
    static const Column same[] = {{.key = "a", .heading = "z"},
                                  {.key = "b", .heading = "p"},
                                  {.key = "c", .heading = "z"},
                                  {.key = "d"}};
    const TableSpec twin = {"twin", "twin", TABLE_COLUMNS(same)};
    size_t again = 0;
    assert_int_equal(repeated(&twin), 1);
    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        assert_true(specs[i]->n_columns >= 3);
        again += repeated(specs[i]);
    }
    assert_int_equal(again, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(headings_are_distinct)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
