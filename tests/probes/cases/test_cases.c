/* tests/probes/cases/test_cases.c - label: counted - cases made and read: witnesses and legal sets
 * by the reference rules, one set at any number of workers, tuning apart from reporting, damaged
 * files refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "datasets/labels.h"
#include "game/notation.h"
#include "game/play.h"
#include "game/rules_ref.h"
#include "probes/cases/cases.h"

static size_t n_cases(void)
{
    const char *sanitized = getenv("OGPT_SANITIZED");
    return sanitized && strcmp(sanitized, "1") == 0 ? 30 : 150;
}

static const Work seed_1 = {.seed = 1};

/* work NULL: seed 1. */
static CaseSet make(int size, CaseMakeOptions options, const Work *work)
{
    CaseSet set;
    options.n = n_cases();
    assert_int_equal(cases_make(&set, game_variant(size), &options, work ? work : &seed_1), 0);
    assert_int_equal(set.n, options.n);
    return set;
}

static RefBoard ref_after(const GameVariant *variant, const uint8_t *moves, int n)
{
    RefBoard board;
    ref_start(&board, variant->size);
    for (int t = 0; t < n; t++) {
        assert_true(ref_is_legal(&board, board.to_move, moves[t] / 8, moves[t] % 8));
        ref_play(&board, moves[t] / 8, moves[t] % 8);
    }
    return board;
}

/* The edited board, cell by cell, and the side to move there, by the reference rules. */
static RefBoard ref_edited(const GameVariant *variant, const EditCase *edit)
{
    static const char cells[] = {'.', 'w', 'b'};
    RefBoard board = ref_after(variant, edit->moves, edit->n_moves);
    for (int i = 0; i < edit->n_squares; i++) {
        char *cell = &board.cell[edit->squares[i].sq / 8][edit->squares[i].sq % 8];
        assert_int_equal(*cell, cells[edit->squares[i].from]);
        *cell = cells[edit->squares[i].to];
    }
    if (ref_count_moves(&board, board.to_move) == 0) {
        board.to_move = board.to_move == 'b' ? 'w' : 'b';
    }
    return board;
}

/* Number of cases whose two legal sets are those of the reference rules; with `swapped` the
 * sets are compared the wrong way round. */
static size_t count_right_sets(const CaseSet *set, bool swapped)
{
    size_t right = 0;
    for (size_t i = 0; i < set->n; i++) {
        const EditCase *edit = &set->cases[i];
        RefBoard before = ref_after(set->variant, edit->moves, edit->n_moves);
        RefBoard edited = ref_edited(set->variant, edit);
        uint64_t legal_before = ref_moves_mask(&before, before.to_move);
        uint64_t legal_edited = ref_moves_mask(&edited, edited.to_move);
        right += (swapped ? legal_edited : legal_before) == edit->legal_before &&
                 (swapped ? legal_before : legal_edited) == edit->legal_edited;
    }
    return right;
}

/* Every kind of edit, with one square and with several, on every board. 4x4 games are short, so
 * prefixes are shorter there and cases fewer. */
static uint64_t check_kind(int size, CaseMakeOptions kind, uint64_t seed)
{
    CaseSet set;
    CaseStats stats;
    uint64_t redraws;
    kind.min_moves = size == 4 ? 3 : 5;
    kind.before_end = size == 4 ? 2 : 10;
    kind.n = size == 4 ? 20 : n_cases() / 3 * 2;
    assert_int_equal(cases_make(&set, game_variant(size), &kind, &(Work){.seed = seed}), 0);
    assert_int_equal(set.n, kind.n);
    assert_int_equal(count_right_sets(&set, false), set.n);
    /* Every case changes the legal moves, so no case passes with the boards swapped. */
    assert_int_equal(count_right_sets(&set, true), 0);
    for (size_t i = 0; i < set.n; i++) {
        const EditCase *edit = &set.cases[i];
        assert_true(edit->n_moves >= kind.min_moves);
        assert_true(edit->n_moves <= size * size - 4 - kind.before_end);
        assert_int_equal(edit->n_squares, kind.n_squares);
        assert_int_equal(edit->edited.to_move, edit->before.to_move);
        assert_true(edit->has_witness == kind.natural);
        for (int s = 0; s < edit->n_squares; s++) {
            const CaseSquare *square = &edit->squares[s];
            assert_true((square->to == LABEL_EMPTY) == (kind.edit == CASE_ERASE));
            assert_true((square->from == LABEL_EMPTY) == (kind.edit == CASE_PLACE));
        }
    }
    stats = cases_stats(&set);
    assert_true(stats.mean_symmetric_difference >= 1.0);
    assert_true(stats.n_unchanged == 0 && stats.n_mover_changed == 0);
    assert_int_equal(stats.n_witnesses, kind.natural ? set.n : 0);
    redraws = set.redraws;
    cases_release(&set);
    return redraws;
}

