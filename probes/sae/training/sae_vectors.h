/* probes/sae/training/sae_vectors.h - sums of a few rows out of many. Private to this room.
 *
 * Sixteen numbers at a time, as num/vec16.h has them for the kernels: one order of sums on every
 * machine, whatever the vectors of the processor.
 */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_VECTORS_H
#define OGPT_PROBES_SAE_TRAINING_SAE_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SAE_LANES 16
#define SAE_TILE (4 * SAE_LANES) /* numbers that stay in registers */

typedef float SaeVec __attribute__((vector_size(4 * SAE_LANES)));

static inline SaeVec sae__load(const float *p)
{
    SaeVec v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void sae__store(float *p, SaeVec v)
{
    memcpy(p, &v, sizeof(v));
}

/* a . b over n numbers. */
static inline float sae__dot(const float *a, const float *b, size_t n)
{
    SaeVec s0 = {0}, s1 = {0};
    size_t i = 0;
    for (; i + 2 * SAE_LANES <= n; i += 2 * SAE_LANES) {
        s0 += sae__load(a + i) * sae__load(b + i);
        s1 += sae__load(a + i + SAE_LANES) * sae__load(b + i + SAE_LANES);
    }
    s0 += s1;
    float sum = 0;
    for (; i < n; i++) {
        sum += a[i] * b[i];
    }
    for (int half = SAE_LANES / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; k++) {
            s0[k] += s0[k + half];
        }
    }
    return sum + s0[0];
}

/* The one loop of the two functions below: out (d) += sum over i of scale(i) * the row(i)-th row of
 * `rows` (.., d), in the order of i. */
#define SAE_ADD(out, rows, n, d, row_of, scale_of)                                                 \
    do {                                                                                           \
        size_t c_ = 0;                                                                             \
        for (; c_ + SAE_TILE <= (d); c_ += SAE_TILE) {                                             \
            SaeVec s0_ = sae__load((out) + c_), s1_ = sae__load((out) + c_ + SAE_LANES);           \
            SaeVec s2_ = sae__load((out) + c_ + 2 * SAE_LANES);                                    \
            SaeVec s3_ = sae__load((out) + c_ + 3 * SAE_LANES);                                    \
            for (size_t i = 0; i < (n); i++) {                                                     \
                const float *row_ = (rows) + (size_t)(row_of) * (d) + c_;                          \
                const float f_ = (scale_of);                                                       \
                s0_ += f_ * sae__load(row_);                                                       \
                s1_ += f_ * sae__load(row_ + SAE_LANES);                                           \
                s2_ += f_ * sae__load(row_ + 2 * SAE_LANES);                                       \
                s3_ += f_ * sae__load(row_ + 3 * SAE_LANES);                                       \
            }                                                                                      \
            sae__store((out) + c_, s0_);                                                           \
            sae__store((out) + c_ + SAE_LANES, s1_);                                               \
            sae__store((out) + c_ + 2 * SAE_LANES, s2_);                                           \
            sae__store((out) + c_ + 3 * SAE_LANES, s3_);                                           \
        }                                                                                          \
        for (size_t i = 0; c_ < (d) && i < (n); i++) {                                             \
            for (size_t k_ = c_; k_ < (d); k_++) {                                                 \
                (out)[k_] += (scale_of) * (rows)[(size_t)(row_of) * (d) + k_];                     \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* out (d) += sum of f[i] * rows[index[i]]. */
static inline void sae__add_rows(float *out, const float *rows, const uint32_t *index,
                                 const float *f, size_t n, size_t d)
{
    SAE_ADD(out, rows, n, d, index[i], f[i]);
}

/* out (d) += sum of f[entry[i]] * rows[row[i]]. */
static inline void sae__add_entries(float *out, const float *rows, const uint32_t *row,
                                    const uint32_t *entry, const float *f, size_t n, size_t d)
{
    SAE_ADD(out, rows, n, d, row[i], f[entry[i]]);
}

#endif
