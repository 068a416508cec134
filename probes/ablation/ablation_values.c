/* probes/ablation/ablation_values.c - rows of values, and their means by ply. */
#include "probes/ablation/ablation_values.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/ablation/ablation_internal.h"
#include "probes/activations/passes.h"

AblationLayout ablation__layout(const GptConfig *cfg)
{
    AblationLayout layout = {
        .L = (size_t)cfg->n_layers, .C = (size_t)cfg->d_model, .M = (size_t)cfg->d_mlp};
    layout.row = layout.C + layout.L * (3 * layout.C + layout.M);
    return layout;
}

size_t ablation__place(const AblationLayout *layout, HookSite site, int layer)
{
    size_t at = layout->C + (size_t)layer * (3 * layout->C + layout->M);
    switch (site) {
    case HOOK_Z: return at;
    case HOOK_ATTN_OUT: return at + layout->C;
    case HOOK_POST: return at + 2 * layout->C;
    case HOOK_MLP_OUT: return at + 2 * layout->C + layout->M;
    default: return 0;
    }
}

bool ablation__holds(HookSite site, int layer)
{
    return site == HOOK_Z || site == HOOK_ATTN_OUT || site == HOOK_POST || site == HOOK_MLP_OUT ||
           (site == HOOK_RESID_PRE && layer == 0);
}

void ablation__want(uint64_t sites[N_HOOK_SITES], const AblationLayout *layout)
{
    uint64_t all = layout->L >= 64 ? ~0ULL : (1ULL << layout->L) - 1;
    sites[HOOK_RESID_PRE] |= 1;
    sites[HOOK_Z] |= all;
    sites[HOOK_ATTN_OUT] |= all;
    sites[HOOK_POST] |= all;
    sites[HOOK_MLP_OUT] |= all;
}

/* ---- means ---- */

enum { MEAN_GAMES_A_PASS = PASS_GAMES_MAX };

typedef struct MeanSums {
    AblationLayout layout;
    size_t n_ctx, n_slots, numbers; /* numbers of one slot: n_ctx rows */
    double *slots;                  /* (n_slots, n_ctx, row) sums of a pass */
    double *total;                  /* (n_ctx, row) */
    uint64_t *slot_counts;          /* (n_slots, n_ctx) */
    uint64_t *counts;               /* (n_ctx) */
} MeanSums;

static size_t n_slots_of(size_t n_games, const Work *work)
{
    size_t passes = (n_games + MEAN_GAMES_A_PASS - 1) / MEAN_GAMES_A_PASS;
    size_t window = passes_window(work);
    return passes < window ? passes : window;
}

static int add_rows(void *context, const PassBatch *pass, const HookPoint *point)
{
    const MeanSums *sums = context;
    size_t place = ablation__place(&sums->layout, point->site, point->layer);
    double *slot = sums->slots + pass->slot * sums->numbers;
    for (size_t b = 0; b < pass->B; b++) {
        for (size_t t = 0; t < pass->T && pass->tokens[b * pass->T + t] != TOK_PAD; t++) {
            const real *value = point->value + (b * point->T + t) * point->width;
            double *to = slot + t * sums->layout.row + place;
            for (size_t c = 0; c < point->width; c++) {
                to[c] += (double)value[c];
            }
            if (point->site == HOOK_RESID_PRE) {
                sums->slot_counts[pass->slot * sums->n_ctx + t]++;
            }
        }
    }
    return 0;
}

static int gather_rows(void *context, size_t first, size_t n)
{
    const MeanSums *sums = context;
    size_t passes = (n + MEAN_GAMES_A_PASS - 1) / MEAN_GAMES_A_PASS;
    for (size_t slot = 0; slot < passes; slot++) {
        double *from = sums->slots + slot * sums->numbers;
        uint64_t *counts = sums->slot_counts + slot * sums->n_ctx;
        for (size_t i = 0; i < sums->numbers; i++) {
            sums->total[i] += from[i];
        }
        for (size_t t = 0; t < sums->n_ctx; t++) {
            sums->counts[t] += counts[t];
        }
        memset(from, 0, sums->numbers * sizeof(*from));
        memset(counts, 0, sums->n_ctx * sizeof(*counts));
    }
    return 0;
}

size_t ablation_means_bytes(const GptConfig *cfg, size_t n_games, const Work *work)
{
    AblationLayout layout = ablation__layout(cfg);
    size_t numbers = (size_t)cfg->n_ctx * layout.row;
    return passes_bytes(cfg, TAPE_FORWARD, MEAN_GAMES_A_PASS, work) +
           numbers * ((n_slots_of(n_games, work) + 1) * sizeof(double) + sizeof(real));
}

int ablation_means_fit(AblationMeans *out, const Gpt *gpt, GameSource *source, size_t n_games,
                       const Work *work)
{
    uint64_t there = source_games(source);
    MeanSums sums = {.layout = ablation__layout(&gpt->cfg), .n_ctx = (size_t)gpt->cfg.n_ctx};
    PassCalls calls = {.context = &sums, .hook = add_rows, .gather = gather_rows};
    PassGames games = {.vocab = vocab_of(source_variant(source)),
                       .source = source,
                       .games_a_pass = MEAN_GAMES_A_PASS};
    games.n = there > 0 && there < n_games ? (size_t)there : n_games;
    sums.numbers = sums.n_ctx * sums.layout.row;
    sums.n_slots = n_slots_of(games.n, work);
    ablation__want(calls.sites, &sums.layout);
    *out = (AblationMeans){.n_games = games.n};
    sums.slots = mem_calloc(sums.n_slots * sums.numbers, sizeof(double), "sums of values");
    sums.total = mem_calloc(sums.numbers, sizeof(double), "sums of values");
    sums.slot_counts = mem_calloc(sums.n_slots * sums.n_ctx, sizeof(uint64_t), "games by ply");
    out->counts = sums.counts = mem_calloc(sums.n_ctx, sizeof(uint64_t), "games by ply");
    out->rows = mem_calloc(sums.numbers, sizeof(real), "means of values");
    bool there_is_room = sums.slots && sums.total && sums.slot_counts && sums.counts && out->rows;
    int rc = there_is_room ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : passes_run(gpt, &games, &calls, work);
    for (size_t i = 0; rc == 0 && i < sums.numbers; i++) {
        uint64_t n = sums.counts[i / sums.layout.row];
        out->rows[i] = n ? (real)(sums.total[i] / (double)n) : 0;
    }
    mem_free(sums.slots);
    mem_free(sums.total);
    mem_free(sums.slot_counts);
    if (rc != 0) {
        ablation_means_release(out);
    }
    return rc;
}

void ablation_means_release(AblationMeans *means)
{
    mem_free(means->rows);
    mem_free(means->counts);
    *means = (AblationMeans){0};
}
