/* probes/world/mistakes.h - the answers of a network, sorted, to be dealt out on other boards.
 *
 * Kept for many random games at every ply: the probabilities of the legal moves from the largest
 * down, and of all other tokens from the largest down. Dealt on another board, they make a player
 * with the network's mistakes in number and size, but at places that no board decides.
 */
#ifndef OGPT_PROBES_WORLD_MISTAKES_H
#define OGPT_PROBES_WORLD_MISTAKES_H

#include "base/rng.h"
#include "base/work.h"
#include "datasets/vocab.h"
#include "model/gpt.h"

typedef struct Mistakes {
    const Vocab *vocab;
    size_t n_games;
    float *p; /* (n_ctx, n_games, d_vocab) legal ones first, each part from the top; owned */
    uint8_t *n_legal; /* (n_ctx, n_games); 0: the game was over; owned */
} Mistakes;

/* Games 0 .. n_games-1 of (seed of the work, RNG_EVAL) through the network. Ticks and returns as
 * passes_run, and OGPT_ENUM (logits that are not finite). mistakes_release in any case. */
int mistakes_learn(Mistakes *out, const Gpt *gpt, const Vocab *vocab, size_t n_games,
                   const Work *work);
void mistakes_release(Mistakes *mistakes);
/* p (d_vocab): an answer after n moves with these tokens legal (not empty), drawn by rng. False
 * where no kept game was that long: then p is not touched. */
bool mistakes_deal(float *p, const Mistakes *mistakes, int n, uint64_t legal, Rng *rng);

#endif
