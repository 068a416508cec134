/* probes/features/features_study.h - the features of one autoencoder: a row each, and looks at
 * those that get a page. */
#ifndef OGPT_PROBES_FEATURES_FEATURES_STUDY_H
#define OGPT_PROBES_FEATURES_FEATURES_STUDY_H

#include "probes/features/features_inputs.h"
#include "probes/features/features_look.h"

/* Games that choose what a feature stands for, and others for all numbers, unless told: the
 * defaults of ogpt sae features, and what a page of ogpt explore shows. */
enum { FEATURES_FIT_GAMES = 400, FEATURES_TEST_GAMES = 200 };

/* What is studied; all borrowed. */
typedef struct FeaturesStudyInput {
    const Gpt *gpt;
    const Sae *sae;     /* of this network, no transcoder (codebook_inputs_check_sae) */
    const char *path;   /* of the autoencoder, as typed */
    const Probe *probe; /* that reads where it does (codebook_inputs_check_place), or NULL */
    FeaturesSet fit, test;
    const bool *chosen; /* (features) that are wanted alone; NULL: all */
    bool looks;
    size_t clamped; /* positions a look (features_look.h) */
} FeaturesStudyInput;

typedef struct FeaturesStudy {
    FeaturesDirections directions;
    FeaturesTable table;
    size_t *order;       /* (features) by falling F1; owned */
    FeaturesLook *looks; /* (n_looks) of the chosen ones, in this order; owned */
    size_t n_looks;
} FeaturesStudy;

/* What the looks depend on, but the network and the seed, into the key of a journal: not which
 * features are looked at. in: test holds its positions. */
void features_study_hash(Sha256 *hash, const FeaturesStudyInput *in);

/* in: fit and test hold their positions (FeaturesSet.set); their rows are read here. Any number of
 * workers gives the same bits. work: pool, seed, journal, tick("features"), tick("looks"). Returns
 * as features_set_read, features_table_make, features_looks_make. Owned: features_study_release,
 * also after an error. */
int features_study_run(FeaturesStudy *out, FeaturesStudyInput *in, const Work *work);
void features_study_release(FeaturesStudy *study);
size_t features_study_bytes(const FeaturesStudyInput *in, Pool *pool);

#endif
