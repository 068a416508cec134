/* report/figures/figure_board.c - Othello boards: discs, values, marked squares, arrows. Contract
 * in report/figures/page.h. */
#include <math.h>
#include <stdio.h>

#include "report/ink/letters.h"
#include "report/figures/page.h"

#define BOARD_MOST 62.0  /* mm */
#define BOARD_LEAST 24.0 /* without values */
#define VALUES_LEAST 50.0
#define SEVERAL_LEAST 30.0 /* with values, where there are several boards */
#define NAMES 3.0          /* room for digits of rows and letters of columns */
#define GROUND 0xe3ece4u
#define WRONG 0xd55e00u

typedef struct BoardPanel {
    Page *page;
    const FigurePanel *panel;
    const PageScale *scale;
    int size; /* squares a side */
    double left, top, cell;
    bool values; /* numbers are shown by colours */
} BoardPanel;

static MarkPoint corner(const BoardPanel *plot, int square)
{
    return (MarkPoint){plot->left + plot->cell * (square % 8),
                       plot->top + plot->cell * (square / 8)};
}

static MarkPoint middle(const BoardPanel *plot, int square)
{
    MarkPoint at = corner(plot, square);
    return (MarkPoint){at.x + plot->cell / 2, at.y + plot->cell / 2};
}

static void ground_place(const BoardPanel *plot)
{
    const double side = plot->cell * plot->size;
    page_rect(
        plot->page, "ground", (MarkPoint){plot->left, plot->top},
        (MarkPoint){plot->left + side, plot->top + side},
        &(Mark){.fill = plot->values ? 0xf0f0f0 : GROUND, .stroke = MARK_NONE, .x = NAN, .y = NAN});
}

static void lines_place(const BoardPanel *plot)
{
    const double side = plot->cell * plot->size;
    for (int i = 0; i <= plot->size; i++) {
        double at = plot->cell * i;
        const Mark line = {.stroke = 0x8a8a8a,
                           .width = i == 0 || i == plot->size ? 0.25 : 0.12,
                           .x = NAN,
                           .y = NAN};
        page_line(plot->page, "grid", (MarkPoint){plot->left + at, plot->top},
                  (MarkPoint){plot->left + at, plot->top + side}, &line);
        page_line(plot->page, "grid", (MarkPoint){plot->left, plot->top + at},
                  (MarkPoint){plot->left + side, plot->top + at}, &line);
        char letter[2] = {(char)('a' + i), '\0'}, digit[2] = {(char)('1' + i), '\0'};
        if (i < plot->size) {
            page_text(plot->page, &(PageText){.role = "column",
                                              .text = letter,
                                              .x = plot->left + at + plot->cell / 2,
                                              .y = plot->top - 0.7,
                                              .size = PAGE_SMALL,
                                              .colour = PAGE_GREY});
            page_text(plot->page,
                      &(PageText){.role = "row",
                                  .text = digit,
                                  .x = plot->left - 0.8,
                                  .y = plot->top + at + plot->cell / 2 + 0.36 * PAGE_SMALL,
                                  .size = PAGE_SMALL,
                                  .anchor = 1,
                                  .colour = PAGE_GREY});
        }
    }
}

static void disc_place(const BoardPanel *plot, const FigurePoint *point, bool with_number)
{
    MarkPoint at = middle(plot, (int)point->x);
    double radius = plot->cell * (with_number ? 0.25 : 0.38);
    at.y -= with_number ? 0.17 * plot->cell : 0;
    if (point->state == '*') { /* may be played */
        Mark mark = {.shape = MARK_DISC,
                     .role = "legal",
                     .fill = MARK_NONE,
                     .stroke = PAGE_GREY,
                     .width = 0.2,
                     .size = 0.12 * plot->cell,
                     .x = point->x,
                     .y = NAN};
        at = middle(plot, (int)point->x);
        if (!with_number) {
            mark_add(plot->page->marks, &mark, &at, 1);
        }
        return;
    }
    if (point->state == 'X' || point->state == 'O') {
        Mark mark = {.shape = MARK_DISC,
                     .role = point->state == 'X' ? "black" : "white",
                     .fill = point->state == 'X' ? 0x161616 : 0xffffff,
                     .stroke = 0x161616,
                     .width = 0.18,
                     .size = radius,
                     .x = point->x,
                     .y = NAN};
        mark_add(plot->page->marks, &mark, &at, 1);
    }
}

static void number_place(const BoardPanel *plot, const FigurePoint *point, const Column *column,
                         uint32_t ground)
{
    char number[48];
    MarkPoint at = middle(plot, (int)point->x);
    const Column whole = {.type = COLUMN_NUMBER};
    page_number(number, plot->cell < 5 && fabs(point->y) >= 10 ? &whole : column, point->y);
    double size = fmin(PAGE_SMALL, 0.36 * plot->cell);
    double width = letters_width(number, size), most = 0.9 * plot->cell;
    size = width > most ? size * most / width : size;
    if (size < 1.2) {
        return;
    }
    bool disc = point->state == 'X' || point->state == 'O';
    page_text(plot->page, &(PageText){.role = "number",
                                      .text = number,
                                      .x = at.x,
                                      .y = disc ? at.y + 0.42 * plot->cell : at.y + 0.36 * size,
                                      .size = size,
                                      .colour = page_ink_on(ground)});
}

