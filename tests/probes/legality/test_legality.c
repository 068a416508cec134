/* tests/probes/legality/test_legality.c - predictors with a known score, the lenient rule after a
 * pass, the pad, and the same sums at any number of workers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "datasets/vocab.h"
#include "game/play.h"
#include "game/rules_ref.h"
#include "probes/legality/legality.h"
#include "tests/probes/tick_log.h"

enum { MAX_V = 61, MAX_T = 59 };

/* Sums and means of exact small numbers in double: 60 positions of terms below 40 round by less
 * than 60 * 40 * 1.1e-16. The logits themselves are floats, but 0 and -60 are exact. */
#define SUM_TOL 1e-11
/* exp(-60) times 60 tokens is the mass a "perfect" predictor leaves on illegal moves: 5e-25. */
#define FAR -60.0f

/* Legal squares of the side to move by the reference rules after moves 0..t. */
static uint64_t ref_legal(RefBoard *board, int sq, bool other_side)
{
    ref_play(board, sq / 8, sq % 8);
    char player = board->to_move;
    if (other_side) {
        player = player == 'b' ? 'w' : 'b';
    }
    return ref_moves_mask(board, player);
}

/* Logits of a predictor that knows the rules: 0 on the moves that the reference rules allow, FAR
 * elsewhere. With other_side, the moves are those of the wrong side. Returns the game's length. */
static int perfect_logits(float *logits, const Vocab *vocab, const uint8_t *moves, bool other_side)
{
    RefBoard board;
    int n = game_length(moves, vocab->variant->n_moves);
    ref_start(&board, vocab->variant->size);
    for (int t = 0; t + 1 < n; t++) {
        uint64_t legal = ref_legal(&board, moves[t], other_side);
        for (int tok = 0; tok < vocab->d_vocab; tok++) {
            int sq = vocab->sq_of_tok[tok];
            bool on = tok != TOK_PAD && (legal >> sq & 1);
            logits[t * vocab->d_vocab + tok] = on ? 0.0f : FAR;
        }
    }
    return n;
}

static void perfect_predictor_has_the_perfect_score(void **state)
{
    static const int sizes[] = {4, 6, 8};
    for (size_t s = 0; s < 3; s++) {
        const GameVariant *variant = game_variant(sizes[s]);
        const Vocab *vocab = vocab_of(variant);
        for (uint64_t i = 0; i < 100; i++) {
            static float logits[MAX_T * MAX_V];
            LegalitySums game = {0}, wrong = {0}, by_ply[GAME_MAX_MOVES] = {{0}}, sum = {0};
            uint8_t moves[GAME_MAX_MOVES];
            play_random(moves, variant, 3, RNG_TEST, i);
            int n = perfect_logits(logits, vocab, moves, false);
            assert_int_equal(legality_add_game(&game, by_ply, variant, moves, logits), 0);
            assert_true(game.positions == n - 1);
            assert_true(game.strict_errors == 0 && game.lenient_errors == 0);
            assert_true(fabs(game.loss - game.floor) < SUM_TOL);
            assert_true(fabs(game.kl) < SUM_TOL);
            assert_true(fabs(game.legal_mass - game.positions) < SUM_TOL);
            assert_true(game.set_f1 == game.positions);
            for (int t = 0; t < GAME_MAX_MOVES; t++) {
                assert_true(by_ply[t].positions == (t < n - 1 ? 1 : 0));
                legality_add(&sum, &by_ply[t]);
            }
            assert_true(fabs(sum.floor - game.floor) < SUM_TOL);

            /* Negative twin: the moves of the other side are not legal. */
            perfect_logits(logits, vocab, moves, true);
            memset(by_ply, 0, sizeof(by_ply));
            assert_int_equal(legality_add_game(&wrong, by_ply, variant, moves, logits), 0);
            assert_true(wrong.strict_errors > 0);
            assert_true(wrong.kl > 1.0 && wrong.loss > wrong.floor + 1.0);
        }
    }
}

/* With equal logits the loss is ln V. The argmax is the lowest id, which is the pad: illegal by
 * both rules at every position. */
