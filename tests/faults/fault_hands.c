/* tests/faults/fault_hands.c - F8, F11 and F15: limits of the system, a second writer under another
 * name of the same file, models and probes that change places while they are read. */
#include "tests/faults/fault_loops.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"

/* ---- limits ---- */

#define AS_NOBODY "nobody " /* root is not held to a number of processes */

static const char *const limits[] = {"--as=50000000",       "--as=100000000",     "--as=300000000",
                                     "--as=1000000000",     "--fsize=1024",       "--fsize=8192",
                                     "--fsize=65536",       "--fsize=200000",     "--nofile=4",
                                     "--nofile=7",          "--nofile=12",        "--stack=262144",
                                     "--stack=524288",      "--stack=1048576",    "--cpu=1:4",
                                     AS_NOBODY "--nproc=1", AS_NOBODY "--nproc=2"};
#define N_LIMITS (sizeof(limits) / sizeof(limits[0]))

static const char *const limited[] = {"generate",    "import", "export",   "train",     "fit",
                                      "activations", "eval",   "cases",    "intervene", "convert",
                                      "table",       "perft",  "train-cpu"};
#define N_LIMITED (sizeof(limited) / sizeof(limited[0]))

static bool is_of_time(const char *limit)
{
    return strncmp(limit, "--cpu", 5) == 0;
}

/* Under a limit a command does its work, or says in one line why not (exit code 4), or is not even
 * loaded (127). *met: not the first. */
static bool limit_judge(bool *met, const FaultJob *job, const JobOutcome *whole, const End *end,
                        bool spoil)
{
    *met = end->code != 0;
    if (end->code == 0) {
        return job_compare(job, whole, end->out) && (!spoil || job_judge(job, whole, true));
    }
    const char *newline = strchr(end->err, '\n');
    if (end->code == 4 && (strncmp(end->err, "ogpt: ", 6) != 0 || !newline || newline[1] != '\0')) {
        return lab_against("one line on stderr expected", end);
    }
    return end->code == 4 || end->code == 127 ? job_judge(job, whole, spoil)
                                              : lab_against("exit code 0, 4 or 127 expected", end);
}

/* Each limit on each job, `every` of these at once. */
void loop_limits(FaultTally *tally, const char *name, int every)
{
    static JobOutcome whole;
    static End end;
    const bool other_user = lab_limit_works(AS_NOBODY "--nproc=64");
    int n_met = 0;
    if (!lab_limit_works("--nofile=64")) {
        snprintf(lab_message, sizeof(lab_message), "no prlimit on this machine");
        tally->skipped = true;
        return;
    }
    for (size_t j = 0, k = 0; j < N_LIMITED; j++) {
        const FaultJob *job = job_find(limited[j]);
        bool measured = false;
        for (size_t i = 0; i < N_LIMITS; i++) {
            const bool nobody = strncmp(limits[i], AS_NOBODY, strlen(AS_NOBODY)) == 0;
            if (is_of_time(limits[i]) != (j == N_LIMITED - 1) || (nobody && !other_user) ||
                (k++ + j) % (size_t)every != 0) {
                continue;
            }
            if (!measured && !job_measure(&whole, job)) {
                tally_add(tally, tally->spoilt, "undisturbed");
                return;
            }
            measured = true;
            char trial[128];
            bool met;
            job_reset(job);
            if (nobody) {
                lab_shell("chmod -R a+rwX .");
            }
            lab_limit = limits[i];
            lab_run(&end, job->command, nobody ? 3 : 1, false);
            lab_limit = NULL;
            snprintf(trial, sizeof(trial), "%s under %s", job->name, limits[i]);
            tally_add(tally, limit_judge(&met, job, &whole, &end, tally->spoilt), trial);
            n_met += met;
        }
    }
    if (n_met * 8 < tally->n_tried && !tally->spoilt) {
        snprintf(lab_message, sizeof(lab_message), "only %d trials met their limit", n_met);
        tally_add(tally, false, "all limits");
    }
}

/* ---- a second writer under another name ---- */

#define ALIAS "alias"

/* A job's command with the alias in the place of its output, the last word that is called so. */
static void alias_command(char *out, size_t room, const FaultJob *job)
{
    const char *at = NULL;
    for (const char *c = strstr(job->command, job->output); c; c = strstr(c + 1, job->output)) {
        at = c[-1] == ' ' ? c : at;
    }
    snprintf(out, room, "%.*s" ALIAS "%s", (int)(at - job->command), job->command,
             at + strlen(job->output));
}

static bool is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

/* By the alias the job comes to the same end, and the link stays one. Rows name the path, so they
 * are left out; so is what the job prints when it is typed again, for training prints less then. */
static bool alias_judge(const FaultJob *job, const JobOutcome *whole, const char *command)
{
    static End end;
    char hex[HASH_HEX_SIZE] = "";
    lab_run(&end, command, 1, false);
    if (end.code != 0) {
        return lab_against("by the alias, after the kill", &end);
    }
    if (!is_link(ALIAS)) {
        return lab_against("the link is gone", &end);
    }
    lab_shell("rm -f " RESULTS "* && cp base/results.db " RESULTS);
    if (strcmp(job->run, "train") != 0) {
        return job_judge(job, whole, false);
    }
    if (sha256_file(hex, job->hashed) != 0 || strcmp(hex, whole->hashed) != 0) {
        return lab_against("another result", &end);
    }
    lab_run(&end, "verify model --quiet", 0, false);
    return end.code == 0 || lab_against("verify", &end);
}

