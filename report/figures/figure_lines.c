/* report/figures/figure_lines.c - values over a number: lines, markers, intervals. Contract in
 * report/figures/page.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "report/ink/letters.h"
#include "report/figures/page.h"

#define PANEL_LEAST 52.0 /* mm wide */
#define BAND_FROM 24     /* points of a series from which its intervals are a band */
#define DENSE_FROM 40    /* points of a series from which it has no markers */

/* One panel being placed. */
typedef struct LinesPanel {
    Page *page;
    const FigurePanel *panel;
    Axis x, y;
    double left, right, top, bottom; /* of the plot */
} LinesPanel;

static const Column *column_of(const FigurePanel *panel)
{
    for (size_t s = 0; s < panel->n_series; s++) {
        if (panel->series[s].column) {
            return panel->series[s].column;
        }
    }
    return NULL;
}

static void ranges_see(AxisRange *x, AxisRange *y, const FigurePanel *panel,
                       const FigureSpec *figure)
{
    for (size_t s = 0; s < panel->n_series; s++) {
        for (size_t i = 0; i < panel->series[s].n_points; i++) {
            const FigurePoint *point = &panel->series[s].points[i];
            if (isfinite(point->y)) {
                axis_range_see(x, point->x, figure->x.log);
                axis_range_see(y, point->y, figure->y.log);
                axis_range_see(y, point->low, figure->y.log);
                axis_range_see(y, point->high, figure->y.log);
            }
        }
    }
}

/* ---- axes ---- */

static void y_axis_place(LinesPanel *plot)
{
    for (int i = 0; i < plot->y.n; i++) {
        double y = axis_place(&plot->y, plot->y.ticks[i]);
        page_line(plot->page, "grid", (MarkPoint){plot->left, y}, (MarkPoint){plot->right, y},
                  &(Mark){.stroke = PAGE_PALE, .width = 0.15, .x = NAN, .y = plot->y.ticks[i]});
        page_text(plot->page, &(PageText){.role = "tick",
                                          .text = plot->y.labels[i],
                                          .x = plot->left - 1,
                                          .y = y + 0.36 * PAGE_SMALL,
                                          .size = PAGE_SMALL,
                                          .anchor = 1,
                                          .colour = PAGE_GREY});
    }
}

static void x_axis_place(LinesPanel *plot)
{
    double free_from = -INFINITY; /* where the label before ends */
    const Mark line = {.stroke = PAGE_GREY, .width = 0.2, .x = NAN, .y = NAN};
    page_line(plot->page, "axis", (MarkPoint){plot->left, plot->bottom},
              (MarkPoint){plot->right, plot->bottom}, &line);
    for (int i = 0; i < plot->x.n; i++) {
        double x = axis_place(&plot->x, plot->x.ticks[i]);
        double half = letters_width(plot->x.labels[i], PAGE_SMALL) / 2;
        page_line(plot->page, "axis", (MarkPoint){x, plot->bottom},
                  (MarkPoint){x, plot->bottom + 0.8}, &line);
        if (x - half < free_from) {
            continue;
        }
        free_from = x + half + 0.8;
        page_text(plot->page, &(PageText){.role = "tick",
                                          .text = plot->x.labels[i],
                                          .x = fmin(x, plot->right + PAGE_MARGIN - half),
                                          .y = plot->bottom + 1.2 + 0.75 * PAGE_SMALL,
                                          .size = PAGE_SMALL,
                                          .colour = PAGE_GREY});
    }
}

static void names_place(LinesPanel *plot)
{
    const FigureData *data = plot->page->data;
    const FigureAxis *x = &data->figure->x;
    const bool by_panel = x->label && strcmp(x->label, FIGURE_LABEL_PANEL) == 0;
    Text above = {0}, below = {0};
    figure_data_label(&above, &data->figure->y, column_of(plot->panel));
    if (by_panel) {
        text_add(&below, "%s", plot->panel->name);
    } else {
        figure_data_label(&below, x, data->x);
        if (plot->panel->name[0] != '\0' && !data->figure->apart) {
            text_add(&above, " \xe2\x80\x93 %s", plot->panel->name);
        }
    }
    page_text(plot->page, &(PageText){.role = "label",
                                      .text = above.data ? above.data : "",
                                      .x = plot->left - 1 - axis_labels_width(&plot->y, PAGE_SMALL),
                                      .y = plot->top - 1.4,
                                      .size = PAGE_LETTERS,
                                      .most = plot->right - plot->left,
                                      .anchor = -1,
                                      .colour = PAGE_BLACK});
    page_text(plot->page, &(PageText){.role = "label",
                                      .text = below.data ? below.data : "",
                                      .x = (plot->left + plot->right) / 2,
                                      .y = plot->bottom + 1.6 + PAGE_SMALL + PAGE_LETTERS,
                                      .size = PAGE_LETTERS,
                                      .most = plot->right - plot->left,
                                      .colour = PAGE_BLACK});
    text_release(&above);
    text_release(&below);
}

