/* num/matrices/jacobi.c - see num/matrices/jacobi.h. */
#include "num/matrices/jacobi.h"

#include <math.h>
#include <stdbool.h>

#define ORTHOGONAL 1e-12
#define MAX_SWEEPS 60 /* convergence is quadratic: 6 to 12 are usual */

static void turn(double *p, double *q, double c, double s, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double pk = p[k], qk = q[k];
        p[k] = c * pk - s * qk;
        q[k] = s * pk + c * qk;
    }
}

/* Rotate rows p and q so that they become orthogonal. Returns whether they were not. */
static bool orthogonalise(double *a, double *too, size_t p, size_t q, size_t n)
{
    double pp = 0, qq = 0, pq = 0;
    for (size_t k = 0; k < n; k++) {
        pp += a[p * n + k] * a[p * n + k];
        qq += a[q * n + k] * a[q * n + k];
        pq += a[p * n + k] * a[q * n + k];
    }
    if (!(fabs(pq) > ORTHOGONAL * sqrt(pp * qq))) {
        return false;
    }
    double theta = (qq - pp) / (2 * pq);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    turn(a + p * n, a + q * n, c, s, n);
    if (too) {
        turn(too + p * n, too + q * n, c, s, n);
    }
    return true;
}

void jacobi__rows(double *a, double *too, size_t n)
{
    bool moved = true;
    for (int sweep = 0; sweep < MAX_SWEEPS && moved; sweep++) {
        moved = false;
        for (size_t p = 0; p + 1 < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                moved = orthogonalise(a, too, p, q, n) || moved;
            }
        }
    }
}
