/* probes/board/probe_layout.c - the published probe's layout; see probe_layout.h. */
#include "probes/board/probe_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/formats/safetensors.h"

#define PUBLISHED_DECAY 0.01 /* weight decay with which the published probe was fitted */

enum { BLACK_TO_PLAY, WHITE_TO_PLAY, ALL_POSITIONS, N_MODES };
enum { EMPTY, WHITE_DISC, BLACK_DISC, N_OPTIONS };

/* Our class (empty, theirs, mine) of each option, by the side to play. */
static const int class_of_option[2][N_OPTIONS] = {
    [BLACK_TO_PLAY] = {0, 1, 2},
    [WHITE_TO_PLAY] = {0, 2, 1},
};

/* ---- turned boards ---- */

static void cells_transpose(float *out, const float *in, const Probe *probe)
{
    const size_t n = (size_t)probe->size, K = (size_t)probe->n_classes;
    for (size_t r = 0; r < n; r++) {
        for (size_t c = 0; c < n; c++) {
            memcpy(out + (r * n + c) * K, in + (c * n + r) * K, K * sizeof(*out));
        }
    }
}

int probe_transpose(Probe *probe)
{
    const size_t board = (size_t)probe->n_squares * (size_t)probe->n_classes;
    float *old = mem_alloc(board, sizeof(*old), "one row of a probe");
    if (!old) {
        return OGPT_ENOMEM;
    }
    for (int i = 0; i < probe->n_layers; i++) {
        for (size_t row = 0; row < probe_inputs(probe); row++) {
            memcpy(old, probe->weight[i] + row * board, board * sizeof(*old));
            cells_transpose(probe->weight[i] + row * board, old, probe);
        }
        memcpy(old, probe->bias[i], board * sizeof(*old));
        cells_transpose(probe->bias[i], old, probe);
    }
    mem_free(old);
    return 0;
}

/* ---- modes ---- */

/* Convert our classes (n_rows, n_squares, 3) to modes (N_MODES, n_rows, n_squares, N_OPTIONS). */
static void modes_build(float *modes, const float *ours, size_t n_rows, const Probe *probe)
{
    const size_t n = n_rows * (size_t)probe->n_squares;
    for (size_t i = 0; i < n; i++) {
        const float *cell = ours + i * N_OPTIONS;
        float *black = modes + i * N_OPTIONS, *white = black + n * N_OPTIONS;
        float *all = white + n * N_OPTIONS;
        for (int o = 0; o < N_OPTIONS; o++) {
            black[o] = cell[class_of_option[BLACK_TO_PLAY][o]];
            white[o] = cell[class_of_option[WHITE_TO_PLAY][o]];
            all[o] = 0.5f * (black[o] + white[o]);
        }
    }
}

static void modes_merge(float *ours, const float *modes, size_t n_rows, const Probe *probe)
{
    const size_t n = n_rows * (size_t)probe->n_squares;
    for (size_t i = 0; i < n; i++) {
        float *cell = ours + i * N_OPTIONS;
        const float *black = modes + i * N_OPTIONS, *white = black + n * N_OPTIONS;
        for (int o = 0; o < N_OPTIONS; o++) {
            cell[class_of_option[BLACK_TO_PLAY][o]] = 0.5f * black[o];
        }
        for (int o = 0; o < N_OPTIONS; o++) {
            cell[class_of_option[WHITE_TO_PLAY][o]] += 0.5f * white[o];
        }
    }
}

/* ---- writing ---- */

static int kind_check(const Probe *probe)
{
    if (probe->n_hidden > 0 || strcmp(probe->task, "mine") != 0 || probe->n_classes != N_OPTIONS) {
        return err_set(OGPT_EUSAGE,
                       "the published layout holds linear probes of task mine, this one is %s of "
                       "task %s; fit one with: ogpt probe fit MODEL --task mine",
                       probe->n_hidden > 0 ? "nonlinear" : "linear", probe->task);
    }
    return 0;
}

