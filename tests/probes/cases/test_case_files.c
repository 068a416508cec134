/* tests/probes/cases/test_case_files.c - sets of cases and of pairs as files: what is on disk is
 * read back, hashed and summed up; too long, too many and no memory are refused and leave nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/process.h"
#include "game/play.h"
#include "probes/cases/case_fixture.h"
#include "probes/cases/pairs.h"
#include "tests/folder.h"

#define CASES "moves,square,from,to\n"
#define HISTORY "f5 d6 c3 d3 c4"
#define CASE HISTORY ",d6,white,black\n"
#define PAIR HISTORY ",f5 d6 c4 d3 c3\n"

typedef struct Disk {
    char folder[FOLDER_MAX], file[FOLDER_MAX + 32];
} Disk;

static int make_disk(void **state)
{
    static Disk disk;
    if (folder_make(disk.folder) != 0) {
        return -1;
    }
    snprintf(disk.file, sizeof(disk.file), "%s/set.csv", disk.folder);
    *state = &disk;
    return 0;
}

static int remove_disk(void **state)
{
    Disk *disk = *state;
    return dir_remove(disk->folder);
}

static void put(const Disk *disk, const char *text)
{
    assert_int_equal(file_write_atomic(disk->file, text, strlen(text), true), 0);
}

static PairSet fixture_pairs(PairKind kind, size_t n)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    PairSet set;
    options.n = n;
    options.kind = kind;
    assert_int_equal(pairs_make(&set, game_variant(8), &options, &(Work){.seed = 1}), 0);
    return set;
}

/* ---- what is read back ---- */

static void hex_of_cases(char hex[HASH_HEX_SIZE], const CaseSet *set)
{
    Sha256 *hash;
    assert_int_equal(sha256_new(&hash), 0);
    assert_int_equal(cases_hash(hash, set), 0);
    sha256_finish(hash, hex);
}

static void hex_of_pairs(char hex[HASH_HEX_SIZE], const PairSet *set)
{
    Sha256 *hash;
    assert_int_equal(sha256_new(&hash), 0);
    pairs_hash(hash, set);
    sha256_finish(hash, hex);
}

static void cases_on_disk_are_the_same_set(void **state)
{
    const Disk *disk = *state;
    CaseSet set = fixture_cases(8, 12, false), back;
    const CaseSet none = {.variant = set.variant};
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE], *text;
    size_t n_bytes;
    assert_int_equal(cases_print(&text, &n_bytes, &set), 0);
    assert_int_equal(file_write_atomic(disk->file, text, n_bytes, true), 0);
    assert_int_equal(cases_read(&back, set.variant, disk->file), 0);
    assert_int_equal(back.n, set.n);
    hex_of_cases(a, &set);
    hex_of_cases(b, &back);
    assert_string_equal(a, b);
    back.n--; /* one case less, and none at all, are other sets */
    hex_of_cases(b, &back);
    assert_string_not_equal(a, b);
    hex_of_cases(a, &none);
    assert_string_not_equal(a, b);
    mem_free(text);
    cases_release(&back);
    cases_release(&set);
    assert_int_equal(unlink(disk->file), 0);
    assert_int_equal(cases_read(&back, game_variant(8), disk->file), OGPT_EIO);
    assert_null(back.cases);
}

static void pairs_on_disk_are_the_same_set(void **state)
{
    const Disk *disk = *state;
    for (int kind = 0; kind < PAIR_CHOSEN; kind++) {
        PairSet set = fixture_pairs((PairKind)kind, 10), back;
        char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE], *text;
        size_t n_bytes;
        bool here;
        int rc;
        assert_int_equal(pairs_print(&text, &n_bytes, &set), 0);
        assert_int_equal(file_write_atomic(disk->file, text, n_bytes, true), 0);
        assert_int_equal(pairs_here(&here, disk->file), 0);
        assert_true(here);
        assert_int_equal(pairs_read(&back, set.variant, disk->file), 0);
        hex_of_pairs(a, &set);
        hex_of_pairs(b, &back);
        assert_string_equal(a, b);
        back.pairs[0].target ^= 1; /* another question about the same histories */
        hex_of_pairs(b, &back);
        assert_string_not_equal(a, b);
        pairs_release(&back);
        rc = pairs_read_transpositions(&back, set.variant, disk->file);
        assert_int_equal(rc, kind == PAIR_TRANSPOSITION ? 0 : OGPT_EFORMAT);
        if (rc != 0) {
            assert_non_null(strstr(err_message(), "10 of 10 pairs are no transpositions"));
        }
        pairs_release(&back);
        pairs_release(&set);
        mem_free(text);
    }
}

