/* base/work.h - what every long computation is given: workers, a seed, room, a journal, a listener.
 *
 * A function that computes for more than a moment takes one `const Work *work` as its last
 * parameter instead of a pool, a seed, a limit and a progress callback of its own. All members may
 * be zero: then the work runs on the calling thread, with seed 0, without a limit, is kept by
 * nobody and reported to nobody. Borrowed, never copied into what outlives the call.
 */
#ifndef OGPT_BASE_WORK_H
#define OGPT_BASE_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

/* Keeps what is finished of a long computation, so that the next call need not do it again. A
 * block is n numbers (NaN among them) that depend on nothing but its stage and index, as long as
 * the inputs are the same: whoever keeps blocks must see to that. Called on the calling thread. */
typedef struct WorkJournal {
    void *context;
    /* 1: the block was kept earlier, values are filled; 0: it was not; or OGPT_E*. */
    int (*recall)(void *context, double *values, size_t n, const char *stage, size_t block);
    /* 0 or OGPT_E*. */
    int (*keep)(void *context, const double *values, size_t n, const char *stage, size_t block);
} WorkJournal;

typedef struct Work {
    Pool *pool;                 /* NULL: the calling thread */
    uint64_t seed;              /* of every draw; the purpose is added where it is used */
    size_t memory_bytes;        /* at most, for what the function says; 0: its own default */
    const WorkJournal *journal; /* NULL: nothing is kept */
    /* NULL, or called on the calling thread as the work goes on: `done` of `total` units of a
     * stage ("capture", "fit", "control history"). The unit is the stage's. */
    void (*tick)(void *context, const char *stage, double done, double total);
    void *context; /* of tick */
} Work;

/* Tell the listener, if there is one. */
static inline void work_tick(const Work *work, const char *stage, double done, double total)
{
    if (work->tick) {
        work->tick(work->context, stage, done, total);
    }
}

#endif
