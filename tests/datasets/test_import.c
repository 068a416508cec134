/* tests/datasets/test_import.c - plain text into a corpus: what is accepted, what is refused (each
 * a row of the table of bad games), duplicates, symmetry, and that a corpus appears whole. */
#include "tests/datasets/import_test.h"

#include "base/process.h"
#include "game/notation.h"
#include "tests/there.h"

/* The shortest game there is: after nine moves white has no disc left. */
#define SHORTEST "e6 f4 e3 f6 g5 d6 e7 f5 c5"

static void ways_of_writing_are_equal(void **state)
{
    static const char *const texts[] = {
        "f5 d6 c3\nd3 c5\n",
        "f5d6c3\nd3c5",
        "F5D6C3\r\nD3 C5\r\n",
        ("\xef\xbb\xbf"
         "f5 d6 c3\nd3 c5\n"),
        "# two games\n\n  f5,d6,\tc3 # the first\n\nd3-c5\n# the end",
        "f5 d6 c3 # \xe1 \xc0\xaf \xff in Latin-1\nd3 c5 # \xe2\x82",
        "f5 d6 c3 # \xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \x1b[31m\nd3 c5\n",
    };
    const ImportResult plain = import_text(texts[0]);
    assert_int_equal(plain.counts.games, 2);
    assert_int_equal(plain.counts.unfinished, 2);
    assert_int_equal(plain.counts.unknown_results, 0);
    assert_int_equal(plain.plies, 5);
    assert_string_equal(imported_game(0), "f5 d6 c3");
    assert_string_equal(imported_game(1), "d3 c5");
    for (size_t i = 1; i < sizeof(texts) / sizeof(*texts); i++) {
        const ImportResult result = import_text(texts[i]);
        assert_string_equal(result.content_hash, plain.content_hash);
        assert_int_equal(result.counts.read, 2);
    }
    /* Other games have another hash, so the comparison can fail. */
    assert_string_not_equal(import_text("f5 d6 c3\nd3 c3\n").content_hash, plain.content_hash);
}

static void finished_games_are_told_from_unfinished(void **state)
{
    const ImportResult result = import_text(SHORTEST "\nf5\n" SHORTEST " -- pass\n");
    assert_int_equal(result.counts.games, 3);
    assert_int_equal(result.counts.unfinished, 1);
    assert_int_equal(result.counts.duplicates, 1); /* passes behind the end change nothing */
}

/* Good games around a bad one in the second line. */
static void bad_games_are_refused_with_line_and_ply(void **state)
{
#define AROUND(text) "f5 d6\n" text "\nd3 c5\n"
    static const BadGame rows[] = {
        {"illegal", AROUND("f5 a1"), 0, 2, 2, "legal move of white, found a1, which turns nothing"},
        {"occupied", AROUND("f5 d6 f5"), 0, 2, 3, "found f5, which is occupied"},
        {"centre", AROUND("f5d4"), 0, 2, 2, "found d4, which is occupied"},
        {"after the end", AROUND(SHORTEST " c4"), 0, 2, 10, "the end of the game, which is over"},
        {"column i", AROUND("f5 i9"), 0, 2, 2, "expected a square a1 to h8 or a pass, found 'i9'"},
        {"row 0", AROUND("f5 a0"), 0, 2, 2, "found 'a0'"},
        {"row 10", AROUND("f5 a10"), 0, 2, 2, "found 'a10'"},
        {"half a move", AROUND("f5 d6 c"), 0, 2, 3, "found 'c'"},
        {"word", AROUND("f5 hello"), 0, 2, 2, "found 'hel'"},
        {"escape", AROUND("f5 \x1b[31m"), 0, 2, 2, "found '\\x1b[3'"},
        {"pass", AROUND("f5 -- c4"), 0, 2, 2,
         "a move of white, who has 3 legal ones, found a pass"},
        {"pass in words", AROUND("PASS f5"), 0, 2, 1, "black, who has 4 legal ones"},
        {"wrong mover", AROUND("f5 c4"), 0, 2, 2,
         "legal move of white, who can move and may not pass, found c4, a move of black"},
        {"NUL", "f5 d6\nf5\0d6\nd3 c5\n", 18, 2, 2, "found '\\x00d6' at byte 8"},
        {"not UTF-8", AROUND("f5 \xff"), 0, 2, 2, "found '\\xff' at byte 9"},
        {"byte order mark inside", AROUND("\xef\xbb\xbf f5"), 0, 2, 1, "found '\\xef\\xbb\\xbf'"},
        {"illegal before unreadable", AROUND("f5 a1 zz"), 0, 2, 2, "found a1"},
    };
    ImportOptions options = import_options(8);
    options.read.format = "text"; /* a NUL in its first bytes makes a file unknown otherwise */
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_bad(&rows[i], options, 2);
    }
}

