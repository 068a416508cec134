/* report/circuits/patch_result.c - contract in report/circuits/patch_result.h. */
#include "report/circuits/patch_result.h"

#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "report/circuits/share_note.h"
#include "report/largest.h"
#include "report/heat.h"

static const Column patch_columns[] = {
    {"model_hash", .type = COLUMN_TEXT},
    {"pairs_file", "pairs of histories", .type = COLUMN_TEXT},
    {"pairs", "pairs", .type = COLUMN_COUNT},
    {"control_pairs", "transpositions", .type = COLUMN_COUNT,
     .meaning = "the same board by another history: a patch should move nothing"},
    {"patches", "patches", .type = COLUMN_COUNT},
    {"self_changed", "own values changed", .type = COLUMN_COUNT,
     .meaning = "of sites: answers that differ in a bit when one gets its own values"},
    {"seconds", "seconds", .digits = 1, .flags = COLUMN_TIME},
};
const TableSpec patch_table = {"patch", "patch", TABLE_COLUMNS(patch_columns), .record = true};

#define JUDGED_COLUMNS                                                                             \
    {"wrong_clean", "wrong moves", .digits = 2,                                                    \
     .meaning = "a pair, top-N rule, on the clean board"},                                         \
        {"wrong_corrupt", "on the corrupt", .digits = 2, .meaning = "board"},                      \
        {"strict_clean", "strict error", .unit = "%", .digits = 1,                                 \
         .meaning = "first choice illegal on the clean board"},                                    \
    {                                                                                              \
        "strict_corrupt", "on the corrupt", .unit = "%", .digits = 1, .meaning = "board"           \
    }
#define EFFECT_COLUMNS                                                                             \
    {"pairs", "pairs", .type = COLUMN_COUNT, .flags = COLUMN_MINOR,                                \
     .meaning = "that have such a position"},                                                      \
        {"effect",         "effect",                                                               \
         .unit = "%",      .digits = 1,                                                            \
         .interval = true, .meaning = "(Delta patched - base) / (other - base), sums over pairs"}, \
        {"moved", "moved", .unit = "%", .digits = 1,                                               \
         .meaning = "mean |Delta patched - base| / mean |other - base|"},                          \
        {"control_moved", "control", .unit = "%", .digits = 1,                                     \
         .meaning = "the same move on transpositions, over the pairs' |other - base|"},            \
        JUDGED_COLUMNS

static const Column run_columns[] = {
    {"mode", "mode", .type = COLUMN_TEXT,
     .meaning = "noising: base clean, other corrupt; denoising: the reverse"},
    {"history", "history", .type = COLUMN_TEXT, .meaning = "before anything is patched"},
    {"kind", "pairs", .type = COLUMN_TEXT},
    {"pairs", "number", .type = COLUMN_COUNT},
    {"delta", "Delta", .unit = "nats", .digits = 3, .interval = true},
    JUDGED_COLUMNS,
};
const TableSpec patch_runs_table = {"runs", "patch_runs", "runs before a patch",
                                    TABLE_COLUMNS(run_columns), .file = "patch_runs"};

static const Column site_columns[] = {
    {"mode", "mode", .type = COLUMN_TEXT},
    {"site", "site", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"positions", "positions", .type = COLUMN_TEXT},
    EFFECT_COLUMNS,
};
static const FigurePart sites_parts[] = {
    {.x = "layer", .y = {"effect"}, .series = "site", .facet = "mode", .within = "positions"}};
static const FigureSpec site_figures[] = {
    {"sites", "Sites patched from the other run", FIGURE_MATRIX, FIGURE_PARTS(sites_parts),
     .x.label = "layer", .y.label = "effect (%)", .signs = true},
};
const TableSpec patch_sites_table = {"sites",
                                     "patch_sites",
                                     "sites from the other run",
                                     TABLE_COLUMNS(site_columns),
                                     .file = "patch_sites",
                                     TABLE_FIGURES(site_figures)};

