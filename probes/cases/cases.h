/* probes/cases/cases.h - cases for interventions: a position, one or more of its squares, and the
 * new state of each.
 *
 * A case file is CSV with the header "moves,square,from,to" or "moves,square,from,to,witness":
 *     f5 d6 c3 d3 c4,d6,white,black
 * from and to are black, white or empty. Several squares are separated by blanks, and from and to
 * then hold one word for each square. The witness of a natural case is another legal history of
 * equal length that reaches the edited board with the same side to move. Every case is replayed
 * by the rules when it is made and when it is read.
 */
#ifndef OGPT_PROBES_CASES_CASES_H
#define OGPT_PROBES_CASES_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/work.h"
#include "game/board.h"

#define CASE_MAX_SQUARES 8
#define CASES_MAX 1000000

/* One edited square. from, to: LABEL_EMPTY, LABEL_WHITE or LABEL_BLACK (datasets/labels.h). */
typedef struct CaseSquare {
    uint8_t sq, from, to;
} CaseSquare;

typedef struct EditCase {
    int n_moves;                   /* at least 1 */
    uint8_t moves[GAME_MAX_MOVES]; /* SQ_NONE after the last */
    int n_squares;
    CaseSquare squares[CASE_MAX_SQUARES]; /* ascending */
    bool has_witness;
    uint8_t witness[GAME_MAX_MOVES]; /* n_moves of them */
    /* Derived: the board after the moves, the board with the squares changed (its mover is
     * unchanged, or the opponent when the mover has no move there), and their legal moves. */
    Board before, edited;
    uint64_t legal_before, legal_edited;
} EditCase;

/* Whether a game can go on at a case; if not, why. */
typedef enum CaseVerdict {
    CASE_SOUND,
    CASE_CENTRE_EMPTIED,
    CASE_GAME_OVER, /* before the edit */
    CASE_NO_MOVE,   /* for either side on the edited board */
    N_CASE_VERDICTS
} CaseVerdict;
/* The reason in words (static). */
const char *case_verdict_text(CaseVerdict verdict);

typedef struct CaseSet {
    const GameVariant *variant;
    EditCase *cases; /* (n), owned */
    size_t n, room;
    uint64_t redraws;  /* filled by cases_make: draws that gave no case */
    uint64_t left_out; /* filled by cases_leave_out */
    /* Filled by cases_read: cases that count in no mean, because no game can go on there. In all,
     * by verdict, and the line of the first of each verdict. */
    uint64_t excluded;
    uint64_t excluded_by[N_CASE_VERDICTS];
    size_t excluded_line[N_CASE_VERDICTS];
} CaseSet;

/* What a set is like; means over its cases. */
typedef struct CaseStats {
    int shortest, longest;    /* moves of a history */
    uint64_t n_passes;        /* histories with a forced pass */
    uint64_t n_unchanged;     /* edits that leave the legal moves as they were */
    uint64_t n_mover_changed; /* edits that leave the mover without a move, so the other moves */
    uint64_t n_witnesses;
    double mean_legal_before, mean_legal_edited;
    double mean_symmetric_difference; /* squares that are legal on exactly one of the two boards */
} CaseStats;
CaseStats cases_stats(const CaseSet *set);

typedef enum CaseEdit { CASE_FLIP, CASE_ERASE, CASE_PLACE } CaseEdit;

typedef struct CaseMakeOptions {
    size_t n;     /* 1..CASES_MAX */
    bool natural; /* with witness; only for flips */
    CaseEdit edit;
    int n_squares;  /* 1..CASE_MAX_SQUARES, edited at once */
    bool tune;      /* cases for tuning: never among the others, whatever the seeds */
    int min_moves;  /* shortest prefix */
    int max_moves;  /* longest prefix; 0: only before_end limits it */
    int before_end; /* moves that the game still had to go, at least */
    bool no_passes; /* only histories without a forced pass */
} CaseMakeOptions;

#define CASE_MAKE_OPTIONS_DEFAULT                                                                  \
    ((CaseMakeOptions){                                                                            \
        .n = 1000, .natural = true, .n_squares = 1, .min_moves = 5, .before_end = 10})
