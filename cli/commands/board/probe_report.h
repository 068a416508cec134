/* cli/commands/board/probe_report.h - the result of a probe sweep: JSON, rows of the store, and a
 * table. */
#ifndef OGPT_CLI_COMMANDS_BOARD_PROBE_REPORT_H
#define OGPT_CLI_COMMANDS_BOARD_PROBE_REPORT_H

#include "cli/commands/board/probe_view.h"

/* Rows for the store, kinds probe_layers and probe_controls; owned by the caller. */
Js *probe_layers_json(const SweepResult *result, const Probe *probe);
Js *probe_controls_json(const SweepResult *result, const Probe *probe);
/* The document of --json. */
Js *probe_document(const SweepResult *result, const Probe *probe, const ProbeView *view,
                   const char *path, const char *corpus_hash);
void probe_print_table(Text *text, const SweepResult *result, const Probe *probe,
                       const ProbeView *view);
/* What must not be overlooked: controls on fewer positions than the probe, a history MLP that is
 * weaker than the line or was still learning. */
void probe_warn(const Context *context, const SweepResult *result, const Probe *probe);

#endif
