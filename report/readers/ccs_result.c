/* report/readers/ccs_result.c - contract in report/readers/ccs_result.h. */
#include "report/readers/ccs_result.h"

#include <math.h>
#include <stdio.h>

#include "game/notation.h"

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"source", "games", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"training_pairs", "training pairs", .type = COLUMN_COUNT,
     .meaning = "of consecutive plies; no label is used"},
    {"validation_pairs", "validation pairs", .type = COLUMN_COUNT, .meaning = "for the sign alone"},
    {"pairs", "test pairs", .type = COLUMN_COUNT},
    {"games", "test games", .type = COLUMN_COUNT},
    {"passes", "left out: a pass", .type = COLUMN_COUNT, .meaning = "the mover stays the same"},
    {"starts", "starts of CCS", .type = COLUMN_COUNT},
    {"steps", "steps", .type = COLUMN_COUNT},
    {"majority_accuracy", "majority", .unit = "%", .digits = 2, .interval = true,
     .meaning = "by square and ply alone, no network"},
};
const TableSpec ccs_table = {"ccs", "ccs", TABLE_COLUMNS(whole_columns), .record = true};

static const Column score_columns[] = {
    {"network", "rows", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"parity_kept", "parity", .type = COLUMN_TEXT,
     .meaning = "removed: with the mean of every ply"},
    {"method", "method", .type = COLUMN_TEXT, .meaning = "labels: the ceiling"},
    {"accuracy", "board", .unit = "%", .digits = 1, .interval = true,
     .meaning = "pairs of all squares read right"},
    {"parity_accuracy", "parity read", .unit = "%", .digits = 1, .interval = true,
     .flags = COLUMN_BRIEF},
    {"judged", "judged", .type = COLUMN_COUNT, .meaning = "squares that enough pairs keep"},
    {"found", "found", .type = COLUMN_COUNT, .meaning = "of these, at 90 % or more"},
    {"own", "own", .type = COLUMN_COUNT, .meaning = "of these, that no other is read better than"},
    {"best_accuracy", "best", .unit = "%", .digits = 1, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "square that is read best"},
    {"parity_found", "at parity", .type = COLUMN_COUNT, .meaning = "squares that read parity"},
    {"unconverged_squares", "stopped early", .type = COLUMN_COUNT, .flags = COLUMN_MINOR,
     .meaning = "squares whose fit met its limit of steps"},
};
static const FigurePart board_parts[] = {{.x = "layer",
                                          .y = {"accuracy"},
                                          .series = "method",
                                          .facet = "parity_kept",
                                          .where = "network",
                                          .is = "this"}};
static const FigureSpec score_figures[] = {{.name = "found",
                                            .title = "The board without labels, by layer",
                                            .kind = FIGURE_LINES,
                                            FIGURE_PARTS(board_parts)}};
const TableSpec ccs_scores_table = {"scores", "ccs_scores", "what directions without labels read",
                                    TABLE_COLUMNS(score_columns), TABLE_FIGURES(score_figures)};

static const Column square_columns[] = {
    {"network", "rows", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"parity_kept", "parity", .type = COLUMN_TEXT},
    {"method", "method", .type = COLUMN_TEXT},
    {"square", "square", .type = COLUMN_TEXT},
    {"square_pairs", "pairs", .type = COLUMN_COUNT},
    {"accuracy", "board", .unit = "%", .digits = 1, .interval = true},
    {"parity_accuracy", "parity read", .unit = "%", .digits = 1},
    {"loss", "loss", .digits = 4},
    {"best_square", "best read", .type = COLUMN_TEXT},
    {"best_accuracy", "accuracy", .unit = "%", .digits = 1},
};
const TableSpec ccs_squares_table = {"squares", "ccs_squares", TABLE_COLUMNS(square_columns)};

/* ---- rows ---- */

static void whole_fill(Table *table, const CcsFindings *f)
{
    const LatentStudy *study = f->study;
    table_text(table, "source", f->source);
    table_text(table, "model_hash", f->model_hash);
    table_int(table, "training_pairs", (int64_t)study->pairs[0].n);
    table_int(table, "validation_pairs", (int64_t)study->pairs[1].n);
    table_int(table, "pairs", (int64_t)study->pairs[2].n);
    table_int(table, "games", (int64_t)study->pairs[2].n_games);
    table_int(
        table, "passes",
        (int64_t)(study->pairs[0].n_passes + study->pairs[1].n_passes + study->pairs[2].n_passes));
    table_int(table, "starts", (int64_t)f->in->options.starts);
    table_int(table, "steps", (int64_t)f->in->options.steps);
    table_estimate(table, "majority_accuracy", study->majority);
}

static void row_begin(Table *table, const LatentRow *row)
{
    table_row(table);
    table_text(table, "network", latent_subject_name(row->subject));
    table_int(table, "layer", row->layer);
    table_text(table, "parity_kept", row->by_ply ? "removed" : "kept");
    table_text(table, "method", latent_method_name(row->method));
}

static void score_row(Table *table, const LatentRow *row)
{
    const LatentScore *score = &row->score;
    row_begin(table, row);
    table_estimate(table, "accuracy", score->accuracy);
    table_estimate(table, "parity_accuracy", score->parity);
    table_int(table, "judged", (int64_t)score->judged);
    table_int(table, "found", (int64_t)score->found);
    table_int(table, "own", (int64_t)score->own);
    table_estimate(table, "best_accuracy", score->best);
    table_int(table, "parity_found", (int64_t)score->parity_found);
    if (isnan(score->unconverged)) { /* CCS has no tolerance */
        table_null(table, "unconverged_squares");
    } else {
        table_int(table, "unconverged_squares", (int64_t)score->unconverged);
    }
}

static void square_rows(Table *table, const LatentRow *row, const CcsFindings *f)
{
    const GameVariant *variant = f->in->sets[0]->set.vocab->variant;
    for (size_t s = 0; s < f->study->pairs[0].n_squares; s++) {
        const LatentSquare *square = &row->score.squares[s];
        char name[16], best[16];
        square_print(name, task_square(variant, (int)s));
        square_print(best, task_square(variant, (int)square->best));
        row_begin(table, row);
        table_text(table, "square", name);
        table_int(table, "square_pairs", (int64_t)f->study->pairs[2].of_square[s]);
        table_estimate(table, "accuracy", square->accuracy);
        table_num(table, "parity_accuracy", square->parity);
        table_num(table, "loss", square->loss);
        table_text(table, "best_square", best);
        table_num(table, "best_accuracy", square->best_accuracy);
    }
}

void ccs_report(Report *report, const CcsFindings *findings)
{
    const LatentStudy *study = findings->study;
    whole_fill(report_table(report, &ccs_table), findings);
    Table *scores = report_table(report, &ccs_scores_table);
    for (size_t i = 0; i < study->n_rows; i++) {
        score_row(scores, &study->rows[i]);
    }
    Table *squares = report_table(report, &ccs_squares_table);
    for (size_t i = 0; i < study->n_rows; i++) {
        square_rows(squares, &study->rows[i], findings);
    }
    squares->hidden = true;
}
