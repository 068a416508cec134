/* Allowed: training files may read batches, and nothing else of that room. */
#include "datasets/batch.h"
#include "datasets/corpus.h"
