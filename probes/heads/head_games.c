/* probes/heads/head_games.c - see probes/heads/head_games.h. */
#include "probes/heads/head_games.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"

enum { FETCHED = 1024 }; /* games at a time */

static int games_allocate(HeadGames *out, const Vocab *vocab, size_t n)
{
    *out = (HeadGames){.vocab = vocab, .T = (size_t)vocab->n_ctx};
    out->moves = mem_alloc(n, (size_t)vocab->variant->n_moves, "games");
    out->n_queries = mem_alloc(n, 1, "games");
    out->keys = mem_alloc(n * out->T, sizeof(*out->keys), "keys of games");
    return out->moves && out->n_queries && out->keys ? 0 : OGPT_ENOMEM;
}

void head_games_release(HeadGames *games)
{
    mem_free(games->moves);
    mem_free(games->n_queries);
    mem_free(games->keys);
    *games = (HeadGames){0};
}

/* Take a game if it has a query, and a disputed key if that is asked for. 0 or OGPT_EFORMAT. */
static int take_game(HeadGames *out, const uint8_t *moves, bool disputed)
{
    const GameVariant *variant = out->vocab->variant;
    size_t stride = (size_t)variant->n_moves;
    HeadKeys keys[GAME_MAX_MOVES];
    Board after[GAME_MAX_MOVES];
    int n = head_game_keys(keys, after, variant, moves);
    bool wanted = !disputed;
    if (n < 0) {
        return err_set(OGPT_EFORMAT, "game %zu of the sample: move %d is illegal", out->n_scanned,
                       -n);
    }
    n = n > (int)out->T ? (int)out->T : n;
    for (int t = 0; t < n; t++) {
        wanted = wanted || keys[t].disputed != 0;
    }
    out->n_scanned++;
    if (n > 0 && wanted) {
        memcpy(out->moves + out->n * stride, moves, stride);
        memcpy(out->keys + out->n * out->T, keys, (size_t)n * sizeof(*keys));
        out->n_queries[out->n++] = (uint8_t)n;
    }
    return 0;
}

static int read_games(HeadGames *out, GameSource *source, size_t n, size_t n_scanned, bool disputed,
                      const Work *work)
{
    size_t stride = (size_t)out->vocab->variant->n_moves, there = (size_t)source_games(source);
    uint8_t *fetched = mem_alloc(FETCHED, stride, "games");
    int rc = fetched ? 0 : OGPT_ENOMEM;
    n_scanned = there > 0 && there < n_scanned ? there : n_scanned; /* 0: it never ends */
    while (rc == 0 && out->n < n && out->n_scanned < n_scanned) {
        size_t left = n_scanned - out->n_scanned, first = out->n_scanned;
        size_t count = left < FETCHED ? left : FETCHED;
        rc = interrupt_pending()
                 ? err_set(OGPT_EINTR, "interrupted after %zu of %zu games", first, n_scanned)
                 : source_fetch(source, fetched, first, count, work->pool);
        for (size_t i = 0; i < count && rc == 0 && out->n < n; i++) {
            rc = take_game(out, fetched + i * stride, disputed);
        }
    }
    mem_free(fetched);
    return rc;
}

int head_games_read(HeadGames *out, const Vocab *vocab, GameSource *source, size_t n,
                    const Work *work)
{
    int rc = games_allocate(out, vocab, n);
    rc = rc ? rc : read_games(out, source, n, n, false, work);
    if (rc == 0 && out->n == 0) {
        rc = err_set(OGPT_EFORMAT, "no game of the sample has two moves");
    }
    return rc;
}

int head_games_disputed(HeadGames *out, const Vocab *vocab, GameSource *source, size_t n,
                        size_t n_scanned, const Work *work)
{
    int rc = games_allocate(out, vocab, n);
    return rc ? rc : read_games(out, source, n, n_scanned, true, work);
}