int probe_layout_write(Publish *publish, const Probe *probe, int i, const char *notation)
{
    const uint64_t width = (uint64_t)probe->d_model, size = (uint64_t)probe->size;
    const size_t board = (size_t)probe->n_squares * N_OPTIONS;
    char path[FILES_PATH_MAX], layer[16], l2[32];
    int rc = kind_check(probe);
    rc = rc ? rc : publish_path(path, publish, PROBE_LAYOUT_FILE);
    if (rc != 0) {
        return rc;
    }
    float *weight = mem_alloc(N_MODES * width * board, sizeof(*weight), "a probe in three modes");
    float *bias = mem_alloc(N_MODES * board, sizeof(*bias), "biases in three modes");
    if (!weight || !bias) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    modes_build(weight, probe->weight[i], width, probe);
    modes_build(bias, probe->bias[i], 1, probe);
    snprintf(layer, sizeof(layer), "%d", probe->layers[i]);
    snprintf(l2, sizeof(l2), "%.17g", probe->l2);
    const StEntry entries[] = {
        {PROBE_LAYOUT_TENSOR, 5, {N_MODES, width, size, size, N_OPTIONS}, weight},
        {PROBE_LAYOUT_BIAS, 4, {N_MODES, size, size, N_OPTIONS}, bias},
    };
    const char *const metadata[][2] = {
        {"format", "pt"},
        {"layer", layer},
        {"site", hook_site_name(probe->site)},
        {"labels", probe->labels},
        {"solver", probe->solver},
        {"l2", l2},
        {"notation", notation},
        {"model_hash", probe->model_hash},
        {"corpus_hash", probe->corpus_hash},
    };
    rc = st_write(path, entries, 2, metadata, sizeof(metadata) / sizeof(metadata[0]));
    rc = rc ? rc : publish_adopt(publish, PROBE_LAYOUT_FILE);
done:
    mem_free(weight);
    mem_free(bias);
    return rc;
}

/* ---- reading ---- */

/* A text of the metadata, or `fallback` if it is missing. */
static int metadata_text(char *out, size_t room, const StFile *file, const char *key,
                         const char *fallback, const char *path)
{
    const char *text = st_metadata(file, key);
    int n = snprintf(out, room, "%s", text ? text : fallback);
    return n >= 0 && (size_t)n < room
               ? 0
               : err_set(OGPT_EFORMAT,
                         "%s: __metadata__ \"%s\": expected at most %zu bytes, found "
                         "%d",
                         path, key, room - 1, n);
}

/* A finite number of the metadata, or `fallback` if it is missing. */
static int metadata_number(double *out, const StFile *file, const char *key, double fallback,
                           const char *path)
{
    const char *text = st_metadata(file, key);
    char *end = NULL;
    *out = text ? strtod(text, &end) : fallback;
    if (text && (end == text || *end != '\0' || !isfinite(*out))) {
        return err_set(OGPT_EFORMAT, "%s: __metadata__ \"%s\": expected a number, found \"%.20s\"",
                       path, key, text);
    }
    return 0;
}

static const char *layer_name(char out[16], int layer)
{
    snprintf(out, 16, layer == LAYER_EMBED ? "layer embed" : "layer %d", layer);
    return out;
}

static int layer_read(int *out, const StFile *file, int given, const char *path)
{
    const bool known = st_metadata(file, "layer");
    double found;
    int rc = metadata_number(&found, file, "layer", given, path);
    if (rc != 0) {
        return rc;
    }
    if (!(found >= LAYER_EMBED && found <= LAYERS_MAX - 2) || found != floor(found)) {
        return err_set(known ? OGPT_EFORMAT : OGPT_EUSAGE,
                       "%s: does not say which layer it reads; give --layer (6 for the published "
                       "probe)",
                       path);
    }
    *out = (int)found;
    if (given < LAYER_EMBED || given == *out) {
        return 0;
    }
    char names[2][16];
    return err_set(OGPT_EUSAGE, "%s: holds %s, not %s", path, layer_name(names[0], *out),
                   layer_name(names[1], given));
}

