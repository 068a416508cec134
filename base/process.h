/* base/process.h - what the process knows of itself: signals, clock, machine. */
#ifndef OGPT_BASE_PROCESS_H
#define OGPT_BASE_PROCESS_H

#include <stddef.h>

/* Catch SIGINT, SIGTERM and, unless it is ignored (nohup), SIGHUP (first: set a flag; second:
 * exit at once with 128+signal) and ignore SIGPIPE so that writes report EPIPE. */
void interrupt_install(void);
/* Number of the signal that arrived, or 0. Loops ask at every step and save what they have. */
int interrupt_pending(void);
/* Tests: pretend that a signal arrived (0 clears). */
void interrupt_set(int signal_number);

double clock_seconds(void);                    /* monotonic */
void clock_iso(char out[32]);                  /* UTC, "2026-01-31T12:00:00Z" */
void machine_describe(char *out, size_t size); /* CPU model, cores, memory, system: one line */
size_t memory_peak_bytes(void);                /* peak resident size of this process */

#endif
