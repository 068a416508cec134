/* tests/faults/fault_driver.c - runs the fault loops and prints a line each: tried, survived, lost.
 *
 *   fault_driver PROGRAM SHIM full|few|PART/PARTS [NAME...]
 *
 * PART/PARTS, such as 1/4 to 4/4, are full counts shared out to processes that run side by side:
 * each makes its share of the kills, failing calls and failing allocations; the first makes all
 * other trials and the negative twins, which are too few to be shared.
 *
 * NAME is a fault (F5), a loop (calls), a job (train) or one of its loops (calls/train); without
 * one all run. After each loop its negative twin runs: there every trial is damaged, and a twin
 * that does not lose all of them proves that the loop can see nothing. The six jobs of F5 have one
 * judge and share one twin, that of `cases make`: in the other jobs nobody may read again what a
 * write only pretended to write. At the end stand the sums of all kills and of all failing calls.
 * Exit: 0 nothing lost, 1 something lost or a blind loop, 2 cannot start, 77 nothing of it can run
 * in this build or on this machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "tests/faults/fault_loops.h"

/* fault, name, summary, loop, job, full, few, twin, shim */
static const FaultLoop loops[] = {
    {"F1", "kill-generate", "generate killed at random moments", loop_random_kills, "generate-long",
     300, 10, 3, false},
    {"F2", "kill-train", "train killed at random moments", loop_random_kills, "train-long", 300, 10,
     3, false},
    {"F2", "kill-checkpoint", "train killed at every call", loop_call_kills, "train", 1, 37, 97,
     true},
    {"F3", "kill-fit", "probe fit killed at random moments", loop_random_kills, "fit-long", 200, 6,
     3, false},
    {"F3", "kill-intervene", "intervene killed at random moments", loop_random_kills,
     "intervene-long", 200, 6, 3, false},
    {"F3", "kill-calls", "generate killed at every call", loop_call_kills, "generate", 1, 37, 37,
     true},
    {"F3", "kill-calls", "probe fit killed at every call", loop_call_kills, "fit", 1, 37, 37, true},
    {"F3", "kill-calls", "intervene killed at every call", loop_call_kills, "intervene", 1, 37, 37,
     true},
    {"F3", "kill-calls", "activations killed at every call", loop_call_kills, "activations", 1, 13,
     37, true},
    {"F3", "kill-calls", "import killed at every call", loop_call_kills, "import", 1, 37, 37, true},
    {"F3", "kill-calls", "convert killed at every call", loop_call_kills, "convert", 1, 13, 17,
     true},
    {"F3", "kill-calls", "cases make killed at every call", loop_call_kills, "cases", 1, 13, 17,
     true},
    {"F3", "kill-calls", "eval killed at every call", loop_call_kills, "eval", 1, 13, 17, true},
    {"F3", "kill-calls", "export killed at every call", loop_call_kills, "export", 1, 3, 3, true},
    {"F3", "kill-calls", "runs table --csv killed at every call", loop_call_kills, "table", 1, 7, 9,
     true},
    {"F4", "compound", "killed again while going on", loop_compound_kills, NULL, 100, 8, 8,
     true}, /* 8: twins of both kinds */
    {"F5", "calls", "generate, every call fails", loop_calls, "generate", 1, 67, 0, true},
    {"F5", "calls", "train, every call fails", loop_calls, "train", 1, 131, 0, true},
    {"F5", "calls", "probe fit, every call fails", loop_calls, "fit", 1, 67, 0, true},
    {"F5", "calls", "eval, every call fails", loop_calls, "eval", 1, 67, 0, true},
    {"F5", "calls", "intervene, every call fails", loop_calls, "intervene", 1, 67, 0, true},
    {"F5", "calls", "cases make, every call fails", loop_calls, "cases", 1, 67, 5, true},
    {"F5", "looks", "generate, every look fails", loop_looks, "generate", 1, 360, 0, true},
    {"F5", "looks", "train, every look fails", loop_looks, "train", 1, 360, 0, true},
    {"F5", "looks", "probe fit, every look fails", loop_looks, "fit", 1, 360, 0, true},
    {"F5", "looks", "eval, every look fails", loop_looks, "eval", 1, 360, 0, true},
    {"F5", "looks", "intervene, every look fails", loop_looks, "intervene", 1, 360, 0, true},
    {"F5", "looks", "activations, every look fails", loop_looks, "activations", 1, 360, 197, true},
    {"F6", "disk", "a disk really full", loop_disk, NULL, 1, 20, 20, false},
    {"F7", "memory", "generate, every allocation fails", loop_memory, "generate", 1, 150, 997,
     true},
    {"F7", "memory", "train, every allocation fails", loop_memory, "train", 1, 150, 997, true},
    {"F7", "memory", "probe fit, every allocation fails", loop_memory, "fit", 1, 150, 997, true},
    {"F7", "memory", "intervene, every allocation fails", loop_memory, "intervene", 1, 150, 997,
     true},
    {"F8", "limits", "memory, files, stack, processes, time", loop_limits, NULL, 1, 10, 23, true},
    {"F9", "signals", "INT, TERM, HUP and XCPU", loop_signals, NULL, 100, 12, 4, false},
    {"F9", "pipes", "the reader goes away", loop_pipes, NULL, 100, 12, 6, false},
    {"F10", "writers", "four writers, a viewer: rows", loop_writers, NULL, 5000, 500, 20, false},
    {"F11", "second", "a second trainer or generator", loop_second, NULL, 50, 4, 2, false},
    {"F11", "aliases", "a second writer by a symbolic link", loop_aliases, NULL, 60, 7, 3,
     false}, /* sanitized: each job once */
    {"F15", "exchanged", "models and probes change places", loop_exchanged, NULL, 200, 8, 4, false},
    {"F15", "changed", "inputs change while running", loop_changed, NULL, 24, 12, 4, false},
};

