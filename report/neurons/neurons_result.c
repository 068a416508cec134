/* report/neurons/neurons_result.c - contract in report/neurons/neurons_result.h. */
#include "report/neurons/neurons_result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/notation.h"
#include "report/largest.h"

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"source", "games from", .type = COLUMN_TEXT},
    {"model_hash", NULL, .type = COLUMN_TEXT},
    {"fit_games", "games fitted on", .type = COLUMN_COUNT},
    {"test_games", "games held out", .type = COLUMN_COUNT},
    {"repeated", "repeated games", .type = COLUMN_COUNT, .meaning = "left out: all games differ"},
    {"fit_positions", "positions fitted on", .type = COLUMN_COUNT},
    {"test_positions", "positions held out", .type = COLUMN_COUNT},
    {"depth", "depth of trees", .type = COLUMN_COUNT},
    {"legal_offered", "legal moves offered", .type = COLUMN_YES_NO},
    {"threshold", "R2 of a rule", .digits = 2, .meaning = "above it a neuron counts as one"},
    {"rules_above_07", "rules", .unit = "%", .digits = 1, .interval = true,
     .meaning = "of all neurons, at an R2 above 0.7"},
    {"rules_above_07_random_model", "rules, random weights", .unit = "%", .digits = 1,
     .interval = true},
    {"rules_above_07_rotated", "rules, rotated", .unit = "%", .digits = 1, .interval = true},
    {"flanks", "flanks", .type = COLUMN_COUNT},
    {"playable_flanks", "of playable squares", .type = COLUMN_COUNT},
    {"frequent_flanks", "seen often enough", .type = COLUMN_COUNT,
     .meaning = "in at least 10 positions that are fitted on"},
    {"attributed", "positions attributed", .type = COLUMN_COUNT},
    {"identity_error", "error of the sum", .unit = "nats", .digits = 7,
     .meaning = "largest |contributions - logit|"},
    {"ablated", "neurons ablated", .type = COLUMN_COUNT},
    {"replaced_by", "replaced by", .type = COLUMN_TEXT},
    {"ablation_error", "error of total = direct - repair", .unit = "nats", .digits = 7},
    {"largest_loss", "lost: largest", .unit = "nats", .digits = 4,
     .meaning = "mean |loss|, neurons of largest attribution"},
    {"drawn_loss", "lost: drawn", .unit = "nats", .digits = 4, .meaning = "as many others, drawn"},
    {"loss_correlation", "attribution and loss", .digits = 2, .meaning = "rank correlation"},
};
const TableSpec neurons_table = {
    .name = "neurons_run", .kind = "neurons", TABLE_COLUMNS(whole_columns), .record = true};

static const Column layer_columns[] = {
    {"layer", "layer", .type = COLUMN_LAYER},
    {"arm", "what", .type = COLUMN_TEXT},
    {"rules", "rules", .unit = "%", .digits = 1, .interval = true,
     .meaning = "neurons whose tree has an R2 above the threshold on held-out games"},
    {"linear", "linear", .unit = "%", .digits = 1, .interval = true,
     .meaning = "the same of the linear twin"},
    {"only_rules", "only by rules", .unit = "%", .digits = 1, .interval = true,
     .meaning = "the tree has it and the linear twin has not"},
    {"tree_median", "R2 of trees", .digits = 2, .meaning = "median"},
    {"linear_median", "R2 linear", .digits = 2, .meaning = "median"},
    {"detecting_99", "detectors at .99", .type = COLUMN_COUNT,
     .meaning = "neurons that detect a flank"},
    {"holding_99", "held out", .type = COLUMN_COUNT, .flags = COLUMN_MINOR},
    {"detecting_95", "detectors at .95", .type = COLUMN_COUNT},
    {"holding_95", "held out", .type = COLUMN_COUNT, .flags = COLUMN_MINOR},
};
static const FigurePart rule_parts[] = {{.x = "layer", .y = {"rules"}, .series = "arm"}};
static const FigurePart twin_parts[] = {{.x = "layer", .y = {"linear"}, .series = "arm"}};
static const FigureSpec layer_figures[] = {
    {"rules", "Neurons that are rules", FIGURE_LINES, FIGURE_PARTS(rule_parts)},
    {"linear", "Neurons that are weighted sums", FIGURE_LINES, FIGURE_PARTS(twin_parts)},
};
const TableSpec neurons_layers_table = {"layers", "neuron_layers",
                                        "rules by layer, and what controls give",
                                        TABLE_COLUMNS(layer_columns), TABLE_FIGURES(layer_figures)};

