/* probes/sae/training/sae_rows.h - rows to train on, block by block.
 *
 * A block is what the shuffle buffer holds: a fixed number of games, or of planted rows. Block b is
 * a pure function of what the stream was made from, so a killed training makes its last block again
 * and goes on. Rows of a block are shuffled by the trainer.
 */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_ROWS_H
#define OGPT_PROBES_SAE_TRAINING_SAE_ROWS_H

#include "base/work.h"
#include "datasets/batch.h"
#include "model/gpt.h"
#include "probes/sae/sae.h"

typedef struct SaeStream {
    void *context;
    size_t d_in, d_out; /* d_out of the rows to be rebuilt; y is x where has_target is false */
    bool has_target;
    size_t block_rows; /* the most rows of a block */
    /* x (block_rows, d_in), y (block_rows, d_out; NULL without targets); *rows: how many there are,
     * at least 1. 0 or OGPT_E*. */
    int (*fill)(void *context, float *x, float *y, size_t *rows, uint64_t block, const Work *work);
} SaeStream;

/* The first blocks of a network, up to `layer`: passes of it end there. *out: owned (gpt_free);
 * NULL if there is no block behind the layer. OGPT_ENOMEM. */
int sae_stream_front(Gpt **out, const Gpt *gpt, int layer);

/* Rows of a network: all positions of block_games games a block, games b * block_games and on. The
 * passes of a block are dealt to the ranks (base/ranks/ranks.h), and all get all rows. */
typedef struct SaeNetworkRows {
    const Gpt *gpt;
    const Vocab *vocab;
    GameSource *source;      /* borrowed, as all above */
    HookSite site, site_out; /* equal: no targets */
    int layer;
    size_t block_games;
} SaeNetworkRows;
/* `rows` is borrowed by the stream. */
SaeStream sae_stream_network(SaeNetworkRows *rows);

/* Sums of the columns' directions: of `features` random unit columns, `active` a row with values
 * uniform in [1, 2): the planted dictionary. */
typedef struct SaePlantedRows {
    size_t d, features, active, block_rows;
    uint64_t seed;
    const float *columns; /* (features, d); borrowed */
} SaePlantedRows;
SaeStream sae_stream_planted(SaePlantedRows *rows);

/* Normal rows of a given mean and covariance: the twin that has no features. x = mean + factor^T z,
 * so that factor^T factor is the covariance. */
typedef struct SaeGaussianRows {
    size_t d, block_rows;
    uint64_t seed;
    const double *mean;   /* (d); borrowed */
    const double *factor; /* (d, d); borrowed */
} SaeGaussianRows;
/* Mean and factor of n rows (n, d), n >= 2: row i of the factor is the i-th eigenvector of the
 * covariance times the root of its value. OGPT_ENOMEM. */
int sae_gaussian_fit(double *mean, double *factor, const float *rows, size_t n, size_t d);
SaeStream sae_stream_gaussian(SaeGaussianRows *rows);

#endif