/* More than 60 plies; the board shown is the one before the fault. */
static void overlong_games_are_refused(void **state)
{
    char text[4096] = "";
    char full[3 * GAME_MAX_MOVES + 1] = "";
    Corpus *corpus = NULL;
    make_corpus(NULL, "random", 8, 5, 200);
    assert_int_equal(corpus_open(&corpus, at("random"), false), 0);
    for (uint64_t i = 0; full[0] == '\0'; i++) {
        uint8_t moves[GAME_MAX_MOVES];
        assert_int_equal(corpus_read(corpus, moves, i, 1), 0);
        if (game_length(moves, 60) == 60) {
            moves_print(full, moves, 60);
        }
    }
    corpus_close(corpus);
    snprintf(text, sizeof(text), "f5\n%s a1\n", full);
    const BadGame one = {"61 moves", text, 0, 2, 61, "the end of the game, which is over"};
    assert_bad(&one, import_options(8), 1);
    assert_int_equal(__builtin_popcountll(rejected.board.mine | rejected.board.theirs), 64);
    /* So many entries that they are not kept. */
    size_t n = (size_t)snprintf(text, sizeof(text), "f5\n%s", full);
    for (int i = 0; i < 200; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, " --");
    }
    const BadGame many = {"200 passes", text, 0, 2, 61, "more than 128 moves and passes"};
    assert_bad(&many, import_options(8), 1);
}

/* Games of one board offered as games of another. */
static void records_of_other_boards_are_refused(void **state)
{
    static const int pairs[][2] = {{6, 8}, {8, 6}, {4, 6}, {6, 4}};
    for (size_t i = 0; i < 4; i++) {
        ImportOptions options = import_options(pairs[i][1]);
        const ExportOptions text = {.format = EXPORT_TEXT, .force = true};
        ImportResult result;
        Corpus *corpus = NULL;
        bool unchanged;
        make_corpus(NULL, "other", pairs[i][0], 3, 50);
        assert_int_equal(corpus_open(&corpus, at("other"), false), 0);
        assert_int_equal(export_games(&unchanged, corpus, at("games"), &text, NULL, NULL), 0);
        corpus_close(corpus);
        assert_int_equal(import_into(&result, "games", &options), 0);
        assert_true(result.refused);
        assert_int_equal(result.counts.rejected, 50);
        assert_nothing_made();
        options = import_options(pairs[i][0]); /* the twin: the right board */
        assert_int_equal(import_into(&result, "games", &options), 0);
        assert_int_equal(result.counts.games, 50);
    }
}

/* Files that are refused as a whole. */
static void files_without_games_are_refused(void **state)
{
#define BYTES(text) (text), sizeof(text) - 1
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } rows[] = {
        {BYTES(""), "expected games, found an empty file"},
        {BYTES("\n\n# nothing\n"), "expected games (text), found none"},
        {BYTES("\xef\xbb\xbf"), "expected games (text), found none"},
        {BYTES("\0\1\2\3 no format of ours"), "no such format"},
        {BYTES("P\0K\0"), "no such format"},
        {BYTES("\xff\xfe\x66\0\x35\0"), "a text in UTF-16"},
        {BYTES("\x80\x04\x95 pickled"),
         "found a pickle (of PyTorch: .pt, .pth or .ckpt?), which is never read"},
        {BYTES("PK\3\4 zipped"), "pickle"},
        {BYTES("(lp0\nI1\na."), "pickle.load"},
    };
    ImportResult result;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ImportOptions options = import_options(8);
        put("games", rows[i].bytes, rows[i].n);
        for (int skip = 0; skip < 2; skip++) {
            options.skip_bad = skip == 1;
            assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT, rows[i].message);
            assert_nothing_made();
        }
        if (strstr(rows[i].message, "pickle")) { /* its name does not matter */
            options.read.format = "text";
            assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT, "pickle");
        }
    }
    const ImportOptions options = import_options(8);
    assert_refused(import_into(&result, "nowhere", &options), OGPT_EIO, "nowhere");
    assert_int_equal(dir_create(at("folder")), 0);
    assert_refused(import_into(&result, "folder", &options), OGPT_EIO, "regular file");
    assert_nothing_made();
}

