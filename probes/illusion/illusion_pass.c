/* probes/illusion/illusion_pass.c - see probes/illusion/illusion_pass.h. */
#include "probes/illusion/illusion_pass.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

int illusion_pass_init(IllusionPass *out, const Gpt *gpt, const Vocab *vocab, HookSite site,
                       TapeMode mode)
{
    const GptConfig *cfg = &gpt->cfg;
    *out = (IllusionPass){.gpt = gpt,
                          .vocab = vocab,
                          .site = site,
                          .width = hook_width(cfg, site, (size_t)cfg->n_ctx)};
    const size_t rows = (size_t)cfg->n_layers * ILLUSION_CHUNK * out->width;
    out->x = mem_calloc(rows, sizeof(float), "rows of pairs");
    out->other = mem_calloc(rows, sizeof(float), "rows of pairs");
    out->dlogits =
        mem_calloc(ILLUSION_CHUNK * (size_t)cfg->d_vocab, sizeof(real), "gradients of pairs");
    int rc = out->x && out->other && out->dlogits ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : prefix_new(&out->base, cfg, ILLUSION_CHUNK, mode, NULL);
    return rc ? rc : prefix_new(&out->source, cfg, ILLUSION_CHUNK, TAPE_FORWARD, NULL);
}

void illusion_pass_release(IllusionPass *pass)
{
    prefix_free(pass->base);
    prefix_free(pass->source);
    mem_free(pass->x);
    mem_free(pass->other);
    mem_free(pass->dlogits);
    *pass = (IllusionPass){0};
}

typedef struct TakingRows {
    const IllusionPass *pass;
    float *rows;
} TakingRows;

static void take_rows(void *context, const HookPoint *point)
{
    const TakingRows *taking = context;
    memcpy(illusion_pass_row(taking->pass, taking->rows, point->layer, 0), point->value,
           taking->pass->n * taking->pass->width * sizeof(float));
}

/* Fill one prefix, run its last positions, and keep their rows. */
static void fill(IllusionPass *pass, Prefix *prefix, float *rows, float *logits, bool second)
{
    const size_t T = GAME_MAX_MOVES;
    uint8_t tokens[ILLUSION_CHUNK * GAME_MAX_MOVES] = {0}, lengths[ILLUSION_CHUNK] = {0};
    const int n_layers = pass->gpt->cfg.n_layers;
    TakingRows taking = {pass, rows};
    Hooks hooks = {.fn = take_rows, .context = &taking};
    hooks.sites[pass->site] = hook_all_layers(n_layers);
    for (size_t i = 0; i < pass->n; i++) {
        const GamePair *pair = &pass->pairs[i];
        lengths[i] = (uint8_t)pair->n_moves;
        for (int t = 0; t < pair->n_moves; t++) {
            const uint8_t sq = second ? pair->corrupt[t] : pair->clean[t];
            tokens[i * T + (size_t)t] = pass->vocab->tok_of_sq[sq];
        }
    }
    prefix_fill(prefix, pass->gpt, tokens, T, lengths, pass->n, NULL);
    const real *answer = prefix_last(prefix, pass->gpt, &hooks);
    if (logits) {
        memcpy(logits, answer, pass->n * (size_t)pass->gpt->cfg.d_vocab * sizeof(*logits));
    }
}

int illusion_pass_hold(IllusionPass *pass, const GamePair *pairs, size_t n, float *base,
                       float *source)
{
    pass->pairs = pairs;
    pass->n = n;
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].n_moves > pass->gpt->cfg.n_ctx) {
            return err_set(OGPT_EFORMAT, "a pair has %d moves, the model reads at most %d",
                           pairs[i].n_moves, pass->gpt->cfg.n_ctx);
        }
    }
    fill(pass, pass->source, pass->other, source, true);
    fill(pass, pass->base, pass->x, base, false);
    return 0;
}

typedef struct PairSlice {
    int (*fn)(void *context, size_t chunk, size_t worker);
    void *context;
    size_t first;
} PairSlice;

static int run_slice(void *context, size_t index, size_t worker)
{
    const PairSlice *slice = context;
    return slice->fn(slice->context, slice->first + index, worker);
}

int illusion_pass_chunks(const Work *work, const char *stage, size_t n,
                         int (*fn)(void *context, size_t chunk, size_t worker), void *context)
{
    const size_t n_chunks = (n + ILLUSION_CHUNK - 1) / ILLUSION_CHUNK, at_once = work_workers(work);
    int rc = 0;
    for (size_t first = 0; first < n_chunks && rc == 0; first += at_once) {
        PairSlice slice = {fn, context, first};
        const size_t left = n_chunks - first, now = left < at_once ? left : at_once;
        const size_t done = (first + now) * ILLUSION_CHUNK;
        rc = pool_run(work->pool, now, run_slice, &slice);
        work_tick(work, stage, (double)(done < n ? done : n), (double)n);
    }
    return rc;
}
