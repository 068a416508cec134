/* num/blas.c - OpenBLAS behind num/blas.h. */
#include "num/blas.h"

#include <cblas.h>

#include "base/err.h"

int blas_init(void)
{
    openblas_set_num_threads(1);
    int found = openblas_get_num_threads();
    if (found != 1) {
        return err_set(OGPT_EIO,
                       "OpenBLAS: expected 1 thread inside each worker, found %d; set "
                       "OPENBLAS_NUM_THREADS=1 and try again",
                       found);
    }
    return 0;
}

const char *blas_core(void)
{
    return openblas_get_corename();
}

const char *blas_version(void)
{
    return openblas_get_config();
}

int blas_threads(void)
{
    return openblas_get_num_threads();
}

void gemm(bool ta, bool tb, size_t M, size_t N, size_t K, float alpha, const float *a, size_t lda,
          const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    if (M == 0 || N == 0) {
        return;
    }
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                (blasint)M, (blasint)N, (blasint)K, alpha, a, (blasint)lda, b, (blasint)ldb, beta,
                c, (blasint)ldc);
}

/* A matrix product whose entries are small integers, hence exact in float. */
int blas_self_check(void)
{
    enum { N = 24 };
    float a[N * N], b[N * N], c[N * N];
    for (int i = 0; i < N * N; i++) {
        a[i] = (float)(i % 7 - 3);
        b[i] = (float)(i % 5 - 2);
    }
    gemm(false, false, N, N, N, 1, a, N, b, N, 0, c, N);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            float sum = 0;
            for (int k = 0; k < N; k++) {
                sum += a[i * N + k] * b[k * N + j];
            }
            if (c[i * N + j] != sum) {
                return err_set(OGPT_ENEGATIVE, "matrix product [%d][%d]: %g expected, found %g", i,
                               j, (double)sum, (double)c[i * N + j]);
            }
        }
    }
    if (blas_threads() != 1) {
        return err_set(OGPT_ENEGATIVE, "1 BLAS thread expected, found %d", blas_threads());
    }
    return 0;
}
