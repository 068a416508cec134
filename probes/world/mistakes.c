/* probes/world/mistakes.c - contract in probes/world/mistakes.h. */
#include "probes/world/mistakes.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/play.h"
#include "probes/activations/passes.h"
#include "probes/legality/answers.h"

static int larger_first(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* One answer: legal tokens first, each part from the largest down. */
static int keep_answer(float *out, const float *logits, int V, uint64_t legal)
{
    double p[BOARD_SQUARES];
    int n_legal = 0, n_other = 0;
    answer_probabilities(p, logits, V);
    for (int tok = 0; tok < V; tok++) {
        n_legal += (int)(legal >> tok & 1);
    }
    for (int tok = 0, at = 0; tok < V; tok++) {
        if (legal >> tok & 1) {
            out[at++] = (float)p[tok];
        } else {
            out[n_legal + n_other++] = (float)p[tok];
        }
    }
    qsort(out, (size_t)n_legal, sizeof(*out), larger_first);
    qsort(out + n_legal, (size_t)n_other, sizeof(*out), larger_first);
    return n_legal;
}

static int keep_pass(void *context, const PassBatch *pass)
{
    Mistakes *m = context;
    const GameVariant *variant = m->vocab->variant;
    size_t V = (size_t)m->vocab->d_vocab, n_moves = (size_t)variant->n_moves;
    for (size_t b = 0; b < pass->B; b++) {
        const uint8_t *moves = pass->moves + b * n_moves;
        Board after[GAME_MAX_MOVES];
        int n = game_replay(variant, moves, game_length(moves, variant->n_moves), after);
        for (int t = 0; t + 1 < n; t++) {
            const float *logits = pass->logits + (b * pass->T + (size_t)t) * V;
            size_t at = (size_t)t * m->n_games + pass->game + b;
            if (answer_bad_token(logits, (int)V) >= 0) {
                return err_set(OGPT_ENUM,
                               "the network's logits after %d moves are not finite; the "
                               "model is damaged or diverged",
                               t + 1);
            }
            m->n_legal[at] =
                (uint8_t)keep_answer(m->p + at * V, logits, (int)V,
                                     answer_tokens(m->vocab, board_moves(variant, &after[t])));
        }
    }
    return 0;
}

int mistakes_learn(Mistakes *out, const Gpt *gpt, const Vocab *vocab, size_t n_games,
                   const Work *work)
{
    GameSource *source = NULL;
    size_t n = (size_t)vocab->n_ctx * n_games;
    *out = (Mistakes){.vocab = vocab, .n_games = n_games};
    out->p = mem_alloc(n * (size_t)vocab->d_vocab, sizeof(*out->p), "answers of the network");
    out->n_legal = mem_calloc(n, 1, "legal moves of answers");
    if (!out->p || !out->n_legal) {
        return OGPT_ENOMEM;
    }
    int rc = source_fresh(&source, vocab->variant, work->seed, RNG_EVAL);
    const PassGames games = {.vocab = vocab, .n = n_games, .source = source};
    const PassCalls calls = {.context = out, .visit = keep_pass};
    rc = rc ? rc : passes_run(gpt, &games, &calls, work);
    source_free(source);
    return rc;
}

void mistakes_release(Mistakes *mistakes)
{
    mem_free(mistakes->p);
    mem_free(mistakes->n_legal);
    *mistakes = (Mistakes){0};
}

/* A kept game that had an answer after n moves; n_games: none. */
static size_t draw_game(const Mistakes *m, int n, Rng *rng)
{
    const uint8_t *n_legal = m->n_legal + (size_t)(n - 1) * m->n_games;
    size_t first = rng_below(rng, (uint32_t)m->n_games);
    for (size_t i = 0; i < m->n_games; i++) {
        size_t game = (first + i) % m->n_games;
        if (n_legal[game] > 0) {
            return game;
        }
    }
    return m->n_games;
}

/* Give `from` (n_from numbers, the largest first) to the tokens of a set in random order. The
 * largest is always given; between, numbers are left out or used twice where the counts differ. */
static void deal_part(float *p, uint64_t tokens, const float *from, int n_from, Rng *rng)
{
    int n = __builtin_popcountll(tokens);
    for (int i = 0; i < n; i++) {
        int place = mask_select(tokens, (int)rng_below(rng, (uint32_t)(n - i)));
        p[place] = n_from > 0 ? from[i * n_from / n] : 0;
        tokens &= ~(1ULL << place);
    }
}

bool mistakes_deal(float *p, const Mistakes *m, int n, uint64_t legal, Rng *rng)
{
    size_t V = (size_t)m->vocab->d_vocab, game = draw_game(m, n, rng);
    double total = 0;
    if (game == m->n_games) {
        return false;
    }
    size_t at = (size_t)(n - 1) * m->n_games + game;
    int n_legal = m->n_legal[at];
    const float *from = m->p + at * V;
    deal_part(p, legal, from, n_legal, rng);
    deal_part(p, ((1ULL << V) - 1) & ~legal, from + n_legal, (int)V - n_legal, rng);
    for (size_t tok = 0; tok < V; tok++) {
        total += p[tok];
    }
    for (size_t tok = 0; tok < V; tok++) {
        p[tok] = (float)(p[tok] / total);
    }
    return true;
}
