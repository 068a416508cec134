/* num/blas.h - the one door to OpenBLAS (blas.c is the only file with <cblas.h>).
 *
 * OpenBLAS runs with one thread inside each of our workers. With more threads its results would
 * change with their number, and its pool would compete with ours for the cores.
 */
#ifndef OGPT_NUM_BLAS_H
#define OGPT_NUM_BLAS_H

#include <stdbool.h>
#include <stddef.h>

/* Load OpenBLAS, set it to one thread and check that. Call once before any gemm and before threads
 * are started; cheap to repeat. Returns 0 or OGPT_EIO. */
int blas_init(void);
/* The same, and refuses where a limit leaves too little address space for products in n_workers
 * threads: the library would never come back. Returns 0, OGPT_EIO or OGPT_ENOMEM. */
int blas_reserve(size_t n_workers);
/* Whether it was loaded; what follows loads it if not, and says "none" and 0 where that fails. */
bool blas_loaded(void);
/* "Cooperlake", "Haswell", ...: results are bit-identical only for one core type. Borrowed. */
const char *blas_core(void);
const char *blas_version(void);
int blas_threads(void);
/* Whether a small product of whole numbers, exact in float, comes out right, on one thread. Returns
 * 0, or OGPT_ENEGATIVE with both numbers. */
int blas_self_check(void);

/* c (M,N) = alpha * op(a) (M,K) . op(b) (K,N) + beta * c, row-major; op transposes when ta/tb.
 * lda, ldb, ldc: numbers from one stored row to the next. M, N or K = 0 is allowed.
 * Where OpenBLAS cannot be loaded, c is filled with NaN. */
void gemm(bool ta, bool tb, size_t M, size_t N, size_t K, float alpha, const float *a, size_t lda,
          const float *b, size_t ldb, float beta, float *c, size_t ldc);

#endif
