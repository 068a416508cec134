/* store/views.c - reading the summaries of store/views.def. See store/runs.h. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/kinds.h"
#include "store/runs.h"

bool store_view_at(const char **name, const char **summary, size_t index)
{
    if (index >= n_views) {
        return false;
    }
    *name = views[index].name;
    *summary = views[index].summary;
    return true;
}

static const View *view_find(const char *name)
{
    for (size_t i = 0; i < n_views; i++) {
        if (strcmp(views[i].name, name) == 0) {
            return &views[i];
        }
    }
    return NULL;
}

static Js *row_read(DbStmt *stmt)
{
    Js *row = js_object();
    for (int i = 0; i < db_columns(stmt); i++) {
        const char *name = db_column_name(stmt, i);
        switch (db_column_type(stmt, i)) {
        case DB_NULL: js_set(row, name, js_null()); break;
        case DB_INTEGER: js_set_int(row, name, db_column_int(stmt, i)); break;
        case DB_REAL: js_set_num(row, name, db_column_num(stmt, i)); break;
        case DB_TEXT: js_set_str(row, name, db_column_text(stmt, i)); break;
        }
    }
    return row;
}

int store_view(Js **out, Store *store, const char *name, int64_t run)
{
    const View *view = view_find(name);
    Db *db = store__db(store);
    DbStmt *stmt = NULL;
    char sql[128];
    bool same = false;
    *out = NULL;
    if (!view) {
        return err_set(OGPT_EUSAGE, "no table '%.60s'; 'ogpt runs table' lists those there are",
                       name);
    }
    int rc = view__check(&same, db, view);
    if (rc == 0 && !same) {
        rc = err_set(OGPT_EVERSION,
                     "%s: its table '%s' is another program's; any command of this one that "
                     "writes to the file makes it again",
                     db_path(db), name);
    }
    if (rc != 0) {
        return rc;
    }
    snprintf(sql, sizeof(sql), "SELECT * FROM %s WHERE ?1 = 0 OR run = ?1", view->name);
    rc = db_prepare(&stmt, db, sql);
    if (rc != 0) {
        return rc;
    }
    db_bind_int(stmt, 1, run);
    Js *rows = js_array();
    while ((rc = db_step(stmt)) == 1) {
        js_push(rows, row_read(stmt));
    }
    db_finalize(stmt);
    if (rc != 0) {
        js_free(rows);
        return rc;
    }
    *out = rows;
    return 0;
}
