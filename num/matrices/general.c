/* num/matrices/general.c - see num/matrices/general.h. */
#include "num/matrices/general.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "base/err.h"

enum { MOST_STEPS = 60 };

/* ---- Hessenberg form ---- */

static void swap_values(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

/* Rows and columns exchanged so that the pivot of column m-1 is the largest; then eliminated. */
static void hessenberg(double *a, size_t n)
{
    for (size_t m = 1; m + 1 < n; m++) {
        size_t pivot = m;
        for (size_t j = m; j < n; j++) {
            pivot = fabs(a[j * n + m - 1]) > fabs(a[pivot * n + m - 1]) ? j : pivot;
        }
        double x = a[pivot * n + m - 1];
        if (x == 0) {
            continue;
        }
        for (size_t j = m - 1; j < n && pivot != m; j++) {
            swap_values(&a[pivot * n + j], &a[m * n + j]);
        }
        for (size_t j = 0; j < n && pivot != m; j++) {
            swap_values(&a[j * n + pivot], &a[j * n + m]);
        }
        for (size_t i = m + 1; i < n; i++) {
            double y = a[i * n + m - 1] / x;
            a[i * n + m - 1] = 0;
            for (size_t j = m; j < n; j++) {
                a[i * n + j] -= y * a[m * n + j];
            }
            for (size_t j = 0; j < n; j++) {
                a[j * n + m] += y * a[j * n + i];
            }
        }
    }
}

/* ---- QR ---- */

typedef struct Iteration {
    double *a;
    size_t n;
    double norm, shift; /* subtracted from the diagonal so far */
    double x, y, w;     /* of the last 2 by 2 block */
    double p, q, r;     /* first column of the double step */
} Iteration;

#define AT(i, j) it->a[(i)*it->n + (j)]

/* The first row of the last block that is not split off: the subdiagonal before it is rounding. */
static size_t block_start(Iteration *it, size_t last)
{
    for (size_t l = last; l > 0; l--) {
        double s = fabs(AT(l - 1, l - 1)) + fabs(AT(l, l));
        s = s == 0 ? it->norm : s;
        if (fabs(AT(l, l - 1)) <= DBL_EPSILON * s) {
            AT(l, l - 1) = 0;
            return l;
        }
    }
    return 0;
}

static void exceptional_shift(Iteration *it, size_t last)
{
    it->shift += it->x;
    for (size_t i = 0; i <= last; i++) {
        AT(i, i) -= it->x;
    }
    double s = fabs(AT(last, last - 1)) + (last >= 2 ? fabs(AT(last - 1, last - 2)) : 0);
    it->x = it->y = 0.75 * s;
    it->w = -0.4375 * s * s;
}

/* Where two small subdiagonals let the double step begin. */
static size_t step_start(Iteration *it, size_t l, size_t last)
{
    for (size_t m = last - 2;; m--) {
        double z = AT(m, m), r = it->x - z, s = it->y - z;
        it->p = (r * s - it->w) / AT(m + 1, m) + AT(m, m + 1);
        it->q = AT(m + 1, m + 1) - z - r - s;
        it->r = AT(m + 2, m + 1);
        s = fabs(it->p) + fabs(it->q) + fabs(it->r);
        it->p /= s;
        it->q /= s;
        it->r /= s;
        if (m == l) {
            return m;
        }
        double u = fabs(AT(m, m - 1)) * (fabs(it->q) + fabs(it->r));
        double v = fabs(it->p) * (fabs(AT(m - 1, m - 1)) + fabs(z) + fabs(AT(m + 1, m + 1)));
        if (u <= DBL_EPSILON * v) {
            return m;
        }
    }
}

/* One Householder reflection of the double step, at row k. */
static void reflect(Iteration *it, size_t k, size_t l, size_t m, size_t last)
{
    bool third = k + 1 != last;
    double scale = 1;
    if (k != m) {
        it->p = AT(k, k - 1);
        it->q = AT(k + 1, k - 1);
        it->r = third ? AT(k + 2, k - 1) : 0;
        scale = fabs(it->p) + fabs(it->q) + fabs(it->r);
        if (scale == 0) {
            return;
        }
        it->p /= scale;
        it->q /= scale;
        it->r /= scale;
    }
    double s = copysign(sqrt(it->p * it->p + it->q * it->q + it->r * it->r), it->p);
    if (s == 0) {
        return;
    }
    if (k != m) {
        AT(k, k - 1) = -s * scale;
    } else if (l != m) {
        AT(k, k - 1) = -AT(k, k - 1);
    }
    it->p += s;
    double x = it->p / s, y = it->q / s, z = it->r / s;
    it->q /= it->p;
    it->r /= it->p;
    for (size_t j = k; j <= last; j++) {
        double p = AT(k, j) + it->q * AT(k + 1, j) + (third ? it->r * AT(k + 2, j) : 0);
        AT(k, j) -= p * x;
        AT(k + 1, j) -= p * y;
        if (third) {
            AT(k + 2, j) -= p * z;
        }
    }
    size_t end = last < k + 3 ? last : k + 3;
    for (size_t i = l; i <= end; i++) {
        double p = x * AT(i, k) + y * AT(i, k + 1) + (third ? z * AT(i, k + 2) : 0);
        AT(i, k) -= p;
        AT(i, k + 1) -= p * it->q;
        if (third) {
            AT(i, k + 2) -= p * it->r;
        }
    }
}

static void double_step(Iteration *it, size_t l, size_t last)
{
    size_t m = step_start(it, l, last);
    for (size_t i = m + 2; i <= last; i++) {
        AT(i, i - 2) = 0;
        if (i != m + 2) {
            AT(i, i - 3) = 0;
        }
    }
    for (size_t k = m; k < last; k++) {
        reflect(it, k, l, m, last);
    }
}

/* The two eigenvalues of the last 2 by 2 block. */
static void pair_of(double *re, double *im, const Iteration *it, size_t last)
{
    double p = 0.5 * (it->y - it->x), q = p * p + it->w, z = sqrt(fabs(q));
    double x = it->x + it->shift;
    if (q >= 0) {
        z = p + copysign(z, p);
        re[last - 1] = re[last] = x + z;
        if (z != 0) {
            re[last] = x - it->w / z;
        }
        im[last - 1] = im[last] = 0;
    } else {
        re[last - 1] = re[last] = x + p;
        im[last - 1] = -z;
        im[last] = z;
    }
}

int general_eigenvalues(double *real_part, double *imaginary_part, double *a, size_t n)
{
    Iteration state = {.a = a, .n = n}, *it = &state;
    hessenberg(a, n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i > 0 ? i - 1 : 0; j < n; j++) {
            it->norm += fabs(a[i * n + j]);
        }
    }
    if (!isfinite(it->norm)) {
        return err_set(OGPT_ENUM, "eigenvalues: the matrix is not finite");
    }
    int steps = 0;
    for (size_t left = n; left > 0;) {
        size_t last = left - 1, l = block_start(it, last);
        it->x = AT(last, last);
        if (l == last) {
            real_part[last] = it->x + it->shift;
            imaginary_part[last] = 0;
            left -= 1;
            steps = 0;
            continue;
        }
        it->y = AT(last - 1, last - 1);
        it->w = AT(last, last - 1) * AT(last - 1, last);
        if (l + 1 == last) {
            pair_of(real_part, imaginary_part, it, last);
            left -= 2;
            steps = 0;
            continue;
        }
        if (steps == MOST_STEPS) {
            return err_set(OGPT_ENUM, "eigenvalue %zu of %zu: no convergence in %d steps", last, n,
                           MOST_STEPS);
        }
        if (steps > 0 && steps % 10 == 0) {
            exceptional_shift(it, last);
        }
        steps++;
        double_step(it, l, last);
    }
    return 0;
}

/* ---- rotations ---- */

void rotation_random(float *rows, double *scratch, size_t n, Rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        double *row = scratch + i * n, square = 0;
        for (size_t c = 0; c < n; c++) {
            row[c] = rng_normal(rng);
        }
        for (size_t j = 0; j < 2 * i; j++) {
            const double *other = scratch + j % i * n;
            double product = 0;
#pragma omp simd reduction(+ : product)
            for (size_t c = 0; c < n; c++) {
                product += row[c] * other[c];
            }
            for (size_t c = 0; c < n; c++) {
                row[c] -= product * other[c];
            }
        }
        for (size_t c = 0; c < n; c++) {
            square += row[c] * row[c];
        }
        for (size_t c = 0; c < n; c++) {
            rows[i * n + c] = (float)(row[c] / sqrt(square));
            row[c] /= sqrt(square);
        }
    }
}
