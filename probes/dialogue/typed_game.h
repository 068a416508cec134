/* probes/dialogue/typed_game.h - one game as a person types it: the boards after its moves, what a
 * probe reads of the last one, and what changes when one square is edited inside the network.
 */
#ifndef OGPT_PROBES_DIALOGUE_TYPED_GAME_H
#define OGPT_PROBES_DIALOGUE_TYPED_GAME_H

#include "probes/cases/cases.h"
#include "probes/edits/decode.h"

typedef struct TypedGame {
    const Subject *subject; /* borrowed, as the probe and its path */
    const Probe *probe;
    const char *probe_path; /* for messages */
    const GameVariant *variant;
    const Vocab *vocab;
    uint8_t moves[GAME_MAX_MOVES];
    int n_moves;
    Board after[GAME_MAX_MOVES]; /* the board after each move */
    /* Whether there is a reading of the last position: a network reads moves, so it has nothing to
     * say before the first, and on 8x8 the last of 60 is one more than it reads. */
    bool is_read;
    TaskPosition position;
    Colour viewer;
    uint8_t labels[BOARD_SQUARES]; /* of the probe's task, true */
    Decoded before;
    /* An edit of one square there, made by typed_game_edit. */
    const char *edit_name; /* "flip", "erase", "place"; NULL: nothing is edited */
    double scale;
    DecodeEdit edit;
    EditCase edit_case;
    CaseVerdict verdict; /* anything but CASE_SOUND: such an edit counts in no mean */
    int edited_layer;
    uint8_t edited_labels[BOARD_SQUARES];
    Decoded edited;
    BoardDirections directions; /* of the probe; made for the first edit, owned */
} TypedGame;

/* An edit in the words of a user. */
typedef struct TypedEdit {
    const char *name;  /* "flip", "erase" or "place"; borrowed for the life of the game */
    const char *label; /* the same for messages: "--flip" */
    const char *text;  /* "c4", for place "c4=black" */
    int layer;         /* LAYERS_* of the network; TYPED_LAYER_MIDDLE: the middle block */
    double scale;      /* of method project */
} TypedEdit;
#define TYPED_LAYER_MIDDLE (-2)

/* A game without moves. The subject, the probe (one of its probes) and the path are borrowed.
 * Returns 0, or OGPT_EFORMAT for a probe of an unknown task. */
int typed_game_init(TypedGame *out, const Subject *subject, const Probe *probe,
                    const char *probe_path);
void typed_game_release(TypedGame *game);
/* The index of a layer of the probe that is fitted. layer: of the network, its `text` as typed for
 * the message; or TYPED_LAYER_MIDDLE: the middle block, or if the probe lacks it its last layer.
 * Returns 0 or OGPT_EUSAGE. */
int typed_game_layer(int *index, const TypedGame *game, int layer, const char *text);
/* Take these moves (n of them, legal) for those so far, and read the last position. An edit is
 * forgotten. n may be 0, or more than the network reads. Returns 0 or as decode_game; after an
 * error the game is as it was. */
int typed_game_read(TypedGame *game, const uint8_t *moves, int n);
/* The board now. */
const Board *typed_game_board(const TypedGame *game);
/* Edit one square by method project, at the last position, and read it again. Returns 0,
 * OGPT_EUSAGE (what the text or the probe does not allow; no move was made yet), or as decode_game.
 */
int typed_game_edit(TypedGame *game, const TypedEdit *asked);

#endif
