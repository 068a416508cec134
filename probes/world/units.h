/* probes/world/units.h - what every test of this room is made of: independent units (games, pairs,
 * states), some numbers each, computed in fixed blocks by a player.
 *
 * Blocks are cut by number, each begins on a seat that knows nothing, and intervals resample units:
 * the same numbers for any number of workers. Finished stretches go to work->journal.
 */
#ifndef OGPT_PROBES_WORLD_UNITS_H
#define OGPT_PROBES_WORLD_UNITS_H

#include "num/statistics/stats.h"
#include "probes/world/player.h"

typedef struct WorldUnits {
    const Player *player;
    const char *stage; /* names the test and its setting, for the journal */
    size_t n, n_values;
    size_t block; /* units that are computed together, at most PLAYER_LINES */
    /* Units first .. first+n-1 into values (n, n_values). Runs on a worker. */
    int (*compute)(void *context, PlayerSeat *seat, double *values, size_t first, size_t n);
    void *context;
} WorldUnits;

/* values (n, n_values). tick("units", done, n). Returns 0, OGPT_EINTR (between two stretches),
 * OGPT_ENOMEM, or the error of the first block that failed. */
int world_units_run(double *values, const WorldUnits *units, const Work *work);

/* The numbers of all units, 0 at first, and room for two columns of them. */
typedef struct UnitValues {
    size_t n, n_values;
    uint64_t seed;   /* of intervals */
    double *values;  /* (n, n_values); owned */
    double *columns; /* (2, n); owned */
} UnitValues;
/* Returns 0 or OGPT_ENOMEM; world_values_release in any case. work: seed. */
int world_values_new(UnitValues *out, size_t n, size_t n_values, const Work *work);
void world_values_release(UnitValues *values);
/* sum of column a / sum of column b over units (b < 0: their number), interval by unit. */
Interval world_ratio(const UnitValues *values, int a, int b);

/* The streams of RNG_WORLD: each use has its own, and in it one for each unit. */
typedef enum WorldDraw {
    WORLD_OPENING = 1,
    WORLD_OTHER,
    WORLD_DETOUR,
    WORLD_REPLY,
    WORLD_SUFFIX,
    WORLD_STATES,
    WORLD_BITS,
    WORLD_TRIPLES,
    WORLD_HISTORY
} WorldDraw;
Rng world_rng(uint64_t seed, WorldDraw draw, uint64_t unit);
/* A random legal move of a board that is not over. */
int world_random_move(Rng *rng, const GameVariant *variant, const Board *board);
/* A random game of n moves that is not over; earlier ends are drawn again. */
PlayerLine world_random_line(Rng *rng, const GameVariant *variant, int n);
/* The opening of game i: the same for every player. */
PlayerLine world_opening(const GameVariant *variant, uint64_t seed, uint64_t game, int n);
/* Moves of an opening where nobody says it: a tenth of the longest game, 1 at least. */
int world_opening_moves(const GameVariant *variant);
/* A random game as long as this one, with the same side to move, that leads to another board. */
PlayerLine world_other_line(Rng *rng, const GameVariant *variant, const PlayerLine *line);
/* The tokens of the n largest probabilities, and those that tie with the last of them: a set that
 * does not depend on the order of equal ones. */
uint64_t world_top_set(const float *p, int d_vocab, int n);
/* The legal tokens of a board. */
uint64_t world_legal(const Vocab *vocab, const Board *board);

/* Top tokens that are not legal, over all positions of n random games, as a share of positions. */
int world_strict_error(Interval *out, const Player *player, size_t n, const Work *work);

#endif
