/* num/variants.c - which variant of the vector kernels runs. See num/variant.h and num/kernels.h.
 *
 * OGPT_KERNEL_SETS lists what was compiled, the best last: SET(native, "native"), or in a portable
 * build SET(v3, "x86-64-v3") and more. CMakeLists.txt has the flags of each.
 */
#include "num/variant.h"

#include <stdatomic.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "num/gemm_bf16.h"
#include "num/softmax.h"

#ifndef OGPT_KERNEL_SETS
#define OGPT_KERNEL_SETS SET(native, "native")
#endif

/* Does this processor run the set? What the program was compiled for as a whole, it runs. */
#define runs_native() true
#if defined(__x86_64__)
#define runs_v2() (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))
#define runs_v3()                                                                                  \
    (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&                            \
     __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
#define runs_v4()                                                                                  \
    (runs_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&       \
     __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&                   \
     __builtin_cpu_supports("avx512vl"))
#define runs_v4_bf16() (runs_v4() && __builtin_cpu_supports("avx512bf16"))
#endif

#define SET(id, name) extern const NumVariant num_variant__##id;
OGPT_KERNEL_SETS
#undef SET

#define SET(id, name) {name, &num_variant__##id},
static const struct {
    const char *name;
    const NumVariant *variant;
} sets[] = {OGPT_KERNEL_SETS};
#undef SET

enum { N_SETS = sizeof(sets) / sizeof(sets[0]) };

/* Place in `sets` of the one in use, or -1: nothing has been asked for yet. */
static atomic_int in_use = -1;

static void ask_processor(bool runs[N_SETS])
{
    int i = 0;
#define SET(id, name) runs[i++] = runs_##id();
    OGPT_KERNEL_SETS
#undef SET
}

/* Threads that come here together find the same. */
static int set_in_use(void)
{
    int at = atomic_load_explicit(&in_use, memory_order_relaxed);
    if (at < 0) {
        bool runs[N_SETS];
        ask_processor(runs);
        at = N_SETS - 1;
        while (at > 0 && !runs[at]) {
            at--;
        }
        atomic_store_explicit(&in_use, at, memory_order_relaxed);
    }
    return at;
}

static const NumVariant *variant(void)
{
    return sets[set_in_use()].variant;
}

const char *kernels_set(void)
{
    return sets[set_in_use()].name;
}

size_t kernels_sets(const char *out[], size_t n)
{
    bool runs[N_SETS];
    size_t n_found = 0;
    ask_processor(runs);
    for (size_t i = 0; i < N_SETS; i++) {
        if (runs[i] && n_found++ < n) {
            out[n_found - 1] = sets[i].name;
        }
    }
    return n_found;
}

int kernels_choose(const char *name)
{
    bool runs[N_SETS];
    Text list = {0};
    ask_processor(runs);
    for (int i = N_SETS - 1; i >= 0; i--) {
        if (runs[i] && (!name || strcmp(name, sets[i].name) == 0)) {
            atomic_store(&in_use, i);
            text_release(&list);
            return 0;
        }
        if (runs[i]) {
            text_add(&list, "%s%s", list.length > 0 ? ", " : "", sets[i].name);
        }
    }
    int rc = err_set(OGPT_EUSAGE,
                     "kernels: one of %s expected (built in, and run by this processor), "
                     "found '%s'",
                     list.length > 0 ? list.data : "none", name ? name : "");
    text_release(&list);
    return rc;
}

const Kernels *kernels_fast(void)
{
    return variant()->fast;
}

const Kernels *kernels_bf16(void)
{
    return variant()->bf16;
}

bool bf16_available(void)
{
    return variant()->has_bf16;
}

void gemm_bf16_fast(bool ta, bool tb, size_t M, size_t N, size_t K, const float *a, size_t lda,
                    const float *b, size_t ldb, const float *base, const float *bias, float *c,
                    size_t ldc, void *scratch)
{
    variant()->gemm_bf16(ta, tb, M, N, K, a, lda, b, ldb, base, bias, c, ldc, scratch);
}

void gemm_bf16_symmetric(bool ta, bool tb, size_t M, size_t K, const float *a, const float *b,
                         float *c, void *scratch)
{
    variant()->gemm_bf16_symmetric(ta, tb, M, K, a, b, c, scratch);
}

void softmax_residual(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                      const uint16_t *squares, size_t N, size_t S, size_t K)
{
    variant()->softmax_residual(z, loss, labels, label_stride, squares, N, S, K);
}

void softmax_probability(float *z, size_t N, size_t S, size_t K)
{
    variant()->softmax_probability(z, N, S, K);
}

void logistic_residual(float *z, double *loss, const uint8_t *labels, size_t label_stride,
                       const uint16_t *problems, size_t N, size_t G, size_t K)
{
    variant()->logistic_residual(z, loss, labels, label_stride, problems, N, G, K);
}
