/* probes/legality/legality.h - does the network play legally? The rules judge its predictions.
 *
 * loss           mean cross-entropy of the played move, in nats
 * floor          mean ln(number of legal moves): the lowest loss where all are equally likely
 * kl             mean KL(uniform over legal moves || network), in nats
 * strict error   share of positions where the top token is not a legal move of the side really to
 *                move. The pad counts as a token and is illegal; ties go to the lowest id
 * lenient error  the published rule: a move that is legal for either side is accepted
 * legal_mass     mean probability on legal moves
 * set_f1         F1 of the top-N tokens against the N legal moves
 */
#ifndef OGPT_PROBES_LEGALITY_LEGALITY_H
#define OGPT_PROBES_LEGALITY_LEGALITY_H

#include "base/work.h"
#include "datasets/batch.h"
#include "model/gpt.h"
#include "num/statistics/stats.h"

/* Sums over the scored positions of a game, or of a ply. */
typedef struct LegalitySums {
    double positions, loss, floor, kl, strict_errors, lenient_errors, legal_mass, set_f1;
} LegalitySums;

typedef struct LegalityScore {
    LegalitySums total;
    LegalitySums by_ply[GAME_MAX_MOVES]; /* index t */
    size_t n_games;
    LegalitySums *games; /* (n_games); owned */
} LegalityScore;

/* Score games first .. first+n-1 of a source. Owned: legality_release. Any number of workers
 * gives the same sums. work: the pool; tick("games"). Returns 0, OGPT_EFORMAT
 * (board of model and source differ), OGPT_EINTR, OGPT_ENUM (non-finite logits), OGPT_ENOMEM. */
int legality_score(LegalityScore *out, const Gpt *gpt, GameSource *source, uint64_t first, size_t n,
                   const Work *work);
void legality_release(LegalityScore *score);

/* Both error rates of a score with their 95 % intervals; the unit of resampling is the game.
 * Returns 0 or OGPT_ENOMEM. */
typedef struct LegalityErrors {
    Interval strict, lenient;
} LegalityErrors;
int legality_errors(LegalityErrors *out, const LegalityScore *score, uint64_t seed);

/* Judge one game: add its scored positions to `game`, and position t to by_ply[t]. moves (n_moves)
 * is the game. logits (T,V): T is at least the number of scored positions, V the size of the
 * vocabulary. A game of fewer than two moves has no scored position. Returns 0, OGPT_EFORMAT (an
 * illegal move), OGPT_ENUM (non-finite logits; position and token named). */
int legality_add_game(LegalitySums *game, LegalitySums *by_ply, const GameVariant *variant,
                      const uint8_t *moves, const float *logits);
/* Add every member of `more`. */
void legality_add(LegalitySums *sums, const LegalitySums *more);

#endif
