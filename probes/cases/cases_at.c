/* probes/cases/cases_at.c - edits at positions that somebody found, and their control: edits at
 * positions of random games that are as long. Contract in probes/cases/cases.h. */
#include <string.h>

#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "game/play.h"
#include "probes/cases/case_keys.h"

#define DRAWS 200   /* of a disc: most flips show, and a board has at most 64 discs */
#define TRIES 10000 /* random games for one case of the control; most of them have an edit */
/* Streams of this file: cases_make has those without these bits, and bit 63 of its own. */
#define AT_STREAM (1ULL << 62)
#define LIKE_STREAM (1ULL << 61)

static EditCase case_of(const uint8_t *moves, int n)
{
    EditCase edit = {.n_moves = n};
    memset(edit.moves, SQ_NONE, sizeof(edit.moves));
    memcpy(edit.moves, moves, (size_t)n);
    return edit;
}

/* A disc whose flip shows. */
static bool draw_flip(EditCase *edit, const GameVariant *variant, Rng *rng)
{
    const CaseMakeOptions options = {.edit = CASE_FLIP, .n_squares = 1};
    bool stands = false;
    for (int i = 0; i < DRAWS && !stands; i++) {
        stands = cases__draw_unnatural(edit, variant, &options, rng);
    }
    return stands;
}

int cases_at(CaseSet *out, const GameVariant *variant, const uint8_t *moves, size_t n,
             const Work *work)
{
    CaseKeys keys = {0};
    *out = (CaseSet){.variant = variant};
    int rc = case_keys_init(&keys, n);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const uint8_t *history = moves + i * GAME_MAX_MOVES;
        EditCase edit = case_of(history, game_length(history, GAME_MAX_MOVES));
        Rng rng = rng_at(work->seed, RNG_CASES, AT_STREAM | i);
        if (edit.n_moves > 0 && case_keys_add(&keys, case_prefix_hash(&edit)) &&
            draw_flip(&edit, variant, &rng)) {
            rc = cases__add(out, &edit);
        } else {
            out->redraws++;
        }
    }
    case_keys_release(&keys);
    if (rc != 0) {
        cases_release(out);
    }
    return rc;
}

int cases_histories(uint8_t *moves, size_t *n, const CaseSet *set)
{
    CaseKeys keys = {0};
    size_t stride = (size_t)set->variant->n_moves;
    int rc = case_keys_init(&keys, set->n);
    *n = 0;
    for (size_t i = 0; rc == 0 && i < set->n; i++) {
        if (case_keys_add(&keys, case_prefix_hash(&set->cases[i]))) {
            memcpy(moves + (*n)++ * stride, set->cases[i].moves, stride);
        }
    }
    case_keys_release(&keys);
    return rc;
}

/* A random game of more than n moves, cut there, with an edit; draws counts games that had none. */
static int draw_like(EditCase *out, uint64_t *draws, const GameVariant *variant, int n, Rng *rng,
                     uint64_t seed)
{
    for (int i = 0; i < TRIES; i++) {
        uint8_t moves[GAME_MAX_MOVES];
        uint64_t game = (uint64_t)rng_below(rng, UINT32_MAX) << 16 | rng_below(rng, 1U << 16);
        if (play_random(moves, variant, seed, RNG_CASES, LIKE_STREAM | game) > n) {
            *out = case_of(moves, n);
            if (draw_flip(out, variant, rng)) {
                return 0;
            }
        }
        ++*draws;
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted while making cases; nothing was written");
        }
    }
    return err_set(OGPT_EUSAGE, "cases: no edit after %d moves in %d random games", n, TRIES);
}

int cases_like(CaseSet *out, const CaseSet *like, const Work *work)
{
    int rc = 0;
    *out = (CaseSet){.variant = like->variant};
    for (size_t i = 0; rc == 0 && i < like->n; i++) {
        EditCase edit;
        Rng rng = rng_at(work->seed, RNG_CASES, AT_STREAM | LIKE_STREAM | i);
        rc = draw_like(&edit, &out->redraws, like->variant, like->cases[i].n_moves, &rng,
                       work->seed);
        rc = rc ? rc : cases__add(out, &edit);
    }
    if (rc != 0) {
        cases_release(out);
    }
    return rc;
}
