/* cli/commands/board/geometry_view.c - angles and shares as text, JSON and rows. See
 * cli/commands/board/geometry_view.h. */
#include "cli/commands/board/geometry_view.h"

#include <math.h>
#include <stdio.h>

#include "report/intervals.h"
#include "cli/commands/board/probe_view.h"
#include "num/symmetric.h"

/* ---- text ---- */

static void number_add(Text *text, int width, int decimals, double value)
{
    if (isnan(value)) {
        text_add(text, "%*s", width, "-");
    } else {
        text_add(text, "%*.*f", width, decimals, value);
    }
}

static void print_layers(Text *text, const GeometryProbe *one)
{
    char name[16];
    text_add(text, "%-10s%11s%8s%9s%10s%8s%10s  %-15s%9s\n", "", "neighbours", "others", "eff.rank",
             "of", "halves", "board R2", "95 % interval", "shuffled");
    for (int l = 0; l < one->probe.n_layers; l++) {
        WithinCosines within = directions_within(&one->directions[l]);
        const Explained *explained = &one->explained[l];
        probe_layer_name(name, one->probe.layers[l]);
        text_add(text, "%-10s", name);
        number_add(text, 11, 3, within.neighbours);
        number_add(text, 8, 3, within.others);
        number_add(text, 9, 1, one->rank[l]);
        text_add(text, "%10zu", one->directions[l].n_present);
        number_add(text, 8, 3, one->has_halves ? one->halves[l].same : NAN);
        if (one->has_explained) {
            text_add(text, "%10.3f  [%.3f, %.3f] %8.3f", explained->board.value,
                     explained->board.low, explained->board.high, explained->shuffled.value);
        }
        text_add(text, "\n");
    }
}

static void print_layer_cosines(Text *text, const GeometryProbe *one)
{
    char name[16];
    text_add(text, "\nsame square at two layers, mean cosine\n%-10s", "");
    for (int m = 0; m + 1 < one->probe.n_layers; m++) {
        probe_layer_name(name, one->probe.layers[m]);
        text_add(text, "%8s", name);
    }
    text_add(text, "\n");
    for (int l = 1; l < one->probe.n_layers; l++) {
        probe_layer_name(name, one->probe.layers[l]);
        text_add(text, "%-10s", name);
        for (int m = 0; m < l; m++) {
            number_add(text, 8, 3,
                       directions_between(&one->directions[l], &one->directions[m]).same);
        }
        text_add(text, "\n");
    }
}

static void print_pair(Text *text, const GeometryProbe *a, const GeometryProbe *b)
{
    char name[16];
    text_add(text, "\n%s (%s, seed %llu) and %s (%s, seed %llu), mean cosine\n", a->path,
             a->probe.task, (unsigned long long)a->probe.seed, b->path, b->probe.task,
             (unsigned long long)b->probe.seed);
    text_add(text, "%-10s%12s%10s%16s\n", "", "same square", "least", "others, |cos|");
    for (int l = 0; l < a->probe.n_layers; l++) {
        int m = probe_layer_index(&b->probe, a->probe.layers[l]);
        if (m < 0) {
            continue;
        }
        BetweenCosines between = directions_between(&a->directions[l], &b->directions[m]);
        probe_layer_name(name, a->probe.layers[l]);
        text_add(text, "%-10s", name);
        number_add(text, 12, 3, between.same);
        number_add(text, 10, 3, between.same_least);
        number_add(text, 16, 3, between.others);
        text_add(text, "\n");
    }
}

/* Whether the directions of two probes lie in the same space. */
static bool comparable(const GeometryProbe *a, const GeometryProbe *b)
{
    return a->probe.d_model == b->probe.d_model && a->probe.size == b->probe.size;
}

