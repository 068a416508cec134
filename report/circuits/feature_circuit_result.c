/* report/circuits/feature_circuit_result.c - contract in
 * report/circuits/feature_circuit_result.h. */
#include "report/circuits/feature_circuit_result.h"

#include <math.h>
#include <stdio.h>

#include "report/circuits/share_note.h"
#include "report/specs/feature_circuit_figures.h"

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"model_hash", .type = COLUMN_TEXT},
    {"autoencoder", "autoencoder", .type = COLUMN_TEXT},
    {"site", "site", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"pairs_file", "pairs of histories", .type = COLUMN_TEXT},
    {"pairs", "pairs", .type = COLUMN_COUNT},
    {"direction", "direction", .type = COLUMN_TEXT,
     .meaning = "noising: clean run, features of the corrupt one put in"},
    {"positions", "positions", .type = COLUMN_TEXT, .meaning = "at which rows are patched"},
    {"features", "features", .type = COLUMN_COUNT, .meaning = "of the autoencoder"},
    {"total", "Delta, base - other", .unit = "nats", .digits = 3, .interval = true,
     .meaning = "mean over pairs"},
    {"row_total", "by the rows", .unit = "nats", .digits = 3, .interval = true,
     .meaning = "with all rows of the other run; effects are shares of it"},
    {"row_share", "share", .unit = "%", .digits = 1, .interval = true,
     .meaning = "of Delta that the rows carry"},
    {"points", "points", .type = COLUMN_COUNT, .meaning = "of integrated gradients"},
    {"completeness_error", "completeness error", .unit = "%", .digits = 3,
     .meaning = "mean |sum of ig - effect of the rows| over mean |effect|"},
    {"identity_error", "identity error", .digits = -1,
     .meaning = "largest |sum of atp - gradient times change| over sum of |atp|"},
    {"split_error", "split error", .digits = -1,
     .meaning = "largest |base + all nodes - other| of a number of a row, over the largest change"},
    {"other_run_error", "from the other run", .unit = "nats", .digits = -1,
     .meaning = "largest |Delta with all rows - Delta of the other run|; 0 if the rows cut it off"},
    {"seconds", "seconds", .digits = 1, .flags = COLUMN_TIME},
};
const TableSpec feature_circuit_table = {"feature_circuit", "circuit_features",
                                         TABLE_COLUMNS(whole_columns), .record = true};

