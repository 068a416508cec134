/* probes/edits/edit_methods.c - how each method changes a row; formulas in
 * probes/edits/edit_plan.h. */
#include "probes/edits/edit_methods.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "datasets/labels.h"
#include "game/play.h"
#include "probes/edits/edit_internal.h"

/* The square of a wrong-square control is drawn from another stream than the direction. */
#define SQUARE_STREAM (1ULL << 63)

/* ---- vectors ---- */

double edit__dot(const float *a, const float *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

void edit__add(float *x, const float *direction, double amount, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] += (float)(amount * direction[i]);
    }
}

/* ---- methods ---- */

/* A scale as a length: s, or s * ||x||. */
static double length_of(const EditRow *row)
{
    double norm = sqrt(edit__dot(row->x, row->x, (size_t)row->probe->d_model));
    return row->plan->scale.value * (row->plan->scale.relative ? norm : 1.0);
}

/* unit(w_to - w_from) of square i of the edit. Returns ||w_to - w_from||; 0: the probe knows no
 * difference between the two states, and there is nothing to do. */
static double difference(const EditRow *row, int i)
{
    const EditSquares *squares = row->squares;
    return probe_direction(row->scratch, row->probe, row->at, squares->squares[i], squares->from[i],
                           squares->to[i]);
}

/* unit(w_to) of square i of the edit, as above. */
static double target_column(const EditRow *row, int i)
{
    const Probe *probe = row->probe;
    size_t width = (size_t)probe->d_model, step = (size_t)(probe->n_squares * probe->n_classes);
    const float *column =
        probe->weight[row->at] + row->squares->squares[i] * probe->n_classes + row->squares->to[i];
    double norm;

    for (size_t c = 0; c < width; c++) {
        row->scratch[c] = column[c * step];
    }
    norm = sqrt(edit__dot(row->scratch, row->scratch, width));
    for (size_t c = 0; c < width && norm > 0.0; c++) {
        row->scratch[c] = (float)(row->scratch[c] / norm);
    }
    return norm;
}

static void add_row(const EditRow *row)
{
    for (int i = 0; i < row->squares->n; i++) {
        double norm =
            row->plan->direction == DIRECTION_TARGET ? target_column(row, i) : difference(row, i);

        if (norm > 0.0) {
            edit__add(row->x, row->scratch, length_of(row), (size_t)row->probe->d_model);
        }
    }
}

/* Means are no unit vectors: a bare scale multiplies their difference. */
static void mean_difference_row(const EditRow *row)
{
    for (int i = 0; i < row->squares->n; i++) {
        double norm = difference(row, i);
        if (norm > 0.0) {
            edit__add(row->x, row->scratch,
                      row->plan->scale.relative ? length_of(row) : row->plan->scale.value * norm,
                      (size_t)row->probe->d_model);
        }
    }
}

/* Coordinate of x along the direction in scratch, for square i of the edit. */
static double coordinate(const EditRow *row, int i, double norm)
{
    const Probe *probe = row->probe;
    const float *bias = probe->bias[row->at] + row->squares->squares[i] * probe->n_classes;
    double offset = (double)bias[row->squares->to[i]] - bias[row->squares->from[i]];
    return edit__dot(row->x, row->scratch, (size_t)probe->d_model) +
           (row->plan->ignore_bias ? 0.0 : offset / norm);
}

static void project_row(const EditRow *row)
{
    for (int i = 0; i < row->squares->n; i++) {
        double norm = difference(row, i);
        if (norm > 0.0) {
            edit__add(row->x, row->scratch,
                      -(row->plan->scale.value + 1.0) * coordinate(row, i, norm),
                      (size_t)row->probe->d_model);
        }
    }
}

static void set_row(const EditRow *row)
{
    for (int i = 0; i < row->squares->n; i++) {
        double norm = difference(row, i);
        if (norm > 0.0) {
            edit__add(row->x, row->scratch, length_of(row) - coordinate(row, i, norm),
                      (size_t)row->probe->d_model);
        }
    }
}

static void (*const methods[N_EDIT_METHODS])(const EditRow *row) = {
    [METHOD_ADD] = add_row,
    [METHOD_PROJECT] = project_row,
    [METHOD_SET] = set_row,
    [METHOD_GRADIENT] = edit__gradient_row,
    [METHOD_MEAN_DIFFERENCE] = mean_difference_row,
};

