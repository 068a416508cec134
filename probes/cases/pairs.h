/* probes/cases/pairs.h - position-aligned pairs of histories: what a patch puts from one run into
 * the other.
 *
 * Both histories of a pair are legal, of equal length, end with the same side to move, and hold no
 * forced pass, so that the side to move is the same at every position. The rules then say exactly
 * how the two boards differ:
 *   flip           in the owner of one square, and the legal moves differ
 *   transposition  in nothing: same board, other history. A network that holds the board and
 *                  nothing else shows no effect: the control of every patch
 *   chosen         in anything: the file says which two logits are compared, not the rules. For
 *                  networks whose circuit is known (ogpt plant), and for questions of your own
 *
 * A pair file is CSV with the header "clean,corrupt", the moves of both histories:
 *     f5 d6 c3 d3 c4,f5 d6 c4 d3 c3
 * or, for chosen pairs, "clean,corrupt,target,other": the metric is the logit of the move target
 * minus that of the move other:
 *     a2 c1 d1 a3 a4 b4,a2 c1 d3 a3 a4 b4,b1,c4
 * A file of natural cases (probes/cases/cases.h) is read too: its moves are the clean history, its
 * witness the corrupt one. Every pair is replayed by the rules when it is made and when it is read.
 */
#ifndef OGPT_PROBES_CASES_PAIRS_H
#define OGPT_PROBES_CASES_PAIRS_H

#include "probes/cases/cases.h"

typedef enum PairKind { PAIR_FLIP, PAIR_TRANSPOSITION, PAIR_CHOSEN, N_PAIR_KINDS } PairKind;
#define PAIR_KIND_NAMES "flip|transposition" /* that are drawn */
const char *pair_kind_name(PairKind kind);   /* static */

typedef struct GamePair {
    int n_moves;                     /* of each history, at least 1 */
    uint8_t clean[GAME_MAX_MOVES];   /* SQ_NONE after the last */
    uint8_t corrupt[GAME_MAX_MOVES]; /* the same */
    uint64_t target, other;          /* chosen: a square each, that moves can fill; else none */
    /* Derived: the boards after the moves, and the squares that are legal there. */
    Board clean_board, corrupt_board;
    uint64_t legal_clean, legal_corrupt;
    uint64_t turned; /* squares that differ: one bit (flip), none (transposition), any (chosen) */
} GamePair;

typedef struct PairSet {
    const GameVariant *variant;
    GamePair *pairs; /* (n), owned; no two come from one game, so a pair is the unit of intervals */
    size_t n, room;
    uint64_t redraws; /* filled by pairs_make: draws that gave no pair */
    /* Filled by pairs_read: natural cases that make no pair (a pass in a history, the game over,
     * the same legal moves), or whose history an earlier pair has. */
    uint64_t left_out;
    size_t n_of[N_PAIR_KINDS];
} PairSet;

PairKind pair_kind(const GamePair *pair);

/* What a set is like; means over its pairs. */
typedef struct PairStats {
    int shortest, longest; /* moves of a history */
    double mean_moves_that_differ, mean_legal_clean, mean_legal_corrupt;
    double mean_symmetric_difference; /* squares that are legal on exactly one of the two boards */
} PairStats;
PairStats pairs_stats(const PairSet *set);

typedef struct PairMakeOptions {
    size_t n;                             /* 1..CASES_MAX */
    PairKind kind;                        /* flip or transposition */
    int min_moves, max_moves, before_end; /* as in CaseMakeOptions */
} PairMakeOptions;
#define PAIR_MAKE_OPTIONS_DEFAULT                                                                  \
    ((PairMakeOptions){.n = 100, .kind = PAIR_FLIP, .min_moves = 5, .before_end = 10})

/* Draw pairs from random games of (seed of the work, RNG_CASES): the natural cases of the same
 * options without a pass in either history; for transpositions the same draw, but the board must
 * not differ. A draw is repeated if an earlier pair has one of its histories. The same set for any
 * number of workers; tick("pairs"). Returns 0, OGPT_EUSAGE (options; or not enough different pairs
 * exist), OGPT_EINTR, OGPT_ENOMEM. */
int pairs_make(PairSet *out, const GameVariant *variant, const PairMakeOptions *options,
               const Work *work);

/* The set as CSV: owned text (mem_free) of *n_bytes bytes and a NUL. */
int pairs_print(char **out, size_t *n_bytes, const PairSet *set);
/* Read a pair file or a file of natural cases strictly: OGPT_EFORMAT ("origin:line: ...") for
 * illegal moves, unequal lengths, passes, a game that is over, histories of an earlier pair, cases
 * without a witness; boards that differ in more than one square, or in one and not in their legal
 * moves, unless the pair is chosen. */
int pairs_parse(PairSet *out, const GameVariant *variant, const char *text, size_t n_bytes,
                const char *origin);
int pairs_read(PairSet *out, const GameVariant *variant, const char *path);
/* pairs_read of transpositions alone: pairs that should show nothing. */
int pairs_read_transpositions(PairSet *out, const GameVariant *variant, const char *path);
/* The number of pairs, their moves and the moves that they compare: one set, one hash. */
void pairs_hash(Sha256 *hash, const PairSet *set);
/* Whether a file begins with the header of pair files. Returns 0, OGPT_EIO or OGPT_EFORMAT. */
int pairs_here(bool *out, const char *path);
void pairs_release(PairSet *set);

/* Replay both histories, check them, and derive the other members. Returns 0 or OGPT_EFORMAT. */
int pair_derive(GamePair *pair, const GameVariant *variant);

#endif
