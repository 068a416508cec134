/* store/main_results.c - the main result of each run: store/main_results.def, store/runs.h. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/kinds.h"
#include "store/runs.h"

typedef enum MainRule { MAIN_LAST, MAIN_SUM, MAIN_ROWS } MainRule;

/* A line of the table: where to look, and how people read it. */
typedef struct MainLine {
    const char *kind, *column;
    MainRule rule;
    const char *by, *then;
    const char *before;
    double factor;
    int digits;
    const char *after;
} MainLine;

#define HASH(kind, column)
#define MAIN(kind, column, rule, by, then, before, factor, digits, after)                          \
    {#kind, #column, MAIN_##rule, by, then, before, factor, digits, after},
static const MainLine main_lines[] = {
#include "store/main_results.def"
};
#undef MAIN
#undef HASH
#define MAIN(kind, column, rule, by, then, before, factor, digits, after)
#define HASH(kind_, column_) {.kind = #kind_, .column = #column_},
static const MainLine hash_lines[] = {
#include "store/main_results.def"
};
#undef MAIN
#undef HASH
#define N_MAIN (sizeof(main_lines) / sizeof(main_lines[0]))
#define N_HASH (sizeof(hash_lines) / sizeof(hash_lines[0]))

/* Whether the file has a column; NULL, no column, is always there. */
static bool column_there(const Kind *kind, const bool *present, const char *name)
{
    const KindColumn *column = name ? column__find(kind, name) : NULL;
    return !name || (column && present[column - kind->columns]);
}

/* *out stays NULL where a file of an earlier program lacks the table or a column. */
static int line_prepare(DbStmt **out, Db *db, const MainLine *line)
{
    const Kind *kind = NULL;
    bool present[KIND_COLUMNS_MAX];
    size_t n_present = 0;
    char sql[400];
    *out = NULL;
    int rc = kind__find(&kind, line->kind);
    rc = rc ? rc : kind__present(&n_present, present, db, kind);
    if (rc != 0 || n_present == 0 || !column_there(kind, present, line->by) ||
        !column_there(kind, present, line->then) ||
        (line->rule != MAIN_ROWS && !column_there(kind, present, line->column))) {
        return rc;
    }
    if (line->rule == MAIN_ROWS) {
        snprintf(sql, sizeof(sql), "SELECT nullif(count(*), 0) FROM %s WHERE run = ?1", line->kind);
    } else if (line->rule == MAIN_SUM) {
        snprintf(sql, sizeof(sql), "SELECT sum(%s) FROM %s WHERE run = ?1", line->column,
                 line->kind);
    } else {
        snprintf(sql, sizeof(sql),
                 "SELECT %s FROM %s WHERE run = ?1 AND %s IS NOT NULL ORDER BY %s%s%s%srow DESC"
                 " LIMIT 1",
                 line->column, line->kind, line->column, line->by ? line->by : "",
                 line->by ? " DESC, " : "", line->then ? line->then : "",
                 line->then ? " DESC, " : "");
    }
    return db_prepare(out, db, sql);
}

/* The first statement of a list with a value for the run: *found, or n if there is none; its row is
 * the current one. */
static int first_value(size_t *found, DbStmt **stmts, size_t n, int64_t run)
{
    for (*found = 0; *found < n; *found += 1) {
        DbStmt *stmt = stmts[*found];
        if (!stmt) {
            continue;
        }
        db_reset(stmt);
        db_bind_int(stmt, 1, run);
        int rc = db_step(stmt);
        if (rc < 0 || (rc == 1 && !db_column_is_null(stmt, 0))) {
            return rc < 0 ? rc : 0;
        }
    }
    return 0;
}

static int run_result(Js *row, DbStmt **stmts, int64_t run)
{
    char text[80];
    size_t found = 0;
    int rc = first_value(&found, stmts, N_MAIN, run);
    if (rc == 0 && found < N_MAIN) {
        const MainLine *line = &main_lines[found];
        double value = db_column_num(stmts[found], 0);
        snprintf(text, sizeof(text), "%s%.*f%s", line->before, line->digits, value * line->factor,
                 line->after);
        js_set_str(row, "result", text);
        js_set_str(row, "result_key", line->column);
        js_set_num(row, "result_value", value);
    }
    rc = rc ? rc : first_value(&found, stmts + N_MAIN, N_HASH, run);
    if (rc == 0 && found < N_HASH) {
        js_set_str(row, "hash", db_column_text(stmts[N_MAIN + found], 0));
    }
    return rc;
}

int store_main_results(Js **out, Store *store, const Js *runs)
{
    Js *rows = js_array();
    DbStmt *stmts[N_MAIN + N_HASH] = {NULL};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < N_MAIN + N_HASH; i++) {
        rc = line_prepare(&stmts[i], store__db(store),
                          i < N_MAIN ? &main_lines[i] : &hash_lines[i - N_MAIN]);
    }
    for (size_t i = 0; rc == 0 && i < js_length(runs); i++) {
        Js *row = js_object();
        rc = run_result(row, stmts, js_int_of(js_member(js_at(runs, i), "run")));
        js_push(rows, row);
    }
    for (size_t i = 0; i < N_MAIN + N_HASH; i++) {
        db_finalize(stmts[i]);
    }
    *out = rc == 0 ? rows : NULL;
    if (rc != 0) {
        js_free(rows);
    }
    return rc;
}
