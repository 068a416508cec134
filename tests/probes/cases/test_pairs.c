/* tests/probes/cases/test_pairs.c - pairs of histories: boards and legal moves by the reference
 * rules, no passes, the natural cases they come from, any number of workers, damaged files refused.
 */
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
#include "game/notation.h"
#include "game/rules_ref.h"
#include "probes/cases/pairs.h"

static size_t n_pairs(void)
{
    const char *sanitized = getenv("OGPT_SANITIZED");
    return sanitized && strcmp(sanitized, "1") == 0 ? 30 : 120;
}

static PairSet make_pairs(int size, PairKind kind, const Work *work)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    PairSet set;
    options.kind = kind;
    options.n = size == 4 ? 8 : n_pairs();
    options.min_moves = size == 4 ? 3 : 5;
    options.before_end = size == 4 ? 2 : 10;
    assert_int_equal(pairs_make(&set, game_variant(size), &options, work), 0);
    assert_int_equal(set.n, options.n);
    return set;
}

/* The board after the moves by the reference rules, and how often a side had to pass. */
static RefBoard ref_after(int size, const uint8_t *moves, int n, int *n_passes)
{
    RefBoard board;
    ref_start(&board, size);
    *n_passes = 0;
    for (int t = 0; t < n; t++) {
        char mover = board.to_move;
        assert_true(ref_is_legal(&board, mover, moves[t] / 8, moves[t] % 8));
        ref_play(&board, moves[t] / 8, moves[t] % 8);
        *n_passes += board.to_move == mover;
    }
    return board;
}

static int cells_that_differ(const RefBoard *a, const RefBoard *b, int *sq)
{
    int n = 0;
    for (int row = 0; row < a->size; row++) {
        for (int column = 0; column < a->size; column++) {
            if (a->cell[row][column] != b->cell[row][column]) {
                *sq = 8 * row + column;
                n++;
            }
        }
    }
    return n;
}

/* What the header promises of one pair, by the reference rules alone. */
static void check_pair(const GamePair *pair, int size, PairKind kind)
{
    int passes, n_differ, sq = 0;
    RefBoard clean = ref_after(size, pair->clean, pair->n_moves, &passes);
    assert_int_equal(passes, 0);
    RefBoard corrupt = ref_after(size, pair->corrupt, pair->n_moves, &passes);
    assert_int_equal(passes, 0);
    assert_int_equal(clean.to_move, corrupt.to_move);
    assert_memory_not_equal(pair->clean, pair->corrupt, (size_t)pair->n_moves);
    n_differ = cells_that_differ(&clean, &corrupt, &sq);
    assert_int_equal(n_differ, kind == PAIR_FLIP ? 1 : 0);
    assert_true(pair->turned == (kind == PAIR_FLIP ? 1ULL << sq : 0));
    assert_true(pair->legal_clean == ref_moves_mask(&clean, clean.to_move));
    assert_true(pair->legal_corrupt == ref_moves_mask(&corrupt, corrupt.to_move));
    assert_true(pair->legal_clean != 0 && pair->legal_corrupt != 0);
    assert_true((pair->legal_clean != pair->legal_corrupt) == (kind == PAIR_FLIP));
    assert_int_equal(pair_kind(pair), kind);
    for (int t = pair->n_moves; t < GAME_MAX_MOVES; t++) {
        assert_true(pair->clean[t] == SQ_NONE && pair->corrupt[t] == SQ_NONE);
    }
}

static void pairs_are_what_the_plain_rules_say(void **state)
{
    uint64_t redraws = 0; /* of all sets: a small one may need none */
    for (int size = 4; size <= 8; size += 2) {
        for (int kind = 0; kind < PAIR_CHOSEN; kind++) {
            PairSet set = make_pairs(size, (PairKind)kind, &(Work){.seed = 3});
            for (size_t i = 0; i < set.n; i++) {
                check_pair(&set.pairs[i], size, (PairKind)kind);
            }
            assert_int_equal(set.n_of[kind], set.n);
            redraws += set.redraws;
            pairs_release(&set);
        }
    }
    assert_true(redraws > 0);
    (void)state;
}

static bool same_history(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, GAME_MAX_MOVES) == 0;
}

static void no_two_pairs_share_a_history(void **state)
{
    /* On 4x4 histories are few: some draw has a history of an earlier pair. */
    const PairMakeOptions options = {.n = 60, .min_moves = 3, .before_end = 1};
    PairSet set;
    assert_int_equal(pairs_make(&set, game_variant(4), &options, &(Work){.seed = 3}), 0);
    for (size_t i = 0; i < set.n; i++) {
        for (size_t j = 0; j < i; j++) {
            const GamePair *a = &set.pairs[i], *b = &set.pairs[j];
            assert_false(same_history(a->clean, b->clean) || same_history(a->clean, b->corrupt) ||
                         same_history(a->corrupt, b->clean) ||
                         same_history(a->corrupt, b->corrupt));
        }
    }
    pairs_release(&set);
}

