/* report/results/edit_result.h - edits of the board inside a network as tables, as the page for
 * people. */
#ifndef OGPT_REPORT_RESULTS_EDIT_RESULT_H
#define OGPT_REPORT_RESULTS_EDIT_RESULT_H

#include "probes/edits/edit_experiment.h"
#include "probes/edits/edit_means.h"
#include "report/report.h"

/* One row a method and file, either as the record of one method or as the list of all. */
extern const TableSpec edit_result_table, edit_methods_table;
/* Published results, printed below the list. */
extern const TableSpec edit_published_table;
/* Every tried plan, every case, every metric: in the database and in CSV, not in the document. */
extern const TableSpec edit_sweep_table, edit_cases_table, edit_metrics_table;
/* The same for people: metrics by arm, crosstalk by layer, the edit in one layer alone. */
extern const TableSpec edit_arms_table, edit_crosstalk_table, edit_layers_table;

/* One method on one file of cases. */
typedef struct EditResult {
    const CaseSet *cases;                /* borrowed */
    const char *cases_file, *tuned_file; /* borrowed; tuned_file "": nothing was tuned */
    uint64_t tuning_left_out;            /* tuning cases at positions of reported ones */
    EditExperiment experiment;           /* owned by whoever ran it */
} EditResult;

/* The autoencoder of method sae, and the games that chose its features. */
typedef struct EditFeaturesReport {
    const char *path;
    int64_t n_games, n_positions;
} EditFeaturesReport;

/* What there is to report; all borrowed. */
typedef struct EditFindings {
    const EditResult *results; /* (n); one, unless `all` */
    size_t n;
    bool all;                       /* the table of all methods */
    const char *model_hash, *probe; /* probe: its path */
    const char *preset, *rule;      /* as typed; preset "": none */
    const EditMeansReport *means;   /* of method mean-difference */
    EditFeaturesReport features;    /* of method sae */
} EditFindings;

void edit_result_report(Report *report, const EditFindings *found);

/* Whether the two controls of all results close none of the gap. */
bool edit_result_controls_close_nothing(const EditFindings *found);
/* The line above the result of one method. */
void edit_result_print_plan(Text *text, const EditResult *result);
/* Around the table of all methods: the cases, above it; how it was made and what the controls say,
 * below it. */
void edit_result_print_cases(Text *text, const EditFindings *found);
void edit_result_print_methods(Text *text, const EditFindings *found);

#endif
