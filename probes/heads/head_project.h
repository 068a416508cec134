/* probes/heads/head_project.h - attention against weights of the keys: the kernel of the room.
 *
 * Every score is linear in the attention: sum over keys s of A[s] w[s]. All scores of a query are
 * computed at once, one in each lane.
 */
#ifndef OGPT_PROBES_HEADS_HEAD_PROJECT_H
#define OGPT_PROBES_HEADS_HEAD_PROJECT_H

#include <stddef.h>

#define HEAD_LANES 16

/* out (n_heads, HEAD_LANES) = sum over keys s < n_keys of pattern[h][s] * weights[s][lane], for
 * pattern (n_heads, stride) and weights (n_keys, HEAD_LANES). head_project_ref is the plain loop,
 * in double precision; head_project agrees with it within 1e-6 of the sum of |pattern| |weight|,
 * the rounding of at most 60 additions in float. */
void head_project(float *out, const float *pattern, const float *weights, size_t n_heads,
                  size_t stride, size_t n_keys);
void head_project_ref(double *out, const float *pattern, const float *weights, size_t n_heads,
                      size_t stride, size_t n_keys);

/* What a row of attention (n_keys) is like: entropy in nats, and the largest weight. The plain
 * version of the entropy calls log in double precision; the fast one agrees within 1e-5 nats. */
typedef struct HeadShape {
    double entropy, largest;
} HeadShape;
HeadShape head_shape(const float *pattern, size_t n_keys);
HeadShape head_shape_ref(const float *pattern, size_t n_keys);

#endif
