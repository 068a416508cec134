/* Refused: the report writes out numbers and asks no probe for them. */
#include "base/js.h"
#include "probes/board/probe.h"
