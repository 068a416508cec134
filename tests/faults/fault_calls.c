/* tests/faults/fault_calls.c - F5 to F7: every call that changes a file fails in turn, once and for
 * good; the disk is really full; every allocation fails in turn. */
#include "tests/faults/fault_loops.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/files.h"

#define MEMORY_CALLS_MAX 3000 /* allocations of a job that are tried */

/* Reasons in SQLite's own words, where it says less than errno. If it cannot open a file for
 * writing it opens it for reading: hence the last two. */
static const char *const database_reasons[] = {
    "disk I/O error",
    "database or disk is full",
    "unable to open database file",
    "out of memory",
    "locking protocol",
    "disk full",
    "readonly database",
    "not writable",
};

static bool reason_given(const char *text, int error)
{
    bool given = strstr(text, strerror(error));
    for (size_t i = 0; i < sizeof(database_reasons) / sizeof(database_reasons[0]); i++) {
        given = given || strstr(text, database_reasons[i]);
    }
    return given;
}

/* How a job may end when the machine failed it: with its whole result, or with exit code 4 and one
 * line that gives the reason. Run again (where `again` asks for that) it gives the undisturbed
 * result. */
static bool failure_judge(const FaultJob *job, const JobOutcome *whole, const End *end, int error,
                          bool again, bool spoil)
{
    if (end->signal != 0 || end->hung) {
        return lab_against("died", end);
    }
    if (end->code == 0) {
        return job_compare(job, whole, end->out) && (!spoil || job_judge(job, whole, true));
    }
    const char *newline = strchr(end->err, '\n');
    if (end->code != 4) {
        return lab_against("exit code 4 expected", end);
    }
    if (strncmp(end->err, "ogpt: ", 6) != 0 || !newline || newline[1] != '\0') {
        return lab_against("one line on stderr expected", end);
    }
    if (!reason_given(end->err, error)) {
        return lab_against("no reason in the message", end);
    }
    if (end->out[0] != '\0' && !job_printed(whole, end->out)) {
        return lab_against("another result on stdout", end);
    }
    return !again || job_judge(job, whole, spoil);
}

/* Which calls fail, one in each run of the job: k = first, first + every, ..., most. */
typedef struct FailingCalls {
    FaultClass class;
    bool sticky; /* and all calls after it */
    int error;
    int first, every, most;
} FailingCalls;

/* Try these calls until the job ends untouched. The twins are a program that does not see that its
 * file could not be written, and one that dies where it gets no memory or cannot look. */
static void fail_in_turn(FaultTally *tally, const FaultJob *job, const JobOutcome *whole,
                         FailingCalls calls)
{
    static End end;
    const FaultAction action = !tally->spoilt               ? FAULT_FAIL
                               : calls.class == FAULT_CALLS ? FAULT_LIE
                                                            : FAULT_ABORT;
    for (int k = calls.first + lab_part * calls.every; k <= calls.most;
         k += lab_parts * calls.every) {
        char trial[160];
        job_reset(job);
        lab_fault(calls.class, action, (uint64_t)k, calls.sticky, calls.error);
        lab_run(&end, job->command, 1, true);
        if (lab_page->n_fired == 0) {
            return;
        }
        if (action == FAULT_LIE && strcmp(lab_page->call, "write") != 0) {
            continue;
        }
        /* Most allocations fail before anything is written: every eighth of those is enough. */
        const bool again = calls.class != FAULT_MEMORY || k / calls.every % 8 == 0 ||
                           (job->output && access(job->output, F_OK) == 0);
        snprintf(trial, sizeof(trial), "%s: call %d (%s) fails %s: %s", job->name, k,
                 lab_page->call, calls.sticky ? "for good" : "once", strerror(calls.error));
        tally_add(tally, failure_judge(job, whole, &end, calls.error, again, false), trial);
    }
}

