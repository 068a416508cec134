/* tests/report/test_text_style.c - columns of a text, and lines broken or made to fit a width. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "report/progress_line.h"
#include "report/text_style.h"

static void columns(void **state)
{
    assert_int_equal(style_columns("abc"), 3);
    assert_int_equal(style_columns("\u25cf \u25cb"), 3);
    assert_int_equal(style_columns("\033[1;31mX!\033[0m."), 3);
    assert_int_equal(style_columns("\033[2J"), 4); /* no colour: characters like any other */
    assert_int_equal(style_cut("\u25cf\u25cbx", 2), 6);
    assert_int_equal(style_cut("abc", 5), 3);
    assert_int_equal(style_cut("\033[1mab\033[0m", 1), 5);
}

static void check_wrap(const char *text, int width, const char *wrapped)
{
    Text out = {0};
    style_wrap(&out, text, width);
    assert_string_equal(out.data ? out.data : "", wrapped);
    text_release(&out);
}

static void lines_are_broken(void **state)
{
    check_wrap("", 20, "");
    check_wrap("\n\nshort\n", 20, "\n\nshort\n");
    check_wrap("twelve chars", 12, "twelve chars");
    check_wrap("twelve chars", 11, "twelve\nchars");
    check_wrap("one two three four five\n", 10, "one two\nthree four\nfive\n");
    check_wrap("one two three four five\n", 0, "one two three four five\n");
    check_wrap("  --games N   how many games there are\n", 28,
               "  --games N   how many games\n              there are\n");
    check_wrap("    indented as the line before it\n", 20,
               "    indented as the\n    line before it\n");
    check_wrap("a word_that_is_longer_than_the_line here\n", 10,
               "a\nword_that_is_longer_than_the_line\nhere\n");
    check_wrap("long_first_word_of_all and more\n", 10, "long_first_word_of_all\nand more\n");
    check_wrap("  key    a 0123456789abcdef to\n", 18,
               "  key    a\n  0123456789abcdef\n         to\n");
    /* A gap in the right half is none to hang from. */
    check_wrap("the first words here  and then some more\n", 24,
               "the first words here\nand then some more\n");
    check_wrap("\u25cf\u25cf\u25cf\u25cf \u25cb\u25cb\u25cb\u25cb", 9,
               "\u25cf\u25cf\u25cf\u25cf \u25cb\u25cb\u25cb\u25cb");
    check_wrap("\033[31mred red\033[0m red", 7, "\033[31mred red\033[0m\nred");
}

static char *line_of(Text *line, int width, const char *detail)
{
    ProgressState state = {.label = "fitting layer embed of six",
                           .unit = "games",
                           .detail = detail,
                           .done = 90000,
                           .total = 360000,
                           .seconds = 10};
    text_release(line);
    progress_line(line, &state, width);
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
    /* A caller who knows that the rest takes longer says so. */
    ProgressState slower = {
        .label = "train", .unit = "steps", .done = 10, .total = 20, .seconds = 5, .left = 9};
    text_release(&line);
    progress_line(&line, &slower, 0);
    assert_string_equal(line.data, "train  50 %  10 of 20 steps, 2.00 steps/s, 9 s left");
    for (int width = 19; width < 200; width++) {
        line_of(&line, width, detail);
        assert_in_range(style_columns(line.data), 1, width);
        assert_non_null(strstr(line.data, " 25 %")); /* the last thing to go */
    }
    text_release(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(lines_are_broken),
        cmocka_unit_test(progress_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