/* An outline with its corner cut off: seen without colour too. A note is an outline in dashes. */
static void mark_place(const BoardPanel *plot, const FigurePoint *point)
{
    MarkPoint a = corner(plot, (int)point->x);
    double in = 0.06 * plot->cell, tick = 0.24 * plot->cell;
    MarkPoint b = {a.x + plot->cell - in, a.y + plot->cell - in};
    a = (MarkPoint){a.x + in, a.y + in};
    const Mark line = {.fill = MARK_NONE,
                       .stroke = point->mark ? WRONG : PAGE_BLACK,
                       .width = fmax(0.3, (plot->values ? 0.04 : 0.07) * plot->cell),
                       .dash = point->mark ? 0 : 1,
                       .x = point->x,
                       .y = NAN};
    page_rect(plot->page, point->mark ? "marked" : "noted", a, b, &line);
    if (!point->mark) {
        return;
    }
    page_line(plot->page, "marked tick", (MarkPoint){b.x - tick, a.y}, (MarkPoint){b.x, a.y + tick},
              &line);
}

static void square_place(const BoardPanel *plot, const FigurePoint *point, const Column *column)
{
    bool number = isfinite(point->y);
    if (number) {
        MarkPoint a = corner(plot, (int)point->x);
        const uint32_t ground = page_heat(page_scale_share(plot->scale, point->y));
        page_rect(plot->page, "value", a, (MarkPoint){a.x + plot->cell, a.y + plot->cell},
                  &(Mark){.fill = ground, .stroke = MARK_NONE, .x = point->x, .y = point->y});
        number_place(plot, point, column, ground);
    }
    disc_place(plot, point, number && plot->cell >= 3.3);
}

/* Arrows are as wide as their values, those below 0 dashed. */
static void arrow_place(const BoardPanel *plot, const FigurePoint *point)
{
    MarkPoint a = middle(plot, (int)point->x), b = middle(plot, point->to);
    double share = fabs(page_scale_share(plot->scale, point->y));
    double length = hypot(b.x - a.x, b.y - a.y), end = 0.3 * plot->cell;
    if (isnan(point->y) || share < 0.05 || length < end) {
        return;
    }
    MarkPoint tip = {b.x - (b.x - a.x) * end / length, b.y - (b.y - a.y) * end / length};
    page_line(plot->page, "arrow", a, tip,
              &(Mark){.stroke = point->y < 0 ? 0xd55e00u : 0x0072b2u,
                      .width = 0.15 + 1.1 * share,
                      .dash = point->y < 0 ? 1 : 0,
                      .size = 1.2 + 1.2 * share,
                      .x = point->x,
                      .y = point->y});
}

static void panel_place(const BoardPanel *plot)
{
    const FigurePanel *panel = plot->panel;
    ground_place(plot);
    for (int pass = 0; pass < 3; pass++) { /* squares, lines, what lies on them */
        if (pass == 1) {
            lines_place(plot);
        }
        for (size_t s = 0; pass != 1 && s < panel->n_series; s++) {
            for (size_t i = 0; i < panel->series[s].n_points; i++) {
                const FigurePoint *point = &panel->series[s].points[i];
                if (pass == 0 && point->to < 0) {
                    square_place(plot, point, panel->series[s].column);
                } else if (pass == 2 && point->to >= 0) {
                    arrow_place(plot, point);
                } else if (pass == 2 && (point->mark || point->note)) {
                    mark_place(plot, point);
                }
            }
        }
    }
}

/* Squares a side: the board that holds all squares that are named. */
static int size_of(const FigureData *data, bool *values)
{
    int most = 0;
    *values = false;
    for (size_t p = 0; p < data->n_panels; p++) {
        for (size_t s = 0; s < data->panels[p].n_series; s++) {
            for (size_t i = 0; i < data->panels[p].series[s].n_points; i++) {
                const FigurePoint *point = &data->panels[p].series[s].points[i];
                int square = (int)point->x;
                int far = square % 8 > square / 8 ? square % 8 : square / 8;
                most = far > most ? far : most;
                *values = *values || (isfinite(point->y) && point->to < 0);
            }
        }
    }
    return most < 4 ? 4 : most < 6 ? 6 : 8;
}

void page_board(Page *page)
{
    const FigureData *data = page->data;
    const PageScale scale = page_scale_of(data);
    const double inside = page->width - 2 * PAGE_MARGIN;
    BoardPanel plot = {.page = page, .scale = &scale};
    plot.size = size_of(data, &plot.values);
    const double whole = !plot.values         ? BOARD_LEAST
                         : data->n_panels < 3 ? VALUES_LEAST
                                              : SEVERAL_LEAST;
    const double least = whole * plot.size / 8;
    size_t columns = (size_t)fmax(1, floor((inside + 2) / (least + NAMES + 2)));
    columns = columns > data->n_panels ? data->n_panels : columns;
    double width = (inside - 2 * (double)(columns - 1)) / (double)columns;
    double side = fmin(width - NAMES, BOARD_MOST);
    plot.cell = side / plot.size;
    const double top = page->y, height = side + NAMES + 1.6 * PAGE_LETTERS + 1.5;
    const bool named = data->n_panels > 1 || data->panels[0].name[0] != '\0';
    for (size_t p = 0; p < data->n_panels; p++) {
        double x = PAGE_MARGIN + (double)(p % columns) * (width + 2);
        double y = top + (double)(p / columns) * (height - (named ? 0 : 1.6 * PAGE_LETTERS));
        plot.panel = &data->panels[p];
        page->y = y;
        if (named) {
            page_panel_name(page, plot.panel->name, x + NAMES, side);
        }
        plot.left = x + NAMES;
        plot.top = y + (named ? 1.6 * PAGE_LETTERS : 0) + NAMES;
        panel_place(&plot);
        page->y = plot.top + side;
    }
    page->y += 2.5;
    if (plot.values) {
        page_scale(page, &scale, PAGE_MARGIN + NAMES, fmin(34, inside / 2));
    }
}
