/* probes/compare/stability.h - how stable a probe's directions are: every layer is fitted again on
 * two disjoint halves of the training games, and the two fits are compared by cosines.
 *
 * The solver is the probe's own if that is newton or liblinear, else newton; the l2 is the probe's.
 * Each fit has half of the games, so the directions of the whole sample are more stable than the
 * cosine shows.
 */
#ifndef OGPT_PROBES_COMPARE_STABILITY_H
#define OGPT_PROBES_COMPARE_STABILITY_H

#include "probes/compare/directions.h"
#include "probes/compare/explained.h"

/* out[i] compares the directions of the two halves at layer index i. Only n_games and
 * plies of the options are used. work: the pool, the seed, memory_bytes for activations,
 * tick("layers"). Returns 0, OGPT_EUSAGE (a hidden layer, or a single game), OGPT_EFORMAT,
 * OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM. */
int stability_measure(BetweenCosines *out, const Probe *probe, const char *path, const Gpt *gpt,
                      Corpus *corpus, const ExplainedOptions *options, const Work *work);

#endif
