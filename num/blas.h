/* num/blas.h - the one door to OpenBLAS (blas.c is the only file with <cblas.h>).
 *
 * OpenBLAS runs with one thread inside each of our workers. With more threads its results would
 * change with their number, and its pool would compete with ours for the cores.
 */
#ifndef OGPT_NUM_BLAS_H
#define OGPT_NUM_BLAS_H

#include <stdbool.h>
#include <stddef.h>

/* Set OpenBLAS to one thread and check it. Call once before any gemm; cheap to repeat. Returns 0 or
 * OGPT_EIO (the message has both numbers). */
int blas_init(void);
/* "Cooperlake", "Haswell", ...: results are bit-identical only for one core type. Borrowed. */
const char *blas_core(void);
const char *blas_version(void);
int blas_threads(void);
/* Whether a small product of whole numbers, exact in float, comes out right, on one thread. Returns
 * 0, or OGPT_ENEGATIVE with both numbers. */
int blas_self_check(void);

/* c (M,N) = alpha * op(a) (M,K) . op(b) (K,N) + beta * c, row-major; op transposes when ta/tb.
 * lda, ldb, ldc: numbers from one stored row to the next. M, N or K = 0 is allowed. */
void gemm(bool ta, bool tb, size_t M, size_t N, size_t K, float alpha, const float *a, size_t lda,
          const float *b, size_t ldb, float beta, float *c, size_t ldc);

#endif
