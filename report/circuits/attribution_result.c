/* report/circuits/attribution_result.c - contract in report/circuits/attribution_result.h. */
#include "report/circuits/attribution_result.h"

#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "game/notation.h"
#include "probes/graph/pair_metric.h"
#include "report/circuits/attribution_boards.h"
#include "report/largest.h"

static const Column whole_columns[] = {
    {"source", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"grain", "grain", .type = COLUMN_TEXT},
    {"target", "number", .type = COLUMN_TEXT},
    {"site", .type = COLUMN_TEXT},
    {"layer", "read at layer", .type = COLUMN_LAYER},
    {"ln", "LayerNorm", .type = COLUMN_TEXT, .meaning = "of the values"},
    {"games", "games", .type = COLUMN_COUNT},
    {"positions", "positions", .type = COLUMN_COUNT},
    {"left_out", "left out", .type = COLUMN_COUNT,
     .meaning = "positions that have nothing to ask for"},
    {"number", "mean", .digits = 4, .interval = true, .meaning = "of the number"},
    {"identity_error", "identity error", .digits = -1,
     .meaning = "largest |sum of contributions - column|, over all positions and columns"},
    {"largest", "largest column", .digits = 2, .meaning = "its size there"},
    {"ln_gap", "LayerNorm gap", .digits = 4, .unit = "%",
     .meaning = "sum |frozen - recomputed| / sum |frozen|"},
    {"correlation", "correlation", .digits = 4,
     .meaning = "of contributions with what a removal on the direct path does"},
    {"slope", "slope", .digits = 4, .meaning = "of the removal on the contribution"},
    {"taken_back", "taken back", .type = COLUMN_COUNT,
     .meaning = "components of whose write one later component takes back more than half"},
};
const TableSpec attribution_table = {"attribution", "attributions", TABLE_COLUMNS(whole_columns),
                                     .record = true};

#define COMPONENT_COLUMNS                                                                          \
    {"name", "component", .type = COLUMN_TEXT}, {"kind", .type = COLUMN_TEXT},                     \
        {"layer", .type = COLUMN_LAYER}, {"head", .type = COLUMN_COUNT},                           \
        {"neuron", .type = COLUMN_COUNT}, {"position", .type = COLUMN_COUNT},                      \
        {"square", "square", .type = COLUMN_TEXT, .meaning = "of the move at that position"},      \
        {"value", "value", .digits = 4, .interval = true,                                          \
         .meaning = "what it adds to the number"},                                                 \
        {"other_ln", "other LN", .digits = 4,                                                      \
         .meaning = "the same with the LayerNorm recomputed, or frozen"},                          \
        {"random_value", "random", .digits = 4,                                                    \
         .meaning = "what it adds to a random direction of equal length"},                         \
        {"shuffled_value", "shuffled", .digits = 4,                                                \
         .meaning = "what it adds to the number of another game at the same ply"},                 \
        {"magnitude", "|all|", .digits = 4,                                                        \
         .meaning = "mean |contribution| over all moves or squares"},                              \
        {"random_magnitude", "|random|", .digits = 4, .meaning = "the same of random directions"}, \
        {"erased", "erased", .digits = 1, .unit = "%",                                             \
         .meaning = "share of its write that one later component takes back"},                     \
    {                                                                                              \
        "erased_by", "by", .type = COLUMN_TEXT                                                     \
    }
static const Column component_columns[] = {COMPONENT_COLUMNS};
static const FigurePart parts_parts[] = {
    {.x = "name", .y = {"value", "random_value", "shuffled_value"}}};
static const FigurePart heads_parts[] = {
    {.x = "head", .y = {"value"}, .series = "layer", .where = "kind", .is = "head"}};
static const FigureSpec component_figures[] = {
    {"components", "What the parts of the network add to the number", FIGURE_DOTS,
     FIGURE_PARTS(parts_parts), .y = {"added", .zero = true}, .most = 24},
    {"heads", "What each head adds to the number", FIGURE_MATRIX, FIGURE_PARTS(heads_parts),
     .rows = "layer", .x.label = "head", .y.label = "added", .signs = true},
};
const TableSpec attribution_components_table = {"components", "attribution_components",
                                                TABLE_COLUMNS(component_columns),
                                                TABLE_FIGURES(component_figures)};
