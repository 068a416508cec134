/* base/database/db_internal.h - what lies on the disk, looked at before SQLite sees it; and whether
 * the tables of a file are ours. For db.c, db_look.c and db_schema.c alone.
 *
 * Why: SQLite trusts what lies beside a database. It rolls a journal back as soon as anything is
 * read for writing, and then deletes the file that the journal names as its super-journal, whatever
 * that file is. It also removes or overwrites any PATH-journal, PATH-wal and PATH-shm.
 * Source of the layouts: https://www.sqlite.org/fileformat2.html, sections 1.3, 3 and 4, and
 * https://www.sqlite.org/walformat.html.
 */
#ifndef OGPT_BASE_DB_INTERNAL_H
#define OGPT_BASE_DB_INTERNAL_H

#include "base/database/db.h"

#include <sys/types.h>

#include <sqlite3.h>

#include "base/files.h"

struct Db {
    sqlite3 *handle;
    char path[FILES_PATH_MAX]; /* as given, for messages */
    char real[FILES_PATH_MAX]; /* without symbolic links, as SQLite opens it; "" in memory */
    uint32_t application_id;
    dev_t device; /* of the file, if it was there when it was opened */
    ino_t inode;
    struct Db *next; /* the open ones of this process */
};

typedef struct DbLook {
    char real[FILES_PATH_MAX];
    bool missing;            /* no such file */
    bool open_here;          /* this process has it open: it was looked at then */
    uint64_t n_bytes;        /* 0: missing or empty */
    uint64_t n_names;        /* hard links to it */
    bool is_database;        /* begins as an SQLite database does */
    bool is_wal;             /* its header asks for a write-ahead log */
    bool has_wal;            /* a log with content lies beside it */
    bool is_unborn;          /* a journal says that it was empty before, so nothing is in it */
    uint32_t application_id; /* of its header, 0 if it has none */
    dev_t device;
    ino_t inode;
} DbLook;

/* A file may say that it has more pages than there are: some were never written, because nothing
 * was in them. Not one of a million pages of which most are missing: that is a claim that costs
 * whoever believes it, a bit of memory a page to check it or a byte of the disk to restore it. */
bool db__pages_claimed(uint64_t n_pages, uint64_t n_bytes, uint64_t page_bytes);

/* Read the header of `path`, and the beginnings and ends of what lies beside it. Opens nothing for
 * writing. Returns 0; OGPT_EFORMAT: not a regular file, or beside it lies something that SQLite
 * would delete or overwrite, or a journal that names another file; OGPT_EIO: cannot be looked at.
 */
int db__look(DbLook *out, const char *path);

/* SQLite's own access to files, with one difference: it deletes nothing but the journals and logs
 * of the databases that this process has open. Returns its name, NULL if it cannot be made. */
const char *db__vfs(void);
/* From the opening of a database to its closing. */
void db__enlist(Db *db);
void db__delist(Db *db);

/* The tables, indexes, views and triggers of the file must be those that create_sql makes, word for
 * word; in a file of a schema that grows (DbSchema), some may be missing, columns of a table may be
 * missing or in another order, and a view may be that of another program. No table is read.
 * OGPT_EFORMAT names the first foreign one. */
int db__objects_check(Db *db, const DbSchema *schema);
/* The message of a failed call: file, statement, SQLite's reason, what to do. */
int db__fail(const Db *db, int sqlite_code, const char *sql);

#endif
