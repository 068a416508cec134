/* Allowed: training reads games; a room inside another has a row of its own. Refused: probes. */
#include "datasets/batch.h"
#include "model/gpt.h"
#include "probes/board/probe.h"
