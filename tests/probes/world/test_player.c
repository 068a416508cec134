/* tests/probes/world/test_player.c - every player answers what its definition says: the rules,
 * the whole forward pass, mistakes dealt at random, a plant at one board. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datasets/labels.h"
#include "game/rules_ref.h"
#include "probes/legality/answers.h"
#include "tests/probes/world/world_fixture.h"

/* The same products in other shapes (tests/model/test_prefix.c), as probabilities. */
#define TOL 1e-6

enum { SIZE = 6, MAX_V = 33 };

static PlayerLine line_at(const WorldFixture *f, uint64_t i, int n)
{
    Rng rng = rng_at(3, RNG_TEST, i);
    return world_random_line(&rng, f->variant, n);
}

static void network_answers_are_those_of_the_whole_pass(void **state)
{
    WorldFixture f;
    PlayerSeat *seat;
    Tape *tape;
    PlayerLine lines[PLAYER_LINES];
    PlayerBranch branches[300];
    uint8_t next[PLAYER_LINES];
    float p[PLAYER_LINES * MAX_V], q[300 * MAX_V];
    double worst = 0, moved = 0;
    size_t n_branches = 0;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    size_t V = (size_t)f.vocab->d_vocab;
    assert_int_equal(player_seat_new(&seat, &f.set.players[PLAYER_NETWORK]), 0);
    assert_int_equal(tape_new(&tape, &f.gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    for (size_t i = 0; i < PLAYER_LINES; i++) {
        lines[i] = line_at(&f, i, 1 + (int)i % 24);
    }
    for (int round = 0; round < 3; round++) { /* start, then go on twice */
        if (round == 0) {
            assert_int_equal(player_start(p, seat, lines, PLAYER_LINES), 0);
        } else {
            for (size_t i = 0; i < PLAYER_LINES; i++) {
                Rng rng = rng_at(4, RNG_TEST, i);
                next[i] = (uint8_t)world_random_move(&rng, f.variant, &lines[i].board);
                player_line_play(&lines[i], f.variant, next[i]);
                assert_false(board_is_over(f.variant, &lines[i].board));
            }
            assert_int_equal(player_go_on(p, seat, next), 0);
        }
        for (size_t i = 0; i < PLAYER_LINES; i++) {
            uint8_t tokens[GAME_MAX_MOVES];
            double whole[MAX_V];
            for (int t = 0; t < lines[i].n; t++) {
                tokens[t] = f.vocab->tok_of_sq[lines[i].moves[t]];
            }
            const real *logits = gpt_forward(f.gpt, tape, tokens, 1, (size_t)lines[i].n, NULL);
            answer_probabilities(whole, logits + ((size_t)lines[i].n - 1) * V, (int)V);
            for (size_t tok = 0; tok < V; tok++) {
                worst = fmax(worst, fabs(whole[tok] - p[i * V + tok]));
                moved = fmax(moved, fabs(whole[tok] - p[(i + 1) % PLAYER_LINES * V + tok]));
            }
        }
        assert_true(worst < TOL && moved > 100 * TOL);
    }
    for (uint16_t i = 0; i < PLAYER_LINES; i++) { /* a branch is where going on would lead */
        uint64_t legal = board_moves(f.variant, &lines[i].board);
        next[i] = (uint8_t)__builtin_ctzll(legal);
        for (; legal != 0; legal &= legal - 1) {
            branches[n_branches++] = (PlayerBranch){i, (uint8_t)__builtin_ctzll(legal)};
        }
    }
    assert_in_range(n_branches, PLAYER_LINES + 1, 300);
    assert_int_equal(player_branches(q, seat, branches, n_branches), 0);
    assert_int_equal(player_go_on(p, seat, next), 0);
    for (size_t r = 0; r < n_branches; r++) {
        size_t i = branches[r].line;
        for (size_t tok = 0; tok < V && branches[r].sq == next[i]; tok++) {
            assert_true(fabs((double)q[r * V + tok] - (double)p[i * V + tok]) < TOL);
        }
    }
    tape_free(tape);
    player_seat_free(seat);
    world_fixture_close(&f);
}

/* Lines that grew by different numbers of moves are answered as if they had been started there. */
static void a_seat_follows_its_lines(void **state)
{
    enum { LINES = 6 };
    WorldFixture f;
    PlayerSeat *seat;
    PlayerLine lines[LINES];
    float p[LINES * MAX_V], q[LINES * MAX_V];
    double moved = 0;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    assert_int_equal(player_seat_new(&seat, &f.set.players[PLAYER_NETWORK]), 0);
    for (size_t i = 0; i < LINES; i++) {
        lines[i] = line_at(&f, i, 5 + (int)i);
    }
    assert_int_equal(player_start(p, seat, lines, LINES), 0);
    for (size_t i = 0; i < LINES; i++) {
        for (size_t more = 0; more < 1 + i % 3; more++) {
            player_line_play(&lines[i], f.variant,
                             __builtin_ctzll(board_moves(f.variant, &lines[i].board)));
        }
    }
    assert_int_equal(player_follow(q, seat, lines), 0);
    for (size_t i = 0; i < LINES * (size_t)f.vocab->d_vocab; i++) {
        moved = fmax(moved, fabs((double)p[i] - (double)q[i]));
    }
    assert_int_equal(player_start(p, seat, lines, LINES), 0);
    for (size_t i = 0; i < LINES * (size_t)f.vocab->d_vocab; i++) {
        assert_true(fabs((double)p[i] - (double)q[i]) < TOL);
    }
    assert_true(moved > 100 * TOL);
    player_seat_free(seat);
    world_fixture_close(&f);
}

/* By the plain rules of game/rules_ref.h. */
static bool ref_legal(const GameVariant *variant, const Board *board, int sq)
{
    RefBoard ref;
    ref_from_board(&ref, variant, board);
    return ref_is_legal(&ref, ref.to_move, sq / 8, sq % 8);
}

static void controls_know_what_they_should(void **state)
{
    WorldFixture f;
    size_t n_told_apart[N_PLAYER_KINDS] = {0};
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    for (uint64_t i = 0; i < 60; i++) {
        PlayerLine line = line_at(&f, i, 1 + (int)i % 28);
        Board other = board_swapped(&line.board);
        float p[MAX_V];
        for (int kind = PLAYER_ENGINE; kind <= PLAYER_EITHER_SIDE; kind++) {
            int n = 0;
            player_answer_by_rules(p, &f.set.players[kind], &line);
            for (int tok = 1; tok < f.vocab->d_vocab; tok++) {
                int sq = f.vocab->sq_of_tok[tok];
                bool mine = ref_legal(f.variant, &line.board, sq);
                bool taken = (line.board.mine | line.board.theirs) >> sq & 1;
                bool wanted = kind == PLAYER_ENGINE    ? mine
                              : kind == PLAYER_EMPTIES ? !taken
                                                       : mine || ref_legal(f.variant, &other, sq);
                assert_int_equal(p[tok] > 0, wanted);
                n += wanted;
                n_told_apart[kind] += wanted != mine;
            }
            assert_true(p[TOK_PAD] == 0 &&
                        fabsf(p[world_top(p, f.vocab->d_vocab)] * (float)n - 1) < 1e-6F);
        }
    }
    assert_int_equal(n_told_apart[PLAYER_ENGINE], 0);
    assert_true(n_told_apart[PLAYER_EITHER_SIDE] > 0);
    assert_true(n_told_apart[PLAYER_EMPTIES] > n_told_apart[PLAYER_EITHER_SIDE]);
    world_fixture_close(&f);
}

/* Mistakes are dealt: as many as the network makes, elsewhere, by the history alone. */
static void mistakes_are_as_many_and_elsewhere(void **state)
{
    enum { GAMES = 64 };
    WorldFixture f;
    Interval network, dealt, engine;
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    const Player *player = &f.set.players[PLAYER_RANDOM_MISTAKES];
    assert_int_equal(world_strict_error(&network, &f.set.players[PLAYER_NETWORK], GAMES, &f.alone),
                     0);
    assert_int_equal(world_strict_error(&dealt, player, GAMES, &f.together), 0);
    assert_int_equal(world_strict_error(&engine, &f.set.players[PLAYER_ENGINE], GAMES, &f.alone),
                     0);
    assert_true(engine.value == 0 && network.value > 0.2 && network.value < 0.99);
    assert_true(dealt.value > network.low && dealt.value < network.high);
    size_t n_same = 0, n_legal = 0;
    for (uint64_t i = 0; i < 40; i++) {
        PlayerLine line = line_at(&f, i, 9), again = line;
        float p[MAX_V], q[MAX_V];
        double total = 0;
        player_answer_by_rules(p, player, &line);
        player_answer_by_rules(q, player, &again);
        assert_memory_equal(p, q, sizeof(float) * MAX_V);
        again.moves[0] ^= 1; /* another history of the same board, as far as the player can see */
        player_answer_by_rules(q, player, &again);
        n_same += world_top(p, MAX_V) == world_top(q, MAX_V);
        n_legal += world_legal(f.vocab, &line.board) >> world_top(p, MAX_V) & 1;
        for (int tok = 0; tok < MAX_V; tok++) {
            total += p[tok];
        }
        assert_true(fabs(total - 1) < 1e-5);
    }
    assert_true(n_same < 20 && n_legal > 0 && n_legal < 40);
    world_fixture_close(&f);
}

static void a_plant_speaks_at_its_board_alone(void **state)
{
    WorldFixture f;
    PlayerSeat *seat;
    float p[2 * MAX_V];
    assert_int_equal(world_fixture_open(&f, SIZE), 0);
    PlayerLine lines[2] = {line_at(&f, 1, 6), line_at(&f, 2, 6)};
    PlayerPlant plant = {lines[1].board, 7};
    for (int kind = 0; kind < N_PLAYER_KINDS; kind += PLAYER_ENGINE) { /* network, engine, ... */
        Player player = f.set.players[kind];
        player.plant = &plant;
        assert_int_equal(player_seat_new(&seat, &player), 0);
        assert_int_equal(player_start(p, seat, lines, 2), 0);
        assert_true(p[7] < 1 && p[MAX_V + 7] == 1);
        PlayerLine before = player_line_of(f.variant, lines[1].moves, 5);
        assert_int_equal(player_start(NULL, seat, &before, 1), 0);
        PlayerBranch branch = {0, lines[1].moves[5]};
        assert_int_equal(player_branches(p, seat, &branch, 1), 0);
        assert_true(p[7] == 1);
        player_seat_free(seat);
    }
    world_fixture_close(&f);
}

static void ties_make_one_set(void **state)
{
    const float p[6] = {0, .2F, .4F, .2F, .2F, 0};
    assert_int_equal(world_top(p, 6), 2);
    assert_int_equal(world_top_set(p, 6, 1), 1U << 2);
    assert_int_equal(world_top_set(p, 6, 2), 0x1e); /* all that tie with the second */
    assert_int_equal(world_top_set(p, 6, 5), 0x3f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_answers_are_those_of_the_whole_pass),
        cmocka_unit_test(a_seat_follows_its_lines),
        cmocka_unit_test(controls_know_what_they_should),
        cmocka_unit_test(mistakes_are_as_many_and_elsewhere),
        cmocka_unit_test(a_plant_speaks_at_its_board_alone),
        cmocka_unit_test(ties_make_one_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
