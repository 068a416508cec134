/* tests/probes/probe_fixture.h - a small random network, a small corpus, and a folder of their
 * own for tests of probes. */
#ifndef OGPT_TESTS_PROBES_PROBE_FIXTURE_H
#define OGPT_TESTS_PROBES_PROBE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/rng.h"
#include "datasets/generate.h"
#include "datasets/vocab.h"
#include "num/blas.h"
#include "probes/activations/subject.h"
#include "tests/folder.h"

typedef struct ProbeFixture {
    char folder[FOLDER_MAX]; /* removed at the end */
    union {
        Subject subject; /* 6x6, random weights; its hash is made up */
        ModelFile model; /* its first member */
    };
    Corpus *corpus;
} ProbeFixture;

/* 3 layers, 24 wide, weights large enough that the layers differ. */
static inline Gpt *fixture_network(int size, uint64_t seed)
{
    const Vocab *vocab = vocab_of(game_variant(size));
    GptConfig cfg = {.n_layers = 3,
                     .d_model = 24,
                     .n_heads = 3,
                     .d_head = 8,
                     .d_mlp = 96,
                     .n_ctx = vocab->n_ctx,
                     .d_vocab = vocab->d_vocab,
                     .eps = 1e-5f};
    Gpt *gpt = NULL;
    if (gpt_new(&gpt, &cfg) != 0) {
        return NULL;
    }
    Rng rng = rng_at(seed, RNG_TEST, 0);
    for (size_t i = 0; i < gpt->n_numbers; i++) {
        gpt->params[i] = (real)(0.2 * rng_normal(&rng));
    }
    return gpt;
}

static inline void fixture_path(char out[FILES_PATH_MAX], const ProbeFixture *fixture,
                                const char *name)
{
    snprintf(out, FILES_PATH_MAX, "%s/%s", fixture->folder, name);
}

static inline int fixture_open(ProbeFixture *out, uint64_t n_games)
{
    char path[FILES_PATH_MAX];
    GenerateResult result;
    *out = (ProbeFixture){0};
    if (blas_init() != 0 || folder_make(out->folder) != 0) {
        return -1;
    }
    fixture_path(path, out, "games.ogpc");
    if (generate_corpus(&result, path, game_variant(6), n_games, &(Work){.seed = 7}) != 0 ||
        corpus_open(&out->corpus, path, false) != 0) {
        return -1;
    }
    out->model.gpt = fixture_network(6, 1);
    snprintf(out->model.path, sizeof(out->model.path), "fixture");
    memset(out->model.model_hash, 'a', HASH_HEX_SIZE - 1);
    out->subject.variant = game_variant(6);
    out->subject.vocab = vocab_of(out->subject.variant);
    out->subject.size = 6;
    return out->model.gpt ? 0 : -1;
}

static inline void fixture_close(ProbeFixture *fixture)
{
    gpt_free(fixture->model.gpt);
    corpus_close(fixture->corpus);
    dir_remove(fixture->folder);
}

#endif