static int about_read(Probe *out, const StFile *file, int layer, const char *model_hash,
                      const char *notation, const char *path)
{
    char site[32], stated[24];
    int rc = metadata_text(site, sizeof(site), file, "site", "resid_post", path);
    rc = rc ? rc : metadata_text(stated, sizeof(stated), file, "notation", notation, path);
    rc = rc ? rc : metadata_text(out->labels, sizeof(out->labels), file, "labels", "parity", path);
    rc = rc ? rc : metadata_text(out->solver, sizeof(out->solver), file, "solver", "adamw", path);
    rc = rc ? rc
            : metadata_text(out->corpus_hash, sizeof(out->corpus_hash), file, "corpus_hash", "",
                            path);
    rc = rc ? rc
            : metadata_text(out->model_hash, sizeof(out->model_hash), file, "model_hash",
                            model_hash, path);
    rc = rc ? rc : metadata_number(&out->l2, file, "l2", PUBLISHED_DECAY, path);
    rc = rc ? rc : layer_read(&out->layers[0], file, layer, path);
    if (rc != 0) {
        return rc;
    }
    if (strcmp(stated, notation) != 0) {
        return err_set(OGPT_EUSAGE, "%s: is in notation %s, not %s; give --notation %s", path,
                       stated, notation, stated);
    }
    int parsed = hook_site_parse_for(site, HOOK_USE_VECTOR);
    if (parsed < 0) {
        return err_set(OGPT_EFORMAT, "%s: __metadata__ \"site\": \"%s\" is not a hook site", path,
                       site);
    }
    out->site = (HookSite)parsed;
    if (model_hash[0] != '\0') {
        snprintf(out->model_hash, sizeof(out->model_hash), "%s", model_hash);
    }
    return out->model_hash[0] != '\0'
               ? 0
               : err_set(OGPT_EUSAGE,
                         "%s: does not say which model it belongs to; give --model "
                         "MODEL",
                         path);
}

static int shape_read(Probe *out, const StFile *file, const char *path)
{
    const StTensor *tensor = st_find(file, PROBE_LAYOUT_TENSOR);
    bool fits = tensor && tensor->rank == 5 && tensor->shape[0] == N_MODES &&
                tensor->shape[1] >= 1 && tensor->shape[1] <= 65536 &&
                tensor->shape[2] == tensor->shape[3] && tensor->shape[4] == N_OPTIONS &&
                (tensor->shape[2] == 4 || tensor->shape[2] == 6 || tensor->shape[2] == 8);
    size_t n_known = st_find(file, PROBE_LAYOUT_BIAS) ? 2 : 1;
    if (!fits || st_count(file) != n_known) {
        return err_set(OGPT_EFORMAT,
                       "%s: expected one tensor \"" PROBE_LAYOUT_TENSOR "\" [3, d_model, n, n, 3] "
                       "with n 4, 6 or 8 (and perhaps \"" PROBE_LAYOUT_BIAS "\"), found %s",
                       path, fits ? "more tensors" : "another shape or none");
    }
    out->d_model = (int)tensor->shape[1];
    out->size = (int)tensor->shape[2];
    out->n_squares = out->size * out->size;
    return 0;
}

/* Read weight (N_MODES, d_model, n_squares, 3) and bias (N_MODES, n_squares, 3; zero if the file
 * has none) in the order of the file. */
static int modes_read(float *weight, float *bias, const StFile *file, const Probe *probe)
{
    const uint64_t width = (uint64_t)probe->d_model, size = (uint64_t)probe->size;
    const uint64_t shape[] = {N_MODES, width, size, size, N_OPTIONS};
    const uint64_t bias_shape[] = {N_MODES, size, size, N_OPTIONS};
    memset(bias, 0, N_MODES * size * size * N_OPTIONS * sizeof(*bias));
    int rc = st_read_f32(weight, file, PROBE_LAYOUT_TENSOR, 5, shape, false);
    if (rc == 0 && st_find(file, PROBE_LAYOUT_BIAS)) {
        rc = st_read_f32(bias, file, PROBE_LAYOUT_BIAS, 4, bias_shape, false);
    }
    return rc;
}

