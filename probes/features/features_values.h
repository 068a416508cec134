/* probes/features/features_values.h - the values of all features on rows. Private to the room. */
#ifndef OGPT_PROBES_FEATURES_FEATURES_VALUES_H
#define OGPT_PROBES_FEATURES_FEATURES_VALUES_H

#include "probes/dictionaries/codebook_score.h"

enum { FEATURES_CODED = 256 }; /* rows that are coded together */

/* values (features, rows->board.n). Any number of workers gives the same bits. Returns 0,
 * OGPT_EINTR, OGPT_ENUM (a feature is not finite), OGPT_ENOMEM. */
int features_values(float *values, const Codebook *codebook, const CodebookRows *rows,
                    const Work *work);

#endif
