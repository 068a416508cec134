/* report/results/edit_methods_text.c - the results of edits as people read them. Contract in
 * report/results/edit_result.h. */
#include "report/results/edit_result.h"

#include <math.h>

#include "report/results/case_view.h"

void edit_result_print_plan(Text *text, const EditResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    char layers[192], scale[32];
    edit_layers_print(layers, experiment->plan.layers);
    edit_scale_print(scale, experiment->plan.scale);
    text_add(text, "%s at hook_%s of layers %s, scale %s",
             edit_method_name(experiment->plan.method), hook_site_name(experiment->plan.site),
             layers, scale);
    if (experiment->plan.method == METHOD_SAE) {
        text_add(text, ", %d features a state", experiment->plan.features);
    }
    text_add(text, ": %s\n",
             experiment->tuned ? "chosen on the tuning cases, not on these" : "as given");
    text_add(text, "%zu cases; mean wrong moves a case:\n", experiment->metrics.n);
    draw_exclusions(text, result->cases, "  left out: ");
}

/* A share in percent. */
static void print_share(Text *text, Interval interval)
{
    text_add(text, " %.1f %% [%.1f, %.1f]", 100 * interval.value, 100 * interval.low,
             100 * interval.high);
}

/* Below the table: what the descent of gradient does where no square is changed, and what the edit
 * closes beyond that. */
static void print_repair_line(Text *text, const EditResult *result)
{
    const EditMetrics *metrics = &result->experiment.metrics;
    if (isnan(metrics->closed[ARM_REPAIR].value)) {
        return;
    }
    text_add(text, "\ngradient, %s cases: no square changed, the descent closes",
             cases_kind(result->cases));
    print_share(text, metrics->closed[ARM_REPAIR]);
    text_add(text,
             " and brings the error by the own board from %.3f to %.3f; beside that the edit "
             "closes",
             metrics->mean[ARM_SELF][METRIC_ERROR], metrics->mean[ARM_REPAIR][METRIC_DRIFT]);
    print_share(text, metrics->closed_repaired);
    text_add(text, ".\n");
}

void edit_result_print_cases(Text *text, const EditFindings *found)
{
    const char *file = NULL;
    for (size_t i = 0; i < found->n; i++) {
        const EditResult *result = &found->results[i];
        if (result->cases_file != file) { /* the first of its file */
            text_add(text, "%s: %zu %s cases in %s, %llu left out\n", file ? "and" : "cases",
                     result->cases->n, cases_kind(result->cases), result->cases_file,
                     (unsigned long long)result->cases->excluded);
            file = result->cases_file;
        }
    }
}

void edit_result_print_methods(Text *text, const EditFindings *found)
{
    for (size_t i = 0; i < found->n; i++) {
        print_repair_line(text, &found->results[i]);
    }
    text_add(text,
             "\nedit: wrong moves a case; layers and scale are chosen on tuning cases, not on "
             "these. Intervals: 95 %%, bootstrap over cases.\ncontrols: random direction and wrong "
             "square %s\n",
             edit_result_controls_close_nothing(found)
                 ? "close none of the gap within their intervals, whatever the method"
                 : "close part of the gap for at least one method: see their intervals");
}
