/* probes/heads/head_patterns.c - games through the network, their attention into the tally. See
 * probes/heads/head_patterns.h. */
#include "probes/heads/head_patterns.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"
#include "probes/heads/head_compare.h"
#include "probes/heads/head_tally.h"

typedef struct PatternRun {
    HeadTally *tally;
    float **weights; /* (PASS_GAMES, triangle, HEAD_LANES) a worker */
    float **sums;    /* (2, H, triangle) a slot: ordinary and disputed queries of a pass */
    size_t n_slots;
} PatternRun;

static size_t slots_of(size_t n_games, const Work *work)
{
    size_t passes = (n_games + PASS_GAMES - 1) / PASS_GAMES, window = passes_window(work);
    return passes < window ? passes : window;
}

size_t head_patterns_bytes(const GptConfig *cfg, size_t n_games, const Work *work)
{
    size_t H = (size_t)cfg->n_layers * (size_t)cfg->n_heads, T = (size_t)cfg->n_ctx;
    size_t triangle = head_triangle(T), workers = work_workers(work);
    size_t slots = slots_of(n_games, work) * 2 * H * triangle * sizeof(float);
    size_t scratch = workers * ((PASS_GAMES + 1) * triangle * HEAD_LANES * sizeof(float) +
                                n_games * HEAD_COLUMNS * sizeof(double));
    size_t after = n_games * H * (N_HEAD_BEYOND + 3) * sizeof(double) + n_games * PAIRED_REPLICATES;
    return head_tally_bytes(n_games, H, T) + slots + scratch + after +
           passes_bytes(cfg, TAPE_FORWARD, PASS_GAMES, work);
}

static int take_attention(void *context, const PassBatch *pass, const HookPoint *point)
{
    PatternRun *run = context;
    HeadTally *tally = run->tally;
    size_t half = tally->H * tally->triangle, size = tally->triangle * HEAD_LANES;
    float *weights = run->weights[pass->worker], *sums = run->sums[pass->slot];
    if (point->layer == 0) {
        memset(sums, 0, 2 * half * sizeof(*sums));
        for (size_t b = 0; b < pass->B; b++) {
            head_tally_weights(weights + b * size, tally, pass->game + b);
        }
    }
    for (size_t b = 0; b < pass->B; b++) {
        const float *attention = point->value + b * point->T * point->width;
        head_tally_add(tally, sums, sums + half, pass->game + b, (size_t)point->layer, attention,
                       weights + b * size);
    }
    for (size_t h = 0; h < tally->NH; h++) {
        double sum = 0;
        for (size_t b = 0; b < pass->B; b++) {
            size_t head = (size_t)point->layer * tally->NH + h;
            sum += tally->sums[((pass->game + b) * tally->H + head) * N_HEAD_SUMS + LANE_AGE];
        }
        if (!isfinite(sum)) {
            return err_set(OGPT_ENUM,
                           "layer %d, head %zu, games %zu to %zu of the sample: the attention is "
                           "not finite; check the model (ogpt verify)",
                           point->layer, h, pass->game, pass->game + pass->B - 1);
        }
    }
    return 0;
}

static int gather(void *context, size_t first, size_t n)
{
    PatternRun *run = context;
    size_t half = run->tally->H * run->tally->triangle;
    for (size_t slot = 0; slot * PASS_GAMES < n; slot++) {
        head_tally_gather(run->tally, run->sums[slot], run->sums[slot] + half);
    }
    return 0;
}

static int allocate(PatternRun *run, const Work *work)
{
    const HeadTally *tally = run->tally;
    size_t workers = work_workers(work);
    run->n_slots = slots_of(tally->games->n, work);
    run->weights = mem_calloc(workers, sizeof(*run->weights), "workers");
    run->sums = mem_calloc(run->n_slots, sizeof(*run->sums), "slots");
    bool there = run->weights && run->sums;
    for (size_t w = 0; w < workers && there; w++) {
        run->weights[w] =
            mem_alloc(PASS_GAMES * tally->triangle * HEAD_LANES, sizeof(float), "weights of keys");
        there = run->weights[w];
    }
    for (size_t i = 0; i < run->n_slots && there; i++) {
        run->sums[i] = mem_alloc(2 * tally->H * tally->triangle, sizeof(float), "attention");
        there = run->sums[i];
    }
    return there ? 0 : OGPT_ENOMEM;
}

static void pattern_run_release(PatternRun *run, const Work *work)
{
    for (size_t w = 0; w < work_workers(work) && run->weights; w++) {
        mem_free(run->weights[w]);
    }
    for (size_t i = 0; i < run->n_slots && run->sums; i++) {
        mem_free(run->sums[i]);
    }
    mem_free(run->weights);
    mem_free(run->sums);
}

int head_patterns_run(HeadPatterns *out, const Gpt *gpt, const HeadGames *games,
                      const HeadGames *twins, const Work *work)
{
    HeadTally tally = {0};
    PatternRun run = {.tally = &tally};
    PassGames given = {.vocab = games->vocab, .n = games->n, .moves = games->moves};
    PassCalls calls = {.context = &run, .hook = take_attention, .gather = gather};
    *out = (HeadPatterns){0};
    int rc = passes_check_board(&gpt->cfg, games->vocab);
    rc = rc ? rc
            : head_tally_open(&tally, games, twins, (size_t)gpt->cfg.n_layers,
                              (size_t)gpt->cfg.n_heads);
    rc = rc ? rc : allocate(&run, work);
    for (int layer = 0; layer < gpt->cfg.n_layers; layer++) {
        passes_hook_layer(&calls, HOOK_PATTERN, layer);
    }
    rc = rc ? rc : passes_run(gpt, &given, &calls, work);
    pattern_run_release(&run, work);
    rc = rc ? rc : head_compare(out, &tally, work);
    head_tally_release(&tally);
    return rc;
}
