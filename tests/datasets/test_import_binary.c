/* tests/datasets/test_import_binary.c - WTHOR files written byte by byte, arrays of squares and
 * tokens, and what is refused in both. */
#include "tests/datasets/import_test.h"

#include "base/formats/npy.h"
#include "datasets/vocab.h"

/* ---- WTHOR ---- */

#define WTHOR_GAME 68

/* e6 f6 g6 e7 d8 h6: rank 8 in column d, the h-file in row 6. Ten times the row plus the column;
 * a1 = 11, h1 = 18, a8 = 81. */
static const uint8_t by_hand[] = {65, 66, 67, 75, 84, 68};
static const uint8_t by_hand_squares[] = {44, 45, 46, 52, 59, 47}; /* 8 * (row - 1) + column - 1 */

/* Header and records of a file of n games with the six moves above. */
static size_t wthor_write(uint8_t *out, size_t n)
{
    static const uint8_t head[16] = {20, 5, 6, 7, 0, 0, 0, 0, 0, 0, 193, 7, 8, 0, 0, 0};
    memcpy(out, head, sizeof(head));
    out[4] = (uint8_t)n;
    for (size_t i = 0; i < n; i++) {
        uint8_t *game = out + 16 + WTHOR_GAME * i;
        memset(game, 0, WTHOR_GAME);
        game[0] = 3; /* tournament */
        game[6] = 7; /* black's discs */
        game[7] = 40;
        memcpy(game + 8, by_hand, sizeof(by_hand));
    }
    return 16 + WTHOR_GAME * n;
}

/* Whether the first game of "imported" is these squares, and nothing after them. */
static bool stored_squares_are(const uint8_t *squares, int n)
{
    uint8_t moves[GAME_MAX_MOVES];
    Corpus *corpus = NULL;
    assert_int_equal(corpus_open(&corpus, at("imported"), false), 0);
    assert_int_equal(corpus_read(corpus, moves, 0, 1), 0);
    corpus_close(corpus);
    return game_length(moves, 60) == n && memcmp(moves, squares, (size_t)n) == 0;
}

static void wthor_has_its_rows_and_columns_right(void **state)
{
    uint8_t file[16 + WTHOR_GAME];
    const ImportOptions options = import_options(8);
    ImportResult result;
    put("games.wtb", file, wthor_write(file, 1));
    assert_int_equal(import_into(&result, "games.wtb", &options), 0);
    assert_int_equal(result.counts.games, 1);
    assert_int_equal(result.counts.unfinished, 1);
    assert_true(stored_squares_are(by_hand_squares, 6));
    assert_string_equal(imported_game(0), "e6 f6 g6 e7 d8 h6");
    /* The twin with rows and columns exchanged is a legal game too, and must not pass for it. */
    for (size_t i = 24; i < 30; i++) {
        file[i] = (uint8_t)(10 * (file[i] % 10) + file[i] / 10);
    }
    put("games.wtb", file, sizeof(file));
    assert_int_equal(import_into(&result, "games.wtb", &options), 0);
    assert_int_equal(result.counts.games, 1);
    assert_false(stored_squares_are(by_hand_squares, 6));
    assert_string_equal(imported_game(0), "f5 f6 f7 g5 h4 f8");
    /* Nor does the option change that: this format states which digit is the row. */
    ImportOptions transposed = options;
    transposed.check.transposed = true;
    assert_refused(import_into(&result, "games.wtb", &transposed), OGPT_EUSAGE, "WTHOR itself");
}

/* Black's discs alone are stated: 13 of 13 and 0 on the board, or 64. */
static void wthor_states_the_discs_of_black(void **state)
{
    static const uint8_t shortest[] = {65, 46, 35, 66, 57, 64, 75, 56, 53};
    static const struct {
        uint8_t black;
        uint64_t mismatches;
    } rows[] = {{13, 0}, {64, 0}, {12, 1}, {0, 1}, {200, 1}};
    const ImportOptions options = import_options(8);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t file[16 + 2 * WTHOR_GAME];
        ImportResult result;
        const size_t n = wthor_write(file, 2);
        memcpy(file + 24, shortest, sizeof(shortest));
        file[22] = rows[i].black;
        memset(file + 16 + WTHOR_GAME + 8, 0, 60); /* the second has no moves */
        put("games", file, n);
        assert_int_equal(import_into(&result, "games", &options), 0);
        assert_int_equal(result.counts.games, 1);
        assert_int_equal(result.counts.no_moves, 1);
        assert_int_equal(result.counts.unfinished, 0);
        assert_int_equal(result.counts.score_mismatches, rows[i].mismatches);
    }
}

