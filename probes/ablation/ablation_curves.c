/* probes/ablation/ablation_curves.c - blocks left out and exchanged. See
 * probes/ablation/ablation.h.
 *
 * One copy of the network is changed between passes: of a block that is left out W_O, b_O, W_out
 * and b_out are zeros, so that the stream passes through it unchanged. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/ablation/ablation_pass.h"
#include "probes/activations/passes.h"
#include "probes/graph/pair_metric.h"
#include "probes/legality/answers.h"

typedef struct CurveRun {
    const AblationPositions *positions;
    const Gpt *gpt; /* as changed now */
    Prefix **prefixes;
    const AblationEffect *clean; /* NULL: these are the clean answers */
    AblationEffect *out;
} CurveRun;

static int curve_job(void *context, size_t chunk, size_t worker)
{
    const CurveRun *run = context;
    const AblationPositions *positions = run->positions;
    size_t V = (size_t)run->gpt->cfg.d_vocab, first = chunk * ABLATION_CHUNK_LAST;
    size_t left = positions->n - first, n = left < ABLATION_CHUNK_LAST ? left : ABLATION_CHUNK_LAST;
    uint8_t tokens[ABLATION_CHUNK_LAST * GAME_MAX_MOVES] = {0}, lengths[ABLATION_CHUNK_LAST];
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while blocks were left out");
    }
    for (size_t b = 0; b < n; b++) {
        const AblationPosition *at = &positions->at[first + b];
        lengths[b] = (uint8_t)at->n_moves;
        for (int t = 0; t < at->n_moves; t++) {
            tokens[b * GAME_MAX_MOVES + (size_t)t] = positions->vocab->tok_of_sq[at->moves[t]];
        }
    }
    prefix_fill(run->prefixes[worker], run->gpt, tokens, GAME_MAX_MOVES, lengths, n, NULL);
    const real *logits = prefix_last(run->prefixes[worker], run->gpt, NULL);
    for (size_t b = 0; b < n; b++) {
        size_t i = first + b;
        int bad = answer_bad_token(logits + b * V, (int)V);
        if (bad >= 0) {
            return err_set(OGPT_ENUM,
                           "a network with a block less gives logit %g for token %d, "
                           "expected a finite number; check the model (ogpt verify)",
                           (double)logits[b * V + (size_t)bad], bad);
        }
        double m = pair_delta(positions->weights + i * V, logits + b * V, (int)V);
        run->out[i].total = run->clean ? (float)((double)run->clean[i].total - m) : (float)m;
        ablation_worker__judge(&run->out[i], positions, i, logits + b * V);
    }
    return 0;
}

/* Zeros into what a block writes with. */
static void silence(Gpt *gpt, int layer)
{
    real *block = gpt->params + (size_t)layer * gpt->map.block_stride;
    size_t C = (size_t)gpt->cfg.d_model, M = (size_t)gpt->cfg.d_mlp;
    memset(block + gpt->map.W_O, 0, C * C * sizeof(real));
    memset(block + gpt->map.b_O, 0, C * sizeof(real));
    memset(block + gpt->map.W_out, 0, M * C * sizeof(real));
    memset(block + gpt->map.b_out, 0, C * sizeof(real));
}

/* The parameters of the network, those of blocks `layer` and the next exchanged. A tensor of a
 * block lies block_stride behind that of the block before. */
static void exchange(Gpt *copy, const Gpt *gpt, int layer)
{
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        size_t stride = gpt->map.block_stride;
        size_t from = spec->layer == layer       ? spec->offset + stride
                      : spec->layer == layer + 1 ? spec->offset - stride
                                                 : spec->offset;
        memcpy(copy->params + spec->offset, gpt->params + from, spec->count * sizeof(real));
    }
}

void ablation_curve_network(Gpt *copy, const Gpt *gpt, AblationCurve curve, int layer)
{
    memcpy(copy->params, gpt->params, gpt->n_numbers * sizeof(real));
    if (curve == CURVE_REMOVED) {
        silence(copy, layer);
    } else if (curve == CURVE_SWAPPED) {
        exchange(copy, gpt, layer);
    }
}

static int points_new(AblationCurves *out, const AblationInputs *in)
{
    size_t L = (size_t)in->gpt->cfg.n_layers;
    *out = (AblationCurves){.n_points = 2 * L, .n = in->positions->n};
    out->points = mem_calloc(out->n_points, sizeof(*out->points), "curves of blocks");
    int rc = out->points ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < 2 * L && rc == 0; i++) {
        AblationCurvePoint *point = &out->points[i];
        point->curve = i == 0 ? CURVE_CLEAN : i <= L ? CURVE_REMOVED : CURVE_SWAPPED;
        point->layer = i == 0 ? -1 : (int)(i <= L ? i - 1 : i - L - 1);
        point->effects = mem_calloc(out->n, sizeof(*point->effects), "curves of blocks");
        rc = point->effects ? 0 : OGPT_ENOMEM;
    }
    return rc;
}

int ablation_curves(AblationCurves *out, const AblationInputs *in, const Work *work)
{
    size_t n_workers = work_workers(work);
    size_t chunks = (in->positions->n + ABLATION_CHUNK_LAST - 1) / ABLATION_CHUNK_LAST;
    CurveRun run = {.positions = in->positions};
    Gpt *copy = NULL;
    *out = (AblationCurves){0};
    int rc = passes_check_board(&in->gpt->cfg, in->positions->vocab);
    if (rc != 0) {
        return rc;
    }
    rc = points_new(out, in);
    rc = rc ? rc : gpt_new(&copy, &in->gpt->cfg);
    run.prefixes = mem_calloc(n_workers, sizeof(*run.prefixes), "workers of curves");
    rc = rc ? rc : run.prefixes ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < n_workers && rc == 0; i++) {
        rc = prefix_new(&run.prefixes[i], &in->gpt->cfg, ABLATION_CHUNK_LAST, TAPE_FORWARD, NULL);
    }
    run.gpt = copy;
    for (size_t i = 0; i < out->n_points && rc == 0; i++) {
        ablation_curve_network(copy, in->gpt, out->points[i].curve, out->points[i].layer);
        run.out = out->points[i].effects;
        run.clean = i > 0 ? out->points[0].effects : NULL;
        rc = pool_run(work->pool, chunks, curve_job, &run);
        work_tick(work, "blocks", (double)i + 1, (double)out->n_points);
    }
    for (size_t i = 0; run.prefixes && i < n_workers; i++) {
        prefix_free(run.prefixes[i]);
    }
    mem_free(run.prefixes);
    gpt_free(copy);
    if (rc != 0) {
        ablation_curves_release(out);
    }
    return rc;
}

void ablation_curves_release(AblationCurves *curves)
{
    for (size_t i = 0; curves->points && i < curves->n_points; i++) {
        mem_free(curves->points[i].effects);
    }
    mem_free(curves->points);
    *curves = (AblationCurves){0};
}
