/* report/text_style.h - how text for people is laid out: what every renderer of text is told.
 *
 * Whoever prints fills a TextStyle (the command line: cli/terminal.h); a room never asks the
 * terminal itself. {0} is the plainest text: lines of any length, no colour, plain letters.
 */
#ifndef OGPT_REPORT_TEXT_STYLE_H
#define OGPT_REPORT_TEXT_STYLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

typedef struct TextStyle {
    int width;    /* columns of a line of a table, of a row of boards; 0: any */
    bool wraps;   /* the same for lines of prose, which programs that read lines want whole */
    bool colour;  /* with colour sequences ("ESC [ ... m") */
    bool unicode; /* discs of boards as signs beyond ASCII; the reader takes UTF-8 */
    bool wide;    /* tables with all columns, uncut, whatever the width */
} TextStyle;

/* Columns that a text takes up: characters of UTF-8, without colour sequences. */
int style_columns(const char *text);
/* Length in bytes of the colour sequence at `text`, 0: none. */
size_t style_colour_length(const char *text);
/* Length in bytes of the longest beginning of `text` that takes up at most `columns`. */
size_t style_cut(const char *text, int columns);

/* Add the lines of `text` with those that are too long for `width` (0: none) broken at blanks. What
 * follows a break is indented to the first word behind a run of two or more blanks, if that is in
 * the left half of the line, else as the line itself. A word that is too long stays whole, at the
 * indent of the line. */
void style_wrap(Text *out, const char *text, int width);
/* Add a command line to be pasted, as lines of at most `width` columns (0: any) if its words allow:
 * where one is broken, a backslash tells the shell that it goes on. `indent`: of the first line. */
void style_paste(Text *out, const char *line, size_t length, int indent, int width);

/* Add lines for a terminal of this width: those that begin a command, which is pasted, with
 * backslashes at their breaks. */
void style_lines(Text *out, const char *text, int width);

#endif