static const Column cover_columns[] = {
    {"arm", "what", .type = COLUMN_TEXT},
    {"meaning", "neurons of", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"demand", "demand", .digits = 2, .meaning = "on precision and recall"},
    {"detecting", "neurons", .type = COLUMN_COUNT, .meaning = "that detect a flank"},
    {"holding", "held out", .type = COLUMN_COUNT, .meaning = "that do so on held-out games too"},
    {"covered", "covered", .unit = "%", .digits = 1,
     .meaning = "flanks of playable squares that some neuron detects"},
    {"covered_held", "covered, held out", .unit = "%", .digits = 1,
     .meaning = "those that are recalled on held-out games too, each by itself"},
};
const TableSpec neurons_cover_table = {"cover", "neuron_cover",
                                       "is it a bag of heuristics? flanks and their detectors",
                                       TABLE_COLUMNS(cover_columns)};

#define NEURON_COLUMNS                                                                             \
    {"name", "neuron", .type = COLUMN_TEXT}, {"layer", NULL, .type = COLUMN_LAYER},                \
        {"number", NULL, .type = COLUMN_COUNT}, {"tree_r2", "R2 of tree", .digits = 3},            \
        {"linear_r2", "linear", .digits = 3}, {"rule", "is on where", .type = COLUMN_TEXT},        \
        {"rule_share", "of positions", .unit = "%", .digits = 1, .flags = COLUMN_MINOR},           \
        {"rule_mean", "mean there", .digits = 2, .flags = COLUMN_MINOR},                           \
        {"mean", NULL, .digits = 3}, {"largest", NULL, .digits = 3},                               \
        {"active", "on", .unit = "%", .digits = 1,                                                 \
         .meaning = "above 10 % of its largest activation"},                                       \
        {"kurtosis", NULL, .digits = 2}, {"write_norm", NULL, .digits = 3},                        \
        {"flanks_99", NULL, .type = COLUMN_COUNT},                                                 \
        {"flanks_95", "flanks", .type = COLUMN_COUNT, .flags = COLUMN_MINOR},                      \
        {"flank_move", NULL, .type = COLUMN_TEXT}, {"flank_f1", NULL, .digits = 3},                \
        {"flank_f1_held", NULL, .digits = 3}, {"attribution", NULL, .digits = 4},                  \
        {"magnitude", "size of attribution", .unit = "nats", .digits = 4,                          \
         .meaning = "mean over the moves of its size"},                                            \
        {"magnitude_random", NULL, .digits = 4}, {"ablated_as", NULL, .type = COLUMN_TEXT},        \
        {"loss",      "lost without it", .unit = "nats",                                           \
         .digits = 4, .interval = true,  .flags = COLUMN_BRIEF},                                   \
        {"raises", "raises", .type = COLUMN_TEXT},                                                 \
        {"value_legal", "legal then", .unit = "%", .digits = 0,                                    \
         .meaning = "share of the positions above half of its largest activation"},                \
    {                                                                                              \
        "value_legal_by_chance", "by chance", .unit = "%", .digits = 0                             \
    }
static const Column list_columns[] = {NEURON_COLUMNS};
const TableSpec neurons_list_table = {"neurons", "neuron_list", "neurons",
                                      TABLE_COLUMNS(list_columns)};
const TableSpec neurons_top_table = {.name = "top",
                                     .title = "the neurons with the largest attribution",
                                     TABLE_COLUMNS(list_columns)};

static const Column flank_columns[] = {
    {"square", "square", .type = COLUMN_TEXT},
    {"direction", "direction", .type = COLUMN_TEXT},
    {"length", "length", .type = COLUMN_COUNT},
    {"seen", "positions", .type = COLUMN_COUNT},
    {"seen_held", "held out", .type = COLUMN_COUNT},
    {"neurons_99", "at .99", .type = COLUMN_COUNT},
    {"neurons_95", "at .95", .type = COLUMN_COUNT},
    {"best_neuron", "best", .type = COLUMN_TEXT},
    {"f1", "F1", .digits = 3},
    {"f1_held", "F1 held out", .digits = 3},
};
const TableSpec neurons_flanks_table = {"patterns", "neuron_patterns",
                                        "flanks, and how many neurons detect them",
                                        TABLE_COLUMNS(flank_columns)};

/* ---- names ---- */

void neurons_name(char out[NEURONS_NAME_MAX], int layer, int neuron)
{
    snprintf(out, NEURONS_NAME_MAX, "L%dN%d", layer, neuron);
}

