/* tests/datasets/test_export.c - import(export(x)) = x by content hash, for every format, board,
 * notation and kind of content; and that a file appears whole or not at all. */
#include "tests/datasets/import_test.h"

#include "base/formats/npy.h"
#include "base/process.h"
#include "tests/there.h"

/* "random" or "imported" of the directory, into the file "games". */
static int export_to(const char *corpus_name, ExportFormat format, bool transposed, bool tokens)
{
    const ExportOptions options = {
        .format = format, .transposed = transposed, .tokens = tokens, .force = true};
    Corpus *corpus = NULL;
    bool unchanged = true;
    assert_int_equal(corpus_open(&corpus, at(corpus_name), false), 0);
    const int rc = export_games(&unchanged, corpus, at("games"), &options, NULL, NULL);
    corpus_close(corpus);
    return rc;
}

/* Out in one notation and in again in the same, or, as the twin, in the other: arrays differ, names
 * mean the same. */
static void round_trip(const char *corpus_name, int size, const char *content_hash)
{
    for (int form = EXPORT_NPY; form <= EXPORT_GGF; form++) {
        for (int tokens = 0; tokens < (form == EXPORT_NPY ? 2 : 1); tokens++) {
            for (int out = 0; out < 2; out++) {
                assert_int_equal(export_to(corpus_name, form, out == 1, tokens == 1), 0);
                for (int in = 0; in < 2; in++) {
                    ImportOptions options = import_options(size);
                    ImportResult result;
                    const char *file = path_of("games");
                    options.check.transposed = in == 1;
                    corpus_remove("second");
                    assert_int_equal(
                        import_games(&result, path_of("second"), &file, 1, &options, NULL, NULL),
                        0);
                    const bool equal = strcmp(result.content_hash, content_hash) == 0;
                    const bool same = in == out || form != EXPORT_NPY;
                    if (equal != same) {
                        fail_msg("size %d, format %d, tokens %d, notation %d out and %d in: hash "
                                 "expected to %s",
                                 size, form, tokens, out, in, same ? "agree" : "differ");
                    }
                    assert_int_equal(result.counts.score_mismatches, 0);
                }
            }
        }
    }
}

static void whole_games_come_back(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        GenerateResult made;
        make_corpus(&made, "random", size, 4, 1500); /* more than a block */
        round_trip("random", size, made.content_hash);
    }
}

/* Games cut at every length from one move on, on each board. */
static void unfinished_games_come_back(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        const ImportOptions options = import_options(size);
        ImportResult result;
        uint8_t moves[GAME_MAX_MOVES];
        Corpus *corpus = NULL;
        make_corpus(NULL, "random", size, 6, 100);
        assert_int_equal(corpus_open(&corpus, at("random"), false), 0);
        FILE *file = fopen(at("games"), "w");
        assert_non_null(file);
        for (uint64_t i = 0; i < 100; i++) {
            char line[3 * GAME_MAX_MOVES + 1];
            assert_int_equal(corpus_read(corpus, moves, i, 1), 0);
            const int n = game_length(moves, variant->n_moves);
            moves_print(line, moves, 1 + (int)i % n);
            fprintf(file, "%s\n", line);
        }
        assert_int_equal(fclose(file), 0);
        corpus_close(corpus);
        assert_int_equal(import_into(&result, "games", &options), 0);
        assert_true(result.counts.unfinished > 50 && result.counts.unfinished <= 100);
        round_trip("imported", size, result.content_hash);
    }
}

/* The published code writes f5 as 44 = 8*column + row. The same game as its array, with that
 * notation, and as names, with either, is one game; read without it, the array is another one. */
