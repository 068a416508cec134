/* tests/probes/attribution/test_attribution_target.c - what a position asks for, by the plain
 * rules; and probes that cannot be attributed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/err.h"
#include "game/rules_ref.h"
#include "probes/attribution/attribution_target.h"
#include "tests/probes/probe_fixture.h"

enum { N_GAMES = 12, SQUARES = 36 };

static ProbeFixture fixture;
static Probe probe; /* made up: zero weights but one */

static int open_all(void **state)
{
    probe = (Probe){.task = "mine",
                    .classes = {"empty", "theirs", "mine"},
                    .labels = "mover",
                    .site = HOOK_RESID_POST,
                    .size = 6,
                    .n_squares = SQUARES,
                    .d_model = 24,
                    .n_classes = 3,
                    .n_layers = 2,
                    .layers = {1, 2},
                    .fitted = {true, true}};
    (void)state;
    return fixture_open(&fixture, 60) || probe_allocate(&probe);
}

static int close_all(void **state)
{
    probe_release(&probe);
    fixture_close(&fixture);
    (void)state;
    return 0;
}

static void draw(AttributionPositions *out, const AttributionTarget *target)
{
    GameSource *source = NULL;
    assert_int_equal(source_fresh(&source, fixture.subject.variant, 3, RNG_EVAL), 0);
    assert_int_equal(attribution_positions_draw(out, source, N_GAMES, 3, WORK_ALONE), 0);
    assert_int_equal(attribution_aim(out, target, WORK_ALONE), 0);
    source_free(source);
}

/* The board after move t of a game, by the plain rules. */
static RefBoard board_of(const uint8_t *moves, int t)
{
    RefBoard board;
    ref_start(&board, 6);
    for (int i = 0; i <= t; i++) {
        ref_play(&board, moves[i] / 8, moves[i] % 8);
    }
    return board;
}

static const uint8_t *moves_of(const AttributionPositions *positions, size_t game)
{
    return positions->set.moves + game * (size_t)fixture.subject.variant->n_moves;
}

/* Expected weights of squares: 1/n where the disc is the mover's, -1/n where it is the other's. */
static void board_weights(double *out, const RefBoard *board)
{
    int n = 0;
    for (int i = 0; i < SQUARES; i++) {
        char cell = board->cell[i / 6][i % 6];
        out[i] = cell == '.' ? 0 : cell == board->to_move ? 1 : -1;
        n += cell != '.';
    }
    for (int i = 0; i < SQUARES; i++) {
        out[i] /= n;
    }
}

static double difference(const float *weights, const double *want, int n)
{
    double worst = 0;
    for (int i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)weights[i] - want[i]));
    }
    return worst;
}

static void a_board_asks_for_the_truth(void **state)
{
    AttributionTarget target;
    AttributionPositions positions;
    double want[SQUARES], largest = 0;
    assert_int_equal(attribution_target_board(&target, &probe, "probe", 2, -1, NULL), 0);
    assert_int_equal(target.readout.layer, 2);
    draw(&positions, &target);
    assert_true(positions.set.n_positions > 2 * N_GAMES);
    for (size_t g = 0; g < N_GAMES; g++) {
        for (size_t i = positions.set.first[g]; i < positions.set.first[g + 1]; i++) {
            RefBoard board = board_of(moves_of(&positions, g), positions.set.t[i]);
            board_weights(want, &board);
            assert_true(difference(positions.weights + i * SQUARES, want, SQUARES) < 1e-6);
            /* The control asks for the next game's board at the same ply. */
            board = board_of(moves_of(&positions, (g + 1) % N_GAMES), positions.set.t[i]);
            board_weights(want, &board);
            assert_true(difference(positions.shuffled + i * SQUARES, want, SQUARES) < 1e-6);
            largest = fmax(largest, difference(positions.weights + i * SQUARES, want, SQUARES));
        }
    }
    assert_true(largest > 0.01); /* twin: it is another board */
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    (void)state;
}