static void legal_sets_are_those_of_the_reference_rules(void **state)
{
    uint64_t redraws = 0;
    for (int size = 4; size <= 8; size += 2) {
        for (int n_squares = 1; n_squares <= (size == 4 ? 2 : 3); n_squares++) {
            for (int edit = CASE_FLIP; edit <= CASE_PLACE; edit++) {
                CaseMakeOptions kind = {
                    .edit = (CaseEdit)edit, .n_squares = n_squares, .tune = n_squares == 3};
                uint64_t seed = (uint64_t)(10 * n_squares + edit);
                redraws += check_kind(size, kind, seed);
                kind.natural = true;
                if (edit == CASE_FLIP) {
                    redraws += check_kind(size, kind, seed);
                }
            }
        }
    }
    assert_true(redraws > 0); /* edits that show nothing occur, and are counted */
}

/* The rules of the public benchmark: 5 to 30 moves, nobody passed, one disc turned over. */
static void limits_of_the_history_are_kept(void **state)
{
    CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
    CaseStats stats;
    CaseSet set;
    options.natural = false;
    options.max_moves = 30;
    options.no_passes = true;
    set = make(8, options, NULL);
    stats = cases_stats(&set);
    assert_true(stats.shortest >= 5 && stats.longest <= 30 && stats.n_passes == 0);
    cases_release(&set);
    /* Negative twin: without the limits, histories are longer, and some hold a pass. */
    options.max_moves = 0;
    options.no_passes = false;
    options.n = 300;
    assert_int_equal(cases_make(&set, game_variant(8), &options, &seed_1), 0);
    stats = cases_stats(&set);
    assert_true(stats.longest > 30 && stats.n_passes > 0);
    cases_release(&set);
    options.max_moves = 4;
    assert_int_equal(cases_make(&set, game_variant(8), &options, &seed_1), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "--max-moves is below"));
}

static bool witness_reaches(const GameVariant *variant, const EditCase *edit,
                            const uint8_t *history)
{
    RefBoard reached = ref_after(variant, history, edit->n_moves);
    RefBoard edited = ref_edited(variant, edit);
    return memcmp(reached.cell, edited.cell, sizeof(reached.cell)) == 0 &&
           reached.to_move == edited.to_move;
}

static void witness_reaches_the_edited_board(void **state)
{
    for (int size = 6; size <= 8; size += 2) {
        CaseSet set = make(size, CASE_MAKE_OPTIONS_DEFAULT, NULL);
        for (size_t i = 0; i < set.n; i++) {
            assert_true(witness_reaches(set.variant, &set.cases[i], set.cases[i].witness));
            /* Negative twin: the history itself reaches the board without the edit. */
            assert_false(witness_reaches(set.variant, &set.cases[i], set.cases[i].moves));
        }
        cases_release(&set);
    }
}

static bool same_cases(const CaseSet *a, const CaseSet *b)
{
    char *text_a, *text_b;
    size_t n_a, n_b;
    bool same;
    assert_int_equal(cases_print(&text_a, &n_a, a), 0);
    assert_int_equal(cases_print(&text_b, &n_b, b), 0);
    same = n_a == n_b && memcmp(text_a, text_b, n_a) == 0 && a->redraws == b->redraws;
    mem_free(text_a);
    mem_free(text_b);
    return same;
}

