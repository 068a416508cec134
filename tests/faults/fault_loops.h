/* tests/faults/fault_loops.h - the loops, one a fault of the table in docs/RELIABILITY.md. Each
 * adds its trials to the tally; `n` is the number of trials, or means that every n-th call is tried
 * (1: every call). With tally->spoilt each trial is damaged after the fault and must be lost.
 */
#ifndef OGPT_TESTS_FAULTS_FAULT_LOOPS_H
#define OGPT_TESTS_FAULTS_FAULT_LOOPS_H

#include "tests/faults/fault_lab.h"

typedef struct FaultLoop {
    const char *fault; /* "F1" */
    const char *name;  /* to ask for it */
    const char *what;  /* in the summary */
    void (*run)(FaultTally *tally, const char *job, int n);
    const char *job;     /* NULL: the loop knows its own */
    int full, few, twin; /* n for ./dev faults, for ./dev test, for the negative twin */
    bool shim; /* not beside sanitizers, which replace the same calls, or reserve memory */
} FaultLoop;

/* fault_kills.c */
void loop_random_kills(FaultTally *tally, const char *job, int n);
void loop_call_kills(FaultTally *tally, const char *job, int every);
void loop_compound_kills(FaultTally *tally, const char *job, int n);
/* fault_calls.c */
void loop_calls(FaultTally *tally, const char *job, int every);
void loop_looks(FaultTally *tally, const char *name, int every);
void loop_memory(FaultTally *tally, const char *job, int every);
void loop_disk(FaultTally *tally, const char *job, int n);
/* fault_processes.c */
void loop_signals(FaultTally *tally, const char *job, int n);
void loop_pipes(FaultTally *tally, const char *job, int n);
void loop_writers(FaultTally *tally, const char *job, int n);
void loop_second(FaultTally *tally, const char *job, int n);
void loop_changed(FaultTally *tally, const char *job, int n);
/* fault_hands.c */
void loop_limits(FaultTally *tally, const char *job, int every);
void loop_aliases(FaultTally *tally, const char *job, int n);
void loop_exchanged(FaultTally *tally, const char *job, int n);
/* One writer of loop_writers: the driver starts itself with it. */
int writer_main(int argc, char **argv);

#endif
