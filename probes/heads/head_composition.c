/* probes/heads/head_composition.c - see probes/heads/head_composition.h.
 *
 * A norm of a product of low rank needs no (d,d) matrix: |V W_O Y| = |L^T W_O Y| where L L^T = V^T
 * V. So every head becomes one factor (d_head, d) that writes and three (d, d_head) that read; all
 * pairs of heads are blocks of one product. */
#include "probes/heads/head_composition.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "num/matrices/general.h"
#include "probes/heads/head_weights.h"

enum { ROTATIONS_A_STEP = 10 }; /* between two looks at the clock and at an interruption */

const char *head_channel_name(HeadChannel channel)
{
    static const char *const names[] = {"Q", "K", "V"};
    return names[channel];
}

typedef struct Composing {
    HeadComposition *out;
    size_t H, NH, HS, C, L, first;
    float *write;                   /* (H * HS, C) */
    float *read[N_HEAD_CHANNELS];   /* (C, H * HS) */
    double *write_norm, *read_norm; /* (H), (N_HEAD_CHANNELS, H) */
    float *rotated_scores;          /* (HEAD_ROTATIONS, N_HEAD_CHANNELS, H, H) */
    uint64_t seed;
    float **turned, **block, **rotation; /* a worker: (H*HS, C), (NH*HS, H*HS), (C, C) */
    double **scratch;                    /* (C, C) */
} Composing;

/* ---- factors ---- */

typedef struct Factors {
    double *q, *k, *v, *o, *gram, *root, *product;
} Factors;

static double *factor_of(double **at, size_t count)
{
    double *here = *at;
    *at += count;
    return here;
}

static void store_write(const Composing *c, const Factors *f, size_t head)
{
    size_t HS = c->HS, C = c->C;
    head_weights_product(f->gram, f->v, f->v, HS, C, HS, true);
    head_weights_root(f->root, f->gram, HS);
    head_weights_product(f->product, f->root, f->o, HS, HS, C, true);
    c->write_norm[head] = head_weights_norm(f->product, HS * C);
    for (size_t i = 0; i < HS * C; i++) {
        c->write[head * HS * C + i] = (float)f->product[i];
    }
}

/* by (C, HS) times the root of a Gram matrix (HS, HS). */
static void store_read(const Composing *c, const Factors *f, HeadChannel channel, size_t head,
                       const double *by)
{
    size_t HS = c->HS, C = c->C;
    head_weights_root(f->root, f->gram, HS);
    head_weights_product(f->product, by, f->root, C, HS, HS, false);
    c->read_norm[channel * c->H + head] = head_weights_norm(f->product, HS * C);
    for (size_t i = 0; i < C; i++) {
        for (size_t j = 0; j < HS; j++) {
            c->read[channel][i * c->H * HS + head * HS + j] = (float)f->product[i * HS + j];
        }
    }
}

/* g = o o^T. */
static void outer_gram(double *g, const double *o, size_t HS, size_t C)
{
    for (size_t i = 0; i < HS; i++) {
        for (size_t j = 0; j < HS; j++) {
            g[i * HS + j] = 0;
            for (size_t c = 0; c < C; c++) {
                g[i * HS + j] += o[i * C + c] * o[j * C + c];
            }
        }
    }
}

static int make_factors(Composing *c, const Gpt *gpt)
{
    size_t HS = c->HS, C = c->C, size = HS * C;
    double *memory = mem_alloc(5 * size + 2 * HS * HS, sizeof(double), "matrices of a head");
    double *at = memory;
    if (!memory) {
        return OGPT_ENOMEM;
    }
    Factors f = {.q = factor_of(&at, size)};
    f.k = factor_of(&at, size);
    f.v = factor_of(&at, size);
    f.o = factor_of(&at, size);
    f.product = factor_of(&at, size);
    f.gram = factor_of(&at, HS * HS);
    f.root = factor_of(&at, HS * HS);
    for (size_t head = 0; head < c->H; head++) {
        head_weights_read(f.q, gpt, HEAD_W_Q, head);
        head_weights_read(f.k, gpt, HEAD_W_K, head);
        head_weights_read(f.v, gpt, HEAD_W_V, head);
        head_weights_read(f.o, gpt, HEAD_W_O, head);
        store_write(c, &f, head);
        head_weights_product(f.gram, f.k, f.k, HS, C, HS, true);
        store_read(c, &f, HEAD_Q, head, f.q);
        head_weights_product(f.gram, f.q, f.q, HS, C, HS, true);
        store_read(c, &f, HEAD_K, head, f.k);
        outer_gram(f.gram, f.o, HS, C);
        store_read(c, &f, HEAD_V, head, f.v);
    }
    mem_free(memory);
    return 0;
}

/* ---- all pairs ---- */

