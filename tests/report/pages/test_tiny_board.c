/* tests/report/pages/test_tiny_board.c - boards as SVG, read back cell by cell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "report/pages/tiny_board.h"

#define SIDE 71

/* What a drawing shows: the step of each cell, by the opacity of its path. */
static void steps_read(int steps[SIDE][SIDE], const char *svg)
{
    static const double strengths[] = {0, .12, .24, .36, .48, .6, .74, .88, 1};
    memset(steps, 0, sizeof(int) * SIDE * SIDE);
    for (const char *at = svg; (at = strstr(at, "<path class=\"")); at++) {
        char kind;
        double strength;
        int n = 0, level = 0;
        if (sscanf(at, "<path class=\"%c\" opacity=\"%lf\" d=\"%n", &kind, &strength, &n) < 2) {
            continue;
        }
        for (int i = 1; i <= TINY_LEVELS; i++) {
            level = fabs(strengths[i] - strength) < 1e-9 ? i : level;
        }
        assert_true(level > 0);
        double left;
        int y, length, used = 0;
        for (const char *d = at + n; sscanf(d, "M%lf %dh%d%n", &left, &y, &length, &used) == 3;
             d += used) {
            for (int i = 0; i < length; i++) {
                const int x = (int)lround(left + 0.5) + i;
                assert_int_equal(steps[y][x], 0); /* no cell twice */
                steps[y][x] = kind == 'p' ? level : -level;
            }
        }
    }
}

static void values_draw(double *values, size_t n, uint64_t index)
{
    Rng rng = rng_at(7, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        values[i] = rng_normal(&rng);
    }
}

static int step_of(double value, double largest)
{
    return isnan(value) ? 0 : (int)lround(TINY_LEVELS * fmax(-1, fmin(1, value / largest)));
}

static void a_board_shows_every_square(void **state)
{
    static int steps[SIDE][SIDE];
    double values[64], largest = 0;
    values_draw(values, 64, 1);
    values[9] = NAN;
    values[10] = values[11]; /* neighbours that are one stroke */
    for (int sq = 0; sq < 64; sq++) {
        largest = isnan(values[sq]) ? largest : fmax(largest, fabs(values[sq]));
    }
    for (int given = 0; given < 2; given++) {
        Text out = {0};
        double full = given ? 1.5 : largest;
        tiny_board(&out, &(TinyBoard){.size = 8,
                                      .values = values,
                                      .largest = given ? 1.5 : 0,
                                      .label = "a <label> & more"});
        steps_read(steps, out.data);
        int different = 0, other = 0;
        for (int sq = 0; sq < 64; sq++) {
            assert_int_equal(steps[sq >> 3][sq & 7], step_of(values[sq], full));
            different += steps[sq >> 3][sq & 7] != 0;
            other += steps[sq >> 3][sq & 7] != step_of(values[sq], 2 * full);
        }
        assert_true(different > 50 && other > 30);
        assert_non_null(strstr(out.data, "aria-label=\"a &lt;label&gt; &amp; more\""));
        assert_true(out.length < 1500);
        text_release(&out);
    }
}

static void discs_lie_on_their_squares(void **state)
{
    Text out = {0};
    tiny_board(&out, &(TinyBoard){.size = 6,
                                  .black = 1ULL << 9,
                                  .white = 1ULL << 18 | 1,
                                  .turned = 1ULL << 18,
                                  .last = 1ULL << 9,
                                  .label = "b"});
    assert_non_null(strstr(out.data, "<path class=\"d\" d=\"M1 1h0\"/>"));
    assert_non_null(strstr(out.data, "<path class=\"w\" d=\"M0 0h0M2 2h0\"/>"));
    assert_non_null(strstr(out.data, "<path class=\"t\" d=\"M2 2h0\"/>"));
    assert_non_null(strstr(out.data, "<path class=\"m\" d=\"M1 1h0\"/>"));
    assert_non_null(strstr(out.data, "viewBox=\"-.6 -.6 6.2 6.2\""));
    text_release(&out);
    tiny_board(&out, &(TinyBoard){.size = 6, .label = "b"});
    assert_null(strstr(out.data, "class=\"d\""));
    assert_null(strstr(out.data, "class=\"t\""));
    text_release(&out);
    tiny_board_shared(&out, 6);
    assert_non_null(strstr(out.data, "M-0.5-.5v6M-.5 -0.5h6"));
    assert_non_null(strstr(out.data, "M5.5-.5v6M-.5 5.5h6"));
    assert_null(strstr(out.data, "M6.5"));
    text_release(&out);
}

