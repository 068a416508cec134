/* probes/illusion/illusion_fit.c - see probes/illusion/illusion_fit.h. */
#include "probes/illusion/illusion_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "num/vectors.h"
#include "probes/activations/activations.h"
#include "probes/graph/pair_metric.h"
#include "probes/illusion/illusion_pass.h"

#define DRAW_STREAM (1ULL << 59)

/* ---- gradients ---- */

typedef struct Differentiating {
    const PairSet *pairs;
    size_t n; /* the first of them */
    IllusionPass *passes;
    IllusionRows *rows; /* of pairs, or NULL: */
    double *gram;       /* (n_jobs, n_layers, width, width) sums of a chunk */
} Differentiating;

typedef struct TakingGradient {
    const IllusionPass *pass;
    IllusionRows *rows;
    size_t first;
    double *gram;
} TakingGradient;

static void add_outer(double *gram, const float *g, size_t width)
{
    for (size_t a = 0; a < width; a++) {
        for (size_t b = 0; b < width && g[a] != 0; b++) {
            gram[a * width + b] += (double)g[a] * g[b];
        }
    }
}

static void take_gradient(void *context, const HookPoint *point)
{
    const TakingGradient *taking = context;
    const size_t width = taking->pass->width, layer = (size_t)point->layer;
    for (size_t i = 0; i < taking->pass->n; i++) {
        const float *g = point->gradient + i * width;
        if (taking->gram) {
            add_outer(taking->gram + layer * width * width, g, width);
        } else {
            float *out = taking->rows->gradient +
                         ((taking->first + i) * taking->rows->n_layers + layer) * width;
            memcpy(out, g, width * sizeof(*g));
        }
    }
}

/* Gradient of -Delta of each pair, and how far apart its rows are. */
static void differentiate_pairs(const Differentiating *job, IllusionPass *pass, Hooks *hooks,
                                size_t first)
{
    const size_t V = (size_t)pass->gpt->cfg.d_vocab, L = job->rows->n_layers, width = pass->width;
    for (size_t i = 0; i < pass->n; i++) {
        real *weights = pass->dlogits + i * V;
        pair_weights(weights, pass->vocab, &pass->pairs[i]);
        for (size_t v = 0; v < V; v++) {
            weights[v] = -weights[v];
        }
        for (size_t l = 0; l < L; l++) {
            const float *x = illusion_pass_row(pass, pass->x, (int)l, i);
            const float *other = illusion_pass_row(pass, pass->other, (int)l, i);
            float *out = job->rows->difference + ((first + i) * L + l) * width;
            for (size_t c = 0; c < width; c++) {
                out[c] = other[c] - x[c];
            }
        }
    }
    prefix_gradient(pass->base, pass->gpt, pass->dlogits, hooks);
}

/* One row of J for every position at a time. */
static void differentiate_logits(IllusionPass *pass, Hooks *hooks)
{
    const size_t V = (size_t)pass->gpt->cfg.d_vocab;
    for (size_t tok = 0; tok < V; tok++) {
        for (size_t i = 0; i < pass->n * V; i++) {
            pass->dlogits[i] = (real)((i % V == tok) - 1.0 / (double)V);
        }
        prefix_gradient(pass->base, pass->gpt, pass->dlogits, hooks);
    }
}

static int differentiate_chunk(void *context, size_t index, size_t worker)
{
    const Differentiating *job = context;
    IllusionPass *pass = &job->passes[worker];
    const size_t first = index * ILLUSION_CHUNK;
    const size_t n = job->n - first < ILLUSION_CHUNK ? job->n - first : ILLUSION_CHUNK;
    const int n_layers = pass->gpt->cfg.n_layers;
    const size_t size = (size_t)n_layers * pass->width * pass->width;
    TakingGradient taking = {pass, job->rows, first, job->gram ? job->gram + index * size : NULL};
    Hooks hooks = {.fn = take_gradient, .context = &taking};
    hooks.sites[pass->site] = hook_all_layers(n_layers);
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted");
    }
    int rc = illusion_pass_hold(pass, job->pairs->pairs + first, n, NULL, NULL);
    if (rc == 0 && job->rows) {
        differentiate_pairs(job, pass, &hooks, first);
    } else if (rc == 0) {
        differentiate_logits(pass, &hooks);
    }
    return rc;
}

