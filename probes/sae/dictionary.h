/* probes/sae/dictionary.h - features of rows, whoever makes them.
 *
 * Raw neurons, principal components, probe directions, random directions and a trained autoencoder
 * are compared with the same code: all of them turn a row into numbers, one for each feature, and
 * those numbers back into a row.
 */
#ifndef OGPT_PROBES_SAE_DICTIONARY_H
#define OGPT_PROBES_SAE_DICTIONARY_H

#include "probes/sae/sae.h"

typedef struct Dictionary {
    const char *name;     /* of a table's row; borrowed */
    int width, features;  /* numbers of a row that goes in, and of one that comes out */
    int width_out;        /* numbers of a rebuilt row; 0: width */
    const float *columns; /* (features, width_out) directions, rows of any length; NULL if it has
                           * none. Borrowed */
    /* f (rows, features) of x (rows, width). Thread-safe. */
    void (*encode)(const void *self, const float *x, int rows, float *f);
    /* x_hat (rows, width_out) of f (rows, features); NULL: it rebuilds nothing. Thread-safe. */
    void (*decode)(const void *self, const float *f, int rows, float *x_hat);
    const void *self; /* borrowed */
} Dictionary;

/* A trained autoencoder, named by its kind. */
Dictionary dictionary_of_sae(const Sae *sae);

/* Directions with a mean: f = max(D (x - mean), 0), the k largest of a row (0: all of them; with
 * `both`, of |D (x - mean)|, and signs stay), x_hat = mean + f D. D need not be orthogonal: what is
 * rebuilt is then no projection. */
typedef struct DirectionDictionary {
    int width, features, k;
    bool both;
    const float *directions; /* (features, width) borrowed */
    const float *mean;       /* (width) borrowed; NULL: zeros */
} DirectionDictionary;
Dictionary dictionary_of_directions(const DirectionDictionary *directions, const char *name);
/* The row itself: feature j is x[j], or its k largest positive ones (0: all as they are). */
typedef struct RawDictionary {
    int width, k;
} RawDictionary;
Dictionary dictionary_of_rows(const RawDictionary *raw, const char *name);

#endif
