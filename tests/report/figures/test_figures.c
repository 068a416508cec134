/* tests/report/figures/test_figures.c - figures by their numbers: what is taken out of rows, where
 * its marks lie, what the words say, and the files. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "report/figures/axis.h"
#include "report/figures/describe.h"
#include "report/ink/ink.h"
#include "report/figures/page.h"

static const Column columns[] = {
    {"layer", "layer", .type = COLUMN_LAYER},
    {"who", "who", .type = COLUMN_TEXT},
    {"accuracy", "accuracy", .unit = "%", .digits = 1, .interval = true},
    {"other", "other", .digits = 2},
};
static const FigurePart parts[] = {
    {.x = "layer", .y = {"accuracy"}, .series = "who", .where = "who", .is = "probe|random_model"},
    {.y = {"accuracy"}, .series = "who", .where = "who", .is = "floor"},
};
static const FigurePart missing_parts[] = {{.x = "layer", .y = {"nothing"}}};
static const FigureSpec figures[] = {
    {"accuracy", "Accuracy by layer", FIGURE_LINES, FIGURE_PARTS(parts)},
    {"missing", "No such column", FIGURE_LINES, FIGURE_PARTS(missing_parts)},
};
static const TableSpec spec = {"rows", TABLE_COLUMNS(columns), TABLE_FIGURES(figures)};

static void row_add(Table *table, int layer, const char *who, Interval accuracy)
{
    table_row(table);
    table_int(table, "layer", layer);
    table_text(table, "who", who);
    table_interval(table, "accuracy", accuracy);
}

static void table_fill(Table *table)
{
    table_init(table, &spec);
    row_add(table, -1, "probe", (Interval){0.5, 0.4, 0.6});
    row_add(table, 0, "probe", (Interval){NAN, NAN, NAN});
    row_add(table, 1, "probe", (Interval){0.9, 0.85, 0.95});
    row_add(table, 2, "probe", (Interval){0.8, 0.75, 0.85});
    row_add(table, 1, "random_model", (Interval){0.3, 0.2, 0.4});
    row_add(table, 5, "floor", (Interval){0.25, 0.2, 0.3});
    assert_int_equal(table_check(table), 0);
}

static Marks place(const Table *table, const FigureSpec *figure, double width)
{
    FigureData data;
    Marks marks = {0};
    assert_int_equal(figure_data_take(&data, figure, &(FigureSource){&table, 1, NULL}, 1), 0);
    figure_place(&marks, &data, (FigureStyle){.width_mm = width});
    assert_false(marks.failed);
    figure_data_release(&data);
    return marks;
}

static size_t count(const Marks *marks, const char *role)
{
    size_t n = 0;
    for (size_t i = 0; i < marks->n; i++) {
        n += strcmp(marks->list[i].role, role) == 0;
    }
    return n;
}

/* The mark of a role that stands for y, NULL: none. */
static const Mark *mark_of(const Marks *marks, const char *role, double y)
{
    for (size_t i = 0; i < marks->n; i++) {
        if (strcmp(marks->list[i].role, role) == 0 && fabs(marks->list[i].y - y) < 1e-9) {
            return &marks->list[i];
        }
    }
    return NULL;
}

static double y_of(const Marks *marks, const char *role, double y)
{
    const Mark *mark = mark_of(marks, role, y);
    assert_non_null(mark);
    return marks->points[mark->first].y;
}

/* Values lie on the page in proportion, NaN leaves a gap, and a control without a layer goes
 * across. */