static const Column bases_columns[] = {
    {"basis", "basis", .type = COLUMN_TEXT},
    {"nodes", "nodes", .type = COLUMN_COUNT},
    {"differ", "differ", .digits = 1, .meaning = "nodes of a pair whose values differ, mean"},
    {"nodes_50", "for 50 %", .type = COLUMN_COUNT,
     .meaning = "first nodes by exact effect that carry half; empty: none do"},
    {"nodes_80", "for 80 %", .type = COLUMN_COUNT},
    {"all_nodes", "all nodes", .unit = "%", .digits = 1, .interval = true,
     .meaning = "share of all nodes together, without the error"},
    {"error_node", "error alone", .unit = "%", .digits = 1, .interval = true,
     .meaning = "share of what the basis does not say"},
    {"added_up", "added up", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_MINOR,
     .meaning = "sum of the effects of single nodes and the error"},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec feature_circuit_bases_table = {
    "bases", "circuit_bases",
    "the same rows in other words: how many nodes carry the effect, and what is left",
    TABLE_COLUMNS(bases_columns), .file = "circuit_bases"};

static const Column estimates_columns[] = {
    {"basis", "basis", .type = COLUMN_TEXT},
    {"method", "method", .type = COLUMN_TEXT},
    {"pearson", "Pearson", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "with exact effects, over nodes and pairs"},
    {"spearman", "Spearman", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "rank correlation of sizes within a pair, mean"},
    {"recall_5", "recall of 5", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "share of a pair's 5 largest effects among its first 5"},
    {"recall_cost", "cost", .unit = "nodes", .digits = 1, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "verified in its order until all 5 are found"},
    {"estimate_sum", "sum", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "of all nodes and the error, as a share"},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec feature_circuit_estimates_table = {
    "estimates", "circuit_estimates", "estimates of single nodes against their exact effects",
    TABLE_COLUMNS(estimates_columns), .file = "circuit_estimates"};

static const Column curves_columns[] = {
    {"basis", "basis", .type = COLUMN_TEXT},
    {"method", "method", .type = COLUMN_TEXT, .meaning = "whose order; random: mean of four"},
    {"nodes", "nodes", .type = COLUMN_COUNT},
    {"share", "share", .unit = "%", .digits = 1, .interval = true,
     .meaning = "of the effect of the rows, with these nodes of the other run"},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec feature_circuit_curves_table = {"curves",
                                                "circuit_curves",
                                                "what the first nodes carry together, chosen on "
                                                "the pair that they are scored on",
                                                TABLE_COLUMNS(curves_columns),
                                                .file = "circuit_curves",
                                                TABLE_FIGURES(feature_curves_figures)};

static const Column features_columns[] = {
    {"place", "#", .type = COLUMN_COUNT},
    {"feature", "feature", .type = COLUMN_TEXT},
    {"pairs", "pairs", .type = COLUMN_COUNT, .meaning = "that it differs in"},
    {"exact", "exact", .unit = "%", .digits = 2, .interval = true,
     .meaning = "share of the effect of the rows"},
    {"atp", "atp", .unit = "%", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"ig", "ig", .unit = "%", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"effect_size", "size", .unit = "nats", .digits = 3,
     .meaning = "mean |effect| where it differs"},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec feature_circuit_features_table = {
    "feature_list", "circuit_feature", "features by size of their effect",
    TABLE_COLUMNS(features_columns), .file = "circuit_feature"};

static const Column controls_columns[] = {
    {"pairs", "pairs", .type = COLUMN_TEXT},
    {"n", "number", .type = COLUMN_COUNT},
    {"total", "base - other", .unit = "nats", .digits = 3, .interval = true,
     .meaning = "mean Delta"},
    {"row_total", "by the rows", .unit = "nats", .digits = 3, .interval = true},
    {"features_total", "by features", .unit = "nats", .digits = 3, .interval = true,
     .meaning = "all of them, without the error"},
    {"error_total", "by the error", .unit = "nats", .digits = 3, .interval = true},
    {"model_hash", .type = COLUMN_TEXT},
};
const TableSpec feature_circuit_controls_table = {
    "feature_controls", "circuit_feature_controls",
    "features on pairs without an effect, beside the flips", TABLE_COLUMNS(controls_columns),
    .file = "circuit_feature_controls"};

/* ---- rows ---- */

static void whole_fill(Table *table, const FeatureCircuitFindings *found)
{
    const FeatureStudy *study = found->study;
    const FeatureQuestion *question = found->question;
    const SaeConfig *sae = &question->sae->cfg;
    table_text(table, "model_hash", found->model_hash);
    table_text(table, "autoencoder", found->autoencoder);
    table_text(table, "site", hook_site_name(sae->site));
    table_int(table, "layer", sae->layer);
    table_text(table, "pairs_file", found->pairs_file);
    table_int(table, "pairs", (int64_t)study->n_pairs);
    table_text(table, "direction", patch_direction_name(question->direction));
    table_text(table, "positions", patch_scope_name(question->scope));
    table_int(table, "features", (int64_t)sae->features);
    table_interval(table, "total", study->flips.runs);
    table_interval(table, "row_total", study->flips.whole);
    table_estimate(table, "row_share", study->of_run);
    table_int(table, "points", question->points);
    table_num(table, "completeness_error", study->ig_error);
    table_num(table, "identity_error", study->identity);
    table_num(table, "split_error", study->split);
    table_num(table, "other_run_error", study->other_error);
    table_num(table, "seconds", found->seconds);
}

static void bases_fill(Table *table, const FeatureCircuitFindings *found)
{
    for (size_t b = 0; b < found->study->n_bases; b++) {
        const FeatureBasisResult *basis = &found->study->bases[b];
        table_row(table);
        table_text(table, "basis", basis->name);
        table_int(table, "nodes", (int64_t)basis->n);
        table_num(table, "differ", basis->differ);
        if (basis->half > 0) {
            table_int(table, "nodes_50", (int64_t)basis->half);
        }
        if (basis->most > 0) {
            table_int(table, "nodes_80", (int64_t)basis->most);
        }
        table_estimate(table, "all_nodes", basis->all);
        if (basis->has_error) {
            table_estimate(table, "error_node", basis->error);
        }
        table_estimate(table, "added_up", basis->single);
        table_text(table, "model_hash", found->model_hash);
    }
}

static void estimates_fill(Table *table, const FeatureCircuitFindings *found)
{
    for (size_t b = 0; b < found->study->n_bases; b++) {
        const FeatureBasisResult *basis = &found->study->bases[b];
        for (int order = FEATURE_ATP; order < N_FEATURE_ORDERS; order++) {
            const FeatureAgreement *agree = &basis->agree[order];
            table_row(table);
            table_text(table, "basis", basis->name);
            table_text(table, "method", feature_circuit_order_name((FeatureOrder)order));
            table_estimate(table, "pearson", agree->pearson);
            table_estimate(table, "spearman", agree->spearman);
            table_estimate(table, "recall_5", agree->recall);
            table_estimate(table, "recall_cost", agree->cost);
            table_estimate(table, "estimate_sum", agree->sum);
            table_text(table, "model_hash", found->model_hash);
        }
    }
}

static void curves_fill(Table *table, const FeatureCircuitFindings *found)
{
    for (size_t b = 0; b < found->study->n_bases; b++) {
        const FeatureBasisResult *basis = &found->study->bases[b];
        for (int order = 0; order < N_FEATURE_ORDERS; order++) {
            for (size_t k = 0; k < N_FEATURE_COUNTS; k++) {
                table_row(table);
                table_text(table, "basis", basis->name);
                table_text(table, "method", feature_circuit_order_name((FeatureOrder)order));
                table_int(table, "nodes", (int64_t)feature_circuit_counts[k]);
                table_estimate(table, "share", basis->curve[order][k]);
                table_text(table, "model_hash", found->model_hash);
            }
        }
    }
}

static void features_fill(Table *table, const FeatureCircuitFindings *found)
{
    const FeatureStudy *study = found->study;
    for (size_t i = 0; i < study->n_scores && i < found->top; i++) {
        const FeatureScore *score = &study->scores[i];
        char name[32] = "error";
        if (score->node < study->bases[0].n) {
            snprintf(name, sizeof(name), "F%zu", score->node);
        }
        table_row(table);
        table_int(table, "place", (int64_t)i + 1);
        table_text(table, "feature", name);
        table_int(table, "pairs", (int64_t)score->pairs);
        table_estimate(table, "exact", score->share[FEATURE_EXACT]);
        table_estimate(table, "atp", score->share[FEATURE_ATP]);
        table_estimate(table, "ig", score->share[FEATURE_IG]);
        table_num(table, "effect_size", score->size);
        table_text(table, "model_hash", found->model_hash);
    }
}

static void controls_fill(Table *table, const FeatureCircuitFindings *found)
{
    const FeatureControl *controls[] = {&found->study->flips, &found->study->transpositions};
    static const char *const names[] = {"flip", "transposition"};
    for (size_t i = 0; i < 2; i++) {
        if (controls[i]->n_pairs > 0) {
            table_row(table);
            table_text(table, "pairs", names[i]);
            table_int(table, "n", (int64_t)controls[i]->n_pairs);
            table_interval(table, "total", controls[i]->runs);
            table_interval(table, "row_total", controls[i]->whole);
            table_interval(table, "features_total", controls[i]->all);
            table_interval(table, "error_total", controls[i]->error);
            table_text(table, "model_hash", found->model_hash);
        }
    }
}

/* ---- words ---- */

/* One line a power of two, one column a basis by its exact effects, random features last. */
static void print_curves(Text *text, const FeatureStudy *study)
{
    double most = 0;
    text_add(text,
             "\nshare of the effect that the first nodes carry together, %%, by exact effect\n"
             "nodes ");
    for (size_t b = 0; b < study->n_bases; b++) {
        text_add(text, " %11.11s", study->bases[b].name);
        most = fmax(most, study->bases[b].differ);
    }
    text_add(text, " %11.11s", "random");
    for (size_t k = 0; k < N_FEATURE_COUNTS; k++) {
        const size_t count = feature_circuit_counts[k];
        if ((count & (count - 1)) == 0 && (double)count < 2 * most) {
            text_add(text, "\n%5zu ", count);
            for (size_t b = 0; b < study->n_bases; b++) {
                text_add(text, " %11.1f", 100 * study->bases[b].curve[FEATURE_EXACT][k].value);
            }
            text_add(text, " %11.1f", 100 * study->bases[0].curve[FEATURE_RANDOM][k].value);
        }
    }
    text_add(text, "\n(each pair's nodes are chosen on the pair that they are scored on, in every\n"
                   "basis alike: shares of few nodes are above what nodes chosen on other pairs\n"
                   "would carry; random: features in a random order, not chosen)\n");
}

static void print_error(Text *text, const FeatureStudy *study)
{
    const FeatureBasisResult *basis = &study->bases[0];
    text_add(text,
             "\nthe error: with its part of the other run alone, %.1f %% (%.1f to %.1f)\n"
             "all features without it: %.1f %% (%.1f to %.1f)\n",
             100 * basis->error.value, 100 * basis->error.low, 100 * basis->error.high,
             100 * basis->all.value, 100 * basis->all.low, 100 * basis->all.high);
}

void feature_circuit_report(Report *report, const FeatureCircuitFindings *found)
{
    whole_fill(report_table(report, &feature_circuit_table), found);
    bases_fill(report_table(report, &feature_circuit_bases_table), found);
    Table *curves = report_table(report, &feature_circuit_curves_table);
    curves->hidden = true; /* the text shows its shares as a grid */
    curves_fill(curves, found);
    print_curves(report_text(report), found->study);
    print_error(report_text(report), found->study);
    estimates_fill(report_table(report, &feature_circuit_estimates_table), found);
    features_fill(report_table(report, &feature_circuit_features_table), found);
    controls_fill(report_table(report, &feature_circuit_controls_table), found);
    share_report(report, NULL, found->study->flips.whole);
}
