/* store/check.c - see check.h. */
#include "store/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "store/kinds.h"

/* Receives the lines. */
typedef struct Teller {
    Store *store;
    Db *db;
    void (*line)(void *context, const char *line);
    void *context;
} Teller;

static void tell(const Teller *teller, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(const Teller *teller, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    teller->line(teller->context, line);
}

/* Turn damage into a line; an error that says nothing about the file stays an error. */
static int tell_damage(const Teller *teller, int rc)
{
    if (rc != OGPT_EFORMAT) {
        return rc;
    }
    tell(teller, "%s", err_message());
    return 0;
}

/* Call `row` for each row of a SELECT. */
static int rows_each(const Teller *teller, const char *sql,
                     int (*row)(const Teller *teller, DbStmt *stmt))
{
    DbStmt *stmt = NULL;
    int rc = db_prepare(&stmt, teller->db, sql);
    while (rc == 0 && (rc = db_step(stmt)) == 1) {
        rc = row(teller, stmt);
    }
    db_finalize(stmt);
    return rc;
}

/* The same, if this table and that of runs have all their columns; in a file of an earlier program
 * they may not. */
static int kind_rows_each(const Teller *teller, const Kind *kind, const char *sql,
                          int (*row)(const Teller *teller, DbStmt *stmt))
{
    const Kind *const needed[] = {kind, &runs_kind};
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        size_t n_present = 0;
        const int rc = kind__present(&n_present, NULL, teller->db, needed[i]);
        if (rc != 0 || n_present != needed[i]->n_columns) {
            return rc;
        }
    }
    return rows_each(teller, sql, row);
}

/* ---- runs whose process is over ---- */

/* Not a run that was repeated and finished: it has lost nothing, its row may stay. */
static const char *const running_sql =
    "SELECT run, command, subject, pid, pid_start, host FROM runs AS r WHERE status = 'running'"
    " AND NOT EXISTS (SELECT 1 FROM runs AS later WHERE later.run > r.run"
    "  AND later.command = r.command AND later.subject IS r.subject"
    "  AND later.status IN ('done', 'negative'))"
    " ORDER BY run";

/* True if the process of a row of running_sql is known to have ended. */
static bool row_is_left(DbStmt *stmt)
{
    ProcessId id = {.pid = db_column_int(stmt, 3), .start = db_column_int(stmt, 4)};
    snprintf(id.host, sizeof(id.host), "%s", db_column_text(stmt, 5));
    return process_is_over(&id);
}

static int running_tell(const Teller *teller, DbStmt *stmt)
{
    if (row_is_left(stmt)) {
        tell(teller,
             "%s: run %lld (%s%s%s): expected a living process or an end, found process %lld "
             "over; type its command again, or settle (ogpt verify --settle)",
             db_path(teller->db), (long long)db_column_int(stmt, 0), db_column_text(stmt, 1),
             db_column_is_null(stmt, 2) ? "" : " ", db_column_text(stmt, 2),
             (long long)db_column_int(stmt, 3));
    }
    return 0;
}

static int running_settle(const Teller *teller, DbStmt *stmt)
{
    const int64_t run = db_column_int(stmt, 0);
    if (!row_is_left(stmt)) {
        return 0;
    }
    const int rc = store_run_end(teller->store, run, "interrupted", "its process was killed");
    if (rc == 0) {
        tell(teller, "%s: run %lld is now interrupted", db_path(teller->db), (long long)run);
    }
    return rc;
}

/* ---- checkpoints that are gone ---- */

/* The run directory of a checkpoint: what precedes "step-00000000". */
#define RUN_DIRECTORY(path) "substr(" path ", 1, length(" path ") - 13)"

/* The newest row of each run directory. */
static const char *const checkpoints_sql =
    "SELECT max(row), run, path, host FROM checkpoints JOIN runs USING (run)"
    " GROUP BY " RUN_DIRECTORY("path") " ORDER BY row";

/* True if the checkpoint of a row of checkpoints_sql is known to be gone. Nothing is known if
 * another host made it, if its path is relative (rows of earlier programs), or if the folder that
 * held the run directory is missing too: the disk may not be mounted, the project may have moved.
 */
