/* tests/probes/board/test_bit_flips.c - flip one bit, or cut a file, of a corpus, a model and a
 * probe: the damage is detected, or harmless (the same games, the same tensors). 1,000 flips and
 * 200 cuts; ten times as many with OGPT_FAULTS_FULL=1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/manifest.h"
#include "base/rng.h"
#include "datasets/generate.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"
#include "probes/board/probe.h"
#include "tests/folder.h"

#define FLIPS 1000
#define CUTS 200
#define GAMES 1100 /* two blocks */
#define FILES_MAX 3

typedef enum FlipOutcome { DETECTED, HARMLESS, SILENT, N_OUTCOMES } FlipOutcome;

typedef struct Artefact {
    const char *name;             /* below the folder of this run */
    const char *files[FILES_MAX]; /* in it; NULL: the artefact is a file */
    int (*make)(const char *path, uint64_t seed);
    FlipOutcome (*examine)(const char *path);
} Artefact;

static char folder[FOLDER_MAX];

/* ---- corpus ---- */

static char games_hash[HASH_HEX_SIZE]; /* of the sound corpus */

static int sample_corpus(const char *path, uint64_t seed)
{
    GenerateResult result;
    int rc = generate_corpus(&result, path, game_variant(4), GAMES, &(Work){.seed = seed});
    if (games_hash[0] == '\0') {
        snprintf(games_hash, sizeof(games_hash), "%s", result.content_hash);
    }
    return rc;
}

static FlipOutcome corpus_examine(const char *path)
{
    static uint8_t moves[GAMES * 12];
    CorpusReport report;
    Corpus *corpus = NULL;
    char hash[HASH_HEX_SIZE] = "";
    if (corpus_verify(&report, path, NULL, NULL) != 0 || report.findings > 0) {
        return DETECTED;
    }
    if (corpus_open(&corpus, path, false) != 0 || corpus_info(corpus)->n_games != GAMES ||
        corpus_read(corpus, moves, 0, GAMES) != 0) {
        corpus_close(corpus);
        return SILENT; /* verification found no fault */
    }
    sha256_of(hash, moves, sizeof(moves));
    const bool same =
        strcmp(hash, games_hash) == 0 && strcmp(corpus_info(corpus)->content_hash, games_hash) == 0;
    corpus_close(corpus);
    return same ? HARMLESS : SILENT;
}

/* ---- model ---- */

static real *weights; /* of the sound model */
static size_t n_weights;

/* As they are read: the head's bias is written as zeros. */
static int weights_keep(const char *path)
{
    ModelFile model;
    int rc = model_load(&model, path, NULL);
    if (rc == 0) {
        n_weights = model.gpt->n_numbers;
        weights = mem_alloc(n_weights, sizeof(*weights), "weights");
        memcpy(weights, model.gpt->params, n_weights * sizeof(*weights));
        model_release(&model);
    }
    return rc;
}

static int model_make(const char *path, uint64_t seed)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    const GptConfig cfg = {.n_layers = 1,
                           .d_model = 8,
                           .n_heads = 2,
                           .d_head = 4,
                           .d_mlp = 32,
                           .n_ctx = vocab->n_ctx,
                           .d_vocab = vocab->d_vocab,
                           .eps = 1e-5f};
    Gpt *gpt = NULL;
    Publish *publish = NULL;
    char hash[HASH_HEX_SIZE];
    int rc = gpt_new(&gpt, &cfg);
    rc = rc ? rc : publish_begin(&publish, path, true);
    if (rc != 0) {
        gpt_free(gpt);
        return rc;
    }
    Rng rng = rng_at(seed, RNG_TEST, 2);
    for (size_t i = 0; i < gpt->n_numbers; i++) {
        gpt->params[i] = (real)rng_normal(&rng);
    }
    rc = model_save(publish, hash, gpt, NULL, false);
    gpt_free(gpt);
    if (rc != 0) {
        publish_abort(publish);
        return rc;
    }
    rc = publish_commit(publish, NULL);
    return rc != 0 || weights ? rc : weights_keep(path);
}

