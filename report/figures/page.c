/* report/figures/page.c - contract in report/figures/page.h. */
#include "report/figures/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/ink/letters.h"

#define KEY_WIDTH 7.0
#define KEY_GAP 3.0

PageLook page_look(size_t i)
{
    static const uint32_t colours[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7,
                                       0x000000, 0xe69f00, 0x56b4e9, 0x7f7f7f};
    return (PageLook){colours[i % 8], (int)(i % MARKERS), (int)(i % DASHES)};
}

size_t page_series_index(const FigureData *data, const char *name)
{
    size_t index = 0;
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t s = 0; s < data->panels[p].n_series; s++) {
            const char *other = data->panels[p].series[s].name;
            bool before = false;
            for (size_t q = 0; q <= p && !before; q++) {
                size_t end = q == p ? s : data->panels[q].n_series;
                for (size_t t = 0; t < end && !before; t++) {
                    before = strcmp(data->panels[q].series[t].name, other) == 0;
                }
            }
            if (strcmp(other, name) == 0) {
                return index;
            }
            index += !before;
        }
    }
    return index;
}

void page_text(Page *page, const PageText *text)
{
    char shown[256];
    if (text->most > 0) {
        letters_fit(shown, sizeof(shown), text->text, text->size, text->most);
    } else {
        snprintf(shown, sizeof(shown), "%s", text->text);
    }
    Mark mark = {.shape = MARK_TEXT,
                 .role = text->role,
                 .fill = text->colour,
                 .stroke = MARK_NONE,
                 .size = text->size,
                 .anchor = text->anchor,
                 .x = NAN,
                 .y = NAN,
                 .text = shown};
    mark_add(page->marks, &mark, &(MarkPoint){text->x, text->y}, 1);
}

void page_number(char out[48], const Column *column, double value)
{
    char plain[40];
    figure_data_number(plain, column, value);
    bool minus = plain[0] == '-' && plain[1] != '\0';
    snprintf(out, 48, "%s%s", minus ? "\xe2\x88\x92" : "", plain + minus);
}

void page_line(Page *page, const char *role, MarkPoint a, MarkPoint b, const Mark *look)
{
    Mark mark = *look;
    mark.shape = MARK_LINE;
    mark.role = role;
    mark.fill = MARK_NONE;
    mark_add(page->marks, &mark, (MarkPoint[]){a, b}, 2);
}

void page_rect(Page *page, const char *role, MarkPoint a, MarkPoint b, const Mark *look)
{
    Mark mark = *look;
    mark.shape = MARK_RECT;
    mark.role = role;
    mark_add(page->marks, &mark, (MarkPoint[]){a, b}, 2);
}

void page_title(Page *page)
{
    if (page->data->figure->title) {
        page->y += PAGE_TITLE;
        page_text(page, &(PageText){.role = "title",
                                    .text = page->data->figure->title,
                                    .x = PAGE_MARGIN,
                                    .y = page->y,
                                    .size = PAGE_TITLE,
                                    .most = page->width - 2 * PAGE_MARGIN,
                                    .anchor = -1,
                                    .colour = PAGE_BLACK});
        page->y += 1.8;
    }
}

void page_panel_name(Page *page, const char *name, double x, double most)
{
    page_text(page, &(PageText){.role = "panel",
                                .text = name,
                                .x = x,
                                .y = page->y + PAGE_LETTERS,
                                .size = PAGE_LETTERS,
                                .most = most,
                                .anchor = -1,
                                .colour = PAGE_BLACK});
}

/* The sample of a series in the legend. */
static void key_place(Page *page, double x, double y, PageLook look, bool line, bool marker)
{
    if (line) {
        page_line(
            page, "key", (MarkPoint){x, y}, (MarkPoint){x + KEY_WIDTH - 1.2, y},
            &(Mark){
                .stroke = look.colour, .width = PAGE_LINE, .dash = look.dash, .x = NAN, .y = NAN});
    }
    if (marker) {
        Mark mark = {.shape = MARK_POINT,
                     .role = "key",
                     .fill = look.marker < MARKERS / 2 ? look.colour : 0xffffff,
                     .stroke = look.colour,
                     .width = 0.25,
                     .size = 0.7,
                     .marker = look.marker,
                     .x = NAN,
                     .y = NAN};
        mark_add(page->marks, &mark, &(MarkPoint){x + (KEY_WIDTH - 1.2) / 2, y}, 1);
    }
}

