/* tests/datasets/test_vocab.c - squares and tokens are inverse, in the published order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/vocab.h"
#include "game/play.h"

static void sizes_are_the_published_ones(void **state)
{
    static const int expected[3][3] = {{8, 61, 59}, {6, 33, 31}, {4, 13, 11}};
    for (int i = 0; i < 3; i++) {
        const Vocab *vocab = vocab_of(game_variant(expected[i][0]));
        assert_int_equal(vocab->variant->size, expected[i][0]);
        assert_int_equal(vocab->d_vocab, expected[i][1]);
        assert_int_equal(vocab->n_ctx, expected[i][2]);
        assert_ptr_equal(vocab_by_size(expected[i][1], RULES_CLASSIC), vocab);
    }
    assert_null(vocab_by_size(0, RULES_CLASSIC));
    assert_null(vocab_by_size(60, RULES_CLASSIC));
    assert_null(vocab_by_size(62, RULES_CLASSIC));
}

static void tokens_and_squares_are_inverse(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        const Vocab *vocab = vocab_of(variant);
        int last = -1;
        for (int tok = 1; tok < vocab->d_vocab; tok++) {
            const int sq = vocab->sq_of_tok[tok];
            assert_true(sq > last); /* index order */
            last = sq;
            assert_int_equal(vocab->tok_of_sq[sq], tok);
            assert_true(variant->squares >> sq & 1);
            assert_false(variant->centre >> sq & 1);
        }
        assert_int_equal(vocab->sq_of_tok[TOK_PAD], SQ_NONE);
        int playable = 0;
        for (int sq = 0; sq < BOARD_SQUARES; sq++) {
            playable += vocab->tok_of_sq[sq] != TOK_PAD;
        }
        assert_int_equal(playable, variant->n_moves);
    }
    /* By the published table of 8x8: a1 is 1, h3 is 24, the row of d4 skips two. */
    const Vocab *vocab = vocab_of(game_variant(8));
    assert_int_equal(vocab->tok_of_sq[0], 1);
    assert_int_equal(vocab->tok_of_sq[23], 24);
    assert_int_equal(vocab->tok_of_sq[26], 27); /* c4 */
    assert_int_equal(vocab->tok_of_sq[27], TOK_PAD);
    assert_int_equal(vocab->tok_of_sq[28], TOK_PAD);
    assert_int_equal(vocab->tok_of_sq[29], 28); /* f4 */
    assert_int_equal(vocab->tok_of_sq[63], 60);
}

static void legal_tokens_are_the_squares_of_the_mask(void **state)
{
    const GameVariant *variant = game_variant(8);
    const Vocab *vocab = vocab_of(variant);
    uint8_t legal[BOARD_SQUARES];
    const uint64_t mask = board_moves(variant, &variant->start);
    memset(legal, 9, sizeof(legal));
    vocab_legal_tokens(legal, vocab, mask);
    int count = 0;
    for (int tok = 0; tok < vocab->d_vocab; tok++) {
        const bool in_mask = tok > 0 && mask >> vocab->sq_of_tok[tok] & 1;
        assert_int_equal(legal[tok], in_mask);
        count += legal[tok];
    }
    assert_int_equal(count, 4);
    assert_int_equal(legal[vocab->d_vocab], 9); /* nothing written past the array */
}

static void games_become_shifted_tokens(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        const Vocab *vocab = vocab_of(variant);
        for (uint64_t i = 0; i < 200; i++) {
            uint8_t moves[GAME_MAX_MOVES];
            uint8_t input[GAME_MAX_MOVES];
            uint8_t target[GAME_MAX_MOVES];
            const int n = play_random(moves, variant, 3, RNG_TEST, i);
            assert_int_equal(vocab_encode(input, target, vocab, moves), n - 1);
            for (int t = 0; t < vocab->n_ctx; t++) {
                if (t < n - 1) {
                    assert_int_equal(vocab->sq_of_tok[input[t]], moves[t]);
                    assert_int_equal(vocab->sq_of_tok[target[t]], moves[t + 1]);
                } else {
                    assert_int_equal(input[t], TOK_PAD);
                    assert_int_equal(target[t], TOK_PAD);
                }
            }
        }
    }
}

static void games_of_no_or_one_move_score_nothing(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    uint8_t moves[12];
    uint8_t input[12];
    uint8_t target[12];
    memset(moves, SQ_NONE, sizeof(moves));
    assert_int_equal(vocab_encode(input, target, vocab, moves), 0);
    assert_int_equal(input[0], TOK_PAD);
    moves[0] = 1;
    assert_int_equal(vocab_encode(input, target, vocab, moves), 0);
    assert_int_equal(input[0], TOK_PAD);
    assert_int_equal(target[0], TOK_PAD);
}

/* The published notation: the letter is the row, so b1 and a2 exchange their tokens. */
static void transposing_exchanges_rows_and_columns(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const Vocab *vocab = vocab_of(game_variant(size));
        uint8_t order[BOARD_SQUARES];
        vocab_transpose(order, vocab);
        assert_int_equal(order[TOK_PAD], TOK_PAD);
        assert_int_equal(order[vocab->tok_of_sq[1]], vocab->tok_of_sq[8]); /* b1, a2 */
        assert_int_equal(order[vocab->tok_of_sq[0]], vocab->tok_of_sq[0]); /* a1 */
        for (int tok = 1; tok < vocab->d_vocab; tok++) {
            const int sq = vocab->sq_of_tok[tok];
            assert_int_equal(order[order[tok]], tok);
            assert_int_equal(vocab->sq_of_tok[order[tok]], symmetry_sq(vocab->variant, 4, sq));
        }
    }
}

/* Iago: 1 + (47 i + 13) mod n in the place of 1 + i, by its own formula here. */
static void iago_permutes_every_token(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const Vocab *classic = vocab_of(game_variant(size));
        const Vocab *iago = vocab_of(game_variant_with(size, RULES_IAGO));
        const int n = classic->variant->n_moves;
        uint8_t there[BOARD_SQUARES], back[BOARD_SQUARES];
        vocab_translate(there, classic, iago);
        vocab_translate(back, iago, classic);
        assert_int_equal(iago->d_vocab, classic->d_vocab);
        assert_int_equal(there[TOK_PAD], TOK_PAD);
        for (int i = 0; i < n; i++) {
            const int sq = classic->sq_of_tok[1 + i];
            assert_int_equal(iago->tok_of_sq[sq], 1 + (47 * i + 13) % n);
            assert_int_equal(iago->sq_of_tok[iago->tok_of_sq[sq]], sq);
            assert_int_equal(there[1 + i], iago->tok_of_sq[sq]);
            assert_int_equal(back[there[1 + i]], 1 + i);
            assert_int_not_equal(there[1 + i], 1 + i);
        }
        assert_ptr_equal(vocab_by_size(n + 1, RULES_IAGO), iago);
        const Vocab *ends = vocab_of(game_variant_with(size, RULES_NO_MID_FLIP));
        assert_memory_equal(ends->tok_of_sq, classic->tok_of_sq, sizeof(ends->tok_of_sq));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_the_published_ones),
        cmocka_unit_test(iago_permutes_every_token),
        cmocka_unit_test(tokens_and_squares_are_inverse),
        cmocka_unit_test(legal_tokens_are_the_squares_of_the_mask),
        cmocka_unit_test(games_become_shifted_tokens),
        cmocka_unit_test(games_of_no_or_one_move_score_nothing),
        cmocka_unit_test(transposing_exchanges_rows_and_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
