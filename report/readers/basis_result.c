/* report/readers/basis_result.c - contract in report/readers/basis_result.h. */
#include "report/readers/basis_result.h"

#include <math.h>
#include <stdio.h>

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"source", "games", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"beside", "network beside it", .type = COLUMN_TEXT},
    {"beside_hash", .type = COLUMN_TEXT},
    {"probe", "probe", .type = COLUMN_TEXT},
    {"games", "games drawn", .type = COLUMN_COUNT},
    {"positions", "positions", .type = COLUMN_COUNT},
    {"rotations", "rotations", .type = COLUMN_COUNT, .meaning = "random bases for the same rows"},
    {"turn_empty", "|cos| turn, empty", .digits = 3, .interval = true,
     .meaning = "both directions of one square, middle layer of the probe; interval over squares"},
};
const TableSpec basis_table = {"basis", "basis", TABLE_COLUMNS(whole_columns), .record = true};

#define PLACE_COLUMNS                                                                              \
    {"network", "network", .type = COLUMN_TEXT}, {"site", "site", .type = COLUMN_TEXT},            \
        {"layer", "layer", .type = COLUMN_LAYER},                                                  \
        {"kurtosis",                                                                               \
         "kurtosis",                                                                               \
         .digits = 2,                                                                              \
         .interval = true,                                                                         \
         .flags = COLUMN_BRIEF,                                                                    \
         .meaning = "excess, mean over coordinates"},                                              \
        {"rotated", "rotated", .digits = 2, .meaning = "mean over random rotations"},              \
        {"beyond", "beyond", .digits = 2, .interval = true,                                        \
         .meaning = "kurtosis - rotated; interval over games"},                                    \
        {"z", "z", .digits = 1, .meaning = "over rotations"}, {"p", "p", .digits = 3},             \
        {"median_kurtosis", "median", .digits = 2, .meaning = "over coordinates"},                 \
        {"rotated_median", "median rotated", .digits = 2},                                         \
        {"z_median", "z of median", .digits = 1},                                                  \
        {"largest", "largest", .digits = 1, .meaning = "of a coordinate"},                         \
    {                                                                                              \
        "coordinates", "coordinates", .type = COLUMN_COUNT, .flags = COLUMN_WIDE                   \
    }
static const Column place_columns[] = {PLACE_COLUMNS};
static const FigurePart stream_parts[] = {
    {.x = "layer", .y = {"beyond"}, .series = "network", .where = "site", .is = "resid_post"}};
static const FigurePart neuron_parts[] = {
    {.x = "layer", .y = {"beyond"}, .series = "network", .where = "site", .is = "mlp_post"}};
static const FigureSpec place_figures[] = {
    {.name = "kurtosis",
     .title = "Kurtosis of the stream beyond that of rotated rows",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(stream_parts)},
    {.name = "neurons",
     .title = "The same of neurons",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(neuron_parts)},
};
const TableSpec basis_places_table = {
    "kurtosis", "basis_kurtosis", "excess kurtosis of coordinates, and of the same rows rotated",
    TABLE_COLUMNS(place_columns), TABLE_FIGURES(place_figures)};

static const Column difference_columns[] = {
    {"site", "site", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"own_beyond", "this", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"beside_beyond", "beside", .digits = 2, .interval = true, .flags = COLUMN_BRIEF},
    {"difference", "difference", .digits = 2, .interval = true, .meaning = "over the same games"},
    {"own_z", "z", .digits = 1},
    {"beside_z", "z beside", .digits = 1},
};
const TableSpec basis_differences_table = {"differences", "basis_differences",
                                           "kurtosis beyond rotated rows, side by side",
                                           TABLE_COLUMNS(difference_columns)};

