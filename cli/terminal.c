/* cli/terminal.c - the one place that asks the terminal. Contract in cli/terminal.h. */
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MOST 10000

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0' ? value : NULL;
}

int terminal_width(int fd)
{
    struct winsize size;
    int width = TERMINAL_WIDTH;
    const char *columns = variable("COLUMNS");
    char *end = NULL;
    long named = columns ? strtol(columns, &end, 10) : 0;
    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        width = size.ws_col;
    } else if (named > 0 && named <= COLUMNS_MOST && *end == '\0') {
        width = (int)named;
    }
    return width < TERMINAL_WIDTH_LEAST ? TERMINAL_WIDTH_LEAST : width;
}

bool terminal_is(int fd)
{
    return isatty(fd);
}

static bool is_dumb(void)
{
    const char *terminal = variable("TERM");
    return terminal && strcmp(terminal, "dumb") == 0;
}

bool terminal_redraws(int fd)
{
    return isatty(fd) && !is_dumb();
}

bool terminal_colour(int fd, const char *wish)
{
    if (strcmp(wish, "auto") != 0) {
        return strcmp(wish, "always") == 0;
    }
    return isatty(fd) && !variable("NO_COLOR") && variable("TERM") && !is_dumb();
}

bool terminal_utf8(const char **locale)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *value = NULL;
    for (size_t i = 0; !value && i < sizeof(names) / sizeof(names[0]); i++) {
        value = variable(names[i]);
    }
    value = value ? value : "C";
    if (locale) {
        *locale = value;
    }
    const char *codeset = strchr(value, '.');
    size_t length = codeset ? strcspn(codeset + 1, "@") : 0;
    return (length == 5 && strncasecmp(codeset + 1, "UTF-8", length) == 0) ||
           (length == 4 && strncasecmp(codeset + 1, "UTF8", length) == 0);
}
