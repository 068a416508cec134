/* Refused: base lies below every room. */
#include "base/err.h"
#include "game/board.h"
