/* tests/fuzz/replay_main.c - runs a fuzz target over stored inputs, as an ordinary program.
 *
 * Usage: fuzz_NAME [--planted] FILE|DIRECTORY...
 * Without --planted, an input that the target cannot take ends the program by a signal. With it,
 * the target's own comparison is made wrong, and must be noticed for at least one input.
 * Exit: 0 all is well, 1 no input was found, or the planted mistake went unnoticed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "tests/fuzz/fuzz.h"
#include "tests/there.h"

#define INPUT_BYTES_MAX (1 << 20)

static double slowest; /* seconds */

static int file_run(const char *path)
{
    void *data = NULL;
    size_t n_bytes = 0;
    const int rc = file_read_all(&data, &n_bytes, path, INPUT_BYTES_MAX);
    if (rc != 0) {
        return rc;
    }
    const double start = clock_seconds();
    LLVMFuzzerTestOneInput(data, n_bytes);
    const double seconds = clock_seconds() - start;
    slowest = seconds > slowest ? seconds : slowest;
    mem_free(data);
    return 0;
}

static int path_run(size_t *n_inputs, const char *path)
{
    char **names = NULL;
    size_t n = 0;
    if (!dir_exists(path)) {
        ++*n_inputs;
        return file_run(path);
    }
    int rc = dir_list(&names, &n, path);
    for (size_t i = 0; i < n && rc == 0; i++) {
        char input[FILES_PATH_MAX];
        rc = path_join(input, path, names[i]);
        rc = rc ? rc : file_run(input);
        ++*n_inputs;
    }
    names_free(names, n);
    return rc;
}

int main(int argc, char **argv)
{
    const int first = argc > 1 && strcmp(argv[1], "--planted") == 0 ? 2 : 1;
    size_t n_inputs = 0;
    fuzz_planted = first == 2;
    for (int i = first; i < argc; i++) {
        if (path_run(&n_inputs, argv[i]) != 0) {
            fprintf(stderr, "%s\n", err_message());
            return 1;
        }
    }
    printf("%zu inputs, the slowest took %.0f ms", n_inputs, 1e3 * slowest);
    if (fuzz_planted) {
        printf(", planted mistake noticed %lu times", fuzz_noticed);
    }
    printf("\n");
    return n_inputs > 0 && (!fuzz_planted || fuzz_noticed > 0) ? 0 : 1;
}