static double block_square(const float *block, size_t stride, size_t row, size_t column, size_t HS)
{
    double square = 0;
    for (size_t i = 0; i < HS; i++) {
        const float *at = block + (row * HS + i) * stride + column * HS;
        float sum = 0;
        for (size_t j = 0; j < HS; j++) {
            sum += at[j] * at[j];
        }
        square += (double)sum;
    }
    return square;
}

/* score(context, channel, from, to, value) of all pairs, with writes (H * HS, C). */
static void all_pairs(const Composing *c, const float *writes, float *block, float *scores,
                      double *exact)
{
    size_t rows = c->NH * c->HS, stride = c->H * c->HS;
    for (size_t layer = 0; layer + 1 < c->L; layer++) {
        size_t later = (layer + 1) * rows, n = stride - later;
        for (size_t channel = 0; channel < N_HEAD_CHANNELS; channel++) {
            gemm(false, false, rows, n, c->C, 1, writes + layer * rows * c->C, c->C,
                 c->read[channel] + later, stride, 0, block, n);
            for (size_t i = 0; i < c->NH; i++) {
                size_t from = layer * c->NH + i;
                for (size_t to = (layer + 1) * c->NH; to < c->H; to++) {
                    double norm = c->write_norm[from] * c->read_norm[channel * c->H + to];
                    double square = block_square(block, n, i, to - (layer + 1) * c->NH, c->HS);
                    size_t at = head_pair(c->out, (HeadChannel)channel, from, to);
                    double score = norm > 0 ? sqrt(square) / norm : NAN;
                    if (scores) {
                        scores[at] = (float)score;
                    } else {
                        exact[at] = score;
                    }
                }
            }
        }
    }
}

static int rotation_job(void *context, size_t job, size_t worker)
{
    const Composing *c = context;
    size_t rotation = c->first + job, size = N_HEAD_CHANNELS * c->H * c->H;
    Rng rng = rng_at(c->seed, RNG_HEADS, rotation);
    rotation_random(c->rotation[worker], c->scratch[worker], c->C, &rng);
    gemm(false, false, c->H * c->HS, c->C, c->C, 1, c->write, c->C, c->rotation[worker], c->C, 0,
         c->turned[worker], c->C);
    all_pairs(c, c->turned[worker], c->block[worker], c->rotated_scores + rotation * size, NULL);
    return 0;
}

/* Mean and deviation of each pair over rotations; and the root mean square of all. */
static void summarise(Composing *c, size_t rotations)
{
    HeadComposition *out = c->out;
    size_t size = N_HEAD_CHANNELS * c->H * c->H;
    double all = 0, all_squares = 0;
    for (size_t at = 0; at < size; at++) {
        double sum = 0, squares = 0, n = (double)rotations;
        for (size_t r = 0; r < rotations; r++) {
            double score = (double)c->rotated_scores[r * size + at];
            sum += score;
            squares += score * score;
        }
        bool pair = !isnan(out->score[at]);
        double variance = (squares - sum * sum / n) / (n - 1);
        out->mean[at] = pair ? sum / n : NAN;
        out->deviation[at] = pair ? sqrt(fmax(0, variance)) : NAN;
    }
    for (size_t r = 0; r < rotations; r++) {
        double mean = 0, count = 0;
        for (size_t at = 0; at < size; at++) {
            double score = (double)c->rotated_scores[r * size + at];
            mean += isnan(out->score[at]) ? 0 : score * score;
            count += isnan(out->score[at]) ? 0 : 1;
        }
        mean = count > 0 ? mean / count : NAN;
        all += mean / (double)rotations;
        all_squares += mean * mean / (double)rotations;
    }
    out->rotated = sqrt(all);
    /* d sqrt(x) = dx / (2 sqrt(x)) */
    out->rotated_error =
        sqrt(fmax(0, all_squares - all * all) / (double)(rotations - 1)) / (2 * out->rotated);
}

static int rotate(Composing *c, size_t rotations, const Work *work)
{
    int rc = 0;
    for (c->first = 0; c->first < rotations && rc == 0; c->first += ROTATIONS_A_STEP) {
        size_t left = rotations - c->first;
        rc =
            interrupt_pending()
                ? err_set(OGPT_EINTR, "interrupted after %zu of %zu rotations", c->first, rotations)
                : pool_run(work->pool, left < ROTATIONS_A_STEP ? left : ROTATIONS_A_STEP,
                           rotation_job, c);
        work_tick(work, "rotations", (double)(c->first + ROTATIONS_A_STEP), (double)rotations);
    }
    if (rc == 0 && rotations > 1) {
        summarise(c, rotations);
    }
    return rc;
}

/* ---- memory ---- */

typedef struct ComposingArray {
    void **to;
    size_t count, size;
} ComposingArray;

static Composing composing_of(const GptConfig *cfg, HeadComposition *out, uint64_t seed)
{
    return (Composing){.out = out,
                       .L = (size_t)cfg->n_layers,
                       .NH = (size_t)cfg->n_heads,
                       .H = (size_t)cfg->n_layers * (size_t)cfg->n_heads,
                       .HS = (size_t)cfg->d_head,
                       .C = (size_t)cfg->d_model,
                       .seed = seed};
}

