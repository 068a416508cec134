/* probes/edits/edit_methods.c - how each method changes a row. The formulas are in
 * probes/edits/edit_plan.h. */
#include "probes/edits/edit_methods.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "datasets/labels.h"
#include "game/play.h"
#include "num/vectors.h"
#include "probes/edits/edit_internal.h"

/* The squares of arm wrong square are drawn from another stream than the random direction. */
#define SQUARE_STREAM (1ULL << 63)

/* ---- vectors ---- */

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
    double norm = sqrt(vector_dot(row->x, row->x, row->directions->width));
    return row->plan->scale.value * (row->plan->scale.relative ? norm : 1.0);
}

/* One direction of the row's layer. length 0: there is no direction, and the row stays as it is. */
typedef struct EditAlong {
    const float *unit;
    double length, offset;
} EditAlong;

static EditAlong direction_at(const EditRow *row, int square, int from, int to)
{
    const DirectionSet *set = &row->directions->sets[row->at];
    size_t i = direction_of_square(set, square, from, to);
    return (EditAlong){set->unit + i * set->width, set->length[i], set->offset[i]};
}

/* unit(w_to - w_from) of square i of the edit. */
static EditAlong difference(const EditRow *row, int i)
{
    const EditSquares *squares = row->squares;
    return direction_at(row, squares->squares[i], squares->from[i], squares->to[i]);
}

static void move(const EditRow *row, EditAlong along, double amount)
{
    if (along.length > 0.0) {
        edit__add(row->x, along.unit, amount, row->directions->width);
    }
}

/* Coordinate of x along a direction. */
static double coordinate(const EditRow *row, EditAlong along)
{
    return vector_dot(row->x, along.unit, row->directions->width) +
           (row->plan->ignore_bias ? 0.0 : along.offset);
}

static void edit_row_add(const EditRow *row)
{
    for (int i = 0; i < row->squares->n; i++) {
        int square = row->squares->squares[i], to = row->squares->to[i];
        move(row,
             row->plan->direction == DIRECTION_TARGET ? direction_at(row, square, to, to)
                                                      : difference(row, i),
             length_of(row));
    }
}

static void edit_row_project(const EditRow *row)
{
    for (int i = 0; i < row->squares->n; i++) {
        EditAlong along = difference(row, i);
        move(row, along, -(row->plan->scale.value + 1.0) * coordinate(row, along));
    }
}

static void edit_row_set(const EditRow *row)
{
    for (int i = 0; i < row->squares->n; i++) {
        EditAlong along = difference(row, i);
        move(row, along, length_of(row) - coordinate(row, along));
    }
}

/* An absolute scale multiplies the difference of the means itself, which is no unit vector. */
static void edit_row_mean_difference(const EditRow *row)
{
    for (int i = 0; i < row->squares->n; i++) {
        EditAlong along = difference(row, i);
        move(row, along,
             row->plan->scale.relative ? length_of(row) : row->plan->scale.value * along.length);
    }
}

static void edit_row_sae(const EditRow *row)
{
    const BoardMover *mover = row->directions->mover;
    const EditSquares *squares = row->squares;
    const BoardMoves moves = {squares->n, squares->squares, squares->from, squares->to};
    const size_t width = row->directions->width;
    mover->move(mover->self, row->scratch, row->scratch + width, row->x, &moves,
                row->plan->features);
    edit__add(row->x, row->scratch, row->plan->scale.value, width);
}

static void (*const methods[N_EDIT_METHODS])(const EditRow *row) = {
#define EDIT_METHOD_FUNCTION(constant, name, function, scales) edit_row_##function,
    EDIT_METHODS(EDIT_METHOD_FUNCTION)};

void edit_row(float *x, float *scratch, const EditPlan *plan, const BoardDirections *directions,
              int layer, const EditSquares *squares)
{
    EditRow row = {.x = x,
                   .scratch = scratch,
                   .plan = plan,
                   .directions = directions,
                   .at = direction_layer_index(directions, plan->probe_layer == PROBE_LAYER_OWN
                                                               ? layer
                                                               : plan->probe_layer),
                   .squares = squares};
    methods[plan->method](&row);
}

/* ---- a case in the words of a board ---- */

/* Number of the class for a LABEL_* colour state, in these words. */
static int state_class(const BoardTerms *terms, const EditCase *edit, int state)
{
    Colour viewer = edit->before.to_move;
    if (state == LABEL_EMPTY) {
        return direction_class(terms, "empty");
    }
    if (strcmp(terms->task, "colour") == 0) {
        return direction_class(terms, case_state_name(state));
    }
    if (strcmp(terms->labels, "parity") == 0) {
        viewer = edit->n_moves % 2 == 0 ? BLACK : WHITE;
    }
    return direction_class(terms, (state == LABEL_BLACK) == (viewer == BLACK) ? "mine" : "theirs");
}

static int square_index(const BoardTerms *terms, int sq)
{
    return sq / 8 * terms->size + sq % 8;
}

/* The true board before the edit, with the edited squares changed. */
static void set_target(EditSquares *out, const BoardTerms *terms, const EditCase *edit)
{
    uint64_t black = board_discs(&edit->before, BLACK), white = board_discs(&edit->before, WHITE);
    for (int row = 0; row < terms->size; row++) {
        for (int column = 0; column < terms->size; column++) {
            int sq = 8 * row + column;
            int state = black >> sq & 1 ? LABEL_BLACK : white >> sq & 1 ? LABEL_WHITE : LABEL_EMPTY;
            out->target[square_index(terms, sq)] = (uint8_t)state_class(terms, edit, state);
        }
    }
    for (int i = 0; i < out->n; i++) {
        out->target[out->squares[i]] = (uint8_t)out->to[i];
    }
}

EditSquares edit_squares(const BoardTerms *terms, const EditCase *edit)
{
    EditSquares out = {.n = edit->n_squares};
    for (int i = 0; i < edit->n_squares; i++) {
        out.squares[i] = square_index(terms, edit->squares[i].sq);
        out.from[i] = state_class(terms, edit, edit->squares[i].from);
        out.to[i] = state_class(terms, edit, edit->squares[i].to);
    }
    set_target(&out, terms, edit);
    return out;
}

EditSquares edit_kept_squares(const BoardTerms *terms, const EditCase *edit)
{
    EditSquares out = edit_squares(terms, edit);
    for (int i = 0; i < out.n; i++) {
        out.to[i] = out.from[i];
        out.target[out.squares[i]] = (uint8_t)out.from[i];
    }
    return out;
}

EditSquares edit_wrong_squares(const BoardTerms *terms, const EditCase *edit,
                               const GameVariant *variant, uint64_t seed, size_t index)
{
    Rng rng = rng_at(seed, RNG_DIRECTION, index | SQUARE_STREAM);
    uint64_t free_squares = variant->squares;
    EditSquares out = edit_squares(terms, edit);
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
        out.squares[i] = square_index(terms, sq);
    }
    set_target(&out, terms, edit);
    return out;
}
