/* cli/commands/results/claim_runs.h - what claims need of the results database, and the commands
 * that make it. */
#ifndef OGPT_CLI_COMMANDS_RESULTS_CLAIM_RUNS_H
#define OGPT_CLI_COMMANDS_RESULTS_CLAIM_RUNS_H

#include "cli/study.h"
#include "report/claims/claim_result.h"

/* The finished runs of a database; and networks, whose names are owned. */
typedef struct ClaimSession {
    Context *context;
    Js *runs; /* store_about of each, newest first; owned */
    size_t n; /* networks */
    ClaimSubject *subjects;
    ClaimFinding *findings; /* (n, CLAIM_MAX) */
    Text *texts;            /* (n, 2): as a shell reads it, hash */
    Text command_end;       /* " --store FILE", or nothing */
} ClaimSession;

/* Open each network once, for its hash and board. Returns 0 or OGPT_E*; claim_session_release in
 * any case. */
int claim_session_open(ClaimSession *session, Context *context, const char *const *paths, size_t n);
/* Read the list of runs again, and judge all claims. */
int claim_session_judge(ClaimSession *session);
/* Take the commands that claims lack, each once. *failed: those that could not be taken, each with
 * a warning; the others are taken all the same. Returns 0, or OGPT_EINTR, OGPT_ENOMEM, OGPT_EPIPE,
 * OGPT_ELOCKED of one of them; what was finished is kept. */
int claim_session_run(ClaimSession *session, size_t *failed);
void claim_session_release(ClaimSession *session);

#endif
