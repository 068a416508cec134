/* report/text_style.c - widths and line breaks. Contract in report/text_style.h. */
#include "report/text_style.h"

#include <string.h>

size_t style_colour_length(const char *text)
{
    if (text[0] != '\033' || text[1] != '[') {
        return 0;
    }
    size_t n = 2 + strspn(text + 2, "0123456789;");
    return text[n] == 'm' ? n + 1 : 0;
}

/* Bytes of the character or colour sequence at `text`, which is not empty; *columns: what it takes
 * up. */
static size_t step_at(int *columns, const char *text)
{
    size_t n = style_colour_length(text);
    *columns = n > 0 ? 0 : 1;
    if (n > 0) {
        return n;
    }
    for (n = 1; ((unsigned char)text[n] & 0xc0) == 0x80;) {
        n++;
    }
    return n;
}

static int columns_of(const char *text, size_t length)
{
    int total = 0, columns = 0;
    for (size_t i = 0; i < length;) {
        i += step_at(&columns, text + i);
        total += columns;
    }
    return total;
}

int style_columns(const char *text)
{
    return columns_of(text, strlen(text));
}

size_t style_cut(const char *text, int columns)
{
    size_t n = 0;
    while (text[n] != '\0') {
        int more = 0;
        size_t step = step_at(&more, text + n);
        if (more > columns) {
            return n;
        }
        columns -= more;
        n += step;
    }
    return n;
}

/* Where the lines behind the first one begin. */
static int hanging_indent(const char *line, size_t length, int width)
{
    size_t lead = strspn(line, " ");
    for (size_t i = lead; i + 2 < length; i++) {
        if (line[i] == ' ' && line[i + 1] == ' ') {
            size_t n = i + strspn(line + i, " ");
            int column = columns_of(line, n);
            return n < length && column <= width / 2 ? column : (int)lead;
        }
    }
    return (int)lead;
}

/* Bytes of `line` up to the blank at which it is broken: the last that leaves the rest of the line
 * within `columns`, else the first of all; `length` if there is none. `least`: the blanks that
 * indent a line are no place to break it. */
static size_t break_at(const char *line, size_t length, int columns, size_t least)
{
    size_t fits = style_cut(line, columns);
    if (fits >= length) {
        return length;
    }
    for (size_t i = fits; i > least; i--) {
        if (line[i] == ' ') {
            return i;
        }
    }
    for (size_t i = fits > least ? fits : least; i < length; i++) {
        if (line[i] == ' ') {
            return i;
        }
    }
    return length;
}

static void line_wrap(Text *out, const char *line, size_t length, int width)
{
    int hanging = hanging_indent(line, length, width), indent = 0;
    int lead = (int)strspn(line, " ");
    size_t least = (size_t)lead;
    do {
        size_t n = width > 0 ? break_at(line, length, width - indent, least) : length;
        if (width > 0 && indent > lead && columns_of(line, n) > width - indent) {
            indent = lead; /* a word that is too long only there, such as a hash */
            n = break_at(line, length, width - indent, least);
        }
        size_t shown = n;
        while (n < length && shown > 0 && line[shown - 1] == ' ') {
            shown--;
        }
        text_add(out, "%*s%.*s", indent, "", (int)shown, line);
        n += n < length ? strspn(line + n, " ") : 0;
        line += n;
        length -= n;
        indent = hanging;
        least = 0;
        text_add(out, "%s", length > 0 ? "\n" : "");
    } while (length > 0);
}

void style_wrap(Text *out, const char *text, int width)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        line_wrap(out, text, length, width);
        text += length;
        if (*text == '\n') {
            text_add(out, "\n");
            text++;
        }
    }
}

/* Bytes of a command line up to where it is broken: the last blank outside quotes before an option
 * that leaves them within `columns`, else the last or the first blank of all; `length` if all fits
 * or there is none. */
static size_t words_that_fit(const char *line, size_t length, size_t columns)
{
    size_t fits = length, before_option = 0;
    char quote = '\0';
    for (size_t i = 0; i < length && length > columns; i++) {
        if (quote != '\0') {
            quote = line[i] == quote ? '\0' : quote;
        } else if (line[i] == '"' || line[i] == '\'') {
            quote = line[i];
        } else if (line[i] == ' ' && i + strlen(" \\") <= columns) {
            fits = i;
            before_option = strncmp(line + i, " --", 3) == 0 ? i : before_option;
        } else if (line[i] == ' ' && fits == length) {
            fits = i;
        }
    }
    return before_option > 0 ? before_option : fits;
}

void style_paste(Text *text, const char *line, size_t length, int indent, int width)
{
    while (length > 0) {
        size_t columns = width > 0 ? (size_t)(width - indent) : length;
        size_t n = words_that_fit(line, length, columns);
        text_add(text, "%*s%.*s%s\n", indent, "", (int)n, line, n < length ? " \\" : "");
        n += n < length; /* the blank */
        line += n;
        length -= n;
        indent = 6;
    }
}

void style_lines(Text *out, const char *text, int width)
{
    static const char *const commands[] = {"ogpt ", "$ ogpt ", "next: ogpt "};
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        bool is_command = false;
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
            is_command = is_command || strncmp(text, commands[i], strlen(commands[i])) == 0;
        }
        if (is_command) {
            style_paste(out, text, length, 0, width);
        } else {
            Text line = {0};
            text_add(&line, "%.*s\n", (int)length, text);
            style_wrap(out, line.data ? line.data : "", width);
            text_release(&line);
        }
        text += length + (text[length] == '\n');
    }
}
