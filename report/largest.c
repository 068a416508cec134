/* report/largest.c - contract in report/largest.h. */
#include "report/largest.h"

#include <stdlib.h>

static int larger_first(const void *left, const void *right)
{
    const Largest *a = left, *b = right;
    if (a->size != b->size) {
        return a->size > b->size ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

void largest_sort(Largest *list, size_t n)
{
    qsort(list, n, sizeof(*list), larger_first);
}
