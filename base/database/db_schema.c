/* base/database/db_schema.c - whether the tables of a file are ours, before one of them is read.
 * See db_internal.h.
 *
 * A table's text decides what reading it means: a generated column is computed, by an expression
 * that may never end, as soon as a row is read. So the texts are compared first, with those that
 * SQLite itself keeps after running create_sql in memory.
 */
#include "base/database/db_internal.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* The fuzz build opens a million files of two kinds: it makes the reference of each kind once. */
#ifndef REFERENCES_KEPT
#define REFERENCES_KEPT 0
#endif
static struct KeptReference {
    const char *create_sql;
    Db *db;
} kept[REFERENCES_KEPT + 1];

/* Close it, unless it is kept. */
static void reference_free(Db *db, const DbSchema *schema)
{
    for (int i = 0; i < REFERENCES_KEPT; i++) {
        if (!kept[i].db || kept[i].db == db) {
            kept[i] = (struct KeptReference){schema->create_sql, db};
            return;
        }
    }
    db_close(db);
}

/* A database in memory with the tables of `schema`. */
static int reference_new(Db **out, const DbSchema *schema)
{
    *out = NULL;
    for (int i = 0; i < REFERENCES_KEPT; i++) {
        if (kept[i].db && kept[i].create_sql == schema->create_sql) {
            *out = kept[i].db;
            return 0;
        }
    }
    Db *db = mem_calloc(1, sizeof(*db), "a database handle");
    if (!db) {
        return OGPT_ENOMEM;
    }
    memcpy(db->path, "ogpt's own tables", sizeof("ogpt's own tables"));
    db__enlist(db);
    int rc = sqlite3_open_v2(":memory:", &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             NULL) == SQLITE_OK
                 ? 0
                 : err_set(OGPT_ENOMEM, "out of memory: a database in memory cannot be made");
    rc = rc ? rc : db_exec(db, schema->create_sql);
    if (rc != 0) {
        db_close(db);
        return rc;
    }
    *out = db;
    return 0;
}

/* The next part of a table's text between commas outside brackets; false after the last. */
static bool part_next(const char **part, size_t *length, const char **at)
{
    int depth = 0;
    const char *c = *at + strspn(*at, " ");
    if (*c == '\0') {
        return false;
    }
    *part = c;
    for (; *c != '\0' && (depth > 0 || *c != ','); c++) {
        depth += *c == '(' ? 1 : *c == ')' ? -1 : 0;
        if (depth < 0) { /* the end of the columns: what follows is a part of its own */
            break;
        }
    }
    c += c == *part && *c == ')' ? strlen(c) : 0;
    *length = (size_t)(c - *part);
    *at = c + (*c == ',');
    return true;
}

static bool part_is_in(const char *part, size_t length, const char *sql)
{
    const char *found;
    size_t n;
    while (part_next(&found, &n, &sql)) {
        if (n == length && memcmp(found, part, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a table is ours without some of its columns, or with them in another order. */
static bool table_is_older(const char *sql, const char *reference)
{
    const size_t head = strcspn(reference, "(");
    const char *part, *at = sql + head + 1, *ours = reference + head + 1;
    size_t length;
    if (strncmp(sql, reference, head + 1) != 0 || reference[head] != '(') {
        return false;
    }
    while (part_next(&part, &length, &at)) {
        if (!part_is_in(part, length, ours)) {
            return false;
        }
    }
    return true;
}

/* One row of the file's sqlite_schema (type, name, tbl_name, sql) against the reference. */
static int object_check(DbStmt *row, DbStmt *find, const Db *db, const DbSchema *schema)
{
    const char *type = db_column_text(row, 0), *sql = db_column_text(row, 3);
    for (int i = 0; i < 3; i++) {
        db_bind_text(find, i + 1, db_column_text(row, i));
    }
    int rc = db_step(find);
    if (rc < 0) {
        return rc;
    }
    const char *reference = rc == 1 ? db_column_text(find, 0) : NULL;
    const bool same = reference && strcmp(sql, reference) == 0;
    const bool older = reference && schema->grows &&
                       (strcmp(type, "view") == 0 ||
                        (strcmp(type, "table") == 0 && table_is_older(sql, reference)));
    rc = same || older
             ? 0
             : err_set(OGPT_EFORMAT,
                       "%s: holds a foreign %.20s '%.60s', which no ogpt makes; use another copy",
                       db->path, type, db_column_text(row, 1));
    db_reset(find);
    return rc;
}

/* Every object of the reference must be in the file. */
static int objects_present(Db *db, Db *reference)
{
    DbStmt *row = NULL, *find = NULL;
    int rc = db_prepare(&row, reference, "SELECT type, name FROM sqlite_schema");
    rc = rc ? rc
            : db_prepare(&find, db, "SELECT 1 FROM sqlite_schema WHERE type = ?1 AND name = ?2");
    while (rc == 0 && (rc = db_step(row)) == 1) {
        db_bind_text(find, 1, db_column_text(row, 0));
        db_bind_text(find, 2, db_column_text(row, 1));
        rc = db_step(find);
        rc = rc < 0    ? rc
             : rc == 1 ? 0
                       : err_set(OGPT_EFORMAT,
                                 "%s: the %s '%s' is missing, which every such file has; use "
                                 "another copy",
                                 db->path, db_column_text(row, 0), db_column_text(row, 1));
        db_reset(find);
    }
    db_finalize(row);
    db_finalize(find);
    return rc;
}

int db__objects_check(Db *db, const DbSchema *schema)
{
    Db *reference = NULL;
    DbStmt *row = NULL, *find = NULL;
    if (!schema->create_sql || schema->create_sql[0] == '\0') {
        return 0; /* the caller looks at any tables */
    }
    int rc = reference_new(&reference, schema);
    rc = rc ? rc : db_prepare(&row, db, "SELECT type, name, tbl_name, sql FROM sqlite_schema");
    rc = rc ? rc
            : db_prepare(&find, reference,
                         "SELECT sql FROM sqlite_schema WHERE type = ?1 AND name = ?2 AND"
                         " tbl_name = ?3");
    while (rc == 0 && (rc = db_step(row)) == 1) {
        rc = object_check(row, find, db, schema);
    }
    rc = rc || schema->grows ? rc : objects_present(db, reference);
    db_finalize(row);
    db_finalize(find);
    if (reference) {
        reference_free(reference, schema);
    }
    return rc;
}
