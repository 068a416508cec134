/* Allowed: the one owner of the database library. */
#include <sqlite3.h>
#include "base/err.h"
#include "store/runs.h"
