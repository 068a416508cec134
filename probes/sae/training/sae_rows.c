/* probes/sae/training/sae_rows.c - contract in probes/sae/training/sae_rows.h. */
#include "probes/sae/training/sae_rows.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/ranks/ranks.h"
#include "num/matrices/psd.h"
#include "probes/activations/passes.h"
#include "probes/sae/training/sae_net.h"

/* ---- rows of a network ---- */

typedef struct BlockFill {
    const SaeNetworkRows *from;
    float *x, *y;        /* y NULL without targets */
    size_t *at;          /* (games) the first row of each game */
    const uint8_t *read; /* (games) positions of each */
} BlockFill;

static int copy_rows(const BlockFill *fill, bool target, const PassBatch *pass,
                     const HookPoint *point)
{
    float *rows = target ? fill->y : fill->x;
    const size_t width = point->width;
    for (size_t b = 0; b < pass->B; b++) {
        const size_t game = pass->game + b;
        memcpy(rows + fill->at[game] * width, point->value + b * point->T * width,
               fill->read[game] * width * sizeof(float));
    }
    return 0;
}

static int fill_hook(void *context, const PassBatch *pass, const HookPoint *point)
{
    const BlockFill *fill = context;
    const SaeNetworkRows *from = fill->from;
    const HookSite site = from->layer == LAYER_EMBED ? HOOK_RESID_PRE : from->site;
    int rc = 0;
    if (point->site == site) {
        rc = copy_rows(fill, false, pass, point);
    }
    if (rc == 0 && fill->y && point->site == from->site_out) {
        rc = copy_rows(fill, true, pass, point);
    }
    return rc;
}

/* Games first .. end-1 of the share that a rank has in the passes of a block. */
static void share_games(size_t *first, size_t *end, size_t games, int rank)
{
    ranks_share(first, end, (games + PASS_GAMES - 1) / PASS_GAMES, rank);
    *first = *first * PASS_GAMES < games ? *first * PASS_GAMES : games;
    *end = *end * PASS_GAMES < games ? *end * PASS_GAMES : games;
}

/* Rows of this rank's games. Passes hold the games that they hold in one process. */
static int make_own(const BlockFill *fill, const uint8_t *moves, const Work *work)
{
    const SaeNetworkRows *from = fill->from;
    const Work quiet = work_quiet(work);
    size_t first, end;
    share_games(&first, &end, from->block_games, ranks_own());
    BlockFill own = {from, fill->x, fill->y, fill->at + first, fill->read + first};
    PassGames which = {.vocab = from->vocab,
                       .n = end - first,
                       .moves = moves + first * (size_t)from->vocab->variant->n_moves,
                       .read = own.read};
    PassCalls calls = {.context = &own, .hook = fill_hook};
    passes_hook_layer(&calls, from->site, from->layer);
    if (fill->y) {
        passes_hook_layer(&calls, from->site_out, from->layer);
    }
    return passes_run(from->gpt, &which, &calls, &quiet);
}

/* To all ranks what each has made. */
static int share_rows(const BlockFill *fill, size_t n_rows, bool target)
{
    const SaeNetworkRows *from = fill->from;
    const GptConfig *cfg = &from->gpt->cfg;
    const size_t width = hook_width(cfg, target ? from->site_out : from->site, (size_t)cfg->n_ctx);
    size_t bounds[RANKS_MAX + 1], first, end;
    for (int rank = 0; rank < ranks_count(); rank++) {
        share_games(&first, &end, from->block_games, rank);
        const size_t row = first < from->block_games ? fill->at[first] : n_rows;
        bounds[rank] = row * width * sizeof(float);
    }
    bounds[ranks_count()] = n_rows * width * sizeof(float);
    return ranks_gather_cut(target ? fill->y : fill->x, bounds);
}

static int fill_network(void *context, float *x, float *y, size_t *rows, uint64_t block,
                        const Work *work)
{
    const SaeNetworkRows *from = context;
    const size_t games = from->block_games, n_moves = (size_t)from->vocab->variant->n_moves;
    uint8_t *moves = mem_alloc(games, n_moves, "games of a block");
    uint8_t *read = mem_alloc(games, 1, "lengths of games");
    size_t *at = mem_alloc(games, sizeof(size_t), "places of games");
    const BlockFill fill = {from, x, y, at, read};
    int rc = moves && read && at ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : source_fetch(from->source, moves, block * games, games, work->pool);
    *rows = 0;
    for (size_t g = 0; g < games && rc == 0; g++) {
        const int length = game_length(moves + g * n_moves, (int)n_moves);
        const size_t n = length > 1 ? (size_t)length - 1 : 1; /* all after which a move follows */
        read[g] = (uint8_t)n;
        at[g] = *rows;
        *rows += n;
    }
    rc = ranks_agree(rc ? rc : make_own(&fill, moves, work));
    rc = rc ? rc : share_rows(&fill, *rows, false);
    rc = rc || !y ? rc : share_rows(&fill, *rows, true);
    mem_free(at);
    mem_free(read);
    mem_free(moves);
    return rc;
}

SaeStream sae_stream_network(SaeNetworkRows *rows)
{
    const GptConfig *cfg = &rows->gpt->cfg;
    const bool target = rows->site_out != rows->site;
    return (SaeStream){.context = rows,
                       .d_in = hook_width(cfg, rows->site, (size_t)cfg->n_ctx),
                       .d_out = hook_width(cfg, rows->site_out, (size_t)cfg->n_ctx),
                       .has_target = target,
                       .block_rows = rows->block_games * (size_t)rows->vocab->n_ctx,
                       .fill = fill_network};
}