/* Flips are the natural cases of the same draw, in their order, less those with a pass. */
static void flips_are_the_natural_cases_without_a_pass(void **state)
{
    /* Late in a game passes are frequent. */
    const PairMakeOptions late = {.n = n_pairs() / 2, .min_moves = 45, .before_end = 1};
    const CaseMakeOptions options = {
        .n = n_pairs(), .natural = true, .n_squares = 1, .min_moves = 45, .before_end = 1};
    PairSet set;
    CaseSet cases;
    size_t at = 0, n_skipped = 0;
    assert_int_equal(pairs_make(&set, game_variant(8), &late, &(Work){.seed = 5}), 0);
    assert_int_equal(cases_make(&cases, game_variant(8), &options, &(Work){.seed = 5}), 0);
    for (size_t i = 0; i < cases.n && at < set.n; i++) {
        const EditCase *edit = &cases.cases[i];
        const GamePair *pair = &set.pairs[at];
        int passes, passes_witness;
        ref_after(8, edit->moves, edit->n_moves, &passes);
        ref_after(8, edit->witness, edit->n_moves, &passes_witness);
        if (passes + passes_witness > 0) {
            n_skipped++;
            continue;
        }
        assert_int_equal(pair->n_moves, edit->n_moves);
        assert_memory_equal(pair->clean, edit->moves, (size_t)edit->n_moves);
        assert_memory_equal(pair->corrupt, edit->witness, (size_t)edit->n_moves);
        at++;
    }
    assert_int_equal(at, set.n);
    assert_true(n_skipped > 0);
    cases_release(&cases);
    pairs_release(&set);
}

static bool same_pairs(const PairSet *a, const PairSet *b)
{
    char *text_a, *text_b;
    size_t n_a, n_b;
    bool same;
    assert_int_equal(pairs_print(&text_a, &n_a, a), 0);
    assert_int_equal(pairs_print(&text_b, &n_b, b), 0);
    same = n_a == n_b && memcmp(text_a, text_b, n_a) == 0;
    mem_free(text_a);
    mem_free(text_b);
    return same;
}

static void workers_change_nothing_and_seeds_do(void **state)
{
    for (int kind = 0; kind < PAIR_CHOSEN; kind++) {
        PairSet one = make_pairs(6, (PairKind)kind, &(Work){.seed = 1}), other;
        Pool *pool;
        assert_int_equal(pool_new(&pool, 2), 0);
        other = make_pairs(6, (PairKind)kind, &(Work){.seed = 1, .pool = pool});
        assert_true(same_pairs(&one, &other) && one.redraws == other.redraws);
        pairs_release(&other);
        pool_free(pool);
        other = make_pairs(6, (PairKind)kind, &(Work){.seed = 2});
        assert_false(same_pairs(&one, &other));
        pairs_release(&other);
        pairs_release(&one);
    }
}

static void options_that_cannot_be_met_are_refused(void **state)
{
    static const struct {
        PairMakeOptions options;
        const char *reason;
    } bad[] = {
        {{.n = 0, .min_moves = 5, .before_end = 10}, "number of pairs"},
        {{.n = CASES_MAX + 1, .min_moves = 5, .before_end = 10}, "number of pairs"},
        {{.n = 5, .min_moves = 0, .before_end = 10}, "at least one move"},
        {{.n = 5, .min_moves = 5, .max_moves = 4, .before_end = 10}, "--max-moves is below"},
        {{.n = 5, .min_moves = 55, .before_end = 10}, "too short"},
        {{.n = 5, .kind = PAIR_CHOSEN, .min_moves = 5, .before_end = 10}, "are drawn"},
    };
    /* One swap of two moves needs two moves of one game to change places. */
    const PairMakeOptions none = {
        .n = 5, .kind = PAIR_TRANSPOSITION, .min_moves = 1, .max_moves = 1, .before_end = 10};
    PairSet set;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(pairs_make(&set, game_variant(8), &bad[i].options, &(Work){.seed = 1}),
                         OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), bad[i].reason));
        assert_null(set.pairs);
    }
    assert_int_equal(pairs_make(&set, game_variant(4), &none, &(Work){.seed = 1}), OGPT_EUSAGE);
    assert_int_equal(
        pairs_make(&set, game_variant(4),
                   &(PairMakeOptions){.n = 1, .min_moves = 1, .max_moves = 1, .before_end = 2},
                   &(Work){.seed = 1}),
        OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "pairs: only 0 different pairs of 1"));
    assert_null(set.pairs);
}

