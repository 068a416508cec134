/* report/dictionaries/features_result.c - contract in report/dictionaries/features_result.h. */
#include "report/dictionaries/features_result.h"

#include <math.h>
#include <stdio.h>

#include "game/notation.h"

#define LOOKS_PRINTED 6 /* the clamping of more features is in pages, JSON and CSV only */

/* ---- columns ---- */

static const Column whole_columns[] = {
    {"autoencoder", "autoencoder", .type = COLUMN_TEXT},
    {"source", "games", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"site", "site", .type = COLUMN_TEXT},
    {"layer", "layer", .type = COLUMN_LAYER},
    {"probe", "probe", .type = COLUMN_TEXT},
    {"fit_games", "fit games", .type = COLUMN_COUNT, .meaning = "choose property and threshold"},
    {"test_games", "test games", .type = COLUMN_COUNT, .meaning = "all numbers"},
    {"positions", "test positions", .type = COLUMN_COUNT},
    {"features", "features", .type = COLUMN_COUNT},
    {"alive", "alive", .type = COLUMN_COUNT, .meaning = "on at some position"},
    {"above_shuffled", "above shuffled", .type = COLUMN_COUNT,
     .meaning = "whose F1 is above that on boards of other games, intervals apart"},
    {"mean_f1", "mean F1", .digits = 3, .meaning = "of those that live"},
    {"mean_f1_shuffled", "mean F1 shuffled", .digits = 3, .meaning = "on boards of other games"},
    {"probe_by_chance", "probe cosine by chance", .digits = 3,
     .meaning = "mean largest cosine of random directions"},
    {"move_by_chance", "move cosine by chance", .digits = 3},
};
const TableSpec dictionaries_features_table = {"features", "sae_features",
                                               TABLE_COLUMNS(whole_columns), .record = true};

static const Column list_columns[] = {
    {"name", "feature", .type = COLUMN_TEXT},
    {"number", .type = COLUMN_COUNT},
    {"alive", "alive", .type = COLUMN_YES_NO, .flags = COLUMN_MINOR},
    {"density", "on", .unit = "%", .digits = 2, .meaning = "of the test positions"},
    {"mean_on", "mean when on", .digits = 3, .flags = COLUMN_MINOR},
    {"largest", "largest", .digits = 3, .flags = COLUMN_WIDE, .meaning = "on the fit games"},
    {"property", "property", .type = COLUMN_TEXT,
     .meaning = "what of a square it tells best, by the fit games"},
    {"threshold", "threshold", .digits = 1, .flags = COLUMN_WIDE,
     .meaning = "share of the largest value"},
    {"precision", "precision", .digits = 3, .meaning = "on the test games, as all that follows"},
    {"recall", "recall", .digits = 3},
    {"f1", "F1", .digits = 3, .interval = true},
    {"f1_fit", "F1 fit", .digits = 3, .flags = COLUMN_WIDE},
    {"f1_shuffled", "shuffled", .digits = 3, .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "the same search on boards of other games"},
    {"property_shuffled", "shuffled property", .type = COLUMN_TEXT, .flags = COLUMN_WIDE},
    {"probe_direction", "nearest of probe", .type = COLUMN_TEXT},
    {"probe_cosine", "cosine", .digits = 2},
    {"move", "nearest move", .type = COLUMN_TEXT, .meaning = "of the unembedding"},
    {"move_cosine", "move cosine", .digits = 2},
};
const TableSpec dictionaries_features_list_table = {
    "list", "sae_feature", "features, by how well they tell a square", TABLE_COLUMNS(list_columns)};
const TableSpec dictionaries_features_top_table = {
    "top", NULL, "features, by how well they tell a square", TABLE_COLUMNS(list_columns)};

static const Column clamp_columns[] = {
    {"name", "feature", .type = COLUMN_TEXT},
    {"feature_is", "where it is", .type = COLUMN_TEXT},
    {"clamped_to", "clamped to", .type = COLUMN_TEXT},
    {"positions", "positions", .type = COLUMN_COUNT},
    {"kl", "KL", .unit = "nats", .digits = 4, .meaning = "from the unchanged answer"},
    {"strict_error", "strict error", .unit = "%", .digits = 1,
     .meaning = "first move is not legal"},
    {"strict_error_clean", "unchanged", .unit = "%", .digits = 1},
    {"wrong_moves", "wrong moves", .digits = 3,
     .meaning = "of the N likeliest against the N legal ones, both kinds of error"},
    {"wrong_moves_clean", "wrong unchanged", .digits = 3},
    {"made_legal", "legal ones in", .digits = 3,
     .meaning = "legal moves that come among the N likeliest"},
    {"made_illegal", "illegal ones in", .digits = 3, .meaning = "illegal moves that do"},
};
const TableSpec dictionaries_clamps_table = {"clamps", "sae_clamps",
                                             "what clamping a feature does to the answer",
                                             TABLE_COLUMNS(clamp_columns)};

/* ---- names ---- */

void dictionaries_feature_name(char out[FEATURES_NAME_MAX], size_t feature)
{
    snprintf(out, FEATURES_NAME_MAX, "F%zu", feature);
}

static const char *class_name(int class)
{
    return task_find("mine")->classes[class];
}

void dictionaries_property_name(char out[FEATURES_NAME_MAX], const GameVariant *variant, int pair)
{
    char square[3];
    snprintf(out, FEATURES_NAME_MAX, "none");
    if (pair >= 0) {
        square_print(square, task_square(variant, pair % COVERAGE_SQUARES));
        snprintf(out, FEATURES_NAME_MAX, "%s %s", square, class_name(pair / COVERAGE_SQUARES));
    }
}

/* ---- rows ---- */

