/* tests/probes/tick_log.h - a listener that remembers whether ticks came as they should: within a
 * stage they grow, and the last one is at the total. */
#ifndef OGPT_TESTS_PROBES_TICK_LOG_H
#define OGPT_TESTS_PROBES_TICK_LOG_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/work.h"

typedef struct TickLog {
    char stage[32];
    double done, total;
    int n;      /* ticks */
    bool wrong; /* one did not grow, or a stage was left before its end */
} TickLog;

static inline void tick_log(void *context, const char *stage, double done, double total)
{
    TickLog *log = (TickLog *)context;
    bool same = log->n > 0 && strcmp(log->stage, stage) == 0;
    log->wrong |= !(done >= 0 && done <= total);
    log->wrong |= same ? done <= log->done || total != log->total : log->done != log->total;
    snprintf(log->stage, sizeof(log->stage), "%s", stage);
    log->done = done;
    log->total = total;
    log->n++;
}

/* `work` with this listener. */
static inline Work tick_log_work(TickLog *log, Work work)
{
    *log = (TickLog){0};
    work.tick = tick_log;
    work.context = log;
    return work;
}

/* Whether this stage was the last, grew, and ended at its total. */
static inline bool tick_log_ended(const TickLog *log, const char *stage, double total)
{
    return log->n > 0 && !log->wrong && strcmp(log->stage, stage) == 0 && log->done == total &&
           log->total == total;
}

#endif
