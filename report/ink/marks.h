/* report/ink/marks.h - a drawing as a list of marks in millimetres, from the top left corner.
 *
 * Figures are placed as marks, and marks are inked (ink.h): tests read the list. A mark keeps the
 * numbers that it stands for.
 */
#ifndef OGPT_REPORT_INK_MARKS_H
#define OGPT_REPORT_INK_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

typedef enum MarkShape {
    MARK_LINE,  /* through its points; with a size, an arrow's head at the last */
    MARK_AREA,  /* the polygon of its points */
    MARK_RECT,  /* two corners */
    MARK_CURVE, /* one cubic curve of four points */
    MARK_POINT, /* a marker */
    MARK_DISC,
    MARK_TEXT /* at its point: base line, and where `anchor` says */
} MarkShape;

/* Markers differ in shape, then in being filled; dashes of lines likewise. */
enum { MARKERS = 8, DASHES = 6 };

#define MARK_NONE 0xff000000u /* no colour */

typedef struct Mark {
    MarkShape shape;
    const char *role;      /* what it is: "value", "interval", "grid", "tick"; a constant */
    uint32_t fill, stroke; /* 0xRRGGBB or MARK_NONE */
    double alpha;          /* of the fill, 0..1; 0 means 1 */
    double width;          /* of the stroke */
    double size;           /* of letters, radius of markers and discs, length of an arrow's head */
    int dash;              /* 0..DASHES-1, 0: none */
    int marker;            /* 0..MARKERS-1 */
    int anchor;            /* of text: -1 begins at its point, 0 centred, 1 ends there */
    double x, y;           /* the numbers that it stands for, NaN: none */
    const char *text;      /* copied by mark_add; NULL: none */
    size_t first, n;       /* its points; set by mark_add */
} Mark;

typedef struct MarkPoint {
    double x, y;
} MarkPoint;

/* Starts as {0}; a failed allocation is remembered as in base/text.h. */
typedef struct Marks {
    double width, height; /* of the page, mm */
    Mark *list;
    size_t n, room;
    MarkPoint *points;
    size_t n_points, points_room;
    bool failed;
} Marks;

void mark_add(Marks *marks, const Mark *mark, const MarkPoint *points, size_t n);
void marks_release(Marks *marks);
/* One line a mark: role, shape, numbers, text, points. For tests. */
void marks_print(Text *out, const Marks *marks);

#endif