/* While the first writes, the second comes by a symbolic link: it is refused and names the first.
 * Once the first is killed, the link serves as well as the name, and stays a link. The twin's alias
 * is a copy. */
void loop_aliases(FaultTally *tally, const char *name, int n)
{
    static const struct {
        const char *job, *lock;
    } table[] = {{"generate-long", "games.ogpc.lock"},
                 {"train-long", "model/LOCK"},
                 {"activations-long", "acts/LOCK"}};
    static JobOutcome whole[3];
    static End end, first_end;
    for (int j = 0; j < 3; j++) {
        if (!job_measure(&whole[j], job_find(table[j].job))) {
            tally_add(tally, tally->spoilt, "undisturbed");
            return;
        }
    }
    for (int i = 0; tally->n_tried < n && i < 10 * n; i++) {
        const FaultJob *job = job_find(table[i % 3].job);
        char command[1024], holder[32], trial[64];
        alias_command(command, sizeof(command), job);
        job_reset(job);
        lab_shell("rm -rf " ALIAS " " ALIAS ".lock");
        const pid_t first = lab_start(job->command, 1, false);
        bool survived = lab_lock_held(table[i % 3].lock, first);
        if (tally->spoilt) {
            snprintf(trial, sizeof(trial), "cp -r %s " ALIAS, job->output);
            lab_shell(trial);
        } else if (symlink(job->output, ALIAS) != 0) {
            survived = false;
        }
        const pid_t second = lab_start(command, 1, false);
        lab_wait(&end, second, 1 + whole[i % 3].seconds, SIGKILL);
        lab_wait(&first_end, first, 0, SIGKILL);
        if (first_end.signal == 0 && !tally->spoilt) {
            continue; /* it was done before it could be in the way of the second */
        }
        snprintf(holder, sizeof(holder), "process %ld", (long)first);
        snprintf(trial, sizeof(trial), "%s by an alias", job->name);
        survived = survived && end.code == 5 && strstr(end.err, holder);
        if (!survived) {
            lab_against("exit code 5 expected, and the number of the first", &end);
        }
        tally_add(tally, survived && alias_judge(job, &whole[i % 3], command), trial);
        lab_shell("rm -rf " ALIAS " " ALIAS ".lock");
    }
}

/* ---- two artefacts that change places ---- */

#define ONE "swap/one"
#define OTHER "swap/other"

static atomic_bool exchanging;

static void *exchange_run(void *argument)
{
    (void)argument;
    for (unsigned i = 0; atomic_load(&exchanging); i++) {
        syscall(SYS_renameat2, AT_FDCWD, ONE, AT_FDCWD, OTHER, 2 /* RENAME_EXCHANGE */);
        usleep(200 + i * 37 % 1800);
    }
    return NULL;
}

static void swap_make(const char *one, const char *other)
{
    char script[512];
    snprintf(script, sizeof(script),
             "rm -rf swap && mkdir swap && cp -r base/%s " ONE " && cp -r base/%s " OTHER, one,
             other);
    lab_shell(script);
}

/* A job reads one of two artefacts that change places all the time: its result is that of the one
 * or that of the other. The twin's are two others. */
void loop_exchanged(FaultTally *tally, const char *name, int n)
{
    static const struct {
        const char *job, *one, *other, *third;
    } table[] = {
        {"eval-swap", "model/step-00000020", "other/step-00000020", "other/step-00000010"},
        {"intervene-swap", "probe", "probe-other", "probe-third"},
    };
    static JobOutcome whole, whole_other;
    static End end;
    lab_run(&end,
            "train base/other --fresh --size 4 --layers 2 --d-model 16 --heads 2 --batch 16 --steps"
            " 20 --seed 2 --checkpoint-every 10 --keep all --quiet --store base/made.db",
            0, false);
    lab_run(&end,
            "probe fit base/model --corpus base/games.ogpc --out base/probe-other --games 50"
            " --test-games 20 --no-controls --quiet --store base/made.db",
            0, false);
    lab_run(&end,
            "probe fit base/model --corpus base/games.ogpc --out base/probe-third --games 40"
            " --test-games 20 --no-controls --quiet --store base/made.db",
            0, false);
    for (int j = 0; j < 2; j++) {
        const FaultJob *job = job_find(table[j].job);
        swap_make(table[j].other, table[j].one);
        bool good = job_measure(&whole_other, job);
        swap_make(table[j].one, table[j].other);
        good = good && job_measure(&whole, job);
        if (good && strcmp(whole.document, whole_other.document) == 0) {
            good = false;
            snprintf(lab_message, sizeof(lab_message), "both have one result");
        }
        if (tally->spoilt) {
            swap_make(table[j].third, table[j].third);
        }
        pthread_t thread;
        atomic_store(&exchanging, true);
        if (!good || pthread_create(&thread, NULL, exchange_run, NULL) != 0) {
            tally_add(tally, tally->spoilt, "undisturbed");
            return;
        }
        for (int i = 0; i < n / 2; i++) {
            job_reset(job);
            lab_run(&end, job->command, 1 + i % 2, false);
            const bool survived = end.code == 0 ? job_compare(job, &whole, end.out) ||
                                                      job_compare(job, &whole_other, end.out)
                                                : lab_against("exit code 0 expected", &end);
            tally_add(tally, survived, job->name);
        }
        atomic_store(&exchanging, false);
        pthread_join(thread, NULL);
    }
}
