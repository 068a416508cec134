/* probes/patching/patch_jobs.c - jobs, a window at a time. See probes/patching/patch_jobs.h. */
#include "probes/patching/patch_jobs.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"

enum { JOBS_IN_WINDOW = 2, JOB_OPEN = 0, JOB_RECALLED, JOB_FINISHED };

typedef struct JobWindow {
    const PatchJobs *jobs;
    size_t first, n, width;
    double *values; /* (jobs of a window, width) */
    uint8_t *states;
} JobWindow;

static int window_recall(JobWindow *window)
{
    const PatchJobs *jobs = window->jobs;
    const WorkJournal *journal = jobs->work->journal;
    memset(window->states, JOB_OPEN, window->n);
    memset(window->values, 0, window->n * window->width * sizeof(*window->values));
    for (size_t i = 0; journal && i < window->n; i++) {
        size_t job = window->first + i;
        int found = journal->recall(journal->context, window->values + i * window->width,
                                    jobs->numbers(jobs->context, job), jobs->stage, job);
        if (found < 0) {
            return found;
        }
        window->states[i] = found > 0 ? JOB_RECALLED : JOB_OPEN;
    }
    return 0;
}

static int window_keep(const JobWindow *window)
{
    const PatchJobs *jobs = window->jobs;
    const WorkJournal *journal = jobs->work->journal;
    int rc = 0;
    for (size_t i = 0; journal && i < window->n && rc == 0; i++) {
        size_t job = window->first + i;
        if (window->states[i] == JOB_FINISHED) {
            rc = journal->keep(journal->context, window->values + i * window->width,
                               jobs->numbers(jobs->context, job), jobs->stage, job);
        }
    }
    return rc;
}

static int run_one(void *context, size_t i, size_t worker)
{
    JobWindow *window = context;
    const PatchJobs *jobs = window->jobs;
    int rc = 0;
    if (window->states[i] != JOB_OPEN) {
        return 0;
    }
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while patching");
    }
    rc = jobs->run(jobs->context, window->values + i * window->width, window->first + i, worker);
    window->states[i] = rc == 0 ? JOB_FINISHED : JOB_OPEN;
    return rc;
}

static int run_window(JobWindow *window)
{
    const PatchJobs *jobs = window->jobs;
    const RanksSlots slots = {window->values, window->width * sizeof(*window->values), 0};
    int rc = window_recall(window);
    if (rc == 0) {
        rc = ranks_run(jobs->work->pool, window->n, run_one, window, &slots, 1);
        for (size_t i = 0; i < window->n && rc == 0; i++) { /* by whichever rank */
            window->states[i] = window->states[i] == JOB_OPEN ? JOB_FINISHED : window->states[i];
        }
        int kept = window_keep(window); /* also when another job failed */
        rc = rc ? rc : kept;
    }
    for (size_t i = 0; i < window->n && rc == 0; i++) {
        jobs->take(jobs->context, window->values + i * window->width, window->first + i);
    }
    return rc;
}

int patch_jobs_run(const PatchJobs *jobs)
{
    size_t size = JOBS_IN_WINDOW * work_workers(jobs->work) * (size_t)ranks_count();
    JobWindow window = {.jobs = jobs};
    double all = 0.0, finished = 0.0;
    for (size_t job = 0; job < jobs->n_jobs; job++) {
        size_t width = jobs->numbers(jobs->context, job);
        all += (double)width;
        window.width = width > window.width ? width : window.width;
    }
    window.values = mem_alloc(size * window.width, sizeof(*window.values), "results of patches");
    window.states = mem_calloc(size, sizeof(*window.states), "jobs of patches");
    int rc = window.values && window.states ? 0 : OGPT_ENOMEM;
    work_tick(jobs->work, jobs->unit, 0, jobs->n_units);
    while (window.first < jobs->n_jobs && rc == 0) {
        size_t left = jobs->n_jobs - window.first;
        window.n = left < size ? left : size;
        rc = run_window(&window);
        for (size_t i = 0; i < window.n; i++) {
            finished += (double)jobs->numbers(jobs->context, window.first + i);
        }
        window.first += window.n;
        if (rc == 0) {
            work_tick(jobs->work, jobs->unit, jobs->n_units * (finished / all), jobs->n_units);
        }
    }
    mem_free(window.values);
    mem_free(window.states);
    return rc;
}
