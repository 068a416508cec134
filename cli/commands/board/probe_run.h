/* cli/commands/board/probe_run.h - what `probe fit` and `probe eval` share: options, inputs, the
 * sweep, tables and words of the result. */
#ifndef OGPT_CLI_COMMANDS_BOARD_PROBE_RUN_H
#define OGPT_CLI_COMMANDS_BOARD_PROBE_RUN_H

#include "cli/commands/board/board_options.h"
#include "cli/study.h"
#include "probes/compare/swept.h"

typedef struct ProbeSample {
    const char *corpus;
    int64_t games, test_games, plies, memory;
    bool no_controls, heat;
} ProbeSample;

/* Everything that a sweep has opened. Start from {0}; release it also after an error. */
typedef struct ProbeRun {
    const ProbeSample *sample;
    const char *path; /* of the probe */
    Subject subject;
    Corpus *corpus;
    Probe probe;
    SweepOptions options;
    Swept swept;
} ProbeRun;

/* Open the network and the corpus, and begin the options with those of the sample. */
int probe_run_open(ProbeRun *run, Context *context, const ProbeSample *sample, const char *path);
/* After study_begin: fit what is missing of the probe (else score the one that was loaded), and
 * fill the tables of the result. */
int probe_run_sweep(ProbeRun *run, Context *context, bool fit);
void probe_run_release(ProbeRun *run);

/* ---- tables of the result (cli/commands/board/probe_tables.c) ---- */

/* The breakdown, every score by class, square, ply, age and passes, is too long for text and JSON;
 * there, the best layer's is in the lists by_class, by_square, ... */
extern const TableSpec probe_layers_table, probe_summary_table, probe_controls_table,
    probe_breakdown_table, probe_tests_table;
#define PROBE_TABLES                                                                               \
    COMMAND_TABLES(&probe_layers_table, &probe_summary_table, &probe_controls_table,               \
                   &probe_breakdown_table, &probe_tests_table)

void probe_tables_fill(Context *context, const ProbeRun *run);
/* The columns of probe_tests_table from `difference` on. */
void probe_tables_test(Table *table, const PairedTest *test);

/* ---- the result in words (cli/commands/board/probe_text.c) ---- */

/* "embed" or "layer 5". */
void probe_layer_name(char out[16], int layer);
/* Task, solver and sample: the first lines. */
void probe_text_head(Text *text, const ProbeRun *run);
/* Below the table of layers: what it means, and what was unusual about a layer's fit. */
void probe_text_notes(Text *text, const ProbeRun *run);
/* Accuracy by layer as bars, by square as a heat map of the best layer. */
void probe_text_heat(Text *text, const ProbeRun *run, bool colour);
/* Warnings: controls that were given less than the probe, or that do not work as they must. */
void probe_text_warn(const Context *context, const ProbeRun *run);

#endif