static const Column top_columns[] = {COMPONENT_COLUMNS};
const TableSpec attribution_top_table = {
    .name = "top", .title = "largest values", TABLE_COLUMNS(top_columns)};

static const Column share_columns[] = {
    {"layer", "layer", .type = COLUMN_LAYER},
    {"kind", "written by", .type = COLUMN_TEXT},
    {"share", "share", .digits = 1, .unit = "%", .interval = true,
     .meaning = "of the number, LayerNorm frozen; all shares add up to 100 %"},
    {"random_share", "random", .digits = 1, .unit = "%", .interval = true,
     .meaning = "what a random direction of equal length gets, as a share of the true number"},
    {"shuffled_share", "shuffled", .digits = 1, .unit = "%", .interval = true,
     .meaning = "what the number of another game at the same ply gets"},
};
static const FigurePart shares_parts[] = {
    {.x = "layer",
     .y = {"share", "random_share", "shuffled_share"},
     .series = "kind",
     .where = "kind",
     .is = "heads|mlp"},
};
static const FigureSpec share_figures[] = {
    {"shares", "Which layers write the number", FIGURE_LINES, FIGURE_PARTS(shares_parts),
     .y = {"share of the number", .zero = true}},
};
const TableSpec attribution_shares_table = {.name = "shares",
                                            .kind = "attribution_shares",
                                            TABLE_COLUMNS(share_columns),
                                            TABLE_FIGURES(share_figures)};

static const char *const kind_names[] = {"token",  "position", "layer",          "attention",
                                         "head",   "source",   "attention bias", "mlp",
                                         "neuron", "mlp bias", "constant"};

/* ---- rows ---- */

/* "mine - theirs of d4", "logit of c4 - mean", "legal - other moves". */
static void target_words(char out[96], const AttributionFindings *findings)
{
    const AttributionTarget *target = findings->target;
    char square[3] = "";
    if (target->sq >= 0) {
        square_print(square, target->sq);
    }
    if (target->metric == TARGET_BOARD) {
        const Probe *probe = target->probe;
        snprintf(out, 96, "%s - %s of %s%s", probe->classes[target->one],
                 probe->classes[target->other],
                 target->sq >= 0              ? square
                 : findings->positions->pairs ? "the edited squares"
                                              : "the squares of both",
                 target->as_is ? "" : ", turned so that the truth is positive");
    } else if (target->metric == TARGET_DELTA) {
        const AttributionPositions *positions = findings->positions;
        snprintf(
            out, 96, "%s",
            pair_metric_words(positions->pairs, positions->pairs ? positions->set.n_games : 0));
    } else {
        snprintf(out, 96, "logit of %s%s", target->sq >= 0 ? square : "the move played",
                 target->metric == TARGET_CENTRED ? " - mean of all moves" : "");
    }
}

static void whole_fill(Table *table, const AttributionFindings *findings)
{
    const Attribution *found = findings->found;
    const Readout *readout = &findings->target->readout;
    const Probe *probe = findings->target->probe;
    char target[96];
    target_words(target, findings);
    table_text(table, "source", findings->source);
    table_text(table, "model_hash", findings->model_hash);
    table_text(table, "grain", attribution_grain_name(found->list.grain));
    table_text(table, "target", target);
    table_text(table, "site", hook_site_name(readout->site));
    table_int(table, "layer", probe ? probe->layers[findings->target->index] : readout->layer);
    table_text(table, "ln",
               !readout->normed                ? "none"
               : findings->options->recomputed ? "recomputed"
                                               : "frozen");
    table_int(table, "games", (int64_t)found->n_games);
    table_int(table, "positions", (int64_t)found->n_positions);
    table_int(table, "left_out", (int64_t)findings->positions->left_out);
    table_estimate(table, "number", found->number);
    table_num(table, "identity_error", found->identity_error);
    table_num(table, "largest", found->largest);
    table_num(table, "ln_gap", found->ln_gap);
    table_num(table, "correlation", found->correlation);
    table_num(table, "slope", found->slope);
    table_int(table, "taken_back", (int64_t)found->n_erased);
}

