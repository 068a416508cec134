/* probes/cases/case_keys.h - a set of case hashes, and room-private helpers. */
#ifndef OGPT_PROBES_CASES_CASE_KEYS_H
#define OGPT_PROBES_CASES_CASE_KEYS_H

#include "base/rng.h"
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
/* Whether a side had to pass during the n legal moves. */
bool cases__history_has_pass(const GameVariant *variant, const uint8_t *moves, int n);

/* An unnatural edit of the case's history (moves, n_moves): its squares, drawn uniformly among
 * those that the kind of edit can change. false: this draw shows in no legal move. */
bool cases__draw_unnatural(EditCase *edit, const GameVariant *variant,
                           const CaseMakeOptions *options, Rng *rng);

/* What is drawn from random games: cases, or the histories of pairs. */
typedef struct CaseDraw {
    CaseMakeOptions options;
    bool pairs;       /* nobody passes in the history or the witness; no two share a history */
    bool same_board;  /* the witness reaches the very board of the history; no square is edited */
    const char *what; /* in messages and ticks: "cases" or "pairs" */
} CaseDraw;
/* As cases_make. The options are taken as checked. */
int cases__draw(CaseSet *out, const GameVariant *variant, const CaseDraw *draw, const Work *work);

/* Reads one line by the rules of a variant: 0 or OGPT_E*. */
typedef int CaseLineReader(void *line, const GameVariant *variant);
/* A line that was not read by the rules of `variant` for the reason that is set now: if it is sound
 * by other rules, both are named behind that reason. Returns rc. */
int cases__refuse_line(int rc, const GameVariant *variant, CaseLineReader *reads, void *line);

/* Read a file of natural cases: as cases_parse, and a case without a witness, or of several
 * squares, is OGPT_EFORMAT too. */
int cases__parse_natural(CaseSet *out, const GameVariant *variant, const char *text, size_t n_bytes,
                         const char *origin);

#endif
