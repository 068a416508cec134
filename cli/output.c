/* cli/output.c - what goes to stdout (the result, once) and to stderr (everything else). */
#include "cli/framework.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ranks/ranks.h"
#include "cli/terminal.h"

/* Names and messages from files may hold escape sequences meant for the terminal. C1 controls
 * are 0xc2 0x80..0x9f in UTF-8. */
static void controls_blank(char *text, bool colour)
{
    for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
        size_t sequence = colour ? style_colour_length((const char *)c) : 0;
        if (sequence > 0) {
            c += sequence - 1;
        } else if ((*c < 0x20 && *c != '\n') || *c == 0x7f) {
            *c = '?';
        } else if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) {
            c[0] = '?';
            c[1] = '?';
        }
    }
}

/* Write to stdout and make sure that it arrived. */
static int stdout_write(const char *text)
{
    errno = 0;
    if (!ranks_first()) {
        return 0;
    }
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0 && ferror(stdout) == 0) {
        return 0;
    }
    if (errno == EPIPE) {
        return err_set(OGPT_EPIPE, "the reader of the output went away");
    }
    return err_set_errno(OGPT_EIO, "cannot write the result to stdout");
}

/* indent 0: the document on one line. */
static int document_write(const Context *context, const Js *document, int indent)
{
    Js *whole = js_object();
    void *it = NULL;
    const char *key = NULL;
    const Js *value = NULL;
    char *printed = NULL;
    Text text = {0};
    js_set_int(whole, "schema", 1);
    js_set_str(whole, "command", context->command->name);
    if (context->command->uses & USES_SEED) {
        js_set_int(whole, "seed", (int64_t)context->seed);
    }
    while (js_next(document, &it, &key, &value)) {
        js_set(whole, key, js_keep(value));
    }
    int rc = js_print(&printed, whole, indent);
    if (rc == 0) {
        text_add(&text, "%s\n", printed);
        rc = text.failed ? OGPT_ENOMEM : stdout_write(text.data);
    }
    text_release(&text);
    mem_free(printed);
    js_free(whole);
    return rc;
}

int context_part(Context *context, Js *document, const char *text)
{
    Text copy = {0};
    int rc = 0;
    if (context->json) {
        rc = document_write(context, document, 0);
    } else {
        style_wrap(&copy, text ? text : "", context->style.wraps ? context->style.width : 0);
        text_add(&copy, "%s", ""); /* an empty part is still a text */
        rc = !text || copy.failed ? OGPT_ENOMEM : 0;
        if (rc == 0) {
            controls_blank(copy.data, context->style.colour);
            rc = stdout_write(copy.data);
        }
    }
    text_release(&copy);
    js_free(document);
    return rc;
}

static int muted; /* depth; commands run one at a time, in one thread */

void results__mute(int change)
{
    muted += change;
}

int context_result(Context *context, Js *document, const char *text)
{
    int rc = 0;
    if (muted > 0) {
        rc = !text && !context->json ? OGPT_ENOMEM : 0;
    } else if (context->json) { /* the document names the seed */
        rc = document_write(context, document, 2);
    } else if (!text) {
        rc = OGPT_ENOMEM;
    } else {
        char *copy = mem_strdup(text, "the result's text");
        rc = !copy ? OGPT_ENOMEM : 0;
        if (copy) {
            if (context->tell_seed) {
                context_say(context, "seed %llu", (unsigned long long)context->seed);
            }
            controls_blank(copy, context->style.colour);
            rc = stdout_write(copy);
        }
        mem_free(copy);
    }
    js_free(document);
    return rc;
}

/* Lines on stderr; a progress bar there is wiped first. They fit a terminal; elsewhere each stays
 * one line. */
static void line_write(const char *before, const char *format, va_list arguments)
{
    char line[1200];
    Text text = {0}, fitted = {0};
    if (!ranks_first()) {
        return;
    }
    vsnprintf(line, sizeof(line), format, arguments);
    controls_blank(line, false);
    text_add(&text, "%s%s\n", before, line);
    if (terminal_is(STDERR_FILENO) && text.data) {
        style_lines(&fitted, text.data, terminal_width(STDERR_FILENO));
    }
    fprintf(stderr, "%s%s", terminal_redraws(STDERR_FILENO) ? "\r\033[K" : "",
            fitted.data ? fitted.data
            : text.data ? text.data
                        : line);
    text_release(&text);
    text_release(&fitted);
}

void context_next(const Context *context, const char *format, ...)
{
    va_list arguments;
    if (context->quiet || context->json || muted > 0) {
        return;
    }
    va_start(arguments, format);
    line_write("next: ", format, arguments);
    va_end(arguments);
}

void context_warn(const Context *context, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line_write("ogpt: warning: ", format, arguments);
    va_end(arguments);
}

void context_say(const Context *context, const char *format, ...)
{
    va_list arguments;
    if (context->quiet) {
        return;
    }
    va_start(arguments, format);
    line_write("", format, arguments);
    va_end(arguments);
}
