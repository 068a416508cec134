/* report/figures/figure.h - figures of results: the rows of tables as SVG, PDF or PNG.
 *
 * What a figure shows is declared with its table (report/figure_spec.h). It is drawn in three
 * steps: values are taken out of the rows (figure_data.h), placed on the page in millimetres
 * (marks.h), and inked by cairo (ink.h), the same for all formats. The letters are outlines of
 * their own (letters.h), so no font is looked for and every machine draws the same.
 *
 * Series differ in markers and dashes, not in colour alone. NaN leaves a gap.
 */
#ifndef OGPT_REPORT_FIGURES_FIGURE_H
#define OGPT_REPORT_FIGURES_FIGURE_H

#include "base/text.h"
#include "report/figure_spec.h"
#include "report/ink/ink.h"
#include "report/report.h"

/* The tables of one result; borrowed. */
typedef struct FigureSource {
    const Table *const *tables;
    size_t n;
    const char *label; /* goes before the names of series or panels, where there are several
                        * sources; NULL: none */
} FigureSource;

/* {0}: a column of 84 mm. */
typedef struct FigureStyle {
    double width_mm; /* 0: 84; the height follows */
    const char
        *prefix; /* of the ids in SVG: a page that holds several figures gives each its own */
} FigureStyle;
#define FIGURE_WIDTH_MIN 40.0
#define FIGURE_WIDTH_MAX 500.0
#define FIGURE_WIDTH_COLUMN 84.0
/* "84mm", "8.4cm" or "84" as millimetres; 0 or OGPT_EUSAGE. */
int figure_width_read(double *out, const char *text);

/* Tables of a report as a source, into room for REPORT_ITEMS_MAX; returns their number. */
size_t figure_tables(const Table *out[REPORT_ITEMS_MAX], const Report *report);

/* Figures that these sources can draw, the main one first: of the tables in their order those that
 * have something to show, each name once. Room for `max`; returns their number. */
size_t figure_list(const FigureSpec *out[], size_t max, const FigureSource *sources, size_t n);
#define FIGURES_MAX 64
/* The names of the figures of these tables (NULL-terminated, or NULL) as "accuracy|squares", into
 * out[room]; NULL: they have none. */
const char *figure_names(char *out, size_t room, const TableSpec *const *tables);
/* The figure that has this name, NULL: the main one. NULL: there is none. The names of the others
 * that could be drawn are added to `others`, with commas between them. */
const FigureSpec *figure_choose(Text *others, const char *name, const FigureSource *sources,
                                size_t n);

/* 0: this build can draw; OGPT_EUSAGE, with a message that says why not. */
int figure_check_built(void);

/* The figure as one SVG element for a page, with <title> and <desc>: the numbers, for who does not
 * see it. 0; OGPT_EUSAGE: built without cairo, or nothing to show; OGPT_ENOMEM. */
int figure_svg(Text *out, const FigureSpec *figure, const FigureSource *sources, size_t n,
               FigureStyle style);
/* The figure as a file, published whole or not at all. Errors as figure_svg, and OGPT_EUSAGE if
 * something else is at `path` (unless `replace`), OGPT_EIO. */
typedef struct FigureFile {
    const char *path;
    FigureFormat format;
    bool replace;
} FigureFile;
/* *n_bytes: of the file; NULL: not asked for. */
int figure_write(size_t *n_bytes, const FigureFile *file, const FigureSpec *figure,
                 const FigureSource *sources, size_t n, FigureStyle style);
/* The numbers of a figure in words, as <desc> has them. */
int figure_describe(Text *out, const FigureSpec *figure, const FigureSource *sources, size_t n);

#endif
