/* num/vectors.h - products, lengths and cosines of float vectors of n numbers, summed in double
 * from the first number to the last: the same bits wherever they are computed. */
#ifndef OGPT_NUM_VECTORS_H
#define OGPT_NUM_VECTORS_H

#include <math.h>
#include <stddef.h>

static inline double vector_dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

static inline double vector_length(const float *v, size_t n)
{
    return sqrt(vector_dot(v, v, n));
}

/* To length 1; zeros stay. Returns the length that it had. */
static inline double vector_unit(float *v, size_t n)
{
    const double length = vector_length(v, n);
    for (size_t i = 0; i < n && length > 0; i++) {
        v[i] = (float)((double)v[i] / length);
    }
    return length;
}

/* NaN if one of them is zero. */
static inline double vector_cosine(const float *a, const float *b, size_t n)
{
    const double lengths = vector_length(a, n) * vector_length(b, n);
    return lengths > 0 ? vector_dot(a, b, n) / lengths : NAN;
}

#endif
