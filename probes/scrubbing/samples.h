/* probes/scrubbing/samples.h - games that lend their activations: which of them agree with a
 * position in what a node is said to carry, exactly, by the rules of the game.
 *
 * Position t of a game is what the network has after moves 0..t. A game has a position t if another
 * move follows. Two positions match for a node if they are at the same ply and agree in every
 * feature of the node. (Features are compared by a 64-bit hash of their values: two positions that
 * differ match by chance with probability 5e-20.)
 */
#ifndef OGPT_PROBES_SCRUBBING_SAMPLES_H
#define OGPT_PROBES_SCRUBBING_SAMPLES_H

#include "base/rng.h"
#include "base/work.h"
#include "datasets/corpus.h"
#include "probes/scrubbing/hypothesis.h"

typedef struct ScrubGames {
    const GameVariant *variant;
    uint8_t *moves;   /* (n, variant->n_moves), SQ_NONE behind the last; owned */
    uint8_t *n_moves; /* (n); owned */
    size_t n;
} ScrubGames;

/* Games first .. first+n-1 of uniformly random play by (seed of the work, purpose). Returns 0,
 * OGPT_EINTR, OGPT_ENOMEM. */
int scrub_games_fresh(ScrubGames *out, const GameVariant *variant, RngPurpose purpose,
                      uint64_t first, size_t n, const Work *work);
/* A copy of n games (n, variant->n_moves), which are replayed: OGPT_EFORMAT names the first with an
 * illegal move. */
int scrub_games_copy(ScrubGames *out, const GameVariant *variant, const uint8_t *moves, size_t n);
/* The first games of a corpus, at most `most`: of its test split if `test`, else the others.
 * Returns 0, OGPT_EUSAGE (there are none), OGPT_EFORMAT or OGPT_EIO (corpus_read), OGPT_ENOMEM. */
int scrub_games_corpus(ScrubGames *out, Corpus *corpus, bool test, size_t most);
void scrub_games_release(ScrubGames *games);
static inline const uint8_t *scrub_game(const ScrubGames *games, size_t game)
{
    return games->moves + game * (size_t)games->variant->n_moves;
}

/* What the features of a node say about position t, as one number. boards: after moves 0..t. The
 * features "everything" and "nothing" say nothing. */
uint64_t feature_key(const HypothesisNode *node, const GameVariant *variant, const uint8_t *moves,
                     const Board *boards, int t);
/* The value of one feature into out, one byte or one a square. Returns how many. */
size_t feature_values(uint8_t out[64], const Feature *feature, const GameVariant *variant,
                      const uint8_t *moves, const Board *boards, int t);
/* Whether two nodes are said to carry the same. */
bool feature_lists_equal(const HypothesisNode *a, const HypothesisNode *b);
/* Positions 0..t that a group's places name, bit s; all of them if it names none. */
uint64_t place_positions(const NodeGroup *group, const GameVariant *variant, const uint8_t *moves,
                         const Board *boards, int t);

/* The index: at every ply the games of the pool in the order of their keys. */
typedef struct SamplePool {
    const ScrubGames *games;
    const HypothesisNode **sets; /* (n_sets) nodes whose feature lists differ; [0] NULL: none */
    size_t n_sets, n_plies;
    uint64_t *keys;    /* (n_sets, n_plies, games->n) */
    uint32_t *order;   /* (n_sets, n_plies, games->n): by key, then by number */
    uint32_t *n_valid; /* (n_plies) games that have the position */
} SamplePool;

/* Index the games for these nodes, borrowed with the games. tick("index"). Returns 0, OGPT_EUSAGE
 * (more bytes than work->memory_bytes, if that is set), OGPT_EINTR, OGPT_ENOMEM. */
int samples_index(SamplePool *out, const ScrubGames *games, const HypothesisNode *const *nodes,
                  size_t n_nodes, const Work *work);
void samples_release(SamplePool *pool);
/* The set of a node's features; 0 for NULL. */
size_t samples_set(const SamplePool *pool, const HypothesisNode *node);
/* A game of the pool, uniform over those that have position t with this key. Returns how many there
 * are; with 0 *game is not set. */
size_t samples_draw(size_t *game, const SamplePool *pool, size_t set, int t, uint64_t key,
                    Rng *rng);

#endif