/* ---- series ---- */

static bool has_interval(const FigurePoint *point)
{
    return isfinite(point->low) && isfinite(point->high);
}

static bool has_place(const LinesPanel *plot, const FigurePoint *point)
{
    return !isnan(axis_place(&plot->x, point->x)) && !isnan(axis_place(&plot->y, point->y));
}

/* Parts of a series without a gap: from *first on, the number of points; 0: no more. */
static size_t run_next(size_t *first, const LinesPanel *plot, const FigureSeries *series)
{
    size_t i = *first;
    while (i < series->n_points && !has_place(plot, &series->points[i])) {
        i++;
    }
    *first = i;
    while (i < series->n_points && has_place(plot, &series->points[i])) {
        i++;
    }
    return i - *first;
}

/* On a log axis an interval may begin at 0: it is drawn from the axis on. */
static double y_clipped(const LinesPanel *plot, double value)
{
    double y = axis_place(&plot->y, value);
    return isnan(y) ? plot->bottom : fmin(fmax(y, plot->top), plot->bottom);
}

static void band_place(LinesPanel *plot, const FigurePoint *points, size_t n, PageLook look)
{
    MarkPoint *around = mem_alloc(2 * n, sizeof(*around), "a band");
    if (!around) {
        plot->page->marks->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double x = axis_place(&plot->x, points[i].x);
        bool known = has_interval(&points[i]);
        around[i] = (MarkPoint){x, y_clipped(plot, known ? points[i].high : points[i].y)};
        around[2 * n - 1 - i] =
            (MarkPoint){x, y_clipped(plot, known ? points[i].low : points[i].y)};
    }
    Mark mark = {.shape = MARK_AREA,
                 .role = "interval",
                 .fill = look.colour,
                 .stroke = MARK_NONE,
                 .alpha = 0.2,
                 .x = NAN,
                 .y = NAN};
    mark_add(plot->page->marks, &mark, around, 2 * n);
    mem_free(around);
}

static void whisker_place(LinesPanel *plot, const FigurePoint *point, PageLook look)
{
    double x = axis_place(&plot->x, point->x), cap = 0.7;
    double low = y_clipped(plot, point->low), high = y_clipped(plot, point->high);
    Mark mark = {.stroke = look.colour, .width = 0.25, .x = point->x, .y = point->low};
    page_line(plot->page, "interval", (MarkPoint){x, low}, (MarkPoint){x, high}, &mark);
    page_line(plot->page, "cap", (MarkPoint){x - cap, low}, (MarkPoint){x + cap, low}, &mark);
    mark.y = point->high;
    page_line(plot->page, "cap", (MarkPoint){x - cap, high}, (MarkPoint){x + cap, high}, &mark);
}

static void marker_place(LinesPanel *plot, const FigurePoint *point, PageLook look, double size)
{
    MarkPoint at = {axis_place(&plot->x, point->x), axis_place(&plot->y, point->y)};
    Mark mark = {.shape = MARK_POINT,
                 .role = "value",
                 .fill = look.marker < MARKERS / 2 ? look.colour : 0xffffff,
                 .stroke = look.colour,
                 .width = 0.25,
                 .size = size,
                 .marker = look.marker,
                 .x = point->x,
                 .y = point->y};
    mark_add(plot->page->marks, &mark, &at, 1);
}

static void run_place(LinesPanel *plot, const FigurePoint *points, size_t n, PageLook look)
{
    MarkPoint *line = mem_alloc(n, sizeof(*line), "a line");
    if (!line) {
        plot->page->marks->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        line[i] = (MarkPoint){axis_place(&plot->x, points[i].x), axis_place(&plot->y, points[i].y)};
    }
    Mark mark = {.shape = MARK_LINE,
                 .role = "line",
                 .fill = MARK_NONE,
                 .stroke = look.colour,
                 .width = PAGE_LINE,
                 .dash = look.dash,
                 .x = NAN,
                 .y = NAN};
    if (n > 1) {
        mark_add(plot->page->marks, &mark, line, n);
    }
    mem_free(line);
}

