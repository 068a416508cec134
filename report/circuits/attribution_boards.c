/* report/circuits/attribution_boards.c - contract in report/circuits/attribution_boards.h. */
#include "report/circuits/attribution_boards.h"

#include <math.h>
#include <stdio.h>

#include "game/notation.h"
#include "report/draw.h"
#include "report/heat.h"

static int last_moves(const AttributionFindings *findings, const uint8_t **moves)
{
    *moves = findings->positions->set.moves;
    return findings->positions->set.t[0] + 1;
}

void attribution_game(Text *text, const AttributionFindings *findings)
{
    const GameVariant *variant = findings->vocab->variant;
    const uint8_t *moves;
    Board after[GAME_MAX_MOVES];
    int n = last_moves(findings, &moves);
    if (game_replay(variant, moves, n, after) != n) {
        return;
    }
    DrawBoard board = draw_of_board("", variant, &after[n - 1]);
    board.chosen = findings->target->sq >= 0 ? 1ULL << findings->target->sq : 0;
    draw_boards(text, variant, &board, 1, findings->style);
    text_add(text, "%s to move%s\n", after[n - 1].to_move == BLACK ? "black" : "white",
             board.chosen ? "; '<' is what is asked about" : "");
}

/* values (size * size): NaN everywhere. */
static void clear(double *values)
{
    for (int i = 0; i < BOARD_SQUARES; i++) {
        values[i] = NAN;
    }
}

static int place_of(const GameVariant *variant, int sq)
{
    return sq / 8 * variant->size + sq % 8;
}

/* What all heads together read from each earlier move, on the square of that move. */
static void source_map(Text *text, const AttributionFindings *findings)
{
    const Attribution *found = findings->found;
    const GameVariant *variant = findings->vocab->variant;
    const uint8_t *moves;
    int n = last_moves(findings, &moves);
    double values[BOARD_SQUARES];
    clear(values);
    for (int t = 0; t < n; t++) {
        values[place_of(variant, moves[t])] = 0;
    }
    for (size_t j = 0; j < found->list.n; j++) {
        int source = found->rows[j].what.source;
        if (source >= 0 && source < n) {
            values[place_of(variant, moves[source])] += found->rows[j].value.value;
        }
    }
    text_add(text, "\n");
    draw_signed(text, variant, "read from each earlier move, by all heads", values,
                findings->style.colour);
}

/* What one component adds to every column. */
static void component_map(Text *text, const AttributionFindings *findings, size_t index)
{
    const Attribution *found = findings->found;
    const GameVariant *variant = findings->vocab->variant;
    size_t K = findings->target->readout.n_columns;
    const real *all = found->all + index * K;
    double values[BOARD_SQUARES], mean = 0;
    char name[COMPONENT_NAME_MAX], title[128];
    bool logits = findings->target->readout.normed;
    clear(values);
    for (size_t k = 0; k < K && logits; k++) {
        mean += (double)all[k] / (double)K;
    }
    for (size_t k = 0; k < K; k++) {
        int place = logits ? place_of(variant, findings->vocab->sq_of_tok[k + 1]) : (int)k;
        values[place] = (double)all[k] - mean;
    }
    component_name(name, &found->list, found->rows[index].what);
    snprintf(title, sizeof(title), "%s adds to %s", name,
             logits ? "the logit of each move (less the mean)" : "the score of each square");
    text_add(text, "\n");
    draw_signed(text, variant, title, values, findings->style.colour);
}

void attribution_boards(Text *text, const AttributionFindings *findings, const size_t *order,
                        size_t n)
{
    if (!findings->typed || !findings->found->all) {
        return;
    }
    if (findings->found->list.grain == GRAIN_SOURCE) {
        source_map(text, findings);
    }
    for (size_t i = 0; i < n; i++) {
        component_map(text, findings, order[i]);
    }
}
