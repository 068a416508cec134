/* cli/terminal.h - what the terminal is asked: its width, whether it takes colour, whether it takes
 * signs beyond ASCII. Nobody else asks; renderers are told by a TextStyle (report/text_style.h).
 */
#ifndef OGPT_CLI_TERMINAL_H
#define OGPT_CLI_TERMINAL_H

#include <stdbool.h>

enum { TERMINAL_WIDTH = 80, TERMINAL_WIDTH_LEAST = 20 }; /* columns */

/* Columns of a line: those of the terminal at file descriptor `fd`, asked anew at every call since
 * a window may be resized; else the variable COLUMNS; else TERMINAL_WIDTH. Never below
 * TERMINAL_WIDTH_LEAST. */
int terminal_width(int fd);
/* Whether `fd` is a terminal. */
bool terminal_is(int fd);
/* Whether a line on `fd` can be written anew: a terminal, and TERM is not dumb. */
bool terminal_redraws(int fd);
/* Whether to write colour to `fd`; `wish` is the word of --color: "always", "never", or "auto",
 * which means on a terminal, unless NO_COLOR is set and not empty (no-color.org) or TERM is dumb.
 */
bool terminal_colour(int fd, const char *wish);
/* Whether the locale's characters are UTF-8, by the first of LC_ALL, LC_CTYPE and LANG that is set
 * (POSIX, Base Definitions, 8.2). *locale (NULL: not wanted): its name, "C" if none is set. */
bool terminal_utf8(const char **locale);

#endif
