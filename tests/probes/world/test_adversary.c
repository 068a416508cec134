/* tests/probes/world/test_adversary.c - the engine cannot be beaten; a mistake that is planted at
 * one board is found, and not found when it is taken away; any number of workers plays the same. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/world/adversary.h"
#include "probes/legality/answers.h"
#include "tests/probes/world/world_fixture.h"

static void the_engine_loses_to_nobody(void **state)
{
    const AdversaryOptions options = {40, 1, 2};
    AdversaryScore score;
    WorldFixture f;
    assert_int_equal(world_fixture_open(&f, 6), 0);
    for (int goal = 0; goal < GOAL_MISREAD; goal++) {
        assert_int_equal(world_adversary(&score, NULL, &f.set.players[PLAYER_ENGINE],
                                         (AdversaryGoal)goal, &options, &f.alone),
                         0);
        assert_true(score.success.high == 0 && score.shortest == 0 && score.distinct == 0);
        /* Who does not know whose turn it is loses them all. */
        assert_int_equal(world_adversary(&score, NULL, &f.set.players[PLAYER_EITHER_SIDE],
                                         (AdversaryGoal)goal, &options, &f.alone),
                         0);
        assert_true(score.success.low > 0.5 && score.shortest > 1);
    }
    world_fixture_close(&f);
}

/* A board of the player's turn that good play of the engine reaches on 4x4 after `replies` answers
 * from the opening of game 0, by moves of the opponent chosen at random. */
static PlayerLine reached(const WorldFixture *f, int replies, uint64_t choice)
{
    const Player *engine = &f->set.players[PLAYER_ENGINE];
    Rng rng = rng_at(choice, RNG_TEST, 1);
    PlayerLine line = world_opening(f->variant, f->alone.seed, 0, 1);
    Colour player = BLACK;
    for (int made = 0; made < replies || line.board.to_move != player;) {
        float p[16];
        if (line.board.to_move == player) {
            player_answer_alone(p, engine, &line);
            player_line_play(&line, f->variant,
                             f->vocab->sq_of_tok[answer_top(p, f->vocab->d_vocab)]);
            made++;
        } else {
            player_line_play(&line, f->variant, world_random_move(&rng, f->variant, &line.board));
        }
        assert_false(board_is_over(f->variant, &line.board));
    }
    return line;
}

static void a_planted_mistake_is_found_within_the_beam(void **state)
{
    WorldFixture f;
    size_t n_deep = 0;
    assert_int_equal(world_fixture_open(&f, 4), 0);
    for (uint64_t choice = 0; choice < 6; choice++) {
        PlayerLine line = reached(&f, choice < 3 ? 1 : 2, choice);
        PlayerPlant plant = {line.board, 0};
        uint64_t legal = world_legal(f.vocab, &line.board);
        while (plant.token == 0 || (legal >> plant.token & 1)) { /* an illegal move, not the pad */
            plant.token++;
        }
        Player player = f.set.players[PLAYER_ENGINE];
        AdversaryOptions options = {1, 1, 64};
        AdversaryGame game;
        AdversaryScore score;
        player.plant = &plant;
        assert_int_equal(world_adversary(&score, &game, &player, GOAL_ILLEGAL, &options, &f.alone),
                         0);
        assert_true(score.success.value == 1 && game.lost && game.token == plant.token);
        assert_int_equal(game.ply, line.n + 1);
        PlayerLine found = player_line_of(f.variant, game.moves, game.n);
        assert_true(board_same(&found.board, &line.board) && score.distinct == 1);
        /* One line of the many is not enough for a mistake that is several answers away. */
        options.beam = 1;
        assert_int_equal(world_adversary(&score, NULL, &player, GOAL_ILLEGAL, &options, &f.alone),
                         0);
        n_deep += score.success.value == 0;
        /* Without the plant nothing is found. */
        player.plant = NULL;
        options.beam = 64;
        assert_int_equal(world_adversary(&score, &game, &player, GOAL_ILLEGAL, &options, &f.alone),
                         0);
        assert_true(score.success.value == 0 && !game.lost);
    }
    assert_true(n_deep > 0);
    world_fixture_close(&f);
}

/* Behind one move, the opponent sees it coming, whichever of its moves leads there. */
static void one_move_ahead_is_seen(void **state)
{
    WorldFixture f;
    uint64_t replies = 0;
    assert_int_equal(world_fixture_open(&f, 4), 0);
    for (uint64_t choice = 0; choice < 8; choice++) {
        PlayerLine line = reached(&f, 0, choice);
        assert_int_equal(line.n, 2); /* the opening, and one move of the opponent */
        PlayerPlant plant = {line.board, 0};
        Player player = f.set.players[PLAYER_ENGINE];
        const AdversaryOptions options = {1, 1, 1};
        AdversaryScore score;
        player.plant = &plant; /* the pad is no move */
        assert_int_equal(world_adversary(&score, NULL, &player, GOAL_ILLEGAL, &options, &f.alone),
                         0);
        assert_true(score.success.value == 1 && score.shortest == 3);
        replies |= 1ULL << line.moves[1];
    }
    assert_true(__builtin_popcountll(replies) > 1);
    world_fixture_close(&f);
}

/* An error behind one move is met only by who plays that move: an opponent that plays at random
 * meets it in some games, whatever it could have seen. */
