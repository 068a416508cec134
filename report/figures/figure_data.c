/* report/figures/figure_data.c - contract in report/figures/figure_data.h. */
#include "report/figures/figure_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/notation.h"
#include "report/figures/figure_arrange.h"
#include "report/figures/figure_words.h"

#define WHAT "the values of a figure"

/* One part and the rows of one source that it takes. */
typedef struct PartRows {
    FigureData *data;
    const FigurePart *part;
    const Table *table;
    const char *label; /* of the source */
    char *common;      /* word of part->common that most rows have; owned */
} PartRows;

/* ---- columns and words ---- */

static const Column *column_at(const PartRows *rows, const char *key)
{
    return key ? table_column(rows->table->spec, key) : NULL;
}

static int columns_check(const PartRows *rows)
{
    const FigurePart *part = rows->part;
    enum { SINGLE = 13 };
    const char *keys[FIGURE_Y_MAX + SINGLE] = {
        part->x,       part->series,  part->facet, part->within, part->where,
        part->common,  part->state,   part->mark,  part->to,     part->also[0],
        part->also[1], part->also[2], part->note};
    memcpy(keys + SINGLE, part->y, sizeof(part->y));
    for (size_t i = 0; i < FIGURE_Y_MAX + SINGLE; i++) {
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

/* 1: the row belongs to the part, 0: not, -1: out of memory. */
static int row_is_taken(const PartRows *rows, const Js *row)
{
    if (rows->common) {
        char *own = figure_word(column_at(rows, rows->part->common),
                                js_member(row, rows->part->common), false);
        int same = !own ? -1 : strcmp(own, rows->common) == 0;
        mem_free(own);
        if (same <= 0) {
            return same;
        }
    }
    if (!rows->part->where) {
        return 1;
    }
    char *word =
        figure_word(column_at(rows, rows->part->where), js_member(row, rows->part->where), true);
    int taken = !word ? -1 : figure_word_is_listed(word, rows->part->is);
    mem_free(word);
    return taken;
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

/* A yes of the rows, or the 1 that the database has of one. */
static bool is_true(const Js *row, const char *key)
{
    const Js *value = key ? js_member(row, key) : NULL;
    return js_type(value) == JS_BOOL ? js_bool_of(value) : js_int_of(value) != 0;
}

static char state_of(const Js *row, const char *key)
{
    static const struct {
        const char *word;
        char state;
    } states[] = {{"black", 'X'}, {"white", 'O'}, {"legal", '*'}};
    const char *word = key ? js_str_of(js_member(row, key)) : NULL;
    char state = word ? '.' : '\0';
    for (size_t i = 0; word && i < sizeof(states) / sizeof(states[0]); i++) {
        state = strcmp(word, states[i].word) == 0 ? states[i].state : state;
    }
    return state;
}

/* "ALSO ALSO - WORD"; owned. */
static char *category_name(const PartRows *rows, const Js *row)
{
    const FigurePart *part = rows->part;
    char *word = figure_word(column_at(rows, part->x), js_member(row, part->x), true);
    Text text = {0};
    if (!part->also[0] || !word) {
        return word;
    }
    for (size_t i = 0; i < 3 && part->also[i]; i++) {
        char *more =
            figure_word(column_at(rows, part->also[i]), js_member(row, part->also[i]), false);
        text_add(&text, "%s%s", more && more[0] && text.length > 0 ? " " : "", more ? more : "");
        mem_free(more);
    }
    text_add(&text, " \xe2\x88\x92 %s", word);
    mem_free(word);
    word = text.failed ? NULL : mem_strdup(text.data, WHAT);
    text_release(&text);
    return word;
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
    int index = category_named(panel, category_name(rows, row), number);
    *rc = index < 0 ? OGPT_ENOMEM : 0;
    point->x = index;
    return index >= 0;
}

/* What a row without a word of its own is called; owned. */
static char *plain_name(const PartRows *rows)
{
    return figure_name_join(NULL, rows->part->name, rows->common);
}

/* The panel of a row, NULL: out of memory. `heading`: of y where each y has panels of its own. */
static FigurePanel *panel_take(const PartRows *rows, const Js *row, const char *heading)
{
    const FigurePart *part = rows->part;
    const bool labelled = is_panel_label(rows->data->figure->kind);
    const char *const keys[2] = {part->facet, part->within};
    char *words[2] = {NULL, NULL}, *plain = plain_name(rows);
    FigurePanel *panel = NULL;
    bool failed = !plain;
    for (size_t i = 0; i < 2; i++) {
        const Column *column = column_at(rows, keys[i]);
        words[i] = column ? figure_word(column, js_member(row, keys[i]), false) : NULL;
        failed = failed || (column && !words[i]);
    }
    if (!failed) {
        if (words[0]) {
            figure_word_smooth(words[0]);
        }
        const char *word = words[0] && words[0][0] == '\0' ? plain : words[0];
        char *both = figure_name_join(NULL, word, words[1]);
        char *whole = both ? figure_name_join(labelled ? rows->label : NULL, both, heading) : NULL;
        mem_free(both);
        panel = panel_named(rows->data, whole);
    }
    mem_free(words[0]);
    mem_free(words[1]);
    mem_free(plain);
    return panel;
}

/* The series of a row in a panel, NULL: out of memory. `heading`: of y where there are several. */
static FigureSeries *series_take(const PartRows *rows, const Js *row, FigurePanel *panel,
                                 const Column *y, const char *heading)
{
    const FigurePart *part = rows->part;
    const FigureSpec *figure = rows->data->figure;
    const Column *by = column_at(rows, part->series);
    char *word = by ? figure_word(by, js_member(row, part->series), figure->kind == FIGURE_MATRIX)
                    : mem_strdup("", WHAT);
    char *plain = plain_name(rows);
    FigureSeries *series = NULL;
    if (word && plain) {
        figure_word_smooth(word);
        const char *own = word[0] != '\0'                  ? word
                          : part->name                     ? plain
                          : heading || figure->apart || !y ? ""
                          : y->heading                     ? y->heading
                                                           : y->key;
        const char *label = is_panel_label(figure->kind) ? NULL : rows->label;
        series = series_named(panel, figure_name_join(label, own, heading), y,
                              by ? number_at(row, part->series, "", 1) : NAN);
    }
    mem_free(word);
    mem_free(plain);
    return series;
}

static int value_take(const PartRows *rows, const Js *row, const Column *y, bool several)
{
    const FigurePart *part = rows->part;
    const bool apart = rows->data->figure->apart;
    const char *heading = !several || !y ? NULL : y->heading ? y->heading : y->key;
    FigurePanel *panel = panel_take(rows, row, apart ? heading : NULL);
    FigureSeries *series = panel ? series_take(rows, row, panel, y, apart ? NULL : heading) : NULL;
    FigurePoint point = {.to = square_at(row, part->to), .state = state_of(row, part->state)};
    int rc = series ? 0 : OGPT_ENOMEM;
    if (rc == 0 && place_take(&point, &rc, panel, rows, row)) {
        double scale = scale_of(y);
        point.y = y ? number_at(row, y->key, "", scale) : NAN;
        point.low = y && y->interval ? number_at(row, y->key, "_low", scale) : NAN;
        point.high = y && y->interval ? number_at(row, y->key, "_high", scale) : NAN;
        point.note = is_true(row, part->note);
        point.mark = is_true(row, part->mark);
        series->across = !part->x;
        rc = point_add(series, &point);
    }
    return rc;
}

/* The whole number of a column that most rows have, the last of those that are as many; owned.
 * NULL: none is asked for, or out of memory (*rc). */
static char *common_find(int *rc, const PartRows *rows)
{
    const char *key = rows->part->common;
    const size_t n = js_length(rows->table->rows);
    const Js *best = NULL;
    size_t most = 0;
    for (size_t i = 0; key && i < n; i++) {
        const Js *value = js_member(js_at(rows->table->rows, i), key);
        size_t count = 0;
        for (size_t j = 0; j < n && js_type(value) == JS_INT; j++) {
            const Js *other = js_member(js_at(rows->table->rows, j), key);
            count += js_type(other) == JS_INT && js_int_of(other) == js_int_of(value);
        }
        if (count > 0 && count >= most) {
            best = value;
            most = count;
        }
    }
    char *word = best ? figure_word(column_at(rows, key), best, false) : NULL;
    *rc = best && !word ? OGPT_ENOMEM : 0;
    return word;
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

static int rows_take(PartRows *rows)
{
    const FigurePart *part = rows->part;
    const Column *columns[FIGURE_Y_MAX] = {NULL};
    size_t n_columns = 0;
    int rc = columns_check(rows);
    rows->common = NULL;
    if (rc == 0) {
        rows->common = common_find(&rc, rows);
    }
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
    mem_free(rows->common);
    return rc;
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
                PartRows rows = {out, part, table, sources[s].label, NULL};
                if (!part_is_of(part, figure, table)) {
                    continue;
                }
                out->x = out->x || !part->x ? out->x : table_column(table->spec, part->x);
                rc = rows_take(&rows);
            }
        }
    }
    for (size_t i = 0; rc == 0 && i < out->n_panels; i++) {
        rc = figure_arrange(&out->panels[i], figure);
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
    if (out[0] == '-' && strspn(out, "-0.") == strlen(out) && out[1] != '\0') {
        memmove(out, out + 1, strlen(out)); /* no -0.0 */
    }
}