static void workers_change_nothing_and_seeds_do(void **state)
{
    CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
    CaseSet one = make(6, options, NULL), other;
    for (size_t n_threads = 2; n_threads <= 3; n_threads++) {
        Pool *pool;
        assert_int_equal(pool_new(&pool, n_threads), 0);
        other = make(6, options, &(Work){.seed = 1, .pool = pool});
        assert_true(same_cases(&one, &other));
        cases_release(&other);
        pool_free(pool);
    }
    other = make(6, options, &(Work){.seed = 2});
    assert_false(same_cases(&one, &other));
    cases_release(&other);
    cases_release(&one);
}

static void tuning_cases_are_other_cases(void **state)
{
    CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
    CaseSet reported = make(6, options, NULL), tuning;
    /* On 6x6 five-move prefixes are few (1,364), so two sets drawn from all of them would share
     * some: the sets must be kept apart on purpose. Another seed does not matter. */
    for (uint64_t seed = 1; seed <= 3; seed++) {
        options.tune = true;
        tuning = make(6, options, &(Work){.seed = seed});
        size_t n = tuning.n;
        EditCase eighth = tuning.cases[8];
        assert_int_equal(cases_leave_out(&tuning, &reported), 0);
        assert_int_equal(tuning.n, n);
        assert_int_equal(tuning.left_out, 0);
        /* Negative twin: one move less than a reported case is another position. */
        tuning.cases[7] = reported.cases[11];
        tuning.cases[7].n_moves--;
        assert_int_equal(cases_leave_out(&tuning, &reported), 0);
        assert_int_equal(tuning.n, n);
        /* Another square of the same position was looked at all the same. */
        tuning.cases[7] = reported.cases[11];
        tuning.cases[7].squares[0].sq ^= 1;
        assert_int_equal(cases_leave_out(&tuning, &reported), 0);
        assert_int_equal(tuning.n, n - 1);
        assert_int_equal(tuning.left_out, 1);
        assert_memory_equal(&tuning.cases[7], &eighth, sizeof(eighth));
        cases_release(&tuning);
    }
    tuning = make(6, CASE_MAKE_OPTIONS_DEFAULT, NULL);
    assert_int_equal(cases_leave_out(&tuning, &reported), 0); /* the same cases: none is left */
    assert_int_equal(tuning.n, 0);
    assert_int_equal(tuning.left_out, reported.n);
    cases_release(&tuning);
    cases_release(&reported);
}

/* Field by field: structures have padding, which no one owes a value. */
static bool equal_cases(const EditCase *a, const EditCase *b)
{
    return a->n_moves == b->n_moves && memcmp(a->moves, b->moves, sizeof(a->moves)) == 0 &&
           a->n_squares == b->n_squares &&
           memcmp(a->squares, b->squares, sizeof(a->squares)) == 0 &&
           a->has_witness == b->has_witness &&
           memcmp(a->witness, b->witness, sizeof(a->witness)) == 0 &&
           board_same(&a->before, &b->before) && board_same(&a->edited, &b->edited) &&
           a->legal_before == b->legal_before && a->legal_edited == b->legal_edited;
}

static void text_reads_back_as_the_same_cases(void **state)
{
    const CaseMakeOptions mixed = {
        .n_squares = 2, .min_moves = 5, .before_end = 10, .edit = CASE_PLACE};
    CaseMakeOptions kinds[] = {CASE_MAKE_OPTIONS_DEFAULT, mixed};
    for (size_t k = 0; k < 2; k++) {
        CaseSet set = make(8, kinds[k], &(Work){.seed = k == 0 ? 1 : 3}), back;
        char *text;
        size_t n_bytes;
        assert_int_equal(cases_print(&text, &n_bytes, &set), 0);
        assert_int_equal(cases_parse(&back, set.variant, text, n_bytes, "cases.csv"), 0);
        assert_int_equal(back.n, set.n);
        for (size_t i = 0; i < set.n; i++) {
            assert_true(equal_cases(&back.cases[i], &set.cases[i]));
            assert_false(equal_cases(&back.cases[i], &set.cases[(i + 1) % set.n]));
        }
        mem_free(text);
        cases_release(&back);
        cases_release(&set);
    }
}

static int parse(CaseSet *out, const char *text)
{
    return cases_parse(out, game_variant(8), text, strlen(text), "x.csv");
}

