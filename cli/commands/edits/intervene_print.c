/* cli/commands/edits/intervene_print.c - the results of ogpt intervene as people read them: the
 * Markdown table of all methods that stands in the README as it is printed, and one case. */
#include <math.h>

#include "cli/commands/edits/case_view.h"
#include "cli/commands/edits/intervene_session.h"

void print_plan(Text *text, const MethodResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    char layers[192], scale[32];
    edit_layers_print(layers, experiment->plan.layers);
    edit_scale_print(scale, experiment->plan.scale);
    text_add(text, "%s at hook_%s of layers %s, scale %s: %s\n",
             edit_method_name(experiment->plan.method), hook_site_name(experiment->plan.site),
             layers, scale,
             experiment->tuned ? "chosen on the tuning cases, not on these" : "as given");
    text_add(text, "%zu cases; mean wrong moves a case:\n", experiment->metrics.n);
    draw_exclusions(text, &result->file->cases, "  left out: ");
}

static void print_interval(Text *text, const char *before, Interval interval)
{
    text_add(text, "%s%.3f [%.3f, %.3f]", before, interval.value, interval.low, interval.high);
}

static void print_row(Text *text, const MethodResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    const EditMetrics *metrics = &experiment->metrics;
    char layers[192], scale[32];
    edit_layers_print(layers, experiment->plan.layers);
    edit_scale_print(scale, experiment->plan.scale);
    text_add(text, "| %s | %s | %s | %s ", casefile_kind(result->file),
             edit_method_name(experiment->plan.method), layers, scale);
    print_interval(text, "| ", metrics->value[ARM_EDIT][METRIC_ERROR]);
    text_add(text, " | %.3f | %.3f ", edit_mean(metrics, ARM_NULL, METRIC_ERROR),
             edit_mean(metrics, ARM_SELF, METRIC_ERROR));
    print_interval(text, "| ", metrics->closed[ARM_EDIT]);
    print_interval(text, " | ", metrics->closed[ARM_RANDOM]);
    print_interval(text, " | ", metrics->closed[ARM_WRONG_SQUARE]);
    text_add(text, " | %.3f | %.2f ", edit_mean(metrics, ARM_EDIT, METRIC_DRIFT),
             metrics->value[ARM_EDIT][METRIC_CROSSTALK].value);
    if (metrics->value[ARM_EDIT][METRIC_ILLEGAL_SHARE].value >= 0) {
        text_add(text, "| %.1f %% (%.1f %%) |\n",
                 100 * metrics->value[ARM_EDIT][METRIC_ILLEGAL_SHARE].value,
                 100 * metrics->value[ARM_SELF][METRIC_ILLEGAL_SHARE].value);
    } else {
        text_add(text, "| - |\n");
    }
}

/* Below the table: what the descent of gradient does where no square is changed, and what the edit
 * closes beyond that. */
static void print_repair_line(Text *text, const MethodResult *result)
{
    const EditMetrics *metrics = &result->experiment.metrics;
    if (isnan(metrics->closed[ARM_REPAIR].value)) {
        return;
    }
    text_add(text, "\ngradient, %s cases: no square changed, the descent closes",
             casefile_kind(result->file));
    print_interval(text, " ", metrics->closed[ARM_REPAIR]);
    text_add(text,
             " and brings the error by the own board from %.3f to %.3f; beside that the edit "
             "closes",
             edit_mean(metrics, ARM_SELF, METRIC_ERROR),
             edit_mean(metrics, ARM_REPAIR, METRIC_DRIFT));
    print_interval(text, " ", metrics->closed_repaired);
    text_add(text, ".\n");
}

void print_methods(Text *text, const EditSession *session, const Table *published)
{
    for (size_t i = 0; i < session->n_files; i++) {
        const CaseFile *file = &session->files[i];
        text_add(text, "%s: %zu %s cases in %s, %llu left out\n", i == 0 ? "cases" : "and",
                 file->cases.n, casefile_kind(file), file->path,
                 (unsigned long long)file->cases.excluded);
    }
    text_add(text, "\n| cases | method | layers | scale | error | null | self | closed | random "
                   "closes | wrong square closes | drift | crosstalk | illegal in ten plies "
                   "(unedited) |\n");
    text_add(text, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- "
                   "|\n");
    for (size_t i = 0; i < session->n_results; i++) {
        print_row(text, &session->results[i]);
    }
    for (size_t i = 0; i < table_rows(published); i++) {
        const Js *row = js_at(published->rows, i);
        text_add(text, "| %s | %s | | | %s | %s | | | | | | | |\n",
                 js_str_of(js_member(row, "cases")), js_str_of(js_member(row, "method")),
                 js_str_of(js_member(row, "edit_error")), js_str_of(js_member(row, "null_error")));
    }
    for (size_t i = 0; i < session->n_results; i++) {
        print_repair_line(text, &session->results[i]);
    }
    text_add(text,
             "\nLayers and scale are chosen on tuning cases, not on these. Intervals: 95 %%, "
             "bootstrap over cases.\ncontrols: random direction and wrong square %s\n",
             session_controls_close_nothing(session)
                 ? "close none of the gap within their intervals, whatever the method"
                 : "close part of the gap for at least one method: see their intervals");
}

int show_case(EditSession *session, const MethodResult *result)
{
    const EditPlan *plan = &result->experiment.plan;
    EditPredictor predictor = session_predictor(session, plan);
    AnswerRule rule = (AnswerRule)session->given->rule;
    size_t index = (size_t)session->given->show;
    const CaseSet *set = &result->file->cases;
    const EditCase *edit = &set->cases[index];
    const Vocab *vocab = vocab_of(set->variant);
    uint64_t before = 0, after = 0;
    int rc = edit_predict(&before, &predictor, set, index, ARM_NULL, plan, rule);
    rc = rc ? rc : edit_predict(&after, &predictor, set, index, ARM_EDIT, plan, rule);
    if (rc != 0) {
        return rc;
    }
    Js *shown = case_json(set->variant, edit, index);
    Text *text = study_text(session->context);
    js_set(shown, "predicted_before", squares_json(answer_squares(vocab, before)));
    js_set(shown, "predicted_after", squares_json(answer_squares(vocab, after)));
    study_json(session->context, "case", shown);
    draw_case(text, set->variant, edit, index);
    draw_prediction(text, set->variant, "plays before  ", before, edit->legal_before);
    draw_prediction(text, set->variant, "plays after   ", after, edit->legal_edited);
    text_add(text, "(! is illegal on that board)\n\n");
    return 0;
}
