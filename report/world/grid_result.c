/* report/world/grid_result.c - contract in report/world/grid_result.h. */
#include "report/world/grid_result.h"

#include <math.h>

static const Column run_columns[] = {
    {"source", "folder", .type = COLUMN_TEXT},
    {"test", "test", .type = COLUMN_TEXT},
    {"score", "score", .digits = 4},
    {"score_meaning", "what it is", .type = COLUMN_TEXT, .flags = COLUMN_UNSTORED},
    {"cells", "trainings", .type = COLUMN_COUNT},
    {"size", "board", .type = COLUMN_COUNT, .meaning = "squares a side"},
    {"d_model", "width", .type = COLUMN_COUNT},
    {"steps", "steps", .type = COLUMN_COUNT},
    {"batch", "games a step", .type = COLUMN_COUNT},
    {"planted", "games planted", .type = COLUMN_COUNT},
    {"copies", "copies of each", .type = COLUMN_COUNT},
    {"chance_exposure", "exposure by chance", .digits = 3,
     .meaning = "mean over the cells, of games that none was trained on"},
};
const TableSpec grid_table = {"grid", "world_grid", TABLE_COLUMNS(run_columns), .file = "run",
                              .record = true};

static const Column cell_columns[] = {
    {"layers", "layers", .type = COLUMN_COUNT},
    {"games", "games", .type = COLUMN_COUNT},
    {"train_seed", "seed", .type = COLUMN_COUNT},
    {"parameters", "parameters", .type = COLUMN_COUNT, .flags = COLUMN_BRIEF},
    {"epochs", "epochs", .digits = 1},
    {"train_excess", "excess, seen", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"held_excess", "held out", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"memorisation", "memorisation", .digits = 4,
     .meaning = "held-out excess minus that of seen games, at equal ply"},
    {"train_strict", "error, seen", .unit = "%", .digits = 2, .interval = true,
     .flags = COLUMN_BRIEF},
    {"strict_error", "held out", .unit = "%", .digits = 2, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "top token not legal"},
    {"probe", "squares read", .unit = "%", .digits = 1},
    {"probe_boards", "boards read", .unit = "%", .digits = 1, .flags = COLUMN_MINOR},
    {"exposure_planted", "exposure, planted", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"exposure_once", "seen once", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"exposure_none", "held out", .digits = 2, .interval = true, .flags = COLUMN_MINOR},
};
static const FigurePart excess_parts[] = {
    {.x = "games", .y = {"train_excess", "held_excess"}, .facet = "layers"}};
static const FigurePart layer_parts[] = {
    {.x = "layers", .y = {"train_excess", "held_excess"}, .facet = "games"}};
static const FigurePart memory_parts[] = {
    {.x = "games", .y = {"memorisation"}, .series = "layers"}};
static const FigureSpec cell_figures[] = {
    {.name = "excess",
     .title = "excess on games that were seen and on held-out ones, by games of the corpus",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(excess_parts),
     .x = {.log = true},
     .main = true},
    {.name = "depth",
     .title = "excess on games that were seen and on held-out ones, by layers",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(layer_parts)},
    {.name = "memorisation",
     .title = "held-out excess minus that of seen games",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(memory_parts),
     .x = {.log = true}},
};
const TableSpec grid_cells_table = {"cells", "world_grid_cells", "one row a training",
                                    TABLE_COLUMNS(cell_columns), TABLE_FIGURES(cell_figures)};

static void cell_add(Table *table, const GridCell *cell, const GridScore *score)
{
    table_row(table);
    table_int(table, "layers", cell->layers);
    table_int(table, "games", (int64_t)cell->games);
    table_int(table, "train_seed", (int64_t)cell->seed);
    table_int(table, "parameters", (int64_t)score->parameters);
    table_num(table, "epochs", score->epochs);
    table_interval(table, "train_excess", score->train_excess);
    table_interval(table, "held_excess", score->held_excess);
    table_num(table, "memorisation", score->memorisation);
    table_interval(table, "train_strict", score->train_strict);
    table_interval(table, "strict_error", score->held_strict);
    table_num(table, "probe", score->probe);
    table_num(table, "probe_boards", score->probe_boards);
    table_interval(table, "exposure_planted", score->exposure_planted);
    table_interval(table, "exposure_once", score->exposure_once);
    table_interval(table, "exposure_none", score->exposure_none);
}

void world_report_grid(Report *report, const GridReport *what)
{
    const GridPlan *plan = what->plan;
    Table *run = report_table(report, &grid_table),
          *cells = report_table(report, &grid_cells_table);
    double chance = 0, most = NAN;
    for (size_t i = 0; i < what->n; i++) {
        cell_add(cells, &what->cells[i], &what->scores[i]);
        chance += what->scores[i].exposure_none.value / (double)what->n;
        most = fmax(most, what->scores[i].memorisation);
    }
    table_text(run, "source", what->folder);
    table_text(run, "test", "grid");
    table_num(run, "score", most);
    table_text(run, "score_meaning", "the largest memorisation of a training, nats");
    table_int(run, "cells", (int64_t)what->n);
    table_int(run, "size", plan->variant->size);
    table_int(run, "d_model", plan->shape.d_model);
    table_int(run, "steps", plan->train.steps);
    table_int(run, "batch", plan->train.batch);
    table_int(run, "planted", (int64_t)plan->planted);
    table_int(run, "copies", (int64_t)(plan->planted > 0 ? plan->copies : 0));
    table_num(run, "chance_exposure", chance);
}
