/* report/figures/figure_data.c - contract in report/figures/figure_data.h. */
#include "report/figures/figure_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/notation.h"

#define WHAT "the values of a figure"

/* One part and the rows of one source that it takes. */
typedef struct PartRows {
    FigureData *data;
    const FigurePart *part;
    const Table *table;
    const char *label; /* of the source */
} PartRows;

/* ---- columns and words ---- */

static const Column *column_at(const PartRows *rows, const char *key)
{
    return key ? table_column(rows->table->spec, key) : NULL;
}

static int columns_check(const PartRows *rows)
{
    const FigurePart *part = rows->part;
    const char *keys[FIGURE_Y_MAX + 7] = {part->x,     part->series, part->facet, part->where,
                                          part->state, part->mark,   part->to};
    memcpy(keys + 7, part->y, sizeof(part->y));
    for (size_t i = 0; i < FIGURE_Y_MAX + 7; i++) {
        if (keys[i] && !column_at(rows, keys[i])) {
            return err_set(OGPT_EUSAGE, "figure %s: table %s has no column '%s'",
                           rows->data->figure->name, rows->table->spec->name, keys[i]);
        }
    }
    return 0;
}

static double scale_of(const Column *column)
{
    return column && column->unit && strcmp(column->unit, "%") == 0 ? 100 : 1;
}

static double number_at(const Js *row, const char *key, const char *end, double scale)
{
    char name[96];
    snprintf(name, sizeof(name), "%s%s", key, end);
    double value = js_num_of(js_member(row, name));
    return isfinite(value) ? scale * value : NAN;
}

/* Words of the program are written as people write them: "random_model", but no path. */
static void word_smooth(char *word)
{
    if (!strpbrk(word, "./")) {
        for (char *c = word; *c != '\0'; c++) {
            *c = *c == '_' ? ' ' : *c;
        }
    }
}

/* The word of a value: a number behind the name of its column, unless `bare`. Owned; NULL: out of
 * memory. An absent value is "". */
static char *word_of(const Column *column, const Js *value, bool bare)
{
    Text text = {0};
    if (value && js_type(value) != JS_NULL) {
        bool number = js_type(value) == JS_INT || js_type(value) == JS_NUM;
        if (number && !bare && column->heading) {
            text_add(&text, "%s ", column->heading);
        }
        column_print(&text, column, value);
    }
    char *word = text.failed ? NULL : mem_strdup(text.data ? text.data : "", WHAT);
    text_release(&text);
    return word;
}

static bool word_is_listed(const char *word, const char *list)
{
    size_t length = strlen(word);
    for (const char *c = list;; c++) {
        size_t n = strcspn(c, "|");
        if (n == length && strncmp(c, word, n) == 0) {
            return true;
        }
        c += n;
        if (*c == '\0') {
            return false;
        }
    }
}

/* 1: the row belongs to the part, 0: not, -1: out of memory. */
static int row_is_taken(const PartRows *rows, const Js *row)
{
    if (!rows->part->where) {
        return 1;
    }
    char *word =
        word_of(column_at(rows, rows->part->where), js_member(row, rows->part->where), true);
    int taken = !word ? -1 : word_is_listed(word, rows->part->is);
    mem_free(word);
    return taken;
}

/* "LABEL: WORD", one of them if the other is empty; owned. */
static char *name_join(const char *label, const char *word, const char *more)
{
    Text text = {0};
    const char *between = "";
    const char *const parts[] = {label ? label : "", word ? word : "", more ? more : ""};
    for (size_t i = 0; i < 3; i++) {
        if (parts[i][0] != '\0') {
            text_add(&text, "%s%s", between, parts[i]);
            between = i == 0 ? ": " : ", ";
        }
    }
    char *name = text.failed ? NULL : mem_strdup(text.data ? text.data : "", WHAT);
    text_release(&text);
    return name;
}

/* ---- panels, series, categories: found by name, or added ---- */

/* Takes over `name` (NULL: out of memory). NULL: out of memory. */
static FigurePanel *panel_named(FigureData *data, char *name)
{
    for (size_t i = 0; name && i < data->n_panels; i++) {
        if (strcmp(data->panels[i].name, name) == 0) {
            mem_free(name);
            return &data->panels[i];
        }
    }
    FigurePanel *panels =
        name ? mem_realloc(data->panels, data->n_panels + 1, sizeof(*panels), WHAT) : NULL;
    if (!panels) {
        mem_free(name);
        return NULL;
    }
    data->panels = panels;
    panels[data->n_panels] = (FigurePanel){.name = name};
    return &panels[data->n_panels++];
}

