/* probes/solvers/liblinear_calls.c - contract in probes/solvers/liblinear_calls.h. */
#include "probes/solvers/liblinear_calls.h"

#include <dlfcn.h>
#include <pthread.h>

#include "base/err.h"
#include "num/blas.h"

static LiblinearCalls calls;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;

#ifdef OGPT_STATIC
static void load(void)
{
    calls = (LiblinearCalls){train, check_parameter, free_and_destroy_model,
                             set_print_string_function, liblinear_version};
}
#else
static void load(void)
{
    static const char *const names[] = {"liblinear.so.4", "liblinear.so.5", "liblinear.so"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !calls.train; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        const int *version = library ? dlsym(library, "liblinear_version") : NULL;
        if (!version || *version != LIBLINEAR_VERSION) {
            continue;
        }
        LiblinearCalls found = {.version = *version};
        *(void **)&found.check_parameter = dlsym(library, "check_parameter");
        *(void **)&found.free_model = dlsym(library, "free_and_destroy_model");
        *(void **)&found.set_print = dlsym(library, "set_print_string_function");
        *(void **)&found.train = dlsym(library, "train");
        if (found.check_parameter && found.free_model && found.set_print && found.train) {
            calls = found;
        }
    }
}
#endif

const LiblinearCalls *solve__liblinear_calls(void)
{
    if (blas_init() != 0) { /* first: LIBLINEAR asks for its BLAS */
        return NULL;
    }
    pthread_once(&load_once, load);
    if (!calls.train) {
        err_set(
            OGPT_EIO,
            "LIBLINEAR %d.%02d, with which ogpt was compiled, cannot be loaded: install Debian's "
            "liblinear4, or take another --solver",
            LIBLINEAR_VERSION / 100, LIBLINEAR_VERSION % 100);
        return NULL;
    }
    return &calls;
}
