/* probes/artefacts/probe_layout.c - the published probes' layouts; see probe_layout.h. */
#include "probes/artefacts/probe_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/formats/safetensors.h"
#include "probes/activations/tasks.h"

#define PUBLISHED_DECAY 0.01 /* weight decay with which the published probe was fitted */

enum { BLACK_TO_PLAY, WHITE_TO_PLAY, ALL_POSITIONS, N_MODES };
enum { EMPTY, WHITE_DISC, BLACK_DISC, N_OPTIONS };

/* Our class (empty, theirs, mine) of each option, by the side to play. */
static const int class_of_option[2][N_OPTIONS] = {
    [BLACK_TO_PLAY] = {0, 1, 2},
    [WHITE_TO_PLAY] = {0, 2, 1},
};

/* The forms. class_of_option: our class of each option; three modes have two such rows, above. */
typedef struct LayoutForm {
    const char *tensor, *bias, *task;
    size_t n_modes, n_options; /* n_modes 0: proj.weight, [squares * options, d_model] */
    int class_of_option[N_OPTIONS];
} LayoutForm;

static const LayoutForm forms[] = {
    {PROBE_LAYOUT_TENSOR, PROBE_LAYOUT_BIAS, "mine", N_MODES, 3, {0, 1, 2}},
    {PROBE_LAYOUT_TENSOR, PROBE_LAYOUT_BIAS, "mine", 1, 3, {0, 1, 2}},
    {PROBE_LAYOUT_TENSOR, PROBE_LAYOUT_BIAS, "flipped", 1, 2, {1, 0}},
    {PROBE_LAYOUT_PROJ, PROBE_LAYOUT_PROJ_BIAS, "colour", 0, 3, {1, 0, 2}},
    {PROBE_LAYOUT_PROJ, PROBE_LAYOUT_PROJ_BIAS, "mine", 0, 3, {2, 0, 1}},
};
enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

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
        {.name = PROBE_LAYOUT_TENSOR,
         .rank = 5,
         .shape = {N_MODES, width, size, size, N_OPTIONS},
         .data = weight},
        {.name = PROBE_LAYOUT_BIAS,
         .rank = 4,
         .shape = {N_MODES, size, size, N_OPTIONS},
         .data = bias},
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
        {"split_rule", split_rules_name(probe->split_rules)},
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
                       "%s: does not say which layer it reads; give --layers (6 for the published "
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

