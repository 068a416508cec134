/* tests/game/test_notation.c - games, squares and boards as text, and what is refused where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "game/notation.h"
#include "game/play.h"

#define SEED 12

static void squares_round_trip(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        for (int sq = 0; sq < BOARD_SQUARES; sq++) {
            char name[3];
            square_print(name, sq);
            const bool inside = variant->squares >> sq & 1;
            assert_int_equal(square_parse(variant, name), inside ? sq : -1);
        }
    }
    const GameVariant *variant = game_variant(8);
    assert_int_equal(square_parse(variant, "a1"), 0);
    assert_int_equal(square_parse(variant, "b1"), 1);
    assert_int_equal(square_parse(variant, "H8"), 63);
    const char *const bad[] = {"", "a", "i9", "a0", "a9", "i1", "11", "aa", " a", "@1", "`1", "a/"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(square_parse(variant, bad[i]), -1);
    }
}

static void moves_are_read_in_every_spelling(void **state)
{
    const GameVariant *variant = game_variant(8);
    const char *const spellings[] = {"f5d6c3",     "F5D6C3",          "f5 d6 c3", "f5, d6, c3",
                                     "f5-d6-c3\n", " f5\td6\r\nc3  ", "F5d6 C3"};
    const uint8_t expected[3] = {37, 43, 18};
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        uint8_t moves[GAME_MAX_MOVES];
        int n = -1;
        assert_int_equal(moves_parse(moves, &n, variant, spellings[i]), 0);
        assert_int_equal(n, 3);
        assert_memory_equal(moves, expected, 3);
        for (int t = 3; t < GAME_MAX_MOVES; t++) {
            assert_int_equal(moves[t], SQ_NONE);
        }
    }
    uint8_t moves[GAME_MAX_MOVES];
    int n = -1;
    assert_int_equal(moves_parse(moves, &n, variant, ""), 0);
    assert_int_equal(n, 0);
    char text[1];
    moves_print(text, moves, 0);
    assert_string_equal(text, "");
}

static void random_games_round_trip(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        for (uint64_t i = 0; i < 200; i++) {
            uint8_t made[GAME_MAX_MOVES];
            uint8_t read[GAME_MAX_MOVES];
            char text[3 * GAME_MAX_MOVES];
            int n_read = 0;
            const int n = play_random(made, variant, SEED, RNG_TEST, i);
            moves_print(text, made, n);
            assert_int_equal(strlen(text), 3 * n - 1);
            assert_int_equal(moves_parse(read, &n_read, variant, text), 0);
            assert_int_equal(n_read, n);
            assert_memory_equal(read, made, (size_t)n);
        }
    }
}

/* The first game of the seed with a pass, which comes after move *pass_after. */
static int game_with_pass(uint8_t *moves, int *pass_after, const GameVariant *variant)
{
    for (uint64_t i = 0;; i++) {
        const int n = play_random(moves, variant, SEED, RNG_TEST, i);
        Board board = variant->start;
        for (int t = 0; t + 1 < n; t++) {
            if (board_play(variant, &board, moves[t]) == PLAY_OPPONENT_PASSES) {
                *pass_after = t;
                return n;
            }
        }
    }
}

static void expect_refusal(int size, const char *text, const char *const *fragments)
{
    uint8_t moves[GAME_MAX_MOVES];
    int n = 0;
    assert_int_equal(moves_parse(moves, &n, game_variant(size), text), OGPT_EFORMAT);
    for (; *fragments; fragments++) {
        if (!strstr(err_message(), *fragments)) {
            print_error("'%s': expected \"%s\" in: %s\n", text, *fragments, err_message());
            fail();
        }
    }
    assert_null(strchr(err_message(), '\n'));
    assert_null(strchr(err_message(), '\033'));
}

