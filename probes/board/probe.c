/* probes/board/probe.c - see probes/board/probe.h: probes in memory. */
#include "probes/board/probe.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "datasets/vocab.h"
#include "num/blas.h"
#include "num/softmax.h"

#define HIDDEN_FLOATS 32768 /* hidden values held at a time, on the stack */
#define MAX_SQUARES 64

size_t probe_inputs(const Probe *probe)
{
    return (size_t)(probe->n_hidden > 0 ? probe->n_hidden : probe->d_model);
}

static size_t bias_count(const Probe *probe)
{
    return (size_t)probe->n_squares * (size_t)probe->n_classes;
}

int probe_allocate(Probe *probe)
{
    size_t width = (size_t)probe->d_model, hidden = (size_t)probe->n_hidden;
    for (int i = 0; i < probe->n_layers; i++) {
        probe->weight[i] =
            mem_calloc(probe_inputs(probe) * bias_count(probe), sizeof(float), "probe weights");
        probe->bias[i] = mem_calloc(bias_count(probe), sizeof(float), "probe biases");
        bool whole = probe->weight[i] && probe->bias[i];
        if (hidden > 0) {
            probe->hidden_weight[i] = mem_calloc(width * hidden, sizeof(float), "hidden weights");
            probe->hidden_bias[i] = mem_calloc(hidden, sizeof(float), "hidden biases");
            whole = whole && probe->hidden_weight[i] && probe->hidden_bias[i];
        }
        if (!whole) {
            probe_release(probe);
            return OGPT_ENOMEM;
        }
    }
    return 0;
}

void probe_release(Probe *probe)
{
    for (int i = 0; i < LAYERS_MAX; i++) {
        mem_free(probe->weight[i]);
        mem_free(probe->bias[i]);
        mem_free(probe->hidden_weight[i]);
        mem_free(probe->hidden_bias[i]);
        probe->weight[i] = NULL;
        probe->bias[i] = NULL;
        probe->hidden_weight[i] = NULL;
        probe->hidden_bias[i] = NULL;
    }
}

HookSite probe_hook(int *block, const Probe *probe, int layer)
{
    if (layer == LAYER_EMBED) {
        *block = 0;
        return HOOK_RESID_PRE;
    }
    *block = layer;
    return probe->site;
}

/* ---- use ---- */

int subject_check_probe(const Subject *subject, const char *path, const Probe *probe)
{
    return probe_check_model(probe, path, subject->model.model_hash, &subject->model.gpt->cfg);
}

int probe_check_finished(const Probe *probe, const char *path)
{
    for (int i = 0; i < probe->n_layers; i++) {
        if (!probe->fitted[i]) {
            return err_set(OGPT_EUSAGE,
                           "%s: layer %d is not fitted yet; finish it with the command that began "
                           "it (ogpt probe fit)",
                           path, probe->layers[i]);
        }
    }
    return 0;
}

int probe_check_mine_at(const Probe *probe, const char *path, HookSite site, bool linear)
{
    const bool fits = probe->n_classes == 3 && strcmp(probe->task, "mine") == 0 &&
                      strcmp(probe->labels, "mover") == 0 && probe->site == site &&
                      (probe->n_hidden == 0 || !linear);
    return fits ? probe_check_finished(probe, path)
                : err_set(OGPT_EUSAGE,
                          "%s: expected a %sprobe of the task mine, labels mover, at %s, found "
                          "task %s, labels %s, at %s%s: name another --probe",
                          path, linear ? "linear " : "", hook_site_name(site), probe->task,
                          probe->labels, hook_site_name(probe->site),
                          probe->n_hidden ? " with a hidden layer" : "");
}

int probe_check_mine(const Probe *probe, const char *path)
{
    return probe_check_mine_at(probe, path, HOOK_RESID_POST, true);
}

int probe_check_model(const Probe *probe, const char *path, const char *model_hash,
                      const GptConfig *cfg)
{
    if (strcmp(probe->model_hash, model_hash) != 0) {
        return err_set(OGPT_EFORMAT,
                       "%s: fitted on model %.12s, this model is %.12s; fit a probe on this model "
                       "(ogpt probe fit)",
                       path, probe->model_hash, model_hash);
    }
    const Vocab *vocab = vocab_by_size(cfg->d_vocab, RULES_CLASSIC);
    int size = vocab ? vocab->variant->size : 0;
    if (size != probe->size) {
        return err_set(OGPT_EFORMAT, "%s: a probe of the %dx%d board, the model plays %dx%d", path,
                       probe->size, probe->size, size, size);
    }
    size_t width = hook_width(cfg, probe->site, (size_t)cfg->n_ctx);
    if (width != (size_t)probe->d_model) {
        return err_set(OGPT_EFORMAT, "%s: reads rows of %d numbers, the model's %s has %zu", path,
                       probe->d_model, hook_site_name(probe->site), width);
    }
    int last = probe->layers[probe->n_layers - 1];
    if (last >= cfg->n_layers) {
        return err_set(OGPT_EFORMAT, "%s: holds layer %d, the model has layers 0 to %d", path, last,
                       cfg->n_layers - 1);
    }
    return 0;
}

int probe_layer_index(const Probe *probe, int layer)
{
    for (int i = 0; i < probe->n_layers; i++) {
        if (probe->layers[i] == layer) {
            return i;
        }
    }
    return -1;
}

