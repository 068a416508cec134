/* report/dictionaries/features_result.h - features of a dictionary as tables. */
#ifndef OGPT_REPORT_DICTIONARIES_FEATURES_RESULT_H
#define OGPT_REPORT_DICTIONARIES_FEATURES_RESULT_H

#include "probes/features/features_study.h"
#include "report/report.h"

extern const TableSpec dictionaries_features_table, dictionaries_features_list_table,
    dictionaries_features_top_table, dictionaries_clamps_table;

/* What there is to report; all borrowed. */
typedef struct FeaturesFindings {
    const FeaturesStudy *study;
    const FeaturesStudyInput
        *in; /* its chosen features are printed, or the first `top` that live */
    size_t top;
    const char *source; /* where the games come from, in words */
    const char *model_hash;
    const char *probe; /* a path, or "" */
} FeaturesFindings;
void dictionaries_features_report(Report *report, const FeaturesFindings *findings);

/* "F17", the name of a feature's page too. */
#define FEATURES_NAME_MAX 24
void dictionaries_feature_name(char out[FEATURES_NAME_MAX], size_t feature);
/* "d4 mine"; "none" if there is no pair. */
void dictionaries_property_name(char out[FEATURES_NAME_MAX], const GameVariant *variant, int pair);
/* Rows of single features, for pages. */
void dictionaries_feature_row(Table *table, const FeaturesFindings *findings, size_t feature);
void dictionaries_clamp_rows(Table *table, const FeaturesLook *look);

#endif
