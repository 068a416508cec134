/* report/figures/describe.c - a figure in words: its numbers, panel by panel. */
#include "report/figures/describe.h"

#include <math.h>
#include <stdio.h>

#include "game/notation.h"

#define POINTS_SAID 4000 /* of one figure; beyond them, how many there are */

static const char *const kinds[] = {"Lines", "Values with intervals", "Matrix", "Board", "Graph"};

static void place_say(Text *out, const FigureData *data, const FigurePanel *panel,
                      const FigurePoint *point)
{
    char name[3];
    switch (data->figure->kind) {
    case FIGURE_BOARD:
        square_print(name, (int)point->x);
        text_add(out, "%s", name);
        if (point->to >= 0) {
            square_print(name, point->to);
            text_add(out, " to %s", name);
        }
        return;
    case FIGURE_LINES:
        if (data->x && data->x->type == COLUMN_LAYER && point->x < 0) {
            text_add(out, "embed");
        } else {
            text_add(out, "%.10g", point->x);
        }
        return;
    default: text_add(out, "%s", panel->categories[(size_t)point->x].name); return;
    }
}

static void point_say(Text *out, const FigureData *data, const FigurePanel *panel,
                      const FigureSeries *series, const FigurePoint *point)
{
    char number[3][40];
    if (!series->across) {
        place_say(out, data, panel, point);
        text_add(out, " ");
    }
    if (point->state != '\0') {
        text_add(out, "%s%s",
                 point->state == 'X'   ? "black"
                 : point->state == 'O' ? "white"
                 : point->state == '*' ? "legal"
                                       : "empty",
                 series->column ? " " : "");
    }
    if (series->column) {
        figure_data_number(number[0], series->column, point->y);
        text_add(out, "%s", number[0]);
    }
    if (isfinite(point->low) && isfinite(point->high)) {
        figure_data_number(number[1], series->column, point->low);
        figure_data_number(number[2], series->column, point->high);
        text_add(out, " [%s, %s]", number[1], number[2]);
    }
    text_add(out, "%s", point->mark ? " (marked)" : "");
}

void describe_data(Text *out, const FigureData *data)
{
    size_t said = 0, all = 0;
    text_add(out, "%s", kinds[data->figure->kind]);
    if (data->x && data->figure->kind == FIGURE_LINES) {
        text_add(out, " over %s", data->x->heading ? data->x->heading : data->x->key);
    }
    text_add(out, ".\n");
    for (size_t p = 0; p < data->n_panels; p++) {
        const FigurePanel *panel = &data->panels[p];
        for (size_t s = 0; s < panel->n_series; s++) {
            const FigureSeries *series = &panel->series[s];
            const char *unit = series->column && series->column->unit ? series->column->unit : "";
            text_add(out, "%s%s%s%s%s%s:", panel->name,
                     panel->name[0] && series->name[0] ? ", " : "", series->name,
                     unit[0] ? " (" : "", unit, unit[0] ? ")" : "");
            for (size_t i = 0; i < series->n_points; i++) {
                all++;
                if (said < POINTS_SAID) {
                    said++;
                    text_add(out, "%s ", i > 0 ? ";" : "");
                    point_say(out, data, panel, series, &series->points[i]);
                }
            }
            text_add(out, ".\n");
        }
    }
    if (said < all) {
        text_add(out, "%zu more values are in the tables.\n", all - said);
    }
}