static int differentiate(Differentiating *job, const Gpt *gpt, HookSite site, const Work *work)
{
    const size_t n_workers = work_workers(work);
    job->passes = mem_calloc(n_workers, sizeof(*job->passes), "workers");
    int rc = job->passes ? 0 : OGPT_ENOMEM;
    for (size_t w = 0; w < n_workers && rc == 0; w++) {
        rc = illusion_pass_init(&job->passes[w], gpt, vocab_of(job->pairs->variant), site,
                                TAPE_GRADIENT);
    }
    rc = rc ? rc : illusion_pass_chunks(work, "gradients", job->n, differentiate_chunk, job);
    for (size_t w = 0; w < n_workers && job->passes; w++) {
        illusion_pass_release(&job->passes[w]);
    }
    mem_free(job->passes);
    return rc;
}

int illusion_rows(IllusionRows *out, const Gpt *gpt, const PairSet *pairs, HookSite site,
                  const Work *work)
{
    const GptConfig *cfg = &gpt->cfg;
    Differentiating job = {.pairs = pairs, .n = pairs->n, .rows = out};
    *out = (IllusionRows){.n = pairs->n,
                          .n_layers = (size_t)cfg->n_layers,
                          .width = hook_width(cfg, site, (size_t)cfg->n_ctx)};
    const size_t n = out->n * out->n_layers * out->width;
    out->difference = mem_alloc(n, sizeof(float), "rows of pairs");
    out->gradient = mem_alloc(n, sizeof(float), "gradients of pairs");
    return out->difference && out->gradient ? differentiate(&job, gpt, site, work) : OGPT_ENOMEM;
}

void illusion_rows_release(IllusionRows *rows)
{
    mem_free(rows->difference);
    mem_free(rows->gradient);
    *rows = (IllusionRows){0};
}

int illusion_gram(double *gram, const Gpt *gpt, const PairSet *pairs, size_t n, HookSite site,
                  const Work *work)
{
    const size_t width = hook_width(&gpt->cfg, site, (size_t)gpt->cfg.n_ctx);
    const size_t size = (size_t)gpt->cfg.n_layers * width * width;
    Differentiating job = {.pairs = pairs, .n = n < pairs->n ? n : pairs->n};
    const size_t n_jobs = (job.n + ILLUSION_CHUNK - 1) / ILLUSION_CHUNK;
    job.gram = mem_calloc(n_jobs * size, sizeof(double), "products of gradients");
    int rc = job.gram ? differentiate(&job, gpt, site, work) : OGPT_ENOMEM;
    memset(gram, 0, size * sizeof(*gram));
    for (size_t j = 0; j < n_jobs && rc == 0; j++) {
        for (size_t i = 0; i < size; i++) {
            gram[i] += job.gram[j * size + i] / (double)job.n;
        }
    }
    mem_free(job.gram);
    return rc;
}

/* ---- trained directions ---- */

typedef struct Training {
    SteerBank *out;
    const IllusionRows *rows;
    const PairSet *pairs;
    double *scratch; /* (n_workers, 2, width) */
} Training;