static bool checkpoint_is_gone(DbStmt *stmt)
{
    const char *path = db_column_text(stmt, 2);
    char place[FILES_PATH_MAX];
    ProcessId self;
    process_self(&self);
    if (path[0] != '/' || strcmp(db_column_text(stmt, 3), self.host) != 0 ||
        snprintf(place, sizeof(place), "%s", path) >= FILES_PATH_MAX) {
        return false;
    }
    for (int i = 0; i < 2; i++) { /* the step, then the run directory */
        char *slash = strrchr(place, '/');
        slash[slash == place] = '\0';
    }
    PathKind outer, step; /* what cannot be examined now is not missing */
    return path_kind(&outer, place) == 0 && outer == PATH_DIRECTORY &&
           path_kind(&step, path) == 0 && step == PATH_MISSING;
}

static int checkpoint_tell(const Teller *teller, DbStmt *stmt)
{
    if (checkpoint_is_gone(stmt)) {
        tell(teller,
             "%s: run %lld: expected its newest checkpoint %s, found none; put it back, or settle "
             "(ogpt verify --settle)",
             db_path(teller->db), (long long)db_column_int(stmt, 1), db_column_text(stmt, 2));
    }
    return 0;
}

static int row_drop(const Teller *teller, int64_t row)
{
    DbStmt *drop = NULL;
    int rc = db_prepare(&drop, teller->db, "DELETE FROM checkpoints WHERE row = ?1");
    if (rc == 0) {
        db_bind_int(drop, 1, row);
        rc = db_step(drop);
    }
    db_finalize(drop);
    return rc;
}

/* Drop the rows of this run directory whose checkpoint is gone, the newest one included. */
static int checkpoint_settle(const Teller *teller, DbStmt *stmt)
{
    const char *path = db_column_text(stmt, 2);
    DbStmt *rows = NULL;
    int n_dropped = 0;
    if (!checkpoint_is_gone(stmt)) {
        return 0;
    }
    int rc = db_prepare(&rows, teller->db,
                        "SELECT row, run, path, host FROM checkpoints JOIN runs USING (run)"
                        " WHERE " RUN_DIRECTORY("path") " = " RUN_DIRECTORY("?1"));
    if (rc != 0) {
        return rc;
    }
    db_bind_text(rows, 1, path);
    while (rc == 0 && (rc = db_step(rows)) == 1) {
        const bool gone = checkpoint_is_gone(rows);
        rc = gone ? row_drop(teller, db_column_int(rows, 0)) : 0;
        n_dropped += gone;
    }
    db_finalize(rows);
    if (rc == 0) {
        tell(teller, "%s: checkpoint %s is gone: %d row%s dropped", db_path(teller->db), path,
             n_dropped, n_dropped == 1 ? "" : "s");
    }
    return rc;
}

/* ---- the rest ---- */

static int foreign_tell(const Teller *teller, DbStmt *stmt)
{
    tell(teller,
         "%s: table %s: expected a run for every row, found %lld rows without, the first "
         "is row %lld",
         db_path(teller->db), db_column_text(stmt, 0), (long long)db_column_int(stmt, 1),
         (long long)db_column_int(stmt, 2));
    return 0;
}

static int details_check(const Teller *teller, DbStmt *stmt)
{
    Js *run = NULL;
    const int rc = store_show(&run, teller->store, db_column_int(stmt, 0));
    js_free(run);
    return tell_damage(teller, rc);
}

int store_verify(size_t *n_runs, Store *store, void (*finding)(void *context, const char *line),
                 void *context)
{
    const Teller teller = {store, store__db(store), finding, context};
    const Kind *checkpoints = NULL;
    Js *runs = NULL;
    *n_runs = 0;
    int rc = db_check(teller.db);
    if (rc != 0) {
        return tell_damage(&teller, rc); /* nothing in a broken file can be trusted */
    }
    rc = rows_each(&teller,
                   "SELECT \"table\", count(*), min(rowid) FROM pragma_foreign_key_check"
                   " GROUP BY \"table\"",
                   foreign_tell);
    rc = rc ? rc : store_list(&runs, store, 0);
    *n_runs = rc == 0 ? js_length(runs) : 0;
    js_free(runs);
    rc = rc ? rc : rows_each(&teller, "SELECT run FROM runs ORDER BY run", details_check);
    rc = rc ? rc : kind_rows_each(&teller, &runs_kind, running_sql, running_tell);
    rc = rc ? rc : kind__find(&checkpoints, "checkpoints");
    rc = rc ? rc : kind_rows_each(&teller, checkpoints, checkpoints_sql, checkpoint_tell);
    return tell_damage(&teller, rc);
}

int store_settle(Store *store, void (*settled)(void *context, const char *line), void *context)
{
    const Teller teller = {store, store__db(store), settled, context};
    const int rc = rows_each(&teller, running_sql, running_settle);
    return rc ? rc : rows_each(&teller, checkpoints_sql, checkpoint_settle);
}
