/* cli/commands/edits/intervene_report.c - what one edit came to, as JSON, as rows and as text. */
#include <math.h>
#include <stdio.h>

#include "cli/commands/edits/draw_case.h"
#include "report/intervals.h"
#include "cli/commands/edits/intervene_session.h"
#include "datasets/vocab.h"

/* A closed share whose interval is wider than this says nothing, and the text says so. */
#define WIDE_INTERVAL 2.0

/* ---- JSON ---- */

/* A number that only some methods have: null where there is none. */
static Js *number_if(bool is, double value)
{
    return js_num(is ? value : NAN);
}

/* Everything that the plan is made of: a row says by itself which edit ran. */
static void plan_json(Js *object, const Session *session, const EditPlan *plan)
{
    bool by_gradient = plan->method == METHOD_GRADIENT;
    bool by_means = plan->method == METHOD_MEAN_DIFFERENCE;
    const EditMeansReport *means = &session->means;
    Js *layers = js_array();
    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        if (plan->layers >> l & 1) {
            js_push(layers, js_int(l));
        }
    }
    js_set_str(object, "method", edit_method_name(plan->method));
    js_set_str(object, "preset", session->given->preset ? session->given->preset : "");
    js_set_str(object, "site", hook_site_name(plan->site));
    js_set(object, "layers", layers);
    js_set_num(object, "scale", plan->scale.value);
    js_set_str(object, "scale_unit", plan->scale.relative ? "r" : "absolute");
    js_set_str(object, "direction", edit_direction_name(plan->direction));
    js_set_str(object, "positions", edit_positions_name(plan->positions));
    js_set_int(object, "probe_layer",
               plan->probe_layer == PROBE_LAYER_OWN ? -1 : plan->probe_layer);
    js_set_bool(object, "ignore_bias", plan->ignore_bias);
    js_set(object, "steps", by_gradient ? js_int(plan->steps) : js_null());
    js_set(object, "rate", number_if(by_gradient, plan->rate.value));
    js_set_str(object, "rate_unit", !by_gradient ? "" : plan->rate.relative ? "r" : "absolute");
    js_set_str(object, "means_corpus_hash", by_means ? means->corpus_hash : "");
    js_set(object, "means_games", by_means ? js_int(means->n_games) : js_null());
    js_set(object, "means_positions", by_means ? js_int(means->n_positions) : js_null());
    js_set(object, "means_least", by_means ? js_int((int64_t)means->least) : js_null());
}

static Js *sweep_row_json(const Session *session, const SweepRow *row)
{
    Js *object = js_object();
    plan_json(object, session, &row->plan);
    js_set_num(object, "error", row->error);
    js_set_num(object, "f1", row->f1);
    js_set_num(object, "kl", row->kl);
    js_set_num(object, "closed", row->closed);
    return object;
}

static void set_triple(Js *object, const char *name, Interval interval)
{
    Js *triple = js_object();
    if (isnan(interval.value)) {
        js_free(triple);
        return;
    }
    js_set_num(triple, "value", interval.value);
    js_set_num(triple, "low", interval.low);
    js_set_num(triple, "high", interval.high);
    js_set(object, name, triple);
}

/* metrics: {metric: {version: {value, low, high}}}; what does not exist is left out. */
static Js *metrics_json(const EditMetrics *metrics)
{
    Js *all = js_object();
    for (int m = 0; m < N_EDIT_METRICS; m++) {
        Js *metric = js_object();
        for (int arm = 0; arm < N_ARMS; arm++) {
            if (arm_is_listed((Arm)arm)) {
                set_triple(metric, arm_name((Arm)arm), metrics->value[arm][m]);
            }
        }
        set_triple(metric, "edit-null", metrics->edit_less_null[m]);
        set_triple(metric, "edit-random", metrics->edit_less_random[m]);
        js_set(all, edit_metric_name((EditMetric)m), metric);
    }
    return all;
}

