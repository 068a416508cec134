/* tests/probes/feature_circuits/feature_fixture.h - a small network, a random autoencoder of one of
 * its sites, and a pair of histories; passes with rows changed by hand. */
#ifndef OGPT_TESTS_FEATURE_FIXTURE_H
#define OGPT_TESTS_FEATURE_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "model/planted/planted.h"
#include "probes/feature_circuits/feature_circuit_pair.h"
#include "tests/probes/small_network.h"

enum { FIXTURE_MOVES = 7, FIXTURE_FEATURES = 24 };

typedef struct FeatureFixture {
    Gpt *gpt;
    Sae *sae;
    GamePair pair;
    FeatureQuestion question;
    FeatureBasis bases[N_FEATURE_BASES];
    size_t n_bases;
    FeatureLayout layout;
    double *values; /* of the pair */
} FeatureFixture;

/* Columns of length 1 and encoders along them; some features stay silent. */
static Sae *fixture_sae(size_t width, size_t features, HookSite site, int layer)
{
    const SaeConfig cfg = {.kind = SAE_STANDARD,
                           .d_in = width,
                           .d_out = width,
                           .features = features,
                           .site = site,
                           .site_out = site,
                           .layer = layer};
    Sae *sae = NULL;
    assert_int_equal(sae_new(&sae, &cfg), 0);
    for (size_t j = 0; j < features; j++) {
        Rng rng = rng_at(5, RNG_TEST, j);
        double length = 0;
        for (size_t c = 0; c < width; c++) {
            const double x = rng_normal(&rng);
            sae->w_dec[j * width + c] = (float)x;
            length += x * x;
        }
        for (size_t c = 0; c < width; c++) {
            sae->w_dec[j * width + c] /= (float)sqrt(length);
            sae->w_enc[j * width + c] = sae->w_dec[j * width + c];
        }
    }
    for (size_t c = 0; c < width; c++) {
        sae->b_dec[c] = 0.01F * (float)c;
    }
    sae_prepare(sae);
    return sae;
}

/* Two moves change places, and the last one is another. The metric is one logit minus another. */
static GamePair fixture_pair(const Vocab *vocab)
{
    GamePair pair = {.n_moves = FIXTURE_MOVES};
    for (int t = 0; t < FIXTURE_MOVES; t++) {
        pair.clean[t] = vocab->sq_of_tok[1 + t];
        pair.corrupt[t] = vocab->sq_of_tok[t == 2 || t == 4 ? 7 - t : 1 + t];
    }
    pair.corrupt[FIXTURE_MOVES - 1] = vocab->sq_of_tok[9];
    pair.target = 1ULL << vocab->sq_of_tok[10];
    pair.other = 1ULL << vocab->sq_of_tok[11];
    return pair;
}

static void fixture_measure(FeatureFixture *f)
{
    FeaturePair *room;
    f->question.pairs = &f->pair;
    assert_int_equal(feature_circuit_pair_new(&room, &f->question, f->bases, f->n_bases), 0);
    assert_int_equal(feature_circuit_pair_measure(f->values, room, 0, 1, false), 0);
    feature_circuit_pair_free(room);
}

/* A question about a network and an autoencoder that become the fixture's. */
static void fixture_ask(FeatureFixture *f, Gpt *gpt, Sae *sae, PatchScope scope, uint64_t seed)
{
    const Vocab *vocab = vocab_by_size(gpt->cfg.d_vocab, RULES_CLASSIC);
    *f = (FeatureFixture){.gpt = gpt, .sae = sae, .pair = fixture_pair(vocab)};
    f->question = (FeatureQuestion){
        .gpt = gpt, .vocab = vocab, .n_pairs = 1, .scope = scope, .sae = sae, .points = 1};
    const int made = feature_circuit_basis_make(f->bases, gpt, sae, seed);
    assert_true(made >= (int)BASIS_NEURONS);
    f->n_bases = (size_t)made;
    f->layout = feature_circuit_pair_layout(f->bases, f->n_bases);
    f->values = calloc(f->layout.n, sizeof(*f->values));
}

