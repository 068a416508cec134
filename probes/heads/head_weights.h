/* probes/heads/head_weights.h - the matrices of one head, in double precision. Private. */
#ifndef OGPT_PROBES_HEADS_HEAD_WEIGHTS_H
#define OGPT_PROBES_HEADS_HEAD_WEIGHTS_H

#include "model/gpt.h"

typedef enum HeadMatrix { HEAD_W_Q, HEAD_W_K, HEAD_W_V, HEAD_W_O } HeadMatrix;

/* out (C, HS) of W_Q, W_K or W_V, each row times the weight of the LayerNorm in front; out (HS, C)
 * of W_O, each row without its mean. head counts layer by layer. */
void head_weights_read(double *out, const Gpt *gpt, HeadMatrix matrix, size_t head);
/* out (M,N) = a (M,K) b (K,N); with `across`, a (K,M) is transposed. */
void head_weights_product(double *out, const double *a, const double *b, size_t M, size_t K,
                          size_t N, bool across);
/* l (n,n) lower with l l^T = g, of a positive semidefinite g; a pivot that is rounding gives a
 * column of zeros. */
void head_weights_root(double *l, const double *g, size_t n);
double head_weights_norm(const double *a, size_t count);

#endif
