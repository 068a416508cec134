/* probes/activations/activations_spill.c - rows that memory shall not hold, captured piece by
 * piece.
 *
 * Passes have PASS_GAMES games, and a row may depend in its last bit on what it is multiplied with:
 * pieces of whole passes give the same rows.
 */
#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/activations.h"
#include "probes/activations/passes.h"

/* Games from `game` on whose rows fit in a piece. */
static size_t piece_games(const PositionSet *set, size_t game, size_t row_bytes, size_t most_bytes)
{
    size_t n = PASS_GAMES;
    while (game + n < set->n_games) {
        const size_t more = game + n + PASS_GAMES, end = more < set->n_games ? more : set->n_games;
        if ((set->first[end] - set->first[game]) * row_bytes > most_bytes) {
            break;
        }
        n += PASS_GAMES;
    }
    return game + n < set->n_games ? n : set->n_games - game;
}

/* The positions of n games from `game` on, borrowed but for `first`. 0 or OGPT_ENOMEM. */
static int piece_of(PositionSet *out, const PositionSet *set, size_t game, size_t n)
{
    const uint32_t from = set->first[game];
    *out = *set;
    out->before += game;
    out->n_games = n;
    out->n_positions = set->first[game + n] - from;
    out->moves = set->moves + game * (size_t)set->vocab->variant->n_moves;
    out->t = set->t + from;
    out->first = mem_alloc(n + 1, sizeof(*out->first), "positions of some games");
    for (size_t g = 0; g <= n && out->first; g++) {
        out->first[g] = set->first[game + g] - from;
    }
    return out->first ? 0 : OGPT_ENOMEM;
}

int activations_spill(Spill *out, const PositionSet *set, const Gpt *gpt, const SiteLayers *where,
                      size_t piece_bytes, const Work *work)
{
    const size_t row_bytes =
        hook_width(&gpt->cfg, where->site, (size_t)gpt->cfg.n_ctx) * sizeof(float);
    int rc = 0;
    for (size_t game = 0, n = 0; game < set->n_games && rc == 0; game += n) {
        PositionSet piece;
        float *rows = NULL;
        n = piece_games(set, game, row_bytes, piece_bytes);
        rc = piece_of(&piece, set, game, n);
        if (rc == 0) {
            rows = mem_alloc(piece.n_positions, row_bytes, "activations of some games");
            rc = rows ? activations_capture(&rows, &piece, gpt, where, work) : OGPT_ENOMEM;
        }
        rc = rc ? rc
                : spill_write(out, rows, piece.n_positions * row_bytes,
                              set->first[game] * row_bytes);
        mem_free(rows);
        mem_free(piece.first);
    }
    return rc;
}
