/* base/process.c - see process.h. */
#define _GNU_SOURCE
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files.h"
#include "base/pool.h"

static atomic_int pending; /* lock-free, so a signal handler may use it */

static void (*watcher)(int signal_number);

static void signal_arrived(int signal_number)
{
    int none = 0;
    if (watcher) {
        watcher(signal_number);
    }
    if (!atomic_compare_exchange_strong(&pending, &none, signal_number)) {
        _exit(128 + signal_number);
    }
}

/* The limit on processor time comes again every second, until the process has saved its work. */
static void limit_arrived(int signal_number)
{
    int none = 0;
    atomic_compare_exchange_strong(&pending, &none, signal_number);
}

void interrupt_install(void)
{
    struct sigaction action = {.sa_handler = signal_arrived, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
        sigaction(SIGHUP, &action, NULL); /* under nohup it stays ignored */
    }
    struct sigaction limit = {.sa_handler = limit_arrived, .sa_flags = SA_RESTART};
    sigemptyset(&limit.sa_mask);
    sigaction(SIGXCPU, &limit, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

void interrupt_watch(void (*fn)(int signal_number))
{
    watcher = fn;
}

int interrupt_pending(void)
{
    return atomic_load_explicit(&pending, memory_order_relaxed);
}

void interrupt_set(int signal_number)
{
    atomic_store(&pending, signal_number);
}

/* When a process began, in clock ticks after boot: field 22 of its stat line. The name in field 2
 * may hold blanks and brackets, so fields are counted from the last bracket on. 0: not known. */
static int64_t process_start(int64_t pid)
{
    char path[64], line[1024];
    long long start = 0;
    snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    FILE *file = fopen(path, "re");
    if (!file) {
        return 0;
    }
    const char *rest = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    fclose(file);
    for (int field = 3; rest && field <= 22; field++) {
        rest = strchr(rest + 1, ' ');
    }
    return rest && sscanf(rest, " %lld", &start) == 1 ? start : 0;
}

static void host_name(char *out, size_t size)
{
    struct utsname system;
    uname(&system);
    snprintf(out, size, "%s", system.nodename);
}

void process_self(ProcessId *out)
{
    out->pid = getpid();
    out->start = process_start(out->pid);
    host_name(out->host, sizeof(out->host));
}

bool process_is_over(const ProcessId *id)
{
    char host[sizeof(id->host)];
    host_name(host, sizeof(host));
    if (id->pid <= 0 || strcmp(id->host, host) != 0) {
        return false;
    }
    /* EPERM: it is there, and another user's */
    bool gone = kill((pid_t)id->pid, 0) != 0 && errno == ESRCH;
    int64_t start = gone ? 0 : process_start(id->pid);
    bool other = id->start != 0 && start != 0 && start != id->start;
    return gone || other;
}

int process_folder(char *out)
{
    char program[FILES_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length < 0) {
        return err_set_errno(OGPT_EIO, "/proc/self/exe");
    }
    program[length] = '\0';
    return path_parent(out, program);
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double clock_seconds(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double clock_thread_seconds(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double clock_process_seconds(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_iso(char out[32])
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void cpu_model(char *out, size_t size)
{
    snprintf(out, size, "unknown CPU");
    FILE *file = fopen("/proc/cpuinfo", "re");
    if (!file) {
        return;
    }
    char line[256];
    while (fgets(line, sizeof(line), file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            line[strcspn(line, "\n")] = 0;
            snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " "));
            break;
        }
    }
    fclose(file);
}

void machine_describe(char *out, size_t size)
{
    char model[160];
    cpu_model(model, sizeof(model));
    struct utsname system;
    uname(&system);
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
    snprintf(out, size, "%s, %zu cores, %.1f GiB, %s %s", model, pool_cores(), memory * 0x1p-30,
             system.sysname, system.release);
}

size_t memory_address_room(void)
{
    struct rlimit limit;
    unsigned long long pages = 0;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return SIZE_MAX;
    }
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%llu", &pages) != 1) {
        pages = 0;
    }
    if (file) {
        fclose(file);
    }
    unsigned long long used = pages * (unsigned long long)sysconf(_SC_PAGESIZE);
    return limit.rlim_cur > used ? (size_t)(limit.rlim_cur - used) : 0;
}

size_t memory_peak_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_maxrss * 1024; /* Linux counts in KiB */
}
