/* num/matrices/spd.c - inverse by Cholesky's factor. See num/matrices/spd.h. */
#include "num/matrices/spd.h"

#include <math.h>

#include "base/err.h"

static double row_dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Lower triangle of a = L L^T replaced by L, row by row. */
static int factor(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * n;
        for (size_t j = 0; j < i; j++) {
            row[j] = (row[j] - row_dot(row, a + j * n, j)) / a[j * n + j];
        }
        double pivot = row[i] - row_dot(row, row, i);
        if (!(pivot > 0)) {
            return err_set(OGPT_ENUM,
                           "matrix of %zu rows: pivot %zu is %g, expected a positive "
                           "number",
                           n, i, pivot);
        }
        row[i] = sqrt(pivot);
    }
    return 0;
}

/* The upper triangle of a receives the transpose of the inverse of L: row j holds column j, so
 * that what follows reads along rows. The diagonal of L is replaced by its reciprocal. */
static void invert_factor(double *a, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double *column = a + j * n;
        column[j] = 1 / column[j];
        for (size_t i = j + 1; i < n; i++) {
            const double *row = a + i * n;
            column[i] = -row_dot(row + j, column + j, i - j) / row[i];
        }
    }
}

int spd_invert(double *a, size_t n)
{
    int rc = factor(a, n);
    if (rc) {
        return rc;
    }
    invert_factor(a, n);
    /* inverse[i][j] = sum over k >= max(i,j) of Linv[k][i] * Linv[k][j], with Linv[k][i] stored
     * at a[i][k]. Row i is used up once its own products are made, lowest rows first. */
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * n;
        for (size_t j = i; j < n; j++) {
            double product = row_dot(row + j, a + j * n + j, n - j);
            a[j * n + i] = product;
        }
        for (size_t j = i; j < n; j++) {
            row[j] = a[j * n + i];
        }
    }
    return 0;
}
