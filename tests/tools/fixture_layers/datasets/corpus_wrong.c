/* Allowed: the one door to SQLite. Refused: any other header of that room. */
#include "store/db.h"
#include "store/runs.h"
