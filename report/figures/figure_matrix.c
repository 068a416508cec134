/* report/figures/figure_matrix.c - a value for each pair of names, as colour and number. Contract
 * in report/figures/page.h. */
#include <math.h>

#include "report/ink/letters.h"
#include "report/figures/page.h"

#define CELL_MOST 11.0 /* mm */
#define CELL_LEAST 6.0
#define CELL_HEIGHT_MOST 6.5

typedef struct MatrixPanel {
    Page *page;
    const FigurePanel *panel;
    const PageScale *scale;
    double names;                    /* room for the names of rows */
    double digits;                   /* size of the numbers in all cells, 0: they find no room */
    double left, top, width, height; /* of the cells; of one cell */
} MatrixPanel;

static void names_place(const MatrixPanel *plot)
{
    const FigurePanel *panel = plot->panel;
    for (size_t r = 0; r < panel->n_series; r++) {
        page_text(plot->page,
                  &(PageText){.role = "row",
                              .text = panel->series[r].name,
                              .x = plot->left - 1,
                              .y = plot->top + ((double)r + 0.5) * plot->height + 0.36 * PAGE_SMALL,
                              .size = PAGE_SMALL,
                              .most = plot->names,
                              .anchor = 1,
                              .colour = PAGE_BLACK});
    }
    double free_from = -INFINITY;
    for (size_t c = 0; c < panel->n_categories; c++) {
        double x = plot->left + ((double)c + 0.5) * plot->width;
        double half = letters_width(panel->categories[c].name, PAGE_SMALL) / 2;
        if (x - half < free_from) {
            continue;
        }
        free_from = x + half + 0.5;
        page_text(plot->page, &(PageText){.role = "column",
                                          .text = panel->categories[c].name,
                                          .x = x,
                                          .y = plot->top - 0.9,
                                          .size = PAGE_SMALL,
                                          .colour = PAGE_BLACK});
    }
}

static void cell_place(const MatrixPanel *plot, const FigurePoint *point, size_t row,
                       const Column *column)
{
    MarkPoint a = {plot->left + point->x * plot->width, plot->top + (double)row * plot->height};
    MarkPoint b = {a.x + plot->width, a.y + plot->height};
    char number[48];
    if (isnan(point->y)) {
        return;
    }
    uint32_t colour = page_heat(page_scale_share(plot->scale, point->y));
    page_rect(
        plot->page, "cell", a, b,
        &(Mark){.fill = colour, .stroke = 0xffffff, .width = 0.2, .x = point->x, .y = point->y});
    page_number(number, column, point->y);
    const double size = plot->digits;
    if (size > 0) {
        page_text(plot->page, &(PageText){.role = "number",
                                          .text = number,
                                          .x = (a.x + b.x) / 2,
                                          .y = (a.y + b.y) / 2 + 0.36 * size,
                                          .size = size,
                                          .colour = page_ink_on(colour)});
    } else if (point->y < 0 && plot->scale->signs) { /* without colour, a bar says "below 0" */
        page_line(plot->page, "sign", (MarkPoint){a.x + 0.3 * plot->width, (a.y + b.y) / 2},
                  (MarkPoint){b.x - 0.3 * plot->width, (a.y + b.y) / 2},
                  &(Mark){.stroke = page_ink_on(colour), .width = 0.25, .x = NAN, .y = NAN});
    }
}

static void panel_place(MatrixPanel *plot)
{
    const FigurePanel *panel = plot->panel;
    MarkPoint a = {plot->left, plot->top};
    MarkPoint b = {plot->left + plot->width * (double)panel->n_categories,
                   plot->top + plot->height * (double)panel->n_series};
    /* What has no value stays hatched grey: the ground. */
    page_rect(plot->page, "ground", a, b,
              &(Mark){.fill = 0xf0f0f0, .stroke = MARK_NONE, .x = NAN, .y = NAN});
    for (size_t r = 0; r < panel->n_series; r++) {
        for (size_t i = 0; i < panel->series[r].n_points; i++) {
            cell_place(plot, &panel->series[r].points[i], r, panel->series[r].column);
        }
    }
    names_place(plot);
    plot->page->y = b.y;
}

