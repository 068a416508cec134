/* report/figures/figure_dots.c - a line for each name, its values with their intervals across.
 * Contract in report/figures/page.h. */
#include <math.h>

#include "report/ink/letters.h"
#include "report/figures/page.h"

#define ROW_LEAST 3.9 /* mm */
#define SERIES_STEP 1.9

typedef struct DotsPanel {
    Page *page;
    const FigurePanel *panel;
    Axis x;
    double left, right, top, row; /* of the plot; height of a line */
} DotsPanel;

static const Column *column_of(const FigureData *data)
{
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t s = 0; s < data->panels[p].n_series; s++) {
            if (data->panels[p].series[s].column) {
                return data->panels[p].series[s].column;
            }
        }
    }
    return NULL;
}

static AxisRange range_of(const FigureData *data)
{
    AxisRange range = {NAN, NAN};
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t s = 0; s < data->panels[p].n_series; s++) {
            for (size_t i = 0; i < data->panels[p].series[s].n_points; i++) {
                const FigurePoint *point = &data->panels[p].series[s].points[i];
                axis_range_see(&range, point->y, data->figure->y.log);
                axis_range_see(&range, point->low, data->figure->y.log);
                axis_range_see(&range, point->high, data->figure->y.log);
            }
        }
    }
    return range;
}

static double names_width(const FigureData *data)
{
    double width = 0;
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t c = 0; c < data->panels[p].n_categories; c++) {
            width = fmax(width, letters_width(data->panels[p].categories[c].name, PAGE_LETTERS));
        }
    }
    return width;
}

static void rows_place(DotsPanel *plot)
{
    for (size_t c = 0; c < plot->panel->n_categories; c++) {
        double top = plot->top + (double)c * plot->row;
        if (c % 2 == 0) {
            page_rect(plot->page, "band", (MarkPoint){plot->left, top},
                      (MarkPoint){plot->right, top + plot->row},
                      &(Mark){.fill = 0xf4f4f4, .stroke = MARK_NONE, .x = NAN, .y = NAN});
        }
        page_text(plot->page, &(PageText){.role = "name",
                                          .text = plot->panel->categories[c].name,
                                          .x = plot->left - 1.2,
                                          .y = top + plot->row / 2 + 0.36 * PAGE_LETTERS,
                                          .size = PAGE_LETTERS,
                                          .most = plot->left - 1.2 - PAGE_MARGIN,
                                          .anchor = 1,
                                          .colour = PAGE_BLACK});
    }
}

static void axis_draw(DotsPanel *plot, double bottom)
{
    double free_from = -INFINITY;
    for (int i = 0; i < plot->x.n; i++) {
        double x = axis_place(&plot->x, plot->x.ticks[i]);
        double half = letters_width(plot->x.labels[i], PAGE_SMALL) / 2;
        bool zero = plot->x.ticks[i] == 0 && !plot->x.log;
        page_line(plot->page, zero ? "zero" : "grid", (MarkPoint){x, plot->top},
                  (MarkPoint){x, bottom},
                  &(Mark){.stroke = zero ? PAGE_GREY : PAGE_PALE,
                          .width = zero ? 0.2 : 0.15,
                          .x = plot->x.ticks[i],
                          .y = NAN});
        if (x - half >= free_from) {
            free_from = x + half + 0.8;
            page_text(plot->page, &(PageText){.role = "tick",
                                              .text = plot->x.labels[i],
                                              .x = x,
                                              .y = bottom + 0.6 + 0.75 * PAGE_SMALL,
                                              .size = PAGE_SMALL,
                                              .colour = PAGE_GREY});
        }
    }
}

