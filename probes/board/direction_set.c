/* probes/board/direction_set.c - see probes/board/direction_set.h. */
#include "probes/board/direction_set.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "game/notation.h"
#include "num/vectors.h"
#include "probes/activations/tasks.h"

int direction_set_allocate(DirectionSet *out, size_t n, size_t width)
{
    out->n = n;
    out->width = width;
    out->n_present = 0;
    out->unit = mem_calloc(n * width, sizeof(*out->unit), "directions");
    out->length = mem_calloc(n, sizeof(*out->length), "lengths of directions");
    out->offset = mem_calloc(n, sizeof(*out->offset), "offsets of directions");
    out->name = mem_calloc(n, sizeof(*out->name), "names of directions");
    if (!out->unit || !out->length || !out->offset || !out->name) {
        direction_set_release(out);
        return OGPT_ENOMEM;
    }
    return 0;
}

void direction_set_release(DirectionSet *set)
{
    mem_free(set->unit);
    mem_free(set->length);
    mem_free(set->offset);
    mem_free(set->name);
    *set = (DirectionSet){0};
}

/* ---- at random ---- */

double direction_random(float *out, size_t width, uint64_t seed, uint64_t index)
{
    Rng rng = rng_at(seed, RNG_DIRECTION, index);
    for (size_t c = 0; c < width; c++) {
        out[c] = (float)rng_normal(&rng);
    }
    return vector_length(out, width);
}

int direction_set_random(DirectionSet *out, size_t n, size_t width, uint64_t seed)
{
    int rc = direction_set_allocate(out, n, width);
    for (size_t i = 0; i < n && rc == 0; i++) {
        float *unit = out->unit + i * width;
        out->length[i] = direction_random(unit, width, seed, i);
        out->n_present += out->length[i] > 0;
        for (size_t c = 0; c < width && out->length[i] > 0; c++) {
            unit[c] = (float)(unit[c] / out->length[i]);
        }
        snprintf(out->name[i], DIRECTION_NAME_BYTES, "random %zu", i);
    }
    return rc;
}

/* ---- of a board ---- */

BoardTerms direction_terms(const Probe *probe)
{
    BoardTerms out = {
        .n_classes = probe->n_classes, .size = probe->size, .n_squares = probe->n_squares};
    memcpy(out.task, probe->task, sizeof(out.task));
    memcpy(out.labels, probe->labels, sizeof(out.labels));
    memcpy(out.classes, probe->classes, sizeof(out.classes));
    return out;
}

BoardTerms direction_terms_mine(const GameVariant *variant, const char *labels)
{
    const Task *task = task_find("mine");
    BoardTerms out = {.n_classes = task->n_classes,
                      .size = variant->size,
                      .n_squares = variant->size * variant->size};
    snprintf(out.task, sizeof(out.task), "%s", task->name);
    snprintf(out.labels, sizeof(out.labels), "%s", labels);
    for (int k = 0; k < task->n_classes; k++) {
        snprintf(out.classes[k], sizeof(out.classes[k]), "%s", task->classes[k]);
    }
    return out;
}

int direction_class(const BoardTerms *terms, const char *name)
{
    for (int k = 0; k < terms->n_classes; k++) {
        if (strcmp(terms->classes[k], name) == 0) {
            return k;
        }
    }
    return -1;
}

size_t direction_of_square(const DirectionSet *set, int square, int from, int to)
{
    return (size_t)((square * set->n_classes + from) * set->n_classes + to);
}

/* unit = column `to` minus column `from`, or column `to` alone where both are the same, scaled to 1
 * after it was rounded to float. Returns its length before. */
static double fill_direction(float *unit, const float *weight, size_t width, size_t step,
                             const int states[2])
{
    int from = states[0], to = states[1];
    double sum = 0;
    for (size_t c = 0; c < width; c++) {
        const float *row = weight + c * step;
        double value = from == to ? (double)row[to] : (double)row[to] - (double)row[from];
        unit[c] = (float)value;
        sum += value * value;
    }
    double length = sqrt(sum);
    for (size_t c = 0; c < width && length > 0; c++) {
        unit[c] = (float)((double)unit[c] / length);
    }
    return length;
}

static void name_direction(char out[DIRECTION_NAME_BYTES], const BoardTerms *terms, int square,
                           const int states[2])
{
    const char *from = terms->classes[states[0]], *to = terms->classes[states[1]];
    char name[3];
    square_print(name, 8 * (square / terms->size) + square % terms->size);
    snprintf(out, DIRECTION_NAME_BYTES, "%s %s%s%s", name, states[0] == states[1] ? "" : from,
             states[0] == states[1] ? "" : " to ", to);
}

int direction_set_of_weights(DirectionSet *out, const BoardTerms *terms, size_t width,
                             const float *weight, const float *bias)
{
    int K = terms->n_classes;
    size_t step = (size_t)(terms->n_squares * K);
    out->size = terms->size;
    out->n_classes = K;
    int rc = direction_set_allocate(out, step * (size_t)K, width);
    for (int i = 0; i < terms->n_squares * K * K && rc == 0; i++) {
        int square = i / (K * K), states[2] = {i / K % K, i % K};
        double length =
            fill_direction(out->unit + (size_t)i * width, weight + square * K, width, step, states);
        out->length[i] = length;
        out->n_present += length > 0;
        if (bias && length > 0) {
            const float *b = bias + square * K;
            out->offset[i] = ((double)b[states[1]] - b[states[0]]) / length;
        }
        name_direction(out->name[i], terms, square, states);
    }
    return rc;
}

int direction_board_of_probe(BoardDirections *out, const Probe *probe)
{
    int rc = 0;
    *out = (BoardDirections){.probe = probe,
                             .terms = direction_terms(probe),
                             .site = probe->site,
                             .width = (size_t)probe->d_model,
                             .n_layers = probe->n_layers};
    memcpy(out->layers, probe->layers, sizeof(out->layers));
    memcpy(out->fitted, probe->fitted, sizeof(out->fitted));
    for (int i = 0; i < probe->n_layers && probe->n_hidden == 0 && rc == 0; i++) {
        out->sets[i].site = probe_hook(&out->sets[i].layer, probe, probe->layers[i]);
        if (probe->fitted[i]) {
            rc = direction_set_of_weights(&out->sets[i], &out->terms, out->width, probe->weight[i],
                                          probe->bias[i]);
        }
    }
    if (rc != 0) {
        direction_board_release(out);
    }
    return rc;
}

void direction_board_release(BoardDirections *directions)
{
    for (int i = 0; i < LAYERS_MAX; i++) {
        direction_set_release(&directions->sets[i]);
    }
}

int direction_layer_index(const BoardDirections *directions, int layer)
{
    for (int i = 0; i < directions->n_layers; i++) {
        if (directions->layers[i] == layer) {
            return i;
        }
    }
    return -1;
}

void direction_board_hash(Sha256 *hash, const BoardDirections *directions)
{
    for (int i = 0; i < directions->n_layers; i++) {
        const DirectionSet *set = &directions->sets[i];
        sha256_add(hash, set->unit, set->n * set->width * sizeof(*set->unit));
        sha256_add(hash, set->length, set->n * sizeof(*set->length));
    }
}
