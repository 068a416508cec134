/* tests/cli/test_pty.c - what a reader sees: commands in pseudo-terminals of 80x24 and of 200x50,
 * in which no line may be wider than the terminal and no redraw of a progress bar may wrap.
 * label: slow */
#include "tests/base/base_test.h"

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

#define ARGS_MAX 40

/* A terminal, as far as this matters: where its cursor is, and what it was made to do. */
typedef struct Screen {
    int width;
    int column;       /* characters in the line so far */
    int widest;       /* of any line */
    int wraps;        /* characters that did not fit their line */
    int redraws;      /* lines begun anew by a carriage return */
    bool escape;      /* inside a control sequence */
    bool returned;    /* the last character was a carriage return */
    int colours;      /* sequences that set one */
    int discs;        /* characters beyond ASCII */
    Text text;        /* all of it, without control characters */
    char wrapped[81]; /* the beginning of the first line that did */
    char line[81];
} Screen;

static void screen_take(Screen *screen, unsigned char c)
{
    if (screen->escape) {
        screen->escape = c == '[' || c == ';' || (c >= '0' && c <= '9');
        screen->colours += c == 'm';
        return;
    }
    bool returned = screen->returned;
    screen->returned = c == '\r';
    if (c == '\033') {
        screen->escape = true;
        screen->redraws += returned;
    } else if (c == '\r' || c == '\n') {
        screen->column = 0;
        if (c == '\n') {
            text_add(&screen->text, "\n");
        }
    } else if ((c & 0xc0) != 0x80) { /* the first byte of a character */
        screen->redraws += returned;
        screen->discs += c >= 0x80;
        if (screen->column == screen->width) {
            if (screen->wraps++ == 0) {
                snprintf(screen->wrapped, sizeof(screen->wrapped), "%s", screen->line);
            }
            screen->column = 0;
        }
        if (screen->column < 80) {
            screen->line[screen->column] = (char)c;
            screen->line[screen->column + 1] = '\0';
        }
        screen->column++;
        screen->widest = screen->column > screen->widest ? screen->column : screen->widest;
        text_add(&screen->text, "%c", c < 0x80 ? c : '@');
    }
}

static const char *typed; /* by the user of the next command, or NULL */

/* Run the program with the words of `line` in a terminal; after `redraws` (0: never) it is
 * interrupted. Returns its exit code. */
static int run_in(Screen *screen, int columns, int rows, int redraws, const char *line)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    char copy[500], *words[ARGS_MAX + 1] = {getenv("OGPT")}, *rest = NULL;
    int master, status = -1, n = 1;
    unsigned char bytes[4096];
    ssize_t got = typed ? (ssize_t)strlen(typed) : 0;
    bool stopped = false;
    text_release(&screen->text);
    memset(screen, 0, sizeof(*screen));
    screen->width = columns;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word && n < ARGS_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        words[n++] = word;
    }
    if (!words[0]) {
        fail_msg("OGPT names no program");
        return -1;
    }
    pid_t child = forkpty(&master, NULL, NULL, &size);
    assert_true(child >= 0);
    if (child == 0) {
        execv(words[0], words);
        _exit(127);
    }
    assert_true(!typed || write(master, typed, (size_t)got) == got);
    while ((got = read(master, bytes, sizeof(bytes))) > 0 || (got < 0 && errno == EINTR)) {
        for (ssize_t i = 0; i < got; i++) {
            screen_take(screen, bytes[i]);
        }
        if (redraws > 0 && screen->redraws >= redraws && !stopped) {
            stopped = true;
            kill(child, SIGINT);
        }
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    close(master);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void check_fits(const Screen *screen, const char *line)
{
    if (screen->wraps > 0) {
        fail_msg("ogpt %s: %d characters beyond column %d, first in: %s", line, screen->wraps,
                 screen->width, screen->wrapped);
    }
    assert_non_null(screen->text.data);
}

/* Run, expect this exit code, and check that all of it fits. */
static void run_and_check(Screen *screen, int columns, int code, const char *line)
{
    int found = run_in(screen, columns, columns == 80 ? 24 : 50, 0, line);
    if (found != code) {
        fail_msg("ogpt %s: exit code %d, expected %d: %s", line, found, code, screen->text.data);
    }
    check_fits(screen, line);
}

/* A network, its probe and what else the commands read. */
static int make_inputs(void **state)
{
    static const char *const lines[] = {
        "generate games.ogpc --size 6 --games 600 --quiet",
        "train net --corpus games.ogpc --layers 6 --d-model 16 --heads 2 --batch 16 --steps 8 "
        "--quiet",
        "probe fit net --corpus games.ogpc --out probe --games 40 --test-games 20 --no-controls "
        "--quiet",
        "cases make cases.csv --kind natural --n 10 --size 6 --quiet",
    };
    Screen screen = {0};
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
    if (work_create(state) != 0 || chdir(run_folder) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (run_in(&screen, 80, 24, 0, lines[i]) != 0) {
            fail_msg("ogpt %s: %s", lines[i], screen.text.data);
        }
    }
    text_release(&screen.text);
    return 0;
}

static const int both[] = {80, 200};

/* Both widths; the narrow one alone under the sanitizers, which look at the code and not at the
 * lines. */
static size_t n_widths(void)
{
    const char *sanitized = getenv("OGPT_SANITIZED");
    return sanitized && strcmp(sanitized, "1") == 0 ? 1 : 2;
}

static void results_fit(void **state)
{
    static const char *const lines[] = {
        "show net --probe probe --moves e4e5b3e3f6 --flip d4 --layer 2",
        "show net --probe probe --moves e4e5b3e3f6 --probabilities",
        "cases show cases.csv 0",
        "corpus show games.ogpc 0",
        "corpus info games.ogpc",
        "saliency net --probe probe --moves e4e5b3e3 --move f6",
        "eval net --corpus games.ogpc --games 60",
        "intervene net --probe probe --cases cases.csv --layers 1,2 --scale 0.5r",
        "runs list",
        "runs show",
        "runs diff 1 2",
        "runs table probes_by_layer",
        "doctor",
        "verify net probe games.ogpc",
    };
    Screen screen = {0};
    for (size_t w = 0; w < n_widths(); w++) {
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            run_and_check(&screen, both[w], 0, lines[i]);
        }
    }
    typed = "f5\nd3\nhint\nflip d4\nflip c3\nhelp\nquit\n";
    run_and_check(&screen, 80, 0, "play net --probe probe --human both");
    assert_non_null(strstr(screen.text.data, "undo"));
    typed = NULL;
    text_release(&screen.text);
}