/* before_end and min_moves where nobody says them: 10 and 5; on 4x4, where a game has 12 moves, 1
 * and 3, so that there are enough different histories. */
int case_before_end(const GameVariant *variant);
int case_min_moves(const GameVariant *variant);
/* NULL when sound, else a one-line reason (static). */
const char *case_make_options_check(const CaseMakeOptions *options, const GameVariant *variant);

/* Draw cases from random games of (seed of the work, RNG_CASES or RNG_TUNE_CASES): the
 * prefix length is uniform, and so is the edit among the possible ones. A draw is repeated if it
 * leaves the legal moves as they were, or the mover without any; if it has no witness; or if it
 * repeats an earlier case. Prefixes are divided by hash between tuning and reporting, so two sets
 * of different purpose never share one. The same set for any number of workers; tick("cases").
 * Returns 0, OGPT_EUSAGE (options; or not enough different cases exist), OGPT_EINTR, OGPT_ENOMEM.
 */
int cases_make(CaseSet *out, const GameVariant *variant, const CaseMakeOptions *options,
               const Work *work);

/* An unnatural flip of one disc at each of n positions that are given, not drawn: behind the last
 * move of moves (n, GAME_MAX_MOVES), legal, SQ_NONE behind it. The edit is drawn as by cases_make.
 * Histories that have none, or were there before, are counted in redraws. Returns 0 or OGPT_ENOMEM.
 */
int cases_at(CaseSet *out, const GameVariant *variant, const uint8_t *moves, size_t n,
             const Work *work);
/* The control of such a set: case i is such a flip at a position of a random game, with as many
 * moves as case i of `like`. Returns 0, OGPT_EUSAGE (none is found), OGPT_EINTR, OGPT_ENOMEM. */
int cases_like(CaseSet *out, const CaseSet *like, const Work *work);

/* The different histories of a set, unedited, in its order: moves (set->n, n_moves), of which *n
 * are filled. Cases of one history are not independent. Returns 0 or OGPT_ENOMEM. */
int cases_histories(uint8_t *moves, size_t *n, const CaseSet *set);

/* The set as CSV: owned text (mem_free) of *n_bytes bytes and a NUL. */
int cases_print(char **out, size_t *n_bytes, const CaseSet *set);
/* The same text, of which an empty set has none, into the key of a journal. 0 or OGPT_ENOMEM. */
int cases_hash(Sha256 *hash, const CaseSet *set);
/* Read CSV strictly. Damaged lines, illegal moves, squares that do not hold what `from` says,
 * and false witnesses are OGPT_EFORMAT ("origin:line: ..."). */
int cases_parse(CaseSet *out, const GameVariant *variant, const char *text, size_t n_bytes,
                const char *origin);
int cases_read(CaseSet *out, const GameVariant *variant, const char *path);

/* Read the same table as others write it. The header may be missing (columns as above) or name the
 * columns in any order; fields may be in double quotes; a square is a name or an index,
 * 8*row + column from 0. othello_world: an index is 8*column + row, as in the published code; names
 * mean the same in both notations. The rules cannot distinguish the two, because the start position
 * is symmetric. Everything else is checked as by cases_parse. The set also holds the excluded
 * cases, in their places, so a file made from it loses none. */
int cases_import(CaseSet *out, const GameVariant *variant, const char *path, bool othello_world);
void cases_release(CaseSet *set);

/* Replay a case with moves, squares and witness, check it, and derive the other members. Returns 0
 * or OGPT_EFORMAT. */
int case_derive(EditCase *edit, CaseVerdict *verdict, const GameVariant *variant);
/* Whether a side had to pass on the way to the position. */
bool case_has_pass(const EditCase *edit, const GameVariant *variant);
/* Take the cases out of `tuning` whose history a case of `reported` has, whatever they edit: tuning
 * on reported positions proves nothing. Counts them in tuning->left_out. Returns 0 or OGPT_ENOMEM.
 */
int cases_leave_out(CaseSet *tuning, const CaseSet *reported);
/* "black", "white", "empty" of a LABEL_* colour. */
const char *case_state_name(int state);

#endif