static void one_square_counts_where_it_holds_a_disc(void **state)
{
    AttributionTarget target;
    AttributionPositions positions;
    int sq = 0, place = 0; /* a1: often empty */
    assert_int_equal(attribution_target_board(&target, &probe, "probe", 1, sq, "theirs-mine"), 0);
    draw(&positions, &target);
    assert_true(positions.left_out > 0);
    for (size_t g = 0; g < N_GAMES; g++) {
        for (size_t i = positions.set.first[g]; i < positions.set.first[g + 1]; i++) {
            RefBoard board = board_of(moves_of(&positions, g), positions.set.t[i]);
            char cell = board.cell[0][0];
            assert_true(cell != '.');
            assert_true(positions.weights[i * SQUARES + (size_t)place] ==
                        (cell == board.to_move ? -1 : 1));
        }
    }
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    (void)state;
}

static void delta_asks_for_legal_moves_against_the_others(void **state)
{
    AttributionTarget target;
    AttributionPositions positions;
    const Gpt *gpt = fixture.model.gpt;
    assert_int_equal(attribution_target_logits(&target, gpt, TARGET_DELTA, -1), 0);
    draw(&positions, &target);
    const Vocab *vocab = positions.set.vocab;
    size_t K = target.readout.n_columns;
    for (size_t g = 0; g < N_GAMES; g++) {
        for (size_t i = positions.set.first[g]; i < positions.set.first[g + 1]; i++) {
            RefBoard board = board_of(moves_of(&positions, g), positions.set.t[i]);
            uint64_t legal = ref_moves_mask(&board, board.to_move);
            double up = 0, down = 0;
            for (size_t k = 0; k < K; k++) {
                int sq = vocab->sq_of_tok[k + 1];
                double weight = (double)positions.weights[i * K + k];
                bool empty = board.cell[sq / 8][sq % 8] == '.', is_legal = legal >> sq & 1;
                assert_true(is_legal ? weight > 0 : empty ? weight < 0 : weight == 0);
                up += weight > 0 ? weight : 0;
                down += weight < 0 ? weight : 0;
            }
            assert_true(fabs(up - 1) < 1e-6 && fabs(down + 1) < 1e-6);
        }
    }
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    (void)state;
}

static void a_move_is_the_one_played_next_or_the_one_named(void **state)
{
    AttributionTarget target;
    AttributionPositions positions;
    const Gpt *gpt = fixture.model.gpt;
    size_t K = (size_t)gpt->cfg.d_vocab - 1;
    for (int named = -1; named < 3; named += 3) { /* -1, then c1 */
        assert_int_equal(attribution_target_logits(&target, gpt, TARGET_CENTRED, named), 0);
        draw(&positions, &target);
        const Vocab *vocab = positions.set.vocab;
        for (size_t g = 0; g < N_GAMES; g++) {
            for (size_t i = positions.set.first[g]; i < positions.set.first[g + 1]; i++) {
                int sq = named >= 0 ? named : moves_of(&positions, g)[positions.set.t[i] + 1];
                for (size_t k = 0; k < K; k++) {
                    double want = (k + 1 == vocab->tok_of_sq[sq]) - 1.0 / (double)K;
                    assert_true(fabs((double)positions.weights[i * K + k] - want) < 1e-6);
                }
            }
        }
        attribution_positions_release(&positions);
        attribution_target_release(&target);
    }
    (void)state;
}