void page_legend(Page *page)
{
    const FigureData *data = page->data;
    const bool line = data->figure->kind == FIGURE_LINES;
    double x = PAGE_MARGIN, right = page->width - PAGE_MARGIN;
    size_t n = 0, total = 0;
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t s = 0; s < data->panels[p].n_series; s++) {
            size_t index = page_series_index(data, data->panels[p].series[s].name);
            total = index + 1 > total ? index + 1 : total;
        }
    }
    if (total < 2) {
        return;
    }
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t s = 0; s < data->panels[p].n_series; s++) {
            const FigureSeries *series = &data->panels[p].series[s];
            if (page_series_index(data, series->name) != n) {
                continue; /* had its key before */
            }
            double width = KEY_WIDTH + letters_width(series->name, PAGE_LETTERS);
            if (x > PAGE_MARGIN && x + width > right) {
                x = PAGE_MARGIN;
                page->y += 1.45 * PAGE_LETTERS;
            }
            double middle = page->y + 0.62 * PAGE_LETTERS;
            key_place(page, x, middle, page_look(n), line, !series->across);
            page_text(page, &(PageText){.role = "legend",
                                        .text = series->name,
                                        .x = x + KEY_WIDTH,
                                        .y = page->y + PAGE_LETTERS,
                                        .size = PAGE_LETTERS,
                                        .most = right - x - KEY_WIDTH,
                                        .anchor = -1,
                                        .colour = PAGE_BLACK});
            x += width + KEY_GAP;
            n++;
        }
    }
    page->y += 1.45 * PAGE_LETTERS + 1.2;
}

/* ---- heat ---- */

uint32_t page_heat(double share)
{
    static const double blue[3] = {0x08, 0x4a, 0x83}, red[3] = {0xb8, 0x45, 0x08};
    double depth = fmin(1, fabs(share));
    const double *deep = share < 0 ? red : blue;
    uint32_t colour = 0;
    for (int i = 0; i < 3; i++) {
        double v = 255 + (deep[i] - 255) * depth;
        colour = colour << 8 | (uint32_t)lround(v);
    }
    return colour;
}

uint32_t page_ink_on(uint32_t colour)
{
    double light =
        0.299 * (colour >> 16 & 255) + 0.587 * (colour >> 8 & 255) + 0.114 * (colour & 255);
    return light < 140 ? 0xffffff : PAGE_BLACK;
}

double page_scale_share(const PageScale *scale, double value)
{
    if (scale->signs) {
        return scale->high > 0 ? value / scale->high : 0;
    }
    return scale->high > scale->low ? (value - scale->low) / (scale->high - scale->low) : 0;
}

PageScale page_scale_of(const FigureData *data)
{
    AxisRange range = {NAN, NAN};
    PageScale scale = {.signs = data->figure->signs, .label = data->figure->y.label};
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t s = 0; s < data->panels[p].n_series; s++) {
            const FigureSeries *series = &data->panels[p].series[s];
            scale.column = scale.column ? scale.column : series->column;
            for (size_t i = 0; i < series->n_points; i++) {
                axis_range_see(&range, series->points[i].y, false);
            }
        }
    }
    scale.low = range.low;
    scale.high = range.high;
    if (scale.signs) {
        scale.high = fmax(fabs(range.low), fabs(range.high));
        scale.low = -scale.high;
    } else if (data->figure->y.zero && scale.low > 0) {
        scale.low = 0;
    }
    return scale;
}

void page_scale(Page *page, const PageScale *scale, double x, double width)
{
    enum { STEPS = 40 };
    const double height = 2.0;
    Text label = {0};
    for (int i = 0; i < STEPS; i++) {
        double value = scale->low + (scale->high - scale->low) * (i + 0.5) / STEPS;
        double left = x + width * i / STEPS, right = x + width * (i + 1) / STEPS;
        page_rect(page, "scale", (MarkPoint){left, page->y},
                  (MarkPoint){right + (i + 1 < STEPS ? 0.05 : 0), page->y + height},
                  &(Mark){.fill = page_heat(page_scale_share(scale, value)),
                          .stroke = MARK_NONE,
                          .x = NAN,
                          .y = value});
    }
    page_rect(page, "scale frame", (MarkPoint){x, page->y},
              (MarkPoint){x + width, page->y + height},
              &(Mark){.fill = MARK_NONE, .stroke = PAGE_GREY, .width = 0.15, .x = NAN, .y = NAN});
    Axis axis = axis_make((AxisRange){scale->low, scale->high}, &(FigureAxis){0}, scale->column, 5);
    axis.low = scale->low;
    axis.high = scale->high;
    axis.from = x;
    axis.to = x + width;
    for (int i = 0; i < axis.n; i++) {
        if (axis.ticks[i] >= scale->low - 1e-12 && axis.ticks[i] <= scale->high + 1e-12) {
            page_text(page, &(PageText){.role = "tick",
                                        .text = axis.labels[i],
                                        .x = axis_place(&axis, axis.ticks[i]),
                                        .y = page->y + height + 0.6 + 0.75 * PAGE_SMALL,
                                        .size = PAGE_SMALL,
                                        .colour = PAGE_GREY});
        }
    }
    figure_data_label(&label, &(FigureAxis){.label = scale->label}, scale->column);
    page_text(page, &(PageText){.role = "label",
                                .text = label.data ? label.data : "",
                                .x = x + width + 2,
                                .y = page->y + height,
                                .size = PAGE_LETTERS,
                                .most = page->width - PAGE_MARGIN - x - width - 2,
                                .anchor = -1,
                                .colour = PAGE_BLACK});
    text_release(&label);
    page->y += height + 0.6 + PAGE_SMALL + 0.6;
}