static Js *crosstalk_json(const EditMetrics *metrics)
{
    Js *layers = js_array();
    for (int l = 0; l < metrics->n_layers; l++) {
        const LayerCrosstalk *layer = &metrics->layers[l];
        Js *object = js_object(), *others = js_object(), *turned = js_object();
        for (int arm = 0; arm < N_ARMS; arm++) {
            set_triple(others, arm_name((Arm)arm), layer->others[arm]);
            set_triple(turned, arm_name((Arm)arm), layer->turned[arm]);
        }
        js_set_int(object, "layer", layer->layer);
        js_set(object, "others", others);
        js_set(object, "turned", turned);
        js_push(layers, object);
    }
    return layers;
}

Js *result_json(const Session *session, const MethodResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    const EditMetrics *metrics = &experiment->metrics;
    Js *document = js_object(), *by_layer = js_array();
    plan_json(document, session, &experiment->plan);
    js_set_str(document, "rule", session->given->rule);
    js_set_str(document, "model_hash", session->model.model_hash);
    js_set_str(document, "probe", session->given->probe);
    js_set_str(document, "cases_file", result->file->path);
    js_set_str(document, "tuned_on", experiment->tuned ? result->file->tune_path : "");
    js_set_int(document, "cases", (int64_t)metrics->n);
    exclusions_json(document, &result->file->cases);
    js_set_num(document, "null_error", edit_mean(metrics, ARM_NULL, METRIC_ERROR));
    js_set_num(document, "self_error", edit_mean(metrics, ARM_SELF, METRIC_ERROR));
    js_set_interval(document, "edit_error", metrics->value[ARM_EDIT][METRIC_ERROR]);
    js_set_interval(document, "closed", metrics->closed[ARM_EDIT]);
    js_set_interval(document, "gain", metrics->gain);
    js_set_interval(document, "random_error", metrics->value[ARM_RANDOM][METRIC_ERROR]);
    js_set_interval(document, "random_closed", metrics->closed[ARM_RANDOM]);
    js_set_interval(document, "wrong_square_error", metrics->value[ARM_WRONG_SQUARE][METRIC_ERROR]);
    js_set_interval(document, "wrong_square_closed", metrics->closed[ARM_WRONG_SQUARE]);
    js_set_bool(document, "controls_close_nothing", edit_controls_close_nothing(metrics));
    js_set_num(document, "ideal_null", edit_mean(metrics, ARM_IDEAL_NULL, METRIC_ERROR));
    for (int m = METRIC_FALSE_POSITIVES; m < METRIC_DRIFT; m++) {
        js_set_num(document, edit_metric_name((EditMetric)m),
                   edit_mean(metrics, ARM_EDIT, (EditMetric)m));
    }
    if (experiment->plan.method == METHOD_GRADIENT) {
        js_set_interval(document, "repair_error", metrics->value[ARM_REPAIR][METRIC_ERROR]);
        js_set_interval(document, "repair_self_error", metrics->value[ARM_REPAIR][METRIC_DRIFT]);
        js_set_interval(document, "repair_closed", metrics->closed[ARM_REPAIR]);
        js_set_interval(document, "closed_repaired", metrics->closed_repaired);
    }
    for (int m = METRIC_DRIFT; m < N_EDIT_METRICS; m++) {
        js_set_interval(document, edit_metric_name((EditMetric)m), metrics->value[ARM_EDIT][m]);
    }
    js_set(document, "metrics", metrics_json(metrics));
    js_set(document, "crosstalk_by_layer", crosstalk_json(metrics));
    for (size_t i = 0; i < experiment->n_by_layer; i++) {
        Js *row = js_object();
        js_set_int(row, "layer", __builtin_ctzll(experiment->by_layer[i].plan.layers));
        js_set_num(row, "edit_error", experiment->by_layer[i].error);
        js_set_num(row, "closed", experiment->by_layer[i].closed);
        js_push(by_layer, row);
    }
    js_set(document, "by_layer", by_layer);
    return document;
}

/* ---- rows ---- */

/* Errors of one case in the database. */
static const struct {
    const char *key;
    Arm arm;
    EditMetric metric;
} errors[] = {
    {"null_error", ARM_NULL, METRIC_ERROR},
    {"self_error", ARM_SELF, METRIC_ERROR},
    {"edit_error", ARM_EDIT, METRIC_ERROR},
    {"random_error", ARM_RANDOM, METRIC_ERROR},
    {"wrong_square_error", ARM_WRONG_SQUARE, METRIC_ERROR},
    {"repair_error", ARM_REPAIR, METRIC_ERROR},
    {"repair_self_error", ARM_REPAIR, METRIC_DRIFT},
};