/* A line of 100 MB is one bad game, and costs no memory. */
static void endless_lines_are_one_error(void **state)
{
    const size_t n = is_sanitized() ? (size_t)10 << 20 : (size_t)100 << 20;
    const size_t before = memory_peak_bytes();
    ImportOptions options = import_options(8);
    ImportResult result;
    char piece[4096];
    FILE *file = fopen(at("games"), "wb");
    assert_non_null(file);
    memset(piece, 'f', sizeof(piece));
    fputs("d3 c5\n", file);
    for (size_t i = 0; i < n / sizeof(piece); i++) {
        fwrite(piece, 1, sizeof(piece), file);
    }
    fputs("\nf5 d6\n", file);
    assert_int_equal(fclose(file), 0);
    options.skip_bad = true;
    assert_int_equal(import_into(&result, "games", &options), 0);
    assert_int_equal(result.counts.games, 2);
    assert_int_equal(rejected.n, 1);
    assert_int_equal(rejected.place, 2);
    assert_non_null(strstr(rejected.reason, "a word of more than 256 characters"));
    if (!is_sanitized()) { /* a sanitizer keeps freed memory */
        assert_true(memory_peak_bytes() - before < (size_t)80 << 20);
    }
    remove(at("games"));
}

static void duplicates_are_counted_and_dropped_on_request(void **state)
{
    static const char text[] = "f5 d6\nd3 c5\nf5 d6\nF5D6\nf5 f6\nd3 c5 # again\n";
    ImportOptions options = import_options(8);
    ImportResult kept, dropped, once;
    put_text("games", text);
    assert_int_equal(import_into(&kept, "games", &options), 0);
    assert_int_equal(kept.counts.games, 6);
    assert_int_equal(kept.counts.duplicates, 3);
    /* d3 c5 is f5 d6, mirrored at the diagonal a8-h1; f5 f6 is another game. */
    assert_int_equal(kept.counts.duplicates_symmetric, 4);
    options.dedupe = DEDUPE_EXACT;
    assert_int_equal(import_into(&dropped, "games", &options), 0);
    assert_int_equal(dropped.counts.games, 3);
    assert_int_equal(dropped.counts.duplicates, 3);
    assert_int_equal(dropped.counts.duplicates_symmetric, 4);
    ImportResult mirrors;
    options.dedupe = DEDUPE_SYMMETRIC;
    assert_int_equal(import_into(&mirrors, "games", &options), 0);
    assert_int_equal(mirrors.counts.games, 2);
    assert_int_equal(mirrors.counts.duplicates_symmetric, 4);
    options.dedupe = DEDUPE_EXACT;
    put_text("games", "f5 d6\nd3 c5\nf5 f6\n");
    assert_int_equal(import_into(&once, "games", &options), 0);
    assert_string_equal(dropped.content_hash, once.content_hash);
    assert_string_not_equal(dropped.content_hash, kept.content_hash);
    /* Across files as well. */
    put_text("first", "f5 d6\nd3 c5\n");
    put_text("second", "f5 f6\nf5 d6\n");
    const char *files[2] = {path_of("first"), path_of("second")};
    corpus_remove("imported");
    assert_int_equal(import_games(&dropped, path_of("imported"), files, 2, &options, NULL, NULL),
                     0);
    assert_string_equal(dropped.content_hash, once.content_hash);
}