static void cases_and_pairs_ask_for_what_differs(void **state)
{
    AttributionTarget target;
    AttributionPositions positions;
    CaseMakeOptions asked = CASE_MAKE_OPTIONS_DEFAULT;
    PairMakeOptions paired = PAIR_MAKE_OPTIONS_DEFAULT;
    CaseSet cases;
    PairSet pairs;
    char path[FILES_PATH_MAX], *text = NULL;
    size_t n_bytes;
    asked.n = paired.n = 5;
    assert_int_equal(cases_make(&cases, fixture.subject.variant, &asked, WORK_ALONE), 0);
    assert_int_equal(pairs_make(&pairs, fixture.subject.variant, &paired, WORK_ALONE), 0);
    assert_int_equal(attribution_target_board(&target, &probe, "probe", 1, -1, NULL), 0);
    assert_int_equal(attribution_positions_of_cases(&positions, &cases), 0);
    assert_int_equal(attribution_aim(&positions, &target, WORK_ALONE), 0);
    assert_null(positions.shuffled);
    for (size_t i = 0; i < 5; i++) {
        const EditCase *edit = &cases.cases[i];
        int sq = edit->squares[0].sq;
        bool mine = edit->before.mine >> sq & 1;
        for (int k = 0; k < SQUARES; k++) {
            float want = task_square(cases.variant, k) == sq ? (mine ? 1 : -1) : 0;
            assert_true(positions.weights[i * SQUARES + (size_t)k] == want);
        }
        assert_int_equal(positions.read[i], edit->n_moves);
        assert_int_equal(positions.set.t[positions.set.first[i]], edit->n_moves - 1);
    }
    attribution_positions_release(&positions);
    fixture_path(path, &fixture, "pairs.csv");
    assert_int_equal(pairs_print(&text, &n_bytes, &pairs), 0);
    assert_int_equal(file_write_atomic(path, text, n_bytes, true), 0);
    assert_int_equal(attribution_positions_read(&positions, pairs.variant, path, 31), 0);
    assert_int_equal(positions.set.n_games, 5);
    assert_memory_equal(&positions.pairs[3].turned, &pairs.pairs[3].turned, sizeof(uint64_t));
    attribution_positions_release(&positions);
    assert_int_equal(attribution_positions_read(&positions, pairs.variant, path, 3), OGPT_EFORMAT);
    attribution_positions_release(&positions);
    mem_free(text);
    pairs_release(&pairs);
    cases_release(&cases);
    attribution_target_release(&target);
    (void)state;
}

static void refuse(Probe changed, int layer, const char *contrast, const char *words)
{
    AttributionTarget target;
    assert_int_equal(attribution_target_board(&target, &changed, "p", layer, -1, contrast),
                     OGPT_EUSAGE);
    if (!strstr(err_message(), words)) {
        fail_msg("'%s' expected: %s", words, err_message());
    }
    attribution_target_release(&target);
}

static void probes_that_cannot_be_read_are_refused(void **state)
{
    Probe changed = probe;
    refuse(probe, 3, NULL, "holds no layer 3");
    refuse(probe, 1, "mine-mine", "two different classes");
    refuse(probe, 1, "mine-yours", "two different classes");
    refuse(probe, 1, "mine", "joined by '-'");
    changed.site = HOOK_Z;
    refuse(changed, 1, NULL, "no sum of what");
    changed = probe;
    changed.n_hidden = 8;
    refuse(changed, 1, NULL, "hidden");
    changed = probe;
    changed.fitted[0] = false;
    refuse(changed, 1, NULL, "holds no layer 1");
    (void)state;
}

/* A square that no position of the games has a disc on. */
static void nothing_to_ask_for_is_said(void **state)
{
    AttributionTarget target;
    AttributionPositions positions;
    uint8_t moves[1] = {8 * 3 + 4}; /* e4 */
    assert_int_equal(attribution_target_board(&target, &probe, "probe", 1, 0, NULL), 0);
    assert_int_equal(attribution_positions_of_game(&positions, fixture.subject.vocab, moves, 1), 0);
    assert_int_equal(attribution_aim(&positions, &target, WORK_ALONE), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "none of the 1 positions"));
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_asks_for_the_truth),
        cmocka_unit_test(one_square_counts_where_it_holds_a_disc),
        cmocka_unit_test(delta_asks_for_legal_moves_against_the_others),
        cmocka_unit_test(a_move_is_the_one_played_next_or_the_one_named),
        cmocka_unit_test(cases_and_pairs_ask_for_what_differs),
        cmocka_unit_test(probes_that_cannot_be_read_are_refused),
        cmocka_unit_test(nothing_to_ask_for_is_said),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
