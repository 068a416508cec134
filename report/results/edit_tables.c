/* report/results/edit_tables.c - contract in report/results/edit_result.h. */
#include "report/results/edit_result.h"

#include <math.h>
#include <stdio.h>

#include "report/results/case_view.h"
#include "report/specs/edit_figures.h"
#include "report/intervals.h"

/* A closed share with a wider interval than this says nothing, and the text says so. */
#define WIDE_INTERVAL 2.0

/* ---- columns ---- */

/* The database has the edit's drift and, case by case, the metrics up to legal_plies. Every metric
 * is in the rows of kind edit_metrics. */
#define RESULT_COLUMN(constant_, name_, unit_, digits_, meaning_)                                  \
    {#name_, #name_, .digits = digits_, .interval = METRIC_##constant_ >= METRIC_DRIFT,            \
     .flags =                                                                                      \
         COLUMN_WIDE | (METRIC_##constant_ > METRIC_DRIFT || METRIC_##constant_ == METRIC_ERROR    \
                            ? COLUMN_UNSTORED                                                      \
                            : 0)},
#define CASE_COLUMN(constant_, name_, unit_, digits_, meaning_)                                    \
    {#name_, #name_, .digits = digits_,                                                            \
     .flags = METRIC_##constant_ > METRIC_LEGAL_PLIES || METRIC_##constant_ == METRIC_ERROR        \
                  ? COLUMN_UNSTORED                                                                \
                  : 0},