/* What the trials of a loop are, for the sums at the end. */
typedef enum TrialKind {
    TRIAL_KILL,
    TRIAL_CALL,
    TRIAL_MEMORY,
    TRIAL_OTHER,
    N_TRIAL_KINDS
} TrialKind;

static FaultTally sums[N_TRIAL_KINDS];

static TrialKind trial_kind(const FaultLoop *loop)
{
    return loop->run == loop_random_kills || loop->run == loop_call_kills ||
                   loop->run == loop_compound_kills
               ? TRIAL_KILL
           : loop->run == loop_calls || loop->run == loop_looks ? TRIAL_CALL
           : loop->run == loop_memory                           ? TRIAL_MEMORY
                                                                : TRIAL_OTHER;
}

static void sums_print(void)
{
    static const char *const names[N_TRIAL_KINDS] = {"kills", "failing calls",
                                                     "failing allocations", "other trials"};
    for (int i = 0; i < N_TRIAL_KINDS; i++) {
        if (sums[i].n_tried > 0) {
            printf("all  %-36s tried %5d  survived %5d  lost %3d\n", names[i], sums[i].n_tried,
                   sums[i].n_tried - sums[i].n_lost, sums[i].n_lost);
        }
    }
}

/* Whether a name asks for the loop: F5, calls, train, or calls/train. */
static bool asks_for(const char *name, const FaultLoop *loop)
{
    const size_t n = strcspn(name, "/");
    const char *job = loop->job ? loop->job : "";
    if (name[n] == '/') {
        return strlen(loop->name) == n && strncmp(name, loop->name, n) == 0 &&
               strcmp(name + n + 1, job) == 0;
    }
    return strcmp(name, loop->fault) == 0 || strcmp(name, loop->name) == 0 ||
           strcmp(name, job) == 0;
}

static bool wanted(const FaultLoop *loop, int argc, char **argv)
{
    bool found = argc == 0;
    for (int i = 0; i < argc; i++) {
        found = found || asks_for(argv[i], loop);
    }
    return found;
}

/* Whether the trials of a loop can be shared out. */
static bool is_shared(const FaultLoop *loop)
{
    return trial_kind(loop) != TRIAL_OTHER;
}