static void bad_moves_name_place_and_reason(void **state)
{
    static const struct {
        int size;
        const char *text;
        const char *fragments[4];
    } rows[] = {
        {8, "f5 i9", {"character 4, ply 2", "a1 to h8", "'i9'"}},
        {8, "a0", {"character 1, ply 1", "'a0'"}},
        {8, "f5 a10", {"character 4, ply 2", "'a10'"}},           /* a 10x10 record */
        {8, "f5 d6 j10", {"character 7, ply 3", "'j1'"}},         /* the same, off to the right */
        {6, "f5", {"character 1, ply 1", "f5", "flips nothing"}}, /* an 8x8 record on 6x6 */
        {6, "e4 g6", {"character 4, ply 2", "a1 to f6"}},
        {8, "f5 f5", {"character 4, ply 2", "f5 is occupied"}},
        {8, "d4", {"character 1, ply 1", "d4 is occupied"}},
        {8, "a1", {"character 1, ply 1", "a1 flips nothing for black", "to move"}},
        {8, "e3", {"character 1, ply 1", "e3 flips nothing for black", "would for white"}},
        {8,
         "f5 pass d6",
         {"character 4, ply 2", "white, who has 3 legal ones, found a pass", "leave it out"}},
        {8, "f5 PA", {"character 4, ply 2", "found a pass"}},
        {8, "f5 ps", {"character 4, ply 2", "found a pass"}},
        {8, "f5--d6", {"character 3, ply 2", "found a pass"}},
        {8, "@@f5", {"character 1, ply 1", "black, who has 4 legal ones"}},
        {8, "f50000", {"character 3, ply 2", "found a pass"}},
        {8, "f5 d6 f5f5", {"f5 is occupied"}}, /* a pass in drop notation only */
        {8, "f", {"character 1, ply 1", "'f'"}},
        {8, "f5 d", {"character 4, ply 2", "'d'"}},
        {8, "5f", {"character 1, ply 1", "'5f'"}},
        {8, "f5;d6", {"character 3, ply 2", "';d'"}},
        {8, "f5 \xc3\xa9", {"character 4, ply 2", "byte 0xc3"}},
        {8, "f5 \x1b[31m", {"character 4, ply 2", "byte 0x1b"}},
        {8, "f5 1.d6", {"character 4, ply 2", "'1.'"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        expect_refusal(rows[i].size, rows[i].text, rows[i].fragments);
    }
}

static void moves_after_the_end_are_refused(void **state)
{
    /* The shortest game there is: black takes all discs with the ninth move. */
    const char *const after_end[] = {"character 28, ply 10", "already over", "a1 follows", NULL};
    expect_refusal(8, "e6 f4 e3 f6 g5 d6 e7 f5 c5 a1", after_end);
    const GameVariant *variant = game_variant(8);
    for (uint64_t i = 0; i < 20; i++) {
        uint8_t moves[GAME_MAX_MOVES];
        char text[3 * GAME_MAX_MOVES + 8];
        const int n = play_random(moves, variant, SEED, RNG_TEST, i);
        moves_print(text, moves, n);
        strncat(text, " a1", 4); /* a 61st move in a full game: occupied */
        int n_read = 0;
        assert_int_equal(moves_parse(moves, &n_read, variant, text), OGPT_EFORMAT);
    }
}

/* The side that must pass cannot move; the pass may be written in any spelling, once. */
static void forced_passes_may_be_written_once(void **state)
{
    const GameVariant *variant = game_variant(4);
    uint8_t moves[GAME_MAX_MOVES];
    int pass_after = 0;
    const int n = game_with_pass(moves, &pass_after, variant);
    char text[3 * GAME_MAX_MOVES];
    uint8_t read[GAME_MAX_MOVES];
    int n_read = 0;
    moves_print(text, moves, n);
    assert_int_equal(moves_parse(read, &n_read, variant, text), 0);
    assert_int_equal(n_read, n);
    Board after[GAME_MAX_MOVES];
    assert_int_equal(game_replay(variant, moves, n, after), n);
    const Board passed = board_swapped(&after[pass_after]);
    assert_int_equal(board_moves(variant, &passed), 0);
    assert_int_not_equal(board_moves(variant, &after[pass_after]), 0);
    text[3 * (pass_after + 1)] = '\0';
    static const char *const spellings[] = {" --",  " pa",   " PASS", " ps", " PS",
                                            " @@ ", " 0000", "0000",  "ps"};
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        char with[4 * GAME_MAX_MOVES];
        int length = snprintf(with, sizeof(with), "%s%s", text, spellings[i]);
        moves_print(with + length, moves + pass_after + 1, n - pass_after - 1);
        assert_int_equal(moves_parse(read, &n_read, variant, with), 0);
        assert_int_equal(n_read, n);
        assert_memory_equal(read, moves, (size_t)n);
        length = snprintf(with, sizeof(with), "%s%s --", text, spellings[i]);
        assert_int_equal(moves_parse(read, &n_read, variant, with), OGPT_EFORMAT);
        assert_non_null(strstr(err_message(), "found a pass"));
    }
}

static void boards_round_trip(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        for (uint64_t i = 0; i < 100; i++) {
            uint8_t moves[GAME_MAX_MOVES];
            Board after[GAME_MAX_MOVES];
            char text[BOARD_SQUARES + 3];
            const int n = play_random(moves, variant, SEED, RNG_TEST, i);
            assert_int_equal(game_replay(variant, moves, n, after), n);
            for (int t = 0; t < n; t++) {
                Board read;
                board_print(text, variant, &after[t]);
                assert_int_equal(strlen(text), size * size + 2);
                assert_int_equal(board_parse(&read, variant, text), 0);
                assert_int_equal(read.mine, after[t].mine);
                assert_int_equal(read.theirs, after[t].theirs);
                assert_int_equal(read.to_move, after[t].to_move);
                /* The twin: another character in one place gives another board. */
                text[i % (uint64_t)(size * size)] ^= 'b' ^ 'w';
                if (strspn(text, "bw. ") == strlen(text) &&
                    board_parse(&read, variant, text) == 0) {
                    assert_false(read.mine == after[t].mine && read.theirs == after[t].theirs);
                }
            }
        }
    }
}