/* The width is used where it is there: boards in one row, help in fewer lines, and colour. */
static void the_width_is_used(void **state)
{
    Screen narrow = {0}, wide = {0};
    const char *show = "show net --probe probe --moves e4e5b3e3f6 --unicode";
    run_and_check(&narrow, 80, 0, show);
    run_and_check(&wide, 200, 0, show);
    assert_true(narrow.widest <= 80 && wide.widest > 120);
    assert_int_equal(narrow.discs, wide.discs);
    assert_true(narrow.discs > 10);
    assert_true(narrow.colours > 0);
    assert_non_null(strstr(narrow.text.data, "! wrong"));
    const char *plain = "show net --probe probe --moves e4e5b3e3f6 --color never";
    run_and_check(&narrow, 80, 0, plain);
    assert_int_equal(narrow.colours, 0);
    setenv("NO_COLOR", "1", 1);
    setenv("LC_ALL", "C", 1);
    run_and_check(&narrow, 80, 0, show);
    assert_int_equal(narrow.colours, 0);
    assert_non_null(strstr(narrow.text.data, "--unicode: the locale is C"));
    unsetenv("NO_COLOR");
    setenv("LC_ALL", "C.UTF-8", 1);
    text_release(&narrow.text);
    text_release(&wide.text);
}

static void help_fits(void **state)
{
    static const char *const lines[] = {"help", "help probe", "help intervene", "train --help"};
    Screen screen = {0};
    for (size_t w = 0; w < n_widths(); w++) {
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            run_and_check(&screen, both[w], 0, lines[i]);
            assert_true(both[w] == 80 || screen.widest > 80);
        }
    }
    text_release(&screen.text);
}

/* Progress is redrawn in its line. The bars are those of the demo's steps; the demo itself is
 * interrupted as soon as its bars were drawn often enough. */
static void progress_stays_in_its_line(void **state)
{
    static const char *const fit =
        "probe fit net --corpus games.ogpc --out again --games 60 --test-games 20 --force";
    Screen screen = {0};
    for (size_t w = 0; w < n_widths(); w++) {
        run_and_check(&screen, both[w], 0, fit);
        assert_true(screen.redraws > 3);
        assert_true(mkdir("demo", 0755) == 0 && chdir("demo") == 0); /* it wants an empty folder */
        int code = run_in(&screen, both[w], 24, 8, "demo");
        assert_true(chdir("..") == 0 && dir_remove("demo") == 0);
        if (code != 130) {
            fail_msg("demo: exit code 130 expected, found %d: %s", code, screen.text.data);
        }
        check_fits(&screen, "demo");
        assert_true(screen.redraws >= 8);
    }
    text_release(&screen.text);
}

/* The twin: the check sees a line that is too wide, and one that just fits. */
static void the_screen_sees_wide_lines(void **state)
{
    Screen screen = {.width = 10};
    for (const char *c = "0123456789\r\n\033[32m0123\033[0m456789\r\033[K0123456789"; *c; c++) {
        screen_take(&screen, (unsigned char)*c);
    }
    assert_int_equal(screen.wraps, 0);
    assert_int_equal(screen.redraws, 1);
    assert_int_equal(screen.colours, 2);
    screen_take(&screen, 'x');
    assert_int_equal(screen.wraps, 1);
    assert_string_equal(screen.wrapped, "0123456789");
    text_release(&screen.text);
    /* --wide is wider than a terminal on purpose. */
    assert_int_equal(run_in(&screen, 80, 24, 0, "runs list --wide"), 0);
    assert_true(screen.wraps > 0);
    text_release(&screen.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_fit),
        cmocka_unit_test(the_width_is_used),
        cmocka_unit_test(help_fits),
        cmocka_unit_test(progress_stays_in_its_line),
        cmocka_unit_test(the_screen_sees_wide_lines),
    };
    return cmocka_run_group_tests(tests, make_inputs, work_remove);
}
