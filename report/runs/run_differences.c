/* report/runs/run_differences.c - contract in report/runs/run_differences.h. */
#include "report/runs/run_differences.h"

#include <string.h>

#include "report/runs/run_text.h"

static const Column columns[] = {
    {.key = "group", .heading = "group", .type = COLUMN_TEXT},
    {.key = "key", .heading = "key", .type = COLUMN_TEXT},
    {.key = "a", .heading = "first run", .type = COLUMN_TEXT},
    {.key = "b", .heading = "second run", .type = COLUMN_TEXT},
};
const TableSpec run_differences_table = {"differences", TABLE_COLUMNS(columns)};

/* What differs, for every reader. */
typedef struct Differences {
    Text *text;
    Table *table;
} Differences;

static void difference_add(const Differences *found, const char *group, const char *key,
                           const char *a, const char *b)
{
    text_add(found->text, "%-12s %-20s %s -> %s\n", group, key, a, b);
    table_row(found->table);
    table_text(found->table, "group", group);
    table_text(found->table, "key", key);
    table_text(found->table, "a", a);
    table_text(found->table, "b", b);
}

/* Add "key a -> b" for each member that differs, and the pair to `out`. */
static void members_diff(const Differences *found, Js *out, const char *title, const Js *a,
                         const Js *b)
{
    const Js *sides[] = {a, b};
    for (int side = 0; side < 2; side++) {
        void *it = NULL;
        const char *key = NULL;
        const Js *value = NULL;
        while (sides[side] && js_next(sides[side], &it, &key, &value)) {
            const Js *other = sides[1 - side] ? js_member(sides[1 - side], key) : NULL;
            Text mine = {0};
            Text theirs = {0};
            run_text_value(&mine, value);
            run_text_value(&theirs, other);
            bool same = mine.data && theirs.data && strcmp(mine.data, theirs.data) == 0;
            /* The second pass only adds what the first side lacks. */
            if (!same && (side == 0 || !other)) {
                const Js *left = side == 0 ? value : other;
                const Js *right = side == 0 ? other : value;
                Js *pair = js_array();
                js_push(pair, left ? js_keep(left) : js_null());
                js_push(pair, right ? js_keep(right) : js_null());
                js_set(out, key, pair);
                difference_add(found, title, key, side == 0 ? mine.data : theirs.data,
                               side == 0 ? theirs.data : mine.data);
            }
            text_release(&mine);
            text_release(&theirs);
        }
    }
}

static const Js *last_row(const Js *run, const char *kind)
{
    const Js *rows = js_member(js_member(run, "results"), kind);
    return rows ? js_at(rows, js_length(rows) - 1) : NULL;
}

/* The last row of each kind that both runs, or one of them, have. */
static void results_diff(const Differences *found, Js *out, const Js *a, const Js *b)
{
    const Js *sides[] = {a, b};
    for (int side = 0; side < 2; side++) {
        void *it = NULL;
        const char *kind = NULL;
        const Js *rows = NULL;
        while (js_next(js_member(sides[side], "results"), &it, &kind, &rows)) {
            if (js_has(out, kind)) {
                continue;
            }
            Js *pairs = js_object();
            members_diff(found, pairs, kind, last_row(a, kind), last_row(b, kind));
            js_set(out, kind, pairs);
        }
    }
}

/* Its number and its command line. */
static void run_name(Text *text, const Js *run)
{
    const Js *line = js_member(run, "command_line");
    text_add(text, "run %lld: %s\n", (long long)js_int_of(js_member(run, "run")),
             line && js_type(line) == JS_STR ? js_str_of(line) : "-");
}

void run_differences_report(Report *report, const Js *a, const Js *b)
{
    static const char *const groups[] = {"options", "versions"};
    Differences found = {.table = report_table(report, &run_differences_table)};
    found.text = report_text(report);
    found.table->hidden = found.table->undocumented = true; /* said in other forms */
    report_json(report, "a", js_int(js_int_of(js_member(a, "run"))));
    report_json(report, "b", js_int(js_int_of(js_member(b, "run"))));
    run_name(found.text, a);
    run_name(found.text, b);
    for (size_t i = 0; i < 2; i++) {
        Js *pairs = js_object();
        members_diff(&found, pairs, groups[i], js_member(a, groups[i]), js_member(b, groups[i]));
        report_json(report, groups[i], pairs);
    }
    Js *results = js_object();
    results_diff(&found, results, a, b);
    report_json(report, "results", results);
}
