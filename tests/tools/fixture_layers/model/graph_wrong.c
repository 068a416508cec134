/* Refused: only training files may read batches. */
#include "datasets/batch.h"
