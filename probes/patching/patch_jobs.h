/* probes/patching/patch_jobs.h - a long computation in jobs, a few at a time.
 *
 * A job fills some numbers. Jobs run a window at a time; what a window finished is kept in the
 * journal before the next one begins, also when another job of it failed. Neither workers nor
 * windows change a number. The jobs of a window are dealt to the ranks (base/ranks/ranks.h); all of
 * them take all numbers. */
#ifndef OGPT_PROBES_PATCHING_PATCH_JOBS_H
#define OGPT_PROBES_PATCHING_PATCH_JOBS_H

#include "base/work.h"

typedef struct PatchJobs {
    const Work *work;
    const char *stage; /* of the journal */
    const char *unit;  /* of the ticks */
    double n_units;    /* all jobs together; a job counts by its numbers */
    size_t n_jobs;
    void *context;
    /* Numbers of a job. */
    size_t (*numbers)(void *context, size_t job);
    /* Fill them (they are 0 before). 0 or OGPT_E*. */
    int (*run)(void *context, double *values, size_t job, size_t worker);
    /* Take them over, on the calling thread, job after job. */
    void (*take)(void *context, const double *values, size_t job);
} PatchJobs;

/* Returns 0, OGPT_EINTR, OGPT_ENOMEM, or the first error of a job or of the journal. */
int patch_jobs_run(const PatchJobs *jobs);

#endif