static FlipOutcome model_examine(const char *path)
{
    ModelFile model;
    if (model_load(&model, path, NULL) != 0) {
        return DETECTED;
    }
    const bool same = model.gpt->n_numbers == n_weights &&
                      memcmp(model.gpt->params, weights, n_weights * sizeof(*weights)) == 0;
    model_release(&model);
    return same ? HARMLESS : SILENT;
}

/* ---- probe ---- */

static Probe sound_probe;

static int probe_make(const char *path, uint64_t seed)
{
    Probe probe = {.task = "mine",
                   .labels = "mover",
                   .solver = "newton",
                   .size = 4,
                   .n_squares = 16,
                   .d_model = 8,
                   .n_classes = 3,
                   .n_layers = 1,
                   .layers = {0},
                   .classes = {"empty", "theirs", "mine"},
                   .fitted = {true},
                   .site = HOOK_RESID_POST};
    int rc = probe_allocate(&probe);
    Rng rng = rng_at(seed, RNG_TEST, 3);
    for (size_t i = 0; rc == 0 && i < 8 * 16 * 3; i++) {
        probe.weight[0][i] = (float)rng_normal(&rng);
    }
    rc = rc ? rc : probe_save(&probe, path);
    if (sound_probe.n_layers == 0) {
        sound_probe = probe;
    } else {
        probe_release(&probe);
    }
    return rc;
}

static FlipOutcome probe_examine(const char *path)
{
    Probe probe;
    if (probe_load(&probe, path) != 0) {
        return DETECTED;
    }
    const bool same =
        probe.size == 4 && probe.d_model == 8 && probe.n_classes == 3 && probe.n_layers == 1 &&
        strcmp(probe.task, "mine") == 0 && strcmp(probe.classes[1], "theirs") == 0 &&
        memcmp(probe.weight[0], sound_probe.weight[0], sizeof(float) * 8 * 16 * 3) == 0 &&
        memcmp(probe.bias[0], sound_probe.bias[0], sizeof(float) * 16 * 3) == 0;
    probe_release(&probe);
    return same ? HARMLESS : SILENT;
}

static const Artefact artefacts[] = {
    {"games.ogpc", {NULL}, sample_corpus, corpus_examine},
    {"model", {"model.safetensors", "config.json", "MANIFEST.json"}, model_make, model_examine},
    {"probe", {"probe.safetensors", "probe.json", "MANIFEST.json"}, probe_make, probe_examine},
};
#define N_ARTEFACTS (sizeof(artefacts) / sizeof(artefacts[0]))

/* ---- damage ---- */

static const char *path_of(const Artefact *artefact, const char *file)
{
    static char path[FILES_PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s%s%s", folder, artefact->name, file ? "/" : "",
             file ? file : "");
    return path;
}

/* In place: a file that is emptied first would be flushed to the disk each time it is closed. */
static void put(const char *path, const void *data, size_t n_bytes)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n_bytes, file), n_bytes);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(ftruncate(fileno(file), (off_t)n_bytes), 0);
    assert_int_equal(fclose(file), 0);
}

/* Draw a file of the artefact by its size, so that every bit is equally likely. */
static const char *file_choose(const Artefact *artefact, Rng *rng)
{
    uint64_t sizes[FILES_MAX] = {0};
    uint64_t total = 0;
    if (!artefact->files[0]) {
        return NULL;
    }
    for (int i = 0; i < FILES_MAX; i++) {
        assert_int_equal(file_size(&sizes[i], path_of(artefact, artefact->files[i])), 0);
        total += sizes[i];
    }
    uint64_t at = rng_below(rng, (uint32_t)total);
    int i = 0;
    for (; at >= sizes[i]; i++) {
        at -= sizes[i];
    }
    return artefact->files[i];
}

