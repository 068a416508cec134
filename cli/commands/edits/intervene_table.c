/* cli/commands/edits/intervene_table.c - ogpt intervene --method all: every method on every file of
 * cases, one line each, as a Markdown table that stands in the README as it is printed. */
#include <math.h>
#include <stdio.h>

#include "cli/commands/edits/intervene_session.h"

/* Rows of public papers on their 25 M network (8x8), printed below ours. */
static const struct {
    const char *cases, *method, *error, *null;
} published[] = {
    {"flip one square", "add (linear probe), published", "0.10", "2.723"},
    {"erase one square", "add (linear probe), published", "0.02", "2.73"},
    {"natural", "gradient (MLP probe), published", "0.12", "2.68"},
    {"unnatural", "gradient (MLP probe), published", "0.06", "2.59"},
};

static const char *kind_of(const CaseFile *file)
{
    return cases_stats(&file->cases).n_witnesses == file->cases.n ? "natural" : "unnatural";
}

static void print_row(Text *text, const MethodResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    const EditMetrics *metrics = &experiment->metrics;
    char layers[192], scale[32];
    edit_layers_print(layers, experiment->plan.layers);
    edit_scale_print(scale, experiment->plan.scale);
    text_add(text, "| %s | %s | %s | %s ", kind_of(result->file),
             edit_method_name(experiment->plan.method), layers, scale);
    text_add(
        text, "| %.3f [%.3f, %.3f] | %.3f | %.3f ", metrics->value[ARM_EDIT][METRIC_ERROR].value,
        metrics->value[ARM_EDIT][METRIC_ERROR].low, metrics->value[ARM_EDIT][METRIC_ERROR].high,
        edit_mean(metrics, ARM_NULL, METRIC_ERROR), edit_mean(metrics, ARM_SELF, METRIC_ERROR));
    text_add(text, "| %.3f [%.3f, %.3f] ", metrics->closed[ARM_EDIT].value,
             metrics->closed[ARM_EDIT].low, metrics->closed[ARM_EDIT].high);
    text_add(text, "| %.3f [%.3f, %.3f] | %.3f [%.3f, %.3f] ", metrics->closed[ARM_RANDOM].value,
             metrics->closed[ARM_RANDOM].low, metrics->closed[ARM_RANDOM].high,
             metrics->closed[ARM_WRONG_SQUARE].value, metrics->closed[ARM_WRONG_SQUARE].low,
             metrics->closed[ARM_WRONG_SQUARE].high);
    text_add(text, "| %.3f | %.2f ", edit_mean(metrics, ARM_EDIT, METRIC_DRIFT),
             metrics->value[ARM_EDIT][METRIC_CROSSTALK].value);
    if (metrics->value[ARM_EDIT][METRIC_ILLEGAL_SHARE].value >= 0) {
        text_add(text, "| %.1f %% (%.1f %%) |\n",
                 100 * metrics->value[ARM_EDIT][METRIC_ILLEGAL_SHARE].value,
                 100 * metrics->value[ARM_SELF][METRIC_ILLEGAL_SHARE].value);
    } else {
        text_add(text, "| - |\n");
    }
}

/* Below the table: what gradient's descent does where no square is changed, and what the edit
 * closes beside that. */
static void print_repair_line(Text *text, const MethodResult *result)
{
    const EditMetrics *metrics = &result->experiment.metrics;
    if (!isnan(metrics->closed[ARM_REPAIR].value)) {
        text_add(
            text,
            "\ngradient, %s cases: no square changed, the descent closes %.3f [%.3f, %.3f] and "
            "brings the error by the own board from %.3f to %.3f; beside that the edit closes "
            "%.3f [%.3f, %.3f].\n",
            kind_of(result->file), metrics->closed[ARM_REPAIR].value,
            metrics->closed[ARM_REPAIR].low, metrics->closed[ARM_REPAIR].high,
            edit_mean(metrics, ARM_SELF, METRIC_ERROR),
            edit_mean(metrics, ARM_REPAIR, METRIC_DRIFT), metrics->closed_repaired.value,
            metrics->closed_repaired.low, metrics->closed_repaired.high);
    }
}

void print_table(Text *text, const Session *session)
{
    bool nothing = true;
    for (size_t i = 0; i < session->n_files; i++) {
        const CaseFile *file = &session->files[i];
        text_add(text, "%s: %zu %s cases in %s, %llu left out\n", i == 0 ? "cases" : "and",
                 file->cases.n, kind_of(file), file->path,
                 (unsigned long long)file->cases.excluded);
    }
    text_add(text, "\n| cases | method | layers | scale | error | null | self | closed | random "
                   "closes | wrong square closes | drift | crosstalk | illegal in ten plies "
                   "(unedited) |\n");
    text_add(text, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- "
                   "|\n");
    for (size_t i = 0; i < session->n_results; i++) {
        print_row(text, &session->results[i]);
        nothing = nothing && edit_controls_close_nothing(&session->results[i].experiment.metrics);
    }
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        text_add(text, "| %s | %s | | | %s | %s | | | | | | | |\n", published[i].cases,
                 published[i].method, published[i].error, published[i].null);
    }
    for (size_t i = 0; i < session->n_results; i++) {
        print_repair_line(text, &session->results[i]);
    }
    text_add(text,
             "\nLayers and scale are chosen on tuning cases, not on these. Intervals: 95 %%, "
             "bootstrap over cases.\ncontrols: random direction and wrong square %s\n",
             nothing ? "close nothing within their intervals, whatever the method"
                     : "close more than nothing for at least one method: see their intervals");
}

Js *table_json(const Session *session)
{
    Js *document = js_object(), *methods = js_array(), *theirs = js_array();
    bool nothing = true;
    for (size_t i = 0; i < session->n_results; i++) {
        const MethodResult *result = &session->results[i];
        Js *row = result_json(session, result);
        js_set_str(row, "kind", kind_of(result->file));
        js_push(methods, row);
        nothing = nothing && edit_controls_close_nothing(&result->experiment.metrics);
    }
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        Js *row = js_object();
        js_set_str(row, "cases", published[i].cases);
        js_set_str(row, "method", published[i].method);
        js_set_str(row, "edit_error", published[i].error);
        js_set_str(row, "null_error", published[i].null);
        js_push(theirs, row);
    }
    js_set(document, "methods", methods);
    js_set(document, "published", theirs);
    js_set_bool(document, "controls_close_nothing", nothing);
    return document;
}
