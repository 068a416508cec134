/* probes/edits/edit_internal.h - what the methods of editing share. Private to the room. */
#ifndef OGPT_PROBES_EDITS_EDIT_INTERNAL_H
#define OGPT_PROBES_EDITS_EDIT_INTERNAL_H

#include "probes/edits/edit_methods.h"

/* One row on its way through a method. */
typedef struct EditRow {
    float *x;       /* (width), changed in place */
    float *scratch; /* EDIT_ROW_SCRATCH(width) */
    const EditPlan *plan;
    const BoardDirections *directions;
    int at; /* index of the layer that the directions come from */
    const EditSquares *squares;
} EditRow;

/* x += amount * direction. */
void edit__add(float *x, const float *direction, double amount, size_t n);
/* Method gradient (probes/edits/edit_gradient.c). */
void edit_row_gradient(const EditRow *row);

#endif
