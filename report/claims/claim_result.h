/* report/claims/claim_result.h - verdicts as a report: a row for each claim and network, a row for
 * each question. */
#ifndef OGPT_REPORT_CLAIMS_CLAIM_RESULT_H
#define OGPT_REPORT_CLAIMS_CLAIM_RESULT_H

#include "report/claims/claim_judge.h"
#include "report/report.h"

extern const TableSpec claims_table, claim_parts_table;

/* n subjects; findings (n, CLAIM_MAX). command_end: added to every command line, such as
 * " --store FILE", or "". wide: rules, too. All borrowed. */
typedef struct ClaimsFound {
    const ClaimSubject *subjects;
    const ClaimFinding *findings;
    size_t n;
    const char *command_end;
    bool wide;
} ClaimsFound;

/* Both tables, and the text for people: every claim, under it a line for each network. */
void claim_report(Report *report, const ClaimsFound *found);
/* All that has to be typed to get the rows of a part: "ogpt ... && ogpt ...". */
void claim_commands(Text *out, const ClaimRun *run, const ClaimSubject *subject,
                    const char *command_end);

#endif