static FigureSeries *series_named(FigurePanel *panel, char *name, const Column *column,
                                  double order)
{
    for (size_t i = 0; name && i < panel->n_series; i++) {
        if (strcmp(panel->series[i].name, name) == 0) {
            mem_free(name);
            return &panel->series[i];
        }
    }
    FigureSeries *series =
        name ? mem_realloc(panel->series, panel->n_series + 1, sizeof(*series), WHAT) : NULL;
    if (!series) {
        mem_free(name);
        return NULL;
    }
    panel->series = series;
    series[panel->n_series] = (FigureSeries){.name = name, .column = column, .order = order};
    return &series[panel->n_series++];
}

/* The index of a category, -1: out of memory. */
static int category_named(FigurePanel *panel, char *name, double order)
{
    for (size_t i = 0; name && i < panel->n_categories; i++) {
        if (strcmp(panel->categories[i].name, name) == 0) {
            mem_free(name);
            return (int)i;
        }
    }
    FigureCategory *categories =
        name ? mem_realloc(panel->categories, panel->n_categories + 1, sizeof(*categories), WHAT)
             : NULL;
    if (!categories) {
        mem_free(name);
        return -1;
    }
    panel->categories = categories;
    categories[panel->n_categories] = (FigureCategory){name, order};
    return (int)panel->n_categories++;
}

static int point_add(FigureSeries *series, const FigurePoint *point)
{
    if (series->n_points == series->room) {
        size_t room = series->room ? 2 * series->room : 16;
        FigurePoint *points = mem_realloc(series->points, room, sizeof(*points), WHAT);
        if (!points) {
            return OGPT_ENOMEM;
        }
        series->points = points;
        series->room = room;
    }
    series->points[series->n_points++] = *point;
    return 0;
}

/* ---- rows ---- */

static bool is_panel_label(FigureKind kind)
{
    return kind == FIGURE_MATRIX || kind == FIGURE_BOARD || kind == FIGURE_GRAPH;
}

static int square_at(const Js *row, const char *key)
{
    const char *name = key ? js_str_of(js_member(row, key)) : NULL;
    return name && strlen(name) == 2 ? square_parse(game_variant(8), name) : -1;
}

static char state_of(const Js *row, const char *key)
{
    const char *word = key ? js_str_of(js_member(row, key)) : NULL;
    return !word ? '\0' : strcmp(word, "black") == 0 ? 'X' : strcmp(word, "white") == 0 ? 'O' : '.';
}

/* Where a point lies: false if nowhere. rc: OGPT_ENOMEM. */
static bool place_take(FigurePoint *point, int *rc, FigurePanel *panel, const PartRows *rows,
                       const Js *row)
{
    const FigurePart *part = rows->part;
    const Column *column = column_at(rows, part->x);
    FigureKind kind = rows->data->figure->kind;
    if (!part->x) {
        point->x = NAN;
        return kind == FIGURE_LINES;
    }
    if (kind == FIGURE_BOARD) {
        point->x = square_at(row, part->x);
        return point->x >= 0;
    }
    double number = number_at(row, part->x, "", scale_of(column));
    if (kind == FIGURE_LINES) {
        point->x = number;
        return isfinite(number);
    }
    int index = category_named(panel, word_of(column, js_member(row, part->x), true), number);
    *rc = index < 0 ? OGPT_ENOMEM : 0;
    point->x = index;
    return index >= 0;
}

static int value_take(const PartRows *rows, const Js *row, const Column *y, bool several)
{
    const FigureSpec *figure = rows->data->figure;
    const FigurePart *part = rows->part;
    const Column *by = column_at(rows, part->series), *facet = column_at(rows, part->facet);
    const char *heading = y ? (y->heading ? y->heading : y->key) : "";
    const bool label_panel = is_panel_label(figure->kind);
    char *word =
        by ? word_of(by, js_member(row, part->series), figure->kind == FIGURE_MATRIX) : NULL;
    char *place = facet ? word_of(facet, js_member(row, part->facet), false) : NULL;
    if (word) {
        word_smooth(word);
    }
    const bool named = word && word[0] != '\0', shown = !figure->apart && several;
    const char *own = named ? word : part->name ? part->name : several ? NULL : heading;
    const char *more = shown && !figure->apart ? heading : NULL;
    int rc = (by && !word) || (facet && !place) ? OGPT_ENOMEM : 0;
    FigurePanel *panel =
        rc ? NULL
           : panel_named(rows->data, name_join(label_panel ? rows->label : NULL, place,
                                               figure->apart && several ? heading : NULL));
    FigureSeries *series =
        panel ? series_named(panel,
                             name_join(label_panel ? NULL : rows->label,
                                       figure->apart && !named && !part->name ? "" : own, more),
                             y, by ? number_at(row, part->series, "", 1) : NAN)
              : NULL;
    FigurePoint point = {.to = square_at(row, part->to), .state = state_of(row, part->state)};
    rc = rc || series ? rc : OGPT_ENOMEM;
    if (rc == 0 && place_take(&point, &rc, panel, rows, row)) {
        double scale = scale_of(y);
        point.y = y ? number_at(row, y->key, "", scale) : NAN;
        point.low = y && y->interval ? number_at(row, y->key, "_low", scale) : NAN;
        point.high = y && y->interval ? number_at(row, y->key, "_high", scale) : NAN;
        point.mark = part->mark && js_bool_of(js_member(row, part->mark));
        series->across = !part->x;
        rc = point_add(series, &point);
    }
    mem_free(word);
    mem_free(place);
    return rc;
}

