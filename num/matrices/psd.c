/* num/matrices/psd.c - see num/matrices/psd.h. */
#include "num/matrices/psd.h"

#include <math.h>

#include "num/matrices/jacobi.h"

static void exchange(double *p, double *q, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double swap = p[k];
        p[k] = q[k];
        q[k] = swap;
    }
}

void psd_eigenvectors(double *values, double *a, size_t n)
{
    jacobi__rows(a, NULL, n);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < n; k++) {
            sum += a[i * n + k] * a[i * n + k];
        }
        values[i] = sqrt(sum);
        for (size_t k = 0; k < n && sum > 0; k++) {
            a[i * n + k] /= values[i];
        }
    }
    for (size_t i = 0; i + 1 < n; i++) { /* the largest of the rest, of equal ones the first */
        size_t best = i;
        for (size_t j = i + 1; j < n; j++) {
            best = values[j] > values[best] ? j : best;
        }
        if (best != i) {
            exchange(values + i, values + best, 1);
            exchange(a + i * n, a + best * n, n);
        }
    }
}
