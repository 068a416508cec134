/* probes/activations/activations.c - capturing hook sites. See probes/activations/activations.h. */
#include "probes/activations/activations.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"

#define CHUNK_GAMES 16 /* about a thousand tokens: enough for the matrix products to run well */

typedef struct Capture {
    float *const *rows;
    const PositionSet *set;
    const Gpt *gpt;
    HookSite site;
    const int *layers;
    int n_layers;
    Tape **tapes; /* one a worker, made on its first chunk */
} Capture;

/* One chunk in flight: what the hook needs to find its rows. */
typedef struct Chunk {
    const Capture *capture;
    size_t first_game;
    int bad_layer; /* of a row that is not finite; -2: none */
    size_t bad_game;
} Chunk;

size_t activations_bytes(size_t n_positions, size_t width)
{
    return n_positions * width * sizeof(float);
}

size_t activations_scratch_bytes(const GptConfig *cfg, size_t n_workers)
{
    return n_workers * tape_bytes(cfg, CHUNK_GAMES, TAPE_FORWARD, NULL);
}

static bool all_finite(const float *row, size_t width)
{
    float sum = 0; /* x - x is 0 for finite x and NaN otherwise */
    for (size_t c = 0; c < width; c++) {
        sum += row[c] - row[c];
    }
    return sum == 0;
}

static void copy_rows(Chunk *chunk, float *rows, int layer, const HookPoint *point)
{
    const PositionSet *set = chunk->capture->set;
    for (size_t b = 0; b < point->B; b++) {
        size_t game = chunk->first_game + b;
        for (size_t i = set->first[game]; i < set->first[game + 1]; i++) {
            float *row = rows + i * point->width;
            memcpy(row, point->value + (b * point->T + set->t[i]) * point->width,
                   point->width * sizeof(float));
            if (chunk->bad_layer == -2 && !all_finite(row, point->width)) {
                chunk->bad_layer = layer;
                chunk->bad_game = game;
            }
        }
    }
}

static void capture_hook(void *context, const HookPoint *point)
{
    Chunk *chunk = context;
    const Capture *capture = chunk->capture;
    for (int i = 0; i < capture->n_layers; i++) {
        int layer = capture->layers[i];
        bool embed = layer == LAYER_EMBED;
        HookSite site = embed ? HOOK_RESID_PRE : capture->site;
        if (point->site == site && point->layer == (embed ? 0 : layer)) {
            copy_rows(chunk, capture->rows[i], layer, point);
        }
    }
}

static Hooks capture_hooks(const Capture *capture, Chunk *chunk)
{
    Hooks hooks = {.fn = capture_hook, .context = chunk};
    for (int i = 0; i < capture->n_layers; i++) {
        if (capture->layers[i] == LAYER_EMBED) {
            hooks.sites[HOOK_RESID_PRE] |= 1;
        } else {
            hooks.sites[capture->site] |= UINT64_C(1) << capture->layers[i];
        }
    }
    return hooks;
}

static int capture_chunk(void *context, size_t job, size_t worker)
{
    const Capture *capture = context;
    const PositionSet *set = capture->set;
    const Vocab *vocab = set->vocab;
    size_t T = (size_t)vocab->n_ctx, stride = (size_t)vocab->variant->n_moves;
    uint8_t input[CHUNK_GAMES * GAME_MAX_MOVES], target[CHUNK_GAMES * GAME_MAX_MOVES];
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while capturing activations");
    }
    if (!capture->tapes[worker]) {
        int rc =
            tape_new(&capture->tapes[worker], &capture->gpt->cfg, CHUNK_GAMES, TAPE_FORWARD, NULL);
        if (rc) {
            return rc;
        }
    }
    Chunk chunk = {capture, job * CHUNK_GAMES, -2, 0};
    size_t left = set->n_games - chunk.first_game;
    size_t B = left < CHUNK_GAMES ? left : CHUNK_GAMES;
    batch_encode(input, target, vocab, set->moves + chunk.first_game * stride, B);
    Hooks hooks = capture_hooks(capture, &chunk);
    gpt_forward(capture->gpt, capture->tapes[worker], input, B, T, &hooks);
    if (chunk.bad_layer != -2) {
        return err_set(OGPT_ENUM,
                       "layer %d, game %zu of the sample: the activations are not "
                       "finite; check the model (ogpt verify)",
                       chunk.bad_layer, chunk.bad_game);
    }
    return 0;
}

int activations_capture(float *const *rows, const PositionSet *set, const Gpt *gpt, HookSite site,
                        const int *layers, int n_layers, Pool *pool)
{
    assert(n_layers <= LAYERS_MAX);
    const Vocab *vocab = set->vocab;
    if (gpt->cfg.d_vocab != vocab->d_vocab || gpt->cfg.n_ctx != vocab->n_ctx) {
        return err_set(OGPT_EFORMAT,
                       "the model has %d tokens and context %d, the games' %dx%d "
                       "board needs %d and %d",
                       gpt->cfg.d_vocab, gpt->cfg.n_ctx, vocab->variant->size, vocab->variant->size,
                       vocab->d_vocab, vocab->n_ctx);
    }
    size_t n_workers = pool ? pool_size(pool) : 1;
    Tape **tapes = mem_calloc(n_workers, sizeof(Tape *), "tapes of a capture");
    if (!tapes) {
        return OGPT_ENOMEM;
    }
    Capture capture = {rows, set, gpt, site, layers, n_layers, tapes};
    int rc =
        pool_run(pool, (set->n_games + CHUNK_GAMES - 1) / CHUNK_GAMES, capture_chunk, &capture);
    for (size_t w = 0; w < n_workers; w++) {
        tape_free(tapes[w]); /* NULL for a worker that took no chunk */
    }
    mem_free(tapes);
    return rc;
}

int activations_visit(const PositionSet *set, const Gpt *gpt, HookSite site, const int *layers,
                      int n_layers, size_t memory_bytes, ActivationVisit visit, void *context,
                      Pool *pool)
{
    size_t width = hook_width(&gpt->cfg, site, (size_t)gpt->cfg.n_ctx);
    size_t fits = memory_bytes / activations_bytes(set->n_positions, width);
    int group = fits < 1 ? 1 : fits < (size_t)n_layers ? (int)fits : n_layers;
    float *rows[LAYERS_MAX] = {NULL};
    int rc = 0;
    for (int i = 0; i < group && rc == 0; i++) {
        rows[i] = mem_alloc(set->n_positions * width, sizeof(float), "activations");
        rc = rows[i] ? 0 : OGPT_ENOMEM;
    }
    for (int first = 0; first < n_layers && rc == 0; first += group) {
        int n = n_layers - first < group ? n_layers - first : group;
        rc = activations_capture(rows, set, gpt, site, layers + first, n, pool);
        for (int i = 0; i < n && rc == 0; i++) {
            rc = visit(context, first + i, rows[i]);
        }
    }
    for (int i = 0; i < group; i++) {
        mem_free(rows[i]);
    }
    return rc;
}