void edit_row(float *x, float *scratch, const EditPlan *plan, const Probe *probe, int layer,
              const EditSquares *squares)
{
    int probe_layer = plan->probe_layer == PROBE_LAYER_OWN ? layer : plan->probe_layer;
    EditRow row = {.x = x,
                   .scratch = scratch,
                   .plan = plan,
                   .probe = probe,
                   .at = probe_layer_index(probe, probe_layer),
                   .squares = squares};
    methods[plan->method](&row);
}

/* ---- a case in the probe's terms ---- */

/* Class number of a LABEL_* colour state in the probe's task. */
static int probe_state(const Probe *probe, const EditCase *edit, int state)
{
    Colour viewer = edit->before.to_move;
    if (state == LABEL_EMPTY) {
        return probe_class(probe, "empty");
    }
    if (strcmp(probe->task, "colour") == 0) {
        return probe_class(probe, case_state_name(state));
    }
    if (strcmp(probe->labels, "parity") == 0) {
        viewer = edit->n_moves % 2 == 0 ? BLACK : WHITE;
    }
    return probe_class(probe, (state == LABEL_BLACK) == (viewer == BLACK) ? "mine" : "theirs");
}

static int square_index(const Probe *probe, int sq)
{
    return sq / 8 * probe->size + sq % 8;
}

/* The true board before the edit, and on it the edited squares as they shall be. */
static void set_target(EditSquares *out, const Probe *probe, const EditCase *edit)
{
    uint64_t black = board_discs(&edit->before, BLACK), white = board_discs(&edit->before, WHITE);
    for (int row = 0; row < probe->size; row++) {
        for (int column = 0; column < probe->size; column++) {
            int sq = 8 * row + column;
            int state = black >> sq & 1 ? LABEL_BLACK : white >> sq & 1 ? LABEL_WHITE : LABEL_EMPTY;
            out->target[square_index(probe, sq)] = (uint8_t)probe_state(probe, edit, state);
        }
    }
    for (int i = 0; i < out->n; i++) {
        out->target[out->squares[i]] = (uint8_t)out->to[i];
    }
}

EditSquares edit_squares(const Probe *probe, const EditCase *edit)
{
    EditSquares out = {.n = edit->n_squares};
    for (int i = 0; i < edit->n_squares; i++) {
        out.squares[i] = square_index(probe, edit->squares[i].sq);
        out.from[i] = probe_state(probe, edit, edit->squares[i].from);
        out.to[i] = probe_state(probe, edit, edit->squares[i].to);
    }
    set_target(&out, probe, edit);
    return out;
}

EditSquares edit_kept_squares(const Probe *probe, const EditCase *edit)
{
    EditSquares out = edit_squares(probe, edit);
    for (int i = 0; i < out.n; i++) {
        out.to[i] = out.from[i];
        out.target[out.squares[i]] = (uint8_t)out.from[i];
    }
    return out;
}

EditSquares edit_wrong_squares(const Probe *probe, const EditCase *edit, const GameVariant *variant,
                               uint64_t seed, size_t index)
{
    Rng rng = rng_at(seed, RNG_DIRECTION, index | SQUARE_STREAM);
    uint64_t free_squares = variant->squares;
    EditSquares out = edit_squares(probe, edit);
    for (int i = 0; i < edit->n_squares; i++) {
        free_squares &= ~(1ULL << edit->squares[i].sq);
    }
    for (int i = 0; i < edit->n_squares; i++) {
        uint64_t discs[3], alike;
        int sq;
        discs[LABEL_BLACK] = board_discs(&edit->before, BLACK);
        discs[LABEL_WHITE] = board_discs(&edit->before, WHITE);
        discs[LABEL_EMPTY] = ~(discs[LABEL_BLACK] | discs[LABEL_WHITE]);
        alike = discs[edit->squares[i].from] & free_squares;
        alike = alike ? alike : free_squares;
        sq = mask_select(alike, (int)rng_below(&rng, (uint32_t)__builtin_popcountll(alike)));
        free_squares &= ~(1ULL << sq);
        out.squares[i] = square_index(probe, sq);
    }
    set_target(&out, probe, edit);
    return out;
}
