/* tests/report/figures/test_figure_kinds.c - dots, matrices, boards and graphs by their marks;
 * files, hostile names, tables of NaN. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/files.h"
#include "report/figures/page.h"
#include "report/ink/letters.h"
#include "tests/folder.h"

static const Column columns[] = {
    {"name", "name", .type = COLUMN_TEXT},
    {"other", "other", .type = COLUMN_TEXT},
    {"value", "value", .digits = 2, .interval = true},
    {"state", "state", .type = COLUMN_TEXT},
    {"wrong", "wrong", .type = COLUMN_YES_NO},
    {"to", "to", .type = COLUMN_TEXT},
};
static const FigurePart dot_parts[] = {{.x = "name", .y = {"value"}, .series = "other"}};
static const FigurePart square_parts[] = {
    {.x = "name", .y = {"value"}, .state = "state", .mark = "wrong", .facet = "other", .to = "to"}};
static const FigurePart edge_parts[] = {{.x = "name", .y = {"value"}}};
static const FigureSpec figures[] = {
    {"dots", "Dots", FIGURE_DOTS, FIGURE_PARTS(dot_parts), .y.zero = true, .most = 3},
    {"matrix", "Matrix", FIGURE_MATRIX, FIGURE_PARTS(dot_parts), .signs = true},
    {"board", "Board", FIGURE_BOARD, FIGURE_PARTS(square_parts), .signs = true},
    {"graph", "Graph", FIGURE_GRAPH, FIGURE_PARTS(edge_parts), .most = 50},
};
static const TableSpec spec = {"rows", TABLE_COLUMNS(columns), TABLE_FIGURES(figures)};

static void row_add(Table *table, const char *name, const char *other, double value)
{
    table_row(table);
    table_text(table, "name", name);
    table_text(table, "other", other);
    table_interval(table, "value", (Interval){value, value - 0.1, value + 0.1});
}

static Marks place(const Table *table, const FigureSpec *figure)
{
    FigureData data;
    Marks marks = {0};
    assert_int_equal(figure_data_take(&data, figure, &(FigureSource){&table, 1, NULL}, 1), 0);
    figure_place(&marks, &data, (FigureStyle){0});
    assert_false(marks.failed);
    figure_data_release(&data);
    for (size_t i = 0; i < marks.n; i++) { /* nothing lies beyond the page, letters included */
        const Mark *mark = &marks.list[i];
        for (size_t p = 0; p < mark->n; p++) {
            MarkPoint at = marks.points[mark->first + p];
            double width = mark->shape == MARK_TEXT ? letters_width(mark->text, mark->size) : 0;
            double left = at.x - width * (mark->anchor + 1) / 2;
            assert_true(left > -0.01 && left + width < marks.width + 0.01);
            assert_true(at.y > -0.01 && at.y < marks.height + 0.01);
        }
    }
    return marks;
}

static const Mark *mark_of(const Marks *marks, const char *role, double y)
{
    for (size_t i = 0; i < marks->n; i++) {
        if (strcmp(marks->list[i].role, role) == 0 &&
            (isnan(y) || fabs(marks->list[i].y - y) < 1e-9)) {
            return &marks->list[i];
        }
    }
    return NULL;
}

static size_t count(const Marks *marks, const char *role)
{
    size_t n = 0;
    for (size_t i = 0; i < marks->n; i++) {
        n += strcmp(marks->list[i].role, role) == 0;
    }
    return n;
}

