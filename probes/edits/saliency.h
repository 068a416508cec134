/* probes/edits/saliency.h - latent saliency: which squares of the board inside the network a move
 * rests on.
 *
 * For a position and a move, every square is edited inside the network, one at a time: a disc is
 * turned over, or a disc of one side is put on an empty square. The effect of a square is the
 * change of the move's log-odds by its edit: effect = log-odds(p after) - log-odds(p before), in
 * nats, log-odds(p) = ln p - ln(1 - p) Below 0, the move rests on the square as it is. The rules
 * say for each square whether the move would be legal after the same change of the real board. If
 * the network plays on its board, effects are large exactly where the edit makes the move legal or
 * illegal. Ref: Li et al., ICLR 2023, section 5 (latent saliency maps: the change in the
 * probability of a move when a square's latent state is changed). Theirs are differences of p; p is
 * kept here too.
 */
#ifndef OGPT_PROBES_EDITS_SALIENCY_H
#define OGPT_PROBES_EDITS_SALIENCY_H

#include "probes/edits/edit_predictor.h"

typedef enum SaliencyPlaced {
    PLACED_MINE,   /* empty squares get a disc of the side to move */
    PLACED_THEIRS, /* of the other side */
    PLACED_NONE    /* empty squares are not edited */
} SaliencyPlaced;
#define SALIENCY_PLACED_NAMES "mine|theirs|none"

typedef struct SaliencySquare {
    uint8_t sq, from, to; /* LABEL_* colours */
    double p;             /* probability of the move with this square edited */
    double effect;        /* nats of log-odds */
    bool legal;           /* whether the move is legal on the edited board */
} SaliencySquare;

typedef struct Saliency {
    int move;        /* sq */
    double p;        /* probability of the move without an edit */
    double log_odds; /* nats */
    bool legal;      /* by the rules, on the board as it is */
    Board board;
    int n; /* squares edited, ascending */
    SaliencySquare squares[BOARD_SQUARES];
    /* A deciding square is one with an edit that changes whether the move is legal. Mean |effect|
     * over the deciding squares, and over the others; share of pairs (one of each) in which the
     * deciding square has the larger effect, ties count half: 1 is a clean separation, 0.5 none.
     * NaN if one side is empty. */
    int n_deciding;
    double deciding_effect, other_effect, separation;
} Saliency;

typedef struct SaliencyQuestion {
    const GameVariant *variant;
    const uint8_t *moves; /* (n) legal, n at least 1 */
    int n;
    int move; /* an empty playable square, or -1: the predictor's own first choice among these */
    SaliencyPlaced placed;
} SaliencyQuestion;

/* The predictor edits by `plan`. Returns 0, OGPT_EUSAGE (move: not playable, or taken; the game is
 * over), OGPT_ENUM, OGPT_ENOMEM, or what the predictor returned. */
int saliency_map(Saliency *out, const EditPredictor *predictor, const SaliencyQuestion *question,
                 const EditPlan *plan);

#endif
