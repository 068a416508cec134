/* bench/bench_growth.c - how time and memory of commands grow with the work: each runs at 1, 10 and
 * 100 times its base, and the table gives seconds, peak memory, and the slope of log time against
 * log work. Usage: bench_growth OGPT MODEL [SHARE]
 *
 * A slope of 1 is work that costs the same a piece, however much there is. Between 1 and 10 times
 * the start of the program and fixed parts (probes' solvers, tables) hide it, so the slope that
 * counts is the one between 10 and 100 times. SHARE (1) makes every base smaller.
 */
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files.h"
#include "base/process.h"

#define SIZES 3
#define SLOPE_LOW 0.9
#define SLOPE_HIGH 1.1
#define MEMORY_HIGH 1.2 /* flat: at most a fifth more at ten times the work */

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
    {"probe fit", "games", 100, "$O generate fit.ogpc --size 6 --seed 6 --games 20000 --quiet",
     "exec $O probe fit $M --corpus fit.ogpc --games $N --layers 4 --no-controls --test-games 100 "
     "--out probe-$N --quiet"},
    {"intervene", "cases", 200, "$O cases make cases-$N.csv --size 6 --n $N --quiet",
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
    const double start = clock_seconds();
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
    out->seconds = clock_seconds() - start;
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

static double slope_of(const Point *a, const Point *b)
{
    return log(b->seconds / a->seconds) / log(b->n / a->n);
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
        printf("%-10s %10.0f %-6s %9.2f %9.0f", i == 0 ? growing->name : "", points[i].n,
               growing->unit, points[i].seconds, points[i].mib);
        if (i > 0) {
            printf(" %7.2f %7.2f", slope_of(&points[i - 1], &points[i]),
                   points[i].mib / points[i - 1].mib);
        }
        printf("\n");
        fflush(stdout);
    }
    const double slope = slope_of(&points[1], &points[2]);
    const double more = points[2].mib / points[1].mib;
    *n_bad += slope < SLOPE_LOW || slope > SLOPE_HIGH || more > MEMORY_HIGH;
    return 0;
}

int main(int argc, char **argv)
{
    const double share = argc > 3 ? strtod(argv[3], NULL) : 1;
    char program[FILES_PATH_MAX];
    char model[FILES_PATH_MAX];
    if (argc < 3 || argc > 4 || !(share > 0) || !realpath(argv[1], program) ||
        !realpath(argv[2], model)) {
        fprintf(stderr, "usage: bench_growth OGPT MODEL [SHARE]\n");
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
    printf("%-10s %10s %-6s %9s %9s %7s %7s\n", "command", "work", "", "seconds", "MiB", "slope",
           "memory");
    int rc = 0;
    int n_bad = 0;
    for (int i = 0; i < COMMANDS && rc == 0; i++) {
        rc = command_measure(&n_bad, &TABLE[i], share);
    }
    if (rc != 0) {
        fprintf(stderr, "bench_growth: %s\n", err_message());
    } else {
        printf("%d of %d commands with a slope of %.1f to %.1f and at most %.1f times the memory, "
               "from "
               "10 to 100 times the work\n",
               COMMANDS - n_bad, COMMANDS, SLOPE_LOW, SLOPE_HIGH, MEMORY_HIGH);
    }
    dir_remove(directory);
    return err_exit_code(rc, 0);
}
