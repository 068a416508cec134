/* base/rng.h - counter-based random numbers: every draw is a pure function of
 * (seed, purpose, index, draw number). No state is ever saved.
 *
 * Philox4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011):
 * key = the 64-bit seed; counter = (index low, index high, purpose, draw block).
 * Known answer: key 0, counter 0 gives 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
 */
#ifndef OGPT_BASE_RNG_H
#define OGPT_BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

/* One tag for each use of the seed, so that no two uses share draws by accident. The values
 * are part of the file formats (a corpus is a function of seed and tag): never renumber. */
typedef enum RngPurpose {
    RNG_GENERATE = 1, /* game i of a generated corpus */
    RNG_FRESH = 2,    /* game i of --fresh training */
    RNG_HELDOUT = 3,  /* game i of the held-out games of training progress */
    RNG_EVAL = 4,     /* game i of evaluations without a corpus */
    RNG_CASES = 5,    /* intervention case i */
    RNG_INIT = 6,     /* initial value of tensor t */
    RNG_BATCH = 7,    /* order of a corpus in epoch e */
    RNG_BOOTSTRAP = 8,
    RNG_PROBE = 9,        /* plies drawn of each game for probes */
    RNG_DIRECTION = 10,   /* random control directions */
    RNG_SHUFFLE = 11,     /* shuffled-label controls */
    RNG_CONTROL = 12,     /* random-weights control model, planted noise */
    RNG_TUNE_CASES = 13,  /* cases made for tuning scale and layers */
    RNG_PROBE_GAMES = 14, /* game i that the quick probe of fresh training is fitted on */
    RNG_FIT = 15,         /* subsets, batches and first values of probe fits */
    RNG_PLAY = 16,        /* the move of a network at a ply, in a game with a person */
    RNG_PLANT = 17,       /* planted networks: filling and places */
    RNG_SCRUB = 18,       /* causal scrubbing: lending games, who lends, other squares */
    RNG_ABLATION = 20,    /* ablations: squares, lending games, directions, groups */
    RNG_PATCH = 21,       /* causal tracing: noise on the embeddings of pair i */
    RNG_HEADS = 22,       /* rotations of what heads write */
    RNG_NEURONS = 26,     /* neurons: plies, twins, rotations, positions shown */
    RNG_STEER = 27,       /* steering: squares, wrong squares, the signed permutation */
    RNG_BASIS = 31,       /* rotations of rows, random directions, first weights of toys */
    RNG_LATENT = 32,      /* first weights of unlabelled fits, planted rows */
    RNG_WORLD = 33,       /* world tests: openings, detours, suffixes, mistakes dealt at random */
    RNG_SAE = 34,         /* autoencoders: first weights, order of rows, planted and normal rows */
    RNG_FEATURES = 35,    /* circuits of features: exchanged columns, a rotation, random orders */
    RNG_TEST = 99
} RngPurpose;

typedef struct Rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t word[4];
    uint32_t n_used; /* words of `word` already given out */
} Rng;

/* The stream (seed, purpose, index), at its first draw. */
Rng rng_at(uint64_t seed, RngPurpose purpose, uint64_t index);
uint32_t rng_u32(Rng *rng);
uint64_t rng_u64(Rng *rng);
/* Uniform in 0..n-1 without bias (Lemire 2019, multiply and reject). n >= 1. */
uint32_t rng_below(Rng *rng, uint32_t n);
/* The same from a word that is at hand: false when it must be rejected and the next word tried. */
static inline bool rng_word_below(uint32_t *out, uint32_t word, uint32_t n)
{
    const uint64_t product = (uint64_t)word * n;
    *out = (uint32_t)(product >> 32);
    return (uint32_t)product >= n || (uint32_t)product >= -n % n;
}
/* Words RNG_RUN*run .. RNG_RUN*run + RNG_RUN - 1 of the stream (seed, purpose, index): what as many
 * calls of rng_u32 give, several Philox blocks at a time. For who draws many words of each stream.
 */
#define RNG_RUN 32
void rng_words(uint32_t words[RNG_RUN], uint64_t seed, RngPurpose purpose, uint64_t index,
               uint32_t run);
/* Uniform in [0,1), 53 bits. */
double rng_uniform(Rng *rng);
/* Standard normal (Box-Muller, two uniforms a draw: the sine half is dropped, so that no draw
 * depends on an earlier one; the same on every machine up to libm's log and cos). */
double rng_normal(Rng *rng);
/* Entry i of a pseudo-random permutation of 0..n-1 made by (seed, purpose, index): a Feistel
 * network with cycle walking, so no table is stored. */
uint64_t rng_permute(uint64_t seed, RngPurpose purpose, uint64_t index, uint64_t i, uint64_t n);

#endif