static void what_is_no_pair_file_is_known(void **state)
{
    const Disk *disk = *state;
    PairSet set;
    bool here;
    put(disk, CASES CASE);
    assert_int_equal(pairs_here(&here, disk->file), 0);
    assert_false(here);
    put(disk, "");
    assert_int_equal(pairs_here(&here, disk->file), 0);
    assert_false(here);
    assert_int_equal(pairs_here(&here, disk->folder), 0); /* the reader of cases refuses it */
    assert_false(here);
    assert_int_equal(unlink(disk->file), 0);
    assert_int_equal(pairs_here(&here, disk->file), OGPT_EIO);
    assert_int_equal(pairs_read(&set, game_variant(8), disk->file), OGPT_EIO);
    assert_null(set.pairs);
}

/* Counted by hand: f5 d6 c3 d3 c4 and f5 d6 c4 d3 c3 differ in the third and the fifth move, and
 * reach one board. */
static void statistics_are_those_of_the_pairs(void **state)
{
    static const char text[] = "clean,corrupt\n" PAIR;
    PairSet set;
    PairStats stats;
    assert_int_equal(pairs_parse(&set, game_variant(8), text, strlen(text), "x.csv"), 0);
    const GamePair *pair = &set.pairs[0];
    stats = pairs_stats(&set);
    assert_true(stats.shortest == 5 && stats.longest == 5);
    assert_true(stats.mean_moves_that_differ == 2.0);
    assert_true(stats.mean_legal_clean == __builtin_popcountll(pair->legal_clean));
    assert_true(stats.mean_legal_corrupt == __builtin_popcountll(pair->legal_corrupt));
    assert_true(stats.mean_symmetric_difference == 0.0);
    pairs_release(&set);
    /* A flip changes the legal moves, a transposition does not. */
    set = fixture_pairs(PAIR_FLIP, 5);
    stats = pairs_stats(&set);
    assert_true(stats.mean_symmetric_difference >= 1.0);
    pairs_release(&set);
    set = fixture_pairs(PAIR_TRANSPOSITION, 5);
    stats = pairs_stats(&set);
    assert_true(stats.mean_symmetric_difference == 0.0);
    assert_true(stats.mean_legal_clean == stats.mean_legal_corrupt);
    assert_true(stats.shortest >= 5 && stats.longest <= 50 && stats.shortest <= stats.longest);
    pairs_release(&set);
    assert_string_equal(pair_kind_name(PAIR_FLIP), "flip");
    assert_string_equal(pair_kind_name(PAIR_TRANSPOSITION), "transposition");
    assert_string_equal(pair_kind_name(PAIR_CHOSEN), "chosen");
    (void)state;
}

/* A mark of the byte order, as spreadsheets write it, is no part of the header. */
static void a_byte_order_mark_is_skipped(void **state)
{
    static const char cases[] = "\xef\xbb\xbf" CASES CASE, pairs[] = "\xef\xbb\xbf"
                                                                     "clean,corrupt\n" PAIR;
    CaseSet set;
    PairSet of_pairs;
    assert_int_equal(cases_parse(&set, game_variant(8), cases, strlen(cases), "x.csv"), 0);
    assert_int_equal(set.n, 1);
    cases_release(&set);
    assert_int_equal(pairs_parse(&of_pairs, game_variant(8), pairs, strlen(pairs), "x.csv"), 0);
    assert_int_equal(of_pairs.n, 1);
    pairs_release(&of_pairs);
    (void)state;
}

/* ---- what is refused ---- */

/* n times `word`; the caller frees. */
static char *repeated(const char *word, size_t n)
{
    char *text = calloc(n, strlen(word) + 1);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        memcpy(text + i * strlen(word), word, strlen(word));
    }
    return text;
}

