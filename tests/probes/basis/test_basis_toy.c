/* tests/probes/basis/test_basis_toy.c - the toys: closed forms, gradients, what the search finds,
 * the boundary. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rng.h"
#include "num/blas.h"
#include "probes/basis/basis_toy.h"

static ToyShape pair(double p, double r)
{
    return (ToyShape){.features = 2, .dims = 1, .p = p, .importance = {1, r}};
}

static void loss_is_the_closed_form(void **state)
{
    static const double at[][2] = {{0.05, 0.3}, {0.3, 1}, {0.7, 2}, {1, 0.5}};
    for (size_t i = 0; i < 4; i++) {
        double p = at[i][0], r = at[i][1], closed[3];
        ToyShape shape = pair(p, r);
        ToyGrid grid;
        const double first[] = {1, 0, 0, p / 2}, second[] = {0, 1, p / 2, 0};
        const double both[] = {1, -1, 0, 0}, alike[] = {1, 1, 0, 0};
        toy_closed(closed, p, r);
        assert_int_equal(toy_grid_make(&grid, 2, p, 64), 0);
        /* Polynomials, which the grid sums exactly. */
        assert_true(fabs(toy_loss(NULL, &shape, &grid, first) / closed[TOY_FIRST] - 1) < 1e-9);
        assert_true(fabs(toy_loss(NULL, &shape, &grid, second) / closed[TOY_SECOND] - 1) < 1e-9);
        /* A kink on the diagonal: the grid's own error, under 0.1 %. */
        assert_true(fabs(toy_loss(NULL, &shape, &grid, both) / closed[TOY_BOTH] - 1) < 1e-3);
        assert_true(toy_loss(NULL, &shape, &grid, alike) > 1.5 * closed[TOY_BOTH]);
        toy_grid_release(&grid);
    }
}

static void gradient_is_that_of_differences(void **state)
{
    ToyShape shapes[] = {pair(0.4, 0.5),
                         {.features = 3, .dims = 2, .p = 0.3, .importance = {1, 0.7, 0.4}}};
    for (size_t s = 0; s < 2; s++) {
        double w[12], gradient[12], h = 1e-6, largest = 0;
        ToyGrid grid;
        Rng rng = rng_at(2, RNG_TEST, s);
        assert_int_equal(toy_grid_make(&grid, shapes[s].features, shapes[s].p, 5), 0);
        size_t n = toy_numbers(&shapes[s]);
        for (size_t i = 0; i < n; i++) {
            w[i] = rng_normal(&rng);
        }
        toy_loss(gradient, &shapes[s], &grid, w);
        for (size_t i = 0; i < n; i++) {
            double kept = w[i];
            w[i] = kept + h;
            double above = toy_loss(NULL, &shapes[s], &grid, w);
            w[i] = kept - h;
            double below = toy_loss(NULL, &shapes[s], &grid, w);
            w[i] = kept;
            /* No point of the grid lies within h of a kink here; rounding is 1e-16 / h. */
            assert_true(fabs(gradient[i] - (above - below) / (2 * h)) < 1e-7);
            largest = fmax(largest, fabs(gradient[i]));
        }
        assert_true(largest > 0.01);
        toy_grid_release(&grid);
    }
}

