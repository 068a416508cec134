/* store/check.h - every check on a results database, and cleaning up after killed processes. */
#ifndef OGPT_STORE_CHECK_H
#define OGPT_STORE_CHECK_H

#include "store/runs.h"

/* Findings, one line each:
 * - SQLite's integrity check fails;
 * - rows belong to no run; options or versions are not JSON;
 * - a run is "running" on file, but its process on this host has ended, and no repetition of the
 *   command has finished it;
 * - the newest checkpoint of a run directory is missing. Only for run directories of this host in a
 *   folder that exists: training prunes older checkpoints, and of a relative path or an absent
 * place nothing is known. Returns 0 if the database could be examined, with or without findings;
 * else OGPT_E*. */
int store_verify(size_t *n_runs, Store *store, void (*finding)(void *context, const char *line),
                 void *context);

/* Settle what killed processes and removed directories leave, which is not damage: the runs above
 * become "interrupted" (the same command still resumes them), and where the newest checkpoint is
 * missing, the rows of missing checkpoints are dropped. Files are never touched. One line for each.
 * For a store opened for writing. */
int store_settle(Store *store, void (*settled)(void *context, const char *line), void *context);

#endif
