/* base/lines.h - lines as they arrive, from a person or from a script: standard input. */
#ifndef OGPT_BASE_LINES_H
#define OGPT_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_MAX 1024 /* bytes of a line, its end included */

/* Start from {.fd = 0} for standard input. */
typedef struct LinesReader {
    int fd;
    char buffer[LINES_MAX];
    size_t n; /* bytes in the buffer */
    bool ended;
} LinesReader;

/* The next line without its end, into out[LINES_MAX]; *end: there is none. Waits for it, but not
 * beyond a signal. A last line without an end counts; control characters become '?'. Returns 0,
 * OGPT_EFORMAT (the line is too long: it is skipped whole, and reading goes on), OGPT_EINTR (a
 * signal arrived), OGPT_EIO. */
int lines_next(char *out, bool *end, LinesReader *reader);

#endif
