/* report/circuits/circuit_result.c - contract in report/circuits/circuit_result.h. */
#include "report/circuits/circuit_result.h"
#include "report/circuits/share_note.h"
#include "report/specs/circuit_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const Column circuit_columns[] = {
    {"model_hash", .type = COLUMN_TEXT},
    {"pairs_file", "pairs of histories", .type = COLUMN_TEXT},
    {"pairs", "pairs", .type = COLUMN_COUNT},
    {"direction", "direction", .type = COLUMN_TEXT,
     .meaning = "noising: clean run, parts of the corrupt one put in"},
    {"positions", "positions", .type = COLUMN_TEXT, .meaning = "at which senders are patched"},
    {"ln", "LayerNorm", .type = COLUMN_TEXT, .meaning = "of a receiver with a patched edge"},
    {"edges", "edges", .type = COLUMN_COUNT, .meaning = "of the whole graph"},
    {"total", "Delta, base - other", .unit = "nats", .digits = 3, .interval = true,
     .meaning = "mean over pairs; effects are shares of it"},
    {"circuit_edges", "edges of the circuit", .type = COLUMN_COUNT,
     .meaning = "the strongest by the first method"},
    {"circuit_method", "found by", .type = COLUMN_TEXT},
    {"jaccard", "Jaccard of the ACDC circuits", .digits = 3,
     .meaning = "edges of both orders over edges of either"},
    {"seconds", "seconds", .digits = 1, .flags = COLUMN_TIME},
};
const TableSpec circuit_table = {"circuit", "circuit", TABLE_COLUMNS(circuit_columns),
                                 .record = true};

