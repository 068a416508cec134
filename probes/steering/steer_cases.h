/* probes/steering/steer_cases.h - positions that are steered, and what the rules say of each before
 * and after.
 *
 * A case cares if the edited board has other legal moves than the board: there the answer has to
 * change. In the others it must stay as it is, so what changes there is damage.
 */
#ifndef OGPT_PROBES_STEERING_STEER_CASES_H
#define OGPT_PROBES_STEERING_STEER_CASES_H

#include "base/hash.h"
#include "base/work.h"
#include "datasets/batch.h"
#include "num/real.h"
#include "probes/activations/positions.h"
#include "probes/steering/steer_target.h"

typedef struct SteerCase {
    EditCase edit;
    size_t group, wrong; /* which direction, and which other one is the control */
    size_t game;         /* the unit of intervals: 0 .. n_games-1 */
    bool cares;
    uint64_t before, edited; /* legal tokens */
} SteerCase;

typedef struct SteerCases {
    const Vocab *vocab;
    SteerTarget target;
    SteerCase *at;         /* (n) shortest history first; owned */
    uint8_t *moves, *read; /* (n, n_moves), (n): as PassGames wants them; owned */
    real *weights;         /* (n, d_vocab): m = weights . logits; owned */
    double *sums;          /* (4, n_games) scratch of steer_sums.h; owned */
    size_t n, n_games, n_caring;
    size_t left_out; /* positions without a square to edit, or whose game could not go on */
    size_t repeated; /* positions whose history an earlier case has, or one that is reported */
} SteerCases;

/* Groups, as bits: those that positions are steered along, and those that serve as wrong ones. */
typedef struct SteerGroups {
    uint64_t steered, wrong;
} SteerGroups;
#define STEER_ANY_GROUPS ((SteerGroups){UINT64_MAX, UINT64_MAX})

/* `plies` positions of each of the first n_games games (0: all of each); of each position one of
 * the groups of class FROM, drawn by the seed of the work. No two cases have the
 * same history: the first of the games is kept, and the others count as repeated. The wrong group
 * is drawn among those of the same class, if there is another. m of a case is the mean logit of the
 * moves that are legal on the edited board only minus that of those legal before only; an empty
 * side takes the moves legal on both, and without these, or in a case that does not care, m is 0.
 * Returns 0, OGPT_EFORMAT (no case, or none that cares), or as positions_draw. */
int steer_cases_draw(SteerCases *out, GameSource *source, SteerTarget target, SteerGroups groups,
                     size_t n_games, int plies, const Work *work);
/* Take the cases out of `tuning` whose history a case of `reported` has, whatever they edit: what
 * is chosen on reported positions is not tested on them. They count as repeated. Returns 0,
 * OGPT_EFORMAT (no case that cares is left), or OGPT_ENOMEM. */
int steer_cases_leave_out(SteerCases *tuning, const SteerCases *reported);
/* Copies of some cases of a set, in this order (ascending). Returns 0 or OGPT_ENOMEM. */
int steer_cases_pick(SteerCases *out, const SteerCases *from, const size_t *indices, size_t n);
void steer_cases_release(SteerCases *cases);
/* All of them, into the key of a journal. */
void steer_cases_hash(Sha256 *hash, const SteerCases *cases);

#endif
