/* probes/latent/latent_study.h - what is found without labels in one network, layer by layer; with
 * the trap, the ceiling and the twins.
 *
 * Three kinds of rows are asked the same: those of the network, those of random weights of its
 * shape, and planted ones (latent_rows.h), at which the answer is known. Each is taken as it is and
 * with the mean of every ply removed, and read by CCS, by CRC-TPC and by a probe with labels.
 */
#ifndef OGPT_PROBES_LATENT_LATENT_STUDY_H
#define OGPT_PROBES_LATENT_LATENT_STUDY_H

#include "base/hash.h"
#include "model/gpt.h"
#include "probes/latent/latent_score.h"

typedef enum LatentSubject {
    LATENT_OWN,
    LATENT_RANDOM,
    LATENT_PLANTED,
    N_LATENT_SUBJECTS
} LatentSubject;
const char *latent_subject_name(LatentSubject subject); /* "this", "random", "planted" */
typedef enum LatentMethod { LATENT_CCS, LATENT_CRC, LATENT_LABELS, N_LATENT_METHODS } LatentMethod;
const char *latent_method_name(LatentMethod method); /* "ccs", "crc-tpc", "labels" */

/* What is studied; all borrowed. */
typedef struct LatentInputs {
    const Gpt *gpt;
    const LabelledSet *sets[3]; /* training, validation, test; task mine, labels mover, all plies */
    const int *layers;          /* (n_layers) of resid_post */
    int n_layers;
    LatentOptions options;
} LatentInputs;

typedef struct LatentRow {
    LatentSubject subject;
    int layer; /* of planted rows: LAYER_EMBED */
    bool by_ply;
    LatentMethod method;
    LatentScore score;
} LatentRow;

typedef struct LatentStudy {
    LatentPairs pairs[3];
    size_t n_rows;
    LatentRow *rows; /* owned */
    Interval majority;
} LatentStudy;

/* Any number of workers gives the same bits. work: pool, seed, journal, tick("fits"). Returns 0,
 * OGPT_EFORMAT, OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM. Owned: latent_study_release. */
int latent_study_run(LatentStudy *out, const LatentInputs *in, const Work *work);
void latent_study_release(LatentStudy *study);
/* The row of planted positions without parity, read by CCS: it must be right, or too few games or
 * steps were taken to believe the others. */
const LatentRow *latent_study_check(const LatentStudy *study);
/* Bytes that a study of so many training, validation and test games takes, these games included;
 * known before any is drawn. */
size_t latent_study_bytes(const size_t games[3], const GameVariant *variant, const Gpt *gpt,
                          const LatentOptions *options, const Work *work);
/* What the results depend on, but the network and the seed, into the key of a journal. */
void latent_study_hash(Sha256 *hash, const LatentInputs *in);

#endif
