/* probes/activations/positions.h - which positions a probe sees: a few plies drawn from each of
 * many games.
 *
 * The plies of a game are a pure function of (seed, RNG_PROBE, hash of the game): a game gives the
 * same positions in whichever file and place it occurs. Positions of one game are not independent,
 * so the games stay whole: splits, intervals and controls all go by game.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_POSITIONS_H
#define OGPT_PROBES_ACTIVATIONS_POSITIONS_H

#include "base/hash.h"
#include "base/work.h"
#include "datasets/batch.h"
#include "probes/activations/tasks.h"

typedef struct PositionSet {
    const Vocab *vocab;
    size_t n_games, n_positions;
    size_t before;   /* games of a larger set, of which this is a piece, in front of it */
    uint8_t *moves;  /* (n_games, n_moves) */
    uint32_t *first; /* (n_games + 1): positions of game g are first[g] .. first[g+1]-1 */
    uint8_t *t;      /* (n_positions), ascending inside a game */
    bool ends;       /* one position a game, behind its last move (positions_ends) */
} PositionSet;

/* Take the first n_games games of a source (fewer if it holds fewer) and draw `plies` positions of
 * each by work->seed (all if 0, or if the game has no more). Returns 0, OGPT_EIO, OGPT_EFORMAT
 * (no scored position at all), OGPT_ENOMEM. */
int positions_draw(PositionSet *out, GameSource *source, size_t n_games, int plies,
                   const Work *work);
/* The position behind the last move of each of n games: moves (n, n_moves), legal, of at least one
 * move and not over. Nothing is scored there as the next move. Returns 0 or OGPT_ENOMEM. */
int positions_ends(PositionSet *out, const GameVariant *variant, const uint8_t *moves, size_t n);
void positions_release(PositionSet *set);
/* What a journal must know of the positions that its numbers are of. */
void positions_hash(Sha256 *hash, const PositionSet *set);
/* `plies` different numbers of 0 .. n-1 as bits, n at most 64; all of them if plies is 0 or at
 * least n. */
uint64_t positions_draw_plies(int n, int plies, Rng *rng);

/* Call visit once for each position, with its boards. Games run in parallel, so visit may write
 * only what belongs to its position; inside a game the order is kept. Returns 0, OGPT_EFORMAT (a
 * game breaks the rules), OGPT_EINTR. */
typedef void (*PositionVisit)(void *context, const TaskPosition *position, size_t index);
int positions_visit(const PositionSet *set, LabelConvention convention, PositionVisit visit,
                    void *context, const Work *work);

/* Fill labels (n_positions, size*size) of a task. Errors as positions_visit. */
int positions_label(uint8_t *labels, const PositionSet *set, const Task *task,
                    LabelConvention convention, const Work *work);
/* Fill two masks (n_positions) with row-major bits: the occupied squares, and the squares with a
 * disc that has been turned over at least once since it was placed. */
int positions_masks(uint64_t *occupied, uint64_t *flipped, const PositionSet *set,
                    const Work *work);

#endif
