/* probes/solvers/liblinear_calls.h - LIBLINEAR, loaded when it is first called.
 *
 * Linked the usual way it would bring OpenBLAS, whose start-up num/blas.c has to prepare. A static
 * program has both from the start. Private to the room.
 */
#ifndef OGPT_PROBES_SOLVERS_LIBLINEAR_CALLS_H
#define OGPT_PROBES_SOLVERS_LIBLINEAR_CALLS_H

#include <linear.h>

typedef struct LiblinearCalls {
    struct model *(*train)(const struct problem *, const struct parameter *);
    const char *(*check_parameter)(const struct problem *, const struct parameter *);
    void (*free_model)(struct model **);
    void (*set_print)(void (*)(const char *));
    int version;
} LiblinearCalls;

/* NULL, with the message set (OGPT_EIO), if the library or the very version that the program was
 * compiled with is missing: its structs differ between versions. Borrowed. */
const LiblinearCalls *solve__liblinear_calls(void);

#endif
