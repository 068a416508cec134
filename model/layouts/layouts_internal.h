/* model/layouts/layouts_internal.h - names of tensors in any layout. Private to model/layouts/. */
#ifndef OGPT_MODEL_LAYOUTS_LAYOUTS_INTERNAL_H
#define OGPT_MODEL_LAYOUTS_LAYOUTS_INTERNAL_H

#include <stddef.h>

#include "base/formats/safetensors.h"
#include "model/layouts/layouts.h"

#define LAYOUT_NAME_MAX 80 /* bytes of a tensor's name in any of the layouts */

/* A tensor is named by its field of TensorMap. */
#define FIELD(name) offsetof(TensorMap, name)

/* The name of a field's tensor (layer is ignored outside blocks); "" if the layout has no place for
 * it. */
void layout__name(char out[LAYOUT_NAME_MAX], Layout layout, size_t field, int layer);

/* Open a file for reading: the prefixes of wrappers are gone, and in hf-gpt2 also "transformer.",
 * which GPT2LMHeadModel writes before all names but the head's, and GPT2Model before none. */
int layout__open(StFile **out, Layout layout, const char *path);
/* The name that a tensor has in such a file; points into `name`. */
const char *layout__bare(const char *name);

#endif
