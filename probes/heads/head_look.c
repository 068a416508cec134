/* probes/heads/head_look.c - contract in head_look.h. */
#include "probes/heads/head_look.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "game/notation.h"
#include "probes/activations/passes.h"

typedef struct HeadLook {
    double *shares;
    size_t n_heads, n;
} HeadLook;

static int take_row(void *context, const PassBatch *pass, const HookPoint *point)
{
    const HeadLook *look = context;
    size_t keys = point->width / look->n_heads;
    const real *row = point->value + (look->n - 1) * point->width;
    double *out = look->shares + (size_t)point->layer * look->n_heads * look->n;
    for (size_t h = 0; h < look->n_heads; h++) {
        for (size_t s = 0; s < look->n; s++) {
            out[h * look->n + s] = (double)row[h * keys + s];
        }
    }
    return 0;
}

int head_look(double *shares, const Gpt *gpt, const Vocab *vocab, const uint8_t *moves, int n)
{
    uint8_t game[GAME_MAX_MOVES], read = (uint8_t)n;
    HeadLook look = {shares, (size_t)gpt->cfg.n_heads, (size_t)n};
    PassGames games = {.vocab = vocab, .n = 1, .moves = game, .read = &read, .games_a_pass = 1};
    PassCalls calls = {.context = &look, .hook = take_row};
    if (n < 1 || n > gpt->cfg.n_ctx) {
        return err_set(OGPT_EUSAGE, "%d moves, expected 1 to %d, as many as the network reads", n,
                       gpt->cfg.n_ctx);
    }
    memset(game, SQ_NONE, sizeof(game));
    memcpy(game, moves, (size_t)n);
    for (int layer = 0; layer < gpt->cfg.n_layers; layer++) {
        passes_hook_layer(&calls, HOOK_PATTERN, layer);
    }
    return passes_run(gpt, &games, &calls, WORK_ALONE);
}

int head_look_typed(HeadLooked *out, const Gpt *gpt, const Vocab *vocab, const char *typed,
                    const char *option)
{
    const size_t n_heads = (size_t)gpt->cfg.n_layers * (size_t)gpt->cfg.n_heads;
    *out = (HeadLooked){.n = 0};
    int rc = moves_parse(out->moves, &out->n, vocab->variant, typed);
    if (rc != 0) {
        return err_set(rc, "%s: %s", option, err_message());
    }
    out->shares = mem_alloc(n_heads * GAME_MAX_MOVES, sizeof(*out->shares), "attention");
    return out->shares ? head_look(out->shares, gpt, vocab, out->moves, out->n) : OGPT_ENOMEM;
}