static void search_is_as_good_as_the_closed_forms(void **state)
{
    ToyCell *cells;
    size_t n = 7, seen[N_TOY_PHASES] = {0};
    assert_int_equal(toy_diagram(&cells, n, 16, &(Work){.seed = 1}), 0);
    for (size_t i = 0; i < n * n; i++) {
        const ToyCell *cell = &cells[i];
        assert_true(cell->fit.loss <= 1.01 * cell->closed[cell->best]);
        assert_true(cell->fit.loss >= 0.85 * cell->closed[cell->best]);
        if (cell->margin > TOY_MARGIN) {
            assert_int_equal(cell->found, cell->best);
            seen[cell->found]++;
        }
        /* The boundary in closed form says the same as the losses. */
        double edge = cell->r <= 1 ? 4 * cell->r / (2 + 5 * cell->r) : 4 / (5 + 2 * cell->r);
        if (fabs(cell->r - 1) > 1e-9 && fabs(cell->p - edge) > 1e-9) {
            ToyPhase alone = cell->r < 1 ? TOY_FIRST : TOY_SECOND;
            assert_int_equal(cell->best, cell->p < edge ? TOY_BOTH : alone);
        }
    }
    assert_true(seen[TOY_FIRST] > 5 && seen[TOY_SECOND] > 5 && seen[TOY_BOTH] > 15);
    mem_free(cells);
}

static void boundary_is_crossed(void **state)
{
    double r = 0.5, edge = 4 * r / (2 + 5 * r);
    ToyFit fit;
    ToyShape below = pair(0.7 * edge, r), above = pair(1.2 * edge, r);
    assert_int_equal(toy_fit(&fit, &below, 12, &(Work){.seed = 1}), 0);
    assert_int_equal(toy_phase_of(fit.w), TOY_BOTH);
    assert_true(fabs(fit.dimensions[0] + fit.dimensions[1] - 1) < 1e-9);
    assert_true(fit.dimensions[1] > 0.3);
    assert_int_equal(toy_fit(&fit, &above, 12, &(Work){.seed = 1}), 0);
    assert_int_equal(toy_phase_of(fit.w), TOY_FIRST);
    assert_true(fit.dimensions[1] < 0.1);
    const double alike[] = {1, 0.9}, second[] = {0.1, -1};
    assert_int_equal(toy_phase_of(alike), TOY_OTHER);
    assert_int_equal(toy_phase_of(second), TOY_SECOND);
    assert_string_equal(toy_phase_name(TOY_BOTH), "both");
}

static void five_features_share_a_plane(void **state)
{
    /* Rare features lie on a pentagon: 2/5 of a dimension each, neighbours of the next but one at
     * cos 144 degrees. Frequent ones do not all stay. */
    ToyShape rare = {.features = 5, .dims = 2, .p = 0.03, .importance = {1, 1, 1, 1, 1}};
    ToyShape frequent = rare;
    ToyFit fit;
    frequent.p = 1;
    assert_int_equal(toy_fit(&fit, &rare, 4, &(Work){.seed = 1}), 0);
    assert_int_equal(fit.kept, 5);
    for (int i = 0; i < 5; i++) {
        assert_true(fabs(fit.dimensions[i] - 0.4) < 0.01);
    }
    assert_true(fabs(fit.largest - cos(acos(-1.0) / 5)) < 0.01);
    assert_int_equal(toy_fit(&fit, &frequent, 4, &(Work){.seed = 1}), 0);
    assert_true(fit.kept < 5);
}

static void workers_change_no_bit(void **state)
{
    ToyCell *one, *two;
    Pool *pool;
    assert_int_equal(pool_new(&pool, 2), 0);
    assert_int_equal(toy_diagram(&one, 3, 2, &(Work){.seed = 4}), 0);
    assert_int_equal(toy_diagram(&two, 3, 2, &(Work){.seed = 4, .pool = pool}), 0);
    for (size_t i = 0; i < 9; i++) {
        assert_memory_equal(one[i].fit.w, two[i].fit.w, sizeof(one[i].fit.w));
        assert_true(one[i].fit.loss == two[i].fit.loss && one[i].fit.loss > 0);
    }
    mem_free(one);
    mem_free(two);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_is_the_closed_form),
        cmocka_unit_test(gradient_is_that_of_differences),
        cmocka_unit_test(search_is_as_good_as_the_closed_forms),
        cmocka_unit_test(boundary_is_crossed),
        cmocka_unit_test(five_features_share_a_plane),
        cmocka_unit_test(workers_change_no_bit),
    };
    return blas_init() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
