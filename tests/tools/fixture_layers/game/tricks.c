/* Refused: a reserved symbol, the database library, a path that leaves its room, a macro. */
#define _GNU_SOURCE 1
#include <sqlite3.h>
#include "base/../store/db.h"
#define HEADER "store/db.h"
#include HEADER
#include "board.h"
