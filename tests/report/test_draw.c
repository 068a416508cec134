/* tests/report/test_draw.c - boards side by side within a width, their marks, signs and colours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <math.h>
#include "report/draw.h"
#include "report/heat.h"

enum { B2 = 9, C3 = 18, A1 = 0, B1 = 1, D4 = 27 };

static void boards_stand_side_by_side(void **state)
{
    const GameVariant *variant = game_variant(4);
    DrawBoard boards[2] = {draw_of_board("true", variant, &variant->start),
                           draw_of_board("a title too long to fit", variant, &variant->start)};
    Text text = {0};
    boards[0].wrong = boards[0].edited = 1ull << B2; /* the stronger mark is shown */
    boards[1].edited = 1ull << C3;
    boards[1].chosen = 1ull << D4;
    boards[1].white |= 1ull << A1;
    boards[1].black |= 1ull << A1 | 1ull << B1;
    draw_boards(&text, variant, boards, 2, (TextStyle){0});
    assert_string_equal(text.data, "true          a title too l\n"
                                   "  a b c d       a b c d\n"
                                   "1 . * . .     1 ? X . .\n"
                                   "2 * O!X .     2 * O X .\n"
                                   "3 . X O *     3 . X O+*\n"
                                   "4 . . * .     4 . . * .<\n");
    text_release(&text);
    draw_legend(&text, boards, 1, (TextStyle){0});
    assert_string_equal(text.data, "X black, O white, . empty, * legal move, ! wrong, + edited\n");
    text_release(&text);
    draw_legend(&text, boards, 2, (TextStyle){0});
    assert_non_null(strstr(text.data, ", < the move\n"));
    text_release(&text);
}

/* Longest line, and number of boards in the first row of them. */
static void drawn(int *columns, int *a_row, int size, size_t n, TextStyle style)
{
    const GameVariant *variant = game_variant(size);
    DrawBoard boards[9];
    Text text = {0};
    char line[2000];
    for (size_t i = 0; i < n; i++) {
        boards[i] = draw_of_board("layer", variant, &variant->start);
        boards[i].wrong = ~0ull; /* a mark behind every square: the widest board */
    }
    draw_boards(&text, variant, boards, n, style);
    *columns = *a_row = 0;
    for (const char *c = text.data; *c != '\0'; c += strcspn(c, "\n") + 1) {
        snprintf(line, sizeof(line), "%.*s", (int)strcspn(c, "\n"), c);
        *columns = style_columns(line) > *columns ? style_columns(line) : *columns;
    }
    for (const char *c = text.data; c < strchr(text.data, '\n'); c++) {
        *a_row += strncmp(c, "layer", 5) == 0;
    }
    text_release(&text);
}

static void as_many_as_fit(void **state)
{
    int columns, a_row;
    drawn(&columns, &a_row, 8, 9, (TextStyle){.width = 80});
    assert_int_equal(a_row, 3);
    drawn(&columns, &a_row, 6, 9, (TextStyle){.width = 80});
    assert_int_equal(a_row, 4);
    drawn(&columns, &a_row, 8, 9, (TextStyle){.width = 200});
    assert_int_equal(a_row, 9);
    drawn(&columns, &a_row, 8, 9, (TextStyle){0});
    assert_int_equal(a_row, 9);
    for (int size = 4; size <= 8; size += 2) {
        for (int width = 20; width < 210; width++) {
            TextStyle style = {.width = width, .colour = width & 1, .unicode = width & 2};
            drawn(&columns, &a_row, size, 9, style);
            assert_in_range(columns, 1, width);
            /* One more would not fit. */
            int board = 2 + 2 * size, gap = 4;
            assert_true(a_row == 9 || (a_row + 1) * board + a_row * gap > width);
        }
    }
}

/* What a terminal shows without its colours. */
static void colours_drop(char *out, const char *text)
{
    while (*text != '\0') {
        size_t n = style_colour_length(text);
        text += n;
        if (n == 0) {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

static void colour_repeats_the_signs(void **state)
{
    const GameVariant *variant = game_variant(4);
    DrawBoard board = draw_of_board("", variant, &variant->start);
    Text plain = {0}, coloured = {0}, discs = {0};
    char without[1000];
    board.wrong = 1ull << B2;
    board.edited = 1ull << C3;
    draw_boards(&plain, variant, &board, 1, (TextStyle){0});
    draw_boards(&coloured, variant, &board, 1, (TextStyle){.colour = true});
    draw_boards(&discs, variant, &board, 1, (TextStyle){.unicode = true});
    assert_non_null(strstr(coloured.data, "\033[1;31mO!\033[0m"));
    assert_non_null(strstr(coloured.data, "\033[1;35mO+\033[0m"));
    assert_non_null(strstr(coloured.data, "\033[32m*\033[0m"));
    colours_drop(without, coloured.data);
    assert_string_equal(without, plain.data);
    assert_null(strchr(plain.data, '\033'));
    assert_string_equal(discs.data, "  a b c d\n"
                                    "1 \u00b7 * \u00b7 \u00b7\n"
                                    "2 * \u25cb!\u25cf \u00b7\n"
                                    "3 \u00b7 \u25cf \u25cb+*\n"
                                    "4 \u00b7 \u00b7 * \u00b7\n");
    text_release(&plain);
    text_release(&coloured);
    text_release(&discs);
    draw_legend(&discs, &board, 1, (TextStyle){.unicode = true});
    assert_string_equal(discs.data, "\u25cf black, \u25cb white, \u00b7 empty, * legal move, ! "
                                    "wrong, + edited\n");
    text_release(&discs);
}

static void a_grid_has_a_line_for_each_name(void **state)
{
    static const char *const names[] = {"z", "a name of more than fourteen"};
    const double values[] = {0.5, NAN, 1.0, -0.25};
    Text text = {0};
    (void)state;
    draw_grid(&text, &(HeatGrid){"title", names, 2, 2, values, false, NULL});
    assert_string_equal(text.data, "title\n"
                                   "                    0      1\n"
                                   "z                50.0      -\n"
                                   "a name of more  100.0  -25.0\n");
    text_release(&text);
    draw_grid(&text,
              &(HeatGrid){"title", names, 1, 2, values, false, (const char *[]){"embed", "3"}});
    assert_non_null(strstr(text.data, "\n                embed      3\nz "));
    text_release(&text);
    draw_grid(&text, &(HeatGrid){"title", names, 1, 1, values, true, NULL});
    assert_non_null(strstr(text.data, "\033[48;5;46;30m  50.0\033[0m"));
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boards_stand_side_by_side),
        cmocka_unit_test(as_many_as_fit),
        cmocka_unit_test(a_grid_has_a_line_for_each_name),
        cmocka_unit_test(colour_repeats_the_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
