/* probes/dictionaries/codebook_score.h - everything that is measured of one dictionary on rows.
 *
 * Three sets of games. Fit: f_max, who votes, decoders and axes of twins. Validation: which
 * classifier stands for a pair, and the threshold of the vote. Test: every number. The numbers
 * "as published" choose classifiers and the threshold of the vote on the test games themselves.
 * The shuffled ones are made like ours, on boards of other games at the same plies: the floor that
 * the largest of many features gives.
 */
#ifndef OGPT_PROBES_DICTIONARIES_CODEBOOK_SCORE_H
#define OGPT_PROBES_DICTIONARIES_CODEBOOK_SCORE_H

#include "probes/dictionaries/codebook.h"
#include "probes/dictionaries/coverage.h"

/* The rows of one set of games; borrowed. */
typedef struct CodebookRows {
    const float *x;       /* (n, width) */
    const float *neurons; /* (n, n_neurons), NULL: none */
    CoverageRows board;   /* of these games */
    const uint8_t *other; /* (n, COVERAGE_SQUARES) labels of other games */
} CodebookRows;

typedef struct CodebookData {
    CodebookRows fit, valid, test;
    size_t width, n_neurons;
    const Codebook *probe; /* TWIN_PROBE with all features; NULL: absorption is not measured */
} CodebookData;

#define DENSITY_BINS                                                                               \
    8 /* of log10 of the share of rows on which a feature fires: below -6, -6 to -5.. */

/* Numbers of a board: all classes, and without empty squares. */
enum { BOARD_ALL, BOARD_MASKED, BOARD_MASKS };

/* All members are doubles: a journal keeps them as they lie. */
typedef struct CodebookScore {
    double l0;                    /* features above 0 a row, on the test rows */
    double l0_valid;              /* the same on the validation rows: what twins keep */
    double explained;             /* 1 - sum var(x - x_hat) / sum var(x), over all test rows */
    double alive;                 /* features that fire on the test rows */
    double density[DENSITY_BINS]; /* features by the share of test rows on which they fire */
    Interval coverage[BOARD_MASKS];
    Interval coverage_published[BOARD_MASKS]; /* classifiers chosen on the test rows */
    double
        coverage_one[BOARD_MASKS]; /* the same, one threshold for all pairs: the published code */
    double coverage_shuffled[BOARD_MASKS];
    Interval board[BOARD_MASKS];           /* F1 of the vote */
    Interval board_published[BOARD_MASKS]; /* its threshold chosen on the test rows */
    double board_shuffled[BOARD_MASKS];
    double voters;    /* features with a vote, at the threshold of the vote */
    double pairs;     /* pairs with a voter */
    double splitting; /* voters a pair that has one */
    double absorbed;  /* share of the right votes that the best voter of the pair alone misses */
    double absorption, absorption_shuffled; /* absorption.h; NaN: no probe, or no columns */
    double split_pairs, main_features;
    double coverage_draws[BOARD_MASKS][BOOTSTRAP_REPLICATES]; /* for paired differences */
    double board_draws[BOARD_MASKS][BOOTSTRAP_REPLICATES];
} CodebookScore;

/* Any number of workers gives the same bits. work: pool, seed, tick (a stage each). Returns 0,
 * OGPT_EINTR, OGPT_ENUM (a feature or a rebuilt row is not finite), OGPT_ENOMEM. */
int codebook_measure(CodebookScore *out, const Codebook *codebook, const CodebookData *data,
                     const Work *work);
/* Bytes that measuring a dictionary of so many features takes. */
size_t codebook_measure_bytes(size_t features, const CodebookData *data, const Work *work);
/* a - b over the same draws of games, of coverage (board false) or of the vote. */
Interval codebook_difference(const CodebookScore *a, const CodebookScore *b, bool board, int mask);

#endif
