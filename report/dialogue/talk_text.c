/* report/dialogue/talk_text.c - moves of a game between a person and a network, as text and as
 * JSON. Contract in report/dialogue/talk.h. */
#include "report/dialogue/talk.h"

#include <math.h>
#include <stdio.h>

#include "game/notation.h"

static const char *side_name(Colour side)
{
    return side == BLACK ? "black" : "white";
}

static void square_or_pad(char out[4], int sq)
{
    if (sq == SQ_NONE) {
        snprintf(out, 4, "pad");
    } else {
        square_print(out, sq);
    }
}

void talk_print_played(Text *text, const TypedGame *game, const DialogueMove *move)
{
    char name[4];
    square_or_pad(name, move->sq);
    text_add(text, "\n%d. %s %s", game->n_moves, side_name(move->by), name);
    if (!isnan(move->p)) {
        text_add(text, "   %s %.1f %%", move->by_network ? "the network," : "the network gave it",
                 100 * move->p);
    } else if (move->by_network) {
        text_add(text, "   the network; an opening move, drawn evenly");
    }
    if (move->first_choice != move->sq) {
        square_or_pad(name, move->first_choice);
        text_add(text, " (it drew %s first, %.1f %%, which is illegal)", name, 100 * move->first_p);
    }
    text_add(text, "\n");
    if (move->passed) {
        text_add(text, "%s has no move: the pass is made\n",
                 side_name(move->by == BLACK ? WHITE : BLACK));
    }
}

void talk_print_turn(Text *text, const TypedGame *game)
{
    const Board *board = typed_game_board(game);
    if (board_is_over(game->variant, board)) {
        text_add(text, "the game is over: black %d, white %d\n",
                 __builtin_popcountll(board_discs(board, BLACK)),
                 __builtin_popcountll(board_discs(board, WHITE)));
    } else {
        text_add(text, "%s (%s) to move\n", side_name(board->to_move),
                 board->to_move == BLACK ? "X" : "O");
    }
}

Js *talk_played_json(const DialogueMove *move)
{
    Js *out = js_object();
    char name[4];
    square_or_pad(name, move->sq);
    js_set_str(out, "move", name);
    js_set_str(out, "by", side_name(move->by));
    js_set_str(out, "player", move->by_network ? "network" : "human");
    js_set_num(out, "p", move->p);
    square_or_pad(name, move->first_choice);
    js_set_str(out, "first_choice", name);
    js_set_str(out, "passed", move->passed ? side_name(move->by == BLACK ? WHITE : BLACK) : "");
    js_set_bool(out, "over", move->over);
    return out;
}
