/* probes/dialogue/dialogue.h - a game between a person and a network, move by move.
 *
 * The network answers a position with a draw from its probabilities at a temperature: p_i is
 * proportional to exp(logit_i / T); T = 0 takes the move of highest probability. If what it draws
 * is illegal, that is kept as its first choice, and it draws among the legal moves. The draw at a
 * ply is a function of (seed, ply). Before the first move a network has nothing to say, so the
 * opening move is drawn evenly from the legal ones. Forced passes are made at once, as everywhere
 * (game/board.h).
 */
#ifndef OGPT_PROBES_DIALOGUE_DIALOGUE_H
#define OGPT_PROBES_DIALOGUE_DIALOGUE_H

#include "probes/dialogue/typed_game.h"

/* Who plays the discs of a colour: bit BLACK, bit WHITE. */
#define DIALOGUE_SIDE(colour) (1u << (colour))
#define DIALOGUE_BOTH (DIALOGUE_SIDE(BLACK) | DIALOGUE_SIDE(WHITE))

typedef struct Dialogue {
    TypedGame game;
    unsigned network; /* sides that the network plays */
    double temperature;
    uint64_t seed;
    bool pass_owed; /* a pass was made since a person moved last, and none was written down */
} Dialogue;

/* One move that was made. */
typedef struct DialogueMove {
    int sq;
    Colour by;
    bool by_network;
    double p;         /* that the network gave it; NaN for the opening move */
    int first_choice; /* what the network drew first if that was illegal, SQ_NONE for the pad; else
                         sq */
    double first_p;
    bool passed; /* the other side had no move, and passed */
    bool over;   /* the game */
} DialogueMove;

/* Whether the network is to move. */
bool dialogue_network_moves(const Dialogue *dialogue);
/* Play one move for the side to move. Returns 0, OGPT_EUSAGE (the game is over; not a legal move:
 * why), or as typed_game_read. */
int dialogue_play(DialogueMove *out, Dialogue *dialogue, int sq);
/* The network's move for the side to move. Errors as dialogue_play. */
int dialogue_answer(DialogueMove *out, Dialogue *dialogue);
/* A pass that a person writes down: right once where one was made (pass_is_forced), else
 * OGPT_EUSAGE. */
int dialogue_pass(Dialogue *dialogue);
/* Take moves back until a person is to move again, at least one. *n: how many. Returns 0,
 * OGPT_EUSAGE (no move of a person to take back). */
int dialogue_undo(int *n, Dialogue *dialogue);

#endif
