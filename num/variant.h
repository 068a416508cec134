/* num/variant.h - the vector kernels as they were compiled for one instruction set. Private to
 * num/.
 *
 * A build for this machine alone compiles them once; a portable one compiles the same files again
 * for each instruction set of OGPT_KERNEL_SETS (CMakeLists.txt) with another OGPT_KERNEL_SET, and
 * num/variants.c chooses when the program runs. Files that are compiled so name what other files
 * call with VARIANT_NAME.
 */
#ifndef OGPT_NUM_VARIANT_H
#define OGPT_NUM_VARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "num/kernels.h"

#ifndef OGPT_KERNEL_SET
#define OGPT_KERNEL_SET native
#endif
#define VARIANT_JOINED(name, set) name##__##set
#define VARIANT_OF(name, set) VARIANT_JOINED(name, set)
#define VARIANT_NAME(name) VARIANT_OF(name, OGPT_KERNEL_SET)

/* Contracts: num/kernels.h, num/gemm_bf16.h, num/softmax.h. */
typedef struct NumVariant {
    const Kernels *fast, *bf16;
    bool has_bf16; /* its products of bfloat16 are the processor's own */
    void (*gemm_bf16)(bool ta, bool tb, size_t M, size_t N, size_t K, const float *a, size_t lda,
                      const float *b, size_t ldb, const float *base, const float *bias, float *c,
                      size_t ldc, void *scratch);
    void (*gemm_bf16_symmetric)(bool ta, bool tb, size_t M, size_t K, const float *a,
                                const float *b, float *c, void *scratch);
    void (*softmax_residual)(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                             const uint16_t *squares, size_t N, size_t S, size_t K);
    void (*softmax_probability)(float *z, size_t N, size_t S, size_t K);
    void (*logistic_residual)(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                              const uint16_t *problems, size_t N, size_t G, size_t K);
} NumVariant;

#endif
