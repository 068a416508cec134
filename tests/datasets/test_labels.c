/* tests/datasets/test_labels.c - boards as labels; the two conventions differ after a pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/labels.h"
#include "game/play.h"
#include "game/rules_ref.h"

#define SEED 4

static void labels_match_the_reference_board(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        for (uint64_t i = 0; i < 100; i++) {
            uint8_t moves[GAME_MAX_MOVES];
            uint8_t mine[BOARD_SQUARES];
            uint8_t colour[BOARD_SQUARES];
            const int n = play_random(moves, variant, SEED, RNG_TEST, i);
            Board board = variant->start;
            RefBoard ref;
            ref_start(&ref, size);
            for (int t = 0; t < n; t++) {
                board_play(variant, &board, moves[t]);
                ref_play(&ref, moves[t] / 8, moves[t] % 8);
                labels_mine(mine, variant, &board, t, LABELS_MOVER);
                labels_colour(colour, variant, &board);
                for (int row = 0; row < size; row++) {
                    for (int column = 0; column < size; column++) {
                        const char cell = ref.cell[row][column];
                        const int at = row * size + column;
                        assert_int_equal(mine[at], cell == '.'           ? LABEL_EMPTY
                                                   : cell == ref.to_move ? LABEL_MINE
                                                                         : LABEL_THEIRS);
                        assert_int_equal(colour[at], cell == '.'   ? LABEL_EMPTY
                                                     : cell == 'b' ? LABEL_BLACK
                                                                   : LABEL_WHITE);
                    }
                }
            }
        }
    }
}

/* Whether any position of the game has different labels under the two conventions, and whether
 * every one that differs is the other with mine and theirs exchanged. */
static bool conventions_differ(const GameVariant *variant, const uint8_t *moves, int n,
                               bool *has_pass)
{
    const int cells = variant->size * variant->size;
    Board board = variant->start;
    bool differ = false;
    int passes = 0;
    *has_pass = false;
    for (int t = 0; t + 1 < n; t++) {
        uint8_t mover[BOARD_SQUARES];
        uint8_t parity[BOARD_SQUARES];
        passes += board_play(variant, &board, moves[t]) == PLAY_OPPONENT_PASSES;
        *has_pass = passes > 0;
        labels_mine(mover, variant, &board, t, LABELS_MOVER);
        labels_mine(parity, variant, &board, t, LABELS_PARITY);
        const bool same = memcmp(mover, parity, (size_t)cells) == 0;
        assert_int_equal(same, passes % 2 == 0);
        for (int at = 0; at < cells; at++) {
            assert_int_equal(parity[at], same || mover[at] == LABEL_EMPTY
                                             ? mover[at]
                                             : LABEL_MINE + LABEL_THEIRS - mover[at]);
        }
        differ = differ || !same;
    }
    return differ;
}

static void conventions_differ_exactly_on_games_with_passes(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        int with_pass = 0;
        int without = 0;
        for (uint64_t i = 0; i < 300; i++) {
            uint8_t moves[GAME_MAX_MOVES];
            bool has_pass = false;
            const int n = play_random(moves, variant, SEED, RNG_TEST, i);
            const bool differ = conventions_differ(variant, moves, n, &has_pass);
            assert_int_equal(differ, has_pass);
            with_pass += has_pass;
            without += !has_pass;
        }
        /* Both kinds were seen, else the test proves nothing. */
        assert_true(with_pass > 10 && without > 10);
    }
}

/* After black's c1 on this planted board white has no move: black is to move again, and the
 * parity convention calls white's disc "mine" there.
 *   row 1: b w . .     c1 turns b1 over
 *   row 3: b w . .     white's b3 outflanks nothing, black's c3 would outflank b3 */
static void a_planted_pass_inverts_parity_labels(void **state)
{
    const GameVariant *variant = game_variant(4);
    Board board = board_from_discs(1ULL << 0 | 1ULL << 16, 1ULL << 1 | 1ULL << 17, BLACK);
    assert_int_equal(board_play(variant, &board, 2), PLAY_OPPONENT_PASSES);
    uint8_t mover[16];
    uint8_t parity[16];
    labels_mine(mover, variant, &board, 0, LABELS_MOVER);
    labels_mine(parity, variant, &board, 0, LABELS_PARITY);
    assert_int_equal(mover[0], LABEL_MINE);
    assert_int_equal(parity[0], LABEL_THEIRS);
    assert_int_equal(mover[9], LABEL_THEIRS);
    assert_int_equal(parity[9], LABEL_MINE);
    assert_int_equal(mover[15], LABEL_EMPTY);
    assert_int_equal(parity[15], LABEL_EMPTY);
}

static void lenient_moves_ask_both_sides(void **state)
{
    const GameVariant *variant = game_variant(8);
    int larger = 0;
    for (uint64_t i = 0; i < 100; i++) {
        uint8_t moves[GAME_MAX_MOVES];
        Board after[GAME_MAX_MOVES];
        const int n = play_random(moves, variant, SEED, RNG_TEST, i);
        assert_int_equal(game_replay(variant, moves, n, after), n);
        for (int t = 0; t < n; t++) {
            RefBoard ref;
            ref_from_board(&ref, variant, &after[t]);
            const uint64_t both = ref_moves_mask(&ref, 'b') | ref_moves_mask(&ref, 'w');
            assert_int_equal(lenient_moves(variant, &after[t]), both);
            larger += both != board_moves(variant, &after[t]);
        }
    }
    assert_true(larger > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_match_the_reference_board),
        cmocka_unit_test(conventions_differ_exactly_on_games_with_passes),
        cmocka_unit_test(a_planted_pass_inverts_parity_labels),
        cmocka_unit_test(lenient_moves_ask_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
