/* probes/compare/stability.h - how firm a probe's directions are: its layers fitted again on two
 * disjoint halves of the training games, and the cosines between the two fits.
 *
 * By the probe's own solver when that is newton or liblinear, else newton; with the probe's l2, and
 * half the games each, so the whole sample's directions are firmer than the cosine tells.
 */
#ifndef OGPT_PROBES_COMPARE_STABILITY_H
#define OGPT_PROBES_COMPARE_STABILITY_H

#include "probes/compare/directions.h"
#include "probes/compare/explained.h"

/* out[i] for layer index i: the two halves' directions held against each other. Only n_games and
 * plies of the options are used. work: the pool, the seed, memory_bytes for activations,
 * tick("layers"). Returns 0, OGPT_EUSAGE (a hidden layer, or a single game), OGPT_EFORMAT,
 * OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM. */
int stability_measure(BetweenCosines *out, const Probe *probe, const char *path, const Gpt *gpt,
                      Corpus *corpus, const ExplainedOptions *options, const Work *work);

#endif