static void check_case_refused(const char *line, const char *reason)
{
    char text[2048];
    CaseSet set;
    int n = snprintf(text, sizeof(text), CASES CASE "%s\n", line);
    assert_int_equal(cases_parse(&set, game_variant(8), text, (size_t)n, "x.csv"), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.csv:3: "));
    assert_non_null(strstr(err_message(), reason));
    assert_null(set.cases);
}

static void too_long_and_too_many_are_refused(void **state)
{
    const Disk *disk = *state;
    char *field = repeated("f", 512), *indices = repeated("0 ", 200), line[1024];
    PairSet pairs;
    CaseSet set;
    check_case_refused(HISTORY ",a1 b1 c1 d1 e1 f1 g1 h1 a2,white,black",
                       "more than 8 squares in one case");
    check_case_refused(field, "a field of more than 511 bytes");
    field[511] = '\0'; /* one byte less is a field, of a move that is none */
    check_case_refused(field, "1 fields, expected 4");
    field[511] = 'f';
    snprintf(line, sizeof(line), "clean,corrupt\nf5 d6,%s\n", field);
    assert_int_equal(pairs_parse(&pairs, game_variant(8), line, strlen(line), "x.csv"),
                     OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.csv:2: corrupt: a field of 512 bytes"));
    /* Names take three bytes, the index 0 takes two. */
    snprintf(line, sizeof(line), "%s,d6,white,black\n", indices);
    put(disk, line);
    assert_int_equal(cases_import(&set, game_variant(8), disk->file, false), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "1: moves: a list of more than 170 squares"));
    assert_null(set.cases);
    free(indices);
    free(field);
}

static void zero_bytes_are_refused(void **state)
{
    char cases[] = CASES CASE, pairs[] = "clean,corrupt\n" PAIR;
    CaseSet set;
    PairSet of_pairs;
    cases[strlen(CASES) + 3] = '\0';
    assert_int_equal(cases_parse(&set, game_variant(8), cases, sizeof(cases) - 1, "x.csv"),
                     OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.csv:2: a zero byte in field 1"));
    pairs[strlen("clean,corrupt\n") + 3] = '\0';
    assert_int_equal(pairs_parse(&of_pairs, game_variant(8), pairs, sizeof(pairs) - 1, "x.csv"),
                     OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "x.csv:2: clean: a zero byte"));
    (void)state;
}

/* A case that no file gave is replayed too: its moves, and those of its witness. */
static void illegal_moves_of_a_case_are_named(void **state)
{
    CaseSet set = fixture_cases(8, 3, false);
    EditCase edit = set.cases[0];
    CaseVerdict verdict;
    assert_int_equal(case_derive(&edit, &verdict, set.variant), 0);
    edit.witness[1] = edit.witness[0]; /* a square that is taken */
    assert_int_equal(case_derive(&edit, &verdict, set.variant), OGPT_EFORMAT);
    assert_string_equal(err_message(), "the witness's move 2 is illegal");
    edit = set.cases[0];
    edit.moves[2] = edit.moves[0];
    assert_int_equal(case_derive(&edit, &verdict, set.variant), OGPT_EFORMAT);
    assert_string_equal(err_message(), "move 3 is illegal");
    cases_release(&set);
    (void)state;
}

/* ---- histories, limits, interrupts ---- */

static void each_history_is_listed_once(void **state)
{
    CaseSet set = fixture_cases(6, 9, false);
    size_t stride = (size_t)set.variant->n_moves, n = 0;
    uint8_t *moves = malloc(set.n * stride);
    assert_non_null(moves);
    set.cases[4] = set.cases[1]; /* another edit of the same history */
    set.cases[4].squares[0].sq ^= 1;
    assert_int_equal(cases_histories(moves, &n, &set), 0);
    assert_true(n >= 1 && n <= 8);
    assert_memory_equal(moves, set.cases[0].moves, stride);
    for (size_t i = 0; i < set.n; i++) { /* each case's history is there, and at one place */
        size_t n_found = 0;
        for (size_t k = 0; k < n; k++) {
            n_found += memcmp(moves + k * stride, set.cases[i].moves, stride) == 0;
        }
        assert_int_equal(n_found, 1);
    }
    free(moves);
    cases_release(&set);
    (void)state;
}

static void the_limits_of_small_boards_are_smaller(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        CaseMakeOptions options = CASE_MAKE_OPTIONS_DEFAULT;
        options.min_moves = case_min_moves(variant);
        options.before_end = case_before_end(variant);
        assert_null(case_make_options_check(&options, variant));
        assert_int_equal(options.min_moves, size == 4 ? 3 : 5);
        assert_int_equal(options.before_end, size == 4 ? 1 : 10);
    }
    (void)state;
}

/* A board without an edit makes the search try on; it hears the interrupt. */
static void the_search_for_a_control_stops_when_asked(void **state)
{
    const GameVariant *variant = game_variant(6);
    EditCase whole = {.n_moves = variant->n_moves};
    const CaseSet like = {.variant = variant, .cases = &whole, .n = 1};
    CaseSet control;
    interrupt_set(2);
    assert_int_equal(cases_like(&control, &like, &(Work){.seed = 1}), OGPT_EINTR);
    interrupt_set(0);
    assert_null(control.cases);
    assert_int_equal(control.redraws, 0); /* released */
    (void)state;
}

/* ---- memory that runs out ---- */

typedef struct Stock {
    const char *cases, *pairs;
    uint8_t moves[2 * GAME_MAX_MOVES];
    CaseSet set;
    PairSet of_pairs;
} Stock;

static int make_cases(Stock *stock)
{
    const CaseMakeOptions options = {.n = 4, .n_squares = 1, .min_moves = 5, .before_end = 10};
    CaseSet set;
    int rc = cases_make(&set, game_variant(8), &options, &(Work){.seed = 1});
    assert_true(rc == 0 || !set.cases);
    cases_release(&set);
    (void)stock;
    return rc;
}

