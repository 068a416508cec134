/* num/blas.c - OpenBLAS behind num/blas.h.
 *
 * When the library is loaded, a constructor of it starts a thread for each core and takes address
 * space for each, before main is there to say that no thread is wanted; where the system refuses
 * either, it goes round for ever or ends the process. So it is loaded by hand, after the
 * environment says 1 thread, and only by those who multiply. In a static program (OGPT_STATIC) it
 * is there from the start, and .preinit_array runs before its constructor.
 *
 * The constructor also chooses the kernels, by a list of processors that were known when it was
 * written. On a newer one it falls back to those of 2004 (core type Prescott), a small part of the
 * speed. So it is asked, and where the processor can do more it is loaded once more with a type
 * that says so. A type that the user names (OPENBLAS_CORETYPE) is never changed.
 */
#include "num/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/process.h"

#define LIBRARY "libopenblas.so.0"
/* Address space that a thread takes at its first product: 128 MiB for the library (32 MiB << 2 in
 * 0.3.21 where it chooses its kernels at run time), which asks again for ever if it cannot have
 * them, and room for the stack of the thread. */
#define WORKER_MIB ((size_t)144)

typedef void SgemmCall(const enum CBLAS_ORDER order, const enum CBLAS_TRANSPOSE ta,
                       const enum CBLAS_TRANSPOSE tb, const blasint M, const blasint N,
                       const blasint K, const float alpha, const float *a, const blasint lda,
                       const float *b, const blasint ldb, const float beta, float *c,
                       const blasint ldc);

typedef struct BlasCalls {
    SgemmCall *sgemm;
    void (*set_threads)(int n);
    int (*threads)(void);
    char *(*core)(void);
    char *(*config)(void);
} BlasCalls;

static BlasCalls calls;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static char load_error[300];

#ifdef OGPT_STATIC
static void one_thread(int argc, char **argv, char **environment)
{
    (void)argc;
    (void)argv;
    (void)environment;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
}

static void (*const before_constructors)(int, char **, char **)
    __attribute__((section(".preinit_array"), used)) = one_thread;

static void load(void)
{
    calls = (BlasCalls){cblas_sgemm, openblas_set_num_threads, openblas_get_num_threads,
                        openblas_get_corename, openblas_get_config};
}
#else
static void *find(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (!found && !load_error[0]) {
        snprintf(load_error, sizeof(load_error), "%s has no function %s: install OpenBLAS 0.3",
                 LIBRARY, name);
    }
    return found;
}

/* RTLD_GLOBAL: LIBLINEAR finds its BLAS here. */
static void *open_library(void)
{
    return dlopen(LIBRARY, RTLD_NOW | RTLD_GLOBAL);
}

/* The core type whose kernels use what this processor has, or NULL if `core` is none of the old
 * types without AVX, or the processor is as old. */
static const char *better_core(const char *core)
{
#if defined(__x86_64__)
    static const char *const old[] = {"Prescott", "Core2", "Penryn", "Dunnington", "Nehalem"};
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
        if (strcmp(core, old[i]) == 0 && __builtin_cpu_supports("avx2") &&
            __builtin_cpu_supports("fma")) {
            bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
            return wide ? "SkylakeX" : "Haswell";
        }
    }
#else
    (void)core;
#endif
    return NULL;
}

/* The library, loaded again where it did not know the processor. It runs no thread yet and nothing
 * of it is in use, so it can be unloaded; where the system keeps it nevertheless, it stays as it
 * was. */
static void *known_processor(void *library)
{
    char *(*core)(void);
    *(void **)&core = dlsym(library, "openblas_get_corename");
    const char *better = core && !getenv("OPENBLAS_CORETYPE") ? better_core(core()) : NULL;
    if (better && dlclose(library) == 0) {
        setenv("OPENBLAS_CORETYPE", better, 1);
        library = open_library();
    }
    return library;
}

/* From here on the library is never unloaded: its functions stay in use to the end. */
static void load(void)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *library = open_library();
    library = library ? known_processor(library) : NULL;
    if (!library) {
        snprintf(load_error, sizeof(load_error),
                 "OpenBLAS cannot be loaded (Debian package "
                 "libopenblas0): %s",
                 dlerror());
        return;
    }
    BlasCalls found;
    *(void **)&found.sgemm = find(library, "cblas_sgemm");
    *(void **)&found.set_threads = find(library, "openblas_set_num_threads");
    *(void **)&found.threads = find(library, "openblas_get_num_threads");
    *(void **)&found.core = find(library, "openblas_get_corename");
    *(void **)&found.config = find(library, "openblas_get_config");
    if (!load_error[0]) {
        calls = found;
    }
}
#endif

int blas_init(void)
{
    pthread_once(&load_once, load);
    if (!calls.sgemm) {
        return err_set(OGPT_EIO, "%s", load_error);
    }
    calls.set_threads(1);
    int found = calls.threads();
    if (found != 1) {
        return err_set(OGPT_EIO, "OpenBLAS: expected 1 thread inside each worker, found %d", found);
    }
    return 0;
}

int blas_reserve(size_t n_workers)
{
    int rc = blas_init();
    size_t left = memory_address_room() >> 20, wanted = n_workers * WORKER_MIB;
    if (rc == 0 && left < wanted) {
        rc = err_set(OGPT_ENOMEM,
                     "%zu threads take %zu MiB of address space for matrix products, and the limit "
                     "(ulimit -v) leaves %zu: raise it%s",
                     n_workers, wanted, left, n_workers > 1 ? ", or give fewer --threads" : "");
    }
    return rc;
}

bool blas_loaded(void)
{
    return !!calls.sgemm;
}

const char *blas_core(void)
{
    return blas_init() == 0 ? calls.core() : "none";
}

const char *blas_version(void)
{
    return blas_init() == 0 ? calls.config() : "none";
}

int blas_threads(void)
{
    return blas_init() == 0 ? calls.threads() : 0;
}

void gemm(bool ta, bool tb, size_t M, size_t N, size_t K, float alpha, const float *a, size_t lda,
          const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    if (M == 0 || N == 0) {
        return;
    }
    if (!calls.sgemm && blas_init() != 0) {
        for (size_t i = 0; i < M * N; i++) {
            c[i / N * ldc + i % N] = NAN;
        }
        return;
    }
    calls.sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
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
