/* report/world/alignment_result.c - contract in report/world/alignment_result.h. */
#include "report/world/alignment_result.h"

#include <math.h>

static const Column whole_columns[] = {
    {"source", "from", .type = COLUMN_TEXT},
    {"rules", "plays by", .type = COLUMN_TEXT},
    {"origin", "it was", .type = COLUMN_TEXT,
     .meaning = "trained, or renamed by ogpt convert: a twin"},
    {"other_rules", "the other plays by", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"width", "width", .type = COLUMN_COUNT},
    {"fit_games", "games to fit maps", .type = COLUMN_COUNT},
    {"test_games", "games", .type = COLUMN_COUNT},
    {"strict_error", "strict error", .unit = "%", .digits = 2, .interval = true},
    {"other_strict_error", "of the other", .unit = "%", .digits = 2, .interval = true},
    {"largest_rest", "largest rest", .digits = -1,
     .meaning = "of all layers, by their own maps; 0: nothing but rounding"},
};
const TableSpec alignment_table = {"alignment", "alignment", TABLE_COLUMNS(whole_columns),
                                   .record = true};

static const Column layer_columns[] = {
    {"origin", .type = COLUMN_TEXT},
    {"rules", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"rank", "rank", .type = COLUMN_COUNT, .meaning = "directions that the fit games decide"},
    {"unchanged", "alpha, own rows", .digits = 4, .interval = true},
    {"lead", "own over shared", .digits = 4, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "alpha by the map of the layer minus alpha by the shared one"},
};
const TableSpec alignment_layers_table = {"layers", "alignment_layers",
                                          "one rotation for all layers, or one for each?",
                                          TABLE_COLUMNS(layer_columns)};

static const Column map_columns[] = {
    {"origin", .type = COLUMN_TEXT},
    {"rules", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"map", "map", .type = COLUMN_TEXT},
    {"rest", "rest", .digits = -1, .interval = true,
     .meaning = "squares left by the map, by those around the mean row; below 1e-12, rounding: 0"},
    {"alpha", "alpha", .digits = 4, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "1 - KL by that of all tokens alike, with mapped rows"},
};
static const FigurePart alpha_parts[] = {{.x = "layer", .y = {"alpha"}, .series = "map"}};
static const FigurePart rest_parts[] = {{.x = "layer", .y = {"rest"}, .series = "map"}};
static const FigureSpec map_figures[] = {
    {.name = "alpha",
     .title = "how a network plays on with the mapped rows of another, by layer",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(alpha_parts),
     .main = true},
    {.name = "rest",
     .title = "what a rotation leaves of the rows, by layer",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(rest_parts)},
};
const TableSpec alignment_maps_table = {"maps", "alignment_maps",
                                        "rotations, judged on games that they were not fitted on",
                                        TABLE_COLUMNS(map_columns), TABLE_FIGURES(map_figures)};

/* Rows are floats: squares of what rounding leaves are below 1e-12 of those of a row. */
#define ROUNDING 1e-12
static double rounded(double value)
{
    return fabs(value) < ROUNDING ? 0 : value;
}

static Interval interval_rounded(Interval of)
{
    return (Interval){rounded(of.value), rounded(of.low), rounded(of.high)};
}

void world_report_alignment(Report *report, const AlignmentReport *what)
{
    Table *whole = report_table(report, &alignment_table);
    Table *layers = report_table(report, &alignment_layers_table);
    Table *maps = report_table(report, &alignment_maps_table);
    const char *origin = what->renamed ? "renamed" : "trained";
    double largest = 0;
    for (size_t i = 0; i < what->n; i++) {
        const AlignmentRow *row = &what->rows[i];
        double rest = rounded(row->rest[ALIGNMENT_OWN].value);
        largest = rest > largest ? rest : largest;
        table_row(layers);
        table_text(layers, "origin", origin);
        table_text(layers, "rules", what->from_rules);
        table_int(layers, "layer", row->layer);
        table_int(layers, "rank", (int64_t)row->rank);
        table_interval(layers, "unchanged", row->unchanged);
        table_interval(layers, "lead", interval_rounded(row->lead));
        for (int m = 0; m < N_ALIGNMENT_MAPS; m++) {
            table_row(maps);
            table_text(maps, "origin", origin);
            table_text(maps, "rules", what->from_rules);
            table_int(maps, "layer", row->layer);
            table_text(maps, "map", alignment_map_name((AlignmentMap)m));
            table_interval(maps, "rest", interval_rounded(row->rest[m]));
            table_interval(maps, "alpha", row->alpha[m]);
        }
    }
    text_add(report_text(report),
             "\nrest: squares that the map leaves of the other's rows, by those around the mean\n"
             "row; 0: the same stream, turned; 1: as good as the mean row; more: rows of\n"
             "another length, which no rotation changes\n"
             "alpha: how the other plays on with mapped rows, 1 - KL / KL of all tokens alike;\n"
             "1: by the rules; 0: as all tokens alike\n");
    table_text(whole, "source", what->from);
    table_text(whole, "rules", what->from_rules);
    table_text(whole, "origin", origin);
    table_text(whole, "other_rules", what->to_rules);
    table_text(whole, "model_hash", what->model_hash);
    table_int(whole, "width", what->width);
    table_int(whole, "fit_games", (int64_t)what->fit_games);
    table_int(whole, "test_games", (int64_t)what->test_games);
    table_interval(whole, "strict_error", what->strict[0]);
    table_interval(whole, "other_strict_error", what->strict[1]);
    table_num(whole, "largest_rest", largest);
}
