/* tests/faults/fault_lab.h - where the fault loops work: a directory of inputs made once, the
 * small jobs that are disturbed, starting and killing them, and the judge.
 *
 * A trial resets the outputs of a job, disturbs it, runs it again, and asks the judge, which knows
 * the outcome of the undisturbed job. A trial is lost if the judge finds anything.
 */
#ifndef OGPT_TESTS_FAULTS_FAULT_LAB_H
#define OGPT_TESTS_FAULTS_FAULT_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/hash.h"
#include "tests/faults/fault_page.h"

#define TEXT_MAX 65536
#define RESULTS "r.db" /* the results database of all jobs */

/* A job. Words are separated by blanks; its threads, "--quiet --json --store r.db" are added. */
typedef struct FaultJob {
    const char *name;
    const char *command;
    const char *output; /* file or directory that it makes; NULL when it makes none */
    const char *hashed; /* file whose bytes are the result; NULL for none */
    const char *run;    /* command of its row in the results database */
    bool together;      /* its rows of results are all there or not at all */
    const char *more;   /* kind of rows of which there may be more than undisturbed; NULL: none */
} FaultJob;

/* The result of a job: everything about it that does not depend on time. */
typedef struct JobOutcome {
    char document[TEXT_MAX];    /* printed */
    char rows[TEXT_MAX];        /* of the results database: the job's last run, and an old run */
    char hashed[HASH_HEX_SIZE]; /* of its file */
    char inputs[HASH_HEX_SIZE]; /* of the files that were there before */
    double seconds;             /* that the undisturbed job takes */
} JobOutcome;

/* How a process ended. */
typedef struct End {
    int code;   /* exit code, or -1 */
    int signal; /* that it died of, or 0 */
    bool hung;  /* killed by the driver because it took too long */
    double seconds;
    char out[TEXT_MAX], err[4096];
} End;

/* One line of the summary. */
typedef struct FaultTally {
    const char *fault; /* "F1" */
    const char *what;  /* of the loop, in the summary */
    int n_tried, n_lost;
    bool skipped; /* for the reason in lab_message */
    bool spoilt;  /* negative twin: each trial damages its result, and all must be lost */
} FaultTally;

extern FaultPage *lab_page;
extern int lab_stdout; /* where the next process writes; -1: to the file "out" */
/* An option of prlimit for the next process, such as "--nofile=7", or "nobody --nproc=1" to run it
 * as another user; NULL: no limit. */
extern const char *lab_limit;
extern char lab_message[512]; /* why the last judgement was against a trial */
/* The share of the trials that this process makes, so that several can work side by side: part
 * lab_part (from 0) of lab_parts. Together the parts make every trial once. */
extern int lab_part, lab_parts;

/* Make the directory, enter it, and make the inputs with the program. False: cannot be had. */
bool lab_open(const char *program, const char *shim);
void lab_close(void);
/* A draw below `below`, the same in every run of the same part. */
uint32_t lab_random(uint32_t below);
/* How many of n trials fall to this part. */
int lab_share(int n);
/* Start a command of the program. Returns the process, or -1. */
pid_t lab_start(const char *command, int threads, bool with_shim);
/* Wait for it; after `seconds` send `signal` (0: none), and wait for the end. */
void lab_wait(End *end, pid_t pid, double seconds, int signal);
/* Start and wait. */
void lab_run(End *end, const char *command, int threads, bool with_shim);
/* Whether the program starts under a limit that is wide enough. */
bool lab_limit_works(const char *limit);
/* Wait until that process has written its number into the lock; false if it does not. */
bool lab_lock_held(const char *path, pid_t pid);
/* Let the shell do something to files. */
void lab_shell(const char *script);
/* The page for the next run with the shim. */
void lab_fault(FaultClass class, FaultAction action, uint64_t at, bool sticky, int error);
/* Set lab_message to how a process ended; returns false. */
bool lab_against(const char *what, const End *end);

const FaultJob *job_find(const char *name);
/* Without the outputs of the job, and with a results database of one old row. */
void job_reset(const FaultJob *job);
/* The undisturbed job. False with a message when it does not work. */
bool job_measure(JobOutcome *whole, const FaultJob *job);
/* Compare what the finished job printed and made with the undisturbed one, and verify it. */
bool job_compare(const FaultJob *job, const JobOutcome *whole, const char *out);
/* Whether this is what the undisturbed job prints. */
bool job_printed(const JobOutcome *whole, const char *out);
/* Type the job once more to its end, damage its result when `spoil`, and compare. */
bool job_judge(const FaultJob *job, const JobOutcome *whole, bool spoil);

/* One trial more, which survived or, by lab_message, did not; the first losses are printed. */
void tally_add(FaultTally *tally, bool survived, const char *trial);

#endif
