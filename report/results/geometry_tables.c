/* report/results/geometry_tables.c - angles and shares as rows. Contract in
 * report/results/geometry_tables.h. */
#include "report/results/geometry_tables.h"

#include <math.h>

#include "report/results/probe_result.h"
#include "report/specs/geometry_figures.h"
#include "num/matrices/symmetric.h"

/* ---- columns ---- */

#define TEXT(key_, heading_) .key = key_, .heading = heading_, .type = COLUMN_TEXT
#define LAYER(key_, heading_) .key = key_, .heading = heading_, .type = COLUMN_LAYER
#define COUNT(key_, heading_) .key = key_, .heading = heading_, .type = COLUMN_COUNT
#define NUMBER(key_, heading_) .key = key_, .heading = heading_, .digits = 3

static const Column number_columns[] = {
    {TEXT("measure", "measure")},
    {TEXT("probe", "probe")},
    {TEXT("task", "task")},
    {LAYER("layer", "layer")},
    {NUMBER("value", "value"), .interval = true},
    {COUNT("n", "n")},
    {TEXT("model_hash", NULL)},
    {TEXT("other_probe", "other probe")},
    {TEXT("other_task", "other task")},
    {LAYER("other_layer", "other layer")},
};
const TableSpec geometry_table = {"geometry", "probe_geometry", TABLE_COLUMNS(number_columns),
                                  TABLE_FIGURES(geometry_figures)};

static const Column layer_columns[] = {
    {TEXT("probe", "probe")},
    {LAYER("layer", "layer")},
    {COUNT("directions", "squares"), .meaning = "that have a direction"},
    {NUMBER("neighbour_cosine", "neighbours"), .meaning = "mean |cosine| of squares that touch"},
    {NUMBER("other_cosine", "others"), .meaning = "mean |cosine| of squares that do not touch"},
    {NUMBER("random_cosine", "random"), .meaning = "mean |cosine| of random directions"},
    {.key = "effective_rank", .heading = "eff.rank", .digits = 1},
    {NUMBER("halves_cosine", "halves"),
     .meaning = "mean cosine of a square's directions from disjoint halves of the training games"},
    {NUMBER("ply_r2", "ply R2"), .interval = true, .flags = COLUMN_WIDE,
     .meaning = "share of a layer's variance that the ply explains on test games"},
    {NUMBER("board_r2", "board R2"), .interval = true,
     .meaning = "share of a layer's variance within a ply that the board explains on test games"},
    {NUMBER("shuffled_r2", "shuffled R2"), .interval = true, .flags = COLUMN_BRIEF,
     .meaning = "the same with the boards of other games"},
    {.key = "layer_cosine", .type = COLUMN_NESTED},
};
const TableSpec geometry_layers_table = {.name = "layers", TABLE_COLUMNS(layer_columns)};

static const Column pair_columns[] = {
    {TEXT("probe", "probe")},
    {TEXT("other_probe", "other probe")},
    {LAYER("layer", "layer")},
    {NUMBER("same_square_cosine", "same square"), .meaning = "mean cosine of a square's two"},
    {NUMBER("least_cosine", "least"), .meaning = "the smallest of them"},
    {NUMBER("other_square_cosine", "others"), .meaning = "mean |cosine| of different squares"},
};
const TableSpec geometry_pairs_table = {
    .name = "pairs", .title = "directions of two probes, mean cosine", TABLE_COLUMNS(pair_columns)};

/* ---- rows ---- */

static void number_set(Table *table, const char *key, const GeometryNumber *number)
{
    if (number->n < 0) {
        table_interval(table, key, number->value);
    } else {
        table_num(table, key, number->value.value);
    }
}

/* One number of layer index l, alone. */
static void number_add(Table *table, const Geometry *geometry, const GeometryProbe *one, int l,
                       const GeometryNumber *number)
{
    table_row(table);
    table_text(table, "measure", number->key);
    table_text(table, "probe", one->path);
    table_text(table, "task", one->probe.task);
    table_int(table, "layer", one->probe.layers[l]);
    number_set(table, "value", number);
    table_set(table, "n", number->n < 0 ? js_null() : js_int(number->n));
    table_text(table, "model_hash", geometry->subject.model.model_hash);
}

/* In the row just added: what the first side was compared with. */
static void other_set(Table *table, const GeometryProbe *other, int layer)
{
    table_text(table, "other_probe", other->path);
    table_text(table, "other_task", other->probe.task);
    table_int(table, "other_layer", layer);
}

