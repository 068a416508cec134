/* probes/activations/passes.c - see probes/activations/passes.h. Games are taken in windows, so
 * that a source larger than memory can be read. A window is cut into passes; each pass is one job
 * of the pool. */
#include "probes/activations/passes.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"

/* At the end of a window some workers wait for the last passes. With this many passes in a window
 * that costs little. */
enum { LEAST_WINDOW = 64, PASSES_A_WORKER = 4 };

typedef struct Run {
    const Gpt *gpt;
    const PassGames *games;
    const PassCalls *calls;
    size_t a_pass;        /* games */
    Tape **tapes;         /* one a worker, made on its first pass */
    const uint8_t *moves; /* (n, n_moves) of the window */
    size_t first, n;      /* games of the window */
} Run;

/* What call_hook needs besides the point. */
typedef struct Hooked {
    const PassCalls *calls;
    const PassBatch *pass;
    int rc;
} Hooked;

size_t passes_bytes(const GptConfig *cfg, TapeMode mode, size_t games_a_pass, const Work *work)
{
    size_t games = games_a_pass > 0 ? games_a_pass : PASS_GAMES;
    return work_workers(work) * tape_bytes(cfg, games, mode, NULL);
}

size_t passes_window(const Work *work)
{
    size_t busy = PASSES_A_WORKER * work_workers(work) * (size_t)ranks_count();
    return busy > LEAST_WINDOW ? busy : LEAST_WINDOW;
}

void passes_hook_layer(PassCalls *calls, HookSite site, int layer)
{
    if (layer == LAYER_EMBED) {
        calls->sites[HOOK_RESID_PRE] |= 1;
    } else {
        calls->sites[site] |= UINT64_C(1) << layer;
    }
}

int passes_check_board(const GptConfig *cfg, const Vocab *vocab)
{
    if (cfg->d_vocab != vocab->d_vocab || cfg->n_ctx != vocab->n_ctx) {
        int size = vocab->variant->size;
        return err_set(OGPT_EFORMAT,
                       "the model has d_vocab %d and n_ctx %d, games on %dx%d need %d and %d; use "
                       "games of the model's board size",
                       cfg->d_vocab, cfg->n_ctx, size, size, vocab->d_vocab, vocab->n_ctx);
    }
    return 0;
}

static void call_hook(void *context, const HookPoint *point)
{
    Hooked *hooked = context;
    if (hooked->rc == 0) {
        hooked->rc = hooked->calls->hook(hooked->calls->context, hooked->pass, point);
    }
}

/* tokens and targets (B, T); the first read[b] moves of game b are the input. Returns T. */
static size_t encode_read(uint8_t *tokens, uint8_t *targets, const Vocab *vocab,
                          const uint8_t *moves, const uint8_t *read, size_t B)
{
    size_t T = 0, stride = (size_t)vocab->variant->n_moves;
    for (size_t b = 0; b < B; b++) {
        assert(read[b] >= 1 && read[b] <= vocab->n_ctx);
        T = read[b] > T ? read[b] : T;
    }
    memset(tokens, TOK_PAD, B * T);
    memset(targets, TOK_PAD, B * T);
    for (size_t b = 0; b < B; b++) {
        const uint8_t *game = moves + b * stride;
        size_t length = (size_t)game_length(game, vocab->variant->n_moves);
        for (size_t t = 0; t < read[b]; t++) {
            tokens[b * T + t] = t < length ? vocab->tok_of_sq[game[t]] : TOK_PAD;
            targets[b * T + t] = t + 1 < length ? vocab->tok_of_sq[game[t + 1]] : TOK_PAD;
        }
    }
    return T;
}

