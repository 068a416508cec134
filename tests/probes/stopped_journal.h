/* tests/probes/stopped_journal.h - a journal in memory that ends the work when so many blocks are
 * kept, as a kill would. */
#ifndef OGPT_TESTS_PROBES_STOPPED_JOURNAL_H
#define OGPT_TESTS_PROBES_STOPPED_JOURNAL_H

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/work.h"

enum { JOURNAL_BLOCKS = 32 };

typedef struct StoppedJournal {
    double *blocks[JOURNAL_BLOCKS]; /* owned */
    size_t n_kept, stop_after;
    WorkJournal callbacks;
} StoppedJournal;

static int journal_recall(void *context, double *values, size_t n, const char *stage, size_t block)
{
    StoppedJournal *journal = context;
    if (!journal->blocks[block]) {
        return 0;
    }
    memcpy(values, journal->blocks[block], n * sizeof(*values));
    return 1;
}

static int journal_keep(void *context, const double *values, size_t n, const char *stage,
                        size_t block)
{
    StoppedJournal *journal = context;
    if (journal->n_kept == journal->stop_after) {
        return err_set(OGPT_EINTR, "stopped by the test");
    }
    journal->blocks[block] = malloc(n * sizeof(*values));
    memcpy(journal->blocks[block], values, n * sizeof(*values));
    journal->n_kept++;
    return 0;
}

/* It must stay where it is while its callbacks are used. */
static inline void journal_begin(StoppedJournal *journal, size_t stop_after)
{
    *journal = (StoppedJournal){.stop_after = stop_after};
    journal->callbacks = (WorkJournal){journal, journal_recall, journal_keep};
}

static inline void journal_end(StoppedJournal *journal)
{
    for (size_t i = 0; i < JOURNAL_BLOCKS; i++) {
        free(journal->blocks[i]);
    }
}

#endif
