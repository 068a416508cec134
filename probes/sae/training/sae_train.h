/* probes/sae/training/sae_train.h - training of one autoencoder: rows in, a Sae out, the same bits
 * at any number of threads, and going on where a killed call stopped.
 *
 * Rows of the first block give mean and scale: x <- (x - mean) * scale with mean |x|^2 = d; all
 * losses below are of such rows. A row's error is |x_hat - x|^2; means are over the rows of a
 * batch. Losses:
 *   standard     error + l1 sum f
 *   gated        error + l1 sum max(pre, 0) + the error of max(pre, 0) through a frozen decoder
 *   topk, batchtopk, transcoder   error
 *   matryoshka   sum of the errors of the first m/16, m/8, m/4, m/2, m features of one code
 *   jumprelu     error + weight d (L0 / l0 - 1)^2, theta by straight-through rectangles of width
 *                .05 (theta itself is trained, not its logarithm)
 * and for all of them, once features are silent for dead_after rows, 1/32 of the error that the d/2
 * most active dead ones leave of the residual, which is constant there, as a share of its variance,
 * times d (Gao et al., A.2). L1 columns have length 1, so |w_dec| is 1 in the penalty.
 *
 * Adam; rate: linear warm-up, constant, linearly to 0 over the last fifth; the penalty rises over
 * its own warm-up. At the start W_dec = W_enc^T (a transcoder's is drawn; in standard and gated
 * W_enc is 2d/m of that, or rows rebuilt from half of the features would be m/2d times too long),
 * b_dec = mean, theta = 1. Gradients of W_dec lose their part along the row, and rows are brought
 * back to length 1 after a step.
 */
#ifndef OGPT_PROBES_SAE_TRAINING_SAE_TRAIN_H
#define OGPT_PROBES_SAE_TRAINING_SAE_TRAIN_H

#include "probes/sae/training/sae_rows.h"

#define SAE_L1_FIRST 0.5 /* the first penalty of a training that moves it to a goal of L0 */

typedef enum SaePath { SAE_PATH_AUTO, SAE_PATH_PLAIN, SAE_PATH_FAST } SaePath;

typedef struct SaeTrainOptions {
    SaeKind kind;
    size_t features;
    size_t k;  /* kinds with k */
    double l1; /* standard, gated: weight of the penalty, or its first value with l0 */
    double l0; /* jumprelu: the goal. standard, gated: 0, or the goal that l1 is moved to */
    int64_t activations;      /* rows in all; at least one batch */
    int64_t batch;            /* rows a step */
    double lr;                /* 0: 2e-4 / sqrt(features / 16384) */
    int64_t warmup;           /* steps; -1: 1,000 or a tenth of all steps, whichever is less */
    int64_t dead_after;       /* rows; 0: no revival */
    int64_t report_every;     /* steps between reports; 0: about 200 reports */
    int64_t checkpoint_every; /* steps; 0: every 20 seconds */
    uint64_t seed;
    SaePath path; /* auto: the fast one where few features are active */
} SaeTrainOptions;
extern const SaeTrainOptions SAE_TRAIN_DEFAULT;
/* Fill in what was left open: lr, warmup, report_every. */
void sae_train_complete(SaeTrainOptions *options);
/* NULL when sound, else a one-line reason (static). */
const char *sae_train_check(const SaeTrainOptions *options);

typedef struct SaeReport {
    int64_t step, steps, rows; /* done, in all, rows seen */
    double loss;      /* error a row over the batches since the last report, as a share of d */
    double l0;        /* features a row */
    double explained; /* 1 - sum |x - x_hat|^2 / sum |x - mean|^2 of those batches */
    double dead;      /* share of the features that are silent for dead_after rows */
    double l1;        /* weight of the penalty now */
    double rows_per_second;
} SaeReport;

/* What is around a training. Everything may be NULL. */
typedef struct SaeTrainJob {
    const SaeStream *stream;
    const SaeTrainOptions *options; /* complete */
    const SaeConfig *about;         /* site, layer, hashes, games: copied into the result */
    /* A directory for checkpoints, made and removed by the caller; what it was trained from is
     * compared with `inputs` (any text): OGPT_EUSAGE if it differs. NULL: no checkpoints. */
    const char *checkpoint;
    const char *inputs;
    void *context;
    /* Called every report_every steps and at the end; non-zero ends the training with it. */
    int (*report)(void *context, const SaeReport *report);
    /* A fault for tests: called with the gradient before a step (n numbers). */
    void (*gradient)(void *context, int64_t step, float *gradient, size_t n);
} SaeTrainJob;

/* Train from the start, or go on. *out: owned, folded to rows as they are (sae_free). Errors:
 * OGPT_ENUM (step and tensor), OGPT_EINTR (after a checkpoint), OGPT_EUSAGE, OGPT_EIO, OGPT_ENOMEM,
 * and those of the stream. */
int sae_train(Sae **out, const SaeTrainJob *job, const Work *work);

/* Several autoencoders at the same time, one a rank at most (base/ranks/ranks.h): rank r trains
 * number r. They learn from the same rows in batches of the same size, and go step by step, so that
 * every block of rows is made once, by all ranks together. The first rank reads and writes all
 * checkpoints. The same bits as one behind the other. */
typedef struct SaeTrainSet {
    const SaeTrainJob *jobs; /* (n) of one stream; batch, activations and report_every are equal */
    size_t n;                /* 1 .. ranks_count */
    void *context;
    /* Called on the first rank with each of them in turn, when all are trained; it owns `sae`. */
    int (*take)(void *context, size_t job, Sae *sae);
} SaeTrainSet;
/* All ranks call it together. 0; errors as above, on all ranks the same. */
int sae_train_set(const SaeTrainSet *set, const Work *work);
/* Bytes held at the peak, without the network and its games. */
size_t sae_train_bytes(const SaeStream *stream, const SaeTrainOptions *options, const Work *work);

#endif
