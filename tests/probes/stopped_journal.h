/* tests/probes/stopped_journal.h - a journal in memory: each block is kept once, by stage and
 * number. It ends the work when so many are kept, as a kill would, or interrupts it. */
#ifndef OGPT_TESTS_PROBES_STOPPED_JOURNAL_H
#define OGPT_TESTS_PROBES_STOPPED_JOURNAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "base/work.h"

enum { JOURNAL_BLOCKS = 256 };

typedef struct JournalBlock {
    char stage[64];
    size_t block, n;
    double *values; /* (n), owned */
} JournalBlock;

typedef struct StoppedJournal {
    JournalBlock kept[JOURNAL_BLOCKS]; /* (n_kept), in the order in which they came */
    size_t n_kept, n_recalled;
    size_t stop_after;      /* SIZE_MAX: never */
    size_t interrupt_after; /* as a signal that arrives while that one is kept; 0: never */
    WorkJournal callbacks;
} StoppedJournal;

/* The first block of that number and stage (NULL: any); NULL when none is kept. */
static inline JournalBlock *journal_find(StoppedJournal *journal, const char *stage, size_t block)
{
    for (size_t i = 0; i < journal->n_kept; i++) {
        JournalBlock *kept = &journal->kept[i];
        if (kept->block == block && (!stage || strcmp(kept->stage, stage) == 0)) {
            return kept;
        }
    }
    return NULL;
}

static inline int journal_recall(void *context, double *values, size_t n, const char *stage,
                                 size_t block)
{
    StoppedJournal *journal = context;
    const JournalBlock *kept = journal_find(journal, stage, block);
    if (!kept) {
        return 0;
    }
    assert_int_equal(kept->n, n);
    memcpy(values, kept->values, n * sizeof(*values));
    journal->n_recalled++;
    return 1;
}

static inline int journal_keep(void *context, const double *values, size_t n, const char *stage,
                               size_t block)
{
    StoppedJournal *journal = context;
    assert_null(journal_find(journal, stage, block)); /* nothing is done twice */
    if (journal->n_kept == journal->stop_after) {
        return err_set(OGPT_EINTR, "stopped by the test");
    }
    assert_true(journal->n_kept < JOURNAL_BLOCKS && strlen(stage) < sizeof(journal->kept[0].stage));
    JournalBlock *kept = &journal->kept[journal->n_kept++];
    *kept = (JournalBlock){.block = block, .n = n, .values = malloc(n * sizeof(*values))};
    assert_non_null(kept->values);
    snprintf(kept->stage, sizeof(kept->stage), "%s", stage);
    memcpy(kept->values, values, n * sizeof(*values));
    if (journal->n_kept == journal->interrupt_after) {
        interrupt_set(2);
    }
    return 0;
}

/* It must stay where it is while its callbacks are used. */
static inline void journal_begin(StoppedJournal *journal, size_t stop_after)
{
    *journal = (StoppedJournal){.stop_after = stop_after};
    journal->callbacks = (WorkJournal){journal, journal_recall, journal_keep};
}

/* The values of a kept block, to be changed: what is kept is taken, not computed again. */
static inline double *journal_values(StoppedJournal *journal, const char *stage, size_t block)
{
    JournalBlock *kept = journal_find(journal, stage, block);
    assert_non_null(kept);
    return kept->values;
}

/* Forget one block: it must be computed again. */
static inline void journal_forget(StoppedJournal *journal, const char *stage, size_t block)
{
    JournalBlock *kept = journal_find(journal, stage, block);
    assert_non_null(kept);
    free(kept->values);
    *kept = journal->kept[--journal->n_kept];
}

static inline void journal_end(StoppedJournal *journal)
{
    for (size_t i = 0; i < journal->n_kept; i++) {
        free(journal->kept[i].values);
    }
    journal->n_kept = 0;
}

#endif