static const Column set_columns[] = {
    {"network", "network", .type = COLUMN_TEXT},
    {"directions", "directions", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"n", "n", .type = COLUMN_COUNT},
    {"dimensions", "in", .type = COLUMN_COUNT},
    {"cosine", "|cos|", .digits = 4, .interval = true,
     .meaning = "mean over pairs; interval over squares, neurons or tokens"},
    {"chance", "random", .digits = 4, .meaning = "independent directions"},
    {"z", "z", .digits = 1, .meaning = "against random sets"},
    {"largest", "largest", .digits = 3},
    {"chance_largest", "random largest", .digits = 3},
    {"least_largest", "Welch largest", .digits = 3,
     .meaning = "no set has a smaller largest |cos|"},
    {"square", "cos^2", .digits = 4},
    {"chance_square", "random cos^2", .digits = 4},
    {"least_square", "Welch cos^2", .digits = 4, .meaning = "no set has a smaller mean cos^2"},
    {"rank", "rank", .digits = 1, .meaning = "effective"},
    {"per_direction", "dims", .digits = 3, .meaning = "dimensions of a direction, mean"},
};
const TableSpec basis_sets_table = {"directions", "basis_directions", "interference of directions",
                                    TABLE_COLUMNS(set_columns)};

static const Column toy_columns[] = {
    {"cells", "cells", .type = COLUMN_COUNT, .meaning = "of p and r: two features, one dimension"},
    {"starts", "starts", .type = COLUMN_COUNT, .meaning = "searches a cell; the best is kept"},
    {"worst", "largest loss / closed form", .digits = 4,
     .meaning = "fitted over the least of the three closed forms"},
    {"judged", "cells away from a boundary", .type = COLUMN_COUNT,
     .meaning = "the next closed form is 20 % worse or more"},
    {"agree", "of these, W is the winner", .type = COLUMN_COUNT},
};
const TableSpec basis_toy_table = {"toy", "basis_toy", TABLE_COLUMNS(toy_columns), .record = true};

static const Column phase_columns[] = {
    {"p", "p", .digits = 3, .meaning = "that a feature is there"},
    {"r", "r", .digits = 2, .meaning = "importance of the second"},
    {"first", "keep first", .digits = -1},
    {"second", "keep second", .digits = -1},
    {"both", "both", .digits = -1},
    {"loss", "fitted", .digits = -1},
    {"best", "best", .type = COLUMN_TEXT},
    {"found", "found", .type = COLUMN_TEXT},
    {"margin", "margin", .digits = 3},
    {"dimensions_first", "D of first", .digits = 2},
    {"dimensions_second", "D of second", .digits = 2},
};
static const FigurePart phase_parts[] = {{.x = "r", .y = {"dimensions_second"}, .series = "p"}};
static const FigureSpec phase_figures[] = {
    {.name = "phases",
     .title = "Dimensions of the second feature: 0 left out, 0.5 shared, 1 kept alone",
     .kind = FIGURE_MATRIX,
     FIGURE_PARTS(phase_parts),
     .x = {.label = "importance r"},
     .rows = "probability p"}};
const TableSpec basis_phases_table = {"phases", "basis_phases", TABLE_COLUMNS(phase_columns),
                                      TABLE_FIGURES(phase_figures)};

static const Column feature_columns[] = {
    {"features", "features", .type = COLUMN_COUNT},
    {"dimensions", "in", .type = COLUMN_COUNT},
    {"p", "p", .digits = 3},
    {"loss", "loss", .digits = -1},
    {"kept", "kept", .type = COLUMN_COUNT, .meaning = "longer than half of the longest"},
    {"per_feature", "D", .digits = 3, .meaning = "mean dimensions of a kept feature"},
    {"sum_dimensions", "sum of D", .digits = 3, .meaning = "at most the dimensions"},
    {"largest", "largest |cos|", .digits = 3},
    {"least_largest", "Welch", .digits = 3},
};
const TableSpec basis_features_table = {"features", "basis_features",
                                        "more features, equally important",
                                        TABLE_COLUMNS(feature_columns)};

/* ---- rows ---- */

