/* bench/bench_growth.c - how time and memory of commands grow with the work: each runs at 1, 10 and
 * 100 times its base. Usage: bench_growth OGPT MODEL [SHARE [COMMAND]]
 *
 * Time is processor time, of all threads, user and system: other work on the machine matters
 * little. What a command spends before its first piece of work (its start, a model, tables of fixed
 * size) is in the run at 1 time the base, so that run is taken from the two others, its work as
 * well as its time, and the slope is
 *     log((t100 - t1) / (t10 - t1)) / log((n100 - n1) / (n10 - n1))
 * where 1 is work that costs the same a piece, however much there is. Memory is the peak of what
 * the process held. What grows with the work is (m100 - m10) / (n100 - n10); memory is flat if 100
 * times takes at most a fifth more than 10 times. SHARE (1) makes every base smaller; COMMAND
 * ("probe fit") runs one row alone. Exit code 1: a row is out of range.
 */
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files.h"

#define SIZES 3
#define SLOPE_LOW 0.9
#define SLOPE_HIGH 1.1
#define MEMORY_HIGH 1.2

/* Commands of the shell: $O the program, $M a model of 6x6, $N the number, in a folder of their
 * own. What must be there first is made before the clock starts. */
typedef struct Growing {
    const char *name;
    const char *unit;
    double base;
    const char *before;
    const char *command;
} Growing;

static const Growing TABLE[] = {
    {"generate", "games", 50000, "", "exec $O generate made-$N.ogpc --games $N --quiet"},
    {"export", "games", 20000, "$O generate out-$N.ogpc --size 6 --games $N --quiet",
     "exec $O export out-$N.ogpc games-$N.txt --format text --quiet"},
    {"import", "games", 20000, "", "exec $O import in-$N.ogpc games-$N.txt --size 6 --quiet"},
    {"train", "games", 2000, "",
     "exec $O train run-$N --fresh --size 6 --layers 2 --d-model 64 --heads 2 --games $N --quiet"},
    {"eval", "games", 400, "$O generate eval-$N.ogpc --size 6 --seed 5 --games $N --quiet",
     "exec $O eval $M --corpus eval-$N.ogpc --games $N --all --no-seen --quiet"},
    {"probe fit", "games", 150, "$O generate fit.ogpc --size 6 --seed 6 --games 40000 --quiet",
     "exec $O probe fit $M --corpus fit.ogpc --games $N --layers 4 --no-controls --test-games 100 "
     "--memory 4 --out probe-$N --quiet"},
    {"intervene", "cases", 100, "$O cases make cases-$N.csv --size 6 --n $N --quiet",
     "exec $O intervene $M --probe $M/probe --cases cases-$N.csv --layers 4 --scale 1 "
     "--no-by-layer --quiet"},
};
enum { COMMANDS = sizeof(TABLE) / sizeof(*TABLE) };

extern char **environ;

typedef struct Point {
    double n, seconds, mib;
} Point;

