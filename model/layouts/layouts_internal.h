/* model/layouts/layouts_internal.h - names of tensors in any layout. Private to model/layouts/. */
#ifndef OGPT_MODEL_LAYOUTS_LAYOUTS_INTERNAL_H
#define OGPT_MODEL_LAYOUTS_LAYOUTS_INTERNAL_H

#include <stddef.h>

#include "model/layouts/layouts.h"

#define LAYOUT_NAME_MAX 80 /* bytes of a tensor's name in any of the layouts */

/* A tensor is named by its field of TensorMap. */
#define FIELD(name) offsetof(TensorMap, name)

/* The name of a field's tensor (layer is ignored outside blocks); "" if the layout has no place for
 * it. */
void layout__name(char out[LAYOUT_NAME_MAX], Layout layout, size_t field, int layer);

#endif