static int about_read(Probe *out, const StFile *file, const ProbeGiven *given, const char *path)
{
    const char *notation = given->notation, *model_hash = given->model_hash;
    char site[32], stated[24];
    int rc = metadata_text(site, sizeof(site), file, "site", "resid_post", path);
    rc = rc ? rc : metadata_text(stated, sizeof(stated), file, "notation", notation, path);
    rc = rc ? rc : metadata_text(out->labels, sizeof(out->labels), file, "labels", "parity", path);
    rc = rc ? rc : metadata_text(out->solver, sizeof(out->solver), file, "solver", "adamw", path);
    rc = rc ? rc
            : metadata_text(out->corpus_hash, sizeof(out->corpus_hash), file, "corpus_hash", "",
                            path);
    if (rc == 0 && out->corpus_hash[0] != '\0') {
        out->split_rules = split_rules_of(st_metadata(file, "split_rule"));
    }
    rc = rc ? rc
            : metadata_text(out->model_hash, sizeof(out->model_hash), file, "model_hash",
                            model_hash, path);
    rc = rc ? rc : metadata_number(&out->l2, file, "l2", PUBLISHED_DECAY, path);
    rc = rc ? rc : layer_read(&out->layers[0], file, given->layer, path);
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

/* The boards whose squares number n. */
static int size_of_squares(uint64_t n)
{
    return n == 16 ? 4 : n == 36 ? 6 : n == 64 ? 8 : 0;
}

/* Whether the tensor has the shape of this form; then also the sizes. */
static bool form_fits(Probe *out, const LayoutForm *form, const StTensor *tensor)
{
    const uint64_t *shape = tensor->shape;
    if (strcmp(tensor->name, form->tensor) != 0 || tensor->rank != (form->n_modes > 0 ? 5 : 2)) {
        return false;
    }
    uint64_t width = shape[1];
    if (form->n_modes > 0) {
        bool fits = shape[0] == form->n_modes && shape[2] == shape[3] && shape[2] <= 8 &&
                    shape[4] == form->n_options;
        out->size = fits ? size_of_squares(shape[2] * shape[3]) : 0;
    } else {
        out->size = shape[0] % N_OPTIONS == 0 ? size_of_squares(shape[0] / N_OPTIONS) : 0;
    }
    out->d_model = (int)width;
    out->n_squares = out->size * out->size;
    return out->size > 0 && width >= 1 && width <= 65536;
}

/* The form of the file. proj.weight has two, which differ in their task. */
static int form_read(const LayoutForm **form, Probe *out, const StFile *file, const char *task,
                     const char *path)
{
    *form = NULL;
    for (size_t i = 0; i < st_count(file) && !*form; i++) {
        for (size_t f = 0; f < N_FORMS && !*form; f++) {
            bool named = forms[f].n_modes > 0 || !task || strcmp(task, forms[f].task) == 0;
            *form = named && form_fits(out, &forms[f], st_tensor(file, i)) ? &forms[f] : NULL;
        }
    }
    size_t n_known = *form && st_find(file, (*form)->bias) ? 2 : 1;
    if (!*form || st_count(file) != n_known) {
        return err_set(OGPT_EFORMAT,
                       "%s: expected one tensor \"" PROBE_LAYOUT_TENSOR "\" [3, d_model, n, n, 3] "
                       "([1, d_model, n, n, 3] or [1, d_model, n, n, 2]) with n 4, 6 or 8 (and "
                       "perhaps \"" PROBE_LAYOUT_BIAS "\"), or \"" PROBE_LAYOUT_PROJ
                       "\" [3 n n, d_model] and \"" PROBE_LAYOUT_PROJ_BIAS "\", found %s",
                       path, *form ? "more tensors" : "another shape or none");
    }
    if ((*form)->n_modes == 0 && !task) {
        return err_set(
            OGPT_EUSAGE,
            "%s: does not say what it reads; give --task colour (white, empty, black: Li "
            "et al.) or --task mine (mine, empty, theirs: Hazineh et al.)",
            path);
    }
    if (task && strcmp(task, (*form)->task) != 0) {
        return err_set(OGPT_EUSAGE, "%s: reads task %s by its shape, not %s; leave --task out",
                       path, (*form)->task, task);
    }
    return 0;
}

/* Where the number of a row, square and option lies in a file of one mode. */
static size_t form_place(const LayoutForm *form, const Probe *probe, size_t c, size_t square,
                         size_t option)
{
    return form->n_modes > 0 ? (c * (size_t)probe->n_squares + square) * form->n_options + option
                             : (square * form->n_options + option) * (size_t)probe->d_model + c;
}

/* Read weight (d_model * n_squares * n_options) and bias (n_squares, n_options; zero if the file
 * has none) in the order of a file of one mode. */
static int single_read(float *weight, float *bias, const StFile *file, const LayoutForm *form,
                       const Probe *probe)
{
    const uint64_t width = (uint64_t)probe->d_model, size = (uint64_t)probe->size;
    const uint64_t K = form->n_options;
    const uint64_t five[] = {1, width, size, size, K}, four[] = {1, size, size, K};
    const uint64_t two[] = {size * size * K, width};
    bool modes = form->n_modes > 0;
    memset(bias, 0, size * size * K * sizeof(*bias));
    int rc = st_read_f32(weight, file, form->tensor, modes ? 5 : 2, modes ? five : two, false);
    if (rc == 0 && st_find(file, form->bias)) {
        rc = st_read_f32(bias, file, form->bias, modes ? 4 : 1, modes ? four : two, false);
    }
    return rc;
}

/* Options become classes. */
static void single_place(Probe *out, const float *weight, const float *bias, const LayoutForm *form)
{
    const size_t S = (size_t)out->n_squares, K = form->n_options;
    for (size_t s = 0; s < S; s++) {
        for (size_t o = 0; o < K; o++) {
            size_t at = s * K + (size_t)form->class_of_option[o];
            out->bias[0][at] = bias[s * K + o];
            for (size_t c = 0; c < (size_t)out->d_model; c++) {
                out->weight[0][c * S * K + at] = weight[form_place(form, out, c, s, o)];
            }
        }
    }
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

/* The probe in which a file of this form ends, without numbers. */
static void form_probe(Probe *out, const LayoutForm *form)
{
    const Task *task = task_find(form->task);
    snprintf(out->task, sizeof(out->task), "%s", form->task);
    out->n_classes = task->n_classes;
    for (int k = 0; k < task->n_classes; k++) {
        snprintf(out->classes[k], sizeof(out->classes[k]), "%s", task->classes[k]);
    }
    out->n_layers = 1;
    out->fitted[0] = true;
    out->fit[0].gradient = NAN;
    out->seconds[0] = NAN;
}

static int layout_open(StFile **out, const char *path)
{
    int rc = st_open(out, path);
    rc = rc ? rc : st_drop_wrappers(*out);
    if (rc) {
        st_close(*out);
        *out = NULL;
    }
    return rc;
}

int probe_layout_recognise(bool *out, const char *path)
{
    StFile *file = NULL;
    int rc = layout_open(&file, path);
    *out = rc == 0 && (st_find(file, PROBE_LAYOUT_TENSOR) || st_find(file, PROBE_LAYOUT_PROJ));
    st_close(file);
    return rc;
}

int probe_layout_read(Probe *out, const char *path, const ProbeGiven *given)
{
    StFile *file = NULL;
    const LayoutForm *form = NULL;
    float *numbers = NULL;
    *out = (Probe){0};
    int rc = layout_open(&file, path);
    rc = rc ? rc : form_read(&form, out, file, given->task, path);
    if (rc == 0) {
        form_probe(out, form);
    }
    rc = rc ? rc : about_read(out, file, given, path);
    rc = rc ? rc : probe_allocate(out);
    if (rc != 0) {
        goto done;
    }
    const size_t width = (size_t)out->d_model, board = (size_t)out->n_squares * N_OPTIONS;
    numbers = mem_alloc(N_MODES * (width + 1) * board, sizeof(*numbers), "a probe in three modes");
    if (!numbers) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    float *bias = numbers + N_MODES * width * board;
    if (form->n_modes == N_MODES) {
        rc = modes_read(numbers, bias, file, out);
        if (rc == 0) {
            modes_merge(out->weight[0], numbers, width, out);
            modes_merge(out->bias[0], bias, 1, out);
        }
    } else {
        rc = single_read(numbers, bias, file, form, out);
        if (rc == 0) {
            single_place(out, numbers, bias, form);
        }
    }
done:
    mem_free(numbers);
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

/* The score of our class at one cell in a file of one mode. Options are found by their meaning. */
static double single_score(const float *weight, const float *bias, const LayoutForm *form,
                           const Probe *probe, const float *x, size_t square, const char *class)
{
    static const char *const meaning[N_FORMS][N_OPTIONS] = {{"", "", ""},
                                                            {"empty", "theirs", "mine"},
                                                            {"flipped", "kept", ""},
                                                            {"white", "empty", "black"},
                                                            {"mine", "empty", "theirs"}};
    size_t option = 0, width = (size_t)probe->d_model;
    while (option + 1 < N_OPTIONS && strcmp(meaning[form - forms][option], class) != 0) {
        option++;
    }
    double sum = (double)bias[square * form->n_options + option];
    for (size_t c = 0; c < width; c++) {
        sum += (double)x[c] * (double)weight[form_place(form, probe, c, square, option)];
    }
    return sum;
}

int probe_layout_difference(double *largest, const Probe *probe, int i, const char *path, size_t n,
                            uint64_t seed)
{
    const size_t width = (size_t)probe->d_model, board = (size_t)probe->n_squares * N_OPTIONS;
    const size_t K = (size_t)probe->n_classes;
    StFile *file = NULL;
    const LayoutForm *form = NULL;
    Probe sizes = {0};
    int rc = layout_open(&file, path);
    rc = rc ? rc : form_read(&form, &sizes, file, probe->task, path);
    if (rc != 0) {
        st_close(file);
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
    bool three = form->n_modes == N_MODES;
    rc = three ? modes_read(modes, bias, file, probe) : single_read(modes, bias, file, form, probe);
    for (size_t row = 0; rc == 0 && row < n; row++) {
        Rng rng = rng_at(seed, RNG_EVAL, row);
        for (size_t c = 0; c < width; c++) {
            x[c] = (float)rng_normal(&rng);
        }
        probe_scores(scores, probe, i, x, 1);
        for (size_t at = 0; at < (size_t)probe->n_squares * K; at++) {
            double theirs =
                three ? published_score(modes, bias, probe, x, at / K, (int)(at % K))
                      : single_score(modes, bias, form, probe, x, at / K, probe->classes[at % K]);
            *largest = fmax(*largest, fabs(theirs - (double)scores[at]));
        }
    }
    mem_free(modes);
    st_close(file);
    return rc;
}
