/* tests/probes/world/test_history_mlp.c - the control without attention: it learns what depends on
 * the squares that each side played, and cannot learn what depends on their order; plain answers
 * are those of the kernels; the same bits for any number of workers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/kernels.h"
#include "probes/legality/answers.h"
#include "tests/probes/world/world_fixture.h"

enum { N_PAIRS = 200, STEPS = 150, LENGTH = 12 };

/* Two histories in which one side played the same squares in another order. */
typedef struct OrderPair {
    uint8_t moves[2][GAME_MAX_MOVES];
} OrderPair;

static Colour mover_of(const GameVariant *variant, const uint8_t *moves, int n)
{
    return player_line_of(variant, moves, n).board.to_move;
}

/* The last move and the one before it of the same side change places, if that is legal and each
 * side still makes the same moves. */
static bool exchange(OrderPair *pair, const GameVariant *variant, const PlayerLine *line)
{
    Board board = variant->start;
    memcpy(pair->moves[0], line->moves, sizeof(line->moves));
    memcpy(pair->moves[1], line->moves, sizeof(line->moves));
    pair->moves[1][LENGTH - 1] = line->moves[LENGTH - 3];
    pair->moves[1][LENGTH - 3] = line->moves[LENGTH - 1];
    for (int t = 0; t < LENGTH; t++) {
        if (board_flips(variant, &board, pair->moves[1][t]) == 0 ||
            board.to_move != mover_of(variant, line->moves, t)) {
            return false;
        }
        board_play(variant, &board, pair->moves[1][t]);
    }
    return mover_of(variant, line->moves, LENGTH - 1) ==
               mover_of(variant, line->moves, LENGTH - 3) &&
           board.to_move == line->board.to_move && !board_is_over(variant, &board);
}

static void pairs_find(OrderPair *pairs, const GameVariant *variant)
{
    for (uint64_t i = 0, n = 0; n < N_PAIRS; i++) {
        Rng rng = rng_at(3, RNG_TEST, i);
        PlayerLine line = world_random_line(&rng, variant, LENGTH);
        n += exchange(&pairs[n], variant, &line);
        assert_true(i < 100000);
    }
}

/* By the squares that were played: the first that nobody did. */
static int first_free(void *context, const uint8_t *moves, int n)
{
    const Vocab *vocab = context;
    uint64_t taken = 1; /* the pad */
    for (int t = 0; t < n; t++) {
        taken |= 1ULL << vocab->tok_of_sq[moves[t]];
    }
    return __builtin_ctzll(~taken);
}

/* By their order: the last square. */
static int last_played(void *context, const uint8_t *moves, int n)
{
    const Vocab *vocab = context;
    return vocab->tok_of_sq[moves[n - 1]];
}

typedef int (*Teacher)(void *context, const uint8_t *moves, int n);

static HistoryMlp learned(const Vocab *vocab, Teacher teacher, size_t steps, Pool *pool)
{
    const HistoryLesson lesson = {teacher, (void *)(uintptr_t)vocab, steps};
    HistoryMlp mlp;
    assert_int_equal(history_mlp_learn(&mlp, vocab, &lesson, &(Work){.seed = 2, .pool = pool}), 0);
    return mlp;
}

/* Histories of pairs after which the top token is what the teacher says. */
static size_t count_right(const HistoryMlp *mlp, const OrderPair *pairs, Teacher teacher)
{
    size_t right = 0;
    for (size_t i = 0; i < N_PAIRS; i++) {
        for (int side = 0; side < 2; side++) {
            float p[BOARD_SQUARES];
            history_mlp_answer(p, mlp, pairs[i].moves[side], LENGTH);
            right += answer_top(p, mlp->vocab->d_vocab) ==
                     teacher((void *)(uintptr_t)mlp->vocab, pairs[i].moves[side], LENGTH);
        }
    }
    return right;
}

