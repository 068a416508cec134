/* base/formats/safetensors_internal.h - what reader and writer share; private to this room. */
#ifndef OGPT_BASE_FORMATS_SAFETENSORS_INTERNAL_H
#define OGPT_BASE_FORMATS_SAFETENSORS_INTERNAL_H

#include <stdbool.h>

#define ST_HEADER_MAX (4 << 20) /* bytes of JSON; 40,000 tensors */
#define ST_NAME_MAX 256         /* bytes of a tensor's name */

bool st__name_is_valid(const char *name);

#endif
