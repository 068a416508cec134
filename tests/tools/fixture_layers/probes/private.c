/* Allowed: liblinear. Refused: a private header and another room's source. */
#include <linear.h>
#include "model/internal.h"
#include "num/kernels_ref.c"
