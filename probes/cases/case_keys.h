/* probes/cases/case_keys.h - a set of case hashes, and room-private helpers. */
#ifndef OGPT_PROBES_CASES_CASE_KEYS_H
#define OGPT_PROBES_CASES_CASE_KEYS_H

#include "probes/cases/cases.h"

/* Hashes of cases, or of their histories, in an open-addressed table of fixed room. */
typedef struct CaseKeys {
    uint64_t *slots; /* 0: free */
    size_t mask;
} CaseKeys;

/* Room for n cases. Returns 0 or OGPT_ENOMEM. */
int case_keys_init(CaseKeys *out, size_t n);
void case_keys_release(CaseKeys *keys);
/* Add a hash; false when it was there before. */
bool case_keys_add(CaseKeys *keys, uint64_t hash);
bool case_keys_has(const CaseKeys *keys, uint64_t hash);
/* XXH3 of the moves, the squares and their states. The witness does not count. */
uint64_t case_hash(const EditCase *edit);
/* XXH3 of the moves alone. */
uint64_t case_prefix_hash(const EditCase *edit);

/* The header lines of case files. */
extern const char cases__header_plain[], cases__header_witness[];
/* Append a copy to a set. Returns 0 or OGPT_ENOMEM. */
int cases__add(CaseSet *set, const EditCase *edit);

#endif