static int edit_given(Stock *stock)
{
    CaseSet set;
    int rc = cases_at(&set, game_variant(8), stock->moves, 2, &(Work){.seed = 1});
    assert_true(rc == 0 || !set.cases);
    cases_release(&set);
    return rc;
}

static int edit_like(Stock *stock)
{
    CaseSet set;
    int rc = cases_like(&set, &stock->set, &(Work){.seed = 1});
    assert_true(rc == 0 || !set.cases);
    cases_release(&set);
    return rc;
}

static int list_histories(Stock *stock)
{
    uint8_t moves[8 * GAME_MAX_MOVES];
    size_t n;
    return cases_histories(moves, &n, &stock->set);
}

static int leave_out(Stock *stock)
{
    CaseSet tuning = {.variant = stock->set.variant};
    return cases_leave_out(&tuning, &stock->set);
}

static int hash_cases(Stock *stock)
{
    Sha256 *hash;
    int rc = sha256_new(&hash);
    rc = rc ? rc : cases_hash(hash, &stock->set);
    sha256_free(hash);
    return rc;
}

static int parse_cases(Stock *stock)
{
    CaseSet set;
    int rc = cases_parse(&set, game_variant(8), stock->cases, strlen(stock->cases), "x.csv");
    assert_true(rc == 0 || !set.cases);
    cases_release(&set);
    return rc;
}

static int make_pairs(Stock *stock)
{
    PairMakeOptions options = PAIR_MAKE_OPTIONS_DEFAULT;
    PairSet set;
    options.n = 3;
    int rc = pairs_make(&set, game_variant(8), &options, &(Work){.seed = 1});
    assert_true(rc == 0 || !set.pairs);
    pairs_release(&set);
    (void)stock;
    return rc;
}

static int print_pairs(Stock *stock)
{
    char *text;
    size_t n_bytes;
    int rc = pairs_print(&text, &n_bytes, &stock->of_pairs);
    mem_free(text);
    return rc;
}

static int parse_pairs(Stock *stock)
{
    PairSet set;
    int rc = pairs_parse(&set, game_variant(8), stock->pairs, strlen(stock->pairs), "x.csv");
    assert_true(rc == 0 || !set.pairs);
    pairs_release(&set);
    return rc;
}

/* Each allocation fails once; the sanitized run sees what is not freed. */
static void memory_that_runs_out_is_said(void **state)
{
    static const struct {
        const char *name;
        int (*run)(Stock *stock);
        uint64_t n_allocations; /* at least */
    } jobs[] = {{"make", make_cases, 4},         {"at", edit_given, 2},
                {"like", edit_like, 1},          {"histories", list_histories, 1},
                {"leave out", leave_out, 1},     {"hash", hash_cases, 1},
                {"parse", parse_cases, 1},       {"make pairs", make_pairs, 5},
                {"print pairs", print_pairs, 1}, {"parse pairs", parse_pairs, 2}};
    Stock stock = {.cases = CASES CASE,
                   .pairs = "clean,corrupt\n" PAIR,
                   .set = fixture_cases(8, 4, false),
                   .of_pairs = fixture_pairs(PAIR_FLIP, 3)};
    for (size_t i = 0; i < 2; i++) {
        memcpy(stock.moves + i * GAME_MAX_MOVES, stock.set.cases[i].moves, GAME_MAX_MOVES);
    }
    for (size_t j = 0; j < sizeof(jobs) / sizeof(jobs[0]); j++) {
        uint64_t at = 1;
        int rc = OGPT_ENOMEM;
        for (; rc == OGPT_ENOMEM && at < 100; at++) {
            err_set(OGPT_EIO, "none");
            mem_fail_at(at, 0);
            rc = jobs[j].run(&stock);
            if (rc != 0 && !strstr(err_message(), "out of memory")) {
                fail_msg("%s, allocation %d: %s", jobs[j].name, (int)at, err_message());
            }
        }
        mem_fail_at(0, 0);
        if (rc != 0 || at < jobs[j].n_allocations + 2) {
            fail_msg("%s: code %d after %d allocations", jobs[j].name, rc, (int)at - 2);
        }
    }
    cases_release(&stock.set);
    pairs_release(&stock.of_pairs);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_on_disk_are_the_same_set),
        cmocka_unit_test(pairs_on_disk_are_the_same_set),
        cmocka_unit_test(what_is_no_pair_file_is_known),
        cmocka_unit_test(statistics_are_those_of_the_pairs),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(too_long_and_too_many_are_refused),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(illegal_moves_of_a_case_are_named),
        cmocka_unit_test(each_history_is_listed_once),
        cmocka_unit_test(the_limits_of_small_boards_are_smaller),
        cmocka_unit_test(the_search_for_a_control_stops_when_asked),
        cmocka_unit_test(memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests_name("case files", tests, make_disk, remove_disk);
}
