/* probes/edits/edit_means.c - class means of a hook site's rows. See probes/edits/edit_means.h. */
#include "probes/edits/edit_means.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "probes/activations/activations.h"
#include "probes/edits/edit_plan.h"

#define BLOCK_ROWS 1024 /* sums of so many rows are float, of the blocks double */

typedef struct Means {
    const Gpt *gpt;
    const EditMeansOptions *options;
    PositionSet set;
    uint8_t *labels;  /* (n, n_squares) */
    uint32_t *counts; /* (n_squares * n_classes) */
    Probe *probe;     /* gets its weights layer by layer */
    float *chosen;    /* (BLOCK_ROWS, n_squares * n_classes): 1 where a square is in a class */
    float *block;     /* (d_model, n_squares * n_classes) sums over a block */
    double *sums;     /* the same, of all blocks */
} Means;

static void shape_probe(Probe *out, const Gpt *gpt, const Task *task, const GameVariant *variant,
                        const EditMeansOptions *options)
{
    memset(out, 0, sizeof(*out));
    snprintf(out->task, sizeof(out->task), "%s", task->name);
    snprintf(out->labels, sizeof(out->labels), "%s", options->labels);
    snprintf(out->solver, sizeof(out->solver), "%s", EDIT_MEANS);
    for (int k = 0; k < task->n_classes; k++) {
        snprintf(out->classes[k], sizeof(out->classes[k]), "%s", task->classes[k]);
    }
    out->site = options->site;
    out->size = variant->size;
    out->n_squares = variant->size * variant->size;
    out->d_model = (int)hook_width(&gpt->cfg, options->site, (size_t)gpt->cfg.n_ctx);
    out->n_classes = task->n_classes;
    out->n_layers = gpt->cfg.n_layers;
    for (int l = 0; l < gpt->cfg.n_layers; l++) {
        out->layers[l] = l;
    }
    out->plies = options->plies;
    out->seed = options->seed;
}

static int means_init(Means *means, const Probe *probe, Corpus *corpus, const Task *task,
                      LabelConvention convention, const Work *work)
{
    const EditMeansOptions *options = means->options;
    size_t S = (size_t)probe->n_squares, columns = S * (size_t)probe->n_classes;
    GameSource *source = NULL;
    size_t n;
    int rc = source_corpus(&source, corpus, 1U << SPLIT_TRAIN, true, work->seed);
    rc = rc ? rc : positions_draw(&means->set, source, options->n_games, options->plies, work);
    source_free(source);
    if (rc != 0) {
        return rc;
    }
    n = means->set.n_positions;
    means->labels = mem_alloc(n, S, "labels of positions");
    means->counts = mem_calloc(columns, sizeof(*means->counts), "examples of states");
    means->chosen = mem_alloc(BLOCK_ROWS * columns, sizeof(float), "states of positions");
    means->block = mem_alloc((size_t)probe->d_model * columns, sizeof(float), "sums of rows");
    means->sums = mem_alloc((size_t)probe->d_model * columns, sizeof(double), "sums of rows");
    if (!means->labels || !means->counts || !means->chosen || !means->block || !means->sums) {
        return OGPT_ENOMEM;
    }
    rc = positions_label(means->labels, &means->set, task, convention, work);
    for (size_t i = 0; i < n && rc == 0; i++) {
        for (size_t s = 0; s < S; s++) {
            means->counts[s * (size_t)probe->n_classes + means->labels[i * S + s]]++;
        }
    }
    return rc;
}

static void means_release(Means *means)
{
    positions_release(&means->set);
    mem_free(means->labels);
    mem_free(means->counts);
    mem_free(means->chosen);
    mem_free(means->block);
    mem_free(means->sums);
}

/* weight (C, S, K) of layer `index` = sums of its rows by square and class, as one product with the
 * one-hot labels a block, divided by their counts. */
static int layer_means(void *context, int index, const float *rows)
{
    const Means *means = context;
    Probe *probe = means->probe;
    float *weight = probe->weight[index];
    size_t C = (size_t)probe->d_model, S = (size_t)probe->n_squares, K = (size_t)probe->n_classes;
    size_t n = means->set.n_positions;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while averaging activations");
    }
    memset(means->sums, 0, C * S * K * sizeof(*means->sums));
    for (size_t first = 0; first < n; first += BLOCK_ROWS) {
        size_t block = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
        memset(means->chosen, 0, block * S * K * sizeof(float));
        for (size_t i = 0; i < block * S; i++) {
            means->chosen[i * K + means->labels[first * S + i]] = 1;
        }
        gemm(true, false, C, S * K, block, 1, rows + first * C, C, means->chosen, S * K, 0,
             means->block, S * K);
        for (size_t j = 0; j < C * S * K; j++) {
            means->sums[j] += (double)means->block[j];
        }
    }
    for (size_t c = 0; c < C; c++) {
        for (size_t s = 0; s < S; s++) {
            const double *sums = means->sums + (c * S + s) * K;
            double all = 0;
            for (size_t k = 0; k < K; k++) {
                all += sums[k];
            }
            for (size_t k = 0; k < K; k++) {
                uint32_t count = means->counts[s * K + k];
                weight[(c * S + s) * K + k] =
                    (float)(count > 0 ? sums[k] / count : all / (double)n);
            }
        }
    }
    probe->fitted[index] = true;
    return 0;
}

static size_t least_count(const Means *means, const Probe *probe)
{
    size_t least = means->set.n_positions;
    for (int i = 0; i < probe->n_squares * probe->n_classes; i++) {
        if (means->counts[i] > 0 && means->counts[i] < least) {
            least = means->counts[i];
        }
    }
    return least;
}

size_t edit_means_bytes(const GptConfig *cfg, const EditMeansOptions *options, size_t n_workers)
{
    size_t plies = (size_t)(options->plies > 0 ? options->plies : cfg->n_ctx);
    size_t layer = activations_bytes(options->n_games * plies,
                                     hook_width(cfg, options->site, (size_t)cfg->n_ctx));
    size_t fits = options->memory_bytes / layer, n_layers = (size_t)cfg->n_layers;
    size_t group = fits < 1 ? 1 : fits < n_layers ? fits : n_layers;
    return group * layer + n_workers * activations_scratch_bytes(cfg, WORK_ALONE);
}

int edit_means_fit(Probe *out, size_t *least, const Gpt *gpt, Corpus *corpus,
                   const EditMeansOptions *options, Pool *pool)
{
    const Task *task = task_find("mine");
    Means means = {.gpt = gpt, .options = options, .probe = out};
    const Work work = {.pool = pool, .seed = options->seed, .memory_bytes = options->memory_bytes};
    LabelConvention convention;
    int rc = convention_parse(&convention, options->labels);
    memset(out, 0, sizeof(*out));
    *least = 0;
    if (rc != 0) {
        return rc;
    }
    shape_probe(out, gpt, task, corpus_info(corpus)->variant, options);
    SiteLayers where = {out->site, out->layers, out->n_layers};
    rc = probe_allocate(out);
    rc = rc ? rc : means_init(&means, out, corpus, task, convention, &work);
    rc = rc ? rc : activations_visit(&means.set, gpt, &where, layer_means, &means, &work);
    if (rc == 0) {
        *least = least_count(&means, out);
        out->n_games = (int64_t)means.set.n_games;
        out->n_positions = (int64_t)means.set.n_positions;
        snprintf(out->corpus_hash, sizeof(out->corpus_hash), "%s",
                 corpus_info(corpus)->content_hash);
    }
    means_release(&means);
    if (rc != 0) {
        probe_release(out);
    }
    return rc;
}