static double rows_width(const FigureData *data)
{
    double width = 0;
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t r = 0; r < data->panels[p].n_series; r++) {
            width = fmax(width, letters_width(data->panels[p].series[r].name, PAGE_SMALL));
        }
    }
    return width;
}

/* What columns and rows are, above the names of both. */
static void heads_place(const MatrixPanel *plot, double most)
{
    const FigureData *data = plot->page->data;
    Text label = {0};
    figure_data_label(&label, &data->figure->x, data->x);
    page_text(plot->page, &(PageText){.role = "label",
                                      .text = label.data ? label.data : "",
                                      .x = plot->left,
                                      .y = plot->page->y + PAGE_SMALL,
                                      .size = PAGE_SMALL,
                                      .most = most,
                                      .anchor = -1,
                                      .colour = PAGE_GREY});
    text_release(&label);
    if (data->figure->rows) {
        page_text(plot->page, &(PageText){.role = "label",
                                          .text = data->figure->rows,
                                          .x = plot->left - 1,
                                          .y = plot->page->y + 2.2 * PAGE_SMALL,
                                          .size = PAGE_SMALL,
                                          .anchor = 1,
                                          .colour = PAGE_GREY});
    }
}

/* The size at which the longest number fits into a cell; 0: none. */
static double digits_size(const MatrixPanel *plot)
{
    const FigureData *data = plot->page->data;
    double widest = 0;
    char number[48];
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t r = 0; r < data->panels[p].n_series; r++) {
            const FigureSeries *series = &data->panels[p].series[r];
            for (size_t i = 0; i < series->n_points; i++) {
                page_number(number, series->column, series->points[i].y);
                widest = fmax(widest, letters_width(number, 1));
            }
        }
    }
    double size = fmin(PAGE_SMALL, fmin(0.8 * plot->height, (plot->width - 0.5) / widest));
    return size < 1.2 ? 0 : size;
}

/* The most columns of cells in a panel. */
static size_t cells_across(const FigureData *data)
{
    size_t most = 1;
    for (size_t p = 0; p < data->n_panels; p++) {
        most = data->panels[p].n_categories > most ? data->panels[p].n_categories : most;
    }
    return most;
}

void page_matrix(Page *page)
{
    const FigureData *data = page->data;
    const PageScale scale = page_scale_of(data);
    const double inside = page->width - 2 * PAGE_MARGIN;
    const double across = (double)cells_across(data);
    double names = fmin(rows_width(data), 0.35 * page->width) + 1;
    if (data->figure->rows) {
        names = fmax(names, letters_width(data->figure->rows, PAGE_SMALL) + 1);
    }
    size_t columns =
        (size_t)fmax(1, floor((inside + PAGE_GAP) / (names + across * CELL_LEAST + PAGE_GAP)));
    columns = columns > data->n_panels ? data->n_panels : columns;
    const double width = (inside - PAGE_GAP * (double)(columns - 1)) / (double)columns;
    MatrixPanel plot = {.page = page, .scale = &scale, .names = names - 1};
    plot.width = fmin(CELL_MOST, (width - names) / across);
    plot.height = fmin(CELL_HEIGHT_MOST, fmax(1.6, 0.8 * plot.width));
    plot.digits = digits_size(&plot);
    double top = page->y, bottom = page->y;
    for (size_t p = 0; p < data->n_panels; p++) {
        const double x = PAGE_MARGIN + (double)(p % columns) * (width + PAGE_GAP);
        top = p % columns == 0 ? bottom : top;
        plot.panel = &data->panels[p];
        plot.left = x + names;
        page->y = top;
        if (plot.panel->name[0] != '\0') {
            page_panel_name(page, plot.panel->name, x, width);
            page->y += 1.4 * PAGE_LETTERS;
        }
        heads_place(&plot, width - names);
        plot.top = page->y + 2 * PAGE_SMALL + 1.4;
        panel_place(&plot);
        bottom = fmax(bottom, page->y + 2.5);
    }
    page->y = bottom;
    page_scale(page, &scale, PAGE_MARGIN + names, fmin(34, inside / 2));
}
