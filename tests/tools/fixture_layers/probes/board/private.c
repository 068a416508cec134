/* Refused: liblinear, a private header, another room's source, and a room above. */
#include <linear.h>
#include "model/layouts/layouts_internal.h"
#include "num/kernels_ref.c"
#include "probes/edits/intervene.h"
#include "probes/solvers/internal.h"