static double product(const float *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

static bool turns(const Training *training, size_t pair, size_t group)
{
    const int sq = __builtin_ctzll(training->pairs->pairs[pair].turned);
    return steer_group_of_square(training->pairs->variant, sq) == group;
}

/* One pair has the eigenvalues (d . g +- |d| |g|) / 2, so none of the sum over the pairs of a
 * square is below -2 shift, the shift being half of the sum of (|d| |g| - d . g) / 2: with the
 * shift, the largest one is the first in size too. Returns the number of pairs. */
static size_t shift_of(double *shift, const Training *training, size_t layer, size_t group)
{
    const IllusionRows *rows = training->rows;
    const size_t width = rows->width;
    size_t n = 0;
    *shift = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (!turns(training, i, group)) {
            continue;
        }
        const float *d = rows->difference + (i * rows->n_layers + layer) * width;
        const float *g = rows->gradient + (i * rows->n_layers + layer) * width;
        double dd = 0, gg = 0, dg = 0;
        for (size_t c = 0; c < width; c++) {
            dd += (double)d[c] * d[c];
            gg += (double)g[c] * g[c];
            dg += (double)d[c] * g[c];
        }
        *shift += (sqrt(dd * gg) - dg) / 4;
        n++;
    }
    return n;
}

/* next = sum over the pairs of a square of (d (g . w) + g (d . w)) / 2 + shift w. */
static void power_step(double *next, const double *w, double shift, const Training *training,
                       size_t layer, size_t group)
{
    const IllusionRows *rows = training->rows;
    const size_t width = rows->width;
    memset(next, 0, width * sizeof(*next));
    for (size_t i = 0; i < rows->n; i++) {
        if (!turns(training, i, group)) {
            continue;
        }
        const float *d = rows->difference + (i * rows->n_layers + layer) * width;
        const float *g = rows->gradient + (i * rows->n_layers + layer) * width;
        const double along_d = product(d, w, width) / 2, along_g = product(g, w, width) / 2;
        for (size_t c = 0; c < width; c++) {
            next[c] += along_g * (double)d[c] + along_d * (double)g[c];
        }
    }
    for (size_t c = 0; c < width; c++) {
        next[c] += shift * w[c];
    }
}

static int train_square(void *context, size_t job, size_t worker)
{
    const Training *training = context;
    const size_t G = training->out->n_groups, layer = job / G, group = job % G;
    const size_t width = training->rows->width;
    float *v = steer_bank_at(training->out, (int)layer, group);
    double *w = training->scratch + worker * 2 * width, *next = w + width, shift;
    vector_unit(v, width);
    for (size_t c = 0; c < width; c++) {
        w[c] = v[c];
    }
    bool moves = shift_of(&shift, training, layer, group) > 0;
    for (int step = 0; step < ILLUSION_STEPS && moves; step++) {
        double length = 0, value = 0, rest = 0;
        if (interrupt_pending()) {
            return err_set(OGPT_EINTR, "interrupted");
        }
        power_step(next, w, shift, training, layer, group);
        for (size_t c = 0; c < width; c++) {
            length += next[c] * next[c];
            value += next[c] * w[c];
        }
        for (size_t c = 0; c < width; c++) {
            rest += (next[c] - value * w[c]) * (next[c] - value * w[c]);
        }
        moves = sqrt(rest) > ILLUSION_RESIDUAL * fabs(value);
        for (size_t c = 0; c < width && length > 0; c++) {
            w[c] = next[c] / sqrt(length);
        }
    }
    for (size_t c = 0; c < width; c++) {
        v[c] = (float)w[c];
    }
    return 0;
}

int illusion_trained(SteerBank *out, const IllusionRows *rows, const PairSet *pairs,
                     const SteerBank *start, const Work *work)
{
    Training training = {.out = out, .rows = rows, .pairs = pairs};
    training.scratch =
        mem_alloc(work_workers(work) * 2 * rows->width, sizeof(double), "trained directions");
    int rc = training.scratch ? steer_bank_copy(out, start) : OGPT_ENOMEM;
    rc = rc ? rc : pool_run(work->pool, out->n_layers * out->n_groups, train_square, &training);
    mem_free(training.scratch);
    return rc;
}

/* ---- how rows vary ---- */

