/* report/readers/basis_result.h - the basis of a network, its directions, and toys of
 * superposition, as tables. */
#ifndef OGPT_REPORT_READERS_BASIS_RESULT_H
#define OGPT_REPORT_READERS_BASIS_RESULT_H

#include "probes/basis/basis_study.h"
#include "probes/basis/basis_toy.h"
#include "report/report.h"

extern const TableSpec basis_table, basis_places_table, basis_differences_table, basis_sets_table,
    basis_toy_table, basis_phases_table, basis_features_table;

/* What there is to report; all borrowed. */
typedef struct BasisFindings {
    const BasisStudy *study;
    const BasisInputs *in;
    const char *source; /* of the games, in words */
    const char *beside; /* as typed, or NULL */
    const char *model_hash, *beside_hash;
    const char *probe; /* a path, or "" */
} BasisFindings;
void basis_report(Report *report, const BasisFindings *findings);

typedef struct BasisToyFindings {
    const ToyCell *cells; /* (n, n) */
    size_t n;
    const ToyRow *rows; /* (TOY_SERIES) */
    size_t starts;
} BasisToyFindings;
void basis_toy_report(Report *report, const BasisToyFindings *findings);

#endif
