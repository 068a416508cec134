/* num/matrices/procrustes.c - see num/matrices/procrustes.h.
 *
 * One-sided Jacobi rotations make the rows of Q m orthogonal: Q m = S V^T, hence m = Q^T S V^T, U
 * is Q^T, and U V^T is Q^T times the rows of length 1.
 */
#include "num/matrices/procrustes.h"

#include <math.h>
#include <string.h>

#include "num/matrices/jacobi.h"

#define NOTHING 1e-12 /* of the largest singular value: rounding */

static double length_of(const double *row, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        sum += row[k] * row[k];
    }
    return sqrt(sum);
}

/* Take from row its part along `other`, of length 1. */
static void take_out(double *row, const double *other, size_t n)
{
    double dot = 0;
    for (size_t k = 0; k < n; k++) {
        dot += row[k] * other[k];
    }
    for (size_t k = 0; k < n; k++) {
        row[k] -= dot * other[k];
    }
}

/* Rows of V^T that m does not decide: begin with a row of Q, which maps it to itself, else with a
 * coordinate; what is left of it at right angles to the rows that are known. filled (n): 1 or 0. */
static void fill_row(double *rows, const double *q, const double *filled, size_t i, size_t n)
{
    double *row = rows + i * n, length = 0;
    for (size_t start = 0; length < 0.5 / sqrt((double)n) && start <= n; start++) {
        if (start == 0) {
            memcpy(row, q + i * n, n * sizeof(*row));
        } else {
            memset(row, 0, n * sizeof(*row));
            row[start - 1] = 1;
        }
        for (int twice = 0; twice < 2; twice++) { /* the second time for accuracy */
            for (size_t j = 0; j < n; j++) {
                if (filled[j] > 0) {
                    take_out(row, rows + j * n, n);
                }
            }
        }
        length = length_of(row, n);
    }
    for (size_t k = 0; k < n; k++) {
        row[k] /= length;
    }
}

size_t rotation_nearest(double *rotation, double *m, double *scratch, size_t n)
{
    double *q = scratch, *filled = rotation; /* the result is written last */
    double largest = 0;
    size_t rank = 0;
    memset(q, 0, n * n * sizeof(*q));
    for (size_t i = 0; i < n; i++) {
        q[i * n + i] = 1;
    }
    jacobi__rows(m, q, n);
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, length_of(m + i * n, n));
    }
    for (size_t i = 0; i < n; i++) {
        double length = length_of(m + i * n, n);
        filled[i] = length > NOTHING * largest;
        rank += filled[i] > 0;
        for (size_t k = 0; k < n && filled[i] > 0; k++) {
            m[i * n + k] /= length;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!(filled[i] > 0)) {
            fill_row(m, q, filled, i, n);
            filled[i] = 1;
        }
    }
    memset(rotation, 0, n * n * sizeof(*rotation));
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; r < n; r++) {
            for (size_t k = 0; k < n; k++) {
                rotation[r * n + k] += q[i * n + r] * m[i * n + k];
            }
        }
    }
    return rank;
}
