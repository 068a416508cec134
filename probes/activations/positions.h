/* probes/activations/positions.h - which positions a probe sees: whole games, a few plies drawn
 * from each.
 *
 * The plies of a game are a pure function of (seed, RNG_PROBE, hash of the game): the same game
 * gives the same positions whatever file or place it stands in. Positions of one game are not
 * independent, so games stay together: splits, intervals and controls all go by game.
 */
#ifndef OGPT_PROBES_ACTIVATIONS_POSITIONS_H
#define OGPT_PROBES_ACTIVATIONS_POSITIONS_H

#include "base/work.h"
#include "datasets/batch.h"
#include "probes/activations/tasks.h"

typedef struct PositionSet {
    const Vocab *vocab;
    size_t n_games, n_positions;
    uint8_t *moves;  /* (n_games, n_moves) */
    uint32_t *first; /* (n_games + 1): positions of game g are first[g] .. first[g+1]-1 */
    uint8_t *t;      /* (n_positions), ascending inside a game */
} PositionSet;

/* The first n_games games of a source (fewer when it holds fewer), `plies` positions of each
 * (all when 0 or when the game has no more), drawn by work->seed. Returns 0, OGPT_EIO, OGPT_EFORMAT
 * (no scored position at all), OGPT_ENOMEM. */
int positions_draw(PositionSet *out, GameSource *source, size_t n_games, int plies,
                   const Work *work);
void positions_release(PositionSet *set);

/* Call visit once for each position, with its boards, in order inside a game; games are cut
 * into fixed chunks over the pool, so visit may only write what belongs to its position.
 * OGPT_EFORMAT when a game breaks the rules, OGPT_EINTR. */
typedef void (*PositionVisit)(void *context, const TaskPosition *position, size_t index);
int positions_visit(const PositionSet *set, LabelConvention convention, PositionVisit visit,
                    void *context, const Work *work);

/* labels (n_positions, size*size) of a task. */
int positions_label(uint8_t *labels, const PositionSet *set, const Task *task,
                    LabelConvention convention, const Work *work);
/* Per position, which squares (row-major bit i) are occupied, and which of their discs have been
 * turned over at least once since they were placed. */
int positions_masks(uint64_t *occupied, uint64_t *flipped, const PositionSet *set,
                    const Work *work);

#endif