/* ---- files ---- */

static int parse(PairSet *out, const char *text)
{
    return pairs_parse(out, game_variant(8), text, strlen(text), "x.csv");
}

static bool equal_pairs(const GamePair *a, const GamePair *b)
{
    return a->n_moves == b->n_moves && same_history(a->clean, b->clean) &&
           same_history(a->corrupt, b->corrupt) && a->turned == b->turned &&
           a->legal_clean == b->legal_clean && a->legal_corrupt == b->legal_corrupt &&
           a->clean_board.mine == b->clean_board.mine &&
           a->corrupt_board.mine == b->corrupt_board.mine &&
           a->clean_board.to_move == b->clean_board.to_move;
}

static void text_reads_back_as_the_same_pairs(void **state)
{
    for (int kind = 0; kind < PAIR_CHOSEN; kind++) {
        PairSet set = make_pairs(8, (PairKind)kind, &(Work){.seed = 1}), back;
        char *text;
        size_t n_bytes;
        assert_int_equal(pairs_print(&text, &n_bytes, &set), 0);
        assert_int_equal(pairs_parse(&back, set.variant, text, n_bytes, "pairs.csv"), 0);
        assert_int_equal(back.n, set.n);
        assert_int_equal(back.n_of[kind], set.n);
        for (size_t i = 0; i < set.n; i++) {
            assert_true(equal_pairs(&back.pairs[i], &set.pairs[i]));
            assert_false(equal_pairs(&back.pairs[i], &set.pairs[(i + 1) % set.n]));
        }
        mem_free(text);
        pairs_release(&back);
        pairs_release(&set);
    }
}

/* A file of natural cases gives the pairs of its histories and witnesses; those that make none
 * are counted. */
static void natural_cases_are_pairs(void **state)
{
    CaseMakeOptions options = {
        .n = n_pairs(), .natural = true, .n_squares = 1, .min_moves = 45, .before_end = 1};
    CaseSet cases;
    PairSet set;
    char *text;
    size_t n_bytes;
    assert_int_equal(cases_make(&cases, game_variant(8), &options, &(Work){.seed = 5}), 0);
    assert_int_equal(cases_print(&text, &n_bytes, &cases), 0);
    assert_int_equal(pairs_parse(&set, cases.variant, text, n_bytes, "cases.csv"), 0);
    assert_true(set.left_out > 0 && set.n > n_pairs() / 2);
    assert_int_equal(set.n + set.left_out, cases.n);
    for (size_t i = 0; i < set.n; i++) {
        check_pair(&set.pairs[i], 8, PAIR_FLIP);
    }
    mem_free(text);
    pairs_release(&set);
    cases_release(&cases);
    /* Cases without a witness, or of several squares, are no pairs. */
    assert_int_equal(parse(&set, "moves,square,from,to\nf5 d6 c3 d3 c4,d6,white,black\n"),
                     OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.csv:2: no witness"));
    options.n_squares = 2;
    options.n = 3;
    assert_int_equal(cases_make(&cases, game_variant(8), &options, &(Work){.seed = 5}), 0);
    assert_int_equal(cases_print(&text, &n_bytes, &cases), 0);
    assert_int_equal(pairs_parse(&set, cases.variant, text, n_bytes, "cases.csv"), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "cases.csv:2: 2 squares are edited"));
    mem_free(text);
    cases_release(&cases);
}

/* The example of the header. */
#define GOOD "f5 d6 c3 d3 c4,f5 d6 c4 d3 c3\n"

