/* base/ranks/ranks.h - one command in many processes, on one machine or on many.
 *
 * mpirun or srun starts the same command line several times; each process is a rank. All ranks take
 * the same way through the command on the same inputs, and where there is much to compute they deal
 * it out: ranks_run gives each rank some of the jobs and hands every rank all results. What is
 * computed does not depend on the number of ranks. Only the first rank prints and writes files.
 *
 * Every rank calls the functions here in the same order, from the main thread. A process that no
 * launcher started, and a build without OGPT_MPI, has one rank: then nothing here waits or fails.
 *
 * The end. A rank that fails tells the first one, which ends the job: all functions here return its
 * error, with its number and its machine in the message. A rank that is killed is missed by the
 * launcher, which sends SIGTERM to the others; the lowest rank left on that machine writes one line
 * that says so, and the job is over. What was on file stays, and the same command goes on from it.
 */
#ifndef OGPT_BASE_RANKS_H
#define OGPT_BASE_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

#define RANKS_MAX 1024

/* Join the job. Returns 0, OGPT_EUSAGE (started as one of several by mpirun or srun, but built
 * without MPI; or more than RANKS_MAX), OGPT_EIO. */
int ranks_begin(void);
/* The command ended with rc: wait until every rank has ended it. Returns rc, or the error of a rank
 * that failed where this one did not. */
int ranks_finish(int rc);
/* Leave the job and return exit_code, the last call of all: the process must end now. After an
 * error (rc) the other ranks are told to end with the same code. */
int ranks_leave(int rc, int exit_code);

/* Tests: be one of several ranks whose messages never arrive: nothing is changed by those of
 * others. Before ranks_begin, or without it. */
void ranks_pretend(int own, int count);

int ranks_own(void);          /* number of this rank, from 0 */
int ranks_count(void);        /* how many there are */
bool ranks_first(void);       /* this is rank 0, the one that prints and writes */
size_t ranks_cores(void);     /* cores for this rank: its share of those of its machine */
const char *ranks_host(void); /* name of this rank's machine */
/* The MPI library that the program was built with, one line; NULL: built without. */
const char *ranks_library(void);

/* The share of a rank in n things: *first .. *end-1. Shares follow each other and differ by one at
 * most. */
void ranks_share(size_t *first, size_t *end, size_t n, int rank);
/* The rank whose share of n things has this one. */
int ranks_owner(size_t thing, size_t n);

/* ---- all of these return 0, or the error that ended the job ---- */

/* The error of the lowest rank that comes with one (rc not 0), with its message, on every rank. */
int ranks_agree(int rc);
/* Give every rank the bytes of rank `from`. */
int ranks_broadcast(void *data, size_t n_bytes, int from);
/* The same for several parts of memory; parts without bytes are left out. */
typedef struct RanksPart {
    void *data;
    size_t n_bytes;
    int rank; /* of ranks_exchange: to which, or from which */
} RanksPart;
int ranks_broadcast_parts(const RanksPart *parts, size_t n, int from);
/* *value becomes the largest of all ranks. */
int ranks_most(int64_t *value);
/* Each rank has its ranks_share of n things of so many bytes, in their places; all get all. The
 * last thing may be shorter: all together have `total` bytes (0: n * n_bytes). */
int ranks_gather(void *things, size_t n, size_t n_bytes, size_t total);
/* The same with shares of any size: rank r has the bytes bounds[r] .. bounds[r+1]-1 of `data`. */
int ranks_gather_cut(void *data, const size_t *bounds);
/* Send and receive parts at the same time; between two ranks they arrive in the order of the
 * lists. */
int ranks_exchange(const RanksPart *sent, size_t n_sent, const RanksPart *received,
                   size_t n_received);
/* OGPT_EUSAGE on a rank whose bytes are not those of the first; `what` is their name. */
int ranks_same(const void *data, size_t n_bytes, const char *what);

/* What job number j leaves behind: n_bytes at base + j * n_bytes, without pointers. The last job
 * may have less: all jobs together have `total` bytes (0: n_jobs * n_bytes). */
typedef struct RanksSlots {
    void *base;
    size_t n_bytes, total;
} RanksSlots;
/* Run jobs 0 .. n_jobs-1, each on one rank, and give every rank what all have left in the slots.
 * Otherwise as pool_run: the error is that of the lowest job that failed, on every rank. */
int ranks_run(Pool *pool, size_t n_jobs, PoolJob job, void *context, const RanksSlots *slots,
              size_t n_slots);

#endif