static void uniform_predictor_says_pad(void **state)
{
    const GameVariant *variant = game_variant(8);
    const Vocab *vocab = vocab_of(variant);
    static float logits[MAX_T * MAX_V];
    LegalitySums game = {0}, by_ply[GAME_MAX_MOVES] = {{0}};
    uint8_t moves[GAME_MAX_MOVES];
    double n_positions = play_random(moves, variant, 4, RNG_TEST, 0) - 1;
    assert_int_equal(legality_add_game(&game, by_ply, variant, moves, logits), 0);
    assert_true(fabs(game.loss - n_positions * log(61)) < SUM_TOL);
    assert_true(fabs(game.kl - (n_positions * log(61) - game.floor)) < SUM_TOL);
    assert_true(game.strict_errors == n_positions && game.lenient_errors == n_positions);
    /* Negative twin: always saying d3 is right at least once, before d3 is played. */
    LegalitySums other = {0};
    for (int t = 0; t < MAX_T; t++) {
        logits[t * MAX_V + vocab->tok_of_sq[19]] = 1.0f;
    }
    memset(by_ply, 0, sizeof(by_ply));
    assert_int_equal(legality_add_game(&other, by_ply, variant, moves, logits), 0);
    assert_true(other.strict_errors < n_positions);
}

/* The first position one ply behind a forced pass (there ply parity names the wrong side) with a
 * square that only the wrong side may play. Returns t, or -1. */
static int lenient_only_after_pass(int *sq, const GameVariant *variant, const uint8_t *moves)
{
    RefBoard board;
    int n = game_length(moves, variant->n_moves);
    ref_start(&board, variant->size);
    for (int t = 0; t + 1 < n; t++) {
        char player = board.to_move;
        ref_play(&board, moves[t] / 8, moves[t] % 8);
        if (board.to_move == player && t + 2 < n) {
            t++;
            ref_play(&board, moves[t] / 8, moves[t] % 8);
            char other = board.to_move == 'b' ? 'w' : 'b';
            uint64_t only = ref_moves_mask(&board, other) & ~ref_moves_mask(&board, board.to_move);

            if (only != 0) {
                *sq = __builtin_ctzll(only);
                return t;
            }
        }
    }
    return -1;
}

static void lenient_rule_forgives_the_wrong_side_after_a_pass(void **state)
{
    const GameVariant *variant = game_variant(8);
    const Vocab *vocab = vocab_of(variant);
    int n_found = 0;
    for (uint64_t i = 0; i < 400 && n_found < 20; i++) {
        static float logits[MAX_T * MAX_V];
        LegalitySums game = {0}, by_ply[GAME_MAX_MOVES] = {{0}};
        uint8_t moves[GAME_MAX_MOVES];
        int sq = -1, t;
        play_random(moves, variant, 5, RNG_TEST, i);
        t = lenient_only_after_pass(&sq, variant, moves);
        if (t < 0) {
            continue;
        }
        n_found++;
        perfect_logits(logits, vocab, moves, false);
        logits[t * vocab->d_vocab + vocab->tok_of_sq[sq]] = 1.0f;
        assert_int_equal(legality_add_game(&game, by_ply, variant, moves, logits), 0);
        assert_true(game.strict_errors == 1 && game.lenient_errors == 0);
        assert_true(by_ply[t].strict_errors == 1);

        /* Neither rule accepts an occupied square. */
        memset(&game, 0, sizeof(game));
        logits[t * vocab->d_vocab + vocab->tok_of_sq[moves[t]]] = 2.0f;
        assert_int_equal(legality_add_game(&game, by_ply, variant, moves, logits), 0);
        assert_true(game.strict_errors == 1 && game.lenient_errors == 1);
    }
    assert_int_equal(n_found, 20);
}

