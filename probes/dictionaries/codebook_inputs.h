/* probes/dictionaries/codebook_inputs.h - what a study of dictionaries is given: games, a probe,
 * autoencoders that belong together, and a name for all of it, under which finished work is kept.
 */
#ifndef OGPT_PROBES_DICTIONARIES_CODEBOOK_INPUTS_H
#define OGPT_PROBES_DICTIONARIES_CODEBOOK_INPUTS_H

#include "base/hash.h"
#include "datasets/batch.h"
#include "probes/dictionaries/codebook_study.h"

typedef struct CodebookSample {
    size_t fit_games, valid_games, test_games;
    int plies; /* of each game; 0: all */
} CodebookSample;

/* The three sets of a study; owned. */
typedef struct CodebookSets {
    LabelledSet fit, valid, test;
} CodebookSets;
/* From the training, validation and test split of a corpus; corpus NULL: fresh games by work->seed,
 * of three sequences. study->fit, valid and test point to them. Returns as labelled_draw;
 * codebook_sets_release in both cases. */
int codebook_inputs_draw(CodebookSets *out, CodebookStudyInputs *study, const GameVariant *variant,
                         Corpus *corpus, const CodebookSample *sample, const Work *work);
void codebook_sets_release(CodebookSets *sets);
/* One of them: `games` games of a split, or of the sequence of fresh games that stands for it.
 * Owned: labelled_release. Returns as labelled_draw. */
int codebook_inputs_draw_set(LabelledSet *out, const GameVariant *variant, Corpus *corpus,
                             Split split, size_t games, int plies, const Work *work);
/* Labels (n, COVERAGE_SQUARES) of a set as coverage.h wants them, and those of other games at the
 * same plies. Both owned. Returns 0, OGPT_EINTR, OGPT_ENOMEM. */
int codebook_inputs_labels(uint8_t **own, uint8_t **other, const LabelledSet *set,
                           const Work *work);

/* Refuse an autoencoder that is none of this network, or of another site or layer than `first`, or
 * a transcoder: OGPT_EFORMAT or OGPT_EUSAGE with both sides. */
int codebook_inputs_check_sae(const Sae *sae, const char *path, const Sae *first,
                              const Subject *subject);
/* Whether rows can be changed by it: refuse one of the embedding, and one that is not of this site
 * and all of these layers, as bits, with both sides. site -1, layers 0: of any. */
int codebook_inputs_check_changed(const Sae *sae, const char *path, const Subject *subject,
                                  int site, uint64_t layers);
/* Refuse a probe that is not linear, of the task mine, labels mover: OGPT_EUSAGE. */
int codebook_inputs_check_probe(const Probe *probe, const char *path);
/* Refuse one that does not read where the autoencoders do: OGPT_EUSAGE. */
int codebook_inputs_check_place(const Probe *probe, const char *path,
                                const CodebookStudyInputs *study);

/* What the numbers depend on, but the network and the seed, into the key of a journal. */
void codebook_inputs_hash(Sha256 *hash, const CodebookStudyInputs *in);

#endif
