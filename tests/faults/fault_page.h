/* tests/faults/fault_page.h - the page that the driver and the preloaded shim share: what is to go
 * wrong, and how many calls there were. It is a file mapped by both, so the count outlives a
 * SIGKILL.
 */
#ifndef OGPT_TESTS_FAULTS_FAULT_PAGE_H
#define OGPT_TESTS_FAULTS_FAULT_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define FAULT_PAGE_VARIABLE "OGPT_FAULT_PAGE" /* the file's path, for the shim */

typedef enum FaultClass {
    FAULT_CALLS,  /* of system calls that write, open, close, rename, map or remove files */
    FAULT_LOOKS,  /* of system calls that look and read: stat, access, readdir, read */
    FAULT_MEMORY, /* malloc, calloc, realloc and the aligned ones */
} FaultClass;

typedef enum FaultAction {
    FAULT_NONE,  /* count only */
    FAULT_FAIL,  /* the call does nothing and fails with `error` */
    FAULT_KILL,  /* the call is made, then the process is killed */
    FAULT_TORN,  /* of a write only the first half is made, then the process is killed */
    FAULT_LIE,   /* negative twin: nothing is written, and success is returned; a look finds nothing
                  */
    FAULT_ABORT, /* negative twin: the process dies of SIGABRT */
} FaultAction;

typedef struct FaultPage {
    int class;
    int action;
    int sticky; /* not only call `at` but every one from there on */
    int error;
    uint64_t at; /* from 1 on */
    _Atomic uint64_t n_calls;
    _Atomic uint64_t n_fired;
    char call[32]; /* name of the call where it happened first */
} FaultPage;

#endif
