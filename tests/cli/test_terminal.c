/* tests/cli/test_terminal.c - what the terminal is asked, and lines of progress that fit it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/framework.h"
#include "cli/terminal.h"

static void widths(void **state)
{
    struct winsize size = {.ws_row = 24, .ws_col = 123};
    int master, slave, file = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
    unsetenv("COLUMNS");
    assert_int_equal(terminal_width(file), 80);
    assert_int_equal(terminal_width(slave), 123);
    setenv("COLUMNS", "100", 1); /* of the reader of a pipe; a terminal knows better */
    assert_int_equal(terminal_width(file), 100);
    assert_int_equal(terminal_width(slave), 123);
    size.ws_col = 41; /* resized while the program runs */
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
    assert_int_equal(terminal_width(slave), 41);
    size.ws_col = 0; /* a terminal that does not know */
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
    assert_int_equal(terminal_width(slave), 100);
    static const char *const wrong[] = {"", "x", "90x", "-5", "0", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        setenv("COLUMNS", wrong[i], 1);
        assert_int_equal(terminal_width(file), 80);
    }
    setenv("COLUMNS", "3", 1);
    assert_int_equal(terminal_width(file), TERMINAL_WIDTH_LEAST);
    unsetenv("COLUMNS");

    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    assert_true(terminal_is(slave) && !terminal_is(file));
    assert_true(terminal_redraws(slave) && !terminal_redraws(file));
    assert_true(terminal_colour(slave, "auto") && !terminal_colour(file, "auto"));
    assert_true(terminal_colour(file, "always") && !terminal_colour(slave, "never"));
    setenv("NO_COLOR", "1", 1);
    assert_false(terminal_colour(slave, "auto"));
    assert_true(terminal_colour(slave, "always"));
    setenv("NO_COLOR", "", 1); /* set and empty: as if it were not */
    assert_true(terminal_colour(slave, "auto"));
    setenv("TERM", "dumb", 1);
    assert_false(terminal_colour(slave, "auto"));
    assert_false(terminal_redraws(slave));
    close(file);
    close(slave);
    close(master);
}

static void locales(void **state)
{
    const char *name = NULL;
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    unsetenv("LANG");
    assert_false(terminal_utf8(&name));
    assert_string_equal(name, "C");
    setenv("LANG", "de_DE.UTF-8", 1);
    assert_true(terminal_utf8(&name));
    setenv("LC_CTYPE", "en_US.utf8@euro", 1);
    assert_true(terminal_utf8(NULL));
    setenv("LC_CTYPE", "en_US.ISO-8859-1", 1);
    assert_false(terminal_utf8(&name));
    assert_string_equal(name, "en_US.ISO-8859-1");
    setenv("LC_ALL", "C.UTF-8", 1); /* stronger than the others */
    assert_true(terminal_utf8(NULL));
    setenv("LC_ALL", "UTF-8-like", 1);
    assert_false(terminal_utf8(NULL));
    unsetenv("LC_ALL");
}

static char *line_of(Text *line, int width, const char *detail)
{
    static const Context quiet;
    Progress bar = {.context = &quiet,
                    .label = "fitting layer embed of six",
                    .unit = "games",
                    .total = 360000,
                    .start = 1,
                    .first = 0};
    text_release(line);
    progress__line(line, &bar, 90000, 11, detail, width);
    return line->data;
}

static void progress_fits(void **state)
{
    Text line = {0};
    const char *detail = "the history MLP, epoch 12";
    assert_string_equal(line_of(&line, 0, NULL),
                        "fitting layer embed of six  25 %  90000 of 360000 games, 9000 games/s, "
                        "30 s left");
    assert_string_equal(line_of(&line, 200, detail),
                        "fitting layer embed of six [######..................]  25 %  90000 of "
                        "360000 games, 9000 games/s, 30 s left  the history MLP, epoch 12");
    /* The rate goes first, then the detail, then the end of the label. */
    assert_string_equal(line_of(&line, 125, detail),
                        "fitting layer embed of six [######..................]  25 %  90000 of "
                        "360000 games, 30 s left  the history MLP, epoch 12");
    assert_string_equal(line_of(&line, 110, detail), /* the bar makes room */
                        "fitting layer embed of six [###...........]  25 %  90000 of 360000 games, "
                        "30 s left  the history MLP, epoch 12");
    assert_string_equal(line_of(&line, 95, detail),
                        "fitting layer embed of six [######..................]  25 %  90000 of "
                        "360000 games, 30 s left");
    assert_string_equal(line_of(&line, 79, detail),
                        "fitting lay~ [######..................]  25 %  90000 of 360000 games, "
                        "30 s left");
    for (int width = TERMINAL_WIDTH_LEAST - 1; width < 200; width++) {
        line_of(&line, width, detail);
        assert_in_range(style_columns(line.data), 1, width);
        assert_non_null(strstr(line.data, " 25 %")); /* the last thing to go */
    }
    text_release(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths),
        cmocka_unit_test(locales),
        cmocka_unit_test(progress_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
