/* datasets/vocab.c - squares to tokens and back. */
#include "datasets/vocab.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#define N_SIZES 3

static Vocab vocabs[N_GAME_RULES][N_SIZES]; /* sizes 4, 6 and 8; written once */
static pthread_once_t vocabs_built = PTHREAD_ONCE_INIT;

/* The token that iago writes for the classic token `tok` of n moves. 47 has no divisor in common
 * with 12, 32 or 60, and no token keeps its place: 46 i + 13 is odd. */
static int iago_token(int tok, int n_moves)
{
    return 1 + (47 * (tok - 1) + 13) % n_moves;
}

static void build(Vocab *vocab, const GameVariant *variant)
{
    const uint64_t playable = variant->squares & ~variant->centre;
    int classic = TOK_PAD;
    vocab->variant = variant;
    vocab->d_vocab = variant->n_moves + 1;
    vocab->n_ctx = variant->n_moves - 1;
    memset(vocab->tok_of_sq, TOK_PAD, sizeof(vocab->tok_of_sq));
    memset(vocab->sq_of_tok, SQ_NONE, sizeof(vocab->sq_of_tok));
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        if (playable >> sq & 1) {
            classic++;
            const int tok =
                variant->rules == RULES_IAGO ? iago_token(classic, variant->n_moves) : classic;
            assert(vocab->sq_of_tok[tok] == SQ_NONE);
            vocab->tok_of_sq[sq] = (uint8_t)tok;
            vocab->sq_of_tok[tok] = (uint8_t)sq;
        }
    }
    assert(classic == variant->n_moves);
}

static void build_all(void)
{
    for (int rules = 0; rules < N_GAME_RULES; rules++) {
        for (int i = 0; i < N_SIZES; i++) {
            build(&vocabs[rules][i], game_variant_with(4 + 2 * i, (GameRules)rules));
        }
    }
}

const Vocab *vocab_of(const GameVariant *variant)
{
    pthread_once(&vocabs_built, build_all);
    return &vocabs[variant->rules][(variant->size - 4) / 2];
}

const Vocab *vocab_by_size(int d_vocab, GameRules rules)
{
    pthread_once(&vocabs_built, build_all);
    for (int i = 0; i < N_SIZES; i++) {
        if (vocabs[rules][i].d_vocab == d_vocab) {
            return &vocabs[rules][i];
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

void vocab_translate(uint8_t *order, const Vocab *from, const Vocab *to)
{
    order[TOK_PAD] = TOK_PAD;
    for (int tok = 1; tok < from->d_vocab; tok++) {
        order[tok] = to->tok_of_sq[from->sq_of_tok[tok]];
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