static void point_place(DotsPanel *plot, const FigurePoint *point, PageLook look, double shift)
{
    double x = axis_place(&plot->x, point->y);
    double y = plot->top + (point->x + 0.5) * plot->row + shift;
    double low = axis_place(&plot->x, point->low), high = axis_place(&plot->x, point->high);
    const double cap = 0.6;
    if (isnan(x)) {
        return;
    }
    if (!isnan(low) && !isnan(high)) {
        Mark mark = {.stroke = look.colour, .width = 0.3, .x = point->low, .y = point->high};
        page_line(plot->page, "interval", (MarkPoint){low, y}, (MarkPoint){high, y}, &mark);
        page_line(plot->page, "cap", (MarkPoint){low, y - cap}, (MarkPoint){low, y + cap}, &mark);
        page_line(plot->page, "cap", (MarkPoint){high, y - cap}, (MarkPoint){high, y + cap}, &mark);
    }
    Mark mark = {.shape = MARK_POINT,
                 .role = "value",
                 .fill = look.marker < MARKERS / 2 ? look.colour : 0xffffff,
                 .stroke = look.colour,
                 .width = 0.25,
                 .size = 0.85,
                 .marker = look.marker,
                 .x = point->y,
                 .y = point->x};
    mark_add(plot->page->marks, &mark, &(MarkPoint){x, y}, 1);
}

static void panel_place(DotsPanel *plot)
{
    const FigureData *data = plot->page->data;
    const FigurePanel *panel = plot->panel;
    double bottom = plot->top + plot->row * (double)panel->n_categories;
    rows_place(plot);
    axis_draw(plot, bottom);
    for (size_t s = 0; s < panel->n_series; s++) {
        const FigureSeries *series = &panel->series[s];
        PageLook look = page_look(page_series_index(data, series->name));
        double shift = ((double)s - (double)(panel->n_series - 1) / 2) *
                       (panel->n_series > 1 ? SERIES_STEP : 0);
        for (size_t i = 0; i < series->n_points; i++) {
            point_place(plot, &series->points[i], look, shift);
        }
    }
    plot->page->y = bottom + 0.6 + PAGE_SMALL + 0.8;
}

/* What the axis says, and what is not shown. */
static void foot_place(DotsPanel *plot, size_t left_out)
{
    Text label = {0};
    figure_data_label(&label, &plot->page->data->figure->y, column_of(plot->page->data));
    if (left_out > 0) {
        text_add(&label, "; %zu smaller ones are left out", left_out);
    }
    plot->page->y += PAGE_LETTERS;
    page_text(plot->page, &(PageText){.role = "label",
                                      .text = label.data ? label.data : "",
                                      .x = plot->right,
                                      .y = plot->page->y,
                                      .size = PAGE_LETTERS,
                                      .most = plot->page->width - 2 * PAGE_MARGIN,
                                      .anchor = 1,
                                      .colour = PAGE_BLACK});
    plot->page->y += 0.6;
    text_release(&label);
}

void page_dots(Page *page)
{
    const FigureData *data = page->data;
    size_t left_out = 0, most = 1;
    page_legend(page);
    for (size_t p = 0; p < data->n_panels; p++) {
        most = data->panels[p].n_series > most ? data->panels[p].n_series : most;
        left_out += data->panels[p].left_out;
    }
    DotsPanel plot = {.page = page, .right = page->width - PAGE_MARGIN - 1.5};
    plot.left = PAGE_MARGIN + fmin(names_width(data), 0.42 * page->width) + 1.2;
    plot.row = fmax(ROW_LEAST, SERIES_STEP * (double)most + 1.2);
    plot.x = axis_make(range_of(data), &data->figure->y, column_of(data),
                       (int)fmax(2, (plot.right - plot.left) / 10));
    plot.x.from = plot.left;
    plot.x.to = plot.right;
    for (size_t p = 0; p < data->n_panels; p++) {
        plot.panel = &data->panels[p];
        if (plot.panel->name[0] != '\0') {
            page_panel_name(page, plot.panel->name, PAGE_MARGIN, page->width - 2 * PAGE_MARGIN);
            page->y += 1.5 * PAGE_LETTERS;
        }
        plot.top = page->y;
        panel_place(&plot);
    }
    foot_place(&plot, left_out);
}
