/* tests/num/test_blas.c - OpenBLAS: kernels fit for the processor, one thread, exact products. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "num/blas.h"

/* The core type that a process of its own finds, with the environment's type as given (NULL: none).
 * Exit codes: 0 an old type without AVX, 1 another one, 2 products are wrong. */
static int core_is_newer(const char *named)
{
    pid_t child = fork();
    int status = 0;
    assert_true(child >= 0);
    if (child == 0) {
        if (named) {
            setenv("OPENBLAS_CORETYPE", named, 1);
        } else {
            unsetenv("OPENBLAS_CORETYPE");
        }
        const char *core = blas_core();
        int code = strcmp(core, "Prescott") != 0 && strcmp(core, "Core2") != 0;
        _exit(blas_self_check() == 0 ? code : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void kernels_use_what_the_processor_has(void **state)
{
#if defined(__x86_64__) && !defined(OGPT_STATIC)
    bool modern = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (modern) {
        assert_int_equal(core_is_newer(NULL), 1);
    }
    /* Twin: a type that the user names is kept, and the test sees an old one. */
    assert_int_equal(core_is_newer("Prescott"), 0);
#else
    assert_int_not_equal(core_is_newer(NULL), 2);
#endif
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_use_what_the_processor_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
