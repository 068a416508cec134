/* probes/heads/head_hard.c - see probes/heads/head_hard.h. */
#include "probes/heads/head_hard.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"
#include "probes/legality/legality.h"

enum { GAMES_A_PASS = 8 }; /* a block of games per job: few games, many passes */

typedef struct HardRun {
    HeadHard *out;
    const HeadGames *games;
    size_t n, H, T, C, L, runs; /* runs: 1 clean, then H * N_HEAD_REPLACEMENTS */
    float **streams;            /* (L, GAMES_A_PASS, T, C) a worker */
    double *strict, *kl;        /* (runs, n) sums by game */
    double *positions;          /* (n) */
    uint64_t seed;
} HardRun;

void head_replace_row(float *row, size_t n_keys, HeadReplacement replacement)
{
    size_t largest = 0;
    for (size_t s = 1; s < n_keys; s++) {
        largest = row[s] > row[largest] ? s : largest;
    }
    for (size_t s = 0; s < n_keys; s++) {
        row[s] = replacement == HEAD_UNIFORM ? 1 / (float)n_keys : s == largest ? 1 : 0;
    }
}

/* ---- a pass ---- */

typedef struct Replace {
    size_t head;
    HeadReplacement replacement;
} Replace;

static void replace_attention(void *context, const HookPoint *point)
{
    const Replace *replace = context;
    for (size_t i = 0; i < point->B * point->T; i++) {
        head_replace_row(point->value + i * point->width + replace->head * point->T,
                         i % point->T + 1, replace->replacement);
    }
}

static int keep_stream(void *context, const PassBatch *pass, const HookPoint *point)
{
    HardRun *run = context;
    size_t size = GAMES_A_PASS * run->T * run->C;
    memcpy(run->streams[pass->worker] + (size_t)point->layer * size, point->value,
           pass->B * point->T * run->C * sizeof(float));
    return 0;
}

static int judge(HardRun *run, const PassBatch *pass, size_t which, const real *logits)
{
    const GameVariant *variant = run->games->vocab->variant;
    size_t V = (size_t)pass->gpt->cfg.d_vocab;
    int rc = 0;
    for (size_t b = 0; b < pass->B && rc == 0; b++) {
        LegalitySums game = {0}, by_ply[GAME_MAX_MOVES] = {{0}};
        rc = legality_add_game(&game, by_ply, variant, pass->moves + b * (size_t)variant->n_moves,
                               logits + b * pass->T * V);
        run->strict[which * run->n + pass->game + b] = game.strict_errors;
        run->kl[which * run->n + pass->game + b] = game.kl;
        run->positions[pass->game + b] = game.positions;
    }
    return rc;
}

static int replace_heads(void *context, const PassBatch *pass)
{
    HardRun *run = context;
    size_t size = GAMES_A_PASS * run->T * run->C, NH = run->H / run->L;
    int rc = judge(run, pass, 0, pass->logits);
    for (size_t i = 0; i < run->H * N_HEAD_REPLACEMENTS && rc == 0; i++) {
        size_t head = i / N_HEAD_REPLACEMENTS;
        Replace replace = {head % NH, (HeadReplacement)(i % N_HEAD_REPLACEMENTS)};
        Hooks hooks = {.fn = replace_attention, .context = &replace};
        PassPart part = {.first = (int)(head / NH)};
        hooks.sites[HOOK_PATTERN] = UINT64_C(1) << part.first;
        const real *logits = gpt_forward_part(
            pass->gpt, pass->tape, &part, run->streams[pass->worker] + (size_t)part.first * size,
            pass->B, pass->T, &hooks);
        rc = judge(run, pass, 1 + i, logits);
    }
    return rc;
}

/* ---- results ---- */

static Interval difference(const HardRun *run, const double *values, size_t which)
{
    return bootstrap_difference(values + which * run->n, run->positions, values, run->positions,
                                run->n, run->seed);
}

static int finish_one(void *context, size_t i, size_t worker)
{
    const HardRun *run = context;
    run->out->losses[i] = (HeadLoss){.strict = difference(run, run->strict, 1 + i),
                                     .kl = difference(run, run->kl, 1 + i)};
    return 0;
}