static void damaged_pairs_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *line, *reason;
    } bad[] = {
        {"", "no comma"},
        {"f5 d6 c3 d3 c4", "no comma"},
        {"f5 d6 c3,f5 d6 c3,", "more than one comma"},
        {",", "clean: no move"},
        {"f5,", "corrupt: no move"},
        {"f5 d6 zz,f5 d6 c3", "clean: "},
        {"f5 d6 c3,f5 d6 a1", "corrupt: "},
        {"f5 d6 c3,f5 d6", "corrupt of 2 moves, expected 3"},
        {"f5 d6 c3,f5 d6 c3", "both histories are the same"},
        {"f5 d6,f5 f4", "f4 holds a disc on one of the two boards only"},
        {"f5 d6 c3 d3 c4,f5 d6 c4 d3 c3", "a history of an earlier pair"},
        {"f5 d6 c4 d3 c3,f5 d6 c3 d3 c4", "a history of an earlier pair"},
    };
    PairSet set;
    assert_int_equal(parse(&set, "clean,corrupt\r\n" GOOD), 0);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.pairs[0].n_moves, 5);
    pairs_release(&set);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "clean,corrupt\n" GOOD "%s\n", bad[i].line);
        assert_int_equal(parse(&set, text), OGPT_EFORMAT);
        if (!strstr(err_message(), "x.csv:3: ") || !strstr(err_message(), bad[i].reason)) {
            fail_msg("line \"%s\": message \"%s\" lacks \"%s\"", bad[i].line, err_message(),
                     bad[i].reason);
        }
        assert_null(set.pairs);
    }
    assert_int_equal(parse(&set, ""), OGPT_EFORMAT);
    assert_int_equal(parse(&set, "corrupt,clean\n" GOOD), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.csv:1: expected the header clean,corrupt"));
    assert_int_equal(parse(&set, "clean,corrupt"), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "no pair below it"));
}

/* The file names two moves, and the boards may differ in anything. */
#define CHOSEN "clean,corrupt,target,other\n"
static void chosen_pairs_name_the_moves_that_are_compared(void **state)
{
    static const struct {
        const char *line, *reason;
    } bad[] = {
        {"f5 d6,f5 f4", "too few commas, expected four fields"},
        {"f5 d6,f5 f4,c3", "too few commas, expected four fields"},
        {"f5 d6,f5 f4,c3,c4,", "more than three commas"},
        {"f5 d6,f5 f4,,c4", "target: expected one square of the 8x8 board"},
        {"f5 d6,f5 f4,c3,c4 c5", "other: expected one square"},
        {"f5 d6,f5 f4,d4,c4", "target: expected one square of the 8x8 board that moves fill"},
        {"f5 d6,f5 f4,c3,c9", "other: expected one square"},
        {"f5 d6,f5 f4,c3,c3", "target and other are one square"},
        {"f5 d6,f5 d6,c3,c4", "both histories are the same"},
        {"f5 d6,f5,c3,c4", "corrupt of 1 moves"},
        {"f5 d6,f5 a1,c3,c4", "corrupt: "},
    };
    PairSet set, back;
    char *text;
    size_t n_bytes;
    assert_int_equal(parse(&set, CHOSEN "f5 d6,f5 f4,c3,h8\r\n"), 0);
    const GamePair *pair = &set.pairs[0];
    assert_int_equal(set.n, 1);
    assert_int_equal(set.n_of[PAIR_CHOSEN], 1);
    assert_int_equal(pair_kind(pair), PAIR_CHOSEN);
    assert_true(pair->target == 1ULL << 18 && pair->other == 1ULL << 63);
    /* d6 and f4 hold a disc on one board only, and each move turned another one. */
    RefBoard boards[2];
    int passes, n_differ = 0;
    for (int i = 0; i < 2; i++) {
        boards[i] = ref_after(8, i ? pair->corrupt : pair->clean, 2, &passes);
    }
    for (int sq = 0; sq < 64; sq++) {
        bool differs = boards[0].cell[sq / 8][sq % 8] != boards[1].cell[sq / 8][sq % 8];
        assert_int_equal(pair->turned >> sq & 1, differs);
        n_differ += differs;
    }
    assert_true(n_differ >= 3);
    assert_int_equal(pairs_print(&text, &n_bytes, &set), 0);
    assert_string_equal(text, CHOSEN "f5 d6,f5 f4,c3,h8\n");
    assert_int_equal(pairs_parse(&back, set.variant, text, n_bytes, "pairs.csv"), 0);
    assert_true(equal_pairs(&back.pairs[0], pair) && back.pairs[0].target == pair->target &&
                back.pairs[0].other == pair->other);
    mem_free(text);
    pairs_release(&back);
    pairs_release(&set);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char file[512];
        snprintf(file, sizeof(file), CHOSEN "%s\n", bad[i].line);
        assert_int_equal(parse(&set, file), OGPT_EFORMAT);
        if (!strstr(err_message(), "x.csv:2: ") || !strstr(err_message(), bad[i].reason)) {
            fail_msg("line \"%s\": message \"%s\" lacks \"%s\"", bad[i].line, err_message(),
                     bad[i].reason);
        }
    }
    (void)state;
}

