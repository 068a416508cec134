/* probes/legality/legality.h - does the network play legally? The engine's verdict on its
 * predictions.
 *
 * strict error: share of positions whose top-1 token (argmax over all tokens, pad illegal, ties
 * to the lowest id) is no legal move of the side really to move. lenient error: the published
 * rule, a move legal for either side passes. floor: mean ln(number of legal moves). kl: mean
 * KL(uniform over legal || network). legal_mass: mean probability on legal moves. set_f1: F1 of
 * the top-N tokens against the N legal moves. loss: mean cross-entropy of the played move.
 */
#ifndef OGPT_PROBES_LEGALITY_LEGALITY_H
#define OGPT_PROBES_LEGALITY_LEGALITY_H

#include "base/work.h"
#include "datasets/batch.h"
#include "model/gpt.h"
#include "num/stats.h"

/* Sums over the scored positions of one game, or over one ply. */
typedef struct LegalitySums {
    double positions, loss, floor, kl, strict_errors, lenient_errors, legal_mass, set_f1;
} LegalitySums;

typedef struct LegalityScore {
    LegalitySums total;
    LegalitySums by_ply[GAME_MAX_MOVES]; /* index t */
    size_t n_games;
    LegalitySums *games; /* (n_games), owned by the score */
} LegalityScore;

/* Score games first .. first+n-1 of a source. Any number of workers gives the same sums. work: the
 * pool; tick("games"). Returns 0, OGPT_EFORMAT (board of model and source differ), OGPT_EINTR,
 * OGPT_ENUM (non-finite logits), OGPT_ENOMEM. */
int legality_score(LegalityScore *out, const Gpt *gpt, GameSource *source, uint64_t first, size_t n,
                   const Work *work);
void legality_release(LegalityScore *score);

/* Both error rates of a score with their 95 % intervals; the unit of resampling is the game.
 * Returns 0 or OGPT_ENOMEM. */
typedef struct LegalityErrors {
    Interval strict, lenient;
} LegalityErrors;
int legality_errors(LegalityErrors *out, const LegalityScore *score, uint64_t seed);

/* The engine's verdict on one game: adds its scored positions to `game` and, position t, to
 * by_ply[t]. moves[n_moves] is the game; logits (T,V) of its positions, T at least the number of
 * scored ones, V the vocabulary's size. Games of fewer than two moves have no position. Returns
 * 0, OGPT_EFORMAT (an illegal move), OGPT_ENUM (non-finite logits; position and token named). */
int legality_add_game(LegalitySums *game, LegalitySums *by_ply, const GameVariant *variant,
                      const uint8_t *moves, const float *logits);
/* Adds every member of `more`. */
void legality_add(LegalitySums *sums, const LegalitySums *more);

#endif