/* The example of the contract, and what it means. */
static void the_example_of_the_contract_is_read(void **state)
{
    CaseSet set;
    assert_int_equal(parse(&set, "moves,square,from,to\r\nf5 d6 c3 d3 c4,d6,white,black\r\n"), 0);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.cases[0].n_moves, 5);
    assert_int_equal(set.cases[0].squares[0].sq, 8 * 5 + 3);
    assert_int_equal(set.cases[0].squares[0].to, LABEL_BLACK);
    assert_int_equal(set.cases[0].before.to_move, WHITE);
    cases_release(&set);
}

static void damaged_lines_are_refused_with_their_number(void **state)
{
    static const struct {
        const char *line, *reason;
    } bad[] = {
        {"f5 d6 c3 d3 c4,d6,white", "3 fields"},
        {"f5 d6 c3 d3 c4,d6,white,black,x,y", "more than 5 fields"},
        {"f5 d6 c3 d3 c4,d6,white,black", "4 fields"},
        {"", "1 fields"},
        {"f5 d6 c3 d3 a1,d6,black,white,", "moves: "},
        {"f5 d6 c3 d3 zz,d6,black,white,", "moves: "},
        {",d6,black,white,", "no move"},
        {"f5 d6 c3 d3 c4,d9,black,white,", "square \"d9\""},
        {"f5 d6 c3 d3 c4,,black,white,", "no square"},
        {"f5 d6 c3 d3 c4,d6 d6,black black,white white,", "named twice"},
        {"f5 d6 c3 d3 c4,d6 f5,black,white white,", "1 states for 2 squares"},
        {"f5 d6 c3 d3 c4,d6,noir,white,", "\"noir\""},
        {"f5 d6 c3 d3 c4,d6,white,,", "0 states for 1 squares"},
        {"f5 d6 c3 d3 c4,d6,black,white,", "after 5 moves d6 is white"},
        {"f5 d6 c3 d3 c4,a1,white,black,", "a1 is empty"},
        {"f5 d6 c3 d3 c4,d6,white,white,", "expected a change"},
        {"f5 d6 c3 d3 c4,d6,white,black,f5 d6 c3 d3", "witness of 4 moves"},
        {"f5 d6 c3 d3 c4,d6,white,black,f5 d6 c3 d3 c4", "does not reach"},
        {"f5 d6 c3 d3 c4,d6,white,black,f5 d6 c3 d3 a1", "witness"},
        {"f5 d6 c3 d3 c4,d6\x1b,black,white,", "square"},
    };
    const char *header = "moves,square,from,to,witness\nf5 d6 c3 d3 c4,d6,white,black,\n";
    CaseSet set;

    assert_int_equal(parse(&set, header), 0);
    cases_release(&set);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "%s%s\n", header, bad[i].line);
        assert_int_equal(parse(&set, text), OGPT_EFORMAT);
        assert_non_null(strstr(err_message(), "x.csv:3: "));
        if (!strstr(err_message(), bad[i].reason)) {
            fail_msg("line \"%s\": message \"%s\" lacks \"%s\"", bad[i].line, err_message(),
                     bad[i].reason);
        }
        assert_null(set.cases);
    }
    assert_int_equal(parse(&set, ""), OGPT_EFORMAT);
    assert_int_equal(parse(&set, "moves,square,to,from\n"), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.csv:1: "));
    assert_int_equal(parse(&set, "moves,square,from,to\n"), OGPT_EFORMAT);
}

/* One byte changed anywhere in a good file: read as some valid set, or refused with a message;
 * never a crash (the sanitized run watches) and never a case that the rules deny. */
static void flipped_bytes_are_refused_or_harmless(void **state)
{
    CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
    CaseSet set = make(8, options, NULL), back;
    char *text;
    size_t n_bytes, n_refused = 0;
    set.n = 5;
    assert_int_equal(cases_print(&text, &n_bytes, &set), 0);
    for (size_t i = 0; i < n_bytes; i++) {
        for (int bit = 0; bit < 8; bit += 3) {
            text[i] ^= (char)(1 << bit);
            if (cases_parse(&back, set.variant, text, n_bytes, "x.csv") == 0) {
                assert_int_equal(count_right_sets(&back, false), back.n);
                cases_release(&back);
            } else {
                n_refused++;
            }
            text[i] ^= (char)(1 << bit);
        }
    }
    assert_true(n_refused > n_bytes); /* of 3 flips a byte, most must be refused */
    mem_free(text);
    cases_release(&set);
}

