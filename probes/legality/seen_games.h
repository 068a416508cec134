/* probes/legality/seen_games.h - were scored games among the training games? Fresh training games
 * are a function of (seed, index), so they are made again and compared by hash; games of a corpus
 * are divided by their hash, so none of a test split was trained on.
 *
 * A game that training replaced because it was one of its own held-out games is looked up as it was
 * before the replacement (ogpt train counts them: held_out_collisions).
 */
#ifndef OGPT_PROBES_LEGALITY_SEEN_GAMES_H
#define OGPT_PROBES_LEGALITY_SEEN_GAMES_H

#include "base/js.h"
#include "base/work.h"
#include "datasets/batch.h"

/* What a manifest (model/lineage.h) says of the training games. */
typedef struct TrainingGames {
    const char *unknown; /* why nothing can be said (static text), or NULL */
    uint64_t fresh;      /* games that can be made again, over all runs */
    bool corpus;         /* a run was trained on a corpus */
} TrainingGames;

/* For boards of `variant`. 4x4 has but 60,060 games, all of them seen before long: unknown. */
TrainingGames training_games(const Js *manifest, const GameVariant *variant);

/* Scored games that training had. */
typedef struct SeenGames {
    uint64_t *hashes; /* (n) by game_hash, sorted, repeated as the games are; owned */
    size_t n;
} SeenGames;

/* Make the fresh ones again and note which of the first n games of `scored`, which lie in the test
 * split, are among them; none where the games are unknown. work: the pool; tick("games", made
 * again, all). Returns 0, OGPT_EINTR, OGPT_ENOMEM, or what reading `scored` gave. */
int seen_games(SeenGames *out, const Js *manifest, GameSource *scored, size_t n, const Work *work);
void seen_games_release(SeenGames *seen);

#endif
