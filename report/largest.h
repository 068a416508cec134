/* report/largest.h - the order in which the largest rows of a table are shown. */
#ifndef OGPT_REPORT_LARGEST_H
#define OGPT_REPORT_LARGEST_H

#include <stddef.h>

typedef struct Largest {
    double size;
    size_t index;
} Largest;

/* Falling sizes, none NaN; equal ones by index. */
void largest_sort(Largest *list, size_t n);

#endif
