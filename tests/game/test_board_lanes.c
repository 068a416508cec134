/* tests/game/test_board_lanes.c - the rules on eight boards at once against those on one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "game/board_lanes.h"
#include "game/play.h"

#define SEED 1
#define GAMES 200

/* Boards of random games wait here until the lanes are full. */
typedef struct Waiting {
    const GameVariant *variant;
    Board boards[BOARD_LANES];
    int n;
    size_t n_checked, n_flips;
} Waiting;

static void lanes_load(BoardLanes *mine, BoardLanes *theirs, const Waiting *waiting)
{
    for (int i = 0; i < BOARD_LANES; i++) {
        (*mine)[i] = waiting->boards[i].mine;
        (*theirs)[i] = waiting->boards[i].theirs;
    }
}

/* Play the r-th legal move of every lane, lanes without that many playing none. */
static void check_moves_of_rank(Waiting *waiting, int r)
{
    BoardLanes mine, theirs, move = {0}, flips;
    Board after[BOARD_LANES];
    lanes_load(&mine, &theirs, waiting);
    for (int i = 0; i < BOARD_LANES; i++) {
        const uint64_t legal = board_moves(waiting->variant, &waiting->boards[i]);
        after[i] = board_swapped(&waiting->boards[i]);
        if (r < __builtin_popcountll(legal)) {
            const int sq = mask_select_ref(legal, r);
            move[i] = 1ULL << sq;
            after[i] = board_child(waiting->variant, &waiting->boards[i], sq);
            waiting->n_flips++;
        }
    }
    const bool ends_only = waiting->variant->rules == RULES_NO_MID_FLIP;
    lanes_flips(&flips, &move, &mine, &theirs, ends_only);
    for (int i = 0; i < BOARD_LANES; i++) {
        assert_true(move[i] == 0 ? flips[i] == 0
                                 : flips[i] == board_flips(waiting->variant, &waiting->boards[i],
                                                           __builtin_ctzll(move[i])));
    }
    lanes_play(&mine, &theirs, &move, ends_only);
    for (int i = 0; i < BOARD_LANES; i++) {
        assert_true(mine[i] == after[i].mine && theirs[i] == after[i].theirs);
    }
}

static void check_full_lanes(Waiting *waiting)
{
    BoardLanes mine, theirs, legal;
    lanes_load(&mine, &theirs, waiting);
    lanes_moves(&legal, waiting->variant->squares, &mine, &theirs);
    for (int i = 0; i < BOARD_LANES; i++) {
        assert_true(legal[i] == board_moves(waiting->variant, &waiting->boards[i]));
    }
    for (int r = 0; r < 6; r++) {
        check_moves_of_rank(waiting, r);
    }
    waiting->n_checked += BOARD_LANES;
    waiting->n = 0;
}

/* Boards of random games, as they stand and as the other side sees them, who may have no move. */
static void every_board_is_played_alike(void **state)
{
    for (int i = 0; i < 6; i++) { /* three sizes by two rules */
        Waiting waiting = {.variant = game_variant_with(4 + i % 3 * 2, (GameRules)(i / 3))};
        for (uint64_t game = 0; game < GAMES; game++) {
            uint8_t moves[GAME_MAX_MOVES];
            Board after[GAME_MAX_MOVES];
            const int n = play_random(moves, waiting.variant, SEED, RNG_TEST, game);
            assert_int_equal(game_replay(waiting.variant, moves, n, after), n);
            for (int t = 0; t < 2 * n; t++) {
                waiting.boards[waiting.n++] = t % 2 ? board_swapped(&after[t / 2]) : after[t / 2];
                if (waiting.n == BOARD_LANES) {
                    check_full_lanes(&waiting);
                }
            }
        }
        /* two moves a board at least, or the ranks above were empty */
        assert_true(waiting.n_checked > (size_t)GAMES * 10);
        assert_true(waiting.n_flips > 2 * waiting.n_checked);
    }
}

/* The two rules differ where a run has three discs or more, and only there. */
static void ends_only_leaves_the_middle(void **state)
{
    /* a1 is played: eastwards b1..g1 and then the mover's h1; upwards a2, a3 and the mover's a4. */
    BoardLanes mine = (BoardLanes){0} + (1ULL << 7 | 1ULL << 24);
    BoardLanes theirs = (BoardLanes){0} + (0x7eULL | 1ULL << 8 | 1ULL << 16);
    BoardLanes move = (BoardLanes){0} + 1, all, ends;
    lanes_flips(&all, &move, &mine, &theirs, false);
    lanes_flips(&ends, &move, &mine, &theirs, true);
    for (int i = 0; i < BOARD_LANES; i++) {
        assert_int_equal(all[i], theirs[i]);
        assert_int_equal(ends[i], 1ULL << 1 | 1ULL << 6 | 1ULL << 8 | 1ULL << 16);
    }
}

/* A lane must not see its neighbours, and a change of one disc must show: so the test can fail. */
static void one_disc_changes_one_lane(void **state)
{
    const GameVariant *variant = game_variant(8);
    BoardLanes mine = (BoardLanes){0} + variant->start.mine;
    BoardLanes theirs = (BoardLanes){0} + variant->start.theirs;
    BoardLanes before, legal;
    lanes_moves(&before, variant->squares, &mine, &theirs);
    theirs[3] &= theirs[3] - 1;
    lanes_moves(&legal, variant->squares, &mine, &theirs);
    for (int i = 0; i < BOARD_LANES; i++) {
        assert_int_equal(legal[i] == before[i], i != 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_board_is_played_alike),
        cmocka_unit_test(ends_only_leaves_the_middle),
        cmocka_unit_test(one_disc_changes_one_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
