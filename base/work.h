/* base/work.h - what every long computation is given: workers, seed, memory, journal, listener.
 *
 * A function that computes for more than a moment takes one `const Work *work` as its last
 * parameter instead of a pool, a seed, a limit and a progress callback of its own. All members may
 * be zero: then the work runs on the calling thread, with seed 0 and the default limit; nothing is
 * kept and nothing is reported. Borrowed, never copied into what outlives the call.
 */
#ifndef OGPT_BASE_WORK_H
#define OGPT_BASE_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

/* Keeps the finished blocks of a long computation, so that the next call need not compute them
 * again. A block is n numbers (NaN allowed). With the same inputs it depends only on its stage and
 * index; the keeper must make sure that the inputs are the same. Called on the calling thread. */
typedef struct WorkJournal {
    void *context;
    /* 1: the block was kept earlier and values are filled; 0: it was not; or OGPT_E*. */
    int (*recall)(void *context, double *values, size_t n, const char *stage, size_t block);
    /* 0 or OGPT_E*. */
    int (*keep)(void *context, const double *values, size_t n, const char *stage, size_t block);
} WorkJournal;

typedef struct Work {
    Pool *pool;                 /* NULL: the calling thread */
    uint64_t seed;              /* of every draw; the purpose is added where it is used */
    size_t memory_bytes;        /* limit for what the function says; 0: its own default */
    const WorkJournal *journal; /* NULL: nothing is kept */
    /* NULL, or called on the calling thread as the work goes on: `done` of `total` units of a
     * stage ("capture", "fit", "control history"). Each stage has its own unit. */
    void (*tick)(void *context, const char *stage, double done, double total);
    void *context; /* of tick */
} Work;

/* Work on the calling thread with seed 0, without a journal and a listener. Lives as long as the
 * block in which it is written. */
#define WORK_ALONE (&(const Work){.pool = NULL})

/* Number of workers, for tables with one entry for each. */
static inline size_t work_workers(const Work *work)
{
    return work->pool ? pool_size(work->pool) : 1;
}

/* The same work without a listener. A function that reports its own progress hands this to the
 * functions that it calls. */
static inline Work work_quiet(const Work *work)
{
    Work quiet = *work;
    quiet.tick = NULL;
    return quiet;
}

/* The block that the journal keeps: 1, values (n) are filled; 0, it has none or there is no
 * journal; or OGPT_E*. */
static inline int work_recall(double *values, const Work *work, size_t n, const char *stage,
                              size_t block)
{
    const WorkJournal *journal = work->journal;
    return journal ? journal->recall(journal->context, values, n, stage, block) : 0;
}

/* Keep a finished block, if there is a journal. Returns 0 or OGPT_E*. */
static inline int work_keep(const Work *work, const double *values, size_t n, const char *stage,
                            size_t block)
{
    const WorkJournal *journal = work->journal;
    return journal ? journal->keep(journal->context, values, n, stage, block) : 0;
}

/* Tell the listener, if there is one. */
static inline void work_tick(const Work *work, const char *stage, double done, double total)
{
    if (work->tick) {
        work->tick(work->context, stage, done, total);
    }
}

#endif
