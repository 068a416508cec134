/* cli/seen_games.h - were scored games among the training games? Fresh training games are a pure
 * function of (seed, index), so they are made again and compared by hash; games of a corpus are
 * divided by their hash, so none of a test split was trained on. */
#ifndef OGPT_CLI_SEEN_GAMES_H
#define OGPT_CLI_SEEN_GAMES_H

#include "base/js.h"
#include "base/pool.h"
#include "datasets/batch.h"

typedef struct SeenGames {
    const char *unknown; /* why nothing can be said (static text); NULL when `seen` holds */
    uint64_t seen;       /* training games that are scored games */
    uint64_t remade;     /* training games made again */
} SeenGames;

/* Training games of all runs that the manifest tells of (model/lineage.h), to be made again for
 * boards of `variant`: 0 where that cannot be or need not. */
uint64_t seen_games_to_make(const Js *manifest, const GameVariant *variant);
/* Look among them for the first n games of `scored`, which lie in the test split. 4x4 has but
 * 60,060 games, all of them seen before long: unknown. progress (may be NULL) hears of `remade`.
 * Returns 0, OGPT_EINTR, OGPT_ENOMEM, or what reading `scored` gave. */
int seen_games(SeenGames *out, const Js *manifest, GameSource *scored, size_t n, Pool *pool,
               void (*progress)(void *context, size_t remade), void *context);

#endif
