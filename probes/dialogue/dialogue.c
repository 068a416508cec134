/* probes/dialogue/dialogue.c - contract in probes/dialogue/dialogue.h. */
#include "probes/dialogue/dialogue.h"

#include <math.h>

#include "base/err.h"
#include "base/rng.h"
#include "game/notation.h"
#include "probes/legality/answers.h"

bool dialogue_network_moves(const Dialogue *dialogue)
{
    const Board *board = typed_game_board(&dialogue->game);
    return !board_is_over(dialogue->game.variant, board) &&
           (dialogue->network & DIALOGUE_SIDE(board->to_move)) != 0;
}

static double probability_of(const TypedGame *game, int sq)
{
    double p[BOARD_SQUARES];
    if (!game->is_read) {
        return NAN;
    }
    answer_probabilities(p, game->before.logits, game->vocab->d_vocab);
    return p[game->vocab->tok_of_sq[sq]];
}

static int check_move(const TypedGame *game, int sq)
{
    const Board *board = typed_game_board(game);
    char name[3];
    square_print(name, sq);
    if (board_is_over(game->variant, board)) {
        return err_set(OGPT_EUSAGE, "%s: the game is over", name);
    }
    if ((board->mine | board->theirs) >> sq & 1) {
        return err_set(OGPT_EUSAGE, "%s is occupied", name);
    }
    if (board_flips(game->variant, board, sq) == 0) {
        return err_set(OGPT_EUSAGE, "%s turns no disc over for %s, who is to move", name,
                       board->to_move == BLACK ? "black" : "white");
    }
    return 0;
}

int dialogue_play(DialogueMove *out, Dialogue *dialogue, int sq)
{
    TypedGame *game = &dialogue->game;
    Board board = *typed_game_board(game);
    uint8_t moves[GAME_MAX_MOVES];
    int rc = check_move(game, sq);
    if (rc != 0) {
        return rc;
    }
    for (int i = 0; i < game->n_moves; i++) {
        moves[i] = game->moves[i];
    }
    moves[game->n_moves] = (uint8_t)sq;
    *out = (DialogueMove){
        .sq = sq, .by = board.to_move, .p = probability_of(game, sq), .first_choice = sq};
    PlayResult result = board_play(game->variant, &board, sq);
    out->passed = result == PLAY_OPPONENT_PASSES;
    bool by_person = (dialogue->network & DIALOGUE_SIDE(out->by)) == 0;
    dialogue->pass_owed = out->passed || (dialogue->pass_owed && !by_person);
    out->over = result == PLAY_GAME_OVER;
    return typed_game_read(game, moves, game->n_moves + 1);
}

/* Draw from p (d_vocab) over the tokens of a set: proportional to p^(1/T), at T = 0 the largest. */
static int draw(const Dialogue *dialogue, const double *p, uint64_t tokens, double uniform)
{
    double weight[BOARD_SQUARES], total = 0;
    int best = -1;
    for (int tok = 0; tok < dialogue->game.vocab->d_vocab; tok++) {
        weight[tok] = 0;
        if (tokens >> tok & 1) {
            best = best < 0 || p[tok] > p[best] ? tok : best;
        }
    }
    for (int tok = 0; tok < dialogue->game.vocab->d_vocab && dialogue->temperature > 0; tok++) {
        if (tokens >> tok & 1) {
            weight[tok] = pow(p[tok] / p[best], 1 / dialogue->temperature);
            total += weight[tok];
        }
    }
    if (!(total > 0)) {
        return best;
    }
    double left = uniform * total;
    for (int tok = 0; tok < dialogue->game.vocab->d_vocab; tok++) {
        left -= weight[tok];
        if (left < 0 && weight[tok] > 0) {
            return tok;
        }
    }
    return best; /* rounding used up the sum */
}

int dialogue_answer(DialogueMove *out, Dialogue *dialogue)
{
    const TypedGame *game = &dialogue->game;
    const Vocab *vocab = game->vocab;
    const Board *board = typed_game_board(game);
    Rng rng = rng_at(dialogue->seed, RNG_PLAY, (uint64_t)game->n_moves);
    double p[BOARD_SQUARES] = {0};
    uint64_t legal = answer_tokens(vocab, board_moves(game->variant, board));
    if (legal == 0) {
        return err_set(OGPT_EUSAGE, "the game is over: the network has no move to make");
    }
    if (!game->is_read) {
        for (int tok = 0; tok < vocab->d_vocab; tok++) {
            p[tok] = (double)(legal >> tok & 1); /* evenly: it knows no start */
        }
    } else {
        answer_probabilities(p, game->before.logits, vocab->d_vocab);
    }
    uint64_t all = vocab->d_vocab < 64 ? (UINT64_C(1) << vocab->d_vocab) - 1 : ~UINT64_C(0);
    int first = draw(dialogue, p, all, rng_uniform(&rng));
    int tok = legal >> first & 1 ? first : draw(dialogue, p, legal, rng_uniform(&rng));
    double first_p = p[first];
    int rc = dialogue_play(out, dialogue, vocab->sq_of_tok[tok]);
    out->by_network = true;
    out->first_choice = vocab->sq_of_tok[first];
    out->first_p = first_p;
    return rc;
}

int dialogue_pass(Dialogue *dialogue)
{
    const TypedGame *game = &dialogue->game;
    const Board *board = typed_game_board(game);
    return pass_is_forced(game->variant, board, &dialogue->pass_owed)
               ? 0
               : err_set(OGPT_EUSAGE,
                         "no pass here: %s has a legal move; forced passes are made for you",
                         board->to_move == BLACK ? "black" : "white");
}

int dialogue_undo(int *n, Dialogue *dialogue)
{
    TypedGame *game = &dialogue->game;
    int kept = game->n_moves;
    while (kept > 0) {
        kept--;
        const Board *board = kept > 0 ? &game->after[kept - 1] : &game->variant->start;
        if ((dialogue->network & DIALOGUE_SIDE(board->to_move)) == 0) {
            *n = game->n_moves - kept;
            dialogue->pass_owed = false;
            return typed_game_read(game, game->moves, kept);
        }
    }
    return err_set(OGPT_EUSAGE, "there is no move of yours to take back");
}
