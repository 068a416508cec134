/* probes/activations/activations.c - capturing hook sites. See probes/activations/activations.h. */
#include "probes/activations/activations.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/activations/passes.h"

typedef struct Capture {
    float *const *rows;
    const PositionSet *set;
    const SiteLayers *where;
} Capture;

size_t activations_bytes(size_t n_positions, size_t width)
{
    return n_positions * width * sizeof(float);
}

size_t activations_scratch_bytes(const GptConfig *cfg, const Work *work)
{
    return passes_bytes(cfg, TAPE_FORWARD, PASS_GAMES, work);
}

static bool all_finite(const float *row, size_t width)
{
    float sum = 0; /* x - x is 0 for finite x and NaN otherwise */
    for (size_t c = 0; c < width; c++) {
        sum += row[c] - row[c];
    }
    return sum == 0;
}

/* The rows of one layer at the positions of a pass. */
static int copy_rows(float *rows, const PositionSet *set, int layer, const PassBatch *pass,
                     const HookPoint *point)
{
    for (size_t b = 0; b < pass->B; b++) {
        size_t game = pass->game + b;
        for (size_t i = set->first[game]; i < set->first[game + 1]; i++) {
            float *row = rows + i * point->width;
            memcpy(row, point->value + (b * point->T + set->t[i]) * point->width,
                   point->width * sizeof(float));
            if (!all_finite(row, point->width)) {
                return err_set(OGPT_ENUM,
                               "layer %d, game %zu of the sample: the activations are not finite; "
                               "check the model (ogpt verify)",
                               layer, set->before + game);
            }
        }
    }
    return 0;
}

static int capture_hook(void *context, const PassBatch *pass, const HookPoint *point)
{
    const Capture *capture = context;
    const SiteLayers *where = capture->where;
    int rc = 0;
    for (int i = 0; i < where->n && rc == 0; i++) {
        bool embed = where->layers[i] == LAYER_EMBED;
        HookSite site = embed ? HOOK_RESID_PRE : where->site;
        if (point->site == site && point->layer == (embed ? 0 : where->layers[i])) {
            rc = copy_rows(capture->rows[i], capture->set, where->layers[i], pass, point);
        }
    }
    return rc;
}

int activations_capture(float *const *rows, const PositionSet *set, const Gpt *gpt,
                        const SiteLayers *where, const Work *work)
{
    assert(where->n <= LAYERS_MAX);
    Capture capture = {rows, set, where};
    PassGames games = {.vocab = set->vocab, .n = set->n_games, .moves = set->moves};
    PassCalls calls = {.context = &capture, .hook = capture_hook};
    uint8_t *read = NULL;
    if (set->ends) { /* the last move is input, too */
        read = mem_alloc(set->n_games, 1, "lengths of games");
        if (!read) {
            return OGPT_ENOMEM;
        }
        for (size_t g = 0; g < set->n_games; g++) {
            read[g] = (uint8_t)(set->t[g] + 1);
        }
        games.read = read;
    }
    for (int i = 0; i < where->n; i++) {
        passes_hook_layer(&calls, where->site, where->layers[i]);
    }
    int rc = passes_run(gpt, &games, &calls, work);
    mem_free(read);
    return rc;
}

int activations_visit(const PositionSet *set, const Gpt *gpt, const SiteLayers *where,
                      ActivationVisit visit, void *context, const Work *work)
{
    size_t width = hook_width(&gpt->cfg, where->site, (size_t)gpt->cfg.n_ctx);
    size_t room = work->memory_bytes > 0 ? work->memory_bytes : SIZE_MAX;
    size_t fits = room / activations_bytes(set->n_positions, width);
    int group = fits < 1 ? 1 : fits < (size_t)where->n ? (int)fits : where->n;
    float *rows[LAYERS_MAX] = {NULL};
    const Work quiet = work_quiet(work);
    int rc = 0;
    for (int i = 0; i < group && rc == 0; i++) {
        rows[i] = mem_alloc(set->n_positions * width, sizeof(float), "activations");
        rc = rows[i] ? 0 : OGPT_ENOMEM;
    }
    for (int first = 0; first < where->n && rc == 0; first += group) {
        int left = where->n - first;
        SiteLayers part = {where->site, where->layers + first, left < group ? left : group};
        rc = activations_capture(rows, set, gpt, &part, &quiet);
        for (int i = 0; i < part.n && rc == 0; i++) {
            rc = visit(context, first + i, rows[i]);
            work_tick(work, "layers", first + i + 1, where->n);
        }
    }
    for (int i = 0; i < group; i++) {
        mem_free(rows[i]);
    }
    return rc;
}
