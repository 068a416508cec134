/* Ranks: shares, what every rank gets, and errors that all learn. The suite runs this as one rank;
 * tests/ranks/ranks_generate.sh starts it as 2, 3 and 4. */
#include "base/ranks/ranks.h"

#include <stdlib.h>
#include <string.h>

#include "base/base_test.h"
#include "base/err.h"
#include "base/process.h"

static void test_shares_cover_everything(void **state)
{
    (void)state;
    for (size_t n = 0; n < 30; n++) {
        size_t at = 0, most = 0, least = n;
        for (int rank = 0; rank < ranks_count(); rank++) {
            size_t first, end;
            ranks_share(&first, &end, n, rank);
            assert_int_equal(first, at);
            assert_true(end >= first);
            for (size_t i = first; i < end; i++) {
                assert_int_equal(ranks_owner(i, n), rank);
            }
            most = end - first > most ? end - first : most;
            least = end - first < least ? end - first : least;
            at = end;
        }
        assert_int_equal(at, n);
        assert_true(most - least <= 1);
    }
    assert_true(ranks_own() >= 0 && ranks_own() < ranks_count());
    assert_int_equal(ranks_first(), ranks_own() == 0);
    assert_true(ranks_cores() >= 1);
    assert_true(strlen(ranks_host()) > 0);
}

static void test_broadcast(void **state)
{
    (void)state;
    for (int from = 0; from < ranks_count(); from++) {
        int a[3] = {ranks_own(), 7 * ranks_own(), -1};
        double b = ranks_own() + 0.5;
        RanksPart parts[] = {{a, 2 * sizeof(int), 0}, {NULL, 0, 0}, {&b, sizeof(b), 0}};
        assert_int_equal(ranks_broadcast_parts(parts, 3, from), 0);
        const int told = ranks_count() == 1 ? 0 : from;
        assert_int_equal(a[0], told);
        assert_int_equal(a[1], 7 * told);
        assert_int_equal(a[2], -1);
        assert_true(b == told + 0.5);
    }
}

static void test_most(void **state)
{
    (void)state;
    int64_t value = 100 + ranks_own();
    assert_int_equal(ranks_most(&value), 0);
    assert_int_equal(value, 100 + ranks_count() - 1);
}

static void test_gather_with_a_short_end(void **state)
{
    (void)state;
    enum { THINGS = 11, WIDTH = 5, TOTAL = THINGS * WIDTH - 3 };
    for (int n = 1; n <= THINGS; n++) {
        unsigned char bytes[THINGS * WIDTH + 1];
        size_t first, end, total = n == THINGS ? TOTAL : 0;
        size_t all = total ? total : (size_t)n * WIDTH;
        memset(bytes, 0xee, sizeof(bytes));
        ranks_share(&first, &end, (size_t)n, ranks_own());
        for (size_t i = first * WIDTH; i < end * WIDTH && i < all; i++) {
            bytes[i] = (unsigned char)i;
        }
        assert_int_equal(ranks_gather(bytes, (size_t)n, WIDTH, total), 0);
        for (size_t i = 0; i < all; i++) {
            assert_int_equal(bytes[i], i);
        }
        assert_int_equal(bytes[all], 0xee); /* and no more */
    }
}

static void test_exchange_keeps_the_order(void **state)
{
    (void)state;
    int next = (ranks_own() + 1) % ranks_count();
    int before = (ranks_own() + ranks_count() - 1) % ranks_count();
    int mine[2] = {10 * ranks_own(), 10 * ranks_own() + 1}, theirs[2] = {-1, -1};
    RanksPart sent[] = {{&mine[0], sizeof(int), next}, {&mine[1], sizeof(int), next}};
    RanksPart received[] = {{&theirs[0], sizeof(int), before}, {&theirs[1], sizeof(int), before}};
    assert_int_equal(ranks_exchange(sent, 2, received, 2), 0);
    assert_int_equal(theirs[0], ranks_count() == 1 ? -1 : 10 * before);
    assert_int_equal(theirs[1], ranks_count() == 1 ? -1 : 10 * before + 1);
}

static void test_same(void **state)
{
    (void)state;
    char words[] = "the same words";
    assert_int_equal(ranks_same(words, sizeof(words), "words"), 0);
    words[0] = ranks_first() ? 't' : 'T';
    int rc = ranks_same(words, sizeof(words), "words");
    assert_int_equal(rc, ranks_first() ? 0 : OGPT_EUSAGE);
    assert_true(ranks_first() || strstr(err_message(), "words: other than those of the first"));
}

enum { JOBS = 13, EACH = 3 };

typedef struct Jobs {
    int values[JOBS][EACH];
    char half[JOBS]; /* a second result, one byte a job */
    int n_here;
    size_t failing; /* JOBS: none */
} Jobs;

static int job(void *context, size_t number, size_t worker)
{
    Jobs *jobs = context;
    (void)worker;
    for (int i = 0; i < EACH; i++) {
        jobs->values[number][i] = (int)number * 100 + i;
    }
    jobs->half[number] = (char)('a' + number);
    jobs->n_here++;
    return number >= jobs->failing ? err_set(OGPT_ENUM, "job %zu fails", number) : 0;
}

