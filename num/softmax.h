/* num/softmax.h - many small softmaxes and logistic functions at once, for probes.
 *
 * Scores are stored class by class, so that vector arithmetic runs along the squares of a position.
 * A score more than 87 below the largest of its cell gets probability 0. The relative error of exp
 * is below 2e-7; losses are summed in double.
 */
#ifndef OGPT_NUM_SOFTMAX_H
#define OGPT_NUM_SOFTMAX_H

#include <stddef.h>
#include <stdint.h>

#define SOFTMAX_MAX_SQUARES 64

/* z (N, K, S), S at most SOFTMAX_MAX_SQUARES, holds scores and is overwritten by
 * softmax(score) - one-hot(label), the gradient of the cross-entropy; loss[s] += sum over rows of
 * -ln softmax(z[n][.][s])[label]. The label of cell (n, s) is
 * labels[n * label_stride + squares[s]]. loss NULL: the gradient alone. */
void softmax_residual(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                      const uint16_t *squares, size_t N, size_t S, size_t K);

/* z (N, K, S) holds scores and is overwritten by softmax(score). */
void softmax_probability(float *z, size_t N, size_t S, size_t K);

/* z (N, G) holds scores of one-vs-rest problems and is overwritten by logistic(score) - y;
 * loss[g] += sum over rows of -ln of the probability of what y says. y is 1 where the label of
 * square problems[g] / K is class problems[g] % K, else 0. */
void logistic_residual(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                       const uint16_t *problems, size_t N, size_t G, size_t K);

#endif
