/* report/results/show_result.h - a typed game: the true board, the boards that a probe reads at
 * every layer, the network's next move, and what an edit of one square changes. */
#ifndef OGPT_REPORT_RESULTS_SHOW_RESULT_H
#define OGPT_REPORT_RESULTS_SHOW_RESULT_H

#include "probes/dialogue/typed_game.h"
#include "report/draw.h"
#include "report/report.h"

extern const TableSpec show_layers_table, show_moves_table;

/* What is shown of a typed game, with its edit if it has one. */
typedef struct ShowFindings {
    const TypedGame *game;
    const char *model_hash;
    int only; /* layer index, or -1: all */
    int top;  /* how many of the network's moves are listed */
    bool probabilities;
    TextStyle style;
} ShowFindings;

void show_report(Report *report, const ShowFindings *found);

/* Parts of it, for a game that goes on (ogpt play). The true board beside the board that is read;
 * the moves that are legal by the rules, and by the network; the page of an edit. */
void show_print_position(Text *text, const ShowFindings *found);
void show_print_hint(Text *text, const ShowFindings *found);
void show_print_edit(Text *text, const ShowFindings *found);
/* The same as objects (owned): moves, to_move, board, legal, layers[], top[]; and an edit. The
 * lists are empty where nothing is read. */
Js *show_position_json(const ShowFindings *found);
Js *show_edit_json(const ShowFindings *found);

/* What classes of squares say, beside the truth; the title is borrowed. */
DrawBoard show_decoded_board(const ShowFindings *found, const char *title, const uint8_t *classes,
                             const uint8_t *truth);
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