static void boards_are_read_in_every_spelling(void **state)
{
    static const char *const spellings[] = {".....wb..bw.....",         "-----ox--xo-----",
                                            "_____O*__*O_____",         ".... .WB. .BW. ....",
                                            "....\n.wb.\n.bw.\n....\n", ".....wb..bw..... b",
                                            ".....wb..bw.....  X  "};
    const GameVariant *variant = game_variant(4);
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        Board board;
        assert_int_equal(board_parse(&board, variant, spellings[i]), 0);
        assert_int_equal(board.mine, variant->start.mine);
        assert_int_equal(board.theirs, variant->start.theirs);
        assert_int_equal(board.to_move, BLACK);
    }
    Board board;
    assert_int_equal(board_parse(&board, variant, ".....wb..bw..... o"), 0);
    assert_int_equal(board.mine, variant->start.theirs);
    assert_int_equal(board.to_move, WHITE);
}

static void bad_boards_name_place_and_reason(void **state)
{
    static const struct {
        const char *text;
        const char *fragment;
    } rows[] = {
        {"", "expected 16 squares, found 0"},
        {".....wb..bw....", "expected 16 squares, found 15"},
        {".....wb..bw......", "board character 17"},
        {".....wb..bw.....b", "board character 17: expected a blank and the side"},
        {".....wb..bw..... .", "board character 18"},
        {".....wb..bw..... b w", "board character 20: expected the end, found 'w'"},
        {".....wb?.bw.....", "board character 8: expected one of b x * w o . - _, found '?'"},
        {".....wb\xff.bw.....",
         "board character 8: expected one of b x * w o . - _, found byte 0xff"},
        /* Black cannot move here and white can: the side really to move is white. */
        {"wb.............. b", "black has no legal move and white has; end the board with \" w\""},
        {"wb..............", "black has no legal move"},
    };
    const GameVariant *variant = game_variant(4);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        Board board;
        const int rc = board_parse(&board, variant, rows[i].text);
        if (rc != OGPT_EFORMAT || !strstr(err_message(), rows[i].fragment)) {
            print_error("'%s': code %d: %s\n", rows[i].text, rc, err_message());
            fail();
        }
    }
    Board board;
    assert_int_equal(board_parse(&board, variant, "wb.............. w"), 0);
    /* Neither side can move: a final board, with either side to move written. */
    assert_int_equal(board_parse(&board, variant, "bbbbbbbbbbbbbbbb w"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squares_round_trip),
        cmocka_unit_test(moves_are_read_in_every_spelling),
        cmocka_unit_test(random_games_round_trip),
        cmocka_unit_test(bad_moves_name_place_and_reason),
        cmocka_unit_test(moves_after_the_end_are_refused),
        cmocka_unit_test(forced_passes_may_be_written_once),
        cmocka_unit_test(boards_round_trip),
        cmocka_unit_test(boards_are_read_in_every_spelling),
        cmocka_unit_test(bad_boards_name_place_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
