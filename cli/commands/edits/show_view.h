/* cli/commands/edits/show_view.h - what ogpt show has gathered, and how it is written out
 * (show_view.c). */
#ifndef OGPT_CLI_COMMANDS_EDITS_SHOW_VIEW_H
#define OGPT_CLI_COMMANDS_EDITS_SHOW_VIEW_H

#include "cli/command.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"
#include "probes/cases/cases.h"
#include "probes/edits/decode.h"

typedef struct ShowOptions {
    const char *probe, *moves, *layer, *flip, *erase, *place;
    int64_t top;
    bool probabilities;
    double scale;
} ShowOptions;

/* Everything that is shown, gathered before a line is printed. */
typedef struct ShowView {
    Context *context;
    const ShowOptions *options;
    ModelFile model;
    Probe probe;
    BoardDirections directions; /* of the probe; made for an edit */
    const GameVariant *variant;
    const Vocab *vocab;
    uint8_t moves[GAME_MAX_MOVES];
    int n_moves;
    Board after[GAME_MAX_MOVES];
    TaskPosition position;
    Colour viewer;
    uint8_t labels[BOARD_SQUARES]; /* of the task, true */
    Decoded before;
    int only; /* layer index, or -1: all */
    /* Of an edit: */
    DecodeEdit edit;
    EditCase edit_case;
    int edited_layer;
    uint8_t edited_labels[BOARD_SQUARES];
    Decoded edited;
} ShowView;

/* "flip", "erase", "place", or NULL when nothing is edited. */
const char *show_edit_name(const ShowOptions *options);
/* The board after the typed moves. */
const Board *show_true_board(const ShowView *view);
/* Whether layer index i of the probe is shown. */
bool show_has_layer(const ShowView *view, int i);
/* Probabilities over the board: of the class that each shown layer reads, and of the next move by
 * square (NaN: no square to play on), row-major. Text of both
 * (cli/commands/edits/show_probabilities.c). */
void show_read_probabilities(double *out, const ShowView *view, const Decoded *decoded, int index);
void show_move_probabilities(double *out, const ShowView *view, const float *logits);
void show_print_probabilities(Text *text, const ShowView *view, const Decoded *decoded,
                              int first_layer);
/* The page for people, and the JSON document. */
void show_print(Text *text, const ShowView *view);
Js *show_document(const ShowView *view);

#endif