/* Random weights in all places, also biases. */
__attribute__((unused)) static void fixture_noisy(FeatureFixture *f, HookSite site, int layer,
                                                  PatchScope scope)
{
    Gpt *gpt = noisy_network(4, 20, 3);
    const HookSite at = layer == LAYER_EMBED ? HOOK_RESID_PRE : site;
    assert_non_null(gpt);
    fixture_ask(f, gpt,
                fixture_sae(hook_width(&gpt->cfg, at, (size_t)gpt->cfg.n_ctx), FIXTURE_FEATURES,
                            site, layer),
                scope, 1);
}

/* Every path is linear, and the pair is the planted one. */
__attribute__((unused)) static void fixture_linear(FeatureFixture *f, PatchScope scope)
{
    const PlantedOptions options = {.kind = PLANTED_LINEAR, .size = 4, .seed = 1};
    PlantedTruth truth;
    Gpt *gpt;
    assert_int_equal(planted_truth(&truth, &options), 0);
    assert_int_equal(planted_make(&gpt, &options), 0);
    const size_t C = (size_t)gpt->cfg.d_model;
    fixture_ask(f, gpt, fixture_sae(C, 3 * C, HOOK_RESID_POST, 0), scope, 1);
    memset(f->sae->b_dec, 0, C * sizeof(float)); /* the stream is tiny */
    sae_prepare(f->sae);
    const uint8_t *square = f->question.vocab->sq_of_tok;
    f->pair = (GamePair){.n_moves = (int)truth.n_tokens};
    for (size_t t = 0; t < truth.n_tokens; t++) {
        f->pair.clean[t] = square[truth.clean[t]];
        f->pair.corrupt[t] = square[truth.corrupt[t]];
    }
    f->pair.target = 1ULL << square[truth.target];
    f->pair.other = 1ULL << square[truth.other];
}

static void fixture_close(FeatureFixture *f)
{
    for (size_t b = 0; b < f->n_bases; b++) {
        feature_circuit_basis_release(&f->bases[b]);
    }
    sae_free(f->sae);
    gpt_free(f->gpt);
    free(f->values);
}

static const double *plane(const FeatureFixture *f, size_t basis, size_t which)
{
    return f->values + feature_circuit_pair_plane(&f->layout, basis, which);
}

__attribute__((unused)) static double sum_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum;
}

/* ---- plain passes: the whole network, one sequence, rows changed by hand ---- */

typedef struct PlainRows {
    HookSite site;
    int layer;
    size_t first;     /* rows before this position stay */
    bool keep;        /* read them in place of writing */
    float x[64 * 64]; /* (T, width) */
} PlainRows;

static void plain_hook(void *context, const HookPoint *point)
{
    PlainRows *rows = context;
    const size_t from = rows->first * point->width;
    const size_t n = (point->T - rows->first) * point->width;
    if (rows->keep) {
        memcpy(rows->x + from, point->value + from, n * sizeof(float));
    } else {
        memcpy(point->value + from, rows->x + from, n * sizeof(float));
    }
}

/* Delta of one of the histories with rows kept or written. */
__attribute__((unused)) static double plain_delta(const FeatureFixture *f, const uint8_t *moves,
                                                  PlainRows *rows)
{
    const Vocab *vocab = f->question.vocab;
    const size_t T = FIXTURE_MOVES;
    Hooks hooks = {.fn = plain_hook, .context = rows};
    Tape *tape;
    uint8_t tokens[FIXTURE_MOVES];
    real weights[BOARD_SQUARES + 1];
    for (size_t t = 0; t < T; t++) {
        tokens[t] = vocab->tok_of_sq[moves[t]];
    }
    rows->site = f->sae->cfg.layer == LAYER_EMBED ? HOOK_RESID_PRE : f->sae->cfg.site;
    rows->layer = f->sae->cfg.layer == LAYER_EMBED ? 0 : f->sae->cfg.layer;
    rows->first = f->question.scope == PATCH_ALL ? 0 : T - 1;
    hooks.sites[rows->site] = 1ULL << rows->layer;
    pair_weights(weights, vocab, &f->pair);
    assert_int_equal(tape_new(&tape, &f->gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    const real *logits = gpt_forward(f->gpt, tape, tokens, 1, T, &hooks);
    const double delta =
        pair_delta(weights, logits + (T - 1) * (size_t)vocab->d_vocab, vocab->d_vocab);
    tape_free(tape);
    return delta;
}

#endif