typedef struct Varying {
    uint8_t *const *dormant;
    const SteerBank *const *banks;
    size_t n_banks;
    const IllusionSpace *spaces;
    size_t n;
    uint64_t seed;
    float *centred;    /* (n, width) */
    float *covariance; /* (width, width) */
} Varying;

/* w^T covariance w / |w|^2; 0 for no vector. */
static double variance_along(const float *covariance, const float *w, size_t width)
{
    double sum = 0, square = 0;
    for (size_t a = 0; a < width; a++) {
        double row = 0;
        for (size_t b = 0; b < width; b++) {
            row += (double)covariance[a * width + b] * w[b];
        }
        sum += row * w[a];
        square += (double)w[a] * w[a];
    }
    return square > 0 ? sum / square : 0;
}

static int compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The variance that 5 % of random directions of the row space do not reach. */
static double fifth_percentile(const Varying *varying, int layer, float *scratch)
{
    const IllusionSpace *space = &varying->spaces[layer];
    double drawn[ILLUSION_DRAWS];
    float *w = scratch + 2 * space->width;
    for (int i = 0; i < ILLUSION_DRAWS; i++) {
        Rng rng =
            rng_at(varying->seed, RNG_STEER, DRAW_STREAM | (uint64_t)layer << 16 | (uint64_t)i);
        illusion_random(w, scratch, space, 0, &rng);
        drawn[i] = variance_along(varying->covariance, w, space->width);
    }
    qsort(drawn, ILLUSION_DRAWS, sizeof(*drawn), compare_numbers);
    return drawn[ILLUSION_DRAWS / 20];
}

static int visit_variance(void *context, int layer, const float *rows)
{
    const Varying *varying = context;
    const size_t n = varying->n, width = varying->banks[0]->width;
    float *scratch = mem_alloc(3 * width, sizeof(*scratch), "random directions");
    if (!scratch) {
        return OGPT_ENOMEM;
    }
    for (size_t c = 0; c < width; c++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++) {
            mean += (double)rows[i * width + c] / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            varying->centred[i * width + c] = (float)(rows[i * width + c] - mean);
        }
    }
    gemm(true, false, width, width, n, 1.0F / (float)n, varying->centred, width, varying->centred,
         width, 0, varying->covariance, width);
    const double least = fifth_percentile(varying, layer, scratch);
    for (size_t b = 0; b < varying->n_banks; b++) {
        const SteerBank *bank = varying->banks[b];
        for (size_t g = 0; g < bank->n_groups; g++) {
            const float *w = steer_bank_at(bank, layer, g);
            varying->dormant[b][(size_t)layer * bank->n_groups + g] =
                variance_along(varying->covariance, w, width) < least;
        }
    }
    mem_free(scratch);
    return 0;
}

int illusion_dormant(uint8_t *const *dormant, const SteerBank *const *banks, size_t n_banks,
                     const IllusionSpace *spaces, const Gpt *gpt, const SteerFit *fit,
                     const Work *work)
{
    int layers[LAYERS_MAX];
    const size_t width = banks[0]->width;
    const SiteLayers where = {banks[0]->site, layers, gpt->cfg.n_layers};
    Varying varying = {.dormant = dormant,
                       .banks = banks,
                       .n_banks = n_banks,
                       .spaces = spaces,
                       .n = fit->set.n_positions,
                       .seed = work->seed};
    for (int l = 0; l < gpt->cfg.n_layers; l++) {
        layers[l] = l;
    }
    varying.centred = mem_alloc(varying.n * width, sizeof(float), "centred rows");
    varying.covariance = mem_alloc(width * width, sizeof(float), "covariance of rows");
    int rc = varying.centred && varying.covariance
                 ? activations_visit(&fit->set, gpt, &where, visit_variance, &varying, work)
                 : OGPT_ENOMEM;
    mem_free(varying.centred);
    mem_free(varying.covariance);
    return rc;
}