static void near_set(Table *table, const FeaturesRow *row)
{
    char square[3], name[FEATURES_NAME_MAX];
    if (row->probe.square >= 0) {
        square_print(square, row->probe.square);
        snprintf(name, sizeof(name), "%s %s", square, class_name(row->probe.class));
        table_text(table, "probe_direction", name);
        table_num(table, "probe_cosine", row->probe.cosine);
    }
    if (row->move.square >= 0) {
        square_print(square, row->move.square);
        table_text(table, "move", square);
        table_num(table, "move_cosine", row->move.cosine);
    }
}

void dictionaries_feature_row(Table *table, const FeaturesFindings *findings, size_t feature)
{
    const FeaturesRow *row = &findings->study->table.rows[feature];
    const GameVariant *variant = findings->in->test.set.set.vocab->variant;
    char name[FEATURES_NAME_MAX];
    table_row(table);
    dictionaries_feature_name(name, feature);
    table_text(table, "name", name);
    table_int(table, "number", (int64_t)feature);
    table_bool(table, "alive", row->alive);
    table_num(table, "density", row->density);
    table_num(table, "mean_on", row->mean_on);
    table_num(table, "largest", row->largest);
    if (row->own.pair >= 0) {
        dictionaries_property_name(name, variant, row->own.pair);
        table_text(table, "property", name);
        table_num(table, "threshold", row->own.threshold / (COVERAGE_THRESHOLDS - 1.0));
        table_num(table, "precision", row->own.precision);
        table_num(table, "recall", row->own.recall);
        table_estimate(table, "f1", row->own.f1);
        table_num(table, "f1_fit", row->own.fit_f1);
    }
    if (row->shuffled.pair >= 0) {
        table_estimate(table, "f1_shuffled", row->shuffled.f1);
        dictionaries_property_name(name, variant, row->shuffled.pair);
        table_text(table, "property_shuffled", name);
    }
    near_set(table, row);
}

void dictionaries_clamp_rows(Table *table, const FeaturesLook *look)
{
    char name[FEATURES_NAME_MAX];
    dictionaries_feature_name(name, look->feature);
    for (FeaturesClampKind kind = 0; kind < N_FEATURES_CLAMPS; kind++) {
        const FeaturesClamp *clamp = &look->clamps[kind];
        if (clamp->n > 0) {
            table_row(table);
            table_text(table, "name", name);
            table_text(table, "feature_is", features_clamp_where(kind));
            table_text(table, "clamped_to", features_clamp_value(kind));
            table_int(table, "positions", (int64_t)clamp->n);
            table_num(table, "kl", clamp->kl);
            table_num(table, "strict_error", clamp->strict);
            table_num(table, "strict_error_clean", clamp->strict_clean);
            table_num(table, "wrong_moves", clamp->wrong);
            table_num(table, "wrong_moves_clean", clamp->wrong_clean);
            table_num(table, "made_legal", clamp->made_legal);
            table_num(table, "made_illegal", clamp->made_wrong);
        }
    }
}

static void whole_fill(Table *table, const FeaturesFindings *f)
{
    size_t alive = 0, above = 0;
    double own = 0, shuffled = 0;
    for (size_t j = 0; j < f->study->table.n; j++) {
        const FeaturesRow *row = &f->study->table.rows[j];
        alive += row->alive;
        above += row->own.f1.low > row->shuffled.f1.high;
        own += row->alive ? row->own.f1.value : 0;
        shuffled += row->alive ? row->shuffled.f1.value : 0;
    }
    table_text(table, "autoencoder", f->in->path);
    table_text(table, "source", f->source);
    table_text(table, "model_hash", f->model_hash);
    table_text(table, "site", hook_site_name(f->in->sae->cfg.site));
    table_int(table, "layer", f->in->sae->cfg.layer);
    table_text(table, "probe", f->probe);
    table_int(table, "fit_games", (int64_t)f->in->fit.set.set.n_games);
    table_int(table, "test_games", (int64_t)f->in->test.set.set.n_games);
    table_int(table, "positions", (int64_t)f->in->test.set.set.n_positions);
    table_int(table, "features", (int64_t)f->study->table.n);
    table_int(table, "alive", (int64_t)alive);
    table_int(table, "above_shuffled", (int64_t)above);
    table_num(table, "mean_f1", alive > 0 ? own / (double)alive : NAN);
    table_num(table, "mean_f1_shuffled", alive > 0 ? shuffled / (double)alive : NAN);
    table_num(table, "probe_by_chance", f->study->directions.probe_chance);
    table_num(table, "move_by_chance", f->study->directions.moves_chance);
}

void dictionaries_features_report(Report *report, const FeaturesFindings *findings)
{
    const FeaturesTable *all = &findings->study->table;
    whole_fill(report_table(report, &dictionaries_features_table), findings);
    Table *list = report_table(report, &dictionaries_features_list_table);
    for (size_t i = 0; i < all->n; i++) {
        dictionaries_feature_row(list, findings, findings->study->order[i]);
    }
    list->hidden = true;
    Table *top = report_table(report, &dictionaries_features_top_table);
    top->undocumented = true;
    for (size_t i = 0; i < all->n; i++) {
        const size_t j = findings->study->order[i];
        const bool first = table_rows(top) < findings->top && all->rows[j].alive;
        if (findings->in->chosen ? findings->in->chosen[j] : first) {
            dictionaries_feature_row(top, findings, j);
        }
    }
    if (findings->in->looks && findings->in->clamped > 0) {
        Table *clamps = report_table(report, &dictionaries_clamps_table);
        clamps->hidden = findings->study->n_looks > LOOKS_PRINTED;
        for (size_t i = 0; i < findings->study->n_looks; i++) {
            dictionaries_clamp_rows(clamps, &findings->study->looks[i]);
        }
    }
}
