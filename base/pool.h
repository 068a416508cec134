/* base/pool.h - the one worker pool of the program.
 *
 * POSIX threads that sleep between calls. Work is cut by the caller into numbered jobs of a
 * fixed size, so results do not depend on how many workers there are or who took which job.
 */
#ifndef OGPT_BASE_POOL_H
#define OGPT_BASE_POOL_H

#include <stddef.h>

typedef struct Pool Pool;

/* One job. `job` in 0..n_jobs-1, `worker` in 0..pool_size-1 (for per-worker scratch).
 * Returns 0 or OGPT_E*; after a failure no new job is started. */
typedef int (*PoolJob)(void *context, size_t job, size_t worker);

/* n_threads 1..256 workers, the calling thread counted as worker 0. Returns 0, OGPT_EUSAGE,
 * OGPT_ENOMEM or OGPT_EIO (thread creation failed). Owned: pool_free. */
int pool_new(Pool **out, size_t n_threads);
void pool_free(Pool *pool);
size_t pool_size(const Pool *pool);

/* Run jobs 0..n_jobs-1 and wait for all. Returns 0, or the code of the lowest-numbered failed
 * job with its message. Not re-entrant. `pool` NULL runs all jobs on the calling thread. */
int pool_run(Pool *pool, size_t n_jobs, PoolJob job, void *context);
/* Number of distinct workers that took at least one job in the last pool_run: lets tests
 * prove that the asked number of threads really worked. */
size_t pool_workers_used(const Pool *pool);

/* Number of cores this process may run on. */
size_t pool_cores(void);

#endif
