/* probes/lens/lens_inputs.h - what a study of lenses is given: games, a probe, and a name for all
 * of it, under which finished work is kept. */
#ifndef OGPT_PROBES_LENS_LENS_INPUTS_H
#define OGPT_PROBES_LENS_LENS_INPUTS_H

#include "base/hash.h"
#include "datasets/batch.h"
#include "probes/lens/lens_study.h"

typedef struct LensSample {
    size_t games, test_games;
    int plies; /* of each game; 0: all */
} LensSample;

/* Positions to fit on and to test on, labelled by task "mine", labels "mover": of the training and
 * the test split of a corpus, in the order of `ogpt probe eval`; corpus NULL: of fresh games by
 * work->seed. Owned: labelled_release. Returns as labelled_draw. */
int lens_inputs_draw(LabelledSet *train, LabelledSet *test, const GameVariant *variant,
                     Corpus *corpus, const LensSample *sample, const Work *work);
/* What the results depend on, but the networks and the seed, into the key of a journal. */
void lens_inputs_hash(Sha256 *hash, const LensStudyInputs *in);

#endif
