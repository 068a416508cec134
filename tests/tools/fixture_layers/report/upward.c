/* Refused: the report reads stored numbers and never computes them again. */
#include "base/js.h"
#include "probes/probe.h"