int neurons_parse(int *layer, int *neuron, const GptConfig *cfg, const char *text,
                  const char *option)
{
    char again[NEURONS_NAME_MAX];
    *layer = *neuron = -1;
    if (sscanf(text, "L%6dN%6d", layer, neuron) == 2 && *layer >= 0 && *layer < cfg->n_layers &&
        *neuron >= 0 && *neuron < cfg->d_mlp) {
        neurons_name(again, *layer, *neuron);
        if (strcmp(again, text) == 0) {
            return 0;
        }
    }
    return err_set(OGPT_EUSAGE, "%s \"%s\": expected a neuron from L0N0 to L%dN%d", option, text,
                   cfg->n_layers - 1, cfg->d_mlp - 1);
}

/* ---- rows ---- */

static void whole_fill(Table *table, const NeuronsFindings *f)
{
    const NeuronStudy *study = f->study;
    const NeuronGames *games = &study->games;
    const NeuronUse *use = &study->use;
    table_text(table, "source", f->source);
    table_text(table, "model_hash", f->model_hash);
    table_int(table, "fit_games", (int64_t)games->n_fit_games);
    table_int(table, "test_games", (int64_t)(games->n_games - games->n_fit_games));
    table_int(table, "repeated", (int64_t)games->n_repeated);
    table_int(table, "fit_positions", (int64_t)games->n_fit);
    table_int(table, "test_positions", (int64_t)(games->n - games->n_fit));
    table_int(table, "depth", study->options.look.depth);
    table_bool(table, "legal_offered", study->options.look.legal);
    table_num(table, "threshold", study->options.threshold);
    if (study->options.threshold == 0.7) {
        static const char *const keys[] = {"rules_above_07", "rules_above_07_random_model",
                                           "rules_above_07_rotated"};
        for (size_t arm = 0; arm < study->n_arms && arm < 3; arm++) { /* in the order of the arms */
            table_interval(table, keys[arm], study->covers[arm].rules);
        }
    }
    table_int(table, "flanks", (int64_t)study->n_flanks);
    table_int(table, "playable_flanks", (int64_t)study->n_playable);
    table_int(table, "frequent_flanks", (int64_t)study->n_frequent);
    if (use->n > 0) {
        table_int(table, "attributed", (int64_t)use->positions);
        table_num(table, "identity_error", use->identity_error);
    }
    if (use->n_ablated > 0) {
        table_int(table, "ablated", (int64_t)use->n_ablated);
        table_text(table, "replaced_by", ablation_kind_name(study->options.use.kind));
        table_num(table, "ablation_error", use->ablation_error);
        table_num(table, "largest_loss", use->largest_loss);
        table_num(table, "drawn_loss", use->drawn_loss);
        table_num(table, "loss_correlation", use->correlation);
    }
}

static void layers_fill(Table *table, const NeuronStudy *study)
{
    for (size_t i = 0; i < study->L * study->n_arms; i++) {
        size_t layer = i / study->n_arms, arm = i % study->n_arms;
        const NeuronLayer *row = &study->layers[layer * N_NEURON_ARMS + arm];
        table_row(table);
        table_int(table, "layer", (int64_t)layer);
        table_text(table, "arm", neuron_arm_name((NeuronArm)arm));
        table_interval(table, "rules", row->shares.rules);
        table_interval(table, "linear", row->shares.linear);
        table_interval(table, "only_rules", row->shares.only);
        table_num(table, "tree_median", row->median[NEURON_BY_TREE]);
        table_num(table, "linear_median", row->median[NEURON_BY_LINEAR]);
        table_int(table, "detecting_99", (int64_t)row->detecting[0]);
        table_int(table, "holding_99", (int64_t)row->holding[0]);
        table_int(table, "detecting_95", (int64_t)row->detecting[1]);
        table_int(table, "holding_95", (int64_t)row->holding[1]);
    }
}

static void cover_fill(Table *table, const NeuronStudy *study)
{
    double all = (double)study->n_playable;
    for (size_t i = 0; i < study->n_arms * N_NEURON_DEMANDS; i++) {
        NeuronArm arm = (NeuronArm)(i / N_NEURON_DEMANDS);
        size_t d = i % N_NEURON_DEMANDS;
        const NeuronCover *cover = &study->covers[arm];
        table_row(table);
        table_text(table, "arm", neuron_arm_name(arm));
        table_text(table, "meaning", neuron_arm_meaning(arm));
        table_num(table, "demand", neuron_demands[d]);
        table_int(table, "detecting", (int64_t)cover->detecting[d]);
        table_int(table, "holding", (int64_t)cover->holding[d]);
        table_num(table, "covered", (double)cover->covered[d] / all);
        table_num(table, "covered_held", (double)cover->covered_held[d] / all);
    }
}