/* Whether a row has a value of the column, null counted: a column that is absent everywhere makes
 * no series. */
static bool column_is_there(const Table *table, const char *key)
{
    for (size_t i = 0; i < js_length(table->rows); i++) {
        if (js_type(js_member(js_at(table->rows, i), key)) != JS_NULL) {
            return true;
        }
    }
    return false;
}

static int rows_take(const PartRows *rows)
{
    const FigurePart *part = rows->part;
    const Column *columns[FIGURE_Y_MAX] = {NULL};
    size_t n_columns = 0;
    int rc = columns_check(rows);
    for (size_t k = 0; k < FIGURE_Y_MAX && part->y[k]; k++) {
        if (rc == 0 && column_is_there(rows->table, part->y[k])) {
            columns[n_columns++] = column_at(rows, part->y[k]);
        }
    }
    const size_t n = part->y[0] && n_columns == 0 ? 0 : js_length(rows->table->rows);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const Js *row = js_at(rows->table->rows, i);
        int taken = row_is_taken(rows, row);
        rc = taken < 0 ? OGPT_ENOMEM : 0;
        for (size_t k = 0; taken > 0 && rc == 0 && k < (n_columns ? n_columns : 1); k++) {
            rc = value_take(rows, row, columns[k], n_columns > 1);
        }
    }
    return rc;
}

/* ---- order, and what is left out ---- */

/* Numbers ascend; words keep the order in which they came. */
static bool is_numbered(const FigureCategory *categories, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(categories[i].order)) {
            return false;
        }
    }
    return n > 0;
}

/* Renumber: old index -> new one, -1: left out. */
static void categories_move(FigurePanel *panel, const int *to, size_t n_left)
{
    FigureCategory *moved = panel->categories; /* sorted in place by exchanges below */
    for (size_t s = 0; s < panel->n_series; s++) {
        FigureSeries *series = &panel->series[s];
        size_t kept = 0;
        for (size_t p = 0; p < series->n_points; p++) {
            int x = to[(size_t)series->points[p].x];
            if (x >= 0) {
                series->points[kept] = series->points[p];
                series->points[kept++].x = x;
            }
        }
        series->n_points = kept;
    }
    FigureCategory *copy = mem_alloc(panel->n_categories, sizeof(*copy), WHAT);
    for (size_t i = 0; copy && i < panel->n_categories; i++) {
        copy[i] = moved[i];
    }
    for (size_t i = 0; copy && i < panel->n_categories; i++) {
        if (to[i] >= 0) {
            moved[to[i]] = copy[i];
        } else {
            mem_free(copy[i].name);
        }
    }
    panel->n_categories = copy ? n_left : 0;
    mem_free(copy);
}

/* The largest size of a value of each category. */
static void sizes_find(double *sizes, const FigurePanel *panel)
{
    for (size_t i = 0; i < panel->n_categories; i++) {
        sizes[i] = -1;
    }
    for (size_t s = 0; s < panel->n_series; s++) {
        for (size_t p = 0; p < panel->series[s].n_points; p++) {
            const FigurePoint *point = &panel->series[s].points[p];
            size_t i = (size_t)point->x;
            sizes[i] = fmax(sizes[i], isnan(point->y) ? -1 : fabs(point->y));
        }
    }
}

