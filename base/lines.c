/* base/lines.c - see base/lines.h. */
#include "base/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/process.h"

/* More bytes into the buffer. poll, unlike read, also returns when a signal arrived. */
static int lines_fill(LinesReader *reader)
{
    struct pollfd wait = {.fd = reader->fd, .events = POLLIN};
    while (!reader->ended) {
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted while waiting for a line");
        }
        if (poll(&wait, 1, -1) < 0) {
            if (errno != EINTR) {
                return err_set_errno(OGPT_EIO, "standard input cannot be waited for");
            }
            continue;
        }
        ssize_t n =
            read(reader->fd, reader->buffer + reader->n, sizeof(reader->buffer) - reader->n);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return err_set_errno(OGPT_EIO, "standard input cannot be read");
        }
        if (n >= 0) {
            reader->n += (size_t)n;
            reader->ended = n == 0;
            return 0;
        }
    }
    return 0;
}

/* Take the first n_line bytes and, if there is one, the end of the line behind them. */
static void lines_take(char *out, LinesReader *reader, size_t n_line)
{
    size_t used = n_line < reader->n ? n_line + 1 : n_line, length = 0;
    for (size_t i = 0; i < n_line; i++) {
        unsigned char c = (unsigned char)reader->buffer[i];
        bool ends = i + 1 == n_line && c == '\r'; /* CRLF */
        if (!ends) {
            out[length++] = c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : (char)c;
        }
    }
    out[length] = '\0';
    reader->n -= used;
    memmove(reader->buffer, reader->buffer + used, reader->n);
}

int lines_next(char *out, bool *end, LinesReader *reader)
{
    bool too_long = false;
    *end = false;
    out[0] = '\0';
    for (;;) {
        const char *newline = memchr(reader->buffer, '\n', reader->n);
        if (newline || (reader->ended && reader->n > 0)) {
            lines_take(out, reader, newline ? (size_t)(newline - reader->buffer) : reader->n);
            break;
        }
        if (reader->ended) {
            *end = !too_long;
            break;
        }
        if (reader->n == sizeof(reader->buffer)) {
            too_long = true;
            reader->n = 0;
        }
        int rc = lines_fill(reader);
        if (rc != 0) {
            return rc;
        }
    }
    if (too_long) {
        out[0] = '\0';
        return err_set(OGPT_EFORMAT, "a line of more than %d bytes", LINES_MAX - 1);
    }
    return 0;
}
