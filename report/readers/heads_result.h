/* report/readers/heads_result.h - what attention heads look at and do, as tables. */
#ifndef OGPT_REPORT_READERS_HEADS_RESULT_H
#define OGPT_REPORT_READERS_HEADS_RESULT_H

#include "probes/heads/head_study.h"
#include "report/report.h"

extern const TableSpec heads_table, heads_controls_table, heads_list_table, heads_patterns_table,
    heads_follow_table, heads_follow_top_table, heads_circuits_table, heads_composition_table,
    heads_composition_top_table, heads_matrices_table;

/* What there is to report; all borrowed. */
typedef struct HeadsFindings {
    const HeadStudy *study;
    const char *source, *model_hash, *probe; /* probe: its path, or NULL */
    int top;                                 /* rows of a list that text shows */
} HeadsFindings;

void heads_report(Report *report, const HeadsFindings *findings);
/* "L1H3" of a head that counts layer by layer. */
#define HEADS_NAME_MAX 48
void heads_name(char out[HEADS_NAME_MAX], size_t n_heads, size_t head);
/* The head of such a name. Returns 0 or OGPT_EUSAGE, naming `option`. */
int heads_parse(int *out, const GptConfig *cfg, const char *text, const char *option);

#endif
