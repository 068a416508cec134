/* tests/probes/compare/test_breakdown.c - every count compared with a second way of counting;
 * scores of classes; paired tests between readings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "probes/compare/paired.h"
#include "tests/probes/probe_fixture.h"

enum { N_GAMES = 40, PLIES = 10, S = 36 };

static const Work seed_1 = {.seed = 1};
static ProbeFixture fixture;
static LabelledSet set; /* task mine */

static Board board_before(const Board *after, int t)
{
    return t > 0 ? after[t - 1] : game_variant(6)->start;
}

/* Ages, computed backwards in time, and passes by the rules, compared with the walk forwards. */
static void traits_are_those_of_the_game(void **state)
{
    PositionTraits traits;
    Board after[GAME_MAX_MOVES];
    const GameVariant *variant = game_variant(6);
    size_t n_passed = 0, n_old = 0;
    assert_int_equal(traits_read(&traits, &set.set, WORK_ALONE), 0);
    for (size_t g = 0; g < N_GAMES; g++) {
        const uint8_t *moves = set.set.moves + g * 32;
        game_replay(variant, moves, game_length(moves, 32), after);
        for (size_t i = set.set.first[g]; i < set.set.first[g + 1]; i++) {
            int t = set.set.t[i], passes = 0;
            for (int u = 0; u <= t; u++) { /* the other side could not move, and had to pass */
                Board before = board_before(after, u), other = after[u];
                if (other.to_move == before.to_move) {
                    other = board_swapped(&other);
                    assert_int_equal(board_moves(variant, &other), 0);
                    passes++;
                }
            }
            assert_int_equal(traits.passes[i], passes);
            n_passed += passes > 0;
            for (size_t s = 0; s < S; s++) {
                uint64_t bit = UINT64_C(1) << task_square(variant, (int)s);
                bool black = board_discs(&after[t], BLACK) & bit;
                bool white = board_discs(&after[t], WHITE) & bit;
                int age = 0;
                while (age <= t) { /* boards back to the last change */
                    Board before = board_before(after, t - age);
                    if (black != ((board_discs(&before, BLACK) & bit) != 0) ||
                        white != ((board_discs(&before, WHITE) & bit) != 0)) {
                        break;
                    }
                    age++;
                }
                assert_int_equal(traits.age[i * S + s], black || white ? age : AGE_NONE);
                n_old += age == t + 1 && (black || white);
            }
        }
    }
    assert_true(n_passed > 0 && n_old > 0); /* both cases occur in the sample */
    traits_release(&traits);
}

static uint64_t cells_of(const Breakdown *breakdown, BreakdownKind kind)
{
    BreakdownRow row;
    uint64_t cells = 0;
    for (int key = 0; key < BREAKDOWN_KEYS; key++) {
        cells += breakdown_row(&row, breakdown, kind, key) ? row.cells : 0;
    }
    return cells;
}