/* Run a line of the shell; returns its exit status, or -1. */
static int shell_run(Point *out, const char *line)
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return -1;
    }
    pid_t child = -1;
    char shell[] = "sh", option[] = "-c";
    char *const words[] = {shell, option, (char *)(uintptr_t)line, NULL};
    int rc = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    rc = rc ? rc : posix_spawn(&child, "/bin/sh", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    struct rusage usage = {0};
    if (rc != 0 || wait4(child, &status, 0, &usage) != child) {
        return -1;
    }
    out->seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    out->mib = (double)usage.ru_maxrss / 1024;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int point_measure(Point *out, const Growing *growing, double n)
{
    char number[32];
    snprintf(number, sizeof(number), "%.0f", n);
    setenv("N", number, 1);
    out->n = n;
    const char *const lines[] = {growing->before, growing->command};
    for (int i = 0; i < 2; i++) {
        const int status = shell_run(out, lines[i]);
        if (status != 0) {
            return err_set(OGPT_ENEGATIVE, "%s of %s %s: status %d of '%s'", growing->name, number,
                           growing->unit, status, lines[i]);
        }
    }
    return 0;
}

/* NaN if the clock was too coarse. */
static double slope_of(const Point points[SIZES])
{
    const Point *a = &points[0], *b = &points[1], *c = &points[2];
    return log((c->seconds - a->seconds) / (b->seconds - a->seconds)) /
           log((c->n - a->n) / (b->n - a->n));
}

/* The verdict on a command: whether time and memory grow as they may. */
static bool command_judge(const Point points[SIZES])
{
    const Point *b = &points[1], *c = &points[2];
    const double slope = slope_of(points), more = c->mib / b->mib;
    const bool straight = slope >= SLOPE_LOW && slope <= SLOPE_HIGH, flat = more <= MEMORY_HIGH;
    printf(" %7.2f %7.2f %9.0f  %s\n", slope, more,
           1048576 * fmax(0, c->mib - b->mib) / (c->n - b->n),
           straight && flat ? "ok"
           : straight       ? "memory grows"
           : flat           ? "slope out of range"
                            : "slope out of range, memory grows");
    return straight && flat;
}

static int command_measure(int *n_bad, const Growing *growing, double share)
{
    Point points[SIZES];
    double n = ceil(growing->base * share);
    for (int i = 0; i < SIZES; i++, n *= 10) {
        const int rc = point_measure(&points[i], growing, n);
        if (rc != 0) {
            return rc;
        }
        printf("%-10s %10.0f %-6s %9.2f %9.1f", i == 0 ? growing->name : "", points[i].n,
               growing->unit, points[i].seconds, points[i].mib);
        if (i + 1 < SIZES) {
            printf("\n");
        }
        fflush(stdout);
    }
    *n_bad += !command_judge(points);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    const double share = argc > 3 ? strtod(argv[3], NULL) : 1;
    char program[FILES_PATH_MAX];
    char model[FILES_PATH_MAX];
    const char *only = argc > 4 ? argv[4] : NULL;
    int n_rows = 0;
    for (int i = 0; i < COMMANDS; i++) {
        n_rows += !only || strcmp(only, TABLE[i].name) == 0;
    }
    if (argc < 3 || argc > 5 || n_rows == 0 || !(share > 0) || !realpath(argv[1], program) ||
        !realpath(argv[2], model)) {
        fprintf(stderr, "usage: bench_growth OGPT MODEL [SHARE [COMMAND]]\n");
        return 2;
    }
    char directory[FILES_PATH_MAX];
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof(directory), "%s/ogpt-bench-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(directory) || chdir(directory) != 0) {
        fprintf(stderr, "bench_growth: cannot use %s\n", directory);
        return 4;
    }
    setenv("O", program, 1);
    setenv("M", model, 1);
    unsetenv("OGPT_STORE");
    printf(
        "seconds: processor time of all threads; slope: of log time against log work, the first "
        "of the\nthree runs taken from the others, so that the start does not count; memory: the "
        "third run's by the\nsecond's; bytes: of memory for each piece of work between them\n\n");
    printf("%-10s %10s %-6s %9s %9s %7s %7s %9s\n", "command", "work", "", "seconds", "MiB",
           "slope", "memory", "bytes");
    int rc = 0;
    int n_bad = 0;
    for (int i = 0; i < COMMANDS && rc == 0; i++) {
        if (!only || strcmp(only, TABLE[i].name) == 0) {
            rc = command_measure(&n_bad, &TABLE[i], share);
        }
    }
    if (rc != 0) {
        fprintf(stderr, "bench_growth: %s\n", err_message());
    } else {
        printf(
            "\n%d of %d commands with a slope of %.1f to %.1f and at most %.1f times the memory at "
            "10 times the work\n",
            n_rows - n_bad, n_rows, SLOPE_LOW, SLOPE_HIGH, MEMORY_HIGH);
        rc = n_bad > 0 ? OGPT_ENEGATIVE : 0;
    }
    dir_remove(directory);
    return err_exit_code(rc, 0);
}
