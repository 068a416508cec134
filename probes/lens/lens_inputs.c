/* probes/lens/lens_inputs.c - see probes/lens/lens_inputs.h. */
#include "probes/lens/lens_inputs.h"

#include <string.h>

static int draw_split(LabelledSet *out, const GameVariant *variant, Corpus *corpus, bool test,
                      const LensSample *sample, const Work *work)
{
    GameSource *source = NULL;
    int rc = source_of(&source, corpus, test ? SPLIT_TEST : SPLIT_TRAIN, true, variant, work->seed,
                       test ? RNG_EVAL : RNG_FRESH);
    rc = rc ? rc
            : labelled_draw(out, source, task_find("mine"), LABELS_MOVER,
                            test ? sample->test_games : sample->games, sample->plies, work);
    source_free(source);
    return rc;
}

int lens_inputs_draw(LabelledSet *train, LabelledSet *test, const GameVariant *variant,
                     Corpus *corpus, const LensSample *sample, const Work *work)
{
    int rc = draw_split(train, variant, corpus, false, sample, work);
    return rc ? rc : draw_split(test, variant, corpus, true, sample, work);
}

void lens_inputs_hash(Sha256 *hash, const LensStudyInputs *in)
{
    sha256_add(hash, &in->fit.l2, sizeof(in->fit.l2));
    sha256_add(hash, &in->fit.rounds, sizeof(in->fit.rounds));
    sha256_add(hash, &in->fit.tolerance, sizeof(in->fit.tolerance));
    positions_hash(hash, &in->train->set);
    positions_hash(hash, &in->test->set);
}
