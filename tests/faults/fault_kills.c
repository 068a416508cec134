/* tests/faults/fault_kills.c - F1 to F4: jobs killed by SIGKILL at random moments, after every call
 * that changes a file, and again while they recover. */
#include "tests/faults/fault_loops.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "datasets/corpus.h"
#include "base/database/db.h"

static const DbSchema corpus_schema = {.application_id = CORPUS_APPLICATION_ID,
                                       .version = CORPUS_SCHEMA_VERSION};

/* Blocks of the corpus that a reader can see: these were acknowledged by a COMMIT. */
static int64_t blocks_committed(const char *path)
{
    Db *db = NULL;
    DbStmt *count = NULL;
    int64_t n = 0;
    if (db_open(&db, path, DB_READ, &corpus_schema) == 0 &&
        db_prepare(&count, db, "SELECT count(*) FROM blocks") == 0 && db_step(count) == 1) {
        n = db_column_int(count, 0);
    }
    db_finalize(count);
    db_close(db);
    return n;
}

static void wait_seconds(double seconds)
{
    const struct timespec wait = {(time_t)seconds,
                                  (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&wait, NULL);
}

/* Start the job and kill it at a random moment. True when the kill hit a running job;
 * *survived is false when something was lost already. */
static bool kill_at_random(bool *survived, const FaultJob *job, const JobOutcome *whole)
{
    static End end;
    const bool watched = job->output && strcmp(job->run, "generate") == 0;
    const pid_t pid = lab_start(job->command, 1 + (int)lab_random(3), false);
    wait_seconds(whole->seconds * (0.02 + 0.96 * lab_random(1000) / 1000.0));
    const int64_t before = watched ? blocks_committed(job->output) : 0;
    lab_wait(&end, pid, 0, SIGKILL);
    *survived = end.signal == SIGKILL || end.code == 0;
    if (!*survived) {
        lab_against("before the kill", &end);
    } else if (watched && blocks_committed(job->output) < before) {
        *survived = false;
        snprintf(lab_message, sizeof(lab_message), "%lld blocks were there, now fewer",
                 (long long)before);
    }
    return end.signal == SIGKILL;
}

static bool measured(JobOutcome *whole, FaultTally *tally, const FaultJob *job)
{
    if (job_measure(whole, job)) {
        return true;
    }
    tally_add(tally, tally->spoilt, "undisturbed");
    return false;
}

void loop_random_kills(FaultTally *tally, const char *name, int n)
{
    static JobOutcome whole;
    const FaultJob *job = job_find(name);
    n = lab_share(n);
    if (!measured(&whole, tally, job)) {
        return;
    }
    for (int tries = 0; tally->n_tried < n && tries < 20 * n; tries++) {
        bool survived;
        job_reset(job);
        if (kill_at_random(&survived, job, &whole)) {
            survived = survived && job_judge(job, &whole, tally->spoilt);
            tally_add(tally, survived, "killed at a random moment");
        } else if (!survived) {
            tally_add(tally, false, "not yet killed");
        }
    }
    if (tally->n_tried < n) {
        snprintf(lab_message, sizeof(lab_message), "%d of %d kills hit", tally->n_tried, n);
        tally_add(tally, false, "all");
    }
}

/* Killed after call k of those that change files, or in the middle of it when it is a write: for
 * k = 1, 1 + every, ... until the job ends undisturbed. */
void loop_call_kills(FaultTally *tally, const char *name, int every)
{
    static JobOutcome whole;
    static End end;
    const FaultJob *job = job_find(name);
    if (!measured(&whole, tally, job)) {
        return;
    }
    for (int k = 1 + lab_part * every; tally->n_tried < 100000; k += lab_parts * every) {
        const FaultAction action = k / every % 2 == 0 ? FAULT_KILL : FAULT_TORN;
        char trial[128];
        job_reset(job);
        lab_fault(FAULT_CALLS, action, (uint64_t)k, false, 0);
        lab_run(&end, job->command, 1, true);
        if (lab_page->n_fired == 0) {
            break;
        }
        snprintf(trial, sizeof(trial), "%s: killed %s call %d (%s)", name,
                 action == FAULT_KILL ? "after" : "within", k, lab_page->call);
        tally_add(tally, job_judge(job, &whole, tally->spoilt), trial);
    }
}

/* Killed, and its recovery killed, up to five times: by turns at a random call and at a random
 * time. */
void loop_compound_kills(FaultTally *tally, const char *name, int n)
{
    static JobOutcome whole, whole_long;
    static End end;
    static const char *const names[] = {"generate", "train", "fit", "intervene"};
    const int each = n / 4;
    for (int j = 0; j < 4; j++) {
        char long_name[64];
        snprintf(long_name, sizeof(long_name), "%s-long", names[j]);
        const FaultJob *job = job_find(names[j]), *long_job = job_find(long_name);
        if (!measured(&whole, tally, job) || !measured(&whole_long, tally, long_job)) {
            return;
        }
        lab_fault(FAULT_CALLS, FAULT_NONE, 0, false, 0);
        job_reset(job);
        lab_run(&end, job->command, 1, true);
        const uint32_t n_calls = (uint32_t)lab_page->n_calls;
        for (int i = lab_part; i < each; i += lab_parts) {
            const bool timed = i % 2 == 0;
            const FaultJob *now = timed ? long_job : job;
            const int kills = 2 + (int)lab_random(4);
            bool survived = true;
            char trial[128];
            job_reset(now);
            for (int k = 0; k < kills && survived; k++) {
                if (timed) {
                    kill_at_random(&survived, now, &whole_long);
                } else {
                    lab_fault(FAULT_CALLS, FAULT_KILL, 1 + lab_random(n_calls), false, 0);
                    lab_run(&end, now->command, 1 + (int)lab_random(3), true);
                }
            }
            snprintf(trial, sizeof(trial), "%s: killed %d times", now->name, kills);
            survived = survived && job_judge(now, timed ? &whole_long : &whole, tally->spoilt);
            tally_add(tally, survived, trial);
        }
    }
}