static void whole_fill(Table *table, const BasisFindings *f)
{
    table_text(table, "source", f->source);
    table_text(table, "model_hash", f->model_hash);
    if (f->beside) {
        table_text(table, "beside", f->beside);
        table_text(table, "beside_hash", f->beside_hash);
    }
    table_text(table, "probe", f->probe);
    table_int(table, "games", (int64_t)f->in->set->n_games);
    table_int(table, "positions", (int64_t)f->in->set->n_positions);
    table_int(table, "rotations", (int64_t)f->in->rotations);
    if (f->in->probe) {
        table_interval(table, "turn_empty", f->study->turn_empty);
    }
}

static void place_row(Table *table, const BasisPlace *place)
{
    const BasisKurtosis *k = &place->kurtosis;
    table_row(table);
    table_text(table, "network", basis_network_name(place->network));
    table_text(table, "site", hook_site_name(place->site));
    table_int(table, "layer", place->layer);
    table_estimate(table, "kurtosis", k->mean);
    table_num(table, "rotated", k->rotated);
    table_estimate(table, "beyond", k->beyond);
    table_num(table, "z", k->z);
    table_num(table, "p", k->p);
    table_num(table, "median_kurtosis", k->median);
    table_num(table, "rotated_median", k->rotated_median);
    table_num(table, "z_median", k->z_median);
    table_num(table, "largest", k->largest);
    table_int(table, "coordinates", (int64_t)k->used);
}

static const BasisPlace *place_of(const BasisStudy *study, BasisNetwork network,
                                  const BasisDifference *at)
{
    for (size_t i = 0; i < study->n_places; i++) {
        const BasisPlace *place = &study->places[i];
        if (place->network == network && place->site == at->site && place->layer == at->layer) {
            return place;
        }
    }
    return NULL;
}

static void difference_row(Table *table, const BasisStudy *study, const BasisDifference *at)
{
    const BasisPlace *own = place_of(study, BASIS_OWN, at);
    const BasisPlace *beside = place_of(study, BASIS_BESIDE, at);
    table_row(table);
    table_text(table, "site", hook_site_name(at->site));
    table_int(table, "layer", at->layer);
    if (own && beside) {
        table_estimate(table, "own_beyond", own->kurtosis.beyond);
        table_estimate(table, "beside_beyond", beside->kurtosis.beyond);
        table_num(table, "own_z", own->kurtosis.z);
        table_num(table, "beside_z", beside->kurtosis.z);
    }
    table_estimate(table, "difference", at->beyond);
}

static void set_row(Table *table, const BasisSet *set)
{
    const BasisAngles *angles = &set->angles;
    table_row(table);
    table_text(table, "network", basis_network_name(set->network));
    table_text(table, "directions", set->name);
    table_int(table, "layer", set->layer);
    table_int(table, "n", (int64_t)angles->n);
    table_int(table, "dimensions", (int64_t)angles->d);
    table_interval(table, "cosine", angles->mean);
    table_num(table, "chance", set->chance.mean.mean);
    table_num(table, "z", angles->z_mean);
    table_num(table, "largest", angles->cosines.largest);
    table_num(table, "chance_largest", set->chance.mean.largest);
    table_num(table, "least_largest", sqrt(angles->bound));
    table_num(table, "square", angles->cosines.square);
    table_num(table, "chance_square", set->chance.mean.square);
    table_num(table, "least_square", angles->bound);
    table_num(table, "rank", angles->rank);
    table_num(table, "per_direction", angles->dimensions);
}

void basis_report(Report *report, const BasisFindings *findings)
{
    const BasisStudy *study = findings->study;
    whole_fill(report_table(report, &basis_table), findings);
    Table *places = report_table(report, &basis_places_table);
    for (size_t i = 0; i < study->n_places; i++) {
        place_row(places, &study->places[i]);
    }
    Table *differences =
        study->n_differences > 0 ? report_table(report, &basis_differences_table) : NULL;
    for (size_t i = 0; i < study->n_differences; i++) {
        difference_row(differences, study, &study->differences[i]);
    }
    Table *sets = report_table(report, &basis_sets_table);
    for (size_t i = 0; i < study->n_sets; i++) {
        set_row(sets, &study->sets[i]);
    }
}

