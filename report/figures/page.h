/* report/figures/page.h - what all kinds of figures place alike: title, legend, texts, looks. */
#ifndef OGPT_REPORT_FIGURES_PAGE_H
#define OGPT_REPORT_FIGURES_PAGE_H

#include "report/figures/axis.h"
#include "report/ink/marks.h"

/* mm; letters of 7 points, small ones of 6, titles of 8 */
#define PAGE_MARGIN 1.5
#define PAGE_LETTERS 2.47
#define PAGE_SMALL 2.12
#define PAGE_TITLE 2.82
#define PAGE_GAP 4.0
#define PAGE_LINE 0.35

#define PAGE_BLACK 0x1a1a1au
#define PAGE_GREY 0x5c5c5cu
#define PAGE_PALE 0xe2e2e2u

typedef struct Page {
    Marks *marks;
    const FigureData *data;
    double width;
    double y; /* what is placed next begins here */
} Page;

/* Looks of series number i: colours that the colour-blind tell apart (Okabe and Ito, 2008), and
 * markers and dashes that need no colour. */
typedef struct PageLook {
    uint32_t colour;
    int marker, dash;
} PageLook;
PageLook page_look(size_t i);

/* Number of a series among all names, in the order in which they came; equal names look alike. */
size_t page_series_index(const FigureData *data, const char *name);

/* A text at its base line, shortened to `most` mm (0: as it is). */
typedef struct PageText {
    const char *role, *text;
    double x, y, size, most;
    int anchor;
    uint32_t colour;
} PageText;
void page_text(Page *page, const PageText *text);

/* A number as it is drawn: with a minus sign. */
void page_number(char out[48], const Column *column, double value);

/* A straight line of marks. */
void page_line(Page *page, const char *role, MarkPoint a, MarkPoint b, const Mark *look);
/* A rectangle. */
void page_rect(Page *page, const char *role, MarkPoint a, MarkPoint b, const Mark *look);

void page_title(Page *page);
/* Keys of all series, in as many lines as they need; nothing for a single one without a name. */
void page_legend(Page *page);
/* The name of a panel above it, in `most` mm from x on. */
void page_panel_name(Page *page, const char *name, double x, double most);

/* All marks of a figure. */
void figure_place(Marks *out, const FigureData *data, FigureStyle style);
/* The kinds: each places its panels below page->y and moves it to its end. */
void page_lines(Page *page);
void page_dots(Page *page);
void page_matrix(Page *page);
void page_board(Page *page);
void page_graph(Page *page);

/* Colour of a value: white to blue from 0 to 1; with signs, -1 vermilion, 0 white, 1 blue. */
uint32_t page_heat(double share);
/* Black or white, whichever can be read on a colour. */
uint32_t page_ink_on(uint32_t colour);
/* The scale of heat colours, from -most (or low) to most, `width` wide, at page->y. */
typedef struct PageScale {
    double low, high;
    bool signs;
    const Column *column;
    const char *label;
} PageScale;
void page_scale(Page *page, const PageScale *scale, double x, double width);
/* Share of a value for page_heat. */
double page_scale_share(const PageScale *scale, double value);
/* The scale of all finite values of the data. */
PageScale page_scale_of(const FigureData *data);

#endif
