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

#define BLOCK_ROWS 1024 /* the sum over one block is float, the sum over blocks double */

typedef struct Means {
    const Gpt *gpt;
    const EditMeansOptions *options;
    const Work *work;
    PositionSet set;
    uint8_t *labels;      /* (n, n_squares) */
    uint32_t *counts;     /* (n_squares * n_classes) */
    BoardDirections *out; /* gets its sets layer by layer */
    float *weight;        /* (d_model, n_squares, n_classes) means of a layer */
    float *chosen;        /* (BLOCK_ROWS, n_squares * n_classes): 1 where a square is in a class */
    float *block;         /* (d_model, n_squares * n_classes) sums over a block */
    double *sums;         /* the same, of all blocks */
} Means;

static size_t memory_of(const Work *work)
{
    return work->memory_bytes > 0 ? work->memory_bytes : EDIT_MEANS_MEMORY;
}

static BoardDirections shape_of(const Gpt *gpt, const GameVariant *variant,
                                const EditMeansOptions *options)
{
    BoardDirections out = {
        .terms = direction_terms_mine(variant, options->labels),
        .site = options->site,
        .width = hook_width(&gpt->cfg, options->site, (size_t)gpt->cfg.n_ctx),
        .n_layers = gpt->cfg.n_layers,
    };
    for (int l = 0; l < out.n_layers; l++) {
        out.layers[l] = l;
        out.sets[l].site = options->site;
        out.sets[l].layer = l;
    }
    return out;
}

static int means_init(Means *means, Corpus *corpus, const Task *task, LabelConvention convention)
{
    const Work *work = means->work;
    const EditMeansOptions *options = means->options;
    size_t S = (size_t)means->out->terms.n_squares, K = (size_t)task->n_classes, columns = S * K;
    size_t width = means->out->width;
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
    means->block = mem_alloc(width * columns, sizeof(float), "sums of rows");
    means->sums = mem_alloc(width * columns, sizeof(double), "sums of rows");
    means->weight = mem_alloc(width * columns, sizeof(float), "means of rows");
    if (!means->weight || !means->labels || !means->counts || !means->chosen || !means->block ||
        !means->sums) {
        return OGPT_ENOMEM;
    }
    rc = positions_label(means->labels, &means->set, task, convention, work);
    for (size_t i = 0; i < n && rc == 0; i++) {
        for (size_t s = 0; s < S; s++) {
            means->counts[s * K + means->labels[i * S + s]]++;
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
    mem_free(means->weight);
}

/* Directions of layer `index`. weight (C, S, K) = sums of its rows by square and class, divided by
 * their counts; the sums of a block are one product with the one-hot labels. */
static int layer_means(void *context, int index, const float *rows)
{
    const Means *means = context;
    const BoardTerms *terms = &means->out->terms;
    float *weight = means->weight;
    size_t C = means->out->width, S = (size_t)terms->n_squares, K = (size_t)terms->n_classes;
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
    means->out->fitted[index] = true;
    return direction_set_of_weights(&means->out->sets[index], terms, C, weight, NULL);
}

static size_t least_count(const Means *means)
{
    const BoardTerms *terms = &means->out->terms;
    size_t least = means->set.n_positions;
    for (int i = 0; i < terms->n_squares * terms->n_classes; i++) {
        if (means->counts[i] > 0 && means->counts[i] < least) {
            least = means->counts[i];
        }
    }
    return least;
}

size_t edit_means_bytes(const GptConfig *cfg, const EditMeansOptions *options, const Work *work)
{
    size_t plies = (size_t)(options->plies > 0 ? options->plies : cfg->n_ctx);
    size_t layer = activations_bytes(options->n_games * plies,
                                     hook_width(cfg, options->site, (size_t)cfg->n_ctx));
    size_t fits = memory_of(work) / layer, n_layers = (size_t)cfg->n_layers;
    size_t group = fits < 1 ? 1 : fits < n_layers ? fits : n_layers;
    return group * layer + activations_scratch_bytes(cfg, work);
}

int edit_means_fit(BoardDirections *out, EditMeansReport *report, const Gpt *gpt, Corpus *corpus,
                   const EditMeansOptions *options, const Work *work)
{
    const Task *task = task_find("mine");
    Means means = {.gpt = gpt, .options = options, .work = work, .out = out};
    Work sized = *work;
    LabelConvention convention;
    sized.memory_bytes = memory_of(work);
    *out = shape_of(gpt, corpus_info(corpus)->variant, options);
    *report = (EditMeansReport){0};
    SiteLayers where = {out->site, out->layers, out->n_layers};
    int rc = convention_parse(&convention, options->labels);
    rc = rc ? rc : means_init(&means, corpus, task, convention);
    rc = rc ? rc : activations_visit(&means.set, gpt, &where, layer_means, &means, &sized);
    if (rc == 0) {
        report->least = least_count(&means);
        report->n_games = (int64_t)means.set.n_games;
        report->n_positions = (int64_t)means.set.n_positions;
        snprintf(report->corpus_hash, sizeof(report->corpus_hash), "%s",
                 corpus_info(corpus)->content_hash);
    }
    means_release(&means);
    if (rc != 0) {
        direction_board_release(out);
    }
    return rc;
}
