/* num/softmax.h - many small softmaxes at once, for probes: a cell is K scores of one square. */
#ifndef OGPT_NUM_SOFTMAX_H
#define OGPT_NUM_SOFTMAX_H

#include <stddef.h>
#include <stdint.h>

/* z (N, S, K) holds scores and is overwritten by softmax(score) - one-hot(label), the gradient of
 * the cross-entropy; loss[s] += sum over rows of -ln softmax(z[n][s])[label[n][s]].
 * label of cell (n, s) is labels[n * label_stride + squares[s]]. Scores below -87 under their
 * cell's largest count as exactly impossible. Relative error of exp below 2e-7. */
void softmax_residual(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                      const uint16_t *squares, size_t N, size_t S, size_t K);

#endif
