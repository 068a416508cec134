/* tests/num/matrices/test_procrustes.c - the nearest rotation: planted ones are found, nothing is
 * nearer, and rows that no rotation joins stay apart. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/matrices/general.h"
#include "num/matrices/procrustes.h"

enum { SIDE = 12, ROWS = 40 };

static void draw(double *x, int rows, int rank, uint64_t index)
{
    Rng rng = rng_at(5, RNG_TEST, index);
    memset(x, 0, (size_t)rows * SIDE * sizeof(*x));
    for (int i = 0; i < rows; i++) {
        for (int c = 0; c < rank; c++) {
            x[i * SIDE + c] = rng_normal(&rng) * (c == 0 ? 100 : 1); /* columns of unequal size */
        }
    }
}

static void planted(double *r, uint64_t index)
{
    float rows[SIDE * SIDE];
    double scratch[2 * SIDE * SIDE];
    Rng rng = rng_at(6, RNG_TEST, index);
    rotation_random(rows, scratch, SIDE, &rng);
    for (int i = 0; i < SIDE * SIDE; i++) {
        r[i] = (double)rows[i];
    }
}

static void times(double *y, const double *x, const double *r, int rows)
{
    for (int i = 0; i < rows; i++) {
        for (int k = 0; k < SIDE; k++) {
            y[i * SIDE + k] = 0;
            for (int c = 0; c < SIDE; c++) {
                y[i * SIDE + k] += x[i * SIDE + c] * r[c * SIDE + k];
            }
        }
    }
}

static void fit(double *r, const double *x, const double *y, int rows)
{
    double m[SIDE * SIDE] = {0}, scratch[SIDE * SIDE];
    for (int i = 0; i < rows; i++) {
        for (int c = 0; c < SIDE; c++) {
            for (int k = 0; k < SIDE; k++) {
                m[c * SIDE + k] += x[i * SIDE + c] * y[i * SIDE + k];
            }
        }
    }
    rotation_nearest(r, m, scratch, SIDE);
    for (int a = 0; a < SIDE; a++) { /* it is orthogonal, whatever the rows */
        for (int b = 0; b < SIDE; b++) {
            double dot = 0;
            for (int k = 0; k < SIDE; k++) {
                dot += r[a * SIDE + k] * r[b * SIDE + k];
            }
            assert_true(fabs(dot - (a == b)) < 1e-9);
        }
    }
}

/* |X R - Y|^2 / |Y|^2 */
static double rest(const double *x, const double *y, const double *r, int rows)
{
    double z[ROWS * SIDE], off = 0, all = 0;
    times(z, x, r, rows);
    for (int i = 0; i < rows * SIDE; i++) {
        off += (z[i] - y[i]) * (z[i] - y[i]);
        all += y[i] * y[i];
    }
    return off / all;
}

static void planted_rotations_are_found(void **state)
{
    for (int rank = 3; rank <= SIDE; rank += 3) { /* of full rank and not */
        double x[ROWS * SIDE], y[ROWS * SIDE], r[SIDE * SIDE], found[SIDE * SIDE];
        draw(x, ROWS, rank, (uint64_t)rank);
        planted(r, (uint64_t)rank);
        times(y, x, r, ROWS);
        fit(found, x, y, ROWS);
        assert_true(rest(x, y, found, ROWS) < 1e-12); /* the planted one is rounded to floats */
        fit(found, x, x, ROWS);
        for (int i = 0; i < SIDE * SIDE; i++) { /* rows upon themselves: the identity */
            assert_true(fabs(found[i] - (i / SIDE == i % SIDE)) < 1e-7);
        }
    }
}

/* Unrelated rows: a rest remains, and small turns of what was found make it no smaller. */
static void nothing_is_nearer(void **state)
{
    double x[ROWS * SIDE], y[ROWS * SIDE], found[SIDE * SIDE], other[SIDE * SIDE];
    draw(x, ROWS, SIDE, 90);
    draw(y, ROWS, SIDE, 91);
    fit(found, x, y, ROWS);
    double least = rest(x, y, found, ROWS);
    assert_true(least > 0.05);
    planted(other, 92);
    assert_true(rest(x, y, other, ROWS) > 1.1 * least);
    for (int p = 0; p < SIDE; p++) {
        for (int q = 0; q < p; q++) {
            for (int side = -1; side <= 1; side += 2) {
                memcpy(other, found, sizeof(other));
                for (int k = 0; k < SIDE; k++) {
                    double a = found[p * SIDE + k], b = found[q * SIDE + k], s = side * 0.01;
                    other[p * SIDE + k] = sqrt(1 - s * s) * a - s * b;
                    other[q * SIDE + k] = s * a + sqrt(1 - s * s) * b;
                }
                assert_true(rest(x, y, other, ROWS) > least);
            }
        }
    }
}

static void nothing_at_all_is_the_identity(void **state)
{
    double m[SIDE * SIDE] = {0}, scratch[SIDE * SIDE], found[SIDE * SIDE];
    rotation_nearest(found, m, scratch, SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
        assert_true(fabs(found[i] - (i / SIDE == i % SIDE)) < 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_rotations_are_found),
        cmocka_unit_test(nothing_is_nearer),
        cmocka_unit_test(nothing_at_all_is_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
