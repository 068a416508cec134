/* report/results/show_result.h - a typed game: the true board, the boards that a probe reads at
 * every layer, the network's next move, and what an edit of one square changes. */
#ifndef OGPT_REPORT_RESULTS_SHOW_RESULT_H
#define OGPT_REPORT_RESULTS_SHOW_RESULT_H

#include "datasets/vocab.h"
#include "probes/cases/cases.h"
#include "probes/edits/decode.h"
#include "report/report.h"

extern const TableSpec show_layers_table, show_moves_table;

/* Everything that is shown. */
typedef struct ShowFindings {
    const char *model_hash;
    const Probe *probe;
    const GameVariant *variant;
    const Vocab *vocab;
    uint8_t moves[GAME_MAX_MOVES];
    int n_moves;
    Board after[GAME_MAX_MOVES]; /* the board after each move */
    TaskPosition position;
    Colour viewer;
    uint8_t labels[BOARD_SQUARES]; /* of the task, true */
    Decoded before;
    int only; /* layer index, or -1: all */
    int top;  /* how many of the network's moves are listed */
    bool probabilities;
    TextStyle style;
    /* An edit of one square: */
    const char *edit_name; /* "flip", "erase", "place"; NULL: nothing is edited */
    double scale;
    DecodeEdit edit;
    EditCase edit_case;
    int edited_layer;
    uint8_t edited_labels[BOARD_SQUARES];
    Decoded edited;
} ShowFindings;

void show_report(Report *report, const ShowFindings *found);

/* The board after the typed moves. */
const Board *show_true_board(const ShowFindings *found);
/* Whether layer index i of the probe is shown. */
bool show_has_layer(const ShowFindings *found, int i);
/* Probabilities over the board, row-major: those of the class that each shown layer reads, and
 * those of the next move by square (NaN: no square to play on). Text of both. */
void show_read_probabilities(double *out, const ShowFindings *found, const Decoded *decoded,
                             int index);
void show_move_probabilities(double *out, const ShowFindings *found, const float *logits);
void show_print_probabilities(Text *text, const ShowFindings *found, const Decoded *decoded,
                              int first_layer);

#endif
