/* report/dictionaries/dictionaries_result.h - trained dictionaries and their twins as tables. */
#ifndef OGPT_REPORT_DICTIONARIES_DICTIONARIES_RESULT_H
#define OGPT_REPORT_DICTIONARIES_DICTIONARIES_RESULT_H

#include "report/dictionaries/codebook_methods.h"
#include "report/report.h"

extern const TableSpec dictionaries_table, dictionaries_rows_table, dictionaries_differences_table,
    dictionaries_methods_table, dictionaries_verdicts_table, dictionaries_densities_table,
    dictionaries_pairs_table, dictionaries_cosines_table;

/* What there is to report; all borrowed. */
typedef struct DictionariesFindings {
    const CodebookStudy *study;
    const CodebookStudyInputs *in;
    const CodebookMethods *methods;
    const char *source; /* where the games come from, in words */
    const char *model_hash;
    const char *probe; /* a path, or "" */
} DictionariesFindings;
void dictionaries_report(Report *report, const DictionariesFindings *findings);

#endif
