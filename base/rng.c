/* base/rng.c - see rng.h. */
#include "base/rng.h"

#include <assert.h>
#include <math.h>

#include <Random123/philox.h>

#define WORDS 4 /* 32-bit words that one Philox block gives */

Rng rng_at(uint64_t seed, RngPurpose purpose, uint64_t index)
{
    return (Rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)purpose, 0},
        .n_used = WORDS,
    };
}

static void block_next(Rng *rng)
{
    philox4x32_ctr_t counter = {
        {rng->counter[0], rng->counter[1], rng->counter[2], rng->counter[3]}};
    philox4x32_key_t key = {{rng->key[0], rng->key[1]}};
    philox4x32_ctr_t block = philox4x32(counter, key);
    for (int i = 0; i < WORDS; i++) {
        rng->word[i] = block.v[i];
    }
    rng->counter[3]++;
    rng->n_used = 0;
}

uint32_t rng_u32(Rng *rng)
{
    if (rng->n_used == WORDS) {
        block_next(rng);
    }
    return rng->word[rng->n_used++];
}

uint64_t rng_u64(Rng *rng)
{
    uint64_t low = rng_u32(rng);
    return low | (uint64_t)rng_u32(rng) << 32;
}

/* Lemire, Fast Random Integer Generation in an Interval, 2019: the high half of word * n is
 * uniform once the 2^32 mod n lowest products are rejected. The division is rarely reached. */
uint32_t rng_below(Rng *rng, uint32_t n)
{
    assert(n >= 1);
    uint32_t below;
    while (!rng_word_below(&below, rng_u32(rng), n)) {
    }
    return below;
}

/* Eight blocks in the lanes of a vector. A lane is 64 bits wide, its number 32: products need no
 * other instruction than a multiplication. */
typedef uint64_t Blocks __attribute__((vector_size(64)));

enum { LANES = RNG_RUN / WORDS, PHILOX_ROUNDS = 10 };

void rng_words(uint32_t words[RNG_RUN], uint64_t seed, RngPurpose purpose, uint64_t index,
               uint32_t run)
{
    const Blocks low = (Blocks){0} + UINT32_MAX;
    Blocks c0 = (Blocks){0} + (uint32_t)index;
    Blocks c1 = (Blocks){0} + (uint64_t)(index >> 32);
    Blocks c2 = (Blocks){0} + (uint64_t)purpose;
    Blocks c3 = ((Blocks){0, 1, 2, 3, 4, 5, 6, 7} + (uint64_t)LANES * run) & low;
    uint32_t key0 = (uint32_t)seed;
    uint32_t key1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const Blocks product0 = c0 * PHILOX_M4x32_0;
        const Blocks product1 = c2 * PHILOX_M4x32_1;
        c0 = (product1 >> 32) ^ c1 ^ key0;
        c2 = (product0 >> 32) ^ c3 ^ key1;
        c1 = product1 & low;
        c3 = product0 & low;
        key0 += PHILOX_W32_0;
        key1 += PHILOX_W32_1;
    }
    for (int block = 0; block < LANES; block++) {
        words[WORDS * block] = (uint32_t)c0[block];
        words[WORDS * block + 1] = (uint32_t)c1[block];
        words[WORDS * block + 2] = (uint32_t)c2[block];
        words[WORDS * block + 3] = (uint32_t)c3[block];
    }
}

double rng_uniform(Rng *rng)
{
    return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

double rng_normal(Rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - rng_uniform(rng))); /* 1 - [0,1) is never 0 */
    return radius * cos(2.0 * 3.14159265358979323846 * rng_uniform(rng));
}

/* The finalizer of MurmurHash3: every input bit reaches every output bit. */
static uint32_t mix(uint32_t x)
{
    x = (x ^ (x >> 16)) * 0x85ebca6bU;
    x = (x ^ (x >> 13)) * 0xc2b2ae35U;
    return x ^ (x >> 16);
}

/* A Feistel network permutes the pairs of `half_bits`-bit numbers, the smallest such set that
 * holds 0..n-1. Walking on from an image outside 0..n-1 ends inside it, because i itself lies
 * on the same cycle; above n = 16 fewer than 4 steps are expected, as the set has fewer than 4n
 * members. */
uint64_t rng_permute(uint64_t seed, RngPurpose purpose, uint64_t index, uint64_t i, uint64_t n)
{
    enum { ROUNDS = 8 }; /* 4 make a pseudo-random permutation; twice that for small halves */
    assert(i < n);
    unsigned half_bits = 3; /* rounds on fewer than 8 values do not mix evenly */
    while (half_bits < 32 && (n - 1) >> (2 * half_bits) != 0) {
        half_bits++;
    }
    uint32_t mask = (uint32_t)(((uint64_t)1 << half_bits) - 1);
    uint32_t round_key[ROUNDS];
    Rng rng = rng_at(seed, purpose, index);
    for (int r = 0; r < ROUNDS; r++) {
        round_key[r] = rng_u32(&rng);
    }
    uint64_t x = i;
    do {
        uint32_t left = (uint32_t)(x >> half_bits);
        uint32_t right = (uint32_t)x & mask;
        for (int r = 0; r < ROUNDS; r++) {
            /* the key goes in before and after mixing: no round is linear in it */
            uint32_t next = left ^ ((mix(mix(right ^ round_key[r]) + round_key[r])) & mask);
            left = right;
            right = next;
        }
        x = (uint64_t)left << half_bits | right;
    } while (x >= n);
    return x;
}
