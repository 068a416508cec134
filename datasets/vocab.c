/* datasets/vocab.c - squares to tokens and back. */
#include "datasets/vocab.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#define N_VOCABS 3

static Vocab vocabs[N_VOCABS]; /* for sizes 4, 6 and 8; written once */
static pthread_once_t vocabs_built = PTHREAD_ONCE_INIT;

static void build_all(void)
{
    for (int i = 0; i < N_VOCABS; i++) {
        Vocab *vocab = &vocabs[i];
        const GameVariant *variant = game_variant(4 + 2 * i);
        const uint64_t playable = variant->squares & ~variant->centre;
        vocab->variant = variant;
        vocab->d_vocab = variant->n_moves + 1;
        vocab->n_ctx = variant->n_moves - 1;
        memset(vocab->tok_of_sq, TOK_PAD, sizeof(vocab->tok_of_sq));
        memset(vocab->sq_of_tok, SQ_NONE, sizeof(vocab->sq_of_tok));
        int tok = TOK_PAD;
        for (int sq = 0; sq < BOARD_SQUARES; sq++) {
            if (playable >> sq & 1) {
                tok++;
                vocab->tok_of_sq[sq] = (uint8_t)tok;
                vocab->sq_of_tok[tok] = (uint8_t)sq;
            }
        }
        assert(tok == variant->n_moves);
    }
}

const Vocab *vocab_of(const GameVariant *variant)
{
    pthread_once(&vocabs_built, build_all);
    return &vocabs[(variant->size - 4) / 2];
}

const Vocab *vocab_by_size(int d_vocab)
{
    pthread_once(&vocabs_built, build_all);
    for (int i = 0; i < N_VOCABS; i++) {
        if (vocabs[i].d_vocab == d_vocab) {
            return &vocabs[i];
        }
    }
    return NULL;
}

void vocab_legal_tokens(uint8_t *legal, const Vocab *vocab, uint64_t squares)
{
    legal[TOK_PAD] = 0;
    for (int tok = 1; tok < vocab->d_vocab; tok++) {
        legal[tok] = squares >> vocab->sq_of_tok[tok] & 1;
    }
}

void vocab_transpose(uint8_t *order, const Vocab *vocab)
{
    order[TOK_PAD] = TOK_PAD;
    for (int tok = 1; tok < vocab->d_vocab; tok++) {
        const int sq = vocab->sq_of_tok[tok];
        order[tok] = vocab->tok_of_sq[symmetry_sq(vocab->variant, SYMMETRY_TRANSPOSE, sq)];
    }
}

int vocab_encode(uint8_t *input, uint8_t *target, const Vocab *vocab, const uint8_t *moves)
{
    const int n = game_length(moves, vocab->variant->n_moves);
    memset(input, TOK_PAD, (size_t)vocab->n_ctx);
    memset(target, TOK_PAD, (size_t)vocab->n_ctx);
    for (int t = 0; t + 1 < n; t++) {
        input[t] = vocab->tok_of_sq[moves[t]];
        target[t] = vocab->tok_of_sq[moves[t + 1]];
    }
    return n > 0 ? n - 1 : 0;
}