static void lines_lie_where_their_numbers_say(void **state)
{
    Table table;
    table_fill(&table);
    Marks marks = place(&table, &figures[0], 84);
    assert_int_equal(count(&marks, "value"), 4); /* three layers, one random model */
    assert_int_equal(count(&marks, "line"), 1);  /* layers 1 and 2; the gap parts -1 from them */
    assert_int_equal(count(&marks, "across"), 1);
    double a = y_of(&marks, "value", 50), b = y_of(&marks, "value", 80),
           c = y_of(&marks, "value", 90);
    assert_true(a > b && b > c); /* upwards */
    assert_float_equal((a - b) / (a - c), 30.0 / 40.0, 1e-6);
    assert_float_equal(y_of(&marks, "across", 25), a + (a - c) * 25 / 40, 1e-6);
    const Mark *line = mark_of(&marks, "across", 25), *value = mark_of(&marks, "value", 90);
    assert_true(line->dash != 0 && value->marker != mark_of(&marks, "value", 30)->marker);
    for (size_t i = 0; i < marks.n_points; i++) { /* nothing lies beyond the page */
        assert_in_range((int)(10 * marks.points[i].x), 0, (int)(10 * marks.width));
        assert_in_range((int)(10 * marks.points[i].y), 0, (int)(10 * marks.height));
    }
    marks_release(&marks);
    table_release(&table);
    (void)state;
}

/* Axes end, and their ticks are few and in order: numbers diverged, tiny, or all equal. */
static void axes_of_any_numbers_end(void **state)
{
    static const double ends[][2] = {{0, 1},           {1e300, 1e300}, {-1e308, 1e308},
                                     {5e-324, 1e-300}, {1e17, 1e17},   {-3e200, -3e200},
                                     {1e-5, 1e9},      {7, 7}};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        for (int log = 0; log < 2; log++) {
            AxisRange range = {NAN, NAN};
            FigureAxis figure = {.log = log};
            axis_range_see(&range, ends[i][0], log);
            axis_range_see(&range, ends[i][1], log);
            Axis axis = axis_make(range, &figure, NULL, 5);
            assert_in_range(axis.n, 0, AXIS_TICKS_MAX);
            assert_true(isfinite(axis.low) && isfinite(axis.high) && axis.low < axis.high);
            for (int t = 1; t < axis.n; t++) {
                assert_true(axis.ticks[t] >= axis.ticks[t - 1]);
            }
            axis.from = 0;
            axis.to = 1;
            double middle = axis_place(&axis, log ? sqrt(axis.low) * sqrt(axis.high)
                                                  : axis.low / 2 + axis.high / 2);
            assert_float_equal(middle, 0.5, 1e-3);
        }
    }
    (void)state;
}

static void words_have_the_numbers(void **state)
{
    Table table;
    const Table *list[] = {&table};
    Text text = {0};
    table_fill(&table);
    assert_int_equal(figure_describe(&text, &figures[0], &(FigureSource){list, 1, "run 7"}, 1), 0);
    assert_string_equal(text.data,
                        "Lines over layer.\n"
                        "run 7: probe (%): embed 50.0 [40.0, 60.0]; 0 -; 1 90.0 [85.0, 95.0]; "
                        "2 80.0 [75.0, 85.0].\n"
                        "run 7: random model (%): 1 30.0 [20.0, 40.0].\n"
                        "run 7: floor (%): 25.0 [20.0, 30.0].\n");
    text_release(&text);
    assert_int_not_equal(figure_describe(&text, &figures[1], &(FigureSource){list, 1, NULL}, 1), 0);
    table_release(&table);
    (void)state;
}

/* Two tables may have the same figure: it is offered once. */
static void names_are_offered_once(void **state)
{
    static const FigureSpec others[] = {{.name = "other"}, {.name = "accuracy"}};
    static const TableSpec second = {"again", TABLE_COLUMNS(columns), TABLE_FIGURES(others)};
    const TableSpec *const tables[] = {&spec, &second, NULL}, *const none[] = {NULL};
    char names[64];
    assert_string_equal(figure_names(names, sizeof(names), tables), "accuracy|missing|other");
    assert_null(figure_names(names, sizeof(names), none));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_lie_where_their_numbers_say),
        cmocka_unit_test(axes_of_any_numbers_end),
        cmocka_unit_test(words_have_the_numbers),
        cmocka_unit_test(names_are_offered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
