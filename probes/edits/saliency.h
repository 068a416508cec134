/* probes/edits/saliency.h - latent saliency: which squares of the board inside the network a move
 * rests on.
 *
 * For a position and a move, every square is edited inside the network, one at a time: a disc is
 * turned over; on an empty square a disc is put down, of the mover or of the other side. The
 * effect of a square is what its edit does to the move:
 *   effect = log-odds(p after) - log-odds(p before), in nats, log-odds(p) = ln p - ln(1 - p)
 * Below 0: the move rests on the square being as it is. Beside it stands what the rules say of the
 * same change of the real board: whether the move is legal there. A network that plays on its
 * board shows large effects exactly where the edit turns the move legal or illegal.
 * Ref: Li et al., ICLR 2023, section 5 (latent saliency maps: the change in the probability of a
 * move when a square's latent state is changed). Theirs are differences of p; p is kept here too.
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
    double p;             /* of the move, with this square edited */
    double effect;        /* nats of log-odds */
    bool legal;           /* the move, by the rules, on the edited board */
} SaliencySquare;

typedef struct Saliency {
    int move;        /* sq */
    double p;        /* of the move, without an edit */
    double log_odds; /* nats */
    bool legal;      /* by the rules, on the board as it is */
    Board board;
    int n; /* squares edited, ascending */
    SaliencySquare squares[BOARD_SQUARES];
    /* Mean |effect| over the squares whose edit changes the move's legality, and over the others;
     * share of pairs (one of each) in which the former is larger, ties half: 1 is a clean
     * separation, 0.5 none. NaN where one side is empty. */
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
