/* probes/legality/layout_check.c - two representations of a network on the same games; see the
 * header. */
#include "probes/legality/layout_check.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/vocab.h"
#include "game/play.h"

/* Compare the first `n` positions of one game. Keeps the largest difference and logit. */
static int game_compare(LayoutDifference *out, double *size, const Gpt *gpt, Tape *tape,
                        const PlainNet *net, const uint8_t *order, const uint8_t *input, size_t n,
                        double *plain)
{
    const size_t V = (size_t)gpt->cfg.d_vocab;
    uint8_t renamed[GAME_MAX_MOVES];
    for (size_t t = 0; t < n; t++) {
        renamed[t] = order ? order[input[t]] : input[t];
    }
    const real *logits = gpt_forward(gpt, tape, input, 1, n, NULL);
    int rc = plain_net_logits(plain, net, renamed, n);
    for (size_t i = 0; rc == 0 && i < n * V; i++) {
        size_t v = order ? order[i % V] : i % V;
        double ours = (double)logits[i], theirs = plain[i / V * V + v];
        if (!isfinite(ours) || !isfinite(theirs)) {
            return err_set(OGPT_ENUM,
                           "position %zu, token %zu: logits %g and %g, expected finite "
                           "numbers",
                           i / V, i % V, ours, theirs);
        }
        out->largest = fmax(out->largest, fabs(ours - theirs));
        *size = fmax(*size, fabs(ours));
    }
    return rc;
}

int layout_difference(LayoutDifference *out, const Gpt *gpt, const PlainNet *net,
                      const uint8_t *order, size_t n_positions, uint64_t seed)
{
    *out = (LayoutDifference){0};
    const Vocab *vocab = vocab_by_size(gpt->cfg.d_vocab);
    if (!vocab || vocab->n_ctx != gpt->cfg.n_ctx) {
        return err_set(OGPT_EFORMAT,
                       "d_vocab %d and n_ctx %d are of no board: expected 61 and 59, 33 and 31, or "
                       "13 and 11",
                       gpt->cfg.d_vocab, gpt->cfg.n_ctx);
    }
    Tape *tape = NULL;
    double size = 0;
    size_t room = (size_t)gpt->cfg.n_ctx * (size_t)gpt->cfg.d_vocab;
    double *plain = mem_alloc(room, sizeof(*plain), "logits");
    int rc = !plain ? OGPT_ENOMEM : tape_new(&tape, &gpt->cfg, 1, TAPE_FORWARD, NULL);
    for (uint64_t game = 0; rc == 0 && out->positions < n_positions; game++) {
        uint8_t moves[GAME_MAX_MOVES], input[GAME_MAX_MOVES], target[GAME_MAX_MOVES];
        play_random(moves, vocab->variant, seed, RNG_EVAL, game);
        size_t n = (size_t)vocab_encode(input, target, vocab, moves);
        if (n > n_positions - out->positions) {
            n = n_positions - out->positions;
        }
        if (n > 0) {
            rc = game_compare(out, &size, gpt, tape, net, order, input, n, plain);
            out->positions += n;
        }
    }
    out->tolerance = fmax(LAYOUT_TOLERANCE_LEAST, LAYOUT_TOLERANCE * size);
    tape_free(tape);
    mem_free(plain);
    return rc;
}