static void bad_games_and_numbers_are_refused(void **state)
{
    const GameVariant *variant = game_variant(6);
    const Vocab *vocab = vocab_of(variant);
    static float logits[MAX_T * MAX_V];
    LegalitySums game = {0}, by_ply[GAME_MAX_MOVES] = {{0}};
    uint8_t moves[GAME_MAX_MOVES];
    play_random(moves, variant, 6, RNG_TEST, 0);
    perfect_logits(logits, vocab, moves, false);
    logits[5 * vocab->d_vocab + 7] = NAN;
    assert_int_equal(legality_add_game(&game, by_ply, variant, moves, logits), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "token 7 after 6 moves"));
    moves[9] = moves[3];
    assert_int_equal(legality_add_game(&game, by_ply, variant, moves, logits), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "move 10"));
}

static Gpt *random_network(int size, int n_layers)
{
    const Vocab *vocab = vocab_of(game_variant(size));
    GptConfig cfg;
    Gpt *gpt = NULL;
    assert_int_equal(gpt_config_preset(&cfg, "nano"), 0);
    cfg.n_layers = n_layers;
    cfg.d_vocab = vocab->d_vocab;
    cfg.n_ctx = vocab->n_ctx;
    cfg.seed = 11;
    assert_int_equal(gpt_new(&gpt, &cfg), 0);
    gpt_init(gpt, 11, RNG_INIT);
    return gpt;
}

/* 150 games are ten passes; the last one is short. */
static void any_number_of_workers_gives_the_same_sums(void **state)
{
    enum { N_GAMES = 150 };
    Gpt *gpt = random_network(6, 2);
    LegalityScore one = {0}, shifted = {0};
    GameSource *source = NULL;

    assert_int_equal(source_fresh(&source, game_variant(6), 1, RNG_TEST), 0);
    assert_int_equal(legality_score(&one, gpt, source, 0, N_GAMES, WORK_ALONE), 0);
    assert_int_equal(one.n_games, N_GAMES);
    assert_true(one.total.strict_errors > 0.5 * one.total.positions); /* untrained */
    for (size_t n_threads = 2; n_threads <= 3; n_threads++) {
        LegalityScore many = {0};
        Pool *pool = NULL;
        assert_int_equal(pool_new(&pool, n_threads), 0);
        TickLog log;
        const Work heard = tick_log_work(&log, (Work){.pool = pool});
        assert_int_equal(legality_score(&many, gpt, source, 0, N_GAMES, &heard), 0);
        assert_true(tick_log_ended(&log, "games", N_GAMES));
        assert_memory_equal(&one.total, &many.total, sizeof(one.total));
        assert_memory_equal(one.by_ply, many.by_ply, sizeof(one.by_ply));
        assert_memory_equal(one.games, many.games, N_GAMES * sizeof(*one.games));
        legality_release(&many);
        pool_free(pool);
    }
    assert_int_equal(legality_score(&shifted, gpt, source, 1, N_GAMES, WORK_ALONE), 0);
    assert_memory_not_equal(&one.total, &shifted.total, sizeof(one.total));
    legality_release(&one);
    legality_release(&shifted);
    source_free(source);
    gpt_free(gpt);
}

static void wrong_board_and_interrupts_are_reported(void **state)
{
    Gpt *gpt = random_network(6, 1);
    LegalityScore score;
    GameSource *source = NULL;
    assert_int_equal(source_fresh(&source, game_variant(8), 1, RNG_TEST), 0);
    assert_int_equal(legality_score(&score, gpt, source, 0, 1, WORK_ALONE), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "d_vocab 33"));
    source_free(source);

    assert_int_equal(source_fresh(&source, game_variant(6), 1, RNG_TEST), 0);
    interrupt_set(2);
    assert_int_equal(legality_score(&score, gpt, source, 0, 1, WORK_ALONE), OGPT_EINTR);
    interrupt_set(0);
    assert_null(score.games);
    source_free(source);
    gpt_free(gpt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect_predictor_has_the_perfect_score),
        cmocka_unit_test(uniform_predictor_says_pad),
        cmocka_unit_test(lenient_rule_forgives_the_wrong_side_after_a_pass),
        cmocka_unit_test(bad_games_and_numbers_are_refused),
        cmocka_unit_test(any_number_of_workers_gives_the_same_sums),
        cmocka_unit_test(wrong_board_and_interrupts_are_reported),
    };
    return cmocka_run_group_tests_name("legality", tests, NULL, NULL);
}
