/* probes/dictionaries/trained_twins.h - autoencoders that cannot have found features of a network.
 * Private. */
#ifndef OGPT_PROBES_DICTIONARIES_TRAINED_TWINS_H
#define OGPT_PROBES_DICTIONARIES_TRAINED_TWINS_H

#include "model/gpt.h"
#include "probes/dictionaries/codebook_study.h"

/* A network of the same shape with random weights: those of the probes' control. */
int twin_trained_network(Gpt **out, const Gpt *like, uint64_t seed);

typedef struct TwinShape {
    size_t k, features, width; /* width: of a row */
} TwinShape;

/* Train a top-k autoencoder on rows of `gpt` (games that no set of the study holds), or on
 * normal rows like those of a set. work->journal is not used; tick("rows"). Returns 0, OGPT_EUSAGE,
 * OGPT_EINTR, OGPT_ENUM, OGPT_ENOMEM. Owned: sae_free. */
int twin_trained_on_network(Sae **out, const CodebookStudyInputs *in, const Gpt *gpt,
                            TwinShape shape, const Work *work);
int twin_trained_on_gaussian(Sae **out, const CodebookStudyInputs *in, const CodebookRows *fit,
                             TwinShape shape, const Work *work);

#endif
