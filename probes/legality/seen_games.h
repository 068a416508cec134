/* probes/legality/seen_games.h - were scored games among the training games?
 *
 * Fresh training games are a function of (seed, index), so they are drawn again and compared. The
 * games of a corpus are split by hash, so training never saw a game of the test split, if the games
 * that are scored are divided by the same rule (corpus_divide).
 *
 * Training replaces fresh games that are among its own held-out games (ogpt train counts them:
 * held_out_collisions). Such a game is looked up as it was before the replacement.
 */
#ifndef OGPT_PROBES_LEGALITY_SEEN_GAMES_H
#define OGPT_PROBES_LEGALITY_SEEN_GAMES_H

#include "base/hash.h"
#include "base/js.h"
#include "base/work.h"
#include "datasets/batch.h"

/* What a manifest (model/lineage.h) says about the training games. */
typedef struct TrainingGames {
    const char *unknown; /* NULL, or why nothing is known (static text) */
    uint64_t fresh;      /* games that can be made again, over all runs */
    bool corpus;         /* a run was trained on a corpus */
} TrainingGames;

/* The training games on boards of `variant`. 4x4 has only 60,060 games, which training has soon
 * seen: unknown. */
TrainingGames training_games(const Js *manifest, const GameVariant *variant);

/* The rules (SplitRule, a set) by which the corpora of all runs were divided. A game of the test
 * split by all of them was in none of these runs. 0: no run was trained on a corpus. */
unsigned training_split_rules(const Js *manifest);

/* Scored games that were among the training games. */
typedef struct SeenGames {
    uint64_t *hashes; /* (n) game_hash, sorted; a repeated game is repeated here; owned */
    size_t n;
    bool recalled; /* known from an earlier look */
} SeenGames;

/* Which of the first n games of `scored`, which lie in the test split, are fresh training games?
 * None where those are unknown. The scored games form a tree that each training game walks down by
 * its draws (game/game_tree.h).
 * work: the pool; memory_bytes for a tree of 270 bytes a scored game (0: 64 MiB): when there are
 * more of them, the training games are drawn again for each tree; tick("games", drawn, all of all
 * trees). Returns 0, OGPT_EINTR, OGPT_ENOMEM, or what reading `scored` gave. */
int seen_games(SeenGames *out, const Js *manifest, GameSource *scored, size_t n, const Work *work);
/* A hash of all that the result depends on: the fresh games that the manifest names, in their
 * order, and the scored games themselves, move by move. With work->journal, seen_games recalls a
 * result that was kept under this key, or keeps it; whoever gives a journal makes it of this key.
 * Returns 0, OGPT_ENOMEM, or what reading `scored` gave. */
int seen_games_key(char key[HASH_HEX_SIZE], const Js *manifest, GameSource *scored, size_t n,
                   const Work *work);
/* The specification: makes every training game again and compares hashes (source_exclude). The same
 * result, some 25 times as slow; memory_bytes has no meaning here. */
int seen_games_ref(SeenGames *out, const Js *manifest, GameSource *scored, size_t n,
                   const Work *work);
/* Games that a or b lists: one that each lists k and m times is listed max(k, m) times. *out must
 * be empty; returns 0 or OGPT_ENOMEM. */
int seen_games_union(SeenGames *out, const SeenGames *a, const SeenGames *b);
void seen_games_release(SeenGames *seen);

#endif