/* Files that are refused as a whole. */
static void wthor_files_of_wrong_size_are_refused(void **state)
{
    uint8_t file[16 + 3 * WTHOR_GAME + 1];
    ImportOptions options = import_options(8);
    ImportResult result;
    const size_t n = wthor_write(file, 3);
    file[n] = 0;
    for (size_t size = 1; size <= n + 1; size++) {
        if (size == n) {
            continue;
        }
        if (size > 40 && size % 17 != 0 && size < n - 2) {
            continue; /* all short ones, a sample of the others */
        }
        put("games", file, size);
        options.read.format = "wthor";
        assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT,
                       size < 16 ? "a WTHOR header of 16 bytes" : "expected 220 bytes");
        options.read.format = "auto"; /* known by its date, if there is a header */
        if (size >= 16) {
            assert_int_equal(import_into(&result, "games", &options), OGPT_EFORMAT);
        }
    }
    memset(file + 4, 0xff, 4);
    put("games", file, n);
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT,
                   "4294967295 games announced, expected 292057776076 bytes for them, found 220");
    wthor_write(file, 3);
    file[12] = 10;
    put("games", file, n);
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT,
                   "byte 12: expected board size 0 or 8, found 10");
    file[12] = 0;
    put("games", file, n);
    assert_int_equal(import_into(&result, "games", &options), 0);
    assert_int_equal(result.counts.games, 3);
    put("games", file, wthor_write(file, 0));
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT, "expected games (wthor)");
    wthor_write(file, 3);
    put("games", file, n);
    options = import_options(6);
    assert_refused(import_into(&result, "games", &options), OGPT_EUSAGE, "WTHOR games are 8x8");
    assert_nothing_made();
}