static int finish(HardRun *run, const Work *work)
{
    HeadHard *out = run->out;
    out->strict = bootstrap_ratio(run->strict, run->positions, run->n, run->seed);
    out->kl = bootstrap_ratio(run->kl, run->positions, run->n, run->seed);
    for (size_t g = 0; g < run->n; g++) {
        out->n_positions += (size_t)run->positions[g];
    }
    return pool_run(work->pool, run->H * N_HEAD_REPLACEMENTS, finish_one, run);
}

/* ---- memory ---- */

static size_t stream_numbers(const GptConfig *cfg)
{
    return (size_t)cfg->n_layers * GAMES_A_PASS * (size_t)cfg->n_ctx * (size_t)cfg->d_model;
}

size_t head_hard_bytes(const GptConfig *cfg, size_t n_games, const Work *work)
{
    size_t runs = 1 + (size_t)cfg->n_layers * (size_t)cfg->n_heads * N_HEAD_REPLACEMENTS;
    return passes_bytes(cfg, TAPE_FORWARD, GAMES_A_PASS, work) +
           work_workers(work) * stream_numbers(cfg) * sizeof(float) +
           (2 * runs + 1) * n_games * sizeof(double);
}

static int allocate(HardRun *run, const Gpt *gpt, const Work *work)
{
    run->strict = mem_calloc(run->runs * run->n, sizeof(double), "answers of a network");
    run->kl = mem_calloc(run->runs * run->n, sizeof(double), "answers of a network");
    run->positions = mem_calloc(run->n, sizeof(double), "answers of a network");
    run->streams = mem_calloc(work_workers(work), sizeof(*run->streams), "workers");
    run->out->losses = mem_calloc(run->H * N_HEAD_REPLACEMENTS, sizeof(*run->out->losses), "heads");
    bool there = run->strict && run->kl && run->positions && run->streams && run->out->losses;
    for (size_t w = 0; w < work_workers(work) && there; w++) {
        run->streams[w] = mem_alloc(stream_numbers(&gpt->cfg), sizeof(float), "streams");
        there = run->streams[w];
    }
    return there ? 0 : OGPT_ENOMEM;
}

static void hard_run_release(HardRun *run, const Work *work)
{
    for (size_t w = 0; w < work_workers(work) && run->streams; w++) {
        mem_free(run->streams[w]);
    }
    mem_free(run->streams);
    mem_free(run->strict);
    mem_free(run->kl);
    mem_free(run->positions);
}

int head_hard_run(HeadHard *out, const Gpt *gpt, const HeadGames *games, size_t n_games,
                  const Work *work)
{
    size_t n = n_games < games->n ? n_games : games->n;
    HardRun run = {.out = out,
                   .games = games,
                   .n = n,
                   .L = (size_t)gpt->cfg.n_layers,
                   .H = (size_t)gpt->cfg.n_layers * (size_t)gpt->cfg.n_heads,
                   .T = (size_t)gpt->cfg.n_ctx,
                   .C = (size_t)gpt->cfg.d_model,
                   .seed = work->seed};
    PassGames given = {
        .vocab = games->vocab, .n = n, .moves = games->moves, .games_a_pass = GAMES_A_PASS};
    PassCalls calls = {.context = &run, .hook = keep_stream, .visit = replace_heads};
    run.runs = 1 + run.H * N_HEAD_REPLACEMENTS;
    *out = (HeadHard){.n_games = n, .H = run.H};
    for (int layer = 0; layer < gpt->cfg.n_layers; layer++) {
        passes_hook_layer(&calls, HOOK_RESID_PRE, layer);
    }
    int rc = passes_check_board(&gpt->cfg, games->vocab);
    rc = rc ? rc : allocate(&run, gpt, work);
    rc = rc ? rc : passes_run(gpt, &given, &calls, work);
    rc = rc ? rc : finish(&run, work);
    hard_run_release(&run, work);
    if (rc != 0) {
        head_hard_release(out);
    }
    return rc;
}

void head_hard_release(HeadHard *hard)
{
    mem_free(hard->losses);
    *hard = (HeadHard){0};
}