/* The negative twin, whole, in the first part. */
static void twin_run(FaultTally *twin, const FaultLoop *loop)
{
    const int parts = lab_parts;
    lab_parts = 1;
    loop->run(twin, loop->job, loop->twin);
    lab_parts = parts;
}

/* One loop and its twin, on one line. *good stays when nothing was lost and the twin lost all.
 * False when the loop cannot run here. */
static bool loop_run(bool *good, const FaultLoop *loop, int n)
{
    const double start = clock_seconds();
    FaultTally tally = {.fault = loop->fault, .what = loop->what};
    FaultTally twin = {.fault = loop->fault, .what = loop->what, .spoilt = true};
    loop->run(&tally, loop->job, n);
    if (tally.skipped) {
        printf("%-4s %-36s skipped: %s\n", loop->fault, loop->what, lab_message);
        fflush(stdout);
        return false;
    }
    const bool has_twin = loop->twin > 0 && lab_part == 0;
    if (has_twin) {
        twin_run(&twin, loop);
    }
    sums[trial_kind(loop)].n_tried += tally.n_tried;
    sums[trial_kind(loop)].n_lost += tally.n_lost;
    const bool blind = has_twin && (twin.n_tried == 0 || twin.n_lost < twin.n_tried);
    printf("%-4s %-36s tried %5d  survived %5d  lost %3d %5.0f s", loop->fault, loop->what,
           tally.n_tried, tally.n_tried - tally.n_lost, tally.n_lost, clock_seconds() - start);
    if (has_twin) {
        printf("   twin: %d of %d noticed%s", twin.n_lost, twin.n_tried, blind ? ", BLIND" : "");
    }
    printf("\n");
    fflush(stdout);
    *good = *good && tally.n_lost == 0 && (tally.n_tried > 0 || lab_parts > 1) && !blind;
    return true;
}

/* Whether the word says how many trials: full, few, or a part of the full ones. */
static bool count_read(bool *full, const char *word)
{
    int part, parts;
    char rest;
    *full = strcmp(word, "few") != 0;
    if (strcmp(word, "full") == 0 || !*full) {
        return true;
    }
    if (sscanf(word, "%d/%d%c", &part, &parts, &rest) != 2 || part < 1 || parts < part ||
        parts > 1000) {
        return false;
    }
    lab_part = part - 1;
    lab_parts = parts;
    return true;
}

int main(int argc, char **argv)
{
    bool full;
    if (argc > 1 && strcmp(argv[1], "writer") == 0) {
        return writer_main(argc - 2, argv + 2);
    }
    if (argc < 4 || !count_read(&full, argv[3])) {
        fprintf(stderr, "usage: fault_driver PROGRAM SHIM full|few|PART/PARTS [NAME...]\n");
        return 2;
    }
    const char *setting = getenv("OGPT_SANITIZED");
    const bool sanitized = setting && strcmp(setting, "1") == 0;
    int n_found = 0, n_run = 0;
    interrupt_install();
    bool good = lab_open(argv[1], argv[2]);
    if (!good) {
        lab_close();
        return 2;
    }
    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        if (!wanted(&loops[i], argc - 4, argv + 4)) {
            continue;
        }
        n_found++;
        if (!is_shared(&loops[i]) && lab_part > 0) {
            continue;
        }
        if (loops[i].shim && sanitized) {
            printf("%-4s %-36s skipped: not beside the sanitizers, which replace the same calls\n",
                   loops[i].fault, loops[i].what);
            continue;
        }
        int n = full ? loops[i].full : loops[i].few;
        /* A sanitized program takes ten times as long; loops that step over calls are not here. */
        n = sanitized && !full && loops[i].run != loop_disk ? (n + 2) / 3 : n;
        n_run += loop_run(&good, &loops[i], n);
    }
    lab_close();
    sums_print();
    if (n_found == 0) {
        fprintf(stderr, "fault_driver: no such loop; there are");
        for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
            if (i == 0 || strcmp(loops[i].name, loops[i - 1].name) != 0) {
                fprintf(stderr, " %s", loops[i].name);
            }
        }
        fprintf(stderr, "\n");
        return 2;
    }
    return n_run == 0 && lab_part == 0 ? 77 : good ? 0 : 1;
}