static void impossible_cases_are_counted_not_kept(void **state)
{
    CaseSet set;
    /* d4 is a centre square; the last line is sound. */
    assert_int_equal(parse(&set, "moves,square,from,to\nf5 d6,d4,white,empty\n"
                                 "f5 d6 c3 d3 c4,d6,white,black\nf5 d6,e5,black,empty\n"),
                     0);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.excluded, 2);
    assert_int_equal(set.excluded_by[CASE_CENTRE_EMPTIED], 2);
    assert_int_equal(set.excluded_line[CASE_CENTRE_EMPTIED], 2);
    cases_release(&set);
    /* All white discs turned: nobody can move. f5 leaves white only d4. */
    assert_int_equal(parse(&set, "moves,square,from,to\nf5,d4,white,black\n"), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "neither side has a move"));
}

static void impossible_orders_are_refused(void **state)
{
    CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
    CaseSet set;
    options.edit = CASE_ERASE; /* natural */
    assert_int_equal(cases_make(&set, game_variant(8), &options, &seed_1), OGPT_EUSAGE);
    options = CASE_MAKE_OPTIONS_DEFAULT;
    assert_int_equal(cases_make(&set, game_variant(4), &options, &seed_1), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "too short"));
    /* 4x4 has too few positions for a million different cases; the search must end. */
    options.min_moves = options.before_end = 1;
    options.natural = false;
    options.n = 5000;
    options.min_moves = 1;
    options.before_end = 11;
    assert_int_equal(cases_make(&set, game_variant(4), &options, &seed_1), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "different cases"));
    options = CASE_MAKE_OPTIONS_DEFAULT;
    interrupt_set(2);
    assert_int_equal(cases_make(&set, game_variant(8), &options, &seed_1), OGPT_EINTR);
    interrupt_set(0);
}

/* ---- positions that are given ---- */

/* The histories of a set, as cases_at takes them. */
static uint8_t *histories_of(const CaseSet *set)
{
    uint8_t *moves = malloc(set->n * GAME_MAX_MOVES);
    assert_non_null(moves);
    for (size_t i = 0; i < set->n; i++) {
        memcpy(moves + i * GAME_MAX_MOVES, set->cases[i].moves, GAME_MAX_MOVES);
    }
    return moves;
}

static void given_positions_are_edited_where_they_are(void **state)
{
    const GameVariant *variant = game_variant(6);
    CaseSet from = make(6, CASE_MAKE_OPTIONS_DEFAULT, NULL), at, again, other;
    uint8_t *moves = histories_of(&from);
    size_t n_other = 0;
    memcpy(moves + GAME_MAX_MOVES, moves, GAME_MAX_MOVES); /* the second is the first again */
    assert_int_equal(cases_at(&at, variant, moves, from.n, &seed_1), 0);
    assert_int_equal(at.n + at.redraws, from.n);
    assert_true(at.redraws >= 1 && at.n > from.n / 2);
    assert_int_equal(count_right_sets(&at, false), at.n);
    assert_int_equal(count_right_sets(&at, true), 0);
    for (size_t i = 0, f = 0; i < at.n; i++, f++) {
        while (f < from.n &&
               memcmp(at.cases[i].moves, moves + f * GAME_MAX_MOVES, GAME_MAX_MOVES)) {
            f++; /* in order, some left out */
        }
        assert_true(f < from.n);
        assert_true(at.cases[i].n_squares == 1 && !at.cases[i].has_witness);
        assert_true(at.cases[i].squares[0].from != at.cases[i].squares[0].to &&
                    at.cases[i].squares[0].to != LABEL_EMPTY);
    }
    assert_int_equal(cases_at(&again, variant, moves, from.n, &seed_1), 0);
    assert_int_equal(cases_at(&other, variant, moves, from.n, &(Work){.seed = 2}), 0);
    assert_int_equal(again.n, at.n);
    for (size_t i = 0; i < at.n && i < other.n; i++) {
        assert_int_equal(again.cases[i].squares[0].sq, at.cases[i].squares[0].sq);
        n_other += other.cases[i].squares[0].sq != at.cases[i].squares[0].sq;
    }
    assert_true(n_other > at.n / 2);
    free(moves);
    cases_release(&from);
    cases_release(&at);
    cases_release(&again);
    cases_release(&other);
}