#define ARM_COLUMN(constant_, name_, kind_, change_, meaning_)                                     \
    {name_, name_, .digits = 3, .interval = ARM_##constant_ == ARM_EDIT,                           \
     .flags = PASS_##kind_ == PASS_DESCENT ? COLUMN_WIDE : 0},
/* Everything that a plan is made of: a row says by itself which edit ran. */
#define PLAN_COLUMNS                                                                               \
    {"method", "method", .type = COLUMN_TEXT, .flags = COLUMN_WIDE},                               \
        {"preset", .type = COLUMN_TEXT},                                                           \
        {"site", "site", .type = COLUMN_TEXT, .flags = COLUMN_WIDE},                               \
        {"layers", .type = COLUMN_NESTED},                                                         \
        {"layer_range", "layers", .type = COLUMN_TEXT, .flags = COLUMN_WIDE | COLUMN_UNSTORED},    \
        {"scale", "scale", .digits = -1, .flags = COLUMN_WIDE},                                    \
        {"scale_unit", "unit of the scale", .type = COLUMN_TEXT, .flags = COLUMN_WIDE},            \
        {"direction", .type = COLUMN_TEXT}, {"positions", .type = COLUMN_TEXT},                    \
        {"probe_layer", .type = COLUMN_COUNT}, {"ignore_bias", .type = COLUMN_YES_NO},             \
        {"steps", .type = COLUMN_COUNT}, {"rate", .digits = -1},                                   \
        {"rate_unit", .type = COLUMN_TEXT}, {"means_corpus_hash", .type = COLUMN_TEXT},            \
        {"means_games", .type = COLUMN_COUNT}, {"means_positions", .type = COLUMN_COUNT},          \
        {"means_least", .type = COLUMN_COUNT}, {"sae", .type = COLUMN_TEXT},                       \
        {"features", "features", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},                      \
        {"features_games", .type = COLUMN_COUNT},                                                  \
    {                                                                                              \
        "features_positions", .type = COLUMN_COUNT                                                 \
    }

static const Column result_columns[] = {
    {"kind", "cases", .type = COLUMN_TEXT, .flags = COLUMN_WIDE | COLUMN_UNSTORED},
    PLAN_COLUMNS,
    {"rule", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"probe", .type = COLUMN_TEXT},
    {"cases_file", .type = COLUMN_TEXT},
    {"tuned_on", .type = COLUMN_TEXT},
    {"tuning_left_out", .type = COLUMN_COUNT, .flags = COLUMN_UNSTORED},
    {"cases", "number of cases", .type = COLUMN_COUNT, .flags = COLUMN_WIDE},
    {"excluded", .type = COLUMN_COUNT},
    {"excluded_by", .type = COLUMN_NESTED, .flags = COLUMN_UNSTORED},
    {"null_error", "null", .digits = 3, .meaning = "not edited, judged by the edited board"},
    {"edit_error", "edit", .digits = 3, .interval = true,
     .meaning = "edited, judged by the edited board"},
    {"self_error", "self", .digits = 3, .meaning = "not edited, judged by its own board"},
    {"closed", "closed", .unit = "%", .digits = 1, .interval = true,
     .meaning = "(null - edit) / (null - self)"},
    {"gain", .digits = 3, .interval = true},
    {"removed", .unit = "%", .digits = 1, .interval = true, .meaning = "(null - edit) / null"},
    {"random_error", "random", .digits = 3, .interval = true,
     .meaning = "random direction of equal length"},
    {"random_closed", "random closes", .unit = "%", .digits = 1, .interval = true},
    {"random_removed", .unit = "%", .digits = 1, .interval = true},
    {"wrong_square_error", "wrong square", .digits = 3, .interval = true,
     .meaning = "the edit of another square"},
    {"wrong_square_closed", "wrong square closes", .unit = "%", .digits = 1, .interval = true},
    {"probe_error", "probe's direction", .digits = 3, .interval = true,
     .meaning = "the probe's direction of equal length"},
    {"probe_closed", "probe's direction closes", .unit = "%", .digits = 1, .interval = true},
    {"repair_error", "repair", .digits = 3, .interval = true,
     .meaning = "the same descent, no square changed"},
    {"repair_closed", "repair closes", .unit = "%", .digits = 1, .interval = true},
    {"repair_self_error", "repair, self", .digits = 3, .interval = true,
     .meaning = "the same, judged by the board before the edit"},
    {"closed_repaired", "closed beyond repair", .unit = "%", .digits = 1, .interval = true,
     .meaning = "(repair - edit) / (repair - repair self)"},
    {"ideal_null", "ideal null", .digits = 3,
     .meaning = "a perfect model of the board before the edit"},
    {"controls_close_nothing", .type = COLUMN_YES_NO},
    EDIT_METRICS(RESULT_COLUMN){"metrics", .type = COLUMN_NESTED, .flags = COLUMN_UNSTORED},
    {"crosstalk_by_layer", .type = COLUMN_NESTED, .flags = COLUMN_UNSTORED},
    {"by_layer", .type = COLUMN_NESTED, .flags = COLUMN_UNSTORED},
};
const TableSpec edit_result_table = {"result", "edit_results", TABLE_COLUMNS(result_columns),
                                     .record = true, TABLE_FIGURES(result_figures)};
static const char *const methods_brief[] = {"kind",   "method",        "edit_error",
                                            "closed", "random_closed", NULL};
const TableSpec edit_methods_table = {"methods", "edit_results", TABLE_COLUMNS(result_columns),
                                      .brief = methods_brief, TABLE_FIGURES(result_figures)};

/* Rows of public papers on their network of 25 million parameters (8x8). */
static const Column published_columns[] = {
    {"cases", "cases", .type = COLUMN_TEXT},
    {"method", "method", .type = COLUMN_TEXT},
    {"edit_error", "error", .type = COLUMN_TEXT},
    {"null_error", "null", .type = COLUMN_TEXT},
};
const TableSpec edit_published_table = {
    "published", TABLE_COLUMNS(published_columns),
    .title = "published, of networks of 25 million parameters on 8x8:"};
static const char *const published[][4] = {
    {"flip one square", "add (linear probe), published", "0.10", "2.723"},
    {"erase one square", "add (linear probe), published", "0.02", "2.73"},
    {"natural", "gradient (MLP probe), published", "0.12", "2.68"},
    {"unnatural", "gradient (MLP probe), published", "0.06", "2.59"},
};

static const Column sweep_columns[] = {
    PLAN_COLUMNS,
    {"error", "error", .digits = 3},
    {"f1", .digits = 3, .flags = COLUMN_UNSTORED},
    {"kl", "kl", .digits = 3},
    {"closed", "closed", .digits = 3},
    {"tuned_on", .type = COLUMN_TEXT},
};
const TableSpec edit_sweep_table = {"sweep", "edit_sweep", TABLE_COLUMNS(sweep_columns),
                                    TABLE_FIGURES(sweep_figures)};

/* Errors of one case. */
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
    {"probe_error", ARM_PROBE, METRIC_ERROR},
};
static const Column case_columns[] = {{"case_index", "case", .type = COLUMN_COUNT},
                                      {"square", .type = COLUMN_NESTED},
                                      {"null_error", "null", .digits = 0},
                                      {"self_error", "self", .digits = 0},
                                      {"edit_error", "edit", .digits = 0},
                                      {"random_error", "random", .digits = 0},
                                      {"wrong_square_error", "wrong square", .digits = 0},
                                      {"repair_error", "repair", .digits = 0},
                                      {"repair_self_error", "repair, self", .digits = 0},
                                      {"probe_error", "probe's direction", .digits = 0},
                                      {"method", "method", .type = COLUMN_TEXT},
                                      {"cases_file", "file", .type = COLUMN_TEXT},
                                      EDIT_METRICS(CASE_COLUMN)};
