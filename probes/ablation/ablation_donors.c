/* probes/ablation/ablation_donors.c - a pool of games, and who of them lends to a position. */
#include "probes/ablation/ablation_donors.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "game/notation.h"
#include "probes/ablation/ablation_internal.h"

int ablation_match_parse(AblationMatch *out, const GameVariant *variant, const char *text,
                         const char *what)
{
    *out = (AblationMatch){MATCH_LOCAL, -1};
    if (strcmp(text, "local") == 0) {
        return 0;
    }
    if (strcmp(text, "own") == 0) {
        out->kind = MATCH_OWN;
        return 0;
    }
    out->kind = MATCH_SQUARE;
    out->square = strlen(text) == 2 ? square_parse(variant, text) : -1;
    if (out->square < 0) {
        return err_set(OGPT_EUSAGE,
                       "%s: \"%s\", expected local, own or a square of the %dx%d board", what, text,
                       variant->size, variant->size);
    }
    return 0;
}

uint64_t ablation_match_squares(const AblationMatch *match, const GameVariant *variant,
                                const AblationPosition *position)
{
    int sq = match->kind == MATCH_SQUARE ? match->square : position->square;
    uint64_t squares = 1ULL << sq;
    for (int step = 0; match->kind == MATCH_LOCAL && step < 9; step++) {
        int row = sq / 8 + step / 3 - 1, column = sq % 8 + step % 3 - 1;
        if (row >= 0 && row < 8 && column >= 0 && column < 8) {
            squares |= 1ULL << (8 * row + column);
        }
    }
    return squares & variant->squares;
}

/* ---- the pool ---- */

enum { GAMES_A_JOB = 256 };

static int replay_job(void *context, size_t job, size_t worker)
{
    const AblationDonors *donors = context;
    size_t stride = (size_t)donors->variant->n_moves, end = (job + 1) * GAMES_A_JOB;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while replaying games");
    }
    for (size_t g = job * GAMES_A_JOB; g < donors->n && g < end; g++) {
        const uint8_t *moves = donors->moves + g * stride;
        int n = game_length(moves, (int)stride);
        int legal = game_replay(donors->variant, moves, n, donors->after + g * stride);
        donors->lengths[g] = (uint8_t)n;
        if (legal != n) {
            return err_set(OGPT_EFORMAT,
                           "training game %zu: move %d is illegal; check the corpus (ogpt verify)",
                           g, legal + 1);
        }
    }
    return 0;
}

int ablation_donors_open(AblationDonors *out, GameSource *source, size_t n_games, const Work *work)
{
    uint64_t there = source_games(source);
    size_t n = there > 0 && there < n_games ? (size_t)there : n_games;
    *out = (AblationDonors){.variant = source_variant(source), .n = n};
    size_t stride = (size_t)out->variant->n_moves;
    out->moves = mem_alloc(n, stride, "games that lend values");
    out->lengths = mem_calloc(n, sizeof(*out->lengths), "games that lend values");
    out->after = mem_alloc(n * stride, sizeof(*out->after), "boards of games that lend values");
    int rc = out->moves && out->lengths && out->after ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : source_fetch(source, out->moves, 0, n, work->pool);
    rc = rc ? rc : pool_run(work->pool, (n + GAMES_A_JOB - 1) / GAMES_A_JOB, replay_job, out);
    if (rc != 0) {
        ablation_donors_release(out);
    }
    return rc;
}

void ablation_donors_release(AblationDonors *donors)
{
    mem_free(donors->moves);
    mem_free(donors->lengths);
    mem_free(donors->after);
    *donors = (AblationDonors){0};
}

size_t ablation_donors_bytes(const GameVariant *variant, size_t n)
{
    return n * ((size_t)variant->n_moves * (1 + sizeof(Board)) + 1);
}

/* ---- who lends ---- */

/* The first game from `start` on, around the pool, that can lend to the position and agrees on
 * these squares; donors->n if there is none. */
static size_t find_donor(const AblationDonors *donors, const AblationPosition *at, uint64_t squares,
                         size_t start)
{
    size_t stride = (size_t)donors->variant->n_moves, t = (size_t)at->n_moves - 1;
    for (size_t i = 0; i < donors->n; i++) {
        size_t g = (start + i) % donors->n;
        if (donors->lengths[g] < at->n_moves) {
            continue;
        }
        const Board *board = &donors->after[g * stride + t];
        uint64_t differ = (board->mine ^ at->board.mine) | (board->theirs ^ at->board.theirs);
        if ((differ & squares) == 0 &&
            memcmp(donors->moves + g * stride, at->moves, (size_t)at->n_moves) != 0) {
            return g;
        }
    }
    return donors->n;
}

int ablation_donors_assign(AblationPositions *positions, const AblationDonors *donors,
                           const AblationMatch *match, const Work *work)
{
    size_t V = (size_t)positions->vocab->d_vocab, kept = 0, all = positions->n;
    for (size_t i = 0; i < all; i++) {
        AblationPosition at = positions->at[i];
        uint64_t squares = match ? ablation_match_squares(match, donors->variant, &at) : 0;
        Rng rng = ablation__rng(work->seed, ABLATION_DRAW_DONOR, i);
        size_t any = find_donor(donors, &at, 0, rng_below(&rng, (uint32_t)donors->n));
        size_t fits =
            match ? find_donor(donors, &at, squares, rng_below(&rng, (uint32_t)donors->n)) : any;
        if (fits == donors->n) { /* a game that fits is one of any */
            positions->no_donor++;
            continue;
        }
        at.donor[0] = (uint32_t)any;
        at.donor[1] = (uint32_t)fits;
        positions->at[kept] = at;
        memmove(positions->weights + kept * V, positions->weights + i * V, V * sizeof(real));
        kept++;
    }
    positions->n = kept;
    size_t *number = mem_calloc(positions->n_games, sizeof(*number), "numbers of games");
    if (!number) {
        return OGPT_ENOMEM;
    }
    positions->n_games = 0;
    for (size_t i = 0; i < kept; i++) {
        size_t *game = &number[positions->at[i].game]; /* 1 + its new number */
        *game = *game ? *game : ++positions->n_games;
        positions->at[i].game = *game - 1;
    }
    mem_free(number);
    if (kept == 0) {
        return err_set(
            OGPT_EFORMAT,
            "none of %zu positions finds one of %zu training games that can lend values; "
            "take more of them or match fewer squares",
            all, donors->n);
    }
    return 0;
}
