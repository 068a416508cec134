/* Allowed: the one door to SQLite, which lies in base. Refused: the results database. */
#include "base/db.h"
#include "store/runs.h"