const TableSpec edit_cases_table = {"cases", "edit_cases", TABLE_COLUMNS(case_columns),
                                    .file = "edit_cases"};

static const Column metric_columns[] = {
    {"method", "method", .type = COLUMN_TEXT}, {"cases_file", "file", .type = COLUMN_TEXT},
    {"metric", "metric", .type = COLUMN_TEXT}, {"version", "arm", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_COUNT},  {"value", "value", .digits = 3, .interval = true},
};
const TableSpec edit_metrics_table = {"edit_metrics", "edit_metrics",
                                      TABLE_COLUMNS(metric_columns)};

static const Column arm_columns[] = {
    {"metric", "metric", .type = COLUMN_TEXT},
    EDIT_ARMS(ARM_COLUMN){"unit", "unit", .type = COLUMN_TEXT},
    {"meaning", "what it is", .type = COLUMN_TEXT},
};
const TableSpec edit_arms_table = {"arms", TABLE_COLUMNS(arm_columns)};

static const Column crosstalk_columns[] = {
    {"layer", "layer", .type = COLUMN_LAYER}, {"others", "others", .digits = 3, .interval = true},
    {"random", "random", .digits = 3},        {"wrong_square", "wrong square", .digits = 3},
    {"turned", "turned", .digits = 3},
};
const TableSpec edit_crosstalk_table = {
    "crosstalk", TABLE_COLUMNS(crosstalk_columns), TABLE_FIGURES(crosstalk_figures),
    .title = "other squares read differently, and edited squares turned, by layer of the probe:"};

static const Column layer_columns[] = {
    {"layer", "layer", .type = COLUMN_LAYER},
    {"edit_error", "edit", .digits = 3},
    {"closed", "closed", .unit = "%", .digits = 1},
};
const TableSpec edit_layers_table = {"by_layer", TABLE_COLUMNS(layer_columns),
                                     TABLE_FIGURES(by_layer_figures),
                                     .title = "the same edit in one layer alone:"};

/* ---- rows ---- */

/* A number that only some methods have: null where there is none. */
static Js *count_if(bool is, int64_t value)
{
    return is ? js_int(value) : js_null();
}

static void plan_set(Js *object, const EditFindings *found, const EditPlan *plan)
{
    bool by_gradient = plan->method == METHOD_GRADIENT;
    bool by_means = plan->method == METHOD_MEAN_DIFFERENCE;
    bool by_features = plan->method == METHOD_SAE;
    const EditMeansReport *means = found->means;
    const EditFeaturesReport *features = &found->features;
    char range[192];
    Js *layers = js_array();
    for (int l = 0; l < EDIT_MAX_LAYERS; l++) {
        if (plan->layers >> l & 1) {
            js_push(layers, js_int(l));
        }
    }
    edit_layers_print(range, plan->layers);
    js_set_str(object, "method", edit_method_name(plan->method));
    js_set_str(object, "preset", found->preset);
    js_set_str(object, "site", hook_site_name(plan->site));
    js_set(object, "layers", layers);
    js_set_str(object, "layer_range", range);
    js_set_num(object, "scale", plan->scale.value);
    js_set_str(object, "scale_unit", plan->scale.relative ? "r" : "absolute");
    js_set_str(object, "direction", edit_direction_name(plan->direction));
    js_set_str(object, "positions", edit_positions_name(plan->positions));
    js_set_int(object, "probe_layer",
               plan->probe_layer == PROBE_LAYER_OWN ? -1 : plan->probe_layer);
    js_set_bool(object, "ignore_bias", plan->ignore_bias);
    js_set(object, "steps", count_if(by_gradient, plan->steps));
    js_set_num(object, "rate", by_gradient ? plan->rate.value : NAN);
    js_set_str(object, "rate_unit", !by_gradient ? "" : plan->rate.relative ? "r" : "absolute");
    js_set_str(object, "means_corpus_hash", by_means ? means->corpus_hash : "");
    js_set(object, "means_games", count_if(by_means, means->n_games));
    js_set(object, "means_positions", count_if(by_means, means->n_positions));
    js_set(object, "means_least", count_if(by_means, (int64_t)means->least));
    js_set_str(object, "sae", by_features ? features->path : "");
    js_set(object, "features", count_if(by_features, plan->features));
    js_set(object, "features_games", count_if(by_features, features->n_games));
    js_set(object, "features_positions", count_if(by_features, features->n_positions));
}