static const Column edge_columns[] = {
    {"mode", "mode", .type = COLUMN_TEXT},
    {"edge", "edges", .type = COLUMN_TEXT},
    {"edges", "number", .type = COLUMN_COUNT},
    {"scope", "positions", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    {"ln", "LayerNorm", .type = COLUMN_TEXT, .flags = COLUMN_MINOR},
    EFFECT_COLUMNS,
};
static const FigurePart edges_parts[] = {
    {.x = "edge", .y = {"effect", "control_moved"}, .facet = "mode"}};
static const FigureSpec edge_figures[] = {
    {"edges", "Edges patched from the other run", FIGURE_DOTS, FIGURE_PARTS(edges_parts),
     .y = {"effect", .zero = true}, .most = 30},
};
const TableSpec patch_edges_table = {"edges",
                                     "patch_edges",
                                     "edges from the other run",
                                     TABLE_COLUMNS(edge_columns),
                                     .file = "patch_edges",
                                     TABLE_FIGURES(edge_figures)};

static const Column top_columns[] = {
    {"mode", "mode", .type = COLUMN_TEXT},
    {"what", "patched", .type = COLUMN_TEXT},
    {"positions", "positions", .type = COLUMN_TEXT},
    EFFECT_COLUMNS,
};
const TableSpec patch_top_table = {.name = "top",
                                   .title =
                                       "largest effects, without those of 100 % by construction",
                                   TABLE_COLUMNS(top_columns)};

/* ---- rows ---- */

static void judged_fill(Table *table, const double wrong[2], const double strict[2])
{
    table_num(table, "wrong_clean", wrong[0]);
    table_num(table, "wrong_corrupt", wrong[1]);
    table_num(table, "strict_clean", strict[0]);
    table_num(table, "strict_corrupt", strict[1]);
}

static void effect_fill(Table *table, const PatchEffect *effect)
{
    table_int(table, "pairs", (int64_t)effect->n);
    table_interval(table, "effect", effect->effect);
    table_num(table, "moved", effect->moved);
    table_num(table, "control_moved", effect->control);
    judged_fill(table, effect->wrong, effect->strict);
}

static void position_name(char out[32], const PatchFindings *found, const PatchRow *row)
{
    if (found->asked->back > 0) {
        snprintf(out, 32, "last%s%.0d", row->cell.at > 0 ? "-" : "", row->cell.at);
    } else {
        snprintf(out, 32, "%s", patch_position_name((PatchPosition)row->cell.at));
    }
}

static void edges_name(char out[2 * GRAPH_NAME_MAX], const PatchFindings *found,
                       const PatchRow *row)
{
    if (row->edge != SIZE_MAX && !row->random) {
        graph_edge_name(out, found->asked->graph, row->edge);
    } else {
        snprintf(out, 2 * (size_t)GRAPH_NAME_MAX, row->random ? "random sets" : "all of them");
    }
}

static void row_fill(Table *table, const PatchFindings *found, const PatchRow *row)
{
    char name[2 * GRAPH_NAME_MAX];
    table_row(table);
    table_text(table, "mode", patch_mode_name(row->mode));
    if (row->n_edges == 0) {
        position_name(name, found, row);
        table_text(table, "site", hook_site_name(row->cell.site));
        table_int(table, "layer", row->cell.layer);
        table_text(table, "positions", name);
    } else {
        edges_name(name, found, row);
        table_text(table, "edge", name);
        table_int(table, "edges", (int64_t)row->n_edges);
        table_text(table, "scope", patch_scope_name(found->asked->scope));
        table_text(table, "ln", patch_norm_name(found->asked->norm));
    }
    effect_fill(table, &row->effect);
}

static void top_fill(Table *table, const PatchFindings *found, const PatchRow *row)
{
    char name[2 * GRAPH_NAME_MAX], positions[32];
    table_row(table);
    table_text(table, "mode", patch_mode_name(row->mode));
    if (row->n_edges == 0) {
        snprintf(name, sizeof(name), "%.24s %d", hook_site_name(row->cell.site), row->cell.layer);
        position_name(positions, found, row);
    } else {
        edges_name(name, found, row);
        snprintf(positions, sizeof(positions), "%s", patch_scope_name(found->asked->scope));
    }
    table_text(table, "what", name);
    table_text(table, "positions", positions);
    effect_fill(table, &row->effect);
}

/* The kind that all pairs are of, or "both kinds". */
static const char *kind_of(const GamePair *pairs, size_t n)
{
    PairKind kind = pair_kind(&pairs[0]);
    for (size_t i = 1; i < n; i++) {
        if (pair_kind(&pairs[i]) != kind) {
            return "both kinds"; /* a file of chosen pairs holds no others */
        }
    }
    return pair_kind_name(kind);
}

static void runs_fill(Report *report, const PatchStudy *study, const PatchAsked *asked)
{
    Table *table = report_table(report, &patch_runs_table);
    for (size_t i = 0; i < study->n_runs; i++) {
        const PatchRun *run = &study->runs[i];
        bool clean = run->other == (run->mode != MODE_NOISING);
        table_row(table);
        table_text(table, "mode", patch_mode_name(run->mode));
        table_text(table, "history",
                   clean                     ? "clean"
                   : run->mode == MODE_NOISE ? "with noise"
                                             : "corrupt");
        table_text(table, "kind", kind_of(run->control ? asked->control : asked->pairs, run->n));
        table_int(table, "pairs", (int64_t)run->n);
        table_interval(table, "delta", run->delta);
        judged_fill(table, run->wrong, run->strict);
    }
}

/* ---- maps ---- */

/* One map a mode: sites by layers, at all positions (or at the last one, without classes). */
static void draw_maps(Report *report, const PatchFindings *found)
{
    const PatchStudy *study = found->study;
    int L = found->asked->graph->n_layers;
    for (int mode = 0; mode < N_PATCH_MODES; mode++) {
        double values[N_HOOK_SITES * LAYERS_MAX];
        const char *names[N_HOOK_SITES];
        char title[96];
        size_t n = 0;
        for (int site = 0; site < N_HOOK_SITES; site++) {
            bool any = false;
            for (int layer = 0; layer < L; layer++) {
                values[n * (size_t)L + (size_t)layer] = NAN;
            }
            for (size_t i = 0; i < study->n_rows; i++) {
                const PatchRow *row = &study->rows[i];
                if ((int)row->mode == mode && (int)row->cell.site == site && row->cell.at == 0 &&
                    row->cell.layer < L) {
                    values[n * (size_t)L + (size_t)row->cell.layer] = row->effect.effect.value;
                    any = true;
                }
            }
            if (any) {
                names[n++] = hook_site_name((HookSite)site);
            }
        }
        snprintf(title, sizeof(title), "%s, effect in %% at %s, by layer",
                 patch_mode_name((PatchMode)mode),
                 found->asked->back > 0 ? "the last position" : "all positions");
        if (n > 0) {
            draw_grid(report_text(report),
                      &(HeatGrid){title, names, n, (size_t)L, values, found->colour, NULL});
        }
    }
}

/* ---- the whole ---- */

static bool has_edges(const PatchFindings *found)
{
    return found->asked->edges || found->asked->every_edge;
}

/* Denoising asks the same as noising, the other way round. */
static void warn_of_shares(Report *report, const PatchFindings *found)
{
    unsigned modes = found->asked->modes;
    for (int mode = 0; mode < N_PATCH_MODES; mode++) {
        bool again = mode == MODE_DENOISING && (modes >> MODE_NOISING & 1) != 0;
        if ((modes >> mode & 1) != 0 && !again) {
            share_report(report, patch_mode_name((PatchMode)mode), found->study->total[mode]);
        }
    }
}

static void rows_fill(Report *report, const PatchFindings *found)
{
    const PatchStudy *study = found->study;
    bool edges = has_edges(found);
    Table *sites = report_table(report, &patch_sites_table);
    Table *sets = report_table(report, &patch_edges_table);
    Largest *order = mem_alloc(study->n_rows, sizeof(*order), "order of patches");
    for (size_t i = 0; i < study->n_rows; i++) {
        row_fill(edges ? sets : sites, found, &study->rows[i]);
    }
    sites->hidden = edges || study->n_rows > (size_t)found->top;
    sets->hidden = !edges || study->n_rows > (size_t)found->top;
    if (order && study->n_rows > (size_t)found->top) {
        Table *top = report_table(report, &patch_top_table);
        top->undocumented = top->unstored = true;
        size_t n = 0;
        for (size_t i = 0; i < study->n_rows; i++) {
            const PatchRow *row = &study->rows[i];
            if (edges ||
                !patch_cell_whole(&row->cell, found->asked->graph->n_layers, found->asked->back)) {
                double size = fabs(row->effect.effect.value);
                order[n++] = (Largest){isnan(size) ? -1 : size, i};
            }
        }
        largest_sort(order, n);
        for (size_t i = 0; i < n && i < (size_t)found->top; i++) {
            top_fill(top, found, &study->rows[order[i].index]);
        }
    }
    if (!edges) {
        draw_maps(report, found);
    }
    mem_free(order);
}

void patch_report(Report *report, const PatchFindings *found)
{
    Table *table = report_table(report, &patch_table);
    table_text(table, "model_hash", found->model_hash);
    table_text(table, "pairs_file", found->pairs_file);
    table_int(table, "pairs", (int64_t)found->asked->n_pairs);
    table_int(table, "control_pairs", (int64_t)found->asked->n_control);
    table_int(table, "patches", (int64_t)found->study->n_rows);
    if (has_edges(found)) {
        table_null(table, "self_changed"); /* nobody put them in */
    } else {
        table_int(table, "self_changed", (int64_t)found->study->self_changed);
    }
    table_num(table, "seconds", found->seconds);
    runs_fill(report, found->study, found->asked);
    warn_of_shares(report, found);
    rows_fill(report, found);
}
