/* tests/base/test_pool.c - the worker pool: who works, what fails, what is carried back. */
#include "tests/base/base_test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/pool.h"

typedef struct Meeting {
    pthread_barrier_t barrier;
    atomic_size_t n_run;
} Meeting;

static int job_meet(void *context, size_t job, size_t worker)
{
    Meeting *meeting = context;
    pthread_barrier_wait(&meeting->barrier);
    atomic_fetch_add(&meeting->n_run, 1);
    return 0;
}

/* n jobs that wait for each other can only end when n workers run one each. */
static void test_all_workers_work(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 8, 33};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        Pool *pool;
        Meeting meeting = {0};
        pthread_barrier_init(&meeting.barrier, NULL, (unsigned)sizes[s]);
        assert_int_equal(pool_new(&pool, sizes[s]), 0);
        assert_int_equal(pool_size(pool), sizes[s]);
        for (int turn = 0; turn < 20; turn++) {
            assert_int_equal(pool_run(pool, sizes[s], job_meet, &meeting), 0);
            assert_int_equal(pool_workers_used(pool), sizes[s]);
        }
        assert_int_equal(atomic_load(&meeting.n_run), 20 * sizes[s]);
        pool_free(pool);
        pthread_barrier_destroy(&meeting.barrier);
    }
}

/* The count can fail: one job needs only one worker. */
static void test_one_job_uses_one_worker(void **state)
{
    Pool *pool;
    Meeting meeting = {0};
    pthread_barrier_init(&meeting.barrier, NULL, 1);
    assert_int_equal(pool_new(&pool, 4), 0);
    assert_int_equal(pool_run(pool, 1, job_meet, &meeting), 0);
    assert_int_equal(pool_workers_used(pool), 1);
    assert_int_equal(pool_run(pool, 0, job_meet, &meeting), 0);
    assert_int_equal(pool_workers_used(pool), 0);
    pool_free(pool);
    pthread_barrier_destroy(&meeting.barrier);
}

enum { N_JOBS = 1000 };

typedef struct Tally {
    int n_taken[N_JOBS]; /* plain, each written by its job alone */
    size_t worker[N_JOBS];
} Tally;

static int job_tally(void *context, size_t job, size_t worker)
{
    Tally *tally = context;
    tally->n_taken[job]++;
    tally->worker[job] = worker;
    return 0;
}

/* Every job once, reading what they wrote after the return, one pool for many runs. */
static void test_every_job_once_and_reuse(void **state)
{
    static Tally tally;
    Pool *pool;
    assert_int_equal(pool_new(&pool, 3), 0);
    for (int turn = 1; turn <= 50; turn++) {
        assert_int_equal(pool_run(pool, N_JOBS, job_tally, &tally), 0);
        for (size_t i = 0; i < N_JOBS; i++) {
            assert_int_equal(tally.n_taken[i], turn);
            assert_in_range(tally.worker[i], 0, 2);
        }
    }
    pool_free(pool);
}

typedef struct Failing {
    pthread_barrier_t barrier;
    atomic_size_t n_run;
    useconds_t wait_us[2];
} Failing;

/* Jobs 0 and 1 wait for each other, so both run; each fails after its own delay. */
static int job_fail(void *context, size_t job, size_t worker)
{
    Failing *failing = context;
    atomic_fetch_add(&failing->n_run, 1);
    if (job < 2) {
        pthread_barrier_wait(&failing->barrier);
        usleep(failing->wait_us[job]);
        return err_set(job == 0 ? OGPT_EFORMAT : OGPT_ENUM, "job %zu failed", job);
    }
    return 0;
}

/* Whoever fails first, the lowest-numbered job is reported; and with both workers of the pool
 * failed, not one of the other jobs starts. */
static void test_lowest_failed_job_is_reported(void **state)
{
    for (int turn = 0; turn < 30; turn++) {
        Pool *pool;
        Failing failing = {.wait_us = {turn % 3 == 0 ? 2000 : 0, turn % 3 == 1 ? 2000 : 0}};
        pthread_barrier_init(&failing.barrier, NULL, 2);
        assert_int_equal(pool_new(&pool, 2), 0);
        assert_refused(pool_run(pool, 100, job_fail, &failing), OGPT_EFORMAT, "job 0 failed");
        assert_int_equal(atomic_load(&failing.n_run), 2);

        Tally *tally = mem_calloc(1, sizeof(*tally), "a test"); /* the pool works on after it */
        assert_int_equal(pool_run(pool, N_JOBS, job_tally, tally), 0);
        assert_int_equal(tally->n_taken[N_JOBS - 1], 1);
        mem_free(tally);
        pool_free(pool);
        pthread_barrier_destroy(&failing.barrier);
    }
}

static int job_fail_elsewhere(void *context, size_t job, size_t worker)
{
    Meeting *meeting = context;
    pthread_barrier_wait(&meeting->barrier);
    return worker == 0 ? 0 : err_set(OGPT_ENUM, "told by worker %zu", worker);
}

/* Messages live in thread-local storage: this one was set in another thread. */
static void test_message_is_carried_back(void **state)
{
    Pool *pool;
    Meeting meeting = {0};
    pthread_barrier_init(&meeting.barrier, NULL, 2);
    assert_int_equal(pool_new(&pool, 2), 0);
    err_set(OGPT_EIO, "of before");
    assert_refused(pool_run(pool, 2, job_fail_elsewhere, &meeting), OGPT_ENUM, "told by worker 1");
    pool_free(pool);
    pthread_barrier_destroy(&meeting.barrier);
}

static int job_fail_third(void *context, size_t job, size_t worker)
{
    *(size_t *)context += 1;
    assert_int_equal(worker, 0);
    return job == 2 ? err_set(OGPT_EIO, "third") : 0;
}

static void test_no_pool_runs_here(void **state)
{
    size_t n_run = 0;
    assert_refused(pool_run(NULL, 10, job_fail_third, &n_run), OGPT_EIO, "third");
    assert_int_equal(n_run, 3);
    n_run = 0;
    assert_int_equal(pool_run(NULL, 2, job_fail_third, &n_run), 0);
    assert_int_equal(n_run, 2);
    assert_int_equal(pool_size(NULL), 1);
    assert_int_equal(pool_workers_used(NULL), 1);
    pool_free(NULL);
}

static void test_bad_sizes_and_memory(void **state)
{
    Pool *pool;
    assert_refused(pool_new(&pool, 0), OGPT_EUSAGE, "expected 1..256, found 0");
    assert_refused(pool_new(&pool, 257), OGPT_EUSAGE, "found 257");
    assert_null(pool);
    mem_fail_at(1, 0);
    assert_refused(pool_new(&pool, 2), OGPT_ENOMEM, "the worker pool");
    mem_fail_at(0, 0);
    assert_int_equal(pool_new(&pool, 256), 0);
    pool_free(pool);
    assert_in_range(pool_cores(), 1, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_workers_work),
        cmocka_unit_test(test_one_job_uses_one_worker),
        cmocka_unit_test(test_every_job_once_and_reuse),
        cmocka_unit_test(test_lowest_failed_job_is_reported),
        cmocka_unit_test(test_message_is_carried_back),
        cmocka_unit_test(test_no_pool_runs_here),
        cmocka_unit_test(test_bad_sizes_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