static void counts_are_learned_and_order_cannot_be(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(6));
    OrderPair *pairs = test_calloc(N_PAIRS, sizeof(*pairs));
    pairs_find(pairs, vocab->variant);
    HistoryMlp counts = learned(vocab, first_free, STEPS, NULL);
    HistoryMlp order = learned(vocab, last_played, STEPS, NULL);
    HistoryMlp none = learned(vocab, first_free, 0, NULL);
    assert_true(count_right(&counts, pairs, first_free) >= 2 * N_PAIRS * 95 / 100);
    assert_true(count_right(&none, pairs, first_free) < 2 * N_PAIRS / 4);
    /* Two histories of a pair have one answer and two right ones: at most half can be right. */
    size_t right = count_right(&order, pairs, last_played);
    assert_true(right <= N_PAIRS);
    assert_true(right > 2 * N_PAIRS / 10); /* it did learn: one of the squares of one side */
    history_mlp_release(&counts);
    history_mlp_release(&order);
    history_mlp_release(&none);
    test_free(pairs);
}

/* Bit for bit; a network tells the two histories apart. */
static void order_is_invisible(void **state)
{
    WorldFixture f;
    OrderPair *pairs = test_calloc(N_PAIRS, sizeof(*pairs));
    assert_int_equal(world_fixture_open(&f, 6), 0);
    pairs_find(pairs, f.variant);
    const Player *tested[2] = {&f.set.players[PLAYER_HISTORY_MLP], &f.set.players[PLAYER_NETWORK]};
    size_t n_same[2] = {0, 0}, V = (size_t)f.vocab->d_vocab;
    for (int player = 0; player < 2; player++) {
        PlayerSeat *seat = NULL;
        assert_int_equal(player_seat_new(&seat, tested[player]), 0);
        for (size_t i = 0; i < N_PAIRS; i++) {
            float p[2 * BOARD_SQUARES];
            PlayerLine lines[2];
            for (int side = 0; side < 2; side++) {
                lines[side] = player_line_of(f.variant, pairs[i].moves[side], LENGTH);
            }
            assert_int_equal(player_start(p, seat, lines, 2), 0);
            n_same[player] += memcmp(p, p + V, V * sizeof(float)) == 0;
        }
        player_seat_free(seat);
    }
    assert_int_equal(n_same[0], N_PAIRS);
    assert_int_equal(n_same[1], 0);
    world_fixture_close(&f);
    test_free(pairs);
}

/* Logits by the kernels, of the input as its header says it. */
static void kernel_answer(float *p, const HistoryMlp *mlp, const PlayerLine *line)
{
    enum { H = HISTORY_MLP_HIDDEN };
    size_t V = (size_t)mlp->vocab->d_vocab, W = mlp->width;
    const Kernels *k = kernels_fast();
    Board board = mlp->vocab->variant->start;
    Arena arena = {0};
    double probabilities[BOARD_SQUARES];
    size_t scratch_bytes = k->scratch_bytes(1, H, H);
    assert_int_equal(arena_init(&arena,
                                2 * arena_piece_bytes(H, sizeof(float)) +
                                    arena_piece_bytes(W, sizeof(float)) +
                                    arena_piece_bytes(scratch_bytes, 1),
                                "a row"),
                     0);
    float *x = arena_take(&arena, W, sizeof(float)), *act = arena_take(&arena, H, sizeof(float));
    float *logits = arena_take(&arena, H, sizeof(float));
    void *scratch = arena_take(&arena, scratch_bytes, 1);
    const float *b_in = mlp->params + W * H, *w_out = b_in + H;
    for (int t = 0; t < line->n; t++) {
        bool mine = board.to_move == line->board.to_move;
        x[2 * (mlp->vocab->tok_of_sq[line->moves[t]] - 1) + !mine] = 1;
        board_play(mlp->vocab->variant, &board, line->moves[t]);
    }
    k->linear_fwd(act, x, mlp->params, NULL, 1, W, H, scratch);
    k->gelu_fwd(act, NULL, act, b_in, 1, H);
    k->linear_fwd(logits, act, w_out, w_out + H * V, 1, H, V, scratch);
    answer_probabilities(probabilities, logits, (int)V);
    for (size_t v = 0; v < V; v++) {
        p[v] = (float)probabilities[v];
    }
    arena_release(&arena);
}