void geometry_print(Text *text, const Geometry *geometry)
{
    for (size_t i = 0; i < geometry->n; i++) {
        const GeometryProbe *one = &geometry->probe[i];
        const Probe *probe = &one->probe;
        size_t d = (size_t)probe->d_model;
        text_add(text, "%s%s: task %s, %s, directions %s to %s; mean |cosine| between squares\n",
                 i > 0 ? "\n" : "", one->path, probe->task, hook_site_name(probe->site),
                 probe->classes[probe->n_classes - 2], probe->classes[probe->n_classes - 1]);
        print_layers(text, one);
        text_add(text,
                 "random directions in %zu dimensions: mean |cosine| %.3f, deviation of the cosine "
                 "%.3f\n",
                 d, random_cosine_mean(d), random_cosine_deviation(d));
        if (one->has_explained) {
            text_add(text, "board R2: share of a layer's variance within a ply that the board "
                           "explains on test games; shuffled: boards of other games\n");
        }
        if (one->has_halves) {
            text_add(text, "halves: mean cosine of a square's directions fitted on disjoint halves "
                           "of the training games\n");
        }
        if (probe->n_layers > 1) {
            print_layer_cosines(text, one);
        }
    }
    for (size_t j = 1; j < geometry->n; j++) {
        for (size_t i = 0; i < j; i++) {
            if (comparable(&geometry->probe[i], &geometry->probe[j])) {
                print_pair(text, &geometry->probe[i], &geometry->probe[j]);
            }
        }
    }
}

/* ---- rows ---- */

/* One number of layer l, alone. */
static Js *row_push(Js *rows, const Geometry *geometry, const GeometryProbe *one, int l,
                    const char *measure, double value, size_t n)
{
    Js *row = js_object();
    js_set_str(row, "measure", measure);
    js_set_str(row, "probe", one->path);
    js_set_str(row, "task", one->probe.task);
    js_set_int(row, "layer", one->probe.layers[l]);
    js_set_num(row, "value", value);
    js_set_int(row, "n", (int64_t)n);
    js_set_str(row, "model_hash", geometry->subject.model.model_hash);
    js_push(rows, row);
    return row;
}

/* The same beside layer m of another probe, or of the same. */
static void pair_push(Js *rows, const Geometry *geometry, const GeometryProbe *one, int l,
                      const GeometryProbe *other, int m, const char *measure, double value,
                      size_t n)
{
    Js *row = row_push(rows, geometry, one, l, measure, value, n);
    js_set_str(row, "other_probe", other->path);
    js_set_str(row, "other_task", other->probe.task);
    js_set_int(row, "other_layer", other->probe.layers[m]);
}

static void interval_push(Js *rows, const Geometry *geometry, const GeometryProbe *one, int l,
                          const char *measure, Interval interval)
{
    Js *row = row_push(rows, geometry, one, l, measure, interval.value, 0);
    js_set_num(row, "value_low", interval.low);
    js_set_num(row, "value_high", interval.high);
    js_set(row, "n", js_null());
}

static void layer_rows(Js *rows, const Geometry *geometry, const GeometryProbe *one, int l)
{
    const DirectionSet *directions = &one->directions[l];
    WithinCosines within = directions_within(directions);
    row_push(rows, geometry, one, l, "neighbour_cosine", within.neighbours, within.n_neighbours);
    row_push(rows, geometry, one, l, "other_cosine", within.others, within.n_others);
    row_push(rows, geometry, one, l, "random_cosine", random_cosine_mean(directions->width), 0);
    row_push(rows, geometry, one, l, "effective_rank", one->rank[l], directions->n_present);
    if (one->has_halves) {
        row_push(rows, geometry, one, l, "halves_cosine", one->halves[l].same, one->halves[l].n);
    }
    if (one->has_explained) {
        interval_push(rows, geometry, one, l, "ply_r2", one->explained[l].ply);
        interval_push(rows, geometry, one, l, "board_r2", one->explained[l].board);
        interval_push(rows, geometry, one, l, "shuffled_r2", one->explained[l].shuffled);
    }
    for (int m = 0; m < l; m++) {
        BetweenCosines between = directions_between(directions, &one->directions[m]);
        pair_push(rows, geometry, one, l, one, m, "layer_cosine", between.same, between.n);
    }
}

