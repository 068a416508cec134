/* probes/features/features_table.h - what each feature of a dictionary stands for: one row a
 * feature, the dead ones too.
 *
 * A property is a pair of probes/dictionaries/coverage.h: a square and what is on it (empty,
 * theirs, mine). The property of a feature is the pair with the largest F1 of "f > t f_max", t = 0,
 * .1, .., 1, on the fit rows; of equal ones the lowest threshold, then the lowest pair. Precision,
 * recall and F1 are those of the test rows, which come from other games. F1 of a pair that is
 * often true is large for any feature that is often on, so the same is done on boards of other
 * games at the same plies: property, threshold and F1 (f1_shuffled). What is not above that says
 * nothing of the board.
 */
#ifndef OGPT_PROBES_FEATURES_FEATURES_TABLE_H
#define OGPT_PROBES_FEATURES_FEATURES_TABLE_H

#include "probes/dictionaries/codebook_score.h"
#include "probes/features/features_directions.h"

typedef struct FeaturesProperty {
    int pair;      /* class * 64 + square, squares row-major; -1: no pair is ever said rightly */
    int threshold; /* tenths of f_max */
    double fit_f1;
    double precision, recall; /* on the test rows; NaN: never said, never there */
    Interval f1;              /* on the test rows, by game */
} FeaturesProperty;

typedef struct FeaturesRow {
    bool alive;     /* fires on some fit or test row */
    double density; /* share of the test rows where it is above 0 */
    double mean_on; /* of its values there; NaN: never */
    double largest; /* on the fit rows: f_max */
    FeaturesProperty own, shuffled;
    FeaturesNearest probe, move; /* of its column */
} FeaturesRow;

/* What is asked about; borrowed. */
typedef struct FeaturesInput {
    const Codebook *codebook;
    const float *columns; /* (features, width) of the decoder */
    const CodebookRows *fit, *test;
    const FeaturesDirections *directions;
} FeaturesInput;

typedef struct FeaturesTable {
    size_t n, n_test;
    FeaturesRow *rows; /* (n); owned */
    float *values;     /* (n, n_test) on the test rows; owned */
} FeaturesTable;

/* Any number of workers gives the same bits. work: pool, seed, tick("features"). Returns 0,
 * OGPT_EINTR, OGPT_ENUM (a feature is not finite), OGPT_ENOMEM. */
int features_table_make(FeaturesTable *out, const FeaturesInput *in, const Work *work);
void features_table_release(FeaturesTable *table);
size_t features_table_bytes(size_t features, size_t n_fit, size_t n_test, size_t n_games,
                            size_t workers);

/* The features by falling F1 on the test rows, of equal ones the lowest; order (n). Returns 0 or
 * OGPT_ENOMEM. */
int features_table_order(size_t *order, const FeaturesTable *table);

/* "3,17,40-50" into *out (n), one for each feature: true where it is in the list. text NULL: *out
 * is NULL. Owned (mem_free, also after an error). Returns 0, OGPT_ENOMEM, or OGPT_EUSAGE, naming
 * --features. */
int features_list_parse(bool **out, size_t n, const char *text);

#endif
