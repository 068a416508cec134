/* tests/num/test_vectors.c - products, lengths and cosines of known vectors; zeros stay, and have
 * no cosine. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "num/vectors.h"

static void known_vectors(void **state)
{
    const float a[] = {3, 0, 4}, b[] = {0, 2, 1};
    assert_true(vector_dot(a, b, 3) == 4 && vector_dot(a, b, 2) == 0);
    assert_true(vector_length(a, 3) == 5);
    assert_true(fabs(vector_cosine(a, b, 3) - 4 / (5 * sqrt(5))) < 1e-15);
    assert_true(fabs(vector_cosine(a, a, 3) - 1) < 1e-15);
    float u[] = {3, 0, 4};
    assert_true(vector_unit(u, 3) == 5);
    assert_true(u[0] == 0.6F && u[1] == 0 && u[2] == 0.8F);
    assert_true(fabs(vector_unit(u, 3) - 1) < 1e-7);
}

/* Sums of floats would lose the one. */
static void sums_are_double(void **state)
{
    const float big[] = {1e8F, 1, -1e8F}, ones[] = {1, 1, 1};
    assert_true(vector_dot(big, ones, 3) == 1);
}

static void zeros_stay(void **state)
{
    float zero[] = {0, 0}, one[] = {0, 1};
    assert_true(vector_unit(zero, 2) == 0 && zero[0] == 0 && zero[1] == 0);
    assert_true(isnan(vector_cosine(zero, one, 2)) && isnan(vector_cosine(one, zero, 2)));
    assert_false(isnan(vector_cosine(one, one, 2)));
    assert_true(vector_length(zero, 2) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(sums_are_double),
        cmocka_unit_test(zeros_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