static void set_number(Table *table, const char *key, int value)
{
    if (value >= 0) {
        table_int(table, key, value);
    } else {
        table_null(table, key);
    }
}

static void row_fill(Table *table, const AttributionFindings *findings, const AttributionRow *row)
{
    const ComponentList *list = &findings->found->list;
    Component what = row->what;
    char name[COMPONENT_NAME_MAX], square[3];
    component_name(name, list, what);
    table_row(table);
    table_text(table, "name", name);
    table_text(table, "kind", kind_names[what.kind]);
    set_number(table, "layer", what.layer);
    set_number(table, "head", what.head);
    set_number(table, "neuron", what.neuron);
    set_number(table, "position", what.source);
    if (findings->typed && what.source >= 0) {
        square_print(square, findings->positions->set.moves[what.source]);
        table_text(table, "square", square);
    }
    table_estimate(table, "value", row->value);
    if (findings->target->readout.normed) {
        table_num(table, "other_ln", row->other_ln);
    }
    table_num(table, "random_value", row->random);
    if (findings->positions->shuffled) {
        table_num(table, "shuffled_value", row->shuffled);
    }
    table_num(table, "magnitude", row->magnitude);
    table_num(table, "random_magnitude", row->random_magnitude);
    if (attribution_erasers(list) > 0) {
        table_num(table, "erased", row->erased);
        if (row->erased > 0) {
            component_name(name, list, row->eraser);
            table_text(table, "erased_by", name);
        }
    }
}

static void shares_fill(Table *table, const Attribution *found)
{
    for (size_t g = 0; g < found->n_shares; g++) {
        const AttributionShare *share = &found->shares[g];
        table_row(table);
        set_number(table, "layer", share->layer);
        bool heads = share->kind == COMPONENT_HEAD;
        table_text(table, "kind",
                   share->all ? (heads ? "all heads" : "all mlps")
                   : heads    ? "heads"
                              : kind_names[share->kind]);
        table_estimate(table, "share", share->share);
        table_estimate(table, "random_share", share->random);
        if (!isnan(share->shuffled.value)) {
            table_interval(table, "shuffled_share", share->shuffled);
        }
    }
}

/* ---- the largest ---- */

/* Whether a component exists in this game: sources behind the last move do not. */
static bool exists(const AttributionFindings *findings, const AttributionRow *row)
{
    return !findings->typed || row->what.source <= (int)findings->positions->set.t[0];
}

static void components_fill(Report *report, const AttributionFindings *findings)
{
    const Attribution *found = findings->found;
    size_t J = found->list.n, n = 0;
    Largest *ranked = mem_alloc(J, sizeof(*ranked), "order of components");
    if (!ranked) {
        return; /* the tables are then empty, and report_check finds the same fault */
    }
    Table *all = report_table(report, &attribution_components_table);
    for (size_t j = 0; j < J; j++) {
        if (exists(findings, &found->rows[j])) {
            row_fill(all, findings, &found->rows[j]);
            ranked[n++] = (Largest){fabs(found->rows[j].value.value), j};
        }
    }
    largest_sort(ranked, n);
    all->hidden = n > (size_t)findings->top;
    if (all->hidden) {
        Table *top = report_table(report, &attribution_top_table);
        top->undocumented = top->unstored = true;
        for (size_t i = 0; i < (size_t)findings->top; i++) {
            row_fill(top, findings, &found->rows[ranked[i].index]);
        }
    }
    size_t order[ATTRIBUTION_MAPS_MAX], n_maps = 0;
    for (size_t i = 0; i < n && n_maps < (size_t)findings->maps; i++) {
        if (found->rows[ranked[i].index].what.kind != COMPONENT_BIAS) {
            order[n_maps++] = ranked[i].index;
        }
    }
    attribution_boards(report_text(report), findings, order, n_maps);
    mem_free(ranked);
}

void attribution_report(Report *report, const AttributionFindings *findings)
{
    if (findings->typed) {
        attribution_game(report_text(report), findings);
    }
    whole_fill(report_table(report, &attribution_table), findings);
    components_fill(report, findings);
    Table *shares = report_table(report, &attribution_shares_table);
    shares_fill(shares, findings->found);
    shares->hidden = findings->typed || findings->found->n_shares == 0;
}
