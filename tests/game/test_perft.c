/* tests/game/test_perft.c - leaf counts of both rules against the published tables, and the
 * whole tree of the 4x4 game. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pool.h"
#include "game/perft.h"
#include "game/play.h"
#include "game/rules_ref.h"

/* Depths 1, 2, ...; a forced pass is one ply, a game that ended earlier counts as one leaf. */
static const uint64_t TABLE_8[] = {4, 12, 56, 244, 1396, 8200, 55092, 390216, 3005288, 24571284};
static const uint64_t TABLE_6[] = {4, 12, 56, 244, 1364, 7604, 47740, 308716, 2114912};
static const uint64_t TABLE_4[] = {4,    12,   44,    128,   424,   1256,
                                   3624, 9116, 20044, 36540, 50704, 57436};
#define COMPLETE_GAMES_4 60060
#define REF_DEPTH 7
#define GAMES 3 /* whose boards are counted */

/* No-mid-flip: counted by the reference rules (ogpt perft DEPTH --rules no-mid-flip --ref), for no
 * table is published. On 4x4 a run has two discs at most, so there it is the classic game. */
static const uint64_t ENDS_8[] = {4, 12, 56, 244, 1396, 8264, 55864, 399844, 3099904};
static const uint64_t ENDS_6[] = {4, 12, 56, 244, 1364, 7636, 48032, 312076, 2141584};

typedef struct PerftTable {
    int size;
    GameRules rules;
    int depth;
    const uint64_t *leaves;
} PerftTable;

#define TABLE(size, rules, leaves)                                                                 \
    {                                                                                              \
        size, rules, sizeof(leaves) / sizeof(*(leaves)), leaves                                    \
    }
#define N_TABLES 7
static const PerftTable TABLES[N_TABLES] = {
    TABLE(8, RULES_CLASSIC, TABLE_8),    TABLE(6, RULES_CLASSIC, TABLE_6),
    TABLE(4, RULES_CLASSIC, TABLE_4),    TABLE(8, RULES_NO_MID_FLIP, ENDS_8),
    TABLE(6, RULES_NO_MID_FLIP, ENDS_6), TABLE(4, RULES_NO_MID_FLIP, TABLE_4),
    TABLE(6, RULES_IAGO, TABLE_6)};

static const GameVariant *variant_of(const PerftTable *table)
{
    return game_variant_with(table->size, table->rules);
}

static void fast_perft_matches_the_tables(void **state)
{
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 2), 0);
    for (int i = 0; i < N_TABLES; i++) {
        const GameVariant *variant = variant_of(&TABLES[i]);
        uint64_t leaves = 0;
        assert_int_equal(perft_start(&leaves, variant, 0, pool), 0);
        assert_int_equal(leaves, 1);
        for (int depth = 1; depth <= TABLES[i].depth; depth++) {
            assert_int_equal(perft_start(&leaves, variant, depth, pool), 0);
            assert_int_equal(leaves, TABLES[i].leaves[depth - 1]);
        }
    }
    pool_free(pool);
}

static void reference_perft_matches_the_tables(void **state)
{
    for (int i = 0; i < N_TABLES; i++) {
        const GameVariant *variant = variant_of(&TABLES[i]);
        RefBoard start;
        ref_from_board(&start, variant, &variant->start);
        for (int depth = 1; depth <= REF_DEPTH; depth++) {
            assert_int_equal(ref_perft(&start, depth), TABLES[i].leaves[depth - 1]);
        }
    }
}

/* Splitting over a pool must not change a count, at depths below, at and above the split. */
static void split_and_unsplit_counts_agree(void **state)
{
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 3), 0);
    for (int i = 0; i < N_TABLES; i++) {
        const GameVariant *variant = variant_of(&TABLES[i]);
        for (int depth = 0; depth <= 7; depth++) {
            uint64_t split = 0;
            uint64_t alone = 0;
            assert_int_equal(perft_start(&split, variant, depth, pool), 0);
            assert_int_equal(perft_start(&alone, variant, depth, NULL), 0);
            assert_int_equal(split, perft_board(variant, &variant->start, depth));
            assert_int_equal(alone, split);
        }
    }
    pool_free(pool);
}