static void a_published_game_is_one_as_array_and_as_names(void **state)
{
    static const uint8_t published[] = {44, 29, 18, 26, 20}; /* f5 d6 c3 d3 c5 there */
    static const char *const names[] = {"f5 d6 c3 d3 c5\n", "[A \"\"]\n1. f5 d6 2. c3 d3 3. c5\n"};
    static const uint64_t shape[] = {1, 5};
    ImportOptions options = import_options(8);
    ImportResult array, other, named;
    NpyWriter *writer = NULL;
    remove(at("array"));
    assert_int_equal(npy_writer_new(&writer, at("array"), "u1", 2, shape), 0);
    assert_int_equal(npy_writer_add(writer, published, 5), 0);
    assert_int_equal(npy_writer_finish(writer), 0);
    assert_int_equal(import_into(&other, "array", &options), 0);
    options.check.transposed = true;
    assert_int_equal(import_into(&array, "array", &options), 0);
    assert_string_not_equal(array.content_hash, other.content_hash);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        for (int transposed = 0; transposed < 2; transposed++) {
            options.check.transposed = transposed == 1;
            put_text("games", names[i]);
            assert_int_equal(import_into(&named, "games", &options), 0);
            assert_string_equal(imported_game(0), "f5 d6 c3 d3 c5");
            assert_string_equal(named.content_hash, array.content_hash);
        }
    }
}

static void a_file_is_replaced_only_by_force(void **state)
{
    ExportOptions options = {.format = EXPORT_TEXT};
    Corpus *corpus = NULL;
    bool unchanged = true;
    import_text("f5 d6 c3\n");
    assert_int_equal(corpus_open(&corpus, at("imported"), false), 0);
    put_text("out", "f5 d6 c3 d3\n");
    assert_refused(export_games(&unchanged, corpus, at("out"), &options, NULL, NULL), OGPT_EUSAGE,
                   "holds something else");
    options.force = true;
    assert_int_equal(export_games(&unchanged, corpus, at("out"), &options, NULL, NULL), 0);
    assert_false(unchanged);
    options.force = false; /* typed again: the same bytes */
    assert_int_equal(export_games(&unchanged, corpus, at("out"), &options, NULL, NULL), 0);
    assert_true(unchanged);
    options.format = EXPORT_NPY;
    assert_refused(export_games(&unchanged, corpus, at("out"), &options, NULL, NULL), OGPT_EUSAGE,
                   "holds something else");
    assert_int_equal(dir_create(at("folder")), 0);
    assert_refused(export_games(&unchanged, corpus, at("folder"), &options, NULL, NULL),
                   OGPT_EUSAGE, "found a directory");
    interrupt_set(SIGINT);
    const int rc = export_games(&unchanged, corpus, at("stopped"), &options, NULL, NULL);
    interrupt_set(0);
    assert_refused(rc, OGPT_EINTR, "nothing written");
    assert_false(file_exists(at("stopped")));
    assert_refused(export_games(&unchanged, corpus, at("no/such/folder"), &options, NULL, NULL),
                   OGPT_EIO, "no/such is not a directory");
    corpus_close(corpus);
    char **names = NULL;
    size_t n = 0;
    assert_int_equal(dir_list(&names, &n, run_folder), 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_not_equal(strncmp(names[i], ".tmp-", 5), 0);
    }
    names_free(names, n);
}

/* Anything but an older export is kept, including the corpus itself under any name. */
static void what_holds_no_games_is_never_replaced(void **state)
{
    static const char *const goals[] = {"imported", "link", "notes", "cases", "pickle", "array"};
    static const uint64_t shape[] = {1, 1};
    ExportOptions options = {.format = EXPORT_TEXT, .force = true};
    Corpus *corpus = NULL;
    NpyWriter *writer = NULL;
    bool unchanged = true;
    import_text("f5 d6 c3\n");
    assert_int_equal(corpus_open(&corpus, at("imported"), false), 0);
    assert_int_equal(link(path_of("imported"), at("link")), 0);
    put_text("notes", "my notes\n");
    put_text("cases", "moves,square,from,to\nf5 d6 c3 d3 c4,d6,white,black\n");
    put_text("pickle", "\200\002}q");
    remove(at("array"));
    assert_int_equal(npy_writer_new(&writer, at("array"), "f4", 2, shape), 0);
    assert_int_equal(npy_writer_add(writer, shape, 4), 0);
    assert_int_equal(npy_writer_finish(writer), 0);
    for (size_t i = 0; i < sizeof(goals) / sizeof(*goals); i++) {
        char before[HASH_HEX_SIZE];
        char after[HASH_HEX_SIZE];
        char goal[FILES_PATH_MAX];
        snprintf(goal, sizeof(goal), "%s/%s", run_folder, goals[i]);
        assert_int_equal(sha256_file(before, goal), 0);
        assert_refused(export_games(&unchanged, corpus, goal, &options, NULL, NULL), OGPT_EUSAGE,
                       "so it is not replaced");
        assert_int_equal(sha256_file(after, goal), 0);
        assert_string_equal(after, before);
    }
    /* The twins: an empty file, and games of each form and of another board. */
    put_text("old", "");
    for (int form = EXPORT_NPY; form <= EXPORT_GGF; form++) {
        options.format = (ExportFormat)form;
        assert_int_equal(export_games(&unchanged, corpus, at("old"), &options, NULL, NULL), 0);
        assert_false(unchanged);
    }
    corpus_close(corpus);
    make_corpus(NULL, "random", 4, 6, 10);
    assert_int_equal(corpus_open(&corpus, at("random"), false), 0);
    assert_int_equal(export_games(&unchanged, corpus, at("old"), &options, NULL, NULL), 0);
    corpus_close(corpus);
}