int probe_layout_read(Probe *out, const char *path, int layer, const char *model_hash,
                      const char *notation)
{
    StFile *file = NULL;
    float *modes = NULL;
    *out = (Probe){.task = "mine",
                   .classes = {"empty", "theirs", "mine"},
                   .n_classes = N_OPTIONS,
                   .n_layers = 1,
                   .fitted = {true},
                   .fit = {{.gradient = NAN}},
                   .seconds = {NAN}};
    int rc = st_open(&file, path);
    rc = rc ? rc : shape_read(out, file, path);
    rc = rc ? rc : about_read(out, file, layer, model_hash, notation, path);
    rc = rc ? rc : probe_allocate(out);
    if (rc != 0) {
        goto done;
    }
    const size_t width = (size_t)out->d_model, board = (size_t)out->n_squares * N_OPTIONS;
    modes = mem_alloc(N_MODES * (width + 1) * board, sizeof(*modes), "a probe in three modes");
    if (!modes) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    float *bias = modes + N_MODES * width * board;
    rc = modes_read(modes, bias, file, out);
    if (rc == 0) {
        modes_merge(out->weight[0], modes, width, out);
        modes_merge(out->bias[0], bias, 1, out);
    }
done:
    mem_free(modes);
    st_close(file);
    if (rc != 0) {
        probe_release(out);
    }
    return rc;
}

/* ---- comparing scores ---- */

/* The score of our class at one cell: the mean over the file's two modes of the option that means
 * it. */
static double published_score(const float *weight, const float *bias, const Probe *probe,
                              const float *x, size_t square, int class)
{
    const size_t width = (size_t)probe->d_model, board = (size_t)probe->n_squares * N_OPTIONS;
    double sum = 0;
    for (size_t mode = 0; mode < 2; mode++) {
        int option = class;
        if (mode == WHITE_TO_PLAY && class != 0) {
            option = class == 1 ? BLACK_DISC : WHITE_DISC; /* theirs is black, mine is white */
        }
        const size_t at = square * N_OPTIONS + (size_t)option;
        sum += 0.5 * (double)bias[mode * board + at];
        for (size_t c = 0; c < width; c++) {
            sum += 0.5 * (double)x[c] * (double)weight[(mode * width + c) * board + at];
        }
    }
    return sum;
}

int probe_layout_difference(double *largest, const Probe *probe, int i, const char *path, size_t n,
                            uint64_t seed)
{
    const size_t width = (size_t)probe->d_model, board = (size_t)probe->n_squares * N_OPTIONS;
    StFile *file = NULL;
    int rc = st_open(&file, path);
    if (rc != 0) {
        return rc;
    }
    float *modes = mem_alloc(N_MODES * (width + 1) * board + width + board, sizeof(*modes),
                             "a probe in three modes");
    if (!modes) {
        st_close(file);
        return OGPT_ENOMEM;
    }
    float *bias = modes + N_MODES * width * board, *x = bias + N_MODES * board;
    float *scores = x + width;
    *largest = 0;
    rc = modes_read(modes, bias, file, probe);
    for (size_t row = 0; rc == 0 && row < n; row++) {
        Rng rng = rng_at(seed, RNG_EVAL, row);
        for (size_t c = 0; c < width; c++) {
            x[c] = (float)rng_normal(&rng);
        }
        probe_scores(scores, probe, i, x, 1);
        for (size_t at = 0; at < board; at++) {
            double theirs =
                published_score(modes, bias, probe, x, at / N_OPTIONS, (int)(at % N_OPTIONS));
            *largest = fmax(*largest, fabs(theirs - (double)scores[at]));
        }
    }
    mem_free(modes);
    st_close(file);
    return rc;
}