static Js *case_rows(const MethodResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    Js *rows = js_array();
    for (size_t i = 0; i < experiment->metrics.n; i++) {
        const CaseMetrics *one = &experiment->metrics.cases[i];
        const EditCase *edit = &result->file->cases.cases[i];
        uint64_t squares = 0;
        Js *row = js_object();
        for (int s = 0; s < edit->n_squares; s++) {
            squares |= 1ULL << edit->squares[s].sq;
        }
        js_set_int(row, "case_index", (int64_t)i);
        js_set(row, "square", squares_json(squares));
        for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
            js_set_num(row, errors[e].key, metric_value(one->of[errors[e].arm][errors[e].metric]));
        }
        js_set_str(row, "method", edit_method_name(experiment->plan.method));
        js_set_str(row, "cases_file", result->file->path);
        for (int m = METRIC_FALSE_POSITIVES; m < N_EDIT_METRICS; m++) {
            js_set_num(row, edit_metric_name((EditMetric)m), metric_value(one->of[ARM_EDIT][m]));
        }
        js_push(rows, row);
    }
    return rows;
}

static void push_metric(Js *rows, const MethodResult *result, const char *metric,
                        const char *version, int layer, Interval interval)
{
    Js *row;
    if (isnan(interval.value)) {
        return;
    }
    row = js_object();
    js_set_str(row, "method", edit_method_name(result->experiment.plan.method));
    js_set_str(row, "cases_file", result->file->path);
    js_set_str(row, "metric", metric);
    js_set_str(row, "version", version);
    js_set(row, "layer", layer < 0 ? js_null() : js_int(layer));
    js_set_num(row, "value", interval.value);
    js_set_num(row, "value_low", interval.low);
    js_set_num(row, "value_high", interval.high);
    js_push(rows, row);
}

static Js *metric_rows(const MethodResult *result)
{
    const EditMetrics *metrics = &result->experiment.metrics;
    Js *rows = js_array();
    for (int m = 0; m < N_EDIT_METRICS; m++) {
        const char *name = edit_metric_name((EditMetric)m);
        for (int arm = 0; arm < N_ARMS; arm++) {
            if (arm_is_listed((Arm)arm)) {
                push_metric(rows, result, name, arm_name((Arm)arm), -1, metrics->value[arm][m]);
            }
        }
        push_metric(rows, result, name, "edit-null", -1, metrics->edit_less_null[m]);
        push_metric(rows, result, name, "edit-random", -1, metrics->edit_less_random[m]);
    }
    for (int l = 0; l < metrics->n_layers; l++) {
        const LayerCrosstalk *layer = &metrics->layers[l];
        for (int arm = 0; arm < N_ARMS; arm++) {
            const char *version = arm_name((Arm)arm);
            push_metric(rows, result, "crosstalk", version, layer->layer, layer->others[arm]);
            push_metric(rows, result, "turned", version, layer->layer, layer->turned[arm]);
        }
    }
    return rows;
}

int add_result_rows(Session *session, const MethodResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    Js *sweep = js_array();
    int rc;
    for (size_t i = 0; i < experiment->n_sweep; i++) {
        Js *row = sweep_row_json(session, &experiment->sweep[i]);
        js_set_str(row, "tuned_on", result->file->tune_path);
        js_push(sweep, row);
    }
    rc = context_add_all(session->context, "edit_sweep", sweep);
    rc = rc ? rc : context_add(session->context, "edit_results", result_json(session, result));
    rc = rc ? rc : context_add_all(session->context, "edit_cases", case_rows(result));
    return rc ? rc : context_add_all(session->context, "edit_metrics", metric_rows(result));
}

/* ---- text ---- */

static void print_interval(Text *text, Interval interval)
{
    text_add(text, "%.3f [%.3f, %.3f]", interval.value, interval.low, interval.high);
}