static void pair_rows(Js *rows, const Geometry *geometry, const GeometryProbe *a,
                      const GeometryProbe *b)
{
    for (int l = 0; l < a->probe.n_layers; l++) {
        int m = probe_layer_index(&b->probe, a->probe.layers[l]);
        if (m >= 0) {
            BetweenCosines between = directions_between(&a->directions[l], &b->directions[m]);
            pair_push(rows, geometry, a, l, b, m, "same_square_cosine", between.same, between.n);
            pair_push(rows, geometry, a, l, b, m, "least_cosine", between.same_least, between.n);
            pair_push(rows, geometry, a, l, b, m, "other_square_cosine", between.others, between.n);
        }
    }
}

Js *geometry_rows(const Geometry *geometry)
{
    Js *rows = js_array();
    for (size_t i = 0; i < geometry->n; i++) {
        for (int l = 0; l < geometry->probe[i].probe.n_layers; l++) {
            layer_rows(rows, geometry, &geometry->probe[i], l);
        }
    }
    for (size_t j = 1; j < geometry->n; j++) {
        for (size_t i = 0; i < j; i++) {
            if (comparable(&geometry->probe[i], &geometry->probe[j])) {
                pair_rows(rows, geometry, &geometry->probe[i], &geometry->probe[j]);
            }
        }
    }
    return rows;
}

/* ---- JSON ---- */

static Js *layer_json(const GeometryProbe *one, int l)
{
    WithinCosines within = directions_within(&one->directions[l]);
    Js *layer = js_object(), *cosines = js_array();
    js_set_int(layer, "layer", one->probe.layers[l]);
    js_set_int(layer, "directions", (int64_t)one->directions[l].n_present);
    js_set_num(layer, "neighbour_cosine", within.neighbours);
    js_set_num(layer, "other_cosine", within.others);
    js_set_num(layer, "effective_rank", one->rank[l]);
    js_set_num(layer, "halves_cosine", one->has_halves ? one->halves[l].same : NAN);
    if (one->has_explained) {
        js_set_interval(layer, "ply_r2", one->explained[l].ply);
        js_set_interval(layer, "board_r2", one->explained[l].board);
        js_set_interval(layer, "shuffled_r2", one->explained[l].shuffled);
    }
    for (int m = 0; m < one->probe.n_layers; m++) {
        js_push(cosines, js_num(directions_between(&one->directions[l], &one->directions[m]).same));
    }
    js_set(layer, "layer_cosine", cosines);
    return layer;
}

static void push_pair(Js *pairs, const GeometryProbe *a, const GeometryProbe *b)
{
    for (int l = 0; l < a->probe.n_layers; l++) {
        int m = probe_layer_index(&b->probe, a->probe.layers[l]);
        if (m < 0) {
            continue;
        }
        BetweenCosines between = directions_between(&a->directions[l], &b->directions[m]);
        Js *pair = js_object();
        js_set_str(pair, "probe", a->path);
        js_set_str(pair, "other_probe", b->path);
        js_set_int(pair, "layer", a->probe.layers[l]);
        js_set_num(pair, "same_square_cosine", between.same);
        js_set_num(pair, "least_cosine", between.same_least);
        js_set_num(pair, "other_square_cosine", between.others);
        js_push(pairs, pair);
    }
}

Js *geometry_document(const Geometry *geometry)
{
    Js *document = js_object(), *probes = js_array(), *pairs = js_array();
    js_set_str(document, "model_hash", geometry->subject.model.model_hash);
    for (size_t i = 0; i < geometry->n; i++) {
        const GeometryProbe *one = &geometry->probe[i];
        Js *probe = js_object(), *layers = js_array();
        js_set_str(probe, "probe", one->path);
        js_set_str(probe, "task", one->probe.task);
        js_set_str(probe, "site", hook_site_name(one->probe.site));
        js_set_num(probe, "random_cosine", random_cosine_mean((size_t)one->probe.d_model));
        for (int l = 0; l < one->probe.n_layers; l++) {
            js_push(layers, layer_json(one, l));
        }
        js_set(probe, "layers", layers);
        js_push(probes, probe);
        for (size_t j = 0; j < i; j++) {
            if (comparable(&geometry->probe[j], one)) {
                push_pair(pairs, &geometry->probe[j], one);
            }
        }
    }
    js_set(document, "probes", probes);
    js_set(document, "pairs", pairs);
    return document;
}
