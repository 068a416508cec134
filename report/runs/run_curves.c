/* report/runs/run_curves.c - contract in report/runs/run_curves.h. */
#include "report/runs/run_curves.h"

#include <stdio.h>
#include <string.h>

#define PAIR(key, name, ...)                                                                       \
    {"a_" key, name " a", __VA_ARGS__},                                                            \
    {                                                                                              \
        "b_" key, name " b", __VA_ARGS__                                                           \
    }
static const Column columns[] = {
    {"step", "step", .type = COLUMN_COUNT},
    PAIR("excess", "excess", .unit = "nats", .digits = 4),
    PAIR("strict_error", "strict error", .unit = "%", .digits = 2),
    PAIR("board_accuracy", "board", .unit = "%", .digits = 2),
    PAIR("loss", "loss", .unit = "nats", .digits = 4, .flags = COLUMN_MINOR),
};
const TableSpec run_curves_table = {.name = "curves", TABLE_COLUMNS(columns)};

/* The values of one run at a step; NULL: it reported none there. */
static void side_set(Table *table, const char *side, const Js *row)
{
    const size_t length = strlen(side);
    for (size_t i = 0; row && i < sizeof(columns) / sizeof(columns[0]); i++) {
        const char *key = columns[i].key;
        const Js *value = strncmp(key, side, length) == 0 ? js_member(row, key + length) : NULL;
        if (value && js_type(value) != JS_NULL) {
            table_set(table, key, js_keep(value));
        }
    }
}

/* The step of row `index`, or one that none reaches. */
static int64_t step_at(const Js *rows, size_t index)
{
    return index < js_length(rows) ? js_int_of(js_member(js_at(rows, index), "step")) : INT64_MAX;
}

static void steps_fill(Table *table, const Js *a, const Js *b)
{
    size_t i = 0, j = 0;
    while (i < js_length(a) || j < js_length(b)) {
        const int64_t of_a = step_at(a, i), of_b = step_at(b, j);
        const int64_t step = of_a < of_b ? of_a : of_b;
        table_row(table);
        table_int(table, "step", step);
        side_set(table, "a_", of_a == step ? js_at(a, i++) : NULL);
        side_set(table, "b_", of_b == step ? js_at(b, j++) : NULL);
    }
}

void run_curves_report(Report *report, const Js *run_a, const Js *run_b, TextStyle style)
{
    const Js *a = js_member(js_member(run_a, "results"), "train_curve");
    const Js *b = js_member(js_member(run_b, "results"), "train_curve");
    if (js_length(a) == 0 || js_length(b) == 0) {
        return;
    }
    Table *all = report_table(report, &run_curves_table);
    Text *text = report_text(report);
    Table few;
    all->hidden = true;
    steps_fill(all, a, b);
    const size_t n = table_rows(all), shown = n < RUN_CURVES_SHOWN ? n : RUN_CURVES_SHOWN;
    table_init(&few, &run_curves_table);
    for (size_t i = 0; i < shown; i++) {
        table_add(&few, js_keep(js_at(all->rows, shown < 2 ? 0 : i * (n - 1) / (shown - 1))));
    }
    text_add(text, "\ncurves of a, the first run, and b, the second");
    text_add(text, shown < n ? ": %zu of %zu steps, --csv FOLDER has all\n" : "\n", shown, n);
    table_print(text, &few, style);
    table_release(&few);
}