/* One wrong cell is found under its own class, square, ply, age and passes, and nowhere else. */
static void one_wrong_cell_is_found(void **state)
{
    static Breakdown breakdown;
    PositionTraits traits;
    BreakdownRow row;
    size_t n = set.set.n_positions, wrong = 7 * S, occupied = 0;
    uint8_t *predicted = test_malloc(n * S);
    memcpy(predicted, set.labels, n * S);
    assert_int_equal(traits_read(&traits, &set.set, WORK_ALONE), 0);
    while (set.labels[wrong] != LABEL_MINE) {
        wrong++;
    }
    size_t position = wrong / S;
    for (int pass = 0; pass < 2; pass++) {
        predicted[wrong] = pass == 0 ? LABEL_MINE : LABEL_THEIRS;
        breakdown_count(&breakdown, &set, &traits, predicted);
        for (int kind = 0; kind < N_BREAKDOWNS; kind++) {
            int expected[N_BREAKDOWNS] = {LABEL_MINE, (int)(wrong % S), set.set.t[position] + 1,
                                          traits.age[wrong], traits.passes[position]};
            for (int key = 0; key < BREAKDOWN_KEYS; key++) {
                if (!breakdown_row(&row, &breakdown, (BreakdownKind)kind, key)) {
                    continue;
                }
                bool here = pass == 1 && key == expected[kind];
                double least = here ? 1 - 1.0 / (double)row.cells : 1;
                assert_true(fabs(row.accuracy - least) < 1e-12);
                if (kind == BY_PLY || kind == BY_PASSES) {
                    double boards = (double)row.cells / S;
                    assert_true(fabs(row.board_exact - (here ? 1 - 1 / boards : 1)) < 1e-12);
                }
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        occupied += (size_t)__builtin_popcountll(set.occupied[i]);
    }
    assert_int_equal(cells_of(&breakdown, BY_CLASS), n * S);
    assert_int_equal(cells_of(&breakdown, BY_SQUARE), n * S);
    assert_int_equal(cells_of(&breakdown, BY_PLY), n * S);
    assert_int_equal(cells_of(&breakdown, BY_PASSES), n * S);
    assert_int_equal(cells_of(&breakdown, BY_AGE), occupied);
    assert_false(breakdown_row(&row, &breakdown, BY_CLASS, 3));
    assert_false(breakdown_row(&row, &breakdown, BY_PLY, 0)); /* no move seen: no position */
    test_free(predicted);
    traits_release(&traits);
}

/* Two classes, counted by hand: 4 true, 5 said, 3 hits. */
static void class_scores_are_those_of_the_book(void **state)
{
    uint8_t there[S] = {1, 1, 1, 1}, said[S] = {1, 1, 1, 0, 1, 1};
    uint32_t first[2] = {0, 1};
    uint64_t mask = 0;
    uint8_t t = 0;
    LabelledSet tiny = {.set = {.n_games = 1, .n_positions = 1, .first = first, .t = &t},
                        .n_squares = S,
                        .n_classes = 2,
                        .labels = there,
                        .occupied = &mask,
                        .flipped = &mask};
    ProbeScore score;
    assert_int_equal(score_predictions(&score, &tiny, said, &seed_1), 0);
    assert_true(fabs(score.of_class[1].precision - 3.0 / 5) < 1e-12);
    assert_true(fabs(score.of_class[1].recall - 3.0 / 4) < 1e-12);
    assert_true(fabs(score.of_class[1].f1.value - 6.0 / 9) < 1e-12);
    assert_true(score.f1.value == score.of_class[1].f1.value);
    assert_true(score.f1.low == score.f1.high); /* one game: every replicate is that game */
    assert_true(isnan(score.nonempty.value));   /* no cell of that kind */
    assert_int_equal(score.of_class[0].n_true, S - 4);
    /* The mean leaves out a class that neither occurs nor is predicted. */
    tiny.n_classes = 4;
    assert_int_equal(score_predictions(&score, &tiny, said, &seed_1), 0);
    assert_true(isnan(score.of_class[3].f1.value));
    double empty = 2.0 * 30 / (32 + 31);
    assert_true(fabs(score.f1.value - (empty + 6.0 / 9) / 2) < 1e-12);
    assert_true(isnan(score.f1.low));
    assert_true(isnan(f1_of_counts(0, 0, 0)) && f1_of_counts(0, 1, 0) == 0);
}

/* A reading with errors in every game is compared with one without errors, and with itself. */
static void readings_are_compared_game_by_game(void **state)
{
    Readings readings = {0};
    PairedTest tests[2];
    size_t n = set.set.n_positions;
    uint8_t *predicted = test_malloc(n * S);
    memcpy(predicted, set.labels, n * S);
    assert_int_equal(readings_add(&readings, 0, READING_PROBE, &set, predicted, WORK_ALONE), 0);
    for (size_t i = 0; i < n; i++) {
        predicted[i * S + i % S] ^= 3; /* one cell a position */
    }
    assert_int_equal(readings_add(&readings, 1, READING_PROBE, &set, predicted, WORK_ALONE), 0);
    assert_int_equal(readings_add(&readings, 1, CONTROL_MAJORITY, &set, predicted, WORK_ALONE), 0);
    const Reading *right = readings_find(&readings, 0, READING_PROBE);
    const Reading *wrong = readings_find(&readings, 1, READING_PROBE);
    assert_ptr_equal(readings_find(&readings, 0, CONTROL_MAJORITY), readings.list[2]);
    assert_null(readings_find(&readings, 2, READING_PROBE));
    PairedQuestion questions[2] = {{&right->sums, &wrong->sums}, {&wrong->sums, &wrong->sums}};
    assert_int_equal(paired_tests(tests, questions, 2, SCORE_CELLS, &seed_1), 0);
    assert_true(fabs(tests[0].difference.value - 1.0 / S) < 1e-12);
    assert_true(tests[0].p_holm < 0.001 && tests[0].difference.low > 0);
    assert_true(tests[1].p == 1 && tests[1].p_holm == 1);
    assert_int_equal(paired_tests(tests, questions, 2, SCORE_BOARDS, &seed_1), 0);
    assert_true(fabs(tests[0].difference.value - 1) < 1e-12); /* no board is whole any more */
    /* Readings of other games are refused. */
    GameSums other = wrong->sums;
    other.n_games--;
    questions[1].b = &other;
    assert_int_equal(paired_tests(tests, questions, 2, SCORE_CELLS, &seed_1), OGPT_EFORMAT);
    readings_release(&readings);
    test_free(predicted);
}

static int setup(void **state)
{
    GameSource *source = NULL;
    return fixture_open(&fixture, 600) ||
           source_corpus(&source, fixture.corpus, 1U << SPLIT_TEST, false, 1) ||
           labelled_draw(&set, source, task_find("mine"), LABELS_MOVER, N_GAMES, PLIES, &seed_1) ||
           (source_free(source), 0);
}

static int teardown(void **state)
{
    labelled_release(&set);
    fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traits_are_those_of_the_game),
        cmocka_unit_test(one_wrong_cell_is_found),
        cmocka_unit_test(class_scores_are_those_of_the_book),
        cmocka_unit_test(readings_are_compared_game_by_game),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
