/* report/claims/claim_judge.h - verdicts about claims, from rows of the results database.
 *
 * One rule for every number. It has a 95 % interval, and so may have what it is compared with: the
 * largest of several controls if the claim wants the number above it, the smallest if below. The
 * question holds if the whole interval lies on the claim's side of the control's, fails if the
 * whole interval lies on the other side, and is not decided if they touch. Several rows (bands of
 * plies, methods): it fails if one does, holds if all do; with `agree` it is not decided if some
 * hold and others fail. A claim does the same with its questions, but without a premise it is not
 * decided.
 */
#ifndef OGPT_REPORT_CLAIMS_CLAIM_JUDGE_H
#define OGPT_REPORT_CLAIMS_CLAIM_JUDGE_H

#include <stdint.h>

#include "base/js.h"
#include "base/text.h"
#include "num/statistics/stats.h"
#include "report/claims/claim_table.h"

typedef enum ClaimVerdict {
    VERDICT_HOLDS,
    VERDICT_FAILS,
    VERDICT_OPEN,  /* rows there are, and they do not decide it */
    VERDICT_NEEDS, /* no run with such rows */
    N_CLAIM_VERDICTS
} ClaimVerdict;
const char *claim_verdict_name(ClaimVerdict verdict); /* "holds"; static */

/* What the texts of the table are filled with; borrowed. */
typedef struct ClaimSubject {
    const char *network; /* its name */
    const char *typed;   /* the same, as a shell reads it */
    int size;            /* squares a side */
    int late;            /* half of the longest game */
    int n_layers, d_model, n_heads;
    const char *model_hash;
} ClaimSubject;
/* Add a text of the table. */
void claim_fill(Text *out, const char *text, const ClaimSubject *subject);

/* Whoever has the rows: *rows, owned, those of wanted->kind of one finished run of run->command
 * about the subject that had the options of run->needs, *number its number; NULL if there is none.
 * It is the newest with a row that the number can be read from (claim_rows_fit): a narrower run
 * behind it hides nothing. If none has such a row, the newest. Returns 0 or OGPT_E*. */
typedef struct ClaimRows {
    int (*read)(void *context, Js **rows, int64_t *number, const ClaimRun *run,
                const ClaimNumber *wanted);
    void *context;
} ClaimRows;

typedef struct ClaimPart {
    ClaimVerdict verdict;
    Interval value, control; /* without an interval all three are equal; NaN: none */
    bool line;               /* the control is the line of the table */
    bool disagree;           /* of `agree`: this row fails, and another one holds */
    int64_t run;             /* 0: none */
    char row[96];            /* which row, by the columns of `tell`: "tuned first 30 39" */
} ClaimPart;

typedef struct ClaimFinding {
    const FieldClaim *claim; /* borrowed */
    ClaimVerdict verdict;
    int n, deciding; /* of parts; the one that the verdict rests on, 0 if there are none */
    ClaimPart parts[CLAIM_ASKS_MAX];
} ClaimFinding;

/* Returns 0, or the error of reading. */
int claim_judge(ClaimFinding *out, const FieldClaim *claim, const ClaimSubject *subject,
                const ClaimRows *rows);
/* Whether question k of claim c is the first that lacks its run: one before it with the same
 * command makes its rows too. findings: (CLAIM_MAX). */
bool claim_lacks(const ClaimFinding *findings, size_t c, int k);
/* k of n things: k / n with Wilson's 95 % interval (Wilson 1927), for counts that are not drawn
 * again, such as heads of one network. NaN unless 0 <= k <= n and n > 0. */
Interval claim_counted(double k, double n);
/* Whether the options of a run are those of run->needs. */
bool claim_run_fits(const ClaimRun *run, const Js *options, const ClaimSubject *subject);
/* Whether one of the rows is asked about. */
bool claim_rows_fit(const ClaimNumber *number, const Js *rows, const ClaimSubject *subject);

#endif
