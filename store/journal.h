/* store/journal.h - the finished blocks of a long command, kept until its results are stored.
 *
 * A command that works in blocks keeps each finished block as numbers under a key: a hash of
 * everything that the numbers depend on. When the same work is started again after a kill, in
 * whatever run, it finds them; once its results are stored, the key is dropped. Bytes are kept as
 * they are, NaN included. The table is in the results database and is made on first use; its rows
 * belong to no run.
 *
 * A result that must not be computed twice can be kept in the same way and never dropped: what a
 * look for seen games found (probes/legality/seen_games.h).
 *
 * Blocks of work that is never resumed stay. Nothing here can tell abandoned work from work that
 * somebody will resume: neither the status of a run (blocks are kept for killed runs) nor their
 * age. They are a few numbers per block, and only the command with the same key ever reads them. So
 * `ogpt verify --settle` leaves them alone too.
 */
#ifndef OGPT_STORE_JOURNAL_H
#define OGPT_STORE_JOURNAL_H

#include <stddef.h>

#include "base/hash.h"
#include "base/work.h"
#include "store/runs.h"

/* 1: the n values of this block are filled; 0: no block of n numbers is kept; or OGPT_E*. */
int store_journal_get(double *values, size_t n, Store *store, const char *key, const char *stage,
                      size_t block);
/* Keep a block, in place of an older one. Returns 0 or OGPT_E*. */
int store_journal_put(Store *store, const char *key, const char *stage, size_t block,
                      const double *values, size_t n);
/* The blocks of one key as the journal of a long function. `from` must stay where it is while the
 * journal is used; a NULL store keeps nothing. All ranks recall what the first has kept. */
typedef struct StoreJournal {
    Store *store;
    char key[HASH_HEX_SIZE];
} StoreJournal;
WorkJournal store_journal_work(StoreJournal *from);
/* Forget all blocks of a key (store NULL: there are none). Returns 0 or OGPT_E*. */
int store_journal_drop(Store *store, const char *key);

#endif