/* "  null           2.310   what it is", with the interval where there is one. */
static void print_error(Text *text, const char *name, Interval error, const char *what)
{
    text_add(text, "  %-14s %6.3f   ", name, error.value);
    if (!isnan(error.low)) {
        text_add(text, "[%.3f, %.3f]   ", error.low, error.high);
    }
    text_add(text, "%s", what);
}

/* A control: its error, and the share that it closes. */
static void print_control(Text *text, const char *name, const EditMetrics *metrics, Arm arm)
{
    print_error(text, name, metrics->value[arm][METRIC_ERROR], arm_meaning(arm));
    text_add(text, "; closes ");
    print_interval(text, metrics->closed[arm]);
    text_add(text, "\n");
}

static Interval no_interval(double value)
{
    return (Interval){value, NAN, NAN};
}

/* Of gradient: what the descent does where no square is changed. */
static void print_repair(Text *text, const EditMetrics *metrics)
{
    print_control(text, "repair", metrics, ARM_REPAIR);
    print_error(text, "repair, self", metrics->value[ARM_REPAIR][METRIC_DRIFT],
                "the same, judged by the board before the edit\n");
    print_error(text, "closed", metrics->closed_repaired,
                "beside repair: (repair - edit) / (repair - repair self)\n");
}

static void print_errors(Text *text, const MethodResult *result)
{
    const EditMetrics *metrics = &result->experiment.metrics;
    Interval closed = metrics->closed[ARM_EDIT];
    text_add(text, "%zu cases; mean wrong moves a case:\n", metrics->n);
    draw_exclusions(text, &result->file->cases, "  left out: ");
    print_error(text, "null", no_interval(edit_mean(metrics, ARM_NULL, METRIC_ERROR)),
                "not edited, judged by the edited board\n");
    print_error(text, "edit", metrics->value[ARM_EDIT][METRIC_ERROR],
                "edited, judged by the edited board\n");
    print_error(text, "self", no_interval(edit_mean(metrics, ARM_SELF, METRIC_ERROR)),
                "not edited, judged by its own board\n");
    print_error(text, "closed", closed, "(null - edit) / (null - self)\n");
    if (!(closed.high - closed.low < WIDE_INTERVAL)) {
        text_add(text, "                 null and self differ little: the share is uncertain\n");
    }
    print_control(text, "random", metrics, ARM_RANDOM);
    print_control(text, "wrong square", metrics, ARM_WRONG_SQUARE);
    if (!isnan(metrics->closed[ARM_REPAIR].value)) {
        print_repair(text, metrics);
    }
    print_error(text, "ideal null", no_interval(edit_mean(metrics, ARM_IDEAL_NULL, METRIC_ERROR)),
                "a perfect model of the board before the edit\n");
    print_error(text, "drift", metrics->value[ARM_EDIT][METRIC_DRIFT],
                "edited, judged by the board before the edit\n");
    text_add(text, "  controls: %s\n",
             edit_controls_close_nothing(metrics)
                 ? "random direction and wrong square close nothing within their intervals"
                 : "one of them closes more than nothing: see its interval");
}

static void print_cell(Text *text, double value)
{
    if (isnan(value)) {
        text_add(text, "       -");
    } else {
        text_add(text, "%8.3f", value);
    }
}

/* Every metric of the edit with its interval, and the same for what stands beside it. */
static void print_metrics(Text *text, const EditMetrics *metrics)
{
    text_add(text, "\n%-19s    null    self    edit  95 %% interval     random   wrong   ideal\n",
             "");
    for (int m = 0; m < N_EDIT_METRICS; m++) {
        Interval edit = metrics->value[ARM_EDIT][m];
        char interval[32];
        if (isnan(edit.value)) {
            continue; /* left out, or no case has such a move */
        }
        snprintf(interval, sizeof(interval), "[%.3f, %.3f]", edit.low, edit.high);
        text_add(text, "%-19s", edit_metric_name((EditMetric)m));
        print_cell(text, metrics->value[ARM_NULL][m].value);
        print_cell(text, metrics->value[ARM_SELF][m].value);
        print_cell(text, edit.value);
        text_add(text, "  %-17s", interval);
        print_cell(text, metrics->value[ARM_RANDOM][m].value);
        print_cell(text, metrics->value[ARM_WRONG_SQUARE][m].value);
        print_cell(text, metrics->value[ARM_IDEAL_NULL][m].value);
        text_add(text, "\n");
    }
    for (int m = 0; m < N_EDIT_METRICS; m++) {
        if (!isnan(metrics->value[ARM_EDIT][m].value)) {
            text_add(text, "  %-19s %s\n", edit_metric_name((EditMetric)m),
                     edit_metric_text((EditMetric)m));
        }
    }
}

