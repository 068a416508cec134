/* datasets/batch.h - batches for training and evaluation: batch k is a pure function.
 *
 * A GameSource is either fresh random games by (seed, purpose, index), or a corpus. From a
 * corpus, training order is shuffled by (seed, epoch): blocks are permuted, and games permuted
 * inside windows of 64 permuted blocks, so files larger than memory stream.
 */
#ifndef OGPT_DATASETS_BATCH_H
#define OGPT_DATASETS_BATCH_H

#include "base/pool.h"
#include "base/rng.h"
#include "datasets/corpus.h"
#include "datasets/vocab.h"

typedef struct GameSource GameSource;

/* Fresh games index = 0, 1, 2, ... of (seed, purpose). Never ends. */
int source_fresh(GameSource **out, const GameVariant *variant, uint64_t seed, RngPurpose purpose);
/* Games of a corpus (borrowed; must outlive the source) in the splits of `split_mask` (bit
 * 1 << Split; SPLIT_ALL: all games). With `shuffle` each epoch has its own order by (seed, epoch),
 * else file order. Scans the file once to count. OGPT_EFORMAT if no game is left, or none with a
 * move to predict. */
int source_corpus(GameSource **out, Corpus *corpus, unsigned split_mask, bool shuffle,
                  uint64_t seed);
/* source_corpus for one split, or source_fresh if `corpus` is NULL: the games that a command was
 * given, or those it makes. Returns as they do. */
int source_of(GameSource **out, Corpus *corpus, Split split, bool shuffle,
              const GameVariant *variant, uint64_t seed, RngPurpose fresh);
/* Go on with the fresh games of another seed. Excluded games and collisions so far are kept. */
void source_reseed(GameSource *source, uint64_t seed);
/* Keep the first n games of `held_out` out of a fresh source: a game with the whole-game hash of
 * one of them is played again under index + 2^62 until it has another, so the sequence stays a pure
 * function. Not for 4x4 boards, which have only 60,060 games (OGPT_EUSAGE). */
int source_exclude(GameSource *source, GameSource *held_out, size_t n, Pool *pool);
/* How many games were replaced for that reason so far. */
uint64_t source_collisions(const GameSource *source);
/* Hashes of the held-out games that collided with a fresh game, sorted, into hashes[n]; one that is
 * held out twice is listed twice. Returns how many. */
size_t source_collided(const GameSource *source, uint64_t *hashes);
/* Leave games with these hashes out of a corpus source, instead of those of an earlier call.
 * Returns 0, an error of reading the corpus, OGPT_EFORMAT if no game is left (the source can then
 * only be freed), or OGPT_EUSAGE for a fresh source. */
int source_leave_out(GameSource *source, const uint64_t *hashes, size_t n);
void source_free(GameSource *source);
const GameVariant *source_variant(const GameSource *source);
/* Games in an epoch; 0 for a fresh source. */
uint64_t source_games(const GameSource *source);
/* Content hash of the corpus, or "fresh:<number>:<seed>" with the number of the variant that is
 * played (game_variant_played): the size, if the rules are classic or iago. Borrowed. */
const char *source_identity(const GameSource *source);

/* The rules by which its corpus is divided (datasets/split.h); 0 for a fresh source. */
unsigned source_split_rules(const GameSource *source);

/* Games first .. first+n-1 of the endless sequence (epoch after epoch) into
 * moves[n * n_moves]. `pool` may be NULL. */
int source_fetch(GameSource *source, uint8_t *moves, uint64_t first, size_t n, Pool *pool);

/* Tokens of n games: input and target (n, n_ctx); returns the number of scored positions. */
size_t batch_encode(uint8_t *input, uint8_t *target, const Vocab *vocab, const uint8_t *moves,
                    size_t n);
/* Sum over the scored positions of n games of ln(number of legal moves): the floor. */
double batch_floor_sum(const GameVariant *variant, const uint8_t *moves, size_t n);

#endif
