/* probes/world/adversary.h - an opponent that plays legal moves to make a player err.
 *
 * The player answers with its top token; the first that is not legal loses the game. The opponent
 * always plays by the rules. From a random opening on, it chooses by
 *
 *   random    nothing: the control
 *   friendly  the largest probability that the player itself gives a legal move: the control on the
 *             player's own ground
 *   unlikely  the smallest
 *   illegal   the largest probability of one illegal token behind the move ("IMO")
 *   misread   the most squares that the player's probe reads wrongly behind the move ("BSO")
 *
 * after "adversary" of AS26 (chess, ICLR 2026). With a beam of B, the B best lines of a game are
 * kept at every move of the opponent: the player's answers are certain, so the opponent may try
 * several games and play the one that wins. With B = 1 it looks one move ahead. The player is black
 * in games of even number; games 2i and 2i+1 have opening i. Intervals draw
 * different openings, each with all of its games: those are not independent, and most opponents
 * play the same game again.
 */
#ifndef OGPT_PROBES_WORLD_ADVERSARY_H
#define OGPT_PROBES_WORLD_ADVERSARY_H

#include "base/enums.h"
#include "probes/world/units.h"

#define ADVERSARY_GOALS(X)                                                                         \
    X(GOAL_RANDOM, "random")                                                                       \
    X(GOAL_FRIENDLY, "friendly")                                                                   \
    X(GOAL_UNLIKELY, "unlikely")                                                                   \
    X(GOAL_ILLEGAL, "illegal")                                                                     \
    X(GOAL_MISREAD, "misread")
typedef enum AdversaryGoal { ADVERSARY_GOALS(ENUM_ID) N_ADVERSARY_GOALS } AdversaryGoal;
const char *world_goal_name(AdversaryGoal goal); /* static */

#define ADVERSARY_BEAM_MAX 256

typedef struct AdversaryOptions {
    size_t games;
    int opening; /* random moves, at least 1 */
    int beam;    /* 1..ADVERSARY_BEAM_MAX; random and friendly opponents keep one line */
} AdversaryOptions;

/* What became of one game. */
typedef struct AdversaryGame {
    bool lost;                     /* by the player: it made an illegal move */
    int ply;                       /* from 1, of that move; 0: it was not lost */
    int n;                         /* moves before it */
    uint8_t moves[GAME_MAX_MOVES]; /* they, SQ_NONE behind */
    uint8_t token;                 /* that was played there */
} AdversaryGame;

typedef struct AdversaryScore {
    AdversaryGoal goal;
    Interval success;       /* share of games that the player lost */
    Interval first_illegal; /* mean ply of its illegal move, of these */
    int shortest;           /* the least of them; 0: none was lost */
    double distinct;        /* different boards on which it erred */
    size_t openings;        /* different ones, move by move: the units of the intervals */
} AdversaryScore;

/* One opponent. games (options->games) may be NULL. GOAL_MISREAD wants a player with a probe.
 * work: pool, seed, journal. Returns as world_units_run. */
int world_adversary(AdversaryScore *out, AdversaryGame *games, const Player *player,
                    AdversaryGoal goal, const AdversaryOptions *options, const Work *work);

#endif