static size_t worker_bytes(const Composing *c)
{
    size_t stride = c->H * c->HS;
    return (stride * c->C + c->NH * c->HS * stride + c->C * c->C) * sizeof(float) +
           c->C * c->C * sizeof(double);
}

size_t head_composition_bytes(const GptConfig *cfg, const Work *work)
{
    Composing c = composing_of(cfg, NULL, 0);
    size_t pairs = N_HEAD_CHANNELS * c.H * c.H;
    return (1 + N_HEAD_CHANNELS) * c.H * c.HS * c.C * sizeof(float) + 3 * pairs * sizeof(double) +
           HEAD_ROTATIONS * pairs * sizeof(float) + work_workers(work) * worker_bytes(&c);
}

static int allocate(Composing *c, size_t rotations, size_t workers)
{
    HeadComposition *out = c->out;
    size_t pairs = N_HEAD_CHANNELS * c->H * c->H, stride = c->H * c->HS;
    ComposingArray arrays[] = {
        {(void **)&out->score, pairs, sizeof(double)},
        {(void **)&out->mean, pairs, sizeof(double)},
        {(void **)&out->deviation, pairs, sizeof(double)},
        {(void **)&c->write, stride * c->C, sizeof(float)},
        {(void **)&c->read[HEAD_Q], stride * c->C, sizeof(float)},
        {(void **)&c->read[HEAD_K], stride * c->C, sizeof(float)},
        {(void **)&c->read[HEAD_V], stride * c->C, sizeof(float)},
        {(void **)&c->write_norm, c->H, sizeof(double)},
        {(void **)&c->read_norm, N_HEAD_CHANNELS * c->H, sizeof(double)},
        {(void **)&c->rotated_scores, rotations * pairs, sizeof(float)},
        {(void **)&c->turned, workers, sizeof(float *)},
        {(void **)&c->block, workers, sizeof(float *)},
        {(void **)&c->rotation, workers, sizeof(float *)},
        {(void **)&c->scratch, workers, sizeof(double *)},
    };
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        *arrays[i].to = mem_calloc(arrays[i].count, arrays[i].size, "factors of heads");
        if (!*arrays[i].to) {
            return OGPT_ENOMEM;
        }
    }
    for (size_t i = 0; i < pairs; i++) {
        out->score[i] = out->mean[i] = out->deviation[i] = NAN;
    }
    for (size_t w = 0; w < workers; w++) {
        c->turned[w] = mem_alloc(stride * c->C, sizeof(float), "factors of heads");
        c->block[w] = mem_alloc(c->NH * c->HS * stride, sizeof(float), "factors of heads");
        c->rotation[w] = mem_alloc(c->C * c->C, sizeof(float), "a rotation");
        c->scratch[w] = mem_alloc(c->C * c->C, sizeof(double), "a rotation");
        if (!c->turned[w] || !c->block[w] || !c->rotation[w] || !c->scratch[w]) {
            return OGPT_ENOMEM;
        }
    }
    return 0;
}

static void composing_release(Composing *c, size_t workers)
{
    for (size_t w = 0; w < workers && c->turned && c->block && c->rotation && c->scratch; w++) {
        mem_free(c->turned[w]);
        mem_free(c->block[w]);
        mem_free(c->rotation[w]);
        mem_free(c->scratch[w]);
    }
    for (int channel = 0; channel < N_HEAD_CHANNELS; channel++) {
        mem_free(c->read[channel]);
    }
    mem_free(c->turned);
    mem_free(c->block);
    mem_free(c->rotation);
    mem_free(c->scratch);
    mem_free(c->write);
    mem_free(c->write_norm);
    mem_free(c->read_norm);
    mem_free(c->rotated_scores);
}

int head_composition_run(HeadComposition *out, const Gpt *gpt, size_t rotations, const Work *work)
{
    Composing c = composing_of(&gpt->cfg, out, work->seed);
    *out = (HeadComposition){.H = c.H,
                             .NH = c.NH,
                             .d = c.C,
                             .null = 1 / sqrt((double)c.C),
                             .rotated = NAN,
                             .rotated_error = NAN};
    int rc = allocate(&c, rotations, work_workers(work));
    rc = rc ? rc : make_factors(&c, gpt);
    if (rc == 0) {
        all_pairs(&c, c.write, c.block[0], NULL, out->score);
        rc = rotate(&c, rotations, work);
    }
    composing_release(&c, work_workers(work));
    if (rc != 0) {
        head_composition_release(out);
    }
    return rc;
}

void head_composition_release(HeadComposition *composition)
{
    mem_free(composition->score);
    mem_free(composition->mean);
    mem_free(composition->deviation);
    *composition = (HeadComposition){0};
}
