/* report/corpora/corpus_result.h - corpora: made, imported, looked at. */
#ifndef OGPT_REPORT_CORPORA_CORPUS_RESULT_H
#define OGPT_REPORT_CORPORA_CORPUS_RESULT_H

#include "datasets/corpus.h"
#include "datasets/generate.h"
#include "datasets/import.h"
#include "report/table.h"

extern const TableSpec corpus_table, generate_table, import_table, import_files_table,
    import_rejects_table;

/* The one row of corpus_table. */
void corpus_report(Table *table, const char *path, const CorpusInfo *info,
                   const CorpusCounts *counts);
/* The one row of generate_table. */
void generate_report(Table *table, const char *path, const GameVariant *variant, uint64_t seed,
                     const GenerateResult *result);
/* The one row of import_table; a row of import_files_table, of import_rejects_table. */
void import_report_total(Table *table, const char *path, const GameVariant *variant,
                         const ImportResult *result);
void import_report_file(Table *table, const ImportFile *file);
void import_report_reject(Table *table, const GameVariant *variant, const ImportReject *reject);

#endif
