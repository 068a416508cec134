/* report/ink/ink.h - marks on paper: the one place that draws, for SVG, PDF and PNG alike. */
#ifndef OGPT_REPORT_INK_INK_H
#define OGPT_REPORT_INK_INK_H

#include "report/ink/marks.h"

typedef enum FigureFormat { FIGURE_SVG, FIGURE_PDF, FIGURE_PNG } FigureFormat;
#define FIGURE_FORMATS 3
#define FIGURE_DOTS_PER_INCH 300 /* of PNG */

/* What is said of a drawing, plain text. */
typedef struct InkWords {
    const char *title, *description;
    const char *prefix; /* of ids in SVG; NULL: none */
} InkWords;

/* The bytes of a file of this format, added to `out` (which may hold zero bytes). SVG is one
 * element without an XML declaration. 0; OGPT_EUSAGE: built without cairo; OGPT_ENOMEM. */
int ink_draw(Text *out, const Marks *marks, FigureFormat format, const InkWords *words);
/* 0; OGPT_EUSAGE: built without cairo. */
int ink_check(void);

#endif
