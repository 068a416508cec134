/* num/matrices/psd.c - see num/matrices/psd.h. */
#include "num/matrices/psd.h"

#include <math.h>
#include <stdbool.h>

#define ORTHOGONAL 1e-12
#define MAX_SWEEPS 60 /* convergence is quadratic: 6 to 12 are usual */

/* Rotate two rows so that they become orthogonal. Returns whether they were not. */
static bool orthogonalise(double *p, double *q, size_t n)
{
    double pp = 0, qq = 0, pq = 0;
    for (size_t k = 0; k < n; k++) {
        pp += p[k] * p[k];
        qq += q[k] * q[k];
        pq += p[k] * q[k];
    }
    if (!(fabs(pq) > ORTHOGONAL * sqrt(pp * qq))) {
        return false;
    }
    double theta = (qq - pp) / (2 * pq);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < n; k++) {
        double pk = p[k], qk = q[k];
        p[k] = c * pk - s * qk;
        q[k] = s * pk + c * qk;
    }
    return true;
}

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
    bool moved = true;
    for (int sweep = 0; sweep < MAX_SWEEPS && moved; sweep++) {
        moved = false;
        for (size_t p = 0; p + 1 < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                moved = orthogonalise(a + p * n, a + q * n, n) || moved;
            }
        }
    }
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