/* Games are turned so that each of the four first moves becomes any other. */
static void symmetry_puts_the_first_move_where_asked(void **state)
{
    static const char text[] = "f5 d6 c3\ne6 f4 c3\nd3 c5 f6\nc4 e3 f6\n";
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        GenerateResult made;
        uint8_t moves[GAME_MAX_MOVES];
        Board after[GAME_MAX_MOVES];
        Corpus *corpus = NULL;
        ImportOptions options = import_options(size);
        ImportResult result;
        bool unchanged;
        const ExportOptions form = {.format = EXPORT_TEXT, .force = true};
        make_corpus(&made, "random", size, 2, 64);
        assert_int_equal(corpus_open(&corpus, at("random"), false), 0);
        assert_int_equal(export_games(&unchanged, corpus, at("games"), &form, NULL, NULL), 0);
        corpus_close(corpus);
        for (uint64_t mask = board_moves(variant, &variant->start); mask != 0; mask &= mask - 1) {
            options.check.first_move = __builtin_ctzll(mask);
            assert_int_equal(import_into(&result, "games", &options), 0);
            assert_int_equal(result.counts.games, 64);
            assert_int_equal(result.plies, made.plies);
            assert_int_equal(corpus_open(&corpus, at("imported"), false), 0);
            for (uint64_t i = 0; i < 64; i++) {
                assert_int_equal(corpus_read(corpus, moves, i, 1), 0);
                const int n = game_length(moves, variant->n_moves);
                assert_int_equal(moves[0], options.check.first_move);
                assert_int_equal(game_replay(variant, moves, n, after), n);
            }
            corpus_close(corpus);
        }
    }
    /* By hand: all four are one game. */
    ImportOptions options = import_options(8);
    ImportResult result;
    put_text("games", text);
    options.check.first_move = 37; /* f5 */
    options.dedupe = DEDUPE_EXACT;
    assert_int_equal(import_into(&result, "games", &options), 0);
    assert_int_equal(result.counts.games, 1);
    assert_string_equal(imported_game(0), "f5 d6 c3");
    options.check.first_move = SQ_NONE; /* the twin */
    assert_int_equal(import_into(&result, "games", &options), 0);
    assert_int_equal(result.counts.games, 4);
}

static void a_corpus_is_replaced_only_by_its_like_or_by_force(void **state)
{
    ImportOptions options = import_options(8);
    ImportResult first, result;
    const char *file = path_of("games");
    put_text("games", "f5 d6\nd3 c5\n");
    assert_int_equal(import_into(&first, "games", &options), 0);
    assert_false(first.unchanged);
    /* Typed again: the same corpus. */
    assert_int_equal(import_games(&result, path_of("imported"), &file, 1, &options, NULL, NULL), 0);
    assert_true(result.unchanged);
    assert_string_equal(result.content_hash, first.content_hash);
    /* Other games: refused, and the corpus is as it was. */
    put_text("games", "f5 d6\n");
    assert_refused(import_games(&result, path_of("imported"), &file, 1, &options, NULL, NULL),
                   OGPT_EUSAGE, "holds other games");
    assert_string_equal(imported_game(1), "d3 c5");
    options.force = true;
    assert_int_equal(import_games(&result, path_of("imported"), &file, 1, &options, NULL, NULL), 0);
    assert_int_equal(result.counts.games, 1);
    assert_string_equal(imported_game(0), "f5 d6");
    /* A generated corpus: refused, or replaced with force, with SQLite's files next to it. */
    make_corpus(NULL, "imported", 8, 1, 10);
    options.force = false;
    assert_refused(import_games(&result, path_of("imported"), &file, 1, &options, NULL, NULL),
                   OGPT_EUSAGE, "holds random games of size 8");
    put_text("imported-wal", "\x37\x7f\x06\x82, a log of the corpus that is replaced");
    options.force = true;
    assert_int_equal(import_games(&result, path_of("imported"), &file, 1, &options, NULL, NULL), 0);
    assert_false(file_exists(at("imported-wal")));
    assert_string_equal(imported_game(0), "f5 d6");
    /* Anything but a corpus is kept, with or without force. */
    put_text("imported", "my notes");
    assert_refused(import_games(&result, path_of("imported"), &file, 1, &options, NULL, NULL),
                   OGPT_EFORMAT, "imported");
    remove(at("imported"));
    /* Another process writes it. */
    FileLock lock;
    assert_int_equal(file_lock(&lock, at("imported.lock")), 0);
    assert_refused(import_games(&result, path_of("imported"), &file, 1, &options, NULL, NULL),
                   OGPT_ELOCKED, "locked by process");
    file_unlock(&lock);
    assert_nothing_made();
}