/* ---- toys ---- */

static void phase_row(Table *table, const ToyCell *cell)
{
    table_row(table);
    table_num(table, "p", cell->p);
    table_num(table, "r", cell->r);
    table_num(table, "first", cell->closed[TOY_FIRST]);
    table_num(table, "second", cell->closed[TOY_SECOND]);
    table_num(table, "both", cell->closed[TOY_BOTH]);
    table_num(table, "loss", cell->fit.loss);
    table_text(table, "best", toy_phase_name(cell->best));
    table_text(table, "found", toy_phase_name(cell->found));
    table_num(table, "margin", cell->margin);
    table_num(table, "dimensions_first", cell->fit.dimensions[0]);
    table_num(table, "dimensions_second", cell->fit.dimensions[1]);
}

static void feature_row(Table *table, const ToyRow *row)
{
    double sum = 0, kept = 0;
    for (size_t i = 0; i < row->shape.features; i++) {
        sum += row->fit.dimensions[i];
        kept += row->fit.is_kept[i] ? row->fit.dimensions[i] : 0;
    }
    table_row(table);
    table_int(table, "features", (int64_t)row->shape.features);
    table_int(table, "dimensions", (int64_t)row->shape.dims);
    table_num(table, "p", row->shape.p);
    table_num(table, "loss", row->fit.loss);
    table_int(table, "kept", (int64_t)row->fit.kept);
    table_num(table, "per_feature", kept / (double)row->fit.kept);
    table_num(table, "sum_dimensions", sum);
    table_num(table, "largest", row->fit.largest);
    table_num(table, "least_largest", sqrt(basis_welch(row->fit.kept, row->shape.dims)));
}

/* The diagram in letters: what was found; an accent where the closed forms say otherwise. */
static void diagram_draw(Text *text, const BasisToyFindings *f)
{
    static const char letters[N_TOY_PHASES] = {'1', '2', 'x', '?'};
    text_add(text,
             "what is kept: 1 the first feature, 2 the second, x both at opposite ends, ? none "
             "of these; ! where another closed form is better\nrows: p, that a feature is there; "
             "columns: r, importance of the second, from %.1f to %.0f\n",
             f->cells[0].r, f->cells[f->n - 1].r);
    for (size_t i = 0; i < f->n; i++) {
        text_add(text, "%6.3f ", f->cells[i * f->n].p);
        for (size_t j = 0; j < f->n; j++) {
            const ToyCell *cell = &f->cells[i * f->n + j];
            text_add(text, " %c%c", letters[cell->found], cell->found == cell->best ? ' ' : '!');
        }
        text_add(text, "\n");
    }
}

void basis_toy_report(Report *report, const BasisToyFindings *findings)
{
    Table *whole = report_table(report, &basis_toy_table);
    double worst = 0;
    int64_t judged = 0, agree = 0;
    for (size_t i = 0; i < findings->n * findings->n; i++) {
        const ToyCell *cell = &findings->cells[i];
        bool away = cell->margin >= TOY_MARGIN;
        worst = fmax(worst, cell->fit.loss / cell->closed[cell->best]);
        judged += away;
        agree += away && cell->found == cell->best;
    }
    table_int(whole, "cells", (int64_t)(findings->n * findings->n));
    table_int(whole, "starts", (int64_t)findings->starts);
    table_num(whole, "worst", worst);
    table_int(whole, "judged", judged);
    table_int(whole, "agree", agree);
    diagram_draw(report_text(report), findings);
    Table *phases = report_table(report, &basis_phases_table);
    for (size_t i = 0; i < findings->n * findings->n; i++) {
        phase_row(phases, &findings->cells[i]);
    }
    phases->hidden = true; /* drawn above */
    Table *features = report_table(report, &basis_features_table);
    for (size_t i = 0; i < TOY_SERIES; i++) {
        feature_row(features, &findings->rows[i]);
    }
}