int sae_stream_front(Gpt **out, const Gpt *gpt, int layer)
{
    GptConfig cfg = gpt->cfg;
    *out = NULL;
    cfg.n_layers = layer < 0 ? 1 : layer + 1;
    if (cfg.n_layers >= gpt->cfg.n_layers) {
        return 0;
    }
    int rc = gpt_new(out, &cfg);
    for (size_t t = 0; rc == 0 && t < (*out)->n_specs; t++) {
        const TensorSpec *spec = &(*out)->specs[t];
        memcpy((*out)->params + spec->offset, gpt_tensor(gpt, gpt_tensor_index(gpt, spec->name)),
               spec->count * sizeof(real));
    }
    return rc;
}

/* ---- planted rows, and their twin ---- */

#define MADE_ROWS 1024 /* of a job */

typedef struct MadeBlock {
    const void *from;
    float *x;
    uint64_t first; /* the number of its first row in the stream */
    size_t rows;
    void (*make)(float *row, const void *from, Rng *rng);
    size_t d;
    uint64_t seed;
} MadeBlock;

static int make_rows(void *context, size_t job, size_t worker)
{
    const MadeBlock *block = context;
    const size_t end = (job + 1) * MADE_ROWS < block->rows ? (job + 1) * MADE_ROWS : block->rows;
    for (size_t r = job * MADE_ROWS; r < end; r++) {
        Rng rng = rng_at(block->seed, RNG_SAE, SAE_DRAW_ROWS + block->first + r);
        block->make(block->x + r * block->d, block->from, &rng);
    }
    return 0;
}

/* All rows of one block into made->x; *rows: how many. */
static int fill_made(MadeBlock *made, size_t *rows, uint64_t block, const Work *work)
{
    *rows = made->rows;
    made->first = block * made->rows;
    return pool_run(work->pool, (made->rows + MADE_ROWS - 1) / MADE_ROWS, make_rows, made);
}

static void planted_row(float *row, const void *from, Rng *rng)
{
    const SaePlantedRows *planted = from;
    memset(row, 0, planted->d * sizeof(float));
    for (size_t i = 0; i < planted->active; i++) {
        const size_t j = rng_below(rng, (uint32_t)planted->features); /* rarely one twice */
        const float value = (float)(1 + rng_uniform(rng));
        for (size_t c = 0; c < planted->d; c++) {
            row[c] += value * planted->columns[j * planted->d + c];
        }
    }
}

static int fill_planted(void *context, float *x, float *y, size_t *rows, uint64_t block,
                        const Work *work)
{
    const SaePlantedRows *planted = context;
    MadeBlock made = {planted, x, 0, planted->block_rows, planted_row, planted->d, planted->seed};
    return fill_made(&made, rows, block, work);
}

SaeStream sae_stream_planted(SaePlantedRows *rows)
{
    return (SaeStream){.context = rows,
                       .d_in = rows->d,
                       .d_out = rows->d,
                       .block_rows = rows->block_rows,
                       .fill = fill_planted};
}

static void gaussian_row(float *row, const void *from, Rng *rng)
{
    const SaeGaussianRows *normal = from;
    for (size_t c = 0; c < normal->d; c++) {
        row[c] = (float)normal->mean[c];
    }
    for (size_t i = 0; i < normal->d; i++) {
        const float z = (float)rng_normal(rng);
        for (size_t c = 0; c < normal->d; c++) {
            row[c] += z * (float)normal->factor[i * normal->d + c];
        }
    }
}

static int fill_gaussian(void *context, float *x, float *y, size_t *rows, uint64_t block,
                         const Work *work)
{
    const SaeGaussianRows *normal = context;
    MadeBlock made = {normal, x, 0, normal->block_rows, gaussian_row, normal->d, normal->seed};
    return fill_made(&made, rows, block, work);
}

SaeStream sae_stream_gaussian(SaeGaussianRows *rows)
{
    return (SaeStream){.context = rows,
                       .d_in = rows->d,
                       .d_out = rows->d,
                       .block_rows = rows->block_rows,
                       .fill = fill_gaussian};
}

int sae_gaussian_fit(double *mean, double *factor, const float *rows, size_t n, size_t d)
{
    double *values = mem_alloc(d, sizeof(double), "eigenvalues");
    if (!values) {
        return OGPT_ENOMEM;
    }
    memset(mean, 0, d * sizeof(double));
    memset(factor, 0, d * d * sizeof(double));
    for (size_t r = 0; r < n; r++) {
        for (size_t c = 0; c < d; c++) {
            mean[c] += rows[r * d + c] / (double)n;
        }
    }
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0; i < d; i++) {
            const double own = (rows[r * d + i] - mean[i]) / (double)n;
            for (size_t c = 0; c < d; c++) {
                factor[i * d + c] += own * (rows[r * d + c] - mean[c]);
            }
        }
    }
    psd_eigenvectors(values, factor, d);
    for (size_t i = 0; i < d; i++) {
        const double root = sqrt(values[i] > 0 ? values[i] : 0);
        for (size_t c = 0; c < d; c++) {
            factor[i * d + c] *= root;
        }
    }
    mem_free(values);
    return 0;
}
