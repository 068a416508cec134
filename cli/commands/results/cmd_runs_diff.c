/* cli/commands/results/cmd_runs_diff.c - ogpt runs diff: what differs between two runs. */
#include "cli/commands/results/run_values.h"
#include "report/runs/run_curves.h"
#include "report/runs/run_differences.h"

static int diff_run(Context *context)
{
    Store *store = NULL;
    Js *a = NULL;
    Js *b = NULL;
    int rc = store_open_read(&store, context->store_path);
    rc = rc ? rc : run_read(&a, context, store, 0);
    rc = rc ? rc : run_read(&b, context, store, 1);
    store_close(store);
    if (rc == 0) {
        run_differences_report(context->report, a, b);
        run_curves_report(context->report, a, b, context->style);
    }
    js_free(a);
    js_free(b);
    return rc;
}

const Command cmd_runs_diff = {
    .name = "runs diff",
    .arguments = "RUN RUN",
    .summary = "what differs between two runs: options, versions, last results, curves of training",
    .examples = "ogpt runs diff 3 4",
    .min_args = 2,
    .max_args = 2,
    .uses = USES_STORE | USES_FORCE,
    COMMAND_TABLES(&run_differences_table, &run_curves_table),
    .run = diff_run,
};
