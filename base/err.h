/* base/err.h - error codes, the one-line message, and the exit code each maps to.
 *
 * Functions return 0 or a negative OGPT_E*. The message is set once, where the fault is
 * detected, and passed up untouched. It says: what, where, expected, found, what to do.
 * The message lives in thread-local storage; pool_run carries a worker's message back.
 */
#ifndef OGPT_BASE_ERR_H
#define OGPT_BASE_ERR_H

enum {
    OGPT_OK = 0,
    OGPT_ENEGATIVE = -1, /* a requested check gave a negative answer         exit 1 */
    OGPT_EUSAGE = -2,    /* wrong command line or option                     exit 2 */
    OGPT_EFORMAT = -3,   /* corrupt or wrong input                           exit 3 */
    OGPT_EIO = -4,       /* disk full, I/O error, missing file, permissions  exit 4 */
    OGPT_ELOCKED = -5,   /* another process holds the lock                   exit 5 */
    OGPT_ENUM = -6,      /* numbers diverged (NaN, infinity, no pivot)       exit 6 */
    OGPT_ENOMEM = -7,    /* allocation failed                                exit 4 */
    OGPT_EVERSION = -8,  /* file written by a newer program                  exit 3 */
    OGPT_EINTR = -9,     /* SIGINT or SIGTERM, state saved                   exit 128+signal */
    OGPT_EPIPE = -10     /* the reader of our pipe went away                 exit 141 */
};

/* Set the message (printf style, at most 1,000 bytes; control characters are replaced by '?')
 * and return `code`, so that `return err_set(OGPT_EIO, ...)` reads as one step. */
int err_set(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As err_set, with ": <strerror(errno)>" appended, and advice when the disk is full. */
int err_set_errno(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The current message of this thread; "" when none was set. Borrowed. */
const char *err_message(void);

/* Process exit code of an OGPT_E* code (0 for 0). OGPT_EINTR needs the signal number: 4 for
 * SIGXCPU, a limit of the environment, else 128 + signal. */
int err_exit_code(int code, int signal_number);

#endif
