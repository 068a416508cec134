/* store/runs.h - the results database: one row per run, raw result rows beneath it.
 *
 * store/results.def is the one table of result kinds: kind name, then column names and types;
 * CREATE TABLE, insertion and listing are generated from it. Rows are never changed; only a resumed
 * run drops its rows past the checkpoint. Summaries are views. Every row belongs to a run. Default
 * file: ogpt-results.db in the working directory.
 */
#ifndef OGPT_STORE_RUNS_H
#define OGPT_STORE_RUNS_H

#include "base/js.h"
#include "base/database/db.h"

#define STORE_APPLICATION_ID 0x6f677072 /* "ogpr" */
#define STORE_SCHEMA_VERSION 1
#define STORE_DEFAULT_PATH "ogpt-results.db"

typedef struct Store Store;

typedef struct RunStart {
    const char *command;      /* "train" */
    const char *command_line; /* as typed */
    const char *options_json; /* every option with its value, defaults included */
    uint64_t seed;
    const char *versions_json; /* ogpt, compiler, BLAS core and threads, SQLite, liblinear */
    const char *machine;
    const char *subject; /* path of the artefact the run is about, or NULL */
} RunStart;

int store_open(Store **out, const char *path);
int store_open_read(Store **out, const char *path);
void store_close(Store *store);
/* SQLite's integrity and foreign keys: 0, or OGPT_EFORMAT with the first finding. */
int store_check(Store *store);

/* Insert a run with status "running"; *run is its id. */
int store_run_begin(Store *store, int64_t *run, const RunStart *start);
/* status: "done", "negative", "failed", "interrupted". message may be NULL. */
int store_run_end(Store *store, int64_t run, const char *status, const char *message);
/* Take back the session of a run that ended because another process holds its output: it did no
 * work. With no session left, the run is never resumed. */
int store_run_refused(Store *store, int64_t run);
/* Resume a run of the same command, subject and options: a killed one if there is one, else the one
 * that ended last. Its status is "running" again. *run = 0 if there is none, or if another living
 * process of this host works on one of them. */
int store_run_resume(Store *store, int64_t *run, const RunStart *start);

/* store_add, store_add_all, store_rows and store_trim also take NULL: the store of a rank other
 * than the first (base/ranks/ranks.h), which keeps nothing. */

/* Append one row, or all rows of an array, of a kind of results.def in one transaction. The members
 * of `row` have the names of columns; a missing or null member stores NULL. A member without a
 * column is OGPT_EUSAGE, and then no row is stored, so that no number gets lost unseen. A command
 * finds that out before it computes, with store_column_type. */
int store_add(Store *store, int64_t run, const char *kind, const Js *row);
int store_add_all(Store *store, int64_t run, const char *kind, const Js *rows);
/* The same for rows of several kinds, made part by part: `next` gives an object of kind -> array,
 * owned by this call, and NULL at the end, or returns OGPT_E*. All rows are stored, or none. */
int store_add_parts(Store *store, int64_t run, int (*next)(void *context, Js **by_kind),
                    void *context);
/* "INTEGER", "REAL" or "TEXT"; NULL if results.def has no such kind, or the kind no such column. */
const char *store_column_type(const char *kind, const char *column);
/* *out: the file has a run of this command with these options, finished or not. The second: with
 * these options but for files of tables and figures, so with the same result. */
int store_has_run(bool *out, Store *store, const char *command, const char *options_json);
int store_has_result(bool *out, Store *store, const char *command, const char *options_json);
/* Rows of a kind for a run, as an owned array of objects, in insertion order. */
int store_rows(Js **out, Store *store, const char *kind, int64_t run);
/* Delete a run's rows of one kind in which the integer column `column` is greater than `keep`: a
 * resumed training run drops the rows past its checkpoint, so that none is stored twice. */
int store_trim(Store *store, int64_t run, const char *kind, const char *column, int64_t keep);

/* store_list: runs, newest first, as an array of objects (limit 0: all). store_show: one run with
 * "results", an object of kind -> rows without empty kinds; OGPT_EUSAGE: no such run. A run that is
 * "running" on file, but has no living process on this host, is shown as "killed". */
int store_list(Js **out, Store *store, int limit);
/* The number that stands for each run of such a list (store/main_results.def), as an owned array of
 * objects in the same order: result ("strict error 2.41 %"), result_key ("strict_error"),
 * result_value (0.0241), hash (of the artefact that it made or asked). A run lacks what it has no
 * rows for. */
int store_main_results(Js **out, Store *store, const Js *runs);
int store_show(Js **out, Store *store, int64_t run);
/* One run without its rows: its options and versions, and "hashes", an array of the hashes of all
 * artefacts that its rows name. */
int store_about(Js **out, Store *store, int64_t run);

/* The summaries of store/views.def: *name and *summary of number `index`, false after the last. */
bool store_view_at(const char **name, const char **summary, size_t index);
/* The rows of one summary, of one run or of all (0), as an owned array of objects. OGPT_EUSAGE: no
 * such summary; OGPT_EVERSION: the file has that of another program, and the next command that
 * writes to the file replaces it. */
int store_view(Js **out, Store *store, const char *name, int64_t run);

#endif