static void the_largest_are_named(void **state)
{
    double values[64];
    Text out = {0};
    for (int sq = 0; sq < 64; sq++) {
        values[sq] = NAN;
    }
    tiny_board_largest(&out, values, 3);
    assert_string_equal(out.data, "none");
    text_release(&out);
    values[0] = 0.25;
    values[19] = -1.5;
    values[63] = 0.5;
    tiny_board_largest(&out, values, 2);
    assert_string_equal(out.data, "d3 -1.5, h8 +0.5");
    text_release(&out);
    tiny_board_largest(&out, values, 9);
    assert_string_equal(out.data, "d3 -1.5, h8 +0.5, a1 +0.25");
    text_release(&out);
}

/* Rows lie at their squares of the large board, columns at theirs of the little one. */
static void a_grid_shows_every_pair(void **state)
{
    static int steps[SIDE][SIDE];
    double values[144];
    const int sq[12] = {0, 1, 2, 3, 8, 11, 16, 19, 24, 25, 26, 27};
    TinyGrid grid = {.size = 4, .n = 12, .values = values, .sq = sq, .label = "g"};
    Text out = {0};
    values_draw(values, 144, 2);
    values[5] = NAN;
    tiny_grid(&out, &grid);
    steps_read(steps, out.data);
    int drawn = 0, wanted = 0, turned = 0;
    for (int i = 0; i < 144; i++) {
        const int from = sq[i / 12], to = sq[i % 12];
        const int y = (from >> 3) * 5 + (to >> 3), x = (from & 7) * 5 + (to & 7);
        assert_int_equal(steps[y][x], step_of(values[i], tiny_grid_most(&grid)));
        wanted += steps[y][x] != 0;
        turned += steps[x][y] != steps[y][x];
    }
    for (int i = 0; i < SIDE * SIDE; i++) {
        drawn += steps[i / SIDE][i % SIDE] != 0;
    }
    assert_int_equal(drawn, wanted); /* nothing elsewhere */
    assert_true(turned > 50);
    text_release(&out);

    grid.sq = NULL; /* by number */
    tiny_grid(&out, &grid);
    steps_read(steps, out.data);
    for (int i = 0; i < 144; i++) {
        assert_int_equal(steps[i / 12][i % 12], step_of(values[i], tiny_grid_most(&grid)));
    }
    text_release(&out);
}

static void the_largest_pairs_are_named(void **state)
{
    const double values[9] = {0, -2, 0.5, NAN, 2, 0, 0, 0, 1};
    const int sq[3] = {0, 9, 18};
    TinyGrid grid = {.size = 4, .n = 3, .values = values, .sq = sq};
    Text out = {0};
    tiny_grid_largest(&out, &grid, 3);
    assert_string_equal(out.data, "a1 to b2 -2, b2 to b2 +2, c3 to c3 +1");
    text_release(&out);
    grid.sq = NULL;
    tiny_grid_largest(&out, &grid, 9);
    assert_string_equal(out.data, "0 to 1 -2, 1 to 1 +2, 2 to 2 +1, 0 to 2 +0.5");
    text_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_shows_every_square),  cmocka_unit_test(discs_lie_on_their_squares),
        cmocka_unit_test(the_largest_are_named),       cmocka_unit_test(a_grid_shows_every_pair),
        cmocka_unit_test(the_largest_pairs_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