static void set_triple(Js *object, const char *name, Interval interval)
{
    if (!isnan(interval.value)) {
        Js *triple = js_object();
        js_set_num(triple, "value", interval.value);
        js_set_num(triple, "low", interval.low);
        js_set_num(triple, "high", interval.high);
        js_set(object, name, triple);
    }
}

/* {metric: {arm: {value, low, high}}}; what does not exist is left out. */
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
        set_triple(metric, "edit-probe", metrics->edit_less_probe[m]);
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

static Js *by_layer_json(const EditExperiment *experiment)
{
    Js *rows = js_array();
    for (size_t i = 0; i < experiment->n_by_layer; i++) {
        Js *row = js_object();
        js_set_int(row, "layer", __builtin_ctzll(experiment->by_layer[i].plan.layers));
        js_set_num(row, "edit_error", experiment->by_layer[i].error);
        js_set_num(row, "closed", experiment->by_layer[i].closed);
        js_push(rows, row);
    }
    return rows;
}

/* Means and intervals of one result, each under its name. */
static void errors_set(Js *row, const EditPlan *plan, const EditMetrics *metrics)
{
    const Interval(*value)[N_EDIT_METRICS] = metrics->value;
    js_set_num(row, "null_error", metrics->mean[ARM_NULL][METRIC_ERROR]);
    js_set_num(row, "self_error", metrics->mean[ARM_SELF][METRIC_ERROR]);
    js_set_interval(row, "edit_error", value[ARM_EDIT][METRIC_ERROR]);
    js_set_interval(row, "closed", metrics->closed[ARM_EDIT]);
    js_set_interval(row, "gain", metrics->gain);
    js_set_interval(row, "random_error", value[ARM_RANDOM][METRIC_ERROR]);
    js_set_interval(row, "random_closed", metrics->closed[ARM_RANDOM]);
    js_set_interval(row, "removed", metrics->removed[ARM_EDIT]);
    js_set_interval(row, "random_removed", metrics->removed[ARM_RANDOM]);
    js_set_interval(row, "wrong_square_error", value[ARM_WRONG_SQUARE][METRIC_ERROR]);
    js_set_interval(row, "wrong_square_closed", metrics->closed[ARM_WRONG_SQUARE]);
    if (arm_is_asked(ARM_PROBE, plan)) {
        js_set_interval(row, "probe_error", value[ARM_PROBE][METRIC_ERROR]);
        js_set_interval(row, "probe_closed", metrics->closed[ARM_PROBE]);
    }
    js_set_bool(row, "controls_close_nothing", edit_controls_close_nothing(metrics));
    js_set_num(row, "ideal_null", metrics->mean[ARM_IDEAL_NULL][METRIC_ERROR]);
    for (int m = METRIC_FALSE_POSITIVES; m < METRIC_DRIFT; m++) {
        js_set_num(row, edit_metric_name((EditMetric)m), metrics->mean[ARM_EDIT][m]);
    }
    for (int m = METRIC_DRIFT; m < N_EDIT_METRICS; m++) {
        js_set_interval(row, edit_metric_name((EditMetric)m), value[ARM_EDIT][m]);
    }
    if (arm_is_asked(ARM_REPAIR, plan)) {
        js_set_interval(row, "repair_error", value[ARM_REPAIR][METRIC_ERROR]);
        js_set_interval(row, "repair_self_error", value[ARM_REPAIR][METRIC_DRIFT]);
        js_set_interval(row, "repair_closed", metrics->closed[ARM_REPAIR]);
        js_set_interval(row, "closed_repaired", metrics->closed_repaired);
    }
}