/* Flip one bit, or cut the file short; examine; put the sound file back. */
static FlipOutcome damage(const Artefact *artefact, Rng *rng, bool cut)
{
    char path[FILES_PATH_MAX];
    void *data = NULL;
    size_t n_bytes = 0;
    snprintf(path, sizeof(path), "%s", path_of(artefact, file_choose(artefact, rng)));
    assert_int_equal(file_read_all(&data, &n_bytes, path, 1 << 24), 0);
    const size_t place = rng_below(rng, (uint32_t)n_bytes);
    const uint8_t bit = (uint8_t)(1u << rng_below(rng, 8));
    ((uint8_t *)data)[place] ^= cut ? 0 : bit;
    put(path, data, cut ? place : n_bytes);
    const FlipOutcome outcome = artefact->examine(path_of(artefact, NULL));
    if (outcome == DETECTED) {
        assert_true(err_message()[0] != '\0');
    }
    if (outcome == SILENT) {
        print_message("%s: %s at byte %zu, bit mask %d, went unnoticed\n", path,
                      cut ? "a cut" : "a flip", place, bit);
    }
    ((uint8_t *)data)[place] ^= cut ? 0 : bit;
    put(path, data, n_bytes);
    mem_free(data);
    return outcome;
}

static void damage_is_detected_or_harmless(void **state)
{
    const char *full = getenv("OGPT_FAULTS_FULL");
    const int times = full && strcmp(full, "1") == 0 ? 10 : 1;
    static const char *const kinds[] = {"flips", "cuts"};
    unsigned silent = 0;
    for (size_t k = 0; k < 2; k++) {
        for (size_t a = 0; a < N_ARTEFACTS; a++) {
            unsigned counts[N_OUTCOMES] = {0};
            const unsigned whole = (unsigned)((k == 0 ? FLIPS : CUTS) * times);
            const unsigned n = (whole + 2 - (unsigned)a) / N_ARTEFACTS; /* whole, over the three */
            for (unsigned i = 0; i < n; i++) {
                Rng rng = rng_at(k, RNG_TEST, a << 32 | i);
                counts[damage(&artefacts[a], &rng, k == 1)]++;
            }
            printf("%s, %s: %u tried, %u detected, %u harmless, %u unnoticed\n", artefacts[a].name,
                   kinds[k], n, counts[DETECTED], counts[HARMLESS], counts[SILENT]);
            silent += counts[SILENT];
            /* The answer depends on the artefact; for a sound one it is none of these. */
            assert_int_equal(artefacts[a].examine(path_of(&artefacts[a], NULL)), HARMLESS);
            assert_true(counts[DETECTED] > n / 10); /* most of a corpus file is empty pages */
        }
    }
    assert_int_equal(silent, 0);
}

/* The twin: the comparison must refuse another sound artefact in the same place. */
static void other_content_is_noticed(void **state)
{
    for (size_t a = 0; a < N_ARTEFACTS; a++) {
        char path[FILES_PATH_MAX], lock[FILES_PATH_MAX + 8];
        snprintf(path, sizeof(path), "%s", path_of(&artefacts[a], NULL));
        snprintf(lock, sizeof(lock), "%s.lock", path);
        assert_int_equal(dir_remove(path), 0);
        remove(lock);
        assert_int_equal(artefacts[a].make(path, 2), 0);
        assert_int_equal(artefacts[a].examine(path), SILENT);
    }
}

static int work_create(void **state)
{
    int rc = folder_make(folder);
    for (size_t a = 0; a < N_ARTEFACTS && rc == 0; a++) {
        rc = artefacts[a].make(path_of(&artefacts[a], NULL), 1);
    }
    return rc;
}

static int work_remove(void **state)
{
    mem_free(weights);
    probe_release(&sound_probe);
    return dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_detected_or_harmless),
        cmocka_unit_test(other_content_is_noticed),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
