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

static void add_positions(Sha256 *hash, const PositionSet *set)
{
    sha256_add(hash, &set->n_games, sizeof(set->n_games));
    sha256_add(hash, set->moves, set->n_games * (size_t)set->vocab->variant->n_moves);
    sha256_add(hash, set->first, (set->n_games + 1) * sizeof(*set->first));
    sha256_add(hash, set->t, set->n_positions);
}

void lens_inputs_hash(Sha256 *hash, const LensStudyInputs *in)
{
    sha256_add(hash, &in->fit.l2, sizeof(in->fit.l2));
    sha256_add(hash, &in->fit.rounds, sizeof(in->fit.rounds));
    sha256_add(hash, &in->fit.tolerance, sizeof(in->fit.tolerance));
    add_positions(hash, &in->train->set);
    add_positions(hash, &in->test->set);
}