/* A forged corpus, whose checksums hold and whose moves are illegal, gives no PGN. */
static void illegal_games_are_not_given_a_result(void **state)
{
    CorpusInfo meta = {.variant = game_variant(8), .n_games = 1};
    uint8_t moves[GAME_MAX_MOVES];
    Corpus *corpus = NULL;
    memset(moves, SQ_NONE, sizeof(moves));
    moves[0] = 0; /* a1 */
    snprintf(meta.source, sizeof(meta.source), "import");
    corpus_remove("random");
    assert_int_equal(corpus_create(&corpus, at("random"), &meta), 0);
    assert_int_equal(corpus_write_blocks(corpus, 0, 1, moves), 0);
    assert_int_equal(corpus_finish(corpus), 0);
    corpus_close(corpus);
    assert_refused(export_to("random", EXPORT_PGN, false, false), OGPT_EFORMAT,
                   "game 0: ply 1: expected a legal move");
}

/* The number of games may be set at the end, but not below the number written. */
static void a_corpus_is_shortened_at_the_end(void **state)
{
    GenerateResult made;
    CorpusInfo meta = {.variant = game_variant(4), .n_games = CORPUS_MAX_GAMES};
    uint8_t moves[1500 * 12];
    Corpus *random = NULL;
    Corpus *corpus = NULL;
    make_corpus(&made, "random", 4, 4, 1500);
    assert_int_equal(corpus_open(&random, at("random"), false), 0);
    assert_int_equal(corpus_read(random, moves, 0, 1500), 0);
    corpus_close(random);
    snprintf(meta.source, sizeof(meta.source), "import");
    corpus_remove("imported");
    assert_int_equal(corpus_create(&corpus, at("imported"), &meta), 0);
    assert_int_equal(corpus_write_blocks(corpus, 0, 1, moves), 0);
    assert_refused(corpus_shorten(corpus, 1023), OGPT_EUSAGE, "expected 1024 to");
    assert_refused(corpus_shorten(corpus, CORPUS_MAX_GAMES + 1), OGPT_EUSAGE, "found 4294967297");
    assert_int_equal(corpus_shorten(corpus, 1500), 0);
    assert_refused(corpus_finish(corpus), OGPT_EUSAGE, "cannot be finished");
    assert_int_equal(corpus_write_blocks(corpus, 1, 1, moves + 1024 * 12), 0);
    assert_int_equal(corpus_finish(corpus), 0);
    assert_string_equal(corpus_info(corpus)->content_hash, made.content_hash);
    corpus_close(corpus);
    CorpusReport report;
    assert_int_equal(corpus_verify(&report, at("imported"), NULL, NULL), 0);
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.games, 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_games_come_back),
        cmocka_unit_test(unfinished_games_come_back),
        cmocka_unit_test(a_published_game_is_one_as_array_and_as_names),
        cmocka_unit_test(a_file_is_replaced_only_by_force),
        cmocka_unit_test(what_holds_no_games_is_never_replaced),
        cmocka_unit_test(illegal_games_are_not_given_a_result),
        cmocka_unit_test(a_corpus_is_shortened_at_the_end),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