static void result_add(Table *table, const EditFindings *found, const EditResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    const EditMetrics *metrics = &experiment->metrics;
    Js *row = js_object();
    js_set_str(row, "kind", cases_kind(result->cases));
    plan_set(row, found, &experiment->plan);
    js_set_str(row, "rule", found->rule);
    js_set_str(row, "model_hash", found->model_hash);
    js_set_str(row, "probe", found->probe);
    js_set_str(row, "cases_file", result->cases_file);
    js_set_str(row, "tuned_on", experiment->tuned ? result->tuned_file : "");
    js_set_int(row, "tuning_left_out", (int64_t)result->tuning_left_out);
    js_set_int(row, "cases", (int64_t)metrics->n);
    js_set_int(row, "excluded", (int64_t)result->cases->excluded);
    js_set(row, "excluded_by", exclusions_json(result->cases));
    errors_set(row, &experiment->plan, metrics);
    js_set(row, "metrics", metrics_json(metrics));
    js_set(row, "crosstalk_by_layer", crosstalk_json(metrics));
    js_set(row, "by_layer", by_layer_json(experiment));
    table_add(table, row);
}

static void sweep_add(Table *table, const EditFindings *found, const EditResult *result)
{
    for (size_t i = 0; i < result->experiment.n_sweep; i++) {
        const SweepRow *tried = &result->experiment.sweep[i];
        Js *row = js_object();
        plan_set(row, found, &tried->plan);
        js_set_num(row, "error", tried->error);
        js_set_num(row, "f1", tried->f1);
        js_set_num(row, "kl", tried->kl);
        js_set_num(row, "closed", tried->closed);
        js_set_str(row, "tuned_on", result->tuned_file);
        table_add(table, row);
    }
}

static void cases_add(Table *table, const EditResult *result)
{
    const EditExperiment *experiment = &result->experiment;
    for (size_t i = 0; i < experiment->metrics.n; i++) {
        CaseMetrics one;
        const EditCase *edit = &result->cases->cases[i];
        const int rc = edit_metrics_case(&one, &experiment->metrics, i);
        if (rc != 0) {
            table_fail(table, rc);
            return;
        }
        table_row(table);
        table_int(table, "case_index", (int64_t)i);
        table_set(table, "square", squares_edited_json(edit));
        for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
            table_num(table, errors[e].key, metric_value(one.of[errors[e].arm][errors[e].metric]));
        }
        table_text(table, "method", edit_method_name(experiment->plan.method));
        table_text(table, "cases_file", result->cases_file);
        for (int m = METRIC_FALSE_POSITIVES; m < N_EDIT_METRICS; m++) {
            table_num(table, edit_metric_name((EditMetric)m), metric_value(one.of[ARM_EDIT][m]));
        }
    }
}

/* layer -1: of none. */
static void metric_add(Table *table, const EditResult *result, const char *metric,
                       const char *version, int layer, Interval interval)
{
    if (isnan(interval.value)) {
        return;
    }
    table_row(table);
    table_text(table, "method", edit_method_name(result->experiment.plan.method));
    table_text(table, "cases_file", result->cases_file);
    table_text(table, "metric", metric);
    table_text(table, "version", version);
    table_set(table, "layer", count_if(layer >= 0, layer));
    table_interval(table, "value", interval);
}

static void metrics_add(Table *table, const EditResult *result)
{
    const EditMetrics *metrics = &result->experiment.metrics;
    for (int m = 0; m < N_EDIT_METRICS; m++) {
        const char *name = edit_metric_name((EditMetric)m);
        for (int arm = 0; arm < N_ARMS; arm++) {
            if (arm_is_listed((Arm)arm)) {
                metric_add(table, result, name, arm_name((Arm)arm), -1, metrics->value[arm][m]);
            }
        }
        metric_add(table, result, name, "edit-null", -1, metrics->edit_less_null[m]);
        metric_add(table, result, name, "edit-random", -1, metrics->edit_less_random[m]);
        metric_add(table, result, name, "edit-probe", -1, metrics->edit_less_probe[m]);
    }
    for (int l = 0; l < metrics->n_layers; l++) {
        const LayerCrosstalk *layer = &metrics->layers[l];
        for (int arm = 0; arm < N_ARMS; arm++) {
            const char *version = arm_name((Arm)arm);
            metric_add(table, result, "crosstalk", version, layer->layer, layer->others[arm]);
            metric_add(table, result, "turned", version, layer->layer, layer->turned[arm]);
        }
    }
}