/* Lines in the order of the rows, the smallest left out and said so, without a value no line. */
static void dots_keep_the_largest(void **state)
{
    Table table;
    table_init(&table, &spec);
    row_add(&table, "small", "edit", 0.1);
    row_add(&table, "none", "edit", NAN);
    row_add(&table, "a rather long name of a method that does not fit into its place", "edit",
            -0.9);
    row_add(&table, "second", "edit", 0.5);
    row_add(&table, "third", "random", 0.7);
    Marks marks = place(&table, &figures[0]);
    assert_int_equal(count(&marks, "name"), 3);
    assert_int_equal(count(&marks, "value"), 3);
    assert_int_equal(count(&marks, "interval"), 3);
    assert_int_equal(count(&marks, "zero"), 1);
    bool said = false, cut = false;
    for (size_t i = 0; i < marks.n; i++) {
        const char *text = marks.list[i].text;
        said = said || (text && strstr(text, "1 smaller ones are left out"));
        cut = cut || (text && strncmp(text, "a rather", 8) == 0 && strstr(text, "\xe2\x80\xa6"));
    }
    assert_true(said && cut);
    marks_release(&marks);
    table_release(&table);
    (void)state;
}

/* A cell for each value; signs by number, and the ground where there is none. */
static void a_matrix_has_signs(void **state)
{
    Table table;
    table_init(&table, &spec);
    row_add(&table, "x", "r", 0.5);
    row_add(&table, "y", "r", -0.5);
    row_add(&table, "x", "s", NAN);
    row_add(&table, "y", "s", 0);
    Marks marks = place(&table, &figures[1]);
    assert_int_equal(count(&marks, "cell"), 3);
    assert_int_equal(count(&marks, "number"), 3);
    assert_int_equal(mark_of(&marks, "cell", 0)->fill, 0xffffff);
    assert_int_not_equal(mark_of(&marks, "cell", 0.5)->fill, mark_of(&marks, "cell", -0.5)->fill);
    MarkPoint x = marks.points[mark_of(&marks, "cell", 0.5)->first];
    MarkPoint y = marks.points[mark_of(&marks, "cell", -0.5)->first];
    assert_true(x.x < y.x && fabs(x.y - y.y) < 1e-9); /* columns side by side */
    marks_release(&marks);
    table_release(&table);
    (void)state;
}

/* Squares lie where their names say; discs, marked squares and arrows. */
static void a_board_has_discs_and_arrows(void **state)
{
    Table table;
    table_init(&table, &spec);
    row_add(&table, "a1", NULL, 1);
    table_text(&table, "state", "black");
    row_add(&table, "c2", NULL, -1);
    table_text(&table, "state", "white");
    table_bool(&table, "wrong", true);
    row_add(&table, "h8", NULL, NAN);
    table_text(&table, "state", "empty");
    row_add(&table, "a1", NULL, 0.5);
    table_text(&table, "to", "d4");
    row_add(&table, "not a square", NULL, 3);
    Marks marks = place(&table, &figures[2]);
    assert_int_equal(count(&marks, "black"), 1);
    assert_int_equal(count(&marks, "white"), 1);
    assert_int_equal(count(&marks, "marked"), 1);
    assert_int_equal(count(&marks, "value"), 2);
    const Mark *a1 = mark_of(&marks, "value", 1), *c2 = mark_of(&marks, "value", -1);
    MarkPoint a = marks.points[a1->first], c = marks.points[c2->first];
    double cell = marks.points[a1->first + 1].x - a.x;
    assert_float_equal((c.x - a.x) / cell, 2, 1e-6);
    assert_float_equal((c.y - a.y) / cell, 1, 1e-6);
    const Mark *arrow = mark_of(&marks, "arrow", 0.5);
    assert_non_null(arrow);
    assert_float_equal(marks.points[arrow->first].x, a.x + cell / 2, 1e-6);
    assert_true(arrow->size > 0);
    marks_release(&marks);
    table_release(&table);
    (void)state;
}

