/* store/journal.c - finished blocks of unfinished work. See store/journal.h. */
#include "store/journal.h"

#include <string.h>

#include "base/ranks/ranks.h"
#include "store/kinds.h"

static int journal_prepare(DbStmt **out, Store *store, const char *sql)
{
    int rc = db_exec(store__db(store), KINDS_JOURNAL_SQL);
    return rc ? rc : db_prepare(out, store__db(store), sql);
}

int store_journal_get(double *values, size_t n, Store *store, const char *key, const char *stage,
                      size_t block)
{
    DbStmt *stmt = NULL;
    int rc = journal_prepare(&stmt, store,
                             "SELECT numbers FROM journal"
                             " WHERE key = ?1 AND stage = ?2 AND block = ?3");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, key);
    db_bind_text(stmt, 2, stage);
    db_bind_int(stmt, 3, (int64_t)block);
    rc = db_step(stmt);
    if (rc == 1) {
        size_t n_bytes;
        const void *numbers = db_column_blob(stmt, 0, &n_bytes);
        rc = n_bytes == n * sizeof(*values);
        if (rc == 1) {
            memcpy(values, numbers, n_bytes);
        }
    }
    db_finalize(stmt);
    return rc;
}

int store_journal_put(Store *store, const char *key, const char *stage, size_t block,
                      const double *values, size_t n)
{
    DbStmt *stmt = NULL;
    int rc = journal_prepare(&stmt, store,
                             "INSERT OR REPLACE INTO journal(key, stage, block, numbers)"
                             " VALUES(?1, ?2, ?3, ?4)");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, key);
    db_bind_text(stmt, 2, stage);
    db_bind_int(stmt, 3, (int64_t)block);
    db_bind_blob(stmt, 4, values, n * sizeof(*values));
    rc = db_step(stmt);
    db_finalize(stmt);
    return rc;
}

/* What the first rank has kept, all ranks have. */
static int recall(void *context, double *values, size_t n, const char *stage, size_t block)
{
    const StoreJournal *from = context;
    int found =
        !from->store ? 0 : store_journal_get(values, n, from->store, from->key, stage, block);
    int rc = found < 0 ? found : ranks_broadcast(&found, sizeof(found), 0);
    rc = rc || found == 0 ? rc : ranks_broadcast(values, n * sizeof(*values), 0);
    return rc ? rc : found;
}

static int keep(void *context, const double *values, size_t n, const char *stage, size_t block)
{
    const StoreJournal *from = context;
    return !from->store ? 0 : store_journal_put(from->store, from->key, stage, block, values, n);
}

WorkJournal store_journal_work(StoreJournal *from)
{
    return (WorkJournal){from, recall, keep};
}

int store_journal_drop(Store *store, const char *key)
{
    DbStmt *stmt = NULL;
    if (!store) {
        return 0;
    }
    int rc = journal_prepare(&stmt, store, "DELETE FROM journal WHERE key = ?1");
    if (rc != 0) {
        return rc;
    }
    db_bind_text(stmt, 1, key);
    rc = db_step(stmt);
    db_finalize(stmt);
    return rc ? rc : db_compact(store__db(store));
}
