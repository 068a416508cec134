/* tests/base/test_process.c - signals, clocks, the machine. */
#include "tests/base/base_test.h"

#include <time.h>

#include "base/process.h"

static void test_pending_can_be_pretended(void **state)
{
    assert_int_equal(interrupt_pending(), 0);
    interrupt_set(SIGTERM);
    assert_int_equal(interrupt_pending(), SIGTERM);
    interrupt_set(0);
    assert_int_equal(interrupt_pending(), 0);
}

/* The first signal is noted and the child goes on; the second ends it with 128 + signal. */
static void test_second_signal_ends(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        int out;
        pid_t pid = child_start(&out, "signals", "");
        child_await(out);
        kill(pid, SIGPIPE); /* ignored */
        kill(pid, numbers[i]);
        child_await(out);
        kill(pid, numbers[i]);
        int status = child_end(pid, out);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + numbers[i]);
    }
}

/* The limit on processor time ends nobody, however often it comes; a signal after it does. */
static void test_time_limit_is_noted(void **state)
{
    int out;
    pid_t pid = child_start(&out, "signals", "");
    child_await(out);
    kill(pid, SIGXCPU);
    child_await(out);
    for (int i = 0; i < 3; i++) {
        kill(pid, SIGXCPU);
    }
    kill(pid, SIGTERM);
    int status = child_end(pid, out);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    assert_int_equal(err_exit_code(OGPT_EINTR, SIGXCPU), 4);
    assert_int_equal(err_exit_code(OGPT_EINTR, SIGTERM), 143);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int child_signals(void)
{
    interrupt_install();
    if (write(1, "r", 1) != 1) {
        return 1;
    }
    while (interrupt_pending() == 0) {
        nap();
    }
    if (write(1, "s", 1) != 1) {
        return 1;
    }
    for (int i = 0; i < 60000; i++) { /* a minute: nobody waits for ever */
        nap();
    }
    return 1;
}

static void test_clocks(void **state)
{
    double before = clock_seconds();
    nap();
    double passed = clock_seconds() - before;
    assert_true(passed >= 0.001 && passed < 60);
    char text[32];
    int year, month, day, hour, minute, second, length = 0;
    clock_iso(text);
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &year, &month, &day, &hour, &minute,
                            &second, &length),
                     6);
    assert_int_equal(length, 20);
    assert_in_range(year, 2024, 9999);
}

/* This process has not ended; a child that was waited for has. A reused pid is recognised by its
 * start, a process of another host by the host. */
static void test_process_over(void **state)
{
    ProcessId self, other;
    int out;
    process_self(&self);
    assert_int_equal(self.pid, getpid());
    assert_true(self.start > 0);
    assert_false(process_is_over(&self));
    other = self;
    other.start++;
    assert_true(process_is_over(&other));
    other.host[0] ^= 1;
    assert_false(process_is_over(&other));
    other = (ProcessId){0};
    assert_false(process_is_over(&other)); /* nothing is known about it */
    other = self;
    other.pid = child_start(&out, "signals", "");
    other.start = 0;
    child_await(out);
    assert_false(process_is_over(&other));
    kill((pid_t)other.pid, SIGKILL);
    child_end((pid_t)other.pid, out);
    assert_true(process_is_over(&other));
}

static void test_machine(void **state)
{
    char text[512], small[8];
    machine_describe(text, sizeof(text));
    assert_non_null(strstr(text, " cores, "));
    assert_non_null(strstr(text, "Linux"));
    assert_null(strchr(text, '\n'));
    machine_describe(small, sizeof(small));
    assert_int_equal(strlen(small), 7);
    assert_in_range(memory_peak_bytes(), 100000, 1UL << 40);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        return child_signals();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pending_can_be_pretended),
        cmocka_unit_test(test_second_signal_ends),
        cmocka_unit_test(test_time_limit_is_noted),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_process_over),
        cmocka_unit_test(test_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
