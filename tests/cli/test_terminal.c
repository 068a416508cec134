/* tests/cli/test_terminal.c - what the terminal is asked. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths),
        cmocka_unit_test(locales),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