/* Boards in the midst of random games, as they stand and as the other side sees them, who may have
 * to pass: the flocks of perft.c against the rule book, with any number of moves and with none. */
static void boards_of_games_are_counted_alike(void **state)
{
    size_t n_stuck = 0;
    for (int i = 0; i < N_TABLES; i++) {
        const GameVariant *variant = variant_of(&TABLES[i]);
        for (uint64_t game = 0; game < GAMES; game++) {
            uint8_t moves[GAME_MAX_MOVES];
            Board after[GAME_MAX_MOVES];
            const int n = play_random(moves, variant, 1, RNG_TEST, game);
            assert_int_equal(game_replay(variant, moves, n, after), n);
            for (int t = (int)game % 3; t < n; t += 3) {
                const Board boards[2] = {after[t], board_swapped(&after[t])};
                for (int side = 0; side < 2; side++) {
                    RefBoard ref;
                    ref_from_board(&ref, variant, &boards[side]);
                    n_stuck += board_moves(variant, &boards[side]) == 0;
                    for (int depth = 0; depth <= 3; depth++) {
                        assert_int_equal(perft_board(variant, &boards[side], depth),
                                         ref_perft(&ref, depth));
                    }
                }
            }
        }
    }
    assert_true(n_stuck > 10);
}

static uint64_t complete_games(const GameVariant *variant, const Board *board)
{
    uint64_t games = 0;
    for (uint64_t rest = board_moves(variant, board); rest != 0; rest &= rest - 1) {
        Board next = *board;
        const PlayResult result = board_play(variant, &next, __builtin_ctzll(rest));
        games += result == PLAY_GAME_OVER ? 1 : complete_games(variant, &next);
    }
    return games;
}

static uint64_t complete_games_ref(const RefBoard *board)
{
    uint64_t games = 0;
    for (int row = 0; row < board->size; row++) {
        for (int column = 0; column < board->size; column++) {
            if (ref_is_legal(board, board->to_move, row, column)) {
                RefBoard next = *board;
                games += ref_play(&next, row, column) ? complete_games_ref(&next) : 1;
            }
        }
    }
    return games;
}

/* Every 4x4 game, played move by move with passes made by the engine. */
static void all_games_of_4x4_are_counted(void **state)
{
    const GameVariant *variant = game_variant(4);
    RefBoard start;
    ref_start(&start, 4);
    assert_int_equal(complete_games(variant, &variant->start), COMPLETE_GAMES_4);
    assert_int_equal(complete_games_ref(&start), COMPLETE_GAMES_4);
    /* No 4x4 game lasts longer than 12 moves and as many passes, so deeper trees no longer grow. */
    assert_int_equal(perft_board(variant, &variant->start, 24), COMPLETE_GAMES_4);
    assert_int_equal(perft_board(variant, &variant->start, 25), COMPLETE_GAMES_4);
}

/* A disc of the wrong colour at the start must change the counts: so the tables can fail. */
static void a_wrong_start_is_seen(void **state)
{
    for (int i = 0; i < N_TABLES; i++) {
        const GameVariant *variant = variant_of(&TABLES[i]);
        Board wrong = variant->start;
        const uint64_t disc = wrong.theirs & -wrong.theirs;
        wrong.theirs ^= disc;
        wrong.mine ^= disc;
        assert_int_not_equal(perft_board(variant, &wrong, 5), TABLES[i].leaves[4]);
        RefBoard ref;
        ref_from_board(&ref, variant, &wrong);
        assert_int_equal(ref_perft(&ref, 5), perft_board(variant, &wrong, 5));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_perft_matches_the_tables),
        cmocka_unit_test(reference_perft_matches_the_tables),
        cmocka_unit_test(split_and_unsplit_counts_agree),
        cmocka_unit_test(boards_of_games_are_counted_alike),
        cmocka_unit_test(all_games_of_4x4_are_counted),
        cmocka_unit_test(a_wrong_start_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