static void the_control_is_as_long_and_elsewhere(void **state)
{
    CaseSet like = make(6, CASE_MAKE_OPTIONS_DEFAULT, NULL), control;
    size_t n_same = 0;
    assert_int_equal(cases_like(&control, &like, &seed_1), 0);
    assert_int_equal(control.n, like.n);
    assert_int_equal(count_right_sets(&control, false), control.n);
    for (size_t i = 0; i < like.n; i++) {
        assert_int_equal(control.cases[i].n_moves, like.cases[i].n_moves);
        n_same += memcmp(control.cases[i].moves, like.cases[i].moves, GAME_MAX_MOVES) == 0;
    }
    assert_int_equal(n_same, 0);
    cases_release(&like);
    cases_release(&control);
}

/* Nothing can be drawn after the last move of a game. */
static void a_game_that_is_over_has_no_edit(void **state)
{
    const GameVariant *variant = game_variant(6);
    uint8_t moves[GAME_MAX_MOVES];
    CaseSet at, none = {.variant = variant}, control;
    memset(moves, SQ_NONE, sizeof(moves));
    play_random(moves, variant, 1, RNG_TEST, 0);
    assert_int_equal(cases_at(&at, variant, moves, 1, &seed_1), 0);
    assert_true(at.n == 0 && at.redraws == 1);
    EditCase whole = {.n_moves = variant->n_moves};
    none.cases = &whole;
    none.n = 1;
    assert_int_equal(cases_like(&control, &none, &seed_1), OGPT_EUSAGE);
}

/* What is sound by other rules is refused with both named; what is sound by none, without. */
static void cases_of_other_rules_are_refused_with_both_named(void **state)
{
    static const char damaged[] = "moves,square,from,to\nf5 d6 c3 d3 a1,d6,black,white\n";
    const GameVariant *other = game_variant_with(8, RULES_NO_MID_FLIP);
    CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
    CaseSet set, back;
    char *text;
    size_t n_bytes;
    options.n = 40;
    assert_int_equal(cases_make(&set, other, &options, &(Work){.seed = 1}), 0);
    assert_int_equal(cases_print(&text, &n_bytes, &set), 0);
    assert_int_equal(cases_parse(&back, other, text, n_bytes, "x.csv"), 0);
    cases_release(&back);
    assert_int_equal(cases_parse(&back, game_variant(8), text, n_bytes, "x.csv"), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "(by the rules classic; it is sound by no-mid-flip"));
    assert_int_equal(cases_parse(&back, game_variant_with(8, RULES_IAGO), text, n_bytes, "x.csv"),
                     OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "(by the rules iago; it is sound by no-mid-flip"));
    mem_free(text);
    cases_release(&set);
    assert_int_equal(parse(&set, damaged), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "flips nothing"));
    assert_null(strstr(err_message(), "sound by"));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legal_sets_are_those_of_the_reference_rules),
        cmocka_unit_test(limits_of_the_history_are_kept),
        cmocka_unit_test(witness_reaches_the_edited_board),
        cmocka_unit_test(workers_change_nothing_and_seeds_do),
        cmocka_unit_test(tuning_cases_are_other_cases),
        cmocka_unit_test(text_reads_back_as_the_same_cases),
        cmocka_unit_test(the_example_of_the_contract_is_read),
        cmocka_unit_test(damaged_lines_are_refused_with_their_number),
        cmocka_unit_test(cases_of_other_rules_are_refused_with_both_named),
        cmocka_unit_test(flipped_bytes_are_refused_or_harmless),
        cmocka_unit_test(impossible_cases_are_counted_not_kept),
        cmocka_unit_test(impossible_orders_are_refused),
        cmocka_unit_test(given_positions_are_edited_where_they_are),
        cmocka_unit_test(the_control_is_as_long_and_elsewhere),
        cmocka_unit_test(a_game_that_is_over_has_no_edit),
    };
    return cmocka_run_group_tests_name("cases", tests, NULL, NULL);
}