/* Single bad moves. */
static void wthor_moves_off_the_board_are_refused(void **state)
{
    static const struct {
        int place;
        uint8_t byte;
        int ply;
        const char *reason;
    } rows[] = {
        {0, 99, 1, "found byte 99"},
        {1, 19, 2, "each 1 to 8, or 0 for none, found byte 19"},
        {2, 10, 3, "found byte 10"},
        {3, 8, 4, "found byte 8"},
        {4, 255, 5, "found byte 255"},
        {7, 68, 7, "expected no move after none (0), found byte 68"},
        {5, 11, 6, "found a1, which turns nothing over"},
        {59, 88, 7, "no move after none"},
        {2, 65, 3, "found e6, which is occupied"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t file[16 + 3 * WTHOR_GAME];
        const size_t n = wthor_write(file, 3);
        file[16 + WTHOR_GAME + 8 + rows[i].place] = rows[i].byte;
        const BadGame bad = {"wthor", (const char *)file, n, 2, rows[i].ply, rows[i].reason};
        assert_bad(&bad, import_options(8), 2);
        assert_string_equal(rejected.counts, "game");
    }
}

/* ---- arrays ---- */

/* Write values as an array of `rows` rows: the low bytes of each, little endian. */
static void put_array(const char *name, const char *dtype, const int64_t *values, uint64_t rows,
                      uint64_t columns)
{
    NpyWriter *writer = NULL;
    const uint64_t shape[2] = {rows, columns};
    remove(at(name));
    assert_int_equal(npy_writer_new(&writer, at(name), dtype, 2, shape), 0);
    for (uint64_t i = 0; i < rows * columns; i++) {
        assert_int_equal(npy_writer_add(writer, &values[i], (size_t)(dtype[1] - '0')), 0);
    }
    assert_int_equal(npy_writer_finish(writer), 0);
}

/* f5 d6 c3 and d3 c5: as squares, as tokens (60 squares without the centre, from 1). Unsigned bytes
 * have 255 where the others have -1, which wider unsigned numbers cannot say. */
static const int64_t squares[] = {37, 43, 18, -1, 19, 34, -1, -1};
static const int64_t tokens[] = {34, 40, 19, 0, 20, 33, 0, 0};

static void arrays_of_both_contents_and_all_widths_are_read(void **state)
{
    static const char *const dtypes[] = {"u1", "i1", "i2", "i4", "i8"};
    const ImportResult plain = import_text("f5 d6 c3\nd3 c5\n");
    for (size_t i = 0; i < 5; i++) {
        for (int c = 0; c < 2; c++) {
            ImportOptions options = import_options(8);
            ImportResult result;
            put_array("games", dtypes[i], c == 0 ? squares : tokens, 2, 4);
            for (int told = 0; told < 2; told++) {
                options.read.npy = told == 0 ? NPY_AUTO : c == 0 ? NPY_SQUARES : NPY_TOKENS;
                assert_int_equal(import_into(&result, "games", &options), 0);
                assert_string_equal(result.content_hash, plain.content_hash);
            }
            /* The twin: read as the other kind, they are not games. */
            options.read.npy = c == 0 ? NPY_TOKENS : NPY_SQUARES;
            assert_int_equal(import_into(&result, "games", &options), 0);
            assert_true(result.refused);
        }
    }
}

/* Wide unsigned numbers end games with 255 or token 0; -1 in their bits is a number like others. */
static void unsigned_arrays_have_no_minus_one(void **state)
{
    static const char *const dtypes[] = {"u2", "u4", "u8"};
    static const char *const found[] = {"found 65535", "found 4294967295",
                                        "found 9223372036854775807"};
    static const int64_t padded[] = {37, 43, 18, 255, 19, 34, 255, 255};
    const ImportResult plain = import_text("f5 d6 c3\nd3 c5\n");
    for (size_t i = 0; i < 3; i++) {
        ImportOptions options = import_options(8);
        ImportResult result;
        for (int c = 0; c < 2; c++) {
            put_array("games", dtypes[i], c == 0 ? padded : tokens, 2, 4);
            assert_int_equal(import_into(&result, "games", &options), 0);
            assert_string_equal(result.content_hash, plain.content_hash);
        }
        put_array("games", dtypes[i], squares, 2, 4);
        options.read.npy = NPY_SQUARES;
        assert_int_equal(import_into(&result, "games", &options), 0);
        assert_true(result.refused);
        assert_non_null(strstr(rejected.reason, found[i]));
    }
}

static void bad_rows_are_refused(void **state)
{
    static const struct {
        int64_t row[4];
        bool tokens;
        int ply;
        const char *reason;
    } rows[] = {
        {{37, 65, -1, -1}, false, 2, "column 1: expected a square (8 * row + column) of a 8x8"},
        {{37, 64, -1, -1}, false, 2, "found a pass"},
        {{37, -2, -1, -1}, false, 2, "found -2"},
        {{37, 254, -1, -1}, false, 2, "found 254"},               /* our own mark of a pass */
        {{37, 4294967339, -1, -1}, false, 2, "found 4294967339"}, /* 43 in the low 32 bits */
        {{37, -1, 43, -1}, false, 2, "column 2: expected no move after none, found 43"},
        {{37, 0, -1, -1}, false, 2, "found a1, which turns nothing over"},
        {{37, 27, -1, -1}, false, 2, "found d4, which is occupied"},
        {{34, 61, 0, 0}, true, 2, "column 1: expected a token of a 8x8 board, found 61"},
        {{34, 255, 0, 0}, true, 2, "found 255"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int64_t values[12];
        void *bytes = NULL;
        size_t n = 0;
        memcpy(values, rows[i].tokens ? tokens : squares, 4 * sizeof(*values));
        memcpy(values + 4, rows[i].row, 4 * sizeof(*values));
        memcpy(values + 8, rows[i].tokens ? tokens : squares, 4 * sizeof(*values));
        put_array("array", "i8", values, 3, 4);
        assert_int_equal(file_read_all(&bytes, &n, at("array"), 1 << 20), 0);
        const BadGame bad = {"npy", bytes, n, 2, rows[i].ply, rows[i].reason};
        assert_bad(&bad, import_options(8), 2);
        assert_string_equal(rejected.counts, "row");
        mem_free(bytes);
    }
}

/* Arrays without games. */
static void other_arrays_are_refused(void **state)
{
    const ImportOptions options = import_options(8);
    ImportResult result;
    NpyWriter *writer = NULL;
    const uint64_t flat[1] = {4};
    const float numbers[4] = {0};
    assert_int_equal(npy_writer_new(&writer, at("flat"), "u1", 1, flat), 0);
    assert_int_equal(npy_writer_add(writer, numbers, 4), 0);
    assert_int_equal(npy_writer_finish(writer), 0);
    assert_refused(import_into(&result, "flat", &options), OGPT_EFORMAT, "found 1 dimension of u1");
    const uint64_t square[2] = {2, 2};
    assert_int_equal(npy_writer_new(&writer, at("floats"), "f4", 2, square), 0);
    assert_int_equal(npy_writer_add(writer, numbers, 16), 0);
    assert_int_equal(npy_writer_finish(writer), 0);
    assert_refused(import_into(&result, "floats", &options), OGPT_EFORMAT, "dimensions of f4");
    put_array("games", "i8", squares, 0, 4);
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT, "shape (0, 4)");
    put_array("games", "i8", squares, 4, 0);
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT, "shape (4, 0)");
    const uint64_t wide[2] = {1, 100000};
    assert_int_equal(npy_writer_new(&writer, at("wide"), "u1", 2, wide), 0);
    char *zeros = calloc(1, 100000);
    assert_int_equal(npy_writer_add(writer, zeros, 100000), 0);
    free(zeros);
    assert_int_equal(npy_writer_finish(writer), 0);
    assert_refused(import_into(&result, "wide", &options), OGPT_EFORMAT, "1 to 8192 moves");
    /* Neither content makes the first row a game: the user must say which it is. */
    static const int64_t neither[] = {1, 2};
    put_array("games", "u1", neither, 1, 2);
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT, "say --as squares");
    put_text("games", "\x93NUMPY\1");
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT, "games");
    assert_nothing_made();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wthor_has_its_rows_and_columns_right),
        cmocka_unit_test(wthor_states_the_discs_of_black),
        cmocka_unit_test(wthor_files_of_wrong_size_are_refused),
        cmocka_unit_test(wthor_moves_off_the_board_are_refused),
        cmocka_unit_test(arrays_of_both_contents_and_all_widths_are_read),
        cmocka_unit_test(unsigned_arrays_have_no_minus_one),
        cmocka_unit_test(bad_rows_are_refused),
        cmocka_unit_test(other_arrays_are_refused),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