static void errors_behind_other_moves_do_not_count(void **state)
{
    WorldFixture f;
    assert_int_equal(world_fixture_open(&f, 4), 0);
    PlayerLine line = reached(&f, 0, 1);
    PlayerPlant plant = {line.board, 0};
    Player player = f.set.players[PLAYER_ENGINE];
    const AdversaryOptions options = {1, 1, 1};
    size_t n_lost = 0, n_met = 0;
    player.plant = &plant;
    for (size_t i = 0; i < 80; i++) {
        AdversaryScore score;
        Work work = {.seed = f.alone.seed + i};
        PlayerLine opening = world_opening(f.variant, work.seed, 0, 1);
        if (opening.moves[0] != line.moves[0]) {
            continue; /* another opening */
        }
        assert_int_equal(world_adversary(&score, NULL, &player, GOAL_RANDOM, &options, &work), 0);
        n_lost += score.success.value == 1;
        n_met++;
        assert_int_equal(world_adversary(&score, NULL, &player, GOAL_ILLEGAL, &options, &work), 0);
        assert_true(score.success.value == 1);
    }
    assert_true(n_lost > 0 && n_lost < n_met);
    world_fixture_close(&f);
}

static void workers_change_nothing(void **state)
{
    WorldFixture f;
    static AdversaryGame alone[150], together[150];
    assert_int_equal(world_fixture_open(&f, 6), 0);
    for (int beam = 1; beam <= 4; beam += 3) {
        const AdversaryOptions options = {150, 3, beam};
        AdversaryScore one, many;
        const Player *player = &f.set.players[PLAYER_RANDOM_MISTAKES];
        for (int kind = 0; kind < 2; kind++) {
            assert_int_equal(world_adversary(&one, alone, player, GOAL_ILLEGAL, &options, &f.alone),
                             0);
            assert_int_equal(
                world_adversary(&many, together, player, GOAL_ILLEGAL, &options, &f.together), 0);
            assert_memory_equal(alone, together, sizeof(alone));
            assert_true(one.success.value > 0.5 && one.success.value == many.success.value);
            player = &f.set.players[PLAYER_NETWORK];
        }
    }
    world_fixture_close(&f);
}

/* Whatever allocation fails is an error, not a result without numbers. */
static void memory_that_fails_is_an_error(void **state)
{
    const AdversaryOptions options = {8, 1, 1};
    WorldFixture f;
    AdversaryScore score;
    int rc = OGPT_ENOMEM;
    uint64_t at = 0;
    assert_int_equal(world_fixture_open(&f, 4), 0);
    while (rc != 0) {
        score.success.value = -1;
        mem_fail_at(++at, 0);
        rc = world_adversary(&score, NULL, &f.set.players[PLAYER_EITHER_SIDE], GOAL_ILLEGAL,
                             &options, &f.alone);
        assert_true(rc == 0 || rc == OGPT_ENOMEM);
    }
    mem_fail_at(0, 0);
    assert_true(at > 5 && score.success.value > 0); /* no number is missing */
    world_fixture_close(&f);
}

static void only_lost_games_have_an_end(void **state)
{
    const AdversaryOptions options = {40, 1, 1};
    static AdversaryGame games[40];
    WorldFixture f;
    AdversaryScore score;
    size_t n_lost = 0;
    assert_int_equal(world_fixture_open(&f, 6), 0);
    assert_int_equal(world_adversary(&score, games, &f.set.players[PLAYER_RANDOM_MISTAKES],
                                     GOAL_RANDOM, &options, &f.alone),
                     0);
    for (size_t i = 0; i < 40; i++) {
        int n = game_length(games[i].moves, GAME_MAX_MOVES);
        assert_true(games[i].lost ? games[i].ply == n + 1 && games[i].n == n && n > 0
                                  : games[i].ply == 0 && games[i].n == 0 && n == 0);
        n_lost += games[i].lost;
    }
    assert_true(n_lost > 0 && fabs(score.success.value - (double)n_lost / 40) < 1e-12);
    world_fixture_close(&f);
}

/* Intervals draw different openings: more games of the same ones are no more of them. Four first
 * moves, and an opponent that draws nothing: all games of a move and a colour are one game. */
static void games_of_one_opening_are_one_unit(void **state)
{
    WorldFixture f;
    AdversaryScore few, many;
    assert_int_equal(world_fixture_open(&f, 6), 0);
    const Player *player = &f.set.players[PLAYER_NETWORK];
    const AdversaryOptions less = {80, 1, 1}, more = {1280, 1, 1}, longer = {80, 6, 1};
    assert_int_equal(world_adversary(&few, NULL, player, GOAL_UNLIKELY, &less, &f.alone), 0);
    assert_int_equal(world_adversary(&many, NULL, player, GOAL_UNLIKELY, &more, &f.alone), 0);
    assert_true(few.openings == 4 && many.openings == 4);
    /* by game the second would be a quarter as long: 1280 are sixteen times 80 */
    assert_true(many.first_illegal.high - many.first_illegal.low >
                (few.first_illegal.high - few.first_illegal.low) / 2);
    assert_true(many.first_illegal.high > many.first_illegal.low);
    assert_int_equal(world_adversary(&few, NULL, player, GOAL_UNLIKELY, &longer, &f.alone), 0);
    assert_true(few.openings > 30 && few.openings <= 40); /* an opening for two games */
    world_fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_loses_to_nobody),
        cmocka_unit_test(a_planted_mistake_is_found_within_the_beam),
        cmocka_unit_test(one_move_ahead_is_seen),
        cmocka_unit_test(errors_behind_other_moves_do_not_count),
        cmocka_unit_test(workers_change_nothing),
        cmocka_unit_test(memory_that_fails_is_an_error),
        cmocka_unit_test(only_lost_games_have_an_end),
        cmocka_unit_test(games_of_one_opening_are_one_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
