/* tests/probes/board/test_direction_set.c - directions of weights with a known answer, random ones,
 * and what is absent. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "probes/board/direction_set.h"

enum { WIDTH = 4, SIZE = 4, SQUARES = 16, CLASSES = 3 };

static const BoardTerms terms = {.task = "mine",
                                 .labels = "mover",
                                 .classes = {"empty", "theirs", "mine"},
                                 .n_classes = CLASSES,
                                 .size = SIZE,
                                 .n_squares = SQUARES};

static float *cell(float *weight, int c, int square, int k)
{
    return weight + (c * SQUARES + square) * CLASSES + k;
}

static void the_direction_between_two_states_is_the_unit_difference(void **state)
{
    float weight[WIDTH * SQUARES * CLASSES] = {0}, bias[SQUARES * CLASSES] = {0};
    DirectionSet set = {0}, plain = {0};
    /* Square 6 (c2): theirs at (0, 3, 0, 0), mine at (4, 0, 0, 0): the difference is 5 long. */
    *cell(weight, 1, 6, 1) = 3;
    *cell(weight, 0, 6, 2) = 4;
    bias[6 * CLASSES + 2] = 10;
    assert_int_equal(direction_set_of_weights(&set, &terms, WIDTH, weight, bias), 0);
    assert_int_equal(set.n, SQUARES * CLASSES * CLASSES);
    size_t at = direction_of_square(&set, 6, 1, 2), back = direction_of_square(&set, 6, 2, 1);
    const float *unit = set.unit + at * WIDTH;
    assert_string_equal(set.name[at], "c2 theirs to mine");
    assert_true(set.length[at] == 5 && set.offset[at] == 2);
    assert_true(unit[0] == 0.8F && unit[1] == -0.6F && unit[2] == 0 && unit[3] == 0);
    /* The way back is the opposite, with the opposite offset. */
    assert_true(set.unit[back * WIDTH] == -0.8F && set.offset[back] == -2);
    /* A state's own column, and a state without weights. */
    at = direction_of_square(&set, 6, 2, 2);
    assert_string_equal(set.name[at], "c2 mine");
    assert_true(set.length[at] == 4 && set.unit[at * WIDTH] == 1 && set.offset[at] == 0);
    assert_true(set.length[direction_of_square(&set, 6, 0, 0)] == 0);
    /* Only square 6 has directions: six between states, two columns. */
    assert_int_equal(set.n_present, 8);
    /* The twin: without a bias no boundary, the same directions. */
    assert_int_equal(direction_set_of_weights(&plain, &terms, WIDTH, weight, NULL), 0);
    at = direction_of_square(&set, 6, 1, 2);
    assert_true(plain.offset[at] == 0 && set.offset[at] != 0);
    assert_memory_equal(plain.unit, set.unit, set.n * WIDTH * sizeof(*set.unit));
    direction_set_release(&plain);
    direction_set_release(&set);
    assert_null(set.unit);
}

static void random_directions_are_their_draws_scaled_to_one(void **state)
{
    enum { N = 20, D = 64 };
    DirectionSet set = {0}, other = {0};
    float draw[D];
    assert_int_equal(direction_set_random(&set, N, D, 5), 0);
    assert_int_equal(direction_set_random(&other, N, D, 6), 0);
    for (size_t i = 0; i < N; i++) {
        double length = direction_random(draw, D, 5, i), sum = 0, apart = 0;
        Rng rng = rng_at(5, RNG_DIRECTION, i);
        assert_true(length == set.length[i] && draw[0] == (float)rng_normal(&rng));
        for (size_t c = 0; c < D; c++) {
            sum += (double)set.unit[i * D + c] * set.unit[i * D + c];
            assert_true(fabs(set.unit[i * D + c] * length - (double)draw[c]) < 1e-6);
            apart += fabs((double)set.unit[i * D + c] - (double)other.unit[i * D + c]);
        }
        assert_true(fabs(sum - 1) < 1e-5);
        assert_true(apart > 1); /* the twin: another seed draws other directions */
    }
    assert_int_equal(set.n_present, N);
    assert_string_equal(set.name[3], "random 3");
    direction_set_release(&set);
    direction_set_release(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_direction_between_two_states_is_the_unit_difference),
        cmocka_unit_test(random_directions_are_their_draws_scaled_to_one),
    };
    return cmocka_run_group_tests_name("direction_set", tests, NULL, NULL);
}
