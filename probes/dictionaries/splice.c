/* probes/dictionaries/splice.c - see probes/dictionaries/splice.h. */
#include "probes/dictionaries/splice.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"
#include "probes/dictionaries/coverage.h"

enum { SPLICED_ROWS = 128 }; /* coded together */

typedef struct Splicing {
    SpliceScore *out;
    const SplicePlace *place;
    SpliceMode mode;
    const Codebook *codebook;
    const PositionSet *set;
    float *neurons;       /* (workers, rows of a pass, inputs), or NULL */
    float *f;             /* (workers, SPLICED_ROWS, features) */
    float *x_hat;         /* (workers, SPLICED_ROWS, width) */
    size_t pass_rows;     /* the most of a pass */
    LegalitySums *by_ply; /* (workers, GAME_MAX_MOVES), not read */
} Splicing;

bool splice_sees_neurons(HookSite site, int layer)
{
    return layer != LAYER_EMBED &&
           (site == HOOK_POST || site == HOOK_MLP_OUT || site == HOOK_RESID_POST);
}

static int rebuild(const Splicing *run, const PassBatch *pass, const HookPoint *point)
{
    const Codebook *codebook = run->codebook;
    const size_t rows = point->B * point->T, m = codebook->features, d = point->width;
    const float *inputs = codebook->neurons && point->site != HOOK_POST
                              ? run->neurons + pass->worker * run->pass_rows * codebook->inputs
                              : point->value;
    float *f = run->f + pass->worker * SPLICED_ROWS * m,
          *x_hat = run->x_hat + pass->worker * SPLICED_ROWS * d;
    for (size_t first = 0; first < rows; first += SPLICED_ROWS) {
        size_t n = rows - first < SPLICED_ROWS ? rows - first : SPLICED_ROWS;
        codebook_encode(codebook, inputs + first * codebook->inputs, n, f);
        codebook_decode(codebook, f, n, x_hat);
        memcpy(point->value + first * d, x_hat, n * d * sizeof(float));
    }
    return 0;
}

static int splice_hook(void *context, const PassBatch *pass, const HookPoint *point)
{
    const Splicing *run = context;
    const size_t n = point->B * point->T * point->width;
    const HookSite site = run->place->layer == LAYER_EMBED ? HOOK_RESID_PRE : run->place->site;
    if (point->site != site) {
        memcpy(run->neurons + pass->worker * run->pass_rows * point->width, point->value,
               n * sizeof(float));
        return 0;
    }
    if (run->mode == SPLICE_ZERO) {
        memset(point->value, 0, n * sizeof(float));
        return 0;
    }
    return rebuild(run, pass, point);
}

static int splice_visit(void *context, const PassBatch *pass)
{
    const Splicing *run = context;
    const Vocab *vocab = run->set->vocab;
    LegalitySums *by_ply = run->by_ply + pass->worker * GAME_MAX_MOVES;
    int rc = 0;
    for (size_t b = 0; b < pass->B && rc == 0; b++) {
        rc = legality_add_game(&run->out->games[pass->game + b], by_ply, vocab->variant,
                               pass->moves + b * (size_t)vocab->variant->n_moves,
                               pass->logits + b * pass->T * (size_t)vocab->d_vocab);
    }
    return rc;
}

static int allocate(Splicing *run, const Work *work)
{
    const size_t workers = work_workers(work);
    const size_t m = run->codebook ? run->codebook->features : 0;
    const size_t inputs = run->codebook && run->codebook->neurons ? run->codebook->inputs : 0;
    const GptConfig *cfg = &run->place->gpt->cfg;
    const size_t width = hook_width(cfg, run->place->site, (size_t)cfg->n_ctx);
    run->pass_rows = (size_t)PASS_GAMES * (size_t)cfg->n_ctx;
    run->out->games = mem_calloc(run->set->n_games, sizeof(LegalitySums), "sums of spliced games");
    run->neurons = mem_alloc(workers * run->pass_rows * inputs, sizeof(float), "neurons of a pass");
    run->f = mem_alloc(workers * SPLICED_ROWS * m, sizeof(float), "features of a pass");
    run->x_hat = mem_alloc(workers * SPLICED_ROWS * width, sizeof(float), "rebuilt rows of a pass");
    run->by_ply = mem_calloc(workers * GAME_MAX_MOVES, sizeof(LegalitySums), "sums by ply");
    return run->out->games && run->neurons && run->f && run->x_hat && run->by_ply ? 0 : OGPT_ENOMEM;
}

int splice_score(SpliceScore *out, const SplicePlace *place, SpliceMode mode,
                 const Codebook *codebook, const PositionSet *set, const Work *work)
{
    Splicing run = {.out = out,
                    .place = place,
                    .mode = mode,
                    .codebook = mode == SPLICE_CODEBOOK ? codebook : NULL,
                    .set = set};
    PassGames games = {.vocab = set->vocab, .n = set->n_games, .moves = set->moves};
    PassCalls calls = {.context = &run, .hook = splice_hook, .visit = splice_visit};
    *out = (SpliceScore){.n_games = set->n_games};
    if (mode != SPLICE_NONE) {
        passes_hook_layer(&calls, place->site, place->layer);
        if (run.codebook && codebook->neurons && place->site != HOOK_POST) {
            passes_hook_layer(&calls, HOOK_POST, place->layer);
        }
    }
    int rc = allocate(&run, work);
    rc = rc ? rc : passes_run(place->gpt, &games, &calls, work);
    for (size_t g = 0; g < set->n_games && rc == 0; g++) {
        legality_add(&out->total, &out->games[g]);
    }
    mem_free(run.neurons);
    mem_free(run.f);
    mem_free(run.x_hat);
    mem_free(run.by_ply);
    if (rc) {
        splice_release(out);
    }
    return rc;
}

void splice_release(SpliceScore *score)
{
    mem_free(score->games);
    *score = (SpliceScore){0};
}

/* sum a / sum b of every draw of n units. */
static int ratio_draws(double *draws, const double *a, const double *b, size_t n, uint64_t seed)
{
    float *weights = mem_alloc(BOOTSTRAP_REPLICATES * n, sizeof(*weights), "draws of games");
    if (!weights) {
        return OGPT_ENOMEM;
    }
    coverage_draws(weights, n, seed);
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        double above = 0, below = 0;
        for (size_t g = 0; g < n; g++) {
            above += weights[r * n + g] * a[g];
            below += weights[r * n + g] * b[g];
        }
        draws[r] = above / below;
    }
    mem_free(weights);
    return 0;
}

int splice_excess(Interval *ratio, Interval *strict, double *draws, const SpliceScore *spliced,
                  const SpliceScore *clean, uint64_t seed)
{
    const size_t n = clean->n_games;
    double *sums = mem_alloc(4 * n, sizeof(*sums), "losses by game");
    if (!sums) {
        return OGPT_ENOMEM;
    }
    for (size_t g = 0; g < n; g++) {
        sums[g] = spliced->games[g].loss - spliced->games[g].floor;
        sums[n + g] = clean->games[g].loss - clean->games[g].floor;
        sums[2 * n + g] = spliced->games[g].strict_errors;
        sums[3 * n + g] = spliced->games[g].positions;
    }
    *ratio = bootstrap_ratio(sums, sums + n, n, seed);
    *strict = bootstrap_ratio(sums + 2 * n, sums + 3 * n, n, seed);
    const int rc = draws ? ratio_draws(draws, sums, sums + n, n, seed) : 0;
    mem_free(sums);
    return rc;
}
