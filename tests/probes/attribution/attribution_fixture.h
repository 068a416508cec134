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
typedef struct Bench {
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
} Bench;

static inline int bench_open(Bench *out, const Gpt *gpt, AttributionGrain grain,
                             const Readout *readout, size_t B)
{
    size_t T = (size_t)gpt->cfg.n_ctx, K = readout->n_columns;
    *out = (Bench){.gpt = gpt, .readout = readout, .B = B, .T = T};
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

static inline void bench_close(Bench *bench)
{
    attributor_free(bench->attributor);
    writes_release(&bench->writes);
    tape_free(bench->tape);
    free(bench->tokens);
    free(bench->rows);
    free(bench->weights);
    free(bench->shuffled);
}

static inline void bench_take(void *context, const HookPoint *point)
{
    writes_take(context, point);
}

/* A pass of sequences drawn by (seed, index); weights are those of random sets of columns. */
static inline void bench_pass(Bench *bench, uint64_t index)
{
    size_t n = bench->B * bench->T, K = bench->readout->n_columns;
    Rng rng = rng_at(11, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        bench->tokens[i] = (uint8_t)(1 + rng_below(&rng, (uint32_t)bench->gpt->cfg.d_vocab - 1));
        bench->rows[i] = i;
    }
    for (size_t i = 0; i < ATTRIBUTION_ROWS * K; i++) {
        bench->weights[i] = (real)rng_normal(&rng);
        bench->shuffled[i] = (real)rng_normal(&rng);
    }
    Hooks hooks = {.fn = bench_take, .context = &bench->writes};
    writes_want(hooks.sites, &bench->list);
    writes_begin(&bench->writes, bench->tokens, bench->B, bench->T, bench->rows, n);
    bench->logits = gpt_forward(bench->gpt, bench->tape, bench->tokens, bench->B, bench->T, &hooks);
}

/* Rows first .. of the pass. */
static inline const AttributionValues *bench_rows(Bench *bench, size_t first)
{
    size_t left = bench->B * bench->T - first;
    return attributor_rows(bench->attributor, &bench->writes, bench->weights, bench->shuffled,
                           first, left < ATTRIBUTION_ROWS ? left : ATTRIBUTION_ROWS);
}

/* The largest errors of three sums over all rows and columns of a pass. */
typedef struct BenchErrors {
    double products;   /* values.total, made by matrix products */
    double one_by_one; /* every contribution to every column, added up here */
    double weighted;   /* the contributions to the weighted number */
    double largest;    /* the largest |number| met: nothing is compared with zeros */
} BenchErrors;

/* truth (rows, K): what the columns really are. */
static inline BenchErrors bench_errors(Bench *bench, const double *truth)
{
    BenchErrors worst = {0};
    size_t K = bench->readout->n_columns, J = bench->list.n, N = bench->B * bench->T;
    for (size_t first = 0; first < N; first += ATTRIBUTION_ROWS) {
        const AttributionValues *v = bench_rows(bench, first);
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
                number += (double)bench->weights[i * K + k] * want[k];
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
static inline double *bench_logits(const Bench *bench)
{
    size_t N = bench->B * bench->T, V = (size_t)bench->gpt->cfg.d_vocab;
    double *out = calloc(N * (V - 1), sizeof(double));
    for (size_t i = 0; i < N * (V - 1) && out; i++) {
        out[i] = (double)bench->logits[i / (V - 1) * V + i % (V - 1) + 1];
    }
    return out;
}

#endif
