/* num/matrices/symmetric.c - cyclic Jacobi rotations. See num/matrices/symmetric.h. */
#include "num/matrices/symmetric.h"

#include <math.h>
#include <stdlib.h>

#define OFF_TOLERANCE 1e-12 /* off-diagonal over whole matrix, Frobenius norms */
#define MAX_SWEEPS 60       /* convergence is quadratic: 6 to 10 are usual */

/* Rotate rows and columns p < q so that a[p][q] becomes 0; the angle is at most pi/4. */
static void rotate(double *a, size_t n, size_t p, size_t q)
{
    double apq = a[p * n + q];
    if (apq == 0) {
        return;
    }
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < n; k++) {
        double akp = a[k * n + p], akq = a[k * n + q];
        a[k * n + p] = c * akp - s * akq;
        a[k * n + q] = s * akp + c * akq;
    }
    for (size_t k = 0; k < n; k++) {
        double apk = a[p * n + k], aqk = a[q * n + k];
        a[p * n + k] = c * apk - s * aqk;
        a[q * n + k] = s * apk + c * aqk;
    }
}

static int descending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a < b) - (a > b);
}

void symmetric_eigenvalues(double *values, double *a, size_t n)
{
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        double off = 0, all = 0;
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                double square = a[i * n + j] * a[i * n + j];
                all += square;
                off += i == j ? 0 : square;
            }
        }
        if (!(off > OFF_TOLERANCE * OFF_TOLERANCE * all)) {
            break;
        }
        for (size_t p = 0; p + 1 < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                rotate(a, n, p, q);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        values[i] = a[i * n + i];
    }
    qsort(values, n, sizeof(values[0]), descending);
}

double effective_rank(const double *eigenvalues, size_t n)
{
    double sum = 0, entropy = 0;
    for (size_t k = 0; k < n; k++) {
        sum += eigenvalues[k] > 0 ? sqrt(eigenvalues[k]) : 0;
    }
    for (size_t k = 0; k < n; k++) {
        double p = eigenvalues[k] > 0 ? sqrt(eigenvalues[k]) / sum : 0;
        entropy -= p > 0 ? p * log(p) : 0;
    }
    return sum > 0 ? exp(entropy) : NAN;
}

double random_cosine_mean(size_t dimension)
{
    double d = (double)dimension;
    return exp(lgamma(d / 2) - lgamma((d + 1) / 2)) / sqrt(acos(-1.0));
}

double random_cosine_deviation(size_t dimension)
{
    return 1 / sqrt((double)dimension);
}