/* Histories that the rules allow and the contract does not: with a pass, over, too far apart. */
static void pairs_that_the_rules_forbid_are_refused(void **state)
{
    static const char *const reasons[] = {"a side passes in the", "the game is over on one",
                                          "the boards differ in ", "their legal moves do not"};
    bool seen[4] = {false};
    /* Swap two moves of random 4x4 games up to their end: every reason occurs. */
    const GameVariant *variant = game_variant(4);
    uint32_t random = 1;
    for (int game = 0; game < 600; game++) {
        GamePair pair = {0};
        Board board = variant->start;
        memset(pair.clean, SQ_NONE, sizeof(pair.clean));
        while (board_moves(variant, &board) != 0 && (pair.n_moves < 4 || random >> 28 != 0)) {
            uint64_t legal = board_moves(variant, &board);
            random = random * 1664525u + 1013904223u;
            for (int skip = (int)(random >> 16) % __builtin_popcountll(legal); skip > 0; skip--) {
                legal &= legal - 1;
            }
            pair.clean[pair.n_moves++] = (uint8_t)__builtin_ctzll(legal);
            board_play(variant, &board, __builtin_ctzll(legal));
        }
        for (int i = 0; i < pair.n_moves; i++) {
            for (int j = i + 1; j < pair.n_moves; j++) {
                memcpy(pair.corrupt, pair.clean, sizeof(pair.corrupt));
                pair.corrupt[i] = pair.clean[j];
                pair.corrupt[j] = pair.clean[i];
                if (pair_derive(&pair, variant) == 0) {
                    check_pair(&pair, 4, pair_kind(&pair));
                    continue;
                }
                for (int r = 0; r < 4; r++) {
                    seen[r] = seen[r] || strstr(err_message(), reasons[r]);
                }
            }
        }
    }
    for (int r = 0; r < 4; r++) {
        if (!seen[r]) {
            fail_msg("no pair was refused because \"%s\"", reasons[r]);
        }
    }
}

/* What is sound by other rules is refused with both named; what is sound by none, without. */
static void pairs_of_other_rules_are_refused_with_both_named(void **state)
{
    const GameVariant *other = game_variant_with(8, RULES_NO_MID_FLIP);
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    PairSet set, back;
    char *text;
    size_t n_bytes;
    options.n = 30;
    assert_int_equal(pairs_make(&set, other, &options, &(Work){.seed = 1}), 0);
    assert_int_equal(pairs_print(&text, &n_bytes, &set), 0);
    assert_int_equal(pairs_parse(&back, other, text, n_bytes, "x.csv"), 0);
    pairs_release(&back);
    assert_int_equal(pairs_parse(&back, game_variant(8), text, n_bytes, "x.csv"), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "(by the rules classic; it is sound by no-mid-flip"));
    mem_free(text);
    pairs_release(&set);
    assert_int_equal(parse(&set, "clean,corrupt\nf5 a1,f5 d6\n"), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "flips nothing"));
    assert_null(strstr(err_message(), "sound by"));
    (void)state;
}

static void flipped_bytes_are_refused_or_harmless(void **state)
{
    PairSet set = make_pairs(8, PAIR_FLIP, &(Work){.seed = 1}), back;
    char *text;
    size_t n_bytes, n_refused = 0;
    set.n = 5;
    assert_int_equal(pairs_print(&text, &n_bytes, &set), 0);
    for (size_t i = 0; i < n_bytes; i++) {
        for (int bit = 0; bit < 8; bit += 3) {
            text[i] ^= (char)(1 << bit);
            if (pairs_parse(&back, set.variant, text, n_bytes, "x.csv") == 0) {
                for (size_t k = 0; k < back.n; k++) {
                    check_pair(&back.pairs[k], 8, pair_kind(&back.pairs[k]));
                }
                pairs_release(&back);
            } else {
                n_refused++;
            }
            text[i] ^= (char)(1 << bit);
        }
    }
    assert_true(n_refused > n_bytes); /* of 3 flips a byte, most must be refused */
    mem_free(text);
    set.n = 1;
    pairs_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_what_the_plain_rules_say),
        cmocka_unit_test(no_two_pairs_share_a_history),
        cmocka_unit_test(flips_are_the_natural_cases_without_a_pass),
        cmocka_unit_test(workers_change_nothing_and_seeds_do),
        cmocka_unit_test(options_that_cannot_be_met_are_refused),
        cmocka_unit_test(text_reads_back_as_the_same_pairs),
        cmocka_unit_test(natural_cases_are_pairs),
        cmocka_unit_test(damaged_pairs_are_refused_with_their_line),
        cmocka_unit_test(chosen_pairs_name_the_moves_that_are_compared),
        cmocka_unit_test(pairs_that_the_rules_forbid_are_refused),
        cmocka_unit_test(pairs_of_other_rules_are_refused_with_both_named),
        cmocka_unit_test(flipped_bytes_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