/* Every metric that the edit has, under every arm. */
static void arms_add(Table *table, const EditMetrics *metrics)
{
    for (int m = 0; m < N_EDIT_METRICS; m++) {
        if (isnan(metrics->value[ARM_EDIT][m].value)) {
            continue; /* left out, or no case has such a move */
        }
        table_row(table);
        table_text(table, "metric", edit_metric_name((EditMetric)m));
        for (int arm = 0; arm < N_ARMS; arm++) {
            if (arm == ARM_EDIT) {
                table_interval(table, arm_name((Arm)arm), metrics->value[arm][m]);
            } else {
                table_num(table, arm_name((Arm)arm), metrics->value[arm][m].value);
            }
        }
        table_text(table, "unit", edit_metric_unit((EditMetric)m));
        table_text(table, "meaning", edit_metric_text((EditMetric)m));
    }
}

static void layers_add(Table *crosstalk, Table *layers, const EditExperiment *experiment)
{
    for (int l = 0; l < experiment->metrics.n_layers; l++) {
        const LayerCrosstalk *layer = &experiment->metrics.layers[l];
        table_row(crosstalk);
        table_int(crosstalk, "layer", layer->layer);
        table_interval(crosstalk, "others", layer->others[ARM_EDIT]);
        table_num(crosstalk, "random", layer->others[ARM_RANDOM].value);
        table_num(crosstalk, "wrong_square", layer->others[ARM_WRONG_SQUARE].value);
        table_num(crosstalk, "turned", layer->turned[ARM_EDIT].value);
    }
    for (size_t i = 0; i < experiment->n_by_layer; i++) {
        table_row(layers);
        table_int(layers, "layer", __builtin_ctzll(experiment->by_layer[i].plan.layers));
        table_num(layers, "edit_error", experiment->by_layer[i].error);
        table_num(layers, "closed", experiment->by_layer[i].closed);
    }
    crosstalk->hidden = table_rows(crosstalk) == 0;
    layers->hidden = table_rows(layers) == 0;
}

/* ---- the whole ---- */

bool edit_result_controls_close_nothing(const EditFindings *found)
{
    bool nothing = true;
    for (size_t i = 0; i < found->n; i++) {
        nothing = nothing && edit_controls_close_nothing(&found->results[i].experiment.metrics);
    }
    return nothing;
}

/* A table that is not printed, and not in the document. */
static Table *apart(Report *report, const TableSpec *spec)
{
    Table *table = report_table(report, spec);
    table->hidden = table->undocumented = true;
    return table;
}

static void one_method(Report *report, const EditFindings *found)
{
    const EditResult *result = &found->results[0];
    const EditMetrics *metrics = &result->experiment.metrics;
    Interval closed = metrics->closed[ARM_EDIT];
    edit_result_print_plan(report_text(report), result);
    result_add(report_table(report, &edit_result_table), found, result);
    Text *text = report_text(report);
    if (!(closed.high - closed.low < WIDE_INTERVAL)) {
        text_add(text, "null and self differ little: the closed share is uncertain\n");
    }
    text_add(text, "controls: %s\n",
             edit_controls_close_nothing(metrics)
                 ? "random direction and wrong square close none of the gap within their intervals"
                 : "one of them closes part of the gap: see its interval");
    Table *arms = report_table(report, &edit_arms_table);
    Table *crosstalk = report_table(report, &edit_crosstalk_table);
    Table *layers = report_table(report, &edit_layers_table);
    arms->undocumented = crosstalk->undocumented = layers->undocumented = true;
    arms_add(arms, metrics);
    layers_add(crosstalk, layers, &result->experiment);
}

static void all_methods(Report *report, const EditFindings *found)
{
    edit_result_print_cases(report_text(report), found);
    Table *methods = report_table(report, &edit_methods_table);
    for (size_t i = 0; i < found->n; i++) {
        result_add(methods, found, &found->results[i]);
    }
    Table *theirs = report_table(report, &edit_published_table);
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        table_row(theirs);
        for (size_t c = 0; c < 4; c++) {
            table_text(theirs, published_columns[c].key, published[i][c]);
        }
    }
    report_json(report, "controls_close_nothing",
                js_bool(edit_result_controls_close_nothing(found)));
    edit_result_print_methods(report_text(report), found);
}

void edit_result_report(Report *report, const EditFindings *found)
{
    if (found->all) {
        all_methods(report, found);
    } else {
        one_method(report, found);
    }
    Table *sweep = apart(report, &edit_sweep_table);
    Table *cases = report_table_long(report, &edit_cases_table);
    Table *metrics = apart(report, &edit_metrics_table);
    for (size_t i = 0; i < found->n; i++) {
        sweep_add(sweep, found, &found->results[i]);
        cases_add(cases, &found->results[i]);
        metrics_add(metrics, &found->results[i]);
    }
}
