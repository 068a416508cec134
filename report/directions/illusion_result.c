/* report/directions/illusion_result.c - contract in report/directions/illusion_result.h. */
#include "report/directions/illusion_result.h"

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"means_source", "class means from", .type = COLUMN_TEXT},
    {"pairs_source", "pairs from", .type = COLUMN_TEXT},
    {"model_hash", NULL, .type = COLUMN_TEXT},
    {"site", "site", .type = COLUMN_TEXT},
    {"space", "what is read of it", .type = COLUMN_TEXT},
    {"probe", "probe", .type = COLUMN_TEXT},
    {"fit_positions", "positions for means", .type = COLUMN_COUNT},
    {"training_pairs", "training pairs", .type = COLUMN_COUNT},
    {"untrained", "squares without one", .type = COLUMN_COUNT,
     .meaning = "their trained direction is that of the means"},
    {"pairs", "pairs", .type = COLUMN_COUNT},
    {"null_error", "null error", .digits = 3, .interval = true,
     .meaning = "wrong moves, not changed, by the other board"},
    {"self_error", "self error", .digits = 3, .interval = true,
     .meaning = "the same by its own board"},
    {"delta", "change of m", .unit = "nats", .digits = 3, .interval = true,
     .meaning = "of the metric from one history to the other: an effect is a share of it"},
};
const TableSpec illusion_table = {
    .name = "illusion_run", .kind = "illusion", TABLE_COLUMNS(whole_columns), .record = true};

static const Column layer_columns[] = {
    {"origin", "vectors", .type = COLUMN_TEXT},
    {"method", "method", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"rank", "dimensions read", .type = COLUMN_COUNT, .flags = COLUMN_MINOR,
     .meaning = "of the space that is read"},
    {"disconnected", "unread", .unit = "%", .digits = 1,
     .meaning = "share of v outside of it, squared length"},
    {"dormant", "dormant", .unit = "%", .digits = 1,
     .meaning = "pairs whose v_row hardly varies in games"},
    {"effect", "effect", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"training_effect", "in training", .digits = 3, .meaning = "effect on the training pairs"},
    {"effect_row", "of v_row", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"illusion_index", "index", .digits = 3, .interval = true,
     .meaning = "effect of v minus of v_row"},
    {"random_index", "random index", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "index of a random direction with the same unread share"},
    {"beyond", "beyond", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "index minus random index, paired"},
    {"closed", "closed", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "of the gap in wrong moves"},
    {"closed_row", "closed by v_row", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"effect_row_long", "v_row as long as v", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"effect_null", "of v_null", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"effect_random", "random effect", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
    {"effect_random_row", "of its row part", .digits = 3, .interval = true, .flags = COLUMN_BRIEF},
};
static const FigurePart layer_parts[] = {
    {.x = "layer", .y = {"illusion_index"}, .series = "method", .facet = "origin"}};
static const FigureSpec layer_figures[] = {{.name = "illusion",
                                            .title = "effect that needs what is not read",
                                            .kind = FIGURE_LINES,
                                            FIGURE_PARTS(layer_parts)}};
const TableSpec illusion_layers_table = {
    "layers", "illusion_layers", NULL, TABLE_COLUMNS(layer_columns), TABLE_FIGURES(layer_figures)};
const TableSpec illusion_best_table = {
    .name = "best",
    .title = "for each origin and method, the layer of the largest effect on the training pairs",
    TABLE_COLUMNS(layer_columns)};

/* ---- rows ---- */

static void whole_fill(Table *table, const IllusionFindings *f)
{
    const bool weights = f->in->site == HOOK_POST;
    table_text(table, "means_source", f->means_source);
    table_text(table, "pairs_source", f->pairs_source);
    table_text(table, "model_hash", f->model_hash);
    table_text(table, "site", hook_site_name(f->in->site));
    table_text(table, "space", weights ? "row space of W_out" : "largest eigenvalues of E[J^T J]");
    table_text(table, "probe", f->probe);
    table_int(table, "fit_positions", (int64_t)f->in->fit->set.n_positions);
    table_int(table, "training_pairs", (int64_t)f->in->training->n);
    table_int(table, "untrained", (int64_t)f->study->n_untrained);
    table_int(table, "pairs", (int64_t)f->in->test->n);
    table_interval(table, "null_error", f->study->null);
    table_interval(table, "self_error", f->study->self);
    table_interval(table, "delta", f->study->delta);
}

static void row_fill(Table *table, const IllusionRow *row)
{
    table_row(table);
    table_text(table, "origin", illusion_origin_name(row->origin));
    table_text(table, "method", illusion_method_name(row->method));
    table_int(table, "layer", row->layer);
    table_int(table, "rank", (int64_t)row->rank);
    table_num(table, "disconnected", row->disconnected);
    table_num(table, "dormant", row->dormant);
    table_interval(table, "effect", row->effect[ILLUSION_FULL]);
    table_num(table, "training_effect", row->training);
    table_interval(table, "effect_row", row->effect[ILLUSION_ROW]);
    table_interval(table, "illusion_index", row->index);
    table_interval(table, "random_index", row->random_index);
    table_interval(table, "beyond", row->beyond);
    table_interval(table, "closed", row->closed);
    table_interval(table, "closed_row", row->closed_row);
    table_interval(table, "effect_row_long", row->effect[ILLUSION_ROW_LONG]);
    table_interval(table, "effect_null", row->effect[ILLUSION_NULL]);
    table_interval(table, "effect_random", row->effect[ILLUSION_RANDOM]);
    table_interval(table, "effect_random_row", row->effect[ILLUSION_RANDOM_ROW]);
}

/* The rows of one origin and method follow each other. The layer is not chosen on the pairs that
 * are reported: the largest of several would be too large. */
static void best_fill(Table *table, const IllusionStudy *study)
{
    const IllusionRow *best = NULL;
    for (size_t i = 0; i <= study->n_rows; i++) {
        const IllusionRow *row = i < study->n_rows ? &study->rows[i] : NULL;
        if (best && (!row || row->origin != best->origin || row->method != best->method)) {
            row_fill(table, best);
            best = NULL;
        }
        if (row && (!best || row->training > best->training)) {
            best = row;
        }
    }
}

void illusion_report(Report *report, const IllusionFindings *findings)
{
    whole_fill(report_table(report, &illusion_table), findings);
    Table *best = report_table(report, &illusion_best_table);
    best_fill(best, findings->study);
    best->undocumented = true;
    Table *layers = report_table(report, &illusion_layers_table);
    for (size_t i = 0; i < findings->study->n_rows; i++) {
        row_fill(layers, &findings->study->rows[i]);
    }
    layers->hidden = true;
}
