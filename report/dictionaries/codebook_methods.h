/* report/dictionaries/codebook_methods.h - what a kind of autoencoder, or a twin, reaches at an L0:
 * the mean of its dictionaries, and which of them wins.
 *
 * A method is a kind of autoencoder or a twin; its dictionaries of a group
 * (probes/dictionaries/codebook_study.h) differ by their seeds. Intervals of a mean are over test
 * games: draw r of the games is the same for all dictionaries. least and most are those of the
 * single dictionaries: the spread over seeds.
 */
#ifndef OGPT_REPORT_DICTIONARIES_CODEBOOK_METHODS_H
#define OGPT_REPORT_DICTIONARIES_CODEBOOK_METHODS_H

#include "base/enums.h"
#include "probes/dictionaries/codebook_study.h"

/* The numbers by which methods are compared. X(enumerator, name, whether more is better). */
#define METHOD_MEASURES(X)                                                                         \
    X(METHOD_COVERAGE, "coverage", true)                                                           \
    X(METHOD_COVERAGE_MASKED, "coverage_masked", true)                                             \
    X(METHOD_BOARDS, "reconstruction", true)                                                       \
    X(METHOD_BOARDS_MASKED, "reconstruction_masked", true)                                         \
    X(METHOD_EXCESS, "excess_ratio", false)
typedef enum MethodMeasure { METHOD_MEASURES(ENUM_ID) N_METHOD_MEASURES } MethodMeasure;
const char *codebook_measure_name(MethodMeasure measure);

typedef struct MethodEstimate {
    Interval mean;
    double least, most;
} MethodEstimate;

typedef struct CodebookMethod {
    const char *name; /* borrowed from the study, or static */
    StudyRole role;
    size_t group, group_features;
    size_t n; /* dictionaries */
    double l0, explained, explained_least, explained_most;
    double mmcs; /* mean over its pairs of dictionaries; NaN: one only */
    MethodEstimate estimates[N_METHOD_MEASURES];
    double draws[N_METHOD_MEASURES][BOOTSTRAP_REPLICATES]; /* of the means */
} CodebookMethod;

/* Who wins at an L0 by a measure. `random_weights` does not take part: it reads another network. */
typedef struct CodebookVerdict {
    size_t group, group_features;
    MethodMeasure measure;
    const CodebookMethod *best, *second; /* second NULL: there is one only */
    Interval ahead;                      /* best - second, over the same games */
    bool clear; /* `ahead` without 0, and every dictionary of the best beyond every one of the
                   second */
    const CodebookMethod *own; /* the best kind of autoencoder */
    Interval neurons, probe;   /* own minus these twins; NaN: there is none */
} CodebookVerdict;

typedef struct CodebookMethods {
    size_t n;
    CodebookMethod *methods; /* owned; in the order of the rows */
    size_t n_verdicts;
    CodebookVerdict *verdicts; /* owned; of the groups but group 0 */
    bool repeated;             /* some method has several dictionaries */
} CodebookMethods;

/* Returns 0 or OGPT_ENOMEM. The study is borrowed. */
int codebook_methods_make(CodebookMethods *out, const CodebookStudy *study,
                          const CodebookStudyInputs *in);
void codebook_methods_release(CodebookMethods *methods);

#endif