static int run_pass(void *context, size_t job, size_t worker)
{
    const Run *run = context;
    const PassCalls *calls = run->calls;
    const Vocab *vocab = run->games->vocab;
    uint8_t tokens[PASS_GAMES_MAX * GAME_MAX_MOVES], targets[PASS_GAMES_MAX * GAME_MAX_MOVES];
    size_t at = job * run->a_pass, left = run->n - at;
    PassBatch pass = {.game = run->first + at,
                      .B = left < run->a_pass ? left : run->a_pass,
                      .T = (size_t)vocab->n_ctx,
                      .moves = run->moves + at * (size_t)vocab->variant->n_moves,
                      .tokens = tokens,
                      .targets = targets,
                      .gpt = run->gpt,
                      .worker = worker,
                      .slot = job};
    Hooked hooked = {calls, &pass, 0};
    Hooks hooks = {.fn = call_hook, .context = &hooked};
    int rc = 0;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted after %zu of %zu games", pass.game, run->games->n);
    }
    if (!run->tapes[worker]) {
        rc = tape_new(&run->tapes[worker], &run->gpt->cfg, run->a_pass, calls->mode, NULL);
    }
    if (rc) {
        return rc;
    }
    if (run->games->read) {
        pass.T =
            encode_read(tokens, targets, vocab, pass.moves, run->games->read + pass.game, pass.B);
    } else {
        batch_encode(tokens, targets, vocab, pass.moves, pass.B);
    }
    memcpy(hooks.sites, calls->sites, sizeof(hooks.sites));
    const real *logits = gpt_forward(run->gpt, run->tapes[worker], tokens, pass.B, pass.T,
                                     calls->hook ? &hooks : NULL);
    if (hooked.rc == 0 && calls->visit) {
        pass.logits = logits;
        pass.tape = run->tapes[worker];
        hooked.rc = calls->visit(calls->context, &pass);
    }
    return hooked.rc;
}

/* The passes of a window: dealt to the ranks, if it is known what they leave. */
static int run_passes(Run *run, const Work *work)
{
    const PassCalls *calls = run->calls;
    RanksSlots slots[PASS_RESULTS_MAX];
    size_t n = (run->n + run->a_pass - 1) / run->a_pass;
    if (calls->n_results == 0) {
        return pool_run(work->pool, n, run_pass, run);
    }
    for (size_t i = 0; i < calls->n_results; i++) {
        const PassResult *result = &calls->results[i];
        slots[i] = (RanksSlots){.base = result->base, .n_bytes = result->n_bytes};
        if (result->by_game) {
            slots[i].base = (char *)result->base + run->first * result->n_bytes;
            slots[i].n_bytes = run->a_pass * result->n_bytes;
            slots[i].total = run->n * result->n_bytes;
        }
    }
    return ranks_run(work->pool, n, run_pass, run, slots, calls->n_results);
}

static int run_windows(Run *run, uint8_t *fetched, const Work *work)
{
    const PassGames *games = run->games;
    size_t stride = (size_t)games->vocab->variant->n_moves,
           most = passes_window(work) * run->a_pass;
    int rc = 0;
    for (run->first = 0; run->first < games->n && rc == 0; run->first += run->n) {
        size_t left = games->n - run->first;
        run->n = left < most ? left : most;
        run->moves = fetched ? fetched : games->moves + run->first * stride;
        if (fetched) {
            rc =
                source_fetch(games->source, fetched, games->first + run->first, run->n, work->pool);
        }
        rc = rc ? rc : run_passes(run, work);
        if (rc == 0 && run->calls->gather) {
            rc = run->calls->gather(run->calls->context, run->first, run->n);
        }
        if (rc == 0) {
            work_tick(work, "games", (double)(run->first + run->n), (double)games->n);
        }
    }
    return rc;
}

int passes_run(const Gpt *gpt, const PassGames *games, const PassCalls *calls, const Work *work)
{
    size_t n_workers = work_workers(work);
    Run run = {.gpt = gpt,
               .games = games,
               .calls = calls,
               .a_pass = games->games_a_pass > 0 ? games->games_a_pass : PASS_GAMES};
    uint8_t *fetched = NULL;
    assert(run.a_pass <= PASS_GAMES_MAX && !games->moves != !games->source);
    int rc = passes_check_board(&gpt->cfg, games->vocab);
    if (rc) {
        return rc;
    }
    run.tapes = mem_calloc(n_workers, sizeof(*run.tapes), "tapes of a run");
    if (!games->moves) {
        fetched = mem_alloc(passes_window(work) * run.a_pass,
                            (size_t)games->vocab->variant->n_moves, "games of a window");
    }
    rc = run.tapes && (fetched || games->moves) ? run_windows(&run, fetched, work) : OGPT_ENOMEM;
    for (size_t w = 0; w < n_workers && run.tapes; w++) {
        tape_free(run.tapes[w]); /* NULL if the worker took no pass */
    }
    mem_free(run.tapes);
    mem_free(fetched);
    return rc;
}
