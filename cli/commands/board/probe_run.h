/* cli/commands/board/probe_run.h - what `probe fit` and `probe eval` share: options, inputs, the
 * sweep, tables and words of the result. */
#ifndef OGPT_CLI_COMMANDS_BOARD_PROBE_RUN_H
#define OGPT_CLI_COMMANDS_BOARD_PROBE_RUN_H

#include "cli/commands/board/board_options.h"
#include "cli/commands/common/model_input.h"
#include "cli/study.h"
#include "report/results/probe_result.h"

typedef struct ProbeSample {
    const char *corpus;
    int64_t games, test_games, plies, memory;
    bool no_controls, heat;
} ProbeSample;

/* Everything that a sweep has opened. Start from {0}; release it also after an error. */
typedef struct ProbeRun {
    const ProbeSample *sample;
    const char *path; /* of the probe */
    StudyInputs inputs;
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

/* `probe fit RUN --all-steps`: the probe of run->options at every checkpoint of the run `path`,
 * each below run->path under the name of its step, without controls; fills probe_steps_table. The
 * options and inputs are those of the newest step, which probe_run_open opened. Finished probes are
 * not fitted again. OGPT_EUSAGE if `path` is no run. */
int probe_run_steps(ProbeRun *run, Context *context, const char *path);

/* Warn about splits with fewer games than were asked for. */
void probe_run__warn_few(const Context *context, const SweepResult *result,
                         const SweepOptions *asked);

#define PROBE_TABLES                                                                               \
    COMMAND_TABLES(&probe_layers_table, &probe_summary_table, &probe_controls_table,               \
                   &probe_breakdown_table, &probe_tests_table, &probe_steps_table)

#endif
