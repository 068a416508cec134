/* probes/world/detour.h - does a player keep track of a game that it would not have played?
 *
 * A player plays both sides of a game from a random opening: each move is its top token, but with
 * probability q the rules put another one there: a random legal move, or the legal move that the
 * player finds least likely. The game ends at its end, or at the first top token that is not legal
 * (Vafa et al. 2024, arXiv:2406.03689, detours).
 */
#ifndef OGPT_PROBES_WORLD_DETOUR_H
#define OGPT_PROBES_WORLD_DETOUR_H

#include "base/enums.h"
#include "probes/world/units.h"

#define DETOUR_KINDS(X) X(DETOUR_RANDOM, "random") X(DETOUR_LEAST_LIKELY, "least_likely")
typedef enum DetourKind { DETOUR_KINDS(ENUM_ID) N_DETOUR_KINDS } DetourKind;
#define DETOUR_SHARES                                                                              \
    {                                                                                              \
        0, .01, .1, .25, .5, .75                                                                   \
    }
#define N_DETOUR_SHARES 6
#define DETOUR_SHARE_SCORE 3 /* of them: .25, at which the test has its score */

typedef struct DetourOptions {
    size_t games;
    int opening; /* random moves at the beginning, at least 1 */
} DetourOptions;

typedef struct DetourScore {
    DetourKind kind;
    double share;           /* q */
    Interval finished;      /* share of games that end legally */
    Interval first_illegal; /* mean ply of the first illegal move, of the games that have one */
    Interval moves;         /* the player's own moves a game */
    Interval error;         /* illegal moves among them */
} DetourScore;

/* What a detour is called; static. */
const char *world_detour_name(DetourKind kind);
/* Scores of every kind and share, kinds first: N_DETOUR_KINDS * N_DETOUR_SHARES of them. At share
 * 0 the kinds are the same games. work: pool, seed, journal. Returns as world_units_run. */
int world_detours(DetourScore *out, const Player *player, const DetourOptions *options,
                  const Work *work);

#endif
