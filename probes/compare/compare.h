/* probes/compare/compare.h - comparing probes on the same test games: the layers of one probe, or
 * probes of several sites, tasks, solvers and networks.
 *
 * A contender takes part with the layer that is asked for, or with its best layer on validation
 * games. Games and plies are a pure function of corpus, seed and numbers, so all contenders of one
 * board size read the same ones.
 */
#ifndef OGPT_PROBES_COMPARE_COMPARE_H
#define OGPT_PROBES_COMPARE_COMPARE_H

#include "probes/compare/paired.h"

#define COMPARE_MAX 8     /* contenders, which make 28 comparisons */
#define COMPARE_BEST (-2) /* the best layer on validation games */

typedef struct Contender {
    const Subject *subject;
    const Probe *probe;
    const char *path; /* of the probe, for messages */
    /* Filled: */
    int best;          /* index in probe->layers of the layer that is compared */
    Readings readings; /* of every layer, on test games */
    double validation[LAYERS_MAX];
} Contender;

typedef struct CompareOptions {
    size_t n_test_games; /* and half as many validation games */
    int plies;           /* drawn from each game; 0: all */
    int layer;           /* COMPARE_BEST, or this layer of every contender */
    ScoreKind score;
} CompareOptions;

/* Read both splits with every layer of one contender. work: the pool, the seed, memory_bytes for
 * activations; tick("layers") of both splits. Returns 0, OGPT_EUSAGE (an unfinished probe,
 * no such layer), OGPT_EFORMAT (probe and model, or board sizes, do not match), OGPT_EINTR,
 * OGPT_ENOMEM. Owned: contender_release, after an error too. */
int contender_read(Contender *contender, Corpus *corpus, const CompareOptions *options,
                   const Work *work);
void contender_release(Contender *contender);
/* Bytes that contender_read needs at its largest. */
size_t contender_bytes(const Contender *contender, const CompareOptions *options, const Work *work);

/* tests[i] = layer i minus the best layer, for every layer of one contender; NaN for the best. */
int compare_layers(PairedTest *tests, const Contender *contender, const CompareOptions *options,
                   const Work *work);
/* All pairs i < j of contenders, i minus j, at their compared layers, in the order 01 02 12 03 13
 * 23
 * ...: n (n - 1) / 2 tests, corrected together. */
int compare_contenders(PairedTest *tests, const Contender *contenders, size_t n,
                       const CompareOptions *options, const Work *work);
/* Value and interval of one reading's score. `seed` seeds the bootstrap. */
Interval compare_score(const Contender *contender, int index, ScoreKind score, uint64_t seed);

#endif