static void plain_answers_are_those_of_the_kernels(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(8));
    HistoryMlp mlp = learned(vocab, NULL, 20, NULL);
    double worst = 0, spread = 0;
    for (uint64_t i = 0; i < 40; i++) {
        Rng rng = rng_at(4, RNG_TEST, i);
        PlayerLine line = world_random_line(&rng, vocab->variant, 1 + (int)i);
        float p[BOARD_SQUARES], q[BOARD_SQUARES];
        history_mlp_answer(p, &mlp, line.moves, line.n);
        kernel_answer(q, &mlp, &line);
        for (int v = 0; v < vocab->d_vocab; v++) {
            worst = fmax(worst, fabs(p[v] - q[v]));
            spread = fmax(spread, p[v]);
        }
    }
    /* KERNEL_TOL of two products, on logits of order 10. */
    assert_true(worst < 20 * (KERNEL_TOL(mlp.width) + KERNEL_TOL(HISTORY_MLP_HIDDEN)));
    assert_true(spread > 0.05);
    history_mlp_release(&mlp);
}

static void workers_change_nothing(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(6));
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 3), 0);
    HistoryMlp one = learned(vocab, NULL, 5, NULL), many = learned(vocab, NULL, 5, pool);
    HistoryMlp more = learned(vocab, NULL, 6, NULL);
    size_t bytes = (one.width * HISTORY_MLP_HIDDEN) * sizeof(float);
    assert_memory_equal(one.params, many.params, bytes);
    assert_memory_not_equal(one.params, more.params, bytes);
    history_mlp_release(&one);
    history_mlp_release(&many);
    history_mlp_release(&more);
    pool_free(pool);
}

/* What it learns of the game: more than its start knows, less than the rules. */
static void the_game_is_learned_in_part(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(6));
    HistoryMlp start = learned(vocab, NULL, 0, NULL), mlp = learned(vocab, NULL, STEPS, NULL);
    Player player = {.kind = PLAYER_HISTORY_MLP, .vocab = vocab, .mlp = &mlp};
    Interval error, before;
    assert_int_equal(world_strict_error(&error, &player, 100, &(Work){.seed = 9}), 0);
    player.mlp = &start;
    assert_int_equal(world_strict_error(&before, &player, 100, &(Work){.seed = 9}), 0);
    assert_true(error.high < before.low / 2);
    assert_true(error.low > 0.02);
    history_mlp_release(&mlp);
    history_mlp_release(&start);
}

static void memory_that_fails_is_an_error(void **state)
{
    const Vocab *vocab = vocab_of(game_variant(4));
    const HistoryLesson lesson = {.steps = 1};
    int rc = OGPT_ENOMEM;
    uint64_t at = 0;
    while (rc != 0) {
        HistoryMlp mlp;
        mem_fail_at(++at, 0);
        rc = history_mlp_learn(&mlp, vocab, &lesson, &(Work){.seed = 1});
        assert_true(rc == 0 || rc == OGPT_ENOMEM);
        mem_fail_at(0, 0);
        history_mlp_release(&mlp);
    }
    assert_true(at > 1);
}

int main(void)
{
    if (blas_init() != 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_learned_and_order_cannot_be),
        cmocka_unit_test(order_is_invisible),
        cmocka_unit_test(plain_answers_are_those_of_the_kernels),
        cmocka_unit_test(workers_change_nothing),
        cmocka_unit_test(the_game_is_learned_in_part),
        cmocka_unit_test(memory_that_fails_is_an_error),
    };
    return cmocka_run_group_tests_name("history mlp", tests, NULL, NULL);
}