/* Place of each category among all: by number, or by size for those that are kept. */
static int panel_arrange(FigurePanel *panel, const FigureSpec *figure)
{
    const size_t n = panel->n_categories;
    const bool cut = figure->most > 0 && n > figure->most;
    const bool numbered = is_numbered(panel->categories, n);
    double *sizes = mem_alloc(n + 1, sizeof(*sizes), WHAT);
    int *to = mem_alloc(n + 1, sizeof(*to), WHAT);
    int rc = sizes && to ? 0 : OGPT_ENOMEM;
    if (rc == 0 && (cut || numbered)) {
        sizes_find(sizes, panel);
        for (size_t i = 0; i < n; i++) {
            size_t rank = 0;
            for (size_t j = 0; j < n; j++) {
                double a = cut ? -sizes[j] : panel->categories[j].order;
                double b = cut ? -sizes[i] : panel->categories[i].order;
                rank += a < b || (!(b < a) && j < i);
            }
            to[i] = cut && rank >= figure->most ? -1 : (int)rank;
        }
        panel->left_out = cut ? n - figure->most : 0;
        categories_move(panel, to, cut ? figure->most : n);
    }
    mem_free(to);
    mem_free(sizes);
    return rc;
}

static int by_order(const void *a, const void *b)
{
    double x = ((const FigureSeries *)a)->order, y = ((const FigureSeries *)b)->order;
    return (x > y) - (x < y);
}

/* Rows of a matrix that are numbers ascend. */
static void series_arrange(FigurePanel *panel)
{
    for (size_t i = 0; i < panel->n_series; i++) {
        if (isnan(panel->series[i].order)) {
            return;
        }
    }
    qsort(panel->series, panel->n_series, sizeof(*panel->series), by_order);
}

/* ---- the whole ---- */

static bool declares(const TableSpec *spec, const FigureSpec *figure)
{
    bool found = false;
    for (size_t i = 0; i < spec->n_figures && !found; i++) {
        found = &spec->figures[i] == figure;
    }
    return found;
}

static bool part_is_of(const FigurePart *part, const FigureSpec *figure, const Table *table)
{
    return part->table ? strcmp(part->table, table->spec->name) == 0
                       : declares(table->spec, figure);
}

int figure_data_take(FigureData *out, const FigureSpec *figure, const FigureSource *sources,
                     size_t n)
{
    int rc = 0;
    *out = (FigureData){.figure = figure};
    for (size_t p = 0; p < figure->n_parts; p++) {
        const FigurePart *part = &figure->parts[p];
        for (size_t s = 0; s < n; s++) {
            for (size_t t = 0; rc == 0 && t < sources[s].n; t++) {
                const Table *table = sources[s].tables[t];
                PartRows rows = {out, part, table, sources[s].label};
                if (!part_is_of(part, figure, table)) {
                    continue;
                }
                out->x = out->x || !part->x ? out->x : table_column(table->spec, part->x);
                rc = rows_take(&rows);
            }
        }
    }
    for (size_t i = 0; rc == 0 && i < out->n_panels; i++) {
        rc = panel_arrange(&out->panels[i], figure);
        if (figure->kind == FIGURE_MATRIX) {
            series_arrange(&out->panels[i]);
        }
    }
    if (rc != 0) {
        figure_data_release(out);
    }
    return rc;
}

void figure_data_release(FigureData *data)
{
    for (size_t i = 0; i < data->n_panels; i++) {
        FigurePanel *panel = &data->panels[i];
        for (size_t s = 0; s < panel->n_series; s++) {
            mem_free(panel->series[s].name);
            mem_free(panel->series[s].points);
        }
        for (size_t c = 0; c < panel->n_categories; c++) {
            mem_free(panel->categories[c].name);
        }
        mem_free(panel->series);
        mem_free(panel->categories);
        mem_free(panel->name);
    }
    mem_free(data->panels);
    *data = (FigureData){0};
}

bool figure_data_has_values(const FigureData *data)
{
    for (size_t i = 0; i < data->n_panels; i++) {
        for (size_t s = 0; s < data->panels[i].n_series; s++) {
            const FigureSeries *series = &data->panels[i].series[s];
            for (size_t p = 0; p < series->n_points; p++) {
                if (isfinite(series->points[p].y) || series->points[p].state != '\0') {
                    return true;
                }
            }
        }
    }
    return false;
}

void figure_data_label(Text *out, const FigureAxis *axis, const Column *column)
{
    const char *name = axis->label       ? axis->label
                       : !column         ? ""
                       : column->heading ? column->heading
                                         : column->key;
    text_add(out, "%s", name);
    if (column && column->unit && !strchr(name, '(')) {
        text_add(out, " (%s)", column->unit);
    }
}

void figure_data_number(char out[40], const Column *column, double value)
{
    if (isnan(value)) {
        snprintf(out, 40, "-");
    } else if (!column || column->type != COLUMN_NUMBER) {
        snprintf(out, 40, "%.10g", value);
    } else if (column->digits < 0) {
        snprintf(out, 40, "%.6g", value);
    } else {
        snprintf(out, 40, "%.*f", column->digits, value);
    }
}
