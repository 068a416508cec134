/* probes/heads/head_games.h - games in memory, with the keys of all their queries. */
#ifndef OGPT_PROBES_HEADS_HEAD_GAMES_H
#define OGPT_PROBES_HEADS_HEAD_GAMES_H

#include "base/work.h"
#include "datasets/batch.h"
#include "probes/heads/head_detectors.h"

typedef struct HeadGames {
    const Vocab *vocab;
    size_t n, T;        /* games; n_ctx */
    uint8_t *moves;     /* (n, n_moves) */
    uint8_t *n_queries; /* (n) positions whose next move is scored */
    HeadKeys *keys;     /* (n, T) */
    size_t n_scanned;   /* games that were looked at */
} HeadGames;

/* The first n games of a source (fewer if it holds fewer). Returns 0, OGPT_EIO, OGPT_EFORMAT (an
 * illegal game, or none with a query), OGPT_ENOMEM, OGPT_EINTR. head_games_release. */
int head_games_read(HeadGames *out, const Vocab *vocab, GameSource *source, size_t n,
                    const Work *work);
/* The first n games of a source with a disputed key at some query (HeadKeys.disputed), among the
 * first n_scanned; there may be fewer, or none. Errors as above. */
int head_games_disputed(HeadGames *out, const Vocab *vocab, GameSource *source, size_t n,
                        size_t n_scanned, const Work *work);
void head_games_release(HeadGames *games);

/* Keys of game g. */
static inline const HeadKeys *head_games_keys(const HeadGames *games, size_t g)
{
    return games->keys + g * games->T;
}

#endif
