/* probes/dictionaries/codebook.h - a dictionary under examination: how a row becomes features, and
 * how features become a row again.
 *
 * A trained autoencoder has both. Its twins (twins.h) are linear: f = max(W x + b, 0), of which a
 * row keeps its `keep` largest values, so that they have the L0 of the autoencoder that they stand
 * beside. A twin rebuilds rows by the linear map that does it best on the fit rows (least squares),
 * because a decoder that was chosen badly would make it a weak twin.
 */
#ifndef OGPT_PROBES_DICTIONARIES_CODEBOOK_H
#define OGPT_PROBES_DICTIONARIES_CODEBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/work.h"
#include "probes/sae/sae.h"

#define CODEBOOK_NAME 96

typedef struct Codebook {
    char name[CODEBOOK_NAME];
    bool neurons;    /* reads the neurons of the block instead of the rows */
    size_t inputs;   /* numbers that it reads */
    size_t width;    /* of a row that is rebuilt */
    size_t features; /* may be 0: then a row is rebuilt as the mean */
    size_t keep;     /* largest values kept of a row, of equal ones the first; 0: all */
    /* A trained dictionary has these, which are thread-safe. NULL: linear. */
    void (*encode)(const void *self, const float *x, size_t rows, float *f);
    void (*decode)(const void *self, const float *f, size_t rows, float *x_hat);
    const void *self; /* borrowed */
    float *weight;    /* (inputs, features), NULL: f = max(x, 0); owned, as all below */
    float *bias;      /* (features) */
    float *decoder;   /* (features, width) */
    float *mean;      /* (width) what is rebuilt where no feature is active */
} Codebook;

void codebook_release(Codebook *codebook);
/* Room for a linear one; weights are zero. Returns 0 or OGPT_ENOMEM. */
int codebook_linear(Codebook *out, size_t inputs, size_t width, size_t features);
/* A trained autoencoder, which is borrowed; keep as above. */
void codebook_of_sae(Codebook *out, const Sae *sae, const char *name, size_t keep);

/* (features, width) of its decoder, NULL if it has none; borrowed. */
const float *codebook_columns(const Codebook *codebook);
/* f (rows, features) of x (rows, inputs). Thread-safe. */
void codebook_encode(const Codebook *codebook, const float *x, size_t rows, float *f);
/* x_hat (rows, width). Thread-safe. */
void codebook_decode(const Codebook *codebook, const float *f, size_t rows, float *x_hat);

#define CODEBOOK_FIT_ROWS 32768

/* The decoder of a linear codebook by least squares from the first CODEBOOK_FIT_ROWS of `rows`
 * rows: inputs (rows, codebook->inputs), targets (rows, width). Ridge: 1e-6 of the mean variance
 * of a feature, ten times as much until the normal equations have a factor. Any number of workers
 * gives the same bits. Returns 0, OGPT_EINTR, OGPT_ENUM, OGPT_ENOMEM. */
int codebook_fit_decoder(Codebook *codebook, const float *inputs, const float *targets, size_t rows,
                         const Work *work);

#endif