static void a_graph_goes_upwards(void **state)
{
    Table table;
    table_init(&table, &spec);
    row_add(&table, "input->L0H1.v", NULL, 0.5);
    row_add(&table, "L0H1->mlp1", NULL, -0.25);
    row_add(&table, "mlp1->logits", NULL, 0.1);
    row_add(&table, "no edge", NULL, 9);
    Marks marks = place(&table, &figures[3]);
    assert_int_equal(count(&marks, "edge"), 3);
    assert_int_equal(count(&marks, "node"), 4 + 4); /* a box and a name each */
    const Mark *up = mark_of(&marks, "edge", 0.5), *down = mark_of(&marks, "edge", -0.25);
    assert_true(marks.points[up->first].y > marks.points[up->first + 3].y);
    assert_true(up->width > down->width && up->dash == 0 && down->dash != 0);
    marks_release(&marks);
    table_release(&table);
    (void)state;
}

/* The three formats; text stays text; nothing is left where there is nothing to draw. */
static void files_are_whole_or_absent(void **state)
{
    static const char hostile[] =
        "</desc><script>alert(1)</script> \"&\xe2\x80\xa8\x01\xe2\x80\xae";
    Table table;
    const Table *list[] = {&table};
    const FigureSource source = {list, 1, NULL};
    Text svg = {0};
    if (figure_check_built() != 0) {
        skip();
    }
    table_init(&table, &spec);
    row_add(&table, hostile, hostile, 0.5);
    assert_int_equal(figure_svg(&svg, &figures[0], &source, 1, (FigureStyle){.prefix = "f1-"}), 0);
    assert_null(strstr(svg.data, "<script"));
    assert_non_null(strstr(svg.data, "&lt;script&gt;"));
    assert_null(strchr(svg.data, '\x01'));
    assert_non_null(strstr(svg.data, "<title>Dots</title>"));
    assert_null(strstr(svg.data, " id=\"g"));
    assert_null(strstr(strstr(svg.data, "</desc>") + 1, "</desc>"));
    text_release(&svg);

    char path[FOLDER_MAX];
    assert_int_equal(folder_make(path), 0);
    char file[FOLDER_MAX + 32];
    size_t n_bytes = 0;
    snprintf(file, sizeof(file), "%s/a.png", path);
    FigureFile out = {file, FIGURE_PNG, false};
    assert_int_equal(figure_write(&n_bytes, &out, &figures[0], &source, 1, (FigureStyle){0}), 0);
    assert_true(n_bytes > 1000);
    assert_int_equal(figure_write(NULL, &out, &figures[0], &source, 1, (FigureStyle){0}), 0);
    assert_int_not_equal(figure_write(NULL, &out, &figures[1], &source, 1, (FigureStyle){0}), 0);
    table_release(&table);

    table_init(&table, &spec);
    row_add(&table, "a", "b", NAN); /* a table of NaN */
    snprintf(file, sizeof(file), "%s/b.svg", path);
    out.format = FIGURE_SVG;
    for (size_t i = 0; i < 4; i++) {
        assert_int_not_equal(figure_write(NULL, &out, &figures[i], &source, 1, (FigureStyle){0}),
                             0);
    }
    char **names;
    size_t n = 0;
    assert_int_equal(dir_list(&names, &n, path), 0);
    assert_int_equal(n, 1);
    names_free(names, n);
    assert_int_equal(dir_remove(path), 0);
    table_release(&table);
    (void)state;
}

static void widths_are_read(void **state)
{
    double width = 0;
    assert_int_equal(figure_width_read(&width, "84mm"), 0);
    assert_float_equal(width, 84, 0);
    assert_int_equal(figure_width_read(&width, "17.4cm"), 0);
    assert_float_equal(width, 174, 1e-9);
    assert_int_equal(figure_width_read(&width, "100"), 0);
    static const char *const wrong[] = {"", "mm", "84 mm", "84in", "-84", "1mm", "9999", "nan"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_not_equal(figure_width_read(&width, wrong[i]), 0);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_keep_the_largest),        cmocka_unit_test(a_matrix_has_signs),
        cmocka_unit_test(a_board_has_discs_and_arrows), cmocka_unit_test(a_graph_goes_upwards),
        cmocka_unit_test(files_are_whole_or_absent),    cmocka_unit_test(widths_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
