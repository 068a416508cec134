/* Refused: the graph knows neither games nor training. */
#include "datasets/batch.h"
#include "model/train/trainer.h"
