/* probes/legality/layout_check.c - see probes/legality/layout_check.h. */
#include "probes/legality/layout_check.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/play.h"
#include "probes/activations/passes.h"
#include "probes/activations/subject.h"

typedef struct LayoutCheck {
    const Gpt *gpt;
    const PlainNet *net;
    const uint8_t *order;
    double *plain; /* per worker (n_ctx, d_vocab) */
    /* (n games) the largest difference and our largest logit in each game */
    double *largest, *size;
} LayoutCheck;

/* Compare the logits of one game, which is a pass of its own, with those of the plain network. */
static int compare_pass(void *context, const PassBatch *pass)
{
    const LayoutCheck *check = context;
    const uint8_t *order = check->order;
    const GptConfig *cfg = &check->gpt->cfg;
    const size_t V = (size_t)cfg->d_vocab, n = pass->T;
    double *plain = check->plain + pass->worker * (size_t)cfg->n_ctx * V;
    uint8_t renamed[GAME_MAX_MOVES] = {0};
    for (size_t t = 0; t < n; t++) {
        renamed[t] = order ? order[pass->tokens[t]] : pass->tokens[t];
    }
    int rc = plain_net_logits(plain, check->net, renamed, n);
    for (size_t i = 0; rc == 0 && i < n * V; i++) {
        size_t v = order ? order[i % V] : i % V;
        double ours = (double)pass->logits[i], theirs = plain[i / V * V + v];
        if (!isfinite(ours) || !isfinite(theirs)) {
            return err_set(OGPT_ENUM,
                           "position %zu, token %zu: logits %g and %g, expected finite numbers",
                           i / V, i % V, ours, theirs);
        }
        check->largest[pass->game] = fmax(check->largest[pass->game], fabs(ours - theirs));
        check->size[pass->game] = fmax(check->size[pass->game], fabs(ours));
    }
    return rc;
}

/* Play random games that have n_positions positions in all: moves (n_positions, n_moves), and
 * read[g] positions of game g. Returns the number of games. */
static size_t play_games(uint8_t *moves, uint8_t *read, const Vocab *vocab, size_t n_positions,
                         uint64_t seed)
{
    size_t n = 0, positions = 0, stride = (size_t)vocab->variant->n_moves;
    for (uint64_t game = 0; positions < n_positions; game++) {
        uint8_t *own = moves + n * stride;
        play_random(own, vocab->variant, seed, RNG_EVAL, game);
        int length = game_length(own, vocab->variant->n_moves);
        size_t scored = length > 1 ? (size_t)length - 1 : 0, left = n_positions - positions;
        if (scored > 0) {
            read[n] = (uint8_t)(scored < left ? scored : left);
            positions += read[n++];
        }
    }
    return n;
}

int layout_difference(LayoutDifference *out, const Gpt *gpt, const PlainNet *net,
                      const uint8_t *order, size_t n_positions, const Work *work)
{
    const Vocab *vocab;
    double size = 0;
    *out = (LayoutDifference){0};
    int rc = subject_vocab(&vocab, &gpt->cfg, NULL, "the network");
    if (rc) {
        return rc;
    }
    size_t room = (size_t)gpt->cfg.n_ctx * (size_t)gpt->cfg.d_vocab;
    uint8_t *moves = mem_alloc(n_positions, (size_t)vocab->variant->n_moves, "random games");
    uint8_t *read = mem_alloc(n_positions, 1, "lengths of random games");
    double *plain = mem_alloc(work_workers(work) * room, sizeof(*plain), "logits");
    double *found = mem_calloc(2 * n_positions, sizeof(*found), "differences of games");
    if (moves && read && plain && found) {
        LayoutCheck check = {gpt, net, order, plain, found, found + n_positions};
        PassGames games = {.vocab = vocab, .moves = moves, .read = read, .games_a_pass = 1};
        PassCalls calls = {.context = &check, .visit = compare_pass};
        games.n = play_games(moves, read, vocab, n_positions, work->seed);
        rc = passes_run(gpt, &games, &calls, work);
        for (size_t g = 0; g < games.n; g++) {
            out->largest = fmax(out->largest, check.largest[g]);
            size = fmax(size, check.size[g]);
        }
    } else {
        rc = OGPT_ENOMEM;
    }
    out->positions = rc ? 0 : n_positions;
    out->tolerance = fmax(LAYOUT_TOLERANCE_LEAST, LAYOUT_TOLERANCE * size);
    mem_free(moves);
    mem_free(read);
    mem_free(plain);
    mem_free(found);
    return rc;
}