static const Column compare_columns[] = {
    {"method", "method", .type = COLUMN_TEXT},
    {"passes", "passes", .type = COLUMN_COUNT,
     .meaning = "of the network a pair, forward and back"},
    {"spearman", "Spearman", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "rank correlation with the exact effects, all edges, by size"},
    {"precision_at_50", "precision at 50", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "share of its first 50 that are among the exact 50"},
    {"recall_cost_90", "cost of 90 %", .type = COLUMN_NUMBER, .unit = "edges", .digits = 0,
     .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "verified in its order until 45 of the exact 50 are found"},
    {"recall_cost_100", "cost of 100 %", .type = COLUMN_NUMBER, .unit = "edges", .digits = 0,
     .interval = true, .flags = COLUMN_BRIEF, .meaning = "the same for all 50"},
    {"worst_miss", "worst miss", .unit = "%", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "largest exact effect behind its first 50, share of Delta"},
    {"worst_miss_edge", "missed edge", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"spearman_gain", "Spearman gain", .digits = 3, .interval = true, .flags = COLUMN_WIDE,
     .meaning = "over the first estimate, on the same resamples"},
    {"precision_gain", "precision gain", .digits = 2, .interval = true, .flags = COLUMN_WIDE},
    {"recall_cost_90_gain", "cost of 90 % gain", .unit = "edges", .digits = 0, .interval = true,
     .flags = COLUMN_WIDE, .meaning = "negative: fewer edges to verify"},
    {"recall_cost_100_gain", "cost of 100 % gain", .unit = "edges", .digits = 0, .interval = true,
     .flags = COLUMN_WIDE},
    {"cpr", "CPR", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "area under faithfulness over the share of edges: higher is better"},
    {"cmd", "CMD", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "area of |1 - faithfulness|: lower is better"},
    {"top", .type = COLUMN_COUNT},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec circuit_compare_table = {"compare",
                                         "circuit_compare",
                                         "ways of ranking the edges",
                                         TABLE_COLUMNS(compare_columns),
                                         .file = "circuit_compare",
                                         TABLE_FIGURES(compare_figures)};

static const Column nodes_columns[] = {
    {"method", "method", .type = COLUMN_TEXT},
    {"spearman", "Spearman", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "rank correlation with activation patching, all nodes, by size"},
    {"precision", "precision", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "share of its first 20 that are among the exact 20"},
    {"recall_cost_90", "cost of 90 %", .unit = "nodes", .digits = 0, .interval = true,
     .flags = COLUMN_BRIEF, .meaning = "verified in its order until 18 of the exact 20 are found"},
    {"recall_cost_100", "cost of 100 %", .unit = "nodes", .digits = 0, .interval = true,
     .flags = COLUMN_BRIEF, .meaning = "the same for all 20"},
    {"worst_miss", "worst miss", .unit = "%", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "largest exact effect behind its first 20, share of Delta"},
    {"worst_miss_node", "missed node", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"spearman_gain", "Spearman gain", .digits = 3, .interval = true, .flags = COLUMN_WIDE,
     .meaning = "over the first estimate, on the same resamples"},
    {"recall_cost_90_gain", "cost of 90 % gain", .unit = "nodes", .digits = 0, .interval = true,
     .flags = COLUMN_WIDE, .meaning = "negative: fewer nodes to verify"},
    {"recall_cost_100_gain", "cost of 100 % gain", .unit = "nodes", .digits = 0, .interval = true,
     .flags = COLUMN_WIDE},
    {"nodes", .type = COLUMN_COUNT},
    {"top", .type = COLUMN_COUNT},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec circuit_nodes_table = {
    "compare_nodes", "circuit_nodes",
    "the same of nodes: what heads and MLPs write, and every q, k and v",
    TABLE_COLUMNS(nodes_columns), .file = "circuit_nodes"};

#define JUDGED_COLUMNS                                                                             \
    {"f", "faithfulness", .digits = 3, .interval = true,                                           \
     .meaning = "(m(C) - m(empty)) / (m(full) - m(empty))"},                                       \
        {"wrong_base", "wrong moves", .digits = 2,                                                 \
         .meaning = "a pair, top-N rule, on the board of the full run"},                           \
        {"wrong_other", "on the other", .digits = 2, .meaning = "board"},                          \
        {"strict_base", "strict error", .unit = "%", .digits = 1,                                  \
         .meaning = "first choice illegal on the board of the full run"},                          \
    {                                                                                              \
        "strict_other", "on the other", .unit = "%", .digits = 1, .meaning = "board"               \
    }

static const Column faithfulness_columns[] = {
    {"method", "method", .type = COLUMN_TEXT},
    {"share", "share", .unit = "%", .digits = 1, .meaning = "of edges kept"},
    {"edges", "edges", .type = COLUMN_COUNT},
    JUDGED_COLUMNS,
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec circuit_faithfulness_table = {"faithfulness",
                                              "circuit_faithfulness",
                                              "what the strongest edges keep of the answer",
                                              TABLE_COLUMNS(faithfulness_columns),
                                              .file = "circuit_faithfulness",
                                              TABLE_FIGURES(faithfulness_figures)};

static const Column completeness_columns[] = {
    {"points", "points", .type = COLUMN_COUNT},
    {"completeness_error", "error", .unit = "%", .digits = 3,
     .meaning = "mean |sum of the input's edges - difference| over mean |difference|"},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec circuit_completeness_table = {
    "completeness", "circuit_completeness", "EAP-IG: completeness by number of points",
    TABLE_COLUMNS(completeness_columns), .file = "circuit_completeness"};

static const Column acdc_columns[] = {
    {"pruning_order", "order", .type = COLUMN_TEXT},
    {"tau", "tau", .digits = -1, .meaning = "an edge goes if the distance grows by less"},
    {"distance", "distance", .type = COLUMN_TEXT},
    {"kept", "edges kept", .type = COLUMN_COUNT},
    {"tried", "tried", .type = COLUMN_COUNT, .meaning = "the others had no reader left"},
    {"distance_left", "distance left", .digits = 4,
     .meaning = "of the circuit from the full network"},
    JUDGED_COLUMNS,
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec circuit_acdc_table = {"acdc", "circuit_acdc", "circuits by pruning (ACDC)",
                                      TABLE_COLUMNS(acdc_columns), .file = "circuit_acdc"};

static const Column controls_columns[] = {
    {"pairs", "pairs", .type = COLUMN_TEXT},
    {"n", "number", .type = COLUMN_COUNT},
    {"total", "base - other", .unit = "nats", .digits = 3, .interval = true,
     .meaning = "mean Delta"},
    {"edge_effect", "an edge", .unit = "nats", .digits = 4, .interval = true,
     .meaning = "mean over the circuit's edges, each in its own direction"},
    {"edge_size", "size", .unit = "nats", .digits = 4, .meaning = "mean |mean over pairs|"},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec circuit_controls_table = {
    "controls", "circuit_controls",
    "the circuit's edges, one at a time, on pairs without an effect",
    TABLE_COLUMNS(controls_columns), .file = "circuit_controls"};

/* One column for each estimate, by Estimate. */
static const char *const score_keys[N_ESTIMATES] = {"atp",      "atp_qk", "atp_drop",
                                                    "atp_star", "eap_ig", "clean_corrupted"};
#define SCORE_COLUMNS                                                                              \
    {"exact", "exact", .unit = "%", .digits = 2, .meaning = "share of Delta"},                     \
        {"atp", "atp", .unit = "%", .digits = 2},                                                  \
        {"atp_qk", "atp-qk", .unit = "%", .digits = 2, .flags = COLUMN_MINOR},                     \
        {"atp_drop",                                                                               \
         "atp-drop",                                                                               \
         .unit = "%",                                                                              \
         .digits = 2,                                                                              \
         .flags = COLUMN_MINOR,                                                                    \
         .meaning = "a mean of sizes: no sign"},                                                   \
        {"atp_star", "atp*", .unit = "%", .digits = 2, .meaning = "a mean of sizes: no sign"},     \
        {"eap_ig", "eap-ig", .unit = "%", .digits = 2},                                            \
        {"clean_corrupted", "clean-corrupted", .unit = "%", .digits = 2, .flags = COLUMN_MINOR},   \
    {                                                                                              \
        "acdc", "ACDC", .type = COLUMN_COUNT, .meaning = "in how many of its circuits"             \
    }

static const Column strongest_columns[] = {
    {"place", "#", .type = COLUMN_COUNT},
    {"edge", "edge", .type = COLUMN_TEXT},
    SCORE_COLUMNS,
};
const TableSpec circuit_strongest_table = {"strongest", .title = "the circuit: its edges by size",
                                           TABLE_COLUMNS(strongest_columns),
                                           TABLE_FIGURES(strongest_figures)};

static const Column edges_columns[] = {
    {"edge", "edge", .type = COLUMN_TEXT},
    SCORE_COLUMNS,
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec circuit_edges_table = {"edge_scores", "circuit_edges", TABLE_COLUMNS(edges_columns),
                                       .file = "circuit_edges", TABLE_FIGURES(edges_figures)};

/* ---- rows ---- */

static const double *scores_of(const CircuitStudy *study, const char *name)
{
    for (size_t i = 0; i < study->n_methods; i++) {
        if (strcmp(study->methods[i].name, name) == 0) {
            return study->methods[i].scores;
        }
    }
    return NULL;
}

static void circuit_fill(Table *table, const CircuitFindings *found)
{
    const CircuitStudy *study = found->study;
    const EdgeQuestion *question = found->question;
    table_text(table, "model_hash", found->model_hash);
    table_text(table, "pairs_file", found->pairs_file);
    table_int(table, "pairs", (int64_t)study->n_pairs);
    table_text(table, "direction", patch_direction_name(question->direction));
    table_text(table, "positions", patch_scope_name(question->scope));
    table_text(table, "ln", patch_norm_name(question->norm));
    table_int(table, "edges", (int64_t)study->n_edges);
    table_interval(table, "total", study->total);
    table_int(table, "circuit_edges", (int64_t)study->top);
    table_text(table, "circuit_method", study->methods[0].name);
    if (study->pruned) {
        table_num(table, "jaccard", study->jaccard);
    }
    table_num(table, "seconds", found->seconds);
}

/* The numbers of one grade under their keys; NULL: no column. */
static void numbers_set(Table *table, const char *const *keys, const Interval *numbers)
{
    for (int g = 0; g < N_GRADES; g++) {
        if (keys[g] && !isnan(numbers[g].value)) {
            table_interval(table, keys[g], numbers[g]);
        }
    }
}

static void grade_set(Table *table, const CircuitFindings *found, const CircuitMethod *method)
{
    static const char *const keys[N_GRADES] = {"spearman", "precision_at_50", "recall_cost_90",
                                               "recall_cost_100", "worst_miss"};
    static const char *const gains[N_GRADES] = {
        "spearman_gain", "precision_gain", "recall_cost_90_gain", "recall_cost_100_gain", NULL};
    const Grade *grade = &method->grade;
    char name[2 * GRAPH_NAME_MAX];
    numbers_set(table, keys, grade->number);
    numbers_set(table, gains, grade->minus_first);
    if (grade->missed < found->study->n_edges) {
        graph_edge_name(name, found->question->graph, grade->missed);
        table_text(table, "worst_miss_edge", name);
    }
}

static void nodes_fill(Table *table, const CircuitFindings *found)
{
    static const char *const keys[N_GRADES] = {"spearman", "precision", "recall_cost_90",
                                               "recall_cost_100", "worst_miss"};
    static const char *const gains[N_GRADES] = {"spearman_gain", NULL, "recall_cost_90_gain",
                                                "recall_cost_100_gain", NULL};
    for (size_t i = 0; i < found->study->n_methods; i++) {
        const CircuitMethod *method = &found->study->methods[i];
        const Grade *grade = &method->node_grade;
        char name[GRAPH_NAME_MAX];
        if (!method->graded) {
            continue;
        }
        table_row(table);
        table_text(table, "method", method->name);
        numbers_set(table, keys, grade->number);
        numbers_set(table, gains, grade->minus_first);
        if (grade->missed < found->study->n_nodes) {
            circuit_node_name(name, found->question->graph, grade->missed);
            table_text(table, "worst_miss_node", name);
        }
        table_int(table, "nodes", (int64_t)found->study->n_nodes);
        table_int(table, "top", (int64_t)found->study->n_wanted_nodes);
        table_text(table, "model_hash", found->model_hash);
    }
}

static void compare_fill(Table *table, const CircuitFindings *found)
{
    for (size_t i = 0; i < found->study->n_methods; i++) {
        const CircuitMethod *method = &found->study->methods[i];
        if (method->passes == 0 && !method->graded && !method->drawn) {
            continue; /* random orders, with nothing that they are compared in */
        }
        table_row(table);
        table_text(table, "method", method->name);
        if (method->passes > 0) {
            table_int(table, "passes", (int64_t)method->passes);
        }
        if (method->graded) {
            grade_set(table, found, method);
        }
        if (method->drawn) {
            table_interval(table, "cpr", method->curve.cpr);
            table_interval(table, "cmd", method->curve.cmd);
        }
        table_int(table, "top", (int64_t)found->study->n_wanted);
        table_text(table, "model_hash", found->model_hash);
    }
}

static void judged_set(Table *table, const FaithPoint *point)
{
    table_interval(table, "f", point->f);
    table_num(table, "wrong_base", point->wrong_base);
    table_num(table, "wrong_other", point->wrong_other);
    table_num(table, "strict_base", point->strict_base);
    table_num(table, "strict_other", point->strict_other);
}

static void faithfulness_fill(Table *table, const CircuitFindings *found)
{
    for (size_t i = 0; i < found->study->n_methods; i++) {
        const CircuitMethod *method = &found->study->methods[i];
        for (int k = 0; method->drawn && k < FAITH_POINTS; k++) {
            const FaithPoint *point = &method->curve.points[k];
            table_row(table);
            table_text(table, "method", method->name);
            table_num(table, "share", point->share);
            table_int(table, "edges", (int64_t)point->n_edges);
            judged_set(table, point);
            table_text(table, "model_hash", found->model_hash);
        }
    }
}

static void completeness_fill(Table *table, const CircuitFindings *found)
{
    for (int i = 0; i < found->study->n_trials; i++) {
        table_row(table);
        table_int(table, "points", found->study->trials[i].points);
        table_num(table, "completeness_error", found->study->trials[i].error);
        table_text(table, "model_hash", found->model_hash);
    }
}

static void acdc_fill(Table *table, const CircuitFindings *found)
{
    for (int order = 0; found->study->pruned && order < N_ACDC_ORDERS; order++) {
        const AcdcCircuit *circuit = &found->study->acdc[order];
        table_row(table);
        table_text(table, "pruning_order", acdc_order_name((AcdcOrder)order));
        table_num(table, "tau", found->options->tau);
        table_text(table, "distance", acdc_distance_name(found->options->distance));
        table_int(table, "kept", (int64_t)circuit->n_kept);
        table_int(table, "tried", (int64_t)circuit->n_tried);
        table_num(table, "distance_left", circuit->distance);
        judged_set(table, &found->study->acdc_faith[order]);
        table_text(table, "model_hash", found->model_hash);
    }
}

static void controls_fill(Table *table, const CircuitFindings *found)
{
    for (int which = 0; which < N_CONTROL_PAIRS; which++) {
        const CircuitControl *control = &found->study->controls[which];
        if (found->study->controlled[which]) {
            table_row(table);
            table_text(table, "pairs", circuit_control_name((ControlPairs)which));
            table_int(table, "n", (int64_t)control->n_pairs);
            table_interval(table, "total", control->total);
            table_interval(table, "edge_effect", control->edges);
            table_num(table, "edge_size", control->edges_size);
            table_text(table, "model_hash", found->model_hash);
        }
    }
}

static void scores_set(Table *table, const CircuitFindings *found, size_t edge)
{
    const CircuitStudy *study = found->study;
    char name[2 * GRAPH_NAME_MAX];
    const double *exact = scores_of(study, "exact");
    graph_edge_name(name, found->question->graph, edge);
    table_text(table, "edge", name);
    if (exact) {
        table_num(table, "exact", exact[edge]);
    }
    for (int e = 0; e < N_ESTIMATES; e++) {
        const double *scores = scores_of(study, estimate_name((Estimate)e));
        if (scores) {
            table_num(table, score_keys[e], scores[edge]);
        }
    }
    if (study->pruned) {
        table_int(table, "acdc", study->acdc[0].kept[edge] + study->acdc[1].kept[edge]);
    }
}

static void edges_fill(Table *strongest, Table *all, const CircuitFindings *found)
{
    for (size_t i = 0; i < found->study->top; i++) {
        table_row(strongest);
        table_int(strongest, "place", (int64_t)i + 1);
        scores_set(strongest, found, found->study->edges[i]);
    }
    for (size_t e = 0; e < found->study->n_edges; e++) {
        table_row(all);
        scores_set(all, found, e);
        table_text(all, "model_hash", found->model_hash);
    }
}

/* ---- words ---- */

static void print_winner(Text *text, const CircuitStudy *study)
{
    const CircuitMethod *best = NULL;
    for (size_t i = 0; i < study->n_methods; i++) {
        const CircuitMethod *method = &study->methods[i];
        bool estimate = method->graded && method->scores;
        if (estimate && (!best || method->grade.number[GRADE_COST_90].value <
                                      best->grade.number[GRADE_COST_90].value)) {
            best = method;
        }
    }
    if (best) {
        Interval cost = best->grade.number[GRADE_COST_90];
        text_add(
            text,
            "\ncheapest to verify: %s\n%.0f of %zu edges (%.0f to %.0f) until 90 %% of the %zu "
            "strongest are found\n",
            best->name, cost.value, study->n_edges, cost.low, cost.high, study->n_wanted);
    }
}

/* One line a share, one column a method. */
static void print_curves(Text *text, const CircuitStudy *study)
{
    text_add(text, "\nfaithfulness of the strongest edges by each method, random ones last\n"
                   "edges   ");
    for (size_t i = 0; i < study->n_methods; i++) {
        text_add(text, " %8.8s", study->methods[i].name);
    }
    for (int k = 0; k < FAITH_POINTS; k++) {
        const FaithPoint *point = &study->methods[0].curve.points[k];
        text_add(text, "\n%5.1f %% ", 100 * point->share);
        for (size_t i = 0; i < study->n_methods; i++) {
            text_add(text, " %8.3f", study->methods[i].curve.points[k].f.value);
        }
    }
    text_add(text, "\n");
}

static void print_notes(Report *report, const CircuitFindings *found)
{
    const CircuitStudy *study = found->study;
    const CircuitControl *flip = &study->controls[CONTROL_FLIP];
    print_winner(report_text(report), study);
    for (int which = CONTROL_SWAPPED; which < N_CONTROL_PAIRS; which++) {
        const CircuitControl *control = &study->controls[which];
        if (study->controlled[which] && fabs(control->edges.value) > fabs(flip->edges.value) / 2) {
            report_warn(report,
                        "the circuit's edges move Delta on %s pairs by more than half of what they "
                        "do on flips: what they carry is not the changed square",
                        circuit_control_name((ControlPairs)which));
        }
    }
    share_report(report, NULL, study->total);
}

/* A word on scores without a sign, which stand beside others that have one. */
static void print_signs(Text *text, const CircuitStudy *study)
{
    bool some = false;
    for (size_t i = 0; i < study->n_methods; i++) {
        if (study->methods[i].no_sign) {
            text_add(text, "%s%s", some ? ", " : "\nwithout a sign, because a mean of sizes: ",
                     study->methods[i].name);
            some = true;
        }
    }
    text_add(text, "%s", some ? "\n" : "");
}

void circuit_report(Report *report, const CircuitFindings *found)
{
    circuit_fill(report_table(report, &circuit_table), found);
    compare_fill(report_table(report, &circuit_compare_table), found);
    print_notes(report, found);
    Table *nodes = report_table(report, &circuit_nodes_table);
    nodes_fill(nodes, found);
    nodes->hidden = table_rows(nodes) == 0;
    Table *curves = report_table(report, &circuit_faithfulness_table);
    curves->hidden = true; /* the text shows its faithfulness as a grid */
    faithfulness_fill(curves, found);
    if (table_rows(curves) > 0) {
        print_curves(report_text(report), found->study);
    }
    Table *completeness = report_table(report, &circuit_completeness_table);
    completeness_fill(completeness, found);
    completeness->hidden = table_rows(completeness) == 0;
    Table *acdc = report_table(report, &circuit_acdc_table);
    acdc_fill(acdc, found);
    acdc->hidden = table_rows(acdc) == 0;
    Table *controls = report_table(report, &circuit_controls_table);
    controls_fill(controls, found);
    controls->hidden = table_rows(controls) == 0;
    Table *strongest = report_table(report, &circuit_strongest_table);
    Table *all = report_table(report, &circuit_edges_table);
    all->hidden = all->undocumented = true;
    edges_fill(strongest, all, found);
    print_signs(report_text(report), found->study);
}

/* ---- one object ---- */

static Js *node_json(const char *name, int layer, int head, double in, double out)
{
    Js *node = js_object();
    js_set_str(node, "name", name);
    js_set_int(node, "layer", layer);
    js_set_int(node, "head", head);
    js_set_num(node, "in", in);
    js_set_num(node, "out", out);
    return node;
}

/* Every sender of the circuit, and the logits, with the sizes of the edges into and out of it. */
static Js *nodes_json(const CircuitFindings *found)
{
    const CircuitStudy *study = found->study;
    const Graph *graph = found->question->graph;
    const double *scores = study->methods[0].scores;
    Js *nodes = js_array();
    for (size_t s = 0; s <= graph->n_senders; s++) { /* the last: the logits */
        Sender self = s < graph->n_senders ? graph_sender(graph, s) : (Sender){0, -1, -1};
        double in = 0, out = 0;
        char name[GRAPH_NAME_MAX] = "logits";
        for (size_t i = 0; i < study->top; i++) {
            size_t sender, receiver;
            graph_edge(&sender, &receiver, graph, study->edges[i]);
            Receiver to = graph_receiver(graph, receiver);
            bool into = s == graph->n_senders
                            ? to.kind == RECEIVER_LOGITS
                            : self.kind != SENDER_INPUT && to.layer == self.layer &&
                                  to.head == self.head && to.kind != RECEIVER_LOGITS;
            in += into ? fabs(scores[study->edges[i]]) : 0;
            out += s == sender ? fabs(scores[study->edges[i]]) : 0;
        }
        if (s < graph->n_senders) {
            graph_sender_name(name, self);
        }
        if (in > 0 || out > 0) {
            js_push(nodes, node_json(name, self.layer, self.head, in, out));
        }
    }
    return nodes;
}

static Js *edge_json(const CircuitFindings *found, size_t edge)
{
    const CircuitStudy *study = found->study;
    const Graph *graph = found->question->graph;
    char from[GRAPH_NAME_MAX], to[GRAPH_NAME_MAX];
    size_t sender, receiver;
    Js *json = js_object(), *scores = js_object();
    graph_edge(&sender, &receiver, graph, edge);
    graph_sender_name(from, graph_sender(graph, sender));
    graph_receiver_name(to, graph_receiver(graph, receiver));
    js_set_str(json, "from", from);
    js_set_str(json, "to", to);
    js_set_num(json, "score", study->methods[0].scores[edge]);
    for (size_t i = 0; i < study->n_methods; i++) {
        if (study->methods[i].scores) {
            js_set_num(scores, study->methods[i].name, study->methods[i].scores[edge]);
        }
    }
    js_set(json, "scores", scores);
    return json;
}

Js *circuit_json(const CircuitFindings *found)
{
    const CircuitStudy *study = found->study;
    Js *json = js_object(), *edges = js_array();
    js_set_int(json, "schema", 1);
    js_set_str(json, "model_hash", found->model_hash);
    js_set_int(json, "pairs", (int64_t)study->n_pairs);
    js_set_str(json, "direction", patch_direction_name(found->question->direction));
    js_set_str(json, "positions", patch_scope_name(found->question->scope));
    js_set_str(json, "ln", patch_norm_name(found->question->norm));
    js_set_str(json, "method", study->methods[0].name);
    js_set_num(json, "total", study->total.value);
    for (size_t i = 0; i < study->top; i++) {
        js_push(edges, edge_json(found, study->edges[i]));
    }
    js_set(json, "nodes", nodes_json(found));
    js_set(json, "edges", edges);
    return json;
}