static void an_interrupted_import_leaves_nothing(void **state)
{
    const ImportOptions options = import_options(8);
    ImportResult result;
    put_text("games", "f5 d6\nd3 c5\n");
    interrupt_set(SIGTERM);
    const int rc = import_into(&result, "games", &options);
    interrupt_set(0);
    assert_refused(rc, OGPT_EINTR, "no corpus made");
    assert_nothing_made();
    assert_int_equal(import_into(&result, "games", &options), 0);
}

/* Several files: their order is kept, each has its own counts, a bad one stops the import. */
static void files_are_counted_one_by_one(void **state)
{
    const ImportOptions options = import_options(8);
    ImportResult result;
    put_text("first", "f5 d6\nd3 c5\n");
    put_text("second", "f5 f6\nf5 a1\nf5 a2\n");
    const char *files[2] = {path_of("first"), path_of("second")};
    static const ImportWatch watch = {.reject = remember_reject};
    corpus_remove("imported");
    rejected = (Rejected){0};
    assert_int_equal(import_games(&result, path_of("imported"), files, 2, &options, NULL, &watch),
                     0);
    assert_true(result.refused);
    assert_int_equal(result.counts.read, 5);
    assert_int_equal(result.counts.rejected, 2);
    assert_int_equal(rejected.n, 2);
    assert_nothing_made();
    ImportOptions skip = options;
    skip.skip_bad = true;
    assert_int_equal(import_games(&result, path_of("imported"), files, 2, &skip, NULL, &watch), 0);
    assert_int_equal(result.counts.games, 3);
    assert_string_equal(imported_game(2), "f5 f6");
}

/* More than a chunk of games, on any number of threads. */
static void the_hash_does_not_depend_on_threads(void **state)
{
    const uint64_t n_games = is_sanitized() ? 20000 : 140000;
    const ImportOptions options = import_options(4);
    const ExportOptions form = {.format = EXPORT_TEXT, .force = true};
    GenerateResult made;
    Corpus *corpus = NULL;
    bool unchanged;
    make_corpus(&made, "random", 4, 9, n_games);
    assert_int_equal(corpus_open(&corpus, at("random"), false), 0);
    assert_int_equal(export_games(&unchanged, corpus, at("games"), &form, NULL, NULL), 0);
    corpus_close(corpus);
    for (size_t threads = 1; threads <= 3; threads++) {
        Pool *pool = NULL;
        ImportResult result;
        const char *file = path_of("games");
        corpus_remove("imported");
        assert_int_equal(pool_new(&pool, threads), 0);
        assert_int_equal(import_games(&result, path_of("imported"), &file, 1, &options, pool, NULL),
                         0);
        pool_free(pool);
        assert_string_equal(result.content_hash, made.content_hash);
    }
}

static void every_allocation_may_fail(void **state)
{
    const ImportOptions options = import_options(8);
    const char *file = path_of("games");
    ImportResult result;
    int rc = OGPT_ENOMEM;
    put_text("games", "f5 d6\nd3 c5\n");
    corpus_remove("imported");
    for (uint64_t n = 1; rc != 0; n++) {
        assert_true(n < 200);
        mem_fail_at(n, 0);
        rc = import_games(&result, path_of("imported"), &file, 1, &options, NULL, NULL);
        mem_fail_at(0, 0);
        if (rc != 0) {
            assert_int_equal(rc, OGPT_ENOMEM);
            assert_nothing_made();
        }
    }
    assert_string_equal(imported_game(1), "d3 c5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_of_writing_are_equal),
        cmocka_unit_test(finished_games_are_told_from_unfinished),
        cmocka_unit_test(bad_games_are_refused_with_line_and_ply),
        cmocka_unit_test(overlong_games_are_refused),
        cmocka_unit_test(records_of_other_boards_are_refused),
        cmocka_unit_test(files_without_games_are_refused),
        cmocka_unit_test(endless_lines_are_one_error),
        cmocka_unit_test(duplicates_are_counted_and_dropped_on_request),
        cmocka_unit_test(symmetry_puts_the_first_move_where_asked),
        cmocka_unit_test(a_corpus_is_replaced_only_by_its_like_or_by_force),
        cmocka_unit_test(an_interrupted_import_leaves_nothing),
        cmocka_unit_test(files_are_counted_one_by_one),
        cmocka_unit_test(the_hash_does_not_depend_on_threads),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
