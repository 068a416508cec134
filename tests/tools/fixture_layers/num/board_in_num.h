/* Refused: num knows no board. */
#include <cblas.h>
#  include   "game/board.h"
