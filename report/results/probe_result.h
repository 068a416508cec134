/* report/results/probe_result.h - what a sweep found about a probe, as tables, and in words what no
 * table can say. */
#ifndef OGPT_REPORT_RESULTS_PROBE_RESULT_H
#define OGPT_REPORT_RESULTS_PROBE_RESULT_H

#include "probes/compare/swept.h"
#include "report/report.h"

/* What there is to report; all borrowed. */
typedef struct ProbeFindings {
    const char *path;        /* of the probe */
    const char *corpus_hash; /* of the games it was tested on */
    const Probe *probe;
    const Swept *swept;
} ProbeFindings;

/* The breakdown, every score by class, square, ply, age and passes, is too long for text and JSON;
 * there, the best layer's is in the lists by_class, by_square, ... */
extern const TableSpec probe_layers_table, probe_summary_table, probe_controls_table,
    probe_breakdown_table, probe_tests_table, probe_steps_table;
void probe_tables_fill(Report *report, const ProbeFindings *found);
/* Rows of probe_steps_table: the layers of a probe that was fitted at one step of a run. games: -1
 * if not known. */
void probe_tables_step(Table *table, int64_t step, int64_t games, const Probe *probe,
                       const SweepResult *result);
/* The columns of probe_tests_table from `difference` on. */
void probe_tables_test(Table *table, const PairedTest *test);

/* ---- the result in words (report/results/probe_text.c) ---- */

/* "embed" or "layer 5". */
void probe_layer_name(char out[16], int layer);
/* Task, solver and sample: the first lines. */
void probe_text_head(Text *text, const ProbeFindings *found);
/* Below the table of layers: what it means, and what was unusual about a layer's fit. */
void probe_text_notes(Text *text, const ProbeFindings *found);
/* Accuracy by layer as bars, by square as a heat map of the best layer. */
void probe_text_heat(Text *text, const ProbeFindings *found, bool colour);
/* Below that: whether the move history alone says as much, and whether its MLP learned. */
void probe_text_history(Text *text, const ProbeFindings *found);
/* Below the table of controls: whether the solver finds what is certainly there. */
void probe_text_planted(Text *text, const ProbeFindings *found);
/* Warnings: controls that were given less than the probe, or that say something is wrong. */
void probe_text_warn(Report *report, const ProbeFindings *found);

#endif