/* A look or a read fails: never taken for "nothing is there", so never another result. */
void loop_looks(FaultTally *tally, const char *name, int every)
{
    static JobOutcome whole;
    static const int errors[] = {EIO, EACCES};
    const FaultJob *job = job_find(name);
    if (!job_measure(&whole, job)) {
        tally_add(tally, tally->spoilt, "undisturbed");
        return;
    }
    for (int i = 0; i < 4; i++) {
        fail_in_turn(tally, job, &whole,
                     (FailingCalls){.class = FAULT_LOOKS,
                                    .sticky = i % 2 == 1,
                                    .error = errors[i / 2],
                                    .first = 1 + i * every / 4,
                                    .every = every,
                                    .most = MEMORY_CALLS_MAX});
    }
}

void loop_calls(FaultTally *tally, const char *name, int every)
{
    static JobOutcome whole;
    static const int errors[] = {ENOSPC, EIO, EMFILE, EACCES};
    const FaultJob *job = job_find(name);
    if (!job_measure(&whole, job)) {
        tally_add(tally, tally->spoilt, "undisturbed");
        return;
    }
    for (int i = 0; i < 8; i++) { /* each of the eight begins at another call */
        fail_in_turn(tally, job, &whole,
                     (FailingCalls){.class = FAULT_CALLS,
                                    .sticky = i % 2 == 1,
                                    .error = errors[i / 2],
                                    .first = 1 + i * every / 8,
                                    .every = every,
                                    .most = INT32_MAX / 2});
    }
}

void loop_memory(FaultTally *tally, const char *name, int every)
{
    static JobOutcome whole;
    const FaultJob *job = job_find(name);
    if (!job_measure(&whole, job)) {
        tally_add(tally, tally->spoilt, "undisturbed");
        return;
    }
    for (int sticky = 0; sticky < 2; sticky++) {
        fail_in_turn(tally, job, &whole,
                     (FailingCalls){.class = FAULT_MEMORY,
                                    .sticky = sticky == 1,
                                    .error = ENOMEM,
                                    .first = 1 + sticky * every / 2,
                                    .every = every,
                                    .most = MEMORY_CALLS_MAX});
    }
}

/* ---- a disk that is really full ---- */

/* A memory file system that only this process and its children see. Where that is forbidden,
 * tests/cli/full_disk.sh still limits the size of files. */
static bool disk_mount(void)
{
    if (mkdir("disk", 0777) != 0 && errno != EEXIST) {
        return false;
    }
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return false;
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "disk", "tmpfs", 0, "size=32m") == 0;
}

/* Leave so much room on the disk, by a file that takes up the rest. */
static bool disk_leave(uint64_t bytes)
{
    struct statvfs system;
    if (statvfs("disk", &system) != 0) {
        return false;
    }
    const uint64_t free_bytes = (uint64_t)system.f_bavail * system.f_frsize;
    const int fd = open("disk/fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const bool good =
        fd >= 0 && free_bytes > bytes && posix_fallocate(fd, 0, (off_t)(free_bytes - bytes)) == 0;
    close(fd);
    return good;
}

/* Each job with 16 KiB more each time (those that ask for megabytes: more), from none on until it
 * succeeds; `every` of these steps at once. */
void loop_disk(FaultTally *tally, const char *name, int every)
{
    static JobOutcome whole;
    static End end;
    static const struct {
        const char *job;
        int step_kib;
    } table[] = {{"train-disk", 16}, {"fit-disk", 16}, {"cases-disk", 16}, {"generate-disk", 128}};
    if (!disk_mount()) {
        snprintf(lab_message, sizeof(lab_message), "no file system of its own can be mounted here");
        tally->skipped = true;
        return;
    }
    for (size_t j = 0; j < sizeof(table) / sizeof(table[0]); j++) {
        const FaultJob *job = job_find(table[j].job);
        if (!job_measure(&whole, job)) {
            tally_add(tally, tally->spoilt, "undisturbed");
            return;
        }
        bool done = false;
        for (int kib = 0; !done && kib < 16384; kib += table[j].step_kib * every) {
            char trial[128];
            job_reset(job);
            if (!disk_leave((uint64_t)kib * 1024)) {
                break;
            }
            lab_run(&end, job->command, 1, false);
            unlink("disk/fill");
            done = end.code == 0;
            snprintf(trial, sizeof(trial), "%s with %d KiB", job->name, kib);
            tally_add(tally, failure_judge(job, &whole, &end, ENOSPC, true, tally->spoilt), trial);
        }
    }
    umount2("disk", MNT_DETACH);
}
