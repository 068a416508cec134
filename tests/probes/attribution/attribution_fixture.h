/* tests/probes/attribution/attribution_fixture.h - random networks in either precision, passes of
 * random tokens, and the identity of an attribution over them. */
#ifndef OGPT_TESTS_PROBES_ATTRIBUTION_ATTRIBUTION_FIXTURE_H
#define OGPT_TESTS_PROBES_ATTRIBUTION_ATTRIBUTION_FIXTURE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "probes/attribution/attribution.h"

enum { FIXTURE_GAMES = 2 };

/* Every tensor random, each bias too; b_U among them. */
static inline Gpt *random_network(int layers, uint64_t seed)
{
    GptConfig cfg;
    Gpt *gpt = NULL;
    if (gpt_config_preset(&cfg, "nano") != 0) {
        return NULL;
    }
    cfg.n_layers = layers;
    cfg.n_ctx = 11;
    cfg.d_vocab = 13;
    if (gpt_new(&gpt, &cfg) != 0) {
        return NULL;
    }
    Rng rng = rng_at(seed, RNG_TEST, 1);
    for (size_t t = 0; t < gpt->n_specs; t++) {
        const TensorSpec *spec = &gpt->specs[t];
        for (size_t i = 0; i < spec->count; i++) { /* LayerNorm weights around 1 */
            gpt->params[spec->offset + i] = (real)((spec->init_std < 0) + 0.2 * rng_normal(&rng));
        }
    }
    return gpt;
}

static inline const Kernels *test_kernels(void)
{
#ifdef OGPT_REAL_DOUBLE
    return &kernels_ref;
#else
    return kernels_fast();
#endif
}

/* One pass of B random sequences whose every row is attributed, ROWS at a time. */
typedef struct Trial {
    const Gpt *gpt;
    ComponentList list;
    const Readout *readout;
    Tape *tape;
    Writes writes;
    Attributor *attributor;
    uint8_t *tokens; /* (B,T) */
    size_t *rows;    /* (B*T) */
    real *weights;   /* (ROWS,K) */
    real *shuffled;
    const real *logits; /* (B,T,V) of the last pass */
    size_t B, T;
} Trial;

static inline int trial_open(Trial *out, const Gpt *gpt, AttributionGrain grain,
                             const Readout *readout, size_t B)
{
    size_t T = (size_t)gpt->cfg.n_ctx, K = readout->n_columns;
    *out = (Trial){.gpt = gpt, .readout = readout, .B = B, .T = T};
    out->list = components_of(&gpt->cfg, grain, readout->site, readout->layer);
    out->tokens = calloc(B * T, 1);
    out->rows = calloc(B * T, sizeof(size_t));
    out->weights = calloc(ATTRIBUTION_ROWS * K, sizeof(real));
    out->shuffled = calloc(ATTRIBUTION_ROWS * K, sizeof(real));
    return !out->tokens || !out->rows || !out->weights || !out->shuffled ||
           tape_new(&out->tape, &gpt->cfg, B, TAPE_FORWARD, test_kernels()) ||
           writes_init(&out->writes, gpt, &out->list, B * T, B) ||
           attributor_new(&out->attributor, gpt, &out->list, readout, test_kernels(), true);
}

static inline void trial_close(Trial *trial)
{
    attributor_free(trial->attributor);
    writes_release(&trial->writes);
    tape_free(trial->tape);
    free(trial->tokens);
    free(trial->rows);
    free(trial->weights);
    free(trial->shuffled);
}

static inline void trial_take(void *context, const HookPoint *point)
{
    writes_take(context, point);
}

/* A pass of sequences drawn by (seed, index); weights are those of random sets of columns. */
static inline void trial_pass(Trial *trial, uint64_t index)
{
    size_t n = trial->B * trial->T, K = trial->readout->n_columns;
    Rng rng = rng_at(11, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        trial->tokens[i] = (uint8_t)(1 + rng_below(&rng, (uint32_t)trial->gpt->cfg.d_vocab - 1));
        trial->rows[i] = i;
    }
    for (size_t i = 0; i < ATTRIBUTION_ROWS * K; i++) {
        trial->weights[i] = (real)rng_normal(&rng);
        trial->shuffled[i] = (real)rng_normal(&rng);
    }
    Hooks hooks = {.fn = trial_take, .context = &trial->writes};
    writes_want(hooks.sites, &trial->list);
    writes_begin(&trial->writes, trial->tokens, trial->B, trial->T, trial->rows, n);
    trial->logits = gpt_forward(trial->gpt, trial->tape, trial->tokens, trial->B, trial->T, &hooks);
}

/* Rows first .. of the pass. */
static inline const AttributionValues *trial_rows(Trial *trial, size_t first)
{
    size_t left = trial->B * trial->T - first;
    return attributor_rows(trial->attributor, &trial->writes, trial->weights, trial->shuffled,
                           first, left < ATTRIBUTION_ROWS ? left : ATTRIBUTION_ROWS);
}

/* The largest errors of three sums over all rows and columns of a pass. */
typedef struct TrialErrors {
    double products;   /* values.total, made by matrix products */
    double one_by_one; /* every contribution to every column, added up here */
    double weighted;   /* the contributions to the weighted number */
    double largest;    /* the largest |number| met: nothing is compared with zeros */
} TrialErrors;

/* truth (rows, K): what the columns really are. */
static inline TrialErrors trial_errors(Trial *trial, const double *truth)
{
    TrialErrors worst = {0};
    size_t K = trial->readout->n_columns, J = trial->list.n, N = trial->B * trial->T;
    for (size_t first = 0; first < N; first += ATTRIBUTION_ROWS) {
        const AttributionValues *v = trial_rows(trial, first);
        for (size_t i = 0; i < v->n; i++) {
            const double *want = truth + (first + i) * K;
            double number = 0, frozen = 0;
            for (size_t k = 0; k < K; k++) {
                double sum = 0;
                for (size_t j = 0; j < J; j++) {
                    sum += (double)v->all[(i * J + j) * K + k];
                }
                worst.products = fmax(worst.products, fabs(v->total[i * K + k] - want[k]));
                worst.one_by_one = fmax(worst.one_by_one, fabs(sum - want[k]));
                worst.largest = fmax(worst.largest, fabs(want[k]));
                number += (double)trial->weights[i * K + k] * want[k];
            }
            for (size_t j = 0; j < J; j++) {
                frozen += v->frozen[i * J + j];
            }
            worst.weighted = fmax(worst.weighted, fabs(frozen - number));
        }
    }
    return worst;
}

/* Logits of moves (rows, K) of the last pass; free. */
static inline double *trial_logits(const Trial *trial)
{
    size_t N = trial->B * trial->T, V = (size_t)trial->gpt->cfg.d_vocab;
    double *out = calloc(N * (V - 1), sizeof(double));
    for (size_t i = 0; i < N * (V - 1) && out; i++) {
        out[i] = (double)trial->logits[i / (V - 1) * V + i % (V - 1) + 1];
    }
    return out;
}

#endif