static int run_jobs(Jobs *jobs)
{
    const RanksSlots slots[] = {{.base = jobs->values, .n_bytes = sizeof(jobs->values[0])},
                                {.base = jobs->half, .n_bytes = 1}};
    return ranks_run(NULL, JOBS, job, jobs, slots, 2);
}

static void test_every_rank_gets_what_all_have_done(void **state)
{
    (void)state;
    Jobs jobs = {.failing = JOBS};
    assert_int_equal(run_jobs(&jobs), 0);
    for (int number = 0; number < JOBS; number++) {
        for (int i = 0; i < EACH; i++) {
            assert_int_equal(jobs.values[number][i], number * 100 + i);
        }
        assert_int_equal(jobs.half[number], 'a' + number);
    }
    int64_t most = jobs.n_here; /* nobody did more than a share */
    assert_int_equal(ranks_most(&most), 0);
    assert_int_equal(most, (JOBS + ranks_count() - 1) / ranks_count());
}

static void test_all_learn_the_lowest_error(void **state)
{
    (void)state;
    for (size_t failing = 0; failing < JOBS; failing += 4) {
        char message[40];
        Jobs jobs = {.failing = failing};
        snprintf(message, sizeof(message), "job %zu fails", failing);
        assert_int_equal(run_jobs(&jobs), OGPT_ENUM);
        assert_string_equal(err_message(), message);
    }
}

/* Ranks that share one memory, one behind the other, leave what one rank leaves. */
static void test_pretended_ranks_share_the_jobs(void **state)
{
    (void)state;
    if (ranks_count() > 1) {
        skip();
    }
    for (int count = 2; count < 6; count++) {
        Jobs jobs = {.failing = JOBS};
        int before = 0;
        for (int rank = 0; rank < count; rank++) {
            ranks_pretend(rank, count);
            assert_int_equal(run_jobs(&jobs), 0);
            assert_true(jobs.n_here > before);
            before = jobs.n_here;
        }
        assert_int_equal(jobs.n_here, JOBS);
        assert_int_equal(jobs.values[JOBS - 1][1], (JOBS - 1) * 100 + 1);
        jobs.failing = JOBS - 1;
        assert_int_equal(run_jobs(&jobs), OGPT_ENUM); /* the last rank has the last job */
        assert_true(ranks_cores() >= 1);
        ranks_pretend(0, 1);
    }
}

/* A build without MPI must not run as one of several. */
static void test_a_launcher_is_noticed(void **state)
{
    (void)state;
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
    if (ranks_library()) {
        skip();
    }
    for (size_t i = 0; i < 3; i++) {
        setenv(names[i], "3", 1);
        assert_int_equal(ranks_begin(), OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), "started 3 times at once"));
        setenv(names[i], "1", 1);
        assert_int_equal(ranks_begin(), 0);
        unsetenv(names[i]);
    }
    setenv(names[0], "1", 1); /* one rank of mpirun, in a step of srun with three */
    setenv(names[2], "3", 1);
    assert_int_equal(ranks_begin(), 0);
    unsetenv(names[0]);
    assert_int_equal(ranks_begin(), OGPT_EUSAGE);
    unsetenv(names[2]);
    assert_int_equal(ranks_finish(OGPT_EIO), OGPT_EIO);
    assert_int_equal(ranks_leave(OGPT_EIO, 4), 4);
}

/* Not a test: one rank fails, the last one computes and hears nothing. Who says what of it is
 * looked at by tests/ranks/ranks_generate.sh. */
static int play_failure(const char *failing)
{
    int rc = ranks_begin();
    interrupt_install();
    if (rc == 0 && ranks_own() == (int)strtol(failing, NULL, 10)) {
        rc = err_set(OGPT_ENUM, "a number went wrong");
    }
    const double start = clock_seconds();
    while (rc == 0 && ranks_own() == ranks_count() - 1 && clock_seconds() - start < 60) {
    }
    rc = ranks_finish(rc);
    if (rc && ranks_first()) {
        fprintf(stderr, "ogpt: %s\n", err_message());
    }
    return ranks_leave(rc, err_exit_code(rc, 0));
}

int main(void)
{
    const char *failing = getenv("OGPT_RANKS_FAILING");
    if (failing) {
        return play_failure(failing);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_cover_everything),
        cmocka_unit_test(test_broadcast),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_gather_with_a_short_end),
        cmocka_unit_test(test_exchange_keeps_the_order),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_every_rank_gets_what_all_have_done),
        cmocka_unit_test(test_all_learn_the_lowest_error),
        cmocka_unit_test(test_pretended_ranks_share_the_jobs),
        cmocka_unit_test(test_a_launcher_is_noticed),
    };
    int rc = ranks_begin();
    if (rc) {
        fprintf(stderr, "%s\n", err_message());
        return 1;
    }
    const char *wanted = getenv("OGPT_RANKS_WANTED");
    if (wanted && strtol(wanted, NULL, 10) != ranks_count()) {
        fprintf(stderr, "%d ranks, wanted %s\n", ranks_count(), wanted);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return ranks_leave(failed, failed ? 1 : 0);
}