int probe_class(const Probe *probe, const char *name)
{
    for (int k = 0; k < probe->n_classes; k++) {
        if (strcmp(probe->classes[k], name) == 0) {
            return k;
        }
    }
    return -1;
}

/* out (n, columns) = x (n, width) . weight (width, columns) + bias */
static void affine(float *out, const float *x, const float *weight, const float *bias, size_t n,
                   size_t width, size_t columns)
{
    for (size_t row = 0; row < n; row++) {
        memcpy(out + row * columns, bias, columns * sizeof(float));
    }
    gemm(false, false, n, columns, width, 1.0f, x, width, weight, columns, 1.0f, out, columns);
}

static void rectify(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = x[i] > 0 ? x[i] : 0;
    }
}

void probe_scores(float *scores, const Probe *probe, int i, const float *x, size_t n)
{
    assert(i >= 0 && i < probe->n_layers);
    size_t width = (size_t)probe->d_model, hidden = (size_t)probe->n_hidden;
    size_t columns = bias_count(probe);
    if (hidden == 0) {
        affine(scores, x, probe->weight[i], probe->bias[i], n, width, columns);
        return;
    }
    float values[HIDDEN_FLOATS];
    size_t step = HIDDEN_FLOATS / hidden;
    for (size_t first = 0; first < n; first += step) {
        size_t rows = n - first < step ? n - first : step;
        affine(values, x + first * width, probe->hidden_weight[i], probe->hidden_bias[i], rows,
               width, hidden);
        rectify(values, rows * hidden);
        affine(scores + first * columns, values, probe->weight[i], probe->bias[i], rows, hidden,
               columns);
    }
}

void probe_classify(uint8_t *classes, float *scratch, const Probe *probe, int i, const float *x,
                    size_t n)
{
    probe_scores(scratch, probe, i, x, n);
    size_t K = (size_t)probe->n_classes;
    for (size_t cell = 0; cell < n * (size_t)probe->n_squares; cell++) {
        const float *score = scratch + cell * K;
        size_t best = 0;
        for (size_t k = 1; k < K; k++) {
            best = score[k] > score[best] ? k : best;
        }
        classes[cell] = (uint8_t)best;
    }
}

int probe_check_linear(const Probe *probe, const char *probe_path)
{
    return probe->n_hidden == 0
               ? 0
               : err_set(OGPT_EUSAGE,
                         "%s: a probe with a hidden layer of %d has no directions; fit one without "
                         "--hidden, or edit by gradient",
                         probe_path, probe->n_hidden);
}

/* ---- the gradient with respect to one row ---- */

/* out (columns) = x (width) . weight (width, columns) + bias for one row. Why not a matrix product?
 * It would spend its time on packing. */
static void affine_row(float *out, const float *x, const float *weight, const float *bias,
                       size_t width, size_t columns)
{
    memcpy(out, bias, columns * sizeof(float));
    for (size_t c = 0; c < width; c++) {
        const float *row = weight + c * columns;
        float value = x[c];
        for (size_t j = 0; j < columns; j++) {
            out[j] += value * row[j];
        }
    }
}

/* out (width) = weight (width, columns) . g (columns) */
static void backward_row(float *out, const float *g, const float *weight, size_t width,
                         size_t columns)
{
    for (size_t c = 0; c < width; c++) {
        const float *row = weight + c * columns;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t j = 0; j < columns; j++) {
            sum += row[j] * g[j];
        }
        out[c] = sum;
    }
}

double probe_input_gradient(float *gradient, const Probe *probe, int i, const float *x,
                            const uint8_t *target, const float *square_weight)
{
    assert(i >= 0 && i < probe->n_layers && probe->n_squares <= MAX_SQUARES);
    size_t width = (size_t)probe->d_model, hidden = (size_t)probe->n_hidden;
    size_t S = (size_t)probe->n_squares, K = (size_t)probe->n_classes, columns = S * K;
    float values[PROBE_MAX_HIDDEN], back[PROBE_MAX_HIDDEN];
    float score[MAX_SQUARES * TASK_MAX_CLASSES], z[MAX_SQUARES * TASK_MAX_CLASSES];
    double loss[MAX_SQUARES] = {0}, total = 0;
    uint16_t squares[MAX_SQUARES] = {0};
    const float *input = x;
    if (hidden > 0) {
        affine_row(values, x, probe->hidden_weight[i], probe->hidden_bias[i], width, hidden);
        rectify(values, hidden);
        input = values;
    }
    affine_row(score, input, probe->weight[i], probe->bias[i], probe_inputs(probe), columns);
    for (size_t s = 0; s < S; s++) {
        squares[s] = (uint16_t)s;
        for (size_t k = 0; k < K; k++) {
            z[k * S + s] = score[s * K + k];
        }
    }
    softmax_residual(z, loss, target, S, squares, 1, S, K);
    for (size_t s = 0; s < S; s++) {
        total += (double)square_weight[s] * loss[s];
        for (size_t k = 0; k < K; k++) {
            score[s * K + k] = square_weight[s] * z[k * S + s];
        }
    }
    if (hidden == 0) {
        backward_row(gradient, score, probe->weight[i], width, columns);
        return total;
    }
    backward_row(back, score, probe->weight[i], hidden, columns);
    for (size_t h = 0; h < hidden; h++) {
        back[h] = values[h] > 0 ? back[h] : 0;
    }
    backward_row(gradient, back, probe->hidden_weight[i], width, hidden);
    return total;
}
