/* base/pool.c - see pool.h.
 *
 * Workers sleep on `started` until `round` moves on, then take job numbers from one atomic
 * counter until none is left. The caller is worker 0 and waits on `finished`.
 */
#define _GNU_SOURCE
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"

#define THREADS_MAX 256

typedef struct Worker {
    Pool *pool;
    size_t index;
    pthread_t thread;
    bool used; /* took a job in this round */
} Worker;

struct Pool {
    pthread_mutex_t mutex; /* guards everything below except the atomics */
    pthread_cond_t started, finished;
    uint64_t round;
    bool stopping;
    size_t n_busy; /* workers that have not finished this round */
    size_t n_threads;

    PoolJob job;
    void *context;
    size_t n_jobs;
    atomic_size_t next_job;
    atomic_bool failed;
    size_t failed_job;
    int failed_code;
    char failed_message[1024];

    Worker workers[];
};

static void failure_note(Pool *pool, size_t job, int rc)
{
    pthread_mutex_lock(&pool->mutex);
    if (pool->failed_code == 0 || job < pool->failed_job) {
        pool->failed_job = job;
        pool->failed_code = rc;
        snprintf(pool->failed_message, sizeof(pool->failed_message), "%s", err_message());
    }
    pthread_mutex_unlock(&pool->mutex);
    atomic_store(&pool->failed, true);
}

/* The flag is read before a number is taken and not after: a taken job always runs. Numbers
 * are taken in order, so the lowest job that would fail is among those that ran, and the
 * reported failure does not depend on timing. */
static void jobs_take(Worker *worker)
{
    Pool *pool = worker->pool;
    while (!atomic_load(&pool->failed)) {
        size_t job = atomic_fetch_add(&pool->next_job, 1);
        if (job >= pool->n_jobs) {
            break;
        }
        worker->used = true;
        int rc = pool->job(pool->context, job, worker->index);
        if (rc != 0) {
            failure_note(pool, job, rc);
        }
    }
}

static void *worker_main(void *argument)
{
    Worker *worker = argument;
    Pool *pool = worker->pool;
    uint64_t round = 0;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->round == round && !pool->stopping) {
            pthread_cond_wait(&pool->started, &pool->mutex);
        }
        if (pool->stopping) {
            break;
        }
        round = pool->round;
        pthread_mutex_unlock(&pool->mutex);
        jobs_take(worker);
        pthread_mutex_lock(&pool->mutex);
        pool->n_busy--;
        if (pool->n_busy == 0) {
            pthread_cond_signal(&pool->finished);
        }
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* Signals belong to the main thread: workers start with all of them blocked. */
static int worker_start(Worker *worker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0) {
        return err_set(OGPT_EIO,
                       "worker thread %zu could not be started: %s; ask for fewer "
                       "--threads",
                       worker->index, strerrordesc_np(status));
    }
    return 0;
}

int pool_new(Pool **out, size_t n_threads)
{
    *out = NULL;
    if (n_threads < 1 || n_threads > THREADS_MAX) {
        return err_set(OGPT_EUSAGE, "number of threads: expected 1..%d, found %zu", THREADS_MAX,
                       n_threads);
    }
    Pool *pool = mem_calloc(1, sizeof(*pool) + n_threads * sizeof(Worker), "the worker pool");
    if (!pool) {
        return OGPT_ENOMEM;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->started, NULL);
    pthread_cond_init(&pool->finished, NULL);
    pool->n_threads = 1; /* the workers that pool_free must join */
    for (size_t i = 0; i < n_threads; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].index = i;
    }
    for (size_t i = 1; i < n_threads; i++) {
        int rc = worker_start(&pool->workers[i]);
        if (rc != 0) {
            pool_free(pool);
            return rc;
        }
        pool->n_threads++;
    }
    *out = pool;
    return 0;
}

void pool_free(Pool *pool)
{
    if (!pool) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->started);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 1; i < pool->n_threads; i++) {
        pthread_join(pool->workers[i].thread, NULL);
    }
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->started);
    pthread_mutex_destroy(&pool->mutex);
    mem_free(pool);
}

size_t pool_size(const Pool *pool)
{
    return !pool ? 1 : pool->n_threads;
}

static int run_here(size_t n_jobs, PoolJob job, void *context)
{
    for (size_t i = 0; i < n_jobs; i++) {
        int rc = job(context, i, 0);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int pool_run(Pool *pool, size_t n_jobs, PoolJob job, void *context)
{
    if (!pool) {
        return run_here(n_jobs, job, context);
    }
    pthread_mutex_lock(&pool->mutex);
    pool->job = job;
    pool->context = context;
    pool->n_jobs = n_jobs;
    pool->failed_code = 0;
    for (size_t i = 0; i < pool->n_threads; i++) {
        pool->workers[i].used = false;
    }
    atomic_store(&pool->next_job, 0);
    atomic_store(&pool->failed, false);
    pool->n_busy = pool->n_threads - 1;
    pool->round++;
    pthread_cond_broadcast(&pool->started);
    pthread_mutex_unlock(&pool->mutex);

    jobs_take(&pool->workers[0]);

    pthread_mutex_lock(&pool->mutex);
    while (pool->n_busy > 0) {
        pthread_cond_wait(&pool->finished, &pool->mutex);
    }
    int rc = pool->failed_code;
    pthread_mutex_unlock(&pool->mutex);
    return rc == 0 ? 0 : err_set(rc, "%s", pool->failed_message);
}

size_t pool_workers_used(const Pool *pool)
{
    if (!pool) {
        return 1;
    }
    size_t n_used = 0;
    for (size_t i = 0; i < pool->n_threads; i++) {
        n_used += pool->workers[i].used;
    }
    return n_used;
}

size_t pool_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        return (size_t)CPU_COUNT(&set);
    }
    long n = sysconf(_SC_NPROCESSORS_ONLN); /* machines with more cores than cpu_set_t holds */
    return n < 1 ? 1 : (size_t)n;
}