static void use_fill(Table *table, const NeuronUse *use, size_t k)
{
    if (use->n == 0) {
        return;
    }
    table_num(table, "attribution", use->value[k]);
    table_num(table, "magnitude", use->magnitude[k]);
    table_num(table, "magnitude_random", use->random[k]);
    if (use->ablated[k] != NEURON_KEPT) {
        table_text(table, "ablated_as", use->ablated[k] == NEURON_LARGEST ? "largest" : "drawn");
        table_estimate(table, "loss", use->loss[k]);
    }
}

static void neuron_fill(Table *table, const NeuronStudy *study, size_t k)
{
    const NeuronRow *row = &study->rows[k];
    const NeuronDetection *last = &row->detections[N_NEURON_DEMANDS - 1];
    char name[NEURONS_NAME_MAX], square[3];
    neurons_name(name, row->layer, row->neuron);
    table_row(table);
    table_text(table, "name", name);
    table_int(table, "layer", row->layer);
    table_int(table, "number", row->neuron);
    table_num(table, "tree_r2", row->r2[NEURON_BY_TREE]);
    table_num(table, "linear_r2", row->r2[NEURON_BY_LINEAR]);
    table_text(table, "rule", row->rule.text);
    table_num(table, "rule_share", (double)row->rule.n / (double)study->games.n_fit);
    table_num(table, "rule_mean", row->rule.mean);
    table_num(table, "mean", row->shape.mean);
    table_num(table, "largest", row->shape.largest);
    table_num(table, "active", row->shape.on);
    table_num(table, "kurtosis", row->shape.kurtosis);
    table_num(table, "write_norm", row->write_norm);
    table_int(table, "flanks_99", row->detections[0].n);
    table_int(table, "flanks_95", last->n);
    if (last->n > 0) {
        square_print(square, last->move);
        table_text(table, "flank_move", square);
        table_num(table, "flank_f1", last->f1);
        table_num(table, "flank_f1_held", last->test_f1);
    }
    use_fill(table, &study->use, k);
    square_print(square, row->top);
    table_text(table, "raises", square);
    table_num(table, "value_legal", row->value_legal);
    table_num(table, "value_legal_by_chance", row->value_legal_by_chance);
}

static void flanks_fill(Table *table, const NeuronStudy *study)
{
    char text[NEURONS_NAME_MAX];
    for (size_t f = 0; f < study->n_flanks; f++) {
        const NeuronFlankRow *row = &study->flanks[f];
        square_print(text, row->flank.sq);
        table_row(table);
        table_text(table, "square", text);
        table_text(table, "direction", neuron_direction_name(row->flank.direction));
        table_int(table, "length", row->flank.length);
        table_int(table, "seen", (int64_t)row->seen);
        table_int(table, "seen_held", (int64_t)row->seen_test);
        table_int(table, "neurons_99", (int64_t)row->detecting[0]);
        table_int(table, "neurons_95", (int64_t)row->detecting[1]);
        if (row->best >= 0) {
            neurons_name(text, study->rows[row->best].layer, study->rows[row->best].neuron);
            table_text(table, "best_neuron", text);
            table_num(table, "f1", row->f1);
            table_num(table, "f1_held", row->test_f1);
        }
    }
    table->hidden = true;
}

/* By R2 where attribution was not asked for. */
static double size_of(const NeuronStudy *study, size_t k)
{
    double size = study->use.n > 0 ? study->use.magnitude[k] : study->rows[k].r2[NEURON_BY_TREE];
    return isnan(size) ? -INFINITY : size;
}

static void list_fill(Report *report, const NeuronsFindings *f)
{
    size_t n = f->study->L * f->study->M;
    Table *all = report_table(report, &neurons_list_table);
    Largest *order = mem_alloc(n, sizeof(*order), "order of neurons");
    for (size_t k = 0; k < n; k++) {
        neuron_fill(all, f->study, k);
        if (order) {
            order[k] = (Largest){size_of(f->study, k), k};
        }
    }
    all->hidden = true;
    Table *top = report_table(report, &neurons_top_table);
    top->undocumented = true;
    if (order) {
        largest_sort(order, n);
    }
    for (size_t i = 0; order && i < n && i < (size_t)f->top; i++) {
        neuron_fill(top, f->study, order[i].index);
    }
    mem_free(order);
}

void neurons_report(Report *report, const NeuronsFindings *findings)
{
    whole_fill(report_table(report, &neurons_table), findings);
    layers_fill(report_table(report, &neurons_layers_table), findings->study);
    cover_fill(report_table(report, &neurons_cover_table), findings->study);
    list_fill(report, findings);
    flanks_fill(report_table(report, &neurons_flanks_table), findings->study);
}
