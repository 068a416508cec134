/* report/claims/claim_stored.h - the rows that claims are judged by, out of a results database. */
#ifndef OGPT_REPORT_CLAIMS_CLAIM_STORED_H
#define OGPT_REPORT_CLAIMS_CLAIM_STORED_H

#include "report/claims/claim_judge.h"
#include "store/runs.h"

/* What the database has about one network; borrowed. */
typedef struct ClaimStored {
    Store *store;
    const Js *runs; /* claim_stored_runs */
    const ClaimSubject *subject;
} ClaimStored;

/* store_about of every run, newest first; *runs is owned in any case. Returns 0 or OGPT_E*. */
int claim_stored_runs(Js **runs, Store *store);
/* ClaimRows.read; stored: a ClaimStored. */
int claim_stored_rows(void *stored, Js **rows, int64_t *number, const ClaimRun *run,
                      const ClaimNumber *wanted);

#endif
