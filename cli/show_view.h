/* cli/show_view.h - what ogpt show has gathered, and how it is written out (show_view.c). */
#ifndef OGPT_CLI_SHOW_VIEW_H
#define OGPT_CLI_SHOW_VIEW_H

#include "cli/command.h"
#include "datasets/vocab.h"
#include "model/checkpoint.h"
#include "probes/decode.h"

typedef struct ShowOptions {
    const char *probe, *moves, *layer, *flip;
    int64_t top;
    double scale;
} ShowOptions;

/* Everything that is shown, gathered before a line is printed. */
typedef struct ShowView {
    Context *context;
    const ShowOptions *options;
    ModelFile model;
    Probe probe;
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
    int edited_sq, edited_layer;
    uint8_t edited_labels[BOARD_SQUARES];
    Board edited_board;
    Decoded edited;
} ShowView;

/* The board after the typed moves. */
const Board *show_true_board(const ShowView *view);
/* The page for people, and the JSON document. */
void show_print(Text *text, const ShowView *view);
Js *show_document(const ShowView *view);

#endif
