/* base/err.c - see err.h. */
#define _GNU_SOURCE
#include "base/err.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 1000 /* bytes, without the closing NUL */

static _Thread_local char message[MESSAGE_MAX + 1];

/* Names from files reach this text, so bytes that could control a terminal are replaced: C0
 * controls, DEL, and the C1 controls in their UTF-8 form (C2 80 to C2 9F). */
static void controls_replace(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p != 0; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            *p = '?';
        } else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
            p[0] = '?';
            p[1] = '?';
        }
    }
}

/* The arguments may point into `message` itself, hence the second buffer. */
static void message_store(const char *format, va_list args, const char *suffix)
{
    char text[MESSAGE_MAX + 1];
    int length = vsnprintf(text, sizeof(text), format, args);
    if (length < 0) {
        length = 0;
        text[0] = 0;
    }
    if (suffix && (size_t)length < MESSAGE_MAX) {
        snprintf(text + length, sizeof(text) - (size_t)length, ": %s", suffix);
    }
    controls_replace(text);
    memcpy(message, text, sizeof(message));
}

int err_set(int rc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message_store(format, args, NULL);
    va_end(args);
    return rc;
}

int err_set_errno(int rc, const char *format, ...)
{
    char reason[128];
    bool full = errno == ENOSPC || errno == EDQUOT, limited = errno == EFBIG;
    const char *text = strerror_r(errno, reason, sizeof(reason));
    char advised[sizeof(reason) + 64];
    snprintf(advised, sizeof(advised), "%s%s", text,
             full      ? "; make room or choose another place"
             : limited ? "; raise the limit on the size of files (ulimit -f)"
                       : "");
    va_list args;
    va_start(args, format);
    message_store(format, args, advised);
    va_end(args);
    return rc;
}

const char *err_message(void)
{
    return message;
}

int err_exit_code(int rc, int signal_number)
{
    switch (rc) {
    case OGPT_OK: return 0;
    case OGPT_ENEGATIVE: return 1;
    case OGPT_EUSAGE: return 2;
    case OGPT_EFORMAT:
    case OGPT_EVERSION: return 3;
    case OGPT_ELOCKED: return 5;
    case OGPT_ENUM: return 6;
    case OGPT_EINTR: return signal_number == SIGXCPU ? 4 : 128 + signal_number;
    case OGPT_EPIPE: return 141;
    default: return 4; /* OGPT_EIO, OGPT_ENOMEM: the environment */
    }
}
