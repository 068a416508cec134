/* tests/faults/fault_processes.c - F9 to F11 and F15: signals, readers that go away, four writers
 * on one results database, a second trainer, inputs that change while they are read. */
#include "tests/faults/fault_loops.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/js.h"
#include "base/process.h"
#include "store/runs.h"

/* Limits of waiting; to the first two the time of the undisturbed job is added, which is long where
 * the machine is busy. */
#define STOP_SECONDS 2.0   /* from a signal to the end: one step and one checkpoint */
#define REFUSE_SECONDS 1.0 /* until a second trainer is refused */
#define COMMIT_SECONDS 1.0 /* of 99 commits in 100 */
#define N_WRITERS 4

/* ---- signals ---- */

/* A signal that is ignored disturbs nothing, so its trials would prove nothing: each signal must
 * have ended its share of jobs. */
/* Wait until that process catches the signal; false if it ended before. */
static bool signal_caught(pid_t pid, int number)
{
    char path[64], line[256];
    const double end = clock_seconds() + 20;
    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    while (clock_seconds() < end) {
        unsigned long long mask = 0;
        FILE *file = fopen(path, "r");
        while (file && fgets(line, sizeof(line), file)) {
            if (sscanf(line, "SigCgt: %llx", &mask) == 1) {
                break;
            }
        }
        if (file) {
            fclose(file);
        }
        if ((mask >> (number - 1) & 1) != 0) {
            return true;
        }
        if (!file || mask == ~0ULL) {
            return false;
        }
        usleep(200);
    }
    return false;
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
#define N_SIGNALS 4

void loop_signals(FaultTally *tally, const char *name, int n)
{
    static JobOutcome whole[4];
    static End end;
    static const char *const names[] = {"generate-long", "train-stopped", "fit-long",
                                        "intervene-long"};
    const int share = (n + N_SIGNALS - 1) / N_SIGNALS;
    int n_hit[N_SIGNALS] = {0};
    for (int j = 0; j < 4; j++) {
        if (!job_measure(&whole[j], job_find(names[j]))) {
            tally_add(tally, tally->spoilt, "undisturbed");
            return;
        }
    }
    for (int i = 0; i < 20 * n; i++) {
        const FaultJob *job = job_find(names[i % 4]);
        const int s = i / 4 % N_SIGNALS; /* each signal on each job */
        const int wanted = signals[s], sent = tally->spoilt ? SIGKILL : wanted;
        const int code = wanted == SIGXCPU ? 4 : 128 + wanted;
        if (n_hit[s] == share) {
            continue;
        }
        /* One in five comes at once, perhaps while the libraries are loaded: then the process may
         * end by it, and leaves nothing. The others come when the signal is caught. */
        const bool early = i % 5 == 4;
        const double wait = early ? 0.0001 * lab_random(10)
                                  : 0.001 + whole[i % 4].seconds * lab_random(1000) / 1000.0;
        char trial[128];
        job_reset(job);
        const pid_t pid = lab_start(job->command, 1 + (int)lab_random(3), false);
        const bool caught = early || signal_caught(pid, wanted);
        const double start = clock_seconds();
        lab_wait(&end, pid, wait, sent);
        const double took = clock_seconds() - start - wait;
        if (end.code == 0) {
            continue;
        }
        n_hit[s]++;
        snprintf(trial, sizeof(trial), "%s: %s%s", job->name, strsignal(wanted),
                 early    ? " at once"
                 : caught ? ""
                          : ", never caught");
        if (early && end.signal == wanted) {
            tally_add(tally, job_judge(job, &whole[i % 4], false), trial);
            continue;
        }
        bool survived = end.code == code ? took <= STOP_SECONDS + whole[i % 4].seconds ||
                                               lab_against("too late", &end)
                                         : lab_against("another end expected", &end);
        survived = survived && (strstr(end.err, "go on") || lab_against("no hint", &end));
        tally_add(tally, survived && job_judge(job, &whole[i % 4], false), trial);
    }
    for (int s = 0; s < N_SIGNALS; s++) {
        if (n_hit[s] < share) {
            snprintf(lab_message, sizeof(lab_message), "ended %d jobs of %d: ignored?", n_hit[s],
                     share);
            tally_add(tally, false, strsignal(signals[s]));
        }
    }
}

/* Into a pipe whose reader takes a few bytes, or none, and goes away. The twin's reader is a full
 * device, for which there must be words. */
void loop_pipes(FaultTally *tally, const char *name, int n)
{
    static End end;
    static const char *const commands[] = {
        "--help",
        "corpus show base/games.ogpc 3 --json",
        "cases show base/cases.csv 2",
        "runs list --quiet --store base/made.db",
        "runs show 1 --json --store base/made.db",
        "perft 4 --json --quiet --store base/more.db",
    };
    for (int i = 0; i < n; i++) {
        const char *command = commands[i % 6];
        int ends[2];
        char byte[64];
        if (tally->spoilt) {
            ends[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
            ends[1] = open("/dev/full", O_WRONLY | O_CLOEXEC);
        } else if (pipe2(ends, O_CLOEXEC) != 0) {
            return;
        }
        const uint32_t n_read = lab_random(3);
        if (n_read == 0) {
            close(ends[0]);
        }
        lab_stdout = ends[1];
        const pid_t pid = lab_start(command, 0, false);
        lab_stdout = -1;
        close(ends[1]);
        if (n_read > 0) {
            (void)!read(ends[0], byte, n_read * sizeof(byte) / 2);
            close(ends[0]);
        }
        lab_wait(&end, pid, 0, 0);
        tally_add(tally,
                  ((end.code == 0 || end.code == 141) && end.err[0] == '\0') ||
                      lab_against("exit code 0 or 141 without words expected", &end),
                  command);
    }
}

/* ---- four writers ---- */

static int compare_seconds(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* "writer DATABASE N": N transactions of one row. Prints nothing; the exit code tells. */
int writer_main(int argc, char **argv)
{
    const long n = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    double *seconds = mem_calloc((size_t)n + 1, sizeof(*seconds), "times");
    Store *store = NULL;
    int64_t run = 0;
    const RunStart start = {.command = "perft",
                            .command_line = "writer",
                            .options_json = "{}",
                            .versions_json = "{}",
                            .machine = ""};
    int rc = n > 0 && seconds ? store_open(&store, argv[0]) : OGPT_EUSAGE;
    rc = rc ? rc : store_run_begin(store, &run, &start);
    for (long i = 0; rc == 0 && i < n; i++) {
        const double before = clock_seconds();
        Js *row = js_object();
        js_set_int(row, "depth", i);
        rc = store_add(store, run, "perft", row);
        js_free(row);
        seconds[i] = clock_seconds() - before;
    }
    rc = rc ? rc : store_run_end(store, run, "done", NULL);
    if (rc == 0) {
        qsort(seconds, (size_t)n, sizeof(*seconds), compare_seconds);
        if (seconds[n * 99 / 100] > COMMIT_SECONDS) {
            rc = err_set(OGPT_EIO, "1 commit in 100 took %.2f s", seconds[n * 99 / 100]);
        }
    }
    if (rc != 0) {
        fprintf(stderr, "writer: %s\n", err_message());
    }
    store_close(store);
    mem_free(seconds);
    return rc != 0;
}

/* Rows 0, 1, 2, ... of a run that are there, in their order. */
static int rows_in_order(Store *store, int64_t run)
{
    Js *rows = NULL;
    int n = 0;
    if (store_rows(&rows, store, "perft", run) == 0) {
        for (size_t i = 0; i < js_length(rows); i++) {
            n += js_int_of(js_member(js_at(rows, i), "depth")) == (int64_t)i;
        }
    }
    js_free(rows);
    return n;
}

void loop_writers(FaultTally *tally, const char *name, int n)
{
    static End end;
    char count[16];
    char *words[] = {(char *)"driver", (char *)"writer", (char *)"four.db", count, NULL};
    extern char **environ;
    pid_t writers[N_WRITERS];
    int n_alive = 0, status;
    bool refused = false;
    snprintf(count, sizeof(count), "%d", n);
    unlink("four.db");
    lab_run(&end, "perft 2 --quiet --store four.db", 0, false);
    for (int i = 0; i < N_WRITERS; i++) {
        n_alive += posix_spawn(&writers[i], "/proc/self/exe", NULL, NULL, words, environ) == 0;
    }
    while (n_alive > 0) { /* the viewer disturbs them as often as it can */
        lab_run(&end, "runs list --store four.db", 0, false);
        refused = refused || end.code != 0;
        for (int i = 0; i < N_WRITERS; i++) {
            if (writers[i] > 0 && waitpid(writers[i], &status, WNOHANG) == writers[i]) {
                refused = refused || status != 0;
                writers[i] = 0;
                n_alive--;
            }
        }
    }
    Store *store = NULL;
    Db *db = NULL;
    const DbSchema schema = {
        .application_id = STORE_APPLICATION_ID, .version = STORE_SCHEMA_VERSION, .create_sql = ""};
    if (tally->spoilt && db_open(&db, "four.db", DB_WRITE, &schema) == 0) {
        db_exec(db, "DELETE FROM perft");
        db_close(db);
    }
    const bool readable = store_open_read(&store, "four.db") == 0 && store_check(store) == 0;
    for (int64_t run = 2; run < 2 + N_WRITERS; run++) {
        const int there = readable ? rows_in_order(store, run) : 0;
        tally->n_tried += n;
        tally->n_lost += n - there;
    }
    store_close(store);
    if (refused && !tally->spoilt) {
        snprintf(lab_message, sizeof(lab_message), "a writer or the viewer was refused: %.200s",
                 end.err);
        tally_add(tally, false, "four writers");
    }
}

/* ---- a second trainer ---- */

/* The second is refused at once and names the pid of the first; once the first is killed, its lock
 * no longer matters. The twin removes the lock file while the first runs. */
void loop_second(FaultTally *tally, const char *name, int n)
{
    static JobOutcome whole[2];
    static End end, first_end;
    static const char *const names[] = {"train-long", "generate-long"};
    static const char *const locks[] = {"model/LOCK", "games.ogpc.lock"};
    for (int j = 0; j < 2; j++) {
        if (!job_measure(&whole[j], job_find(names[j]))) {
            tally_add(tally, tally->spoilt, "undisturbed");
            return;
        }
    }
    for (int i = 0; tally->n_tried < n && i < 10 * n; i++) {
        const FaultJob *job = job_find(names[i % 2]);
        char holder[32], trial[64];
        job_reset(job);
        const pid_t first = lab_start(job->command, 1, false);
        bool survived = lab_lock_held(locks[i % 2], first);
        if (tally->spoilt) {
            unlink(locks[i % 2]);
        }
        const pid_t second = lab_start(job->command, 1, false);
        lab_wait(&end, second, REFUSE_SECONDS + whole[i % 2].seconds, SIGKILL);
        lab_wait(&first_end, first, 0, SIGKILL);
        if (first_end.signal == 0 && !tally->spoilt) {
            continue; /* it was done before it could be in the way of the second */
        }
        snprintf(holder, sizeof(holder), "process %ld", (long)first);
        snprintf(trial, sizeof(trial), "a second %s", job->run);
        survived = survived && end.code == 5 && strstr(end.err, holder);
        if (!survived) {
            lab_against("exit code 5 expected, and the number of the first", &end);
        }
        tally_add(tally, survived && job_judge(job, &whole[i % 2], false), trial);
    }
}

/* ---- inputs that change ---- */

static void copies_make(void)
{
    lab_shell("rm -rf copy copy.ogpc* && cp -r base copy && cp base/games.ogpc copy.ogpc && "
              "cp other.ogpc copy/other.ogpc");
}

/* One of six things that other programs do to files. */
static void input_change(int kind)
{
    static const char *const commands[] = {
        "truncate -s 20000 copy.ogpc",
        "truncate -s 0 copy.ogpc",
        "cp base/made.db copy.ogpc",
        "mv copy/other.ogpc copy.ogpc",
        "truncate -s 3000 copy/model/step-00000020/model.safetensors",
        "rm -rf copy/model copy.ogpc",
    };
    lab_shell(commands[kind]);
}

/* The result of the files as they were, or, where whole files changed places, as they are; or exit
 * code 3 or 4 and one line. The twin changes the corpus for another one before the start. */
void loop_changed(FaultTally *tally, const char *name, int n)
{
    static JobOutcome whole[2], whole_other[2];
    static End end;
    static const char *const names[] = {"eval-copy", "train-copy"};
    lab_run(&end, "generate other.ogpc --games 400 --size 4 --seed 2 --quiet --store base/made.db",
            0, false);
    for (int j = 0; j < 2; j++) {
        const FaultJob *job = job_find(names[j]);
        copies_make();
        bool good = job_measure(&whole[j], job);
        input_change(3);
        good = good && job_measure(&whole_other[j], job);
        if (!good) {
            tally_add(tally, tally->spoilt, "undisturbed");
            return;
        }
    }
    for (int i = 0; i < n; i++) {
        const FaultJob *job = job_find(names[i % 2]);
        char trial[64];
        copies_make();
        job_reset(job);
        if (tally->spoilt) {
            input_change(3);
        }
        const pid_t pid = lab_start(job->command, 2, false);
        usleep((useconds_t)(whole[i % 2].seconds * 1e6 * lab_random(1000) / 1000.0));
        if (!tally->spoilt) {
            input_change(i / 2 % 6);
        }
        lab_wait(&end, pid, 0, 0);
        snprintf(trial, sizeof(trial), "%s, change %d", job->name, i / 2 % 6);
        const char *newline = strchr(end.err, '\n');
        const bool refused = (end.code == 3 || end.code == 4) && newline && newline[1] == '\0' &&
                             strncmp(end.err, "ogpt: ", 6) == 0;
        const bool other = !tally->spoilt && i / 2 % 6 == 3 && end.code == 0 &&
                           job_compare(job, &whole_other[i % 2], end.out);
        tally_add(tally,
                  refused || other ||
                      (end.code == 0 ? job_compare(job, &whole[i % 2], end.out)
                                     : lab_against("exit code 0, 3 or 4 expected", &end)),
                  trial);
    }
}