/* A value that belongs to no x: a line over the whole width, in the band of its interval. */
static void across_place(LinesPanel *plot, const FigurePoint *point, PageLook look)
{
    double y = axis_place(&plot->y, point->y);
    if (isnan(y)) {
        return;
    }
    if (has_interval(point)) {
        page_rect(plot->page, "interval", (MarkPoint){plot->left, y_clipped(plot, point->high)},
                  (MarkPoint){plot->right, y_clipped(plot, point->low)},
                  &(Mark){.fill = look.colour,
                          .alpha = 0.2,
                          .stroke = MARK_NONE,
                          .x = point->low,
                          .y = point->high});
    }
    page_line(
        plot->page, "across", (MarkPoint){plot->left, y}, (MarkPoint){plot->right, y},
        &(Mark){
            .stroke = look.colour, .width = PAGE_LINE, .dash = look.dash, .x = NAN, .y = point->y});
}

static int by_x(const void *a, const void *b)
{
    double x = ((const FigurePoint *)a)->x, y = ((const FigurePoint *)b)->x;
    return (x > y) - (x < y);
}

static void series_place(LinesPanel *plot, FigureSeries *series)
{
    const PageLook look = page_look(page_series_index(plot->page->data, series->name));
    if (series->across) {
        for (size_t i = 0; i < series->n_points; i++) {
            across_place(plot, &series->points[i], look);
        }
        return;
    }
    qsort(series->points, series->n_points, sizeof(*series->points), by_x);
    size_t first = 0;
    for (size_t n; (n = run_next(&first, plot, series)) > 0; first += n) {
        const FigurePoint *points = series->points + first;
        const bool band = series->n_points >= BAND_FROM;
        if (band && has_interval(&points[0])) {
            band_place(plot, points, n, look);
        }
        for (size_t i = 0; !band && i < n; i++) {
            if (has_interval(&points[i])) {
                whisker_place(plot, &points[i], look);
            }
        }
        run_place(plot, points, n, look);
        for (size_t i = 0; i < n; i++) {
            bool dense = series->n_points >= DENSE_FROM;
            /* A long line shows its marker now and then, and at a lone point always. */
            if (!dense || n == 1 || (first + i) % (series->n_points / 8) == 0) {
                marker_place(plot, &points[i], look, series->n_points > 16 ? 0.5 : 0.65);
            }
        }
    }
}

/* Place one panel with its top left corner at (x, y), its names included. */
static void panel_place(Page *page, FigurePanel *panel, const AxisRange *x_range, MarkPoint at,
                        MarkPoint size)
{
    const FigureSpec *figure = page->data->figure;
    AxisRange own = {NAN, NAN}, y_range = {NAN, NAN};
    LinesPanel plot = {.page = page, .panel = panel};
    ranges_see(&own, &y_range, panel, figure);
    plot.y = axis_make(y_range, &figure->y, column_of(panel), 5);
    plot.x = axis_make(x_range ? *x_range : own, &figure->x, page->data->x, (int)(size.x / 10));
    plot.left = at.x + axis_labels_width(&plot.y, PAGE_SMALL) + 1;
    plot.right = at.x + size.x;
    plot.top = at.y + PAGE_LETTERS + 2;
    plot.bottom = at.y + size.y - (2.2 + PAGE_SMALL + PAGE_LETTERS);
    plot.x.from = plot.left;
    plot.x.to = plot.right;
    plot.y.from = plot.bottom;
    plot.y.to = plot.top;
    y_axis_place(&plot);
    x_axis_place(&plot);
    names_place(&plot);
    for (int pass = 0; pass < 2; pass++) { /* lines across below the others */
        for (size_t s = 0; s < panel->n_series; s++) {
            if (panel->series[s].across == (pass == 0)) {
                series_place(&plot, &panel->series[s]);
            }
        }
    }
}

void page_lines(Page *page)
{
    const FigureData *data = page->data;
    const double inside = page->width - 2 * PAGE_MARGIN;
    size_t columns = (size_t)fmax(1, floor((inside + PAGE_GAP) / (PANEL_LEAST + PAGE_GAP)));
    columns = columns > data->n_panels ? data->n_panels : columns;
    columns = columns > 3 ? 3 : columns;
    double width = (inside - PAGE_GAP * (double)(columns - 1)) / (double)columns;
    double height = fmin(data->n_panels > 1 ? 46 : 62, 8 + 0.62 * width);
    page_legend(page);
    const double top = page->y;
    for (size_t i = 0; i < data->n_panels; i++) {
        size_t row = i / columns;
        MarkPoint at = {PAGE_MARGIN + (double)(i % columns) * (width + PAGE_GAP),
                        top + (double)row * (height + 1.5)};
        panel_place(page, &data->panels[i], NULL, at, (MarkPoint){width, height});
        page->y = at.y + height;
    }
}
