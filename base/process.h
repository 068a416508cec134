/* base/process.h - what the process knows about itself: signals, clock, machine. */
#ifndef OGPT_BASE_PROCESS_H
#define OGPT_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Catch SIGINT, SIGTERM and, unless it is ignored (nohup), SIGHUP (first: set a flag; second:
 * exit at once with 128+signal) and SIGXCPU, the soft limit on processor time (sets the flag, again
 * and again); ignore SIGPIPE and SIGXFSZ, so that writes report EPIPE and EFBIG. */
void interrupt_install(void);
/* Called inside the handler of each of the signals that set the flag but SIGXCPU, before that: `fn`
 * may use only what signal handlers may. Set it once, early; NULL: nobody. */
void interrupt_watch(void (*fn)(int signal_number));
/* Number of the signal that arrived, or 0. Loops ask at every step and save what they have. */
int interrupt_pending(void);
/* Tests: pretend that a signal arrived (0 clears). */
void interrupt_set(int signal_number);

/* Names a process even after its end: the system reuses pids, so the start time is part of it. */
typedef struct ProcessId {
    int64_t pid, start; /* start: clock ticks after boot, 0 when not known */
    char host[72];
} ProcessId;
void process_self(ProcessId *out);
/* True if that process is known to have ended. False for a process of another host, and for an
 * unknown one (all 0). */
bool process_is_over(const ProcessId *id);

/* The folder of the program's own file, into out[FILES_PATH_MAX]. Returns 0 or OGPT_EIO. */
int process_folder(char *out);

double clock_seconds(void); /* monotonic */
/* Processor time of the calling thread, and of all threads of the process: what other programs take
 * of the machine does not count. */
double clock_thread_seconds(void);
double clock_process_seconds(void);
void clock_iso(char out[32]);                  /* UTC, "2026-01-31T12:00:00Z" */
void machine_describe(char *out, size_t size); /* CPU model, cores, memory, system: one line */
size_t memory_peak_bytes(void);                /* peak resident size of this process */
/* Address space that RLIMIT_AS leaves to this process; SIZE_MAX where there is no limit. */
size_t memory_address_room(void);

#endif