/* Both tables of one layer. Returns the row of the second, for the document; owned. */
static Js *layer_add(Table *numbers, Table *layers, const Geometry *geometry,
                     const GeometryProbe *one, int l)
{
    GeometryNumber number[GEOMETRY_NUMBERS];
    Js *cosines = js_array();
    size_t n = geometry_numbers(number, one, l);
    table_row(layers);
    table_text(layers, "probe", one->path);
    table_int(layers, "layer", one->probe.layers[l]);
    table_int(layers, "directions", (int64_t)one->directions[l].n_present);
    table_null(layers, "halves_cosine"); /* unless it was measured */
    for (size_t i = 0; i < n; i++) {
        number_set(layers, number[i].key, &number[i]);
        number_add(numbers, geometry, one, l, &number[i]);
    }
    for (int m = 0; m < one->probe.n_layers; m++) {
        GeometryNumber cosine = geometry_layer_cosine(one, l, m);
        js_push(cosines, js_num(cosine.value.value));
        if (m < l) {
            number_add(numbers, geometry, one, l, &cosine);
            other_set(numbers, one, one->probe.layers[m]);
        }
    }
    table_set(layers, "layer_cosine", cosines);
    return js_keep(layers->row);
}

static void pair_add(Table *numbers, Table *pairs, const Geometry *geometry, const GeometryProbe *a,
                     const GeometryProbe *b)
{
    GeometryNumber number[3];
    for (int l = 0; l < a->probe.n_layers; l++) {
        if (!geometry_pair(number, a, b, l)) {
            continue;
        }
        table_row(pairs);
        table_text(pairs, "probe", a->path);
        table_text(pairs, "other_probe", b->path);
        table_int(pairs, "layer", a->probe.layers[l]);
        for (size_t i = 0; i < 3; i++) {
            number_set(pairs, number[i].key, &number[i]);
            number_add(numbers, geometry, a, l, &number[i]);
            other_set(numbers, b, a->probe.layers[l]);
        }
    }
}

/* ---- text ---- */

static void head_print(Text *text, const Geometry *geometry)
{
    size_t d = (size_t)geometry->probe[0].probe.d_model;
    for (size_t i = 0; i < geometry->n; i++) {
        const Probe *probe = &geometry->probe[i].probe;
        text_add(text, "%s: task %s, %s, seed %llu, directions %s to %s\n", geometry->probe[i].path,
                 probe->task, hook_site_name(probe->site), (unsigned long long)probe->seed,
                 probe->classes[probe->n_classes - 2], probe->classes[probe->n_classes - 1]);
    }
    text_add(text,
             "random directions in %zu dimensions: mean |cosine| %.3f, deviation of the cosine "
             "%.3f\n",
             d, random_cosine_mean(d), random_cosine_deviation(d));
}

/* The lower triangle of a probe's layer_cosine. */
static void layer_cosines_print(Text *text, const GeometryProbe *one)
{
    char name[16];
    text_add(text, "\n%s: same square at two layers, mean cosine\n%-10s", one->path, "");
    for (int m = 0; m + 1 < one->probe.n_layers; m++) {
        probe_layer_name(name, one->probe.layers[m]);
        text_add(text, "%8s", name);
    }
    for (int l = 1; l < one->probe.n_layers; l++) {
        probe_layer_name(name, one->probe.layers[l]);
        text_add(text, "\n%-10s", name);
        for (int m = 0; m < l; m++) {
            double cosine = geometry_layer_cosine(one, l, m).value.value;
            if (isnan(cosine)) {
                text_add(text, "%8s", "-");
            } else {
                text_add(text, "%8.3f", cosine);
            }
        }
    }
    text_add(text, "\n");
}

void probe_geometry_fill(Report *report, const Geometry *geometry)
{
    Js *probes = js_array();
    report_json(report, "model_hash", js_str(geometry->subject.model.model_hash));
    head_print(report_text(report), geometry);
    Table *numbers = report_table(report, &geometry_table);
    Table *layers = report_table(report, &geometry_layers_table);
    numbers->hidden = numbers->undocumented = layers->undocumented = true;
    for (size_t i = 0; i < geometry->n; i++) {
        const GeometryProbe *one = &geometry->probe[i];
        Js *probe = js_object(), *rows = js_array();
        for (int l = 0; l < one->probe.n_layers; l++) {
            js_push(rows, layer_add(numbers, layers, geometry, one, l));
        }
        if (one->probe.n_layers > 1) {
            layer_cosines_print(report_text(report), one);
        }
        js_set_str(probe, "probe", one->path);
        js_set_str(probe, "task", one->probe.task);
        js_set_str(probe, "site", hook_site_name(one->probe.site));
        js_set_num(probe, "random_cosine", random_cosine_mean((size_t)one->probe.d_model));
        js_set(probe, "layers", rows);
        js_push(probes, probe);
    }
    report_json(report, "probes", probes);
    Table *pairs = report_table(report, &geometry_pairs_table);
    for (size_t j = 1; j < geometry->n; j++) {
        for (size_t i = 0; i < j; i++) {
            pair_add(numbers, pairs, geometry, &geometry->probe[i], &geometry->probe[j]);
        }
    }
    pairs->hidden = table_rows(pairs) == 0;
}
