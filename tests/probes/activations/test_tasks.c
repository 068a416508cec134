/* tests/probes/activations/test_tasks.c - labels of every task compared with the reference rules on
 * random games; a planted bug (ply parity in place of the mover), which games with passes must
 * show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "game/play.h"
#include "game/rules_ref.h"
#include "probes/activations/tasks.h"

enum { N_GAMES = 150, REF_TASKS = 7 };
static const char *const names[REF_TASKS] = {"mine",  "colour", "empty",   "flipped",
                                             "legal", "played", "previous"};

static uint8_t owner_label(char cell, char mover)
{
    return cell == '.' ? 0 : cell == mover ? 2 : 1;
}

/* The label of task `name` at a square, from the reference boards before and after a move. */
static uint8_t ref_label(const char *name, const RefBoard *before, const RefBoard *after, int sq,
                         int row, int column)
{
    char cell = after->cell[row][column], old = before->cell[row][column];
    if (strcmp(name, "mine") == 0) {
        return owner_label(cell, after->to_move);
    } else if (strcmp(name, "colour") == 0) {
        return owner_label(cell, 'b');
    } else if (strcmp(name, "empty") == 0) {
        return cell != '.';
    } else if (strcmp(name, "flipped") == 0) {
        return old != '.' && old != cell;
    } else if (strcmp(name, "legal") == 0) {
        return ref_is_legal(after, after->to_move, row, column);
    } else if (strcmp(name, "played") == 0) {
        return sq == 8 * row + column;
    }
    return owner_label(old, after->to_move); /* previous */
}

/* Cells where the task's labels differ from the reference, over the scored positions of a game;
 * *shifted counts positions where passes have shifted the mover against the parity. */
static int game_mismatches(const char *name, const GameVariant *variant, uint64_t game,
                           LabelConvention convention, int *shifted)
{
    uint8_t moves[GAME_MAX_MOVES], labels[BOARD_SQUARES];
    Board after[GAME_MAX_MOVES];
    RefBoard before, now;
    int wrong = 0, n = play_random(moves, variant, 11, RNG_TEST, game);
    assert_int_equal(game_replay(variant, moves, n, after), n);
    ref_start(&now, variant->size);
    *shifted = 0;
    for (int t = 0; t + 1 < n; t++) {
        before = now;
        ref_play(&now, moves[t] / 8, moves[t] % 8);
        *shifted += now.to_move != (t % 2 == 0 ? 'w' : 'b');
        TaskPosition position = {variant, moves, after, t, convention};
        memset(labels, 0xee, sizeof(labels));
        task_find(name)->label(labels, &position);
        for (int i = 0; i < variant->size * variant->size; i++) {
            int row = i / variant->size, column = i % variant->size;
            wrong += labels[i] != ref_label(name, &before, &now, moves[t], row, column);
        }
    }
    return wrong;
}

static void labels_equal_the_reference(void **state)
{
    static const int sizes[] = {4, 6, 8};
    for (size_t s = 0; s < 3; s++) {
        for (size_t task = 0; task < REF_TASKS; task++) {
            for (uint64_t game = 0; game < N_GAMES; game++) {
                int shifted;
                assert_int_equal(game_mismatches(names[task], game_variant(sizes[s]), game,
                                                 LABELS_MOVER, &shifted),
                                 0);
            }
        }
    }
}

/* The published convention is exactly the planted bug. It must agree where nobody has passed (or
 * passes have cancelled out), and differ where the mover is shifted. */
static void parity_is_seen_on_games_with_passes(void **state)
{
    static const char *const seen_from_a_side[] = {"mine", "legal", "previous"};
    for (size_t task = 0; task < 3; task++) {
        int games_shifted = 0;
        for (uint64_t game = 0; game < N_GAMES; game++) {
            int shifted;
            int wrong = game_mismatches(seen_from_a_side[task], game_variant(8), game,
                                        LABELS_PARITY, &shifted);
            assert_true((wrong > 0) == (shifted > 0));
            games_shifted += shifted > 0;
        }
        assert_true(games_shifted > 0);
    }
}

/* Negative twin of the comparison: labels of one task are not those of another. */
static void comparison_can_fail(void **state)
{
    uint8_t moves[GAME_MAX_MOVES], mine[BOARD_SQUARES], colour[BOARD_SQUARES];
    const GameVariant *variant = game_variant(6);
    Board after[GAME_MAX_MOVES];
    int n = play_random(moves, variant, 11, RNG_TEST, 0), differing = 0;
    game_replay(variant, moves, n, after);
    for (int t = 0; t < 2; t++) {
        TaskPosition position = {variant, moves, after, t, LABELS_MOVER};
        task_find("mine")->label(mine, &position);
        task_find("colour")->label(colour, &position);
        differing += memcmp(mine, colour, 36) != 0;
    }
    assert_int_equal(differing, 1); /* black to move sees the same classes, white does not */
}

static void table_is_sound(void **state)
{
    size_t n = 0;
    for (; task_at(n); n++) {
        const Task *task = task_at(n);
        assert_ptr_equal(task_find(task->name), task);
        assert_non_null(strstr(TASK_NAMES, task->name));
        assert_true(task->n_classes >= 2 && task->n_classes <= TASK_MAX_CLASSES);
        for (int k = 0; k < task->n_classes; k++) {
            assert_non_null(task->classes[k]);
        }
    }
    assert_int_equal(n, REF_TASKS);
    assert_null(task_find("theirs"));
    LabelConvention convention;
    assert_int_equal(convention_parse(&convention, "parity"), 0);
    assert_int_equal(convention, LABELS_PARITY);
    assert_true(convention_parse(&convention, "ply") != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_equal_the_reference),
        cmocka_unit_test(parity_is_seen_on_games_with_passes),
        cmocka_unit_test(comparison_can_fail),
        cmocka_unit_test(table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
