/* datasets/vocab.h - the only place where squares (sq) become tokens (tok) and back.
 *
 * Token 0 pads; tokens 1..n_moves are the playable squares in index order without the four
 * centre squares. Input is moves 0..n-2, target is moves 1..n-1: context = n_moves - 1.
 * d_vocab / n_ctx: 61/59 on 8x8, 33/31 on 6x6, 13/11 on 4x4.
 *
 * Iago (RULES_IAGO) writes the n = n_moves tokens in another order: its token for the square with
 * classic token 1 + i is 1 + (47 i + 13) mod n, which moves every token. MetaOthello permutes its
 * 65 by the same formula mod 65 (64 squares and the pass).
 */
#ifndef OGPT_DATASETS_VOCAB_H
#define OGPT_DATASETS_VOCAB_H

#include "game/board.h"

#define TOK_PAD 0

typedef struct Vocab {
    const GameVariant *variant;
    int d_vocab;
    int n_ctx;
    uint8_t tok_of_sq[BOARD_SQUARES]; /* TOK_PAD for centre squares and squares off the board */
    uint8_t sq_of_tok[BOARD_SQUARES]; /* SQ_NONE for the pad */
} Vocab;

/* Borrowed, static. `variant` from game_variant. */
const Vocab *vocab_of(const GameVariant *variant);
/* The vocabulary of a model by its d_vocab (13, 33, 61) and the rules it plays by, or NULL. */
const Vocab *vocab_by_size(int d_vocab, GameRules rules);
/* Mask of squares -> array legal[d_vocab] of 0/1. */
void vocab_legal_tokens(uint8_t *legal, const Vocab *vocab, uint64_t squares);
/* order[tok] (d_vocab of them) = the token of the square with row and column exchanged, as the
 * published models name squares (the letter is the row); the pad stays. Its own inverse. */
void vocab_transpose(uint8_t *order, const Vocab *vocab);
/* order[tok] (d_vocab of them) = the token in `to` of the square of tok in `from`, both of one
 * size. */
void vocab_translate(uint8_t *order, const Vocab *from, const Vocab *to);
/* Tokens of a game: input[n_ctx] = moves 0..n-2, target[n_ctx] = moves 1..n-1, rest TOK_PAD.
 * Returns the number of scored positions, n-1 (0 for games of fewer than two moves). */
int vocab_encode(uint8_t *input, uint8_t *target, const Vocab *vocab, const uint8_t *moves);

#endif