/* What the probe reads of other squares and of the edited ones, layer by layer. */
static void print_crosstalk(Text *text, const EditMetrics *metrics)
{
    for (int l = 0; l < metrics->n_layers; l++) {
        const LayerCrosstalk *layer = &metrics->layers[l];
        text_add(text,
                 "%slayer %-2d  others %6.3f [%.3f, %.3f]  random %6.3f  wrong square %6.3f  "
                 "turned %.3f\n",
                 l == 0 ? "\nother squares read differently, and edited squares turned:\n  " : "  ",
                 layer->layer, layer->others[ARM_EDIT].value, layer->others[ARM_EDIT].low,
                 layer->others[ARM_EDIT].high, layer->others[ARM_RANDOM].value,
                 layer->others[ARM_WRONG_SQUARE].value, layer->turned[ARM_EDIT].value);
    }
}

void print_result(Text *text, const Session *session, const MethodResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    char layers[192], scale[32];
    edit_layers_print(layers, experiment->plan.layers);
    edit_scale_print(scale, experiment->plan.scale);
    text_add(text, "%s at hook_%s of layers %s, scale %s: %s\n",
             edit_method_name(experiment->plan.method), hook_site_name(experiment->plan.site),
             layers, scale,
             experiment->tuned ? "chosen on the tuning cases, not on these" : "as given");
    print_errors(text, result);
    print_metrics(text, &experiment->metrics);
    print_crosstalk(text, &experiment->metrics);
    for (size_t i = 0; i < experiment->n_by_layer; i++) {
        text_add(text, "%slayer %-2d  edit %6.3f  closed %6.3f\n",
                 i == 0 ? "\nthe same edit in one layer alone:\n  " : "  ",
                 __builtin_ctzll(experiment->by_layer[i].plan.layers),
                 experiment->by_layer[i].error, experiment->by_layer[i].closed);
    }
}

int show_case(Session *session, Text *text, Js *document, const MethodResult *result)
{
    const EditPlan *plan = &result->experiment.plan;
    EditPredictor predictor = edit_network_predictor(session_network(session, plan));
    size_t index = (size_t)session->given->show;
    const CaseSet *set = &result->file->cases;
    const EditCase *edit = &set->cases[index];
    const Vocab *vocab = vocab_of(set->variant);
    AnswerRule rule = session->rule;
    uint64_t tokens[2] = {0, 0}, squares[2] = {0, 0};
    int rc = edit_predict(&tokens[0], &predictor, set, index, ARM_NULL, plan, rule);
    Js *shown;
    rc = rc ? rc : edit_predict(&tokens[1], &predictor, set, index, ARM_EDIT, plan, rule);
    if (rc != 0) {
        return rc;
    }
    for (int tok = 1; tok < vocab->d_vocab; tok++) {
        for (int i = 0; i < 2; i++) {
            squares[i] |= tokens[i] >> tok & 1 ? 1ULL << vocab->sq_of_tok[tok] : 0;
        }
    }
    shown = case_json(set->variant, edit, index);
    js_set(shown, "predicted_before", squares_json(squares[0]));
    js_set(shown, "predicted_after", squares_json(squares[1]));
    js_set(document, "case", shown);
    draw_case(text, set->variant, edit, index);
    draw_prediction(text, set->variant, "plays before  ", tokens[0], edit->legal_before);
    draw_prediction(text, set->variant, "plays after   ", tokens[1], edit->legal_edited);
    text_add(text, "(! is illegal on that board)\n\n");
    return 0;
}
