/* probes/dictionaries/codebook_study.h - trained dictionaries of one site and layer, and their
 * twins at equal L0, measured on the same games.
 *
 * Groups: every L0 and width that a trained dictionary has is a group (its goal where its L0 on the
 * validation games is within a fifth of that, else its own L0 there, rounded), with the
 * dictionaries of that L0 and with twins that keep as many features of a row. Twins (twins.h); and
 * two autoencoders, top-k, of as many features, trained here: random_weights on the rows of a
 * network of the same shape with random weights, and measured on that network; gaussian on normal
 * rows of the mean and covariance of the fit rows. The group 0 has twins that keep all their
 * features: neurons and probe, and the mean.
 */
#ifndef OGPT_PROBES_DICTIONARIES_CODEBOOK_STUDY_H
#define OGPT_PROBES_DICTIONARIES_CODEBOOK_STUDY_H

#include "probes/board/scores.h"
#include "probes/dictionaries/codebook_score.h"
#include "probes/dictionaries/splice.h"
#include "probes/sae/mmcs.h"
#include "probes/sae/sae.h"

/* What a row of the study is. */
typedef enum StudyRole {
    STUDY_TRAINED,
    STUDY_RANDOM_WEIGHTS,
    STUDY_GAUSSIAN,
    STUDY_TWIN
} StudyRole;

/* What is studied; all borrowed. */
typedef struct CodebookStudyInputs {
    const Gpt *gpt;
    HookSite site;
    int layer;
    const LabelledSet *fit, *valid,
        *test;                /* all plies of their games, task "mine", labels "mover" */
    const Probe *probe;       /* of the site; NULL: no such twin */
    const Sae *const *saes;   /* (n_saes) at least one, of the site and layer */
    const char *const *names; /* (n_saes) as typed */
    size_t n_saes;
    int64_t twin_activations; /* that the trained twins see; 0: without them */
} CodebookStudyInputs;

typedef struct CodebookStudyRow {
    StudyRole role;
    char name[CODEBOOK_NAME];
    size_t sae;            /* STUDY_TRAINED: index of the autoencoder */
    size_t group;          /* its L0; 0: all features */
    size_t group_features; /* those of its autoencoders: twins have as many */
    size_t features;
    CodebookScore *score;    /* owned */
    Interval excess, strict; /* excess ratio and strict error with the splice */
    double excess_draws[BOOTSTRAP_REPLICATES];
    double loss, recovered;
} CodebookStudyRow;

/* Two of the trained ones, of one kind: directions of the one in the other. */
typedef struct CodebookPair {
    size_t from, to;
    Mmcs mmcs;
} CodebookPair;

typedef struct CodebookStudy {
    size_t n_rows;
    CodebookStudyRow *rows; /* owned; a group's trained ones, then its twins; group 0 last */
    size_t n_pairs;
    CodebookPair *pairs; /* owned; both ways */
    double clean_loss, floor, zero_loss, clean_strict;
} CodebookStudy;

/* Whether two rows are of one L0 and of autoencoders as wide, and so may be compared. */
bool codebook_study_grouped(const CodebookStudyRow *a, const CodebookStudyRow *b);
/* Any number of workers gives the same bits. work: pool, seed, journal (a row a block),
 * tick("dictionaries"), and between these ticks whose stage says in words what is under way, "pca:
 * coverage, 50 %". Returns 0, OGPT_EUSAGE (twins cannot be trained so), OGPT_EINTR, OGPT_ENUM,
 * OGPT_ENOMEM. Owned: codebook_study_release, also after an error. */
int codebook_study_run(CodebookStudy *out, const CodebookStudyInputs *in, const Work *work);
void codebook_study_release(CodebookStudy *study);
/* With n autoencoders of at most so many features; in->saes is not read. */
size_t codebook_study_bytes(const CodebookStudyInputs *in, size_t n, size_t features,
                            const Work *work);

#endif
