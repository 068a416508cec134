/* tests/datasets/test_import_cases.c - files as people have them (fixture_games/), and the same
 * kinds made here: each has one right reading. */
#include "tests/datasets/import_test.h"

#include "base/arena.h"
#include "base/files.h"
#include "base/formats/npy.h"
#include "game/play.h"

static const char *fixture(const char *name)
{
    static char path[FILES_PATH_MAX];
    const char *source = getenv("OGPT_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/datasets/fixture_games/%s", source ? source : ".", name);
    return path;
}

static ImportResult import_fixture(const char *name, const char *format)
{
    static const ImportWatch watch = {.reject = remember_reject};
    ImportOptions options = import_options(8);
    ImportResult result;
    const char *file = fixture(name);
    options.read.format = format;
    corpus_remove("imported");
    rejected = (Rejected){0};
    const int rc = import_games(&result, at("imported"), &file, 1, &options, NULL, &watch);
    if (rc != 0 || result.refused) {
        fail_msg("%s: %s", name, rc ? err_message() : rejected.reason);
    }
    return result;
}

/* The README of the small inputs, row by row. */
static void every_small_input_has_its_right_reading(void **state)
{
    static const struct {
        const char *file, *format, *moves; /* the first moves, or all */
        int plies;
        uint64_t turned, found, unknown;
    } rows[] = {
        {"broken-tag.pgn", "auto", "f5 d6", 2, 0, 0, 1},
        {"latin1-name.pgn", "auto", "f5 d6 c3", 3, 0, 0, 1},
        {"nboard.ggf", "auto", "f5 d6 c5 f4 d3 e3 f2", 34, 0, 0, 1},
        {"pass-dashes.txt", "auto", "f5 d6 c4 d3 c3 f4", 57, 0, 0, 0},
        {"pass-ps.txt", "auto", "f5 d6 c4 d3 c3 f4", 57, 0, 0, 0},
        {"pass-at.txt", "auto", "f5 d6 c4 d3 c3 f4", 57, 0, 0, 0},
        {"logistello.txt", "auto", "f5 d6 c3 d3 c4", 5, 0, 0, 0},
        {"result-0-0.pgn", "auto", "d3 c5 f6 f5", 4, 0, 0, 1},
        {"drop-notation.txt", "auto", "e6 f4 e3 d2 c3", 35, 1, 0, 0},
        {"mirrored-start.txt", "auto", "e6 f4 e3 d2 c3", 35, 1, 0, 0},
        {"inside-prose.txt", "prose", "f5 d6 c3 d3 c4 f4", 59, 0, 1, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const ImportResult result = import_fixture(rows[i].file, rows[i].format);
        const ImportCounts *counts = &result.counts;
        if (counts->read != 1 || counts->games != 1 || counts->rejected != 0 ||
            result.plies != (uint64_t)rows[i].plies || counts->turned != rows[i].turned ||
            counts->found != rows[i].found || counts->unknown_results != rows[i].unknown ||
            strncmp(imported_game(0), rows[i].moves, strlen(rows[i].moves)) != 0) {
            fail_msg("%s: read %llu, kept %llu, %llu plies, turned %llu, found %llu, unknown %llu, "
                     "%s",
                     rows[i].file, (unsigned long long)counts->read,
                     (unsigned long long)counts->games, (unsigned long long)result.plies,
                     (unsigned long long)counts->turned, (unsigned long long)counts->found,
                     (unsigned long long)counts->unknown_results, imported_game(0));
        }
    }
}

static void the_same_game_has_the_same_hash(void **state)
{
    const ImportResult dashes = import_fixture("pass-dashes.txt", "auto");
    assert_string_equal(import_fixture("pass-ps.txt", "auto").content_hash, dashes.content_hash);
    assert_string_equal(import_fixture("pass-at.txt", "auto").content_hash, dashes.content_hash);
    const ImportResult drops = import_fixture("drop-notation.txt", "auto");
    assert_string_equal(import_fixture("mirrored-start.txt", "auto").content_hash,
                        drops.content_hash);
    assert_string_not_equal(drops.content_hash, dashes.content_hash); /* they can differ */
    assert_int_equal(import_fixture("result-0-0.pgn", "auto").counts.score_mismatches, 0);
}

/* NBoard's game stands at 25-13 with white to move. */
static void a_ggf_game_ends_where_its_board_says(void **state)
{
    uint8_t moves[GAME_MAX_MOVES];
    Board after[GAME_MAX_MOVES];
    Corpus *corpus = NULL;
    import_fixture("nboard.ggf", "auto");
    assert_int_equal(corpus_open(&corpus, at("imported"), false), 0);
    assert_int_equal(corpus_read(corpus, moves, 0, 1), 0);
    corpus_close(corpus);
    assert_int_equal(game_replay(game_variant(8), moves, 34, after), 34);
    assert_int_equal(__builtin_popcountll(board_discs(&after[33], BLACK)), 25);
    assert_int_equal(__builtin_popcountll(board_discs(&after[33], WHITE)), 13);
    assert_int_equal(after[33].to_move, WHITE);
}

#define START "---------------------------O*------*O---------------------------"
#define TURNED_START "---------------------------*O------O*---------------------------"
#define RANDOM_START "--------------------------OO*------*O---------------------------"
#define GGF(properties) "(;GM[Othello]PC[GGS/os]PB[a]PW[b]" properties ";)\n"

/* GGF as servers and programs write it. */
static void ggf_of_every_kind_is_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t games, unknown, mismatches, turned;
    } rows[] = {
        {GGF("RE[-2]TY[8]BO[8 " START " *]B[F5]W[F6]"), 1, 0, 1, 0},
        {GGF("RE[+0.00:r]TY[8]BO[8 " START " *]B[F5]W[f6/-1.00/2.5]"), 1, 0, 0, 0},
        {GGF("RE[0]TY[8]BO[8 -------- -------- -------- ---O*--- ---*O--- -------- -------- "
             "-------- *]B[F5]W[F6]"),
         1, 0, 0, 0},
        {GGF("RE[0]B[F5]W[F6]"), 1, 0, 0, 0}, /* without a board */
        {GGF("RE[2.5]TY[8k]KM[-2.50]B[F5]W[F6]"), 1, 1, 0, 0},
        {GGF("RE[4]TY[8k]KM[4]KB[-1/2]B[F5]W[F6]"), 1, 1, 0, 0},
        {GGF("BO[8 " TURNED_START " *]B[F4]W[F3]"), 1, 1, 0, 1},
        {"2 " GGF("RE[0]B[F5]W[F6]") GGF("RE[0]B[D3]W[C3]"), 2, 0, 0, 0}, /* synchronised */
        {"\xef\xbb\xbf(;\nGM[othello]PC[Edax]PB[\xe1]\nRE[?]\nB[f5]\nW[d6]\n)\n", 1, 1, 0, 0},
        {"(;GM[Reversi]B[F5]W[D6];)(;GM[Othello]B[F5]W[D6];)", 2, 2, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const ImportResult result = import_text(rows[i].text);
        if (result.counts.games != rows[i].games ||
            result.counts.unknown_results != rows[i].unknown ||
            result.counts.score_mismatches != rows[i].mismatches ||
            result.counts.turned != rows[i].turned || result.counts.rejected != 0) {
            fail_msg("%s: kept %llu, unknown %llu, mismatches %llu, turned %llu; %s", rows[i].text,
                     (unsigned long long)result.counts.games,
                     (unsigned long long)result.counts.unknown_results,
                     (unsigned long long)result.counts.score_mismatches,
                     (unsigned long long)result.counts.turned, rejected.reason);
        }
    }
}

static void bad_ggf_games_are_refused_with_line_and_ply(void **state)
{
#define GGF_AROUND(text) GGF("B[F5]W[D6]") text GGF("B[D3]W[C5]")
    static const BadGame rows[] = {
        {"other start", GGF_AROUND(GGF("TY[8r5]BO[8 " RANDOM_START " *]B[F5]")), 0, 2, 1,
         "another one with 5 discs (TY[8r5])"},
        {"white begins", GGF_AROUND(GGF("BO[8 " START " O]W[F4]")), 0, 2, 1, "found another one"},
        {"10x10", GGF_AROUND(GGF("TY[10]BO[10 -- *]B[F5]")), 0, 2, 1, "found 10x10"},
        {"6x6", GGF_AROUND(GGF("TY[6]BO[6 -- *]B[F5]")), 0, 2, 1, "give --size"},
        {"damaged board", GGF_AROUND(GGF("BO[8 --O *]B[F5]")), 0, 2, 1, "a damaged board (BO)"},
        {"anti", GGF_AROUND(GGF("TY[8a]B[F5]")), 0, 2, 1, "the fewer discs win (TY[8a])"},
        {"other game", GGF_AROUND("(;GM[Amazons]B[F5];)\n"), 0, 2, 1, "found one of 'Amazons'"},
        {"illegal", GGF_AROUND(GGF("B[F5]\nW[A1]")), 0, 3, 2, "found a1, which turns nothing"},
        {"no square", GGF_AROUND(GGF("B[F5]W[Z9//1]")), 0, 2, 2, "found 'Z9' at byte 86"},
        {"two moves", GGF_AROUND(GGF("B[F5D6]")), 0, 2, 3, "one move in B[...], found 2"},
        {"no move", GGF_AROUND(GGF("B[]")), 0, 2, 1, "one move in B[...], found 0"},
        {"colour", GGF_AROUND(GGF("B[F5]B[D6]")), 0, 2, 2,
         "expected a move of white, who is to move, found d6 of black"},
        {"pass", GGF_AROUND(GGF("B[F5]W[pass]")), 0, 2, 2, "found a pass"},
        {"no end", GGF_AROUND("(;GM[Othello]B[F5]\n"), 0, 3, 2, "found the next game"},
        {"open value", GGF_AROUND("(;GM[Othello]B[F5]PB[\n"), 0, 3, 2,
         "expected ] at the end of a value, found the next game"},
        {"no beginning", GGF_AROUND("GM[Othello]B[F5];)\n"), 0, 2, 1, "expected (; at the begin"},
        {"stray byte", GGF_AROUND("(;GM[Othello]x[F5];)\n"), 0, 2, 1, "found 'x' at byte"},
        {"cut off", GGF("B[F5]W[D6]") GGF("B[F5]W[D6]") "(;GM[Othello]B[F5", 0, 3, 1,
         "found the end of the file"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_bad(&rows[i], import_options(8), 2);
    }
}

/* Signs are colours: they show passes, and a wrong one is a lost or a strange move. */
static void logistello_lists_are_read(void **state)
{
    const ImportResult result =
        import_text("# a book\n+e6-f4+e3-f6+g5-d6+e7-f5+c5: +13 0\r\n\n+f5 -d6 : +00 0\n+f5-d6\n");
    assert_int_equal(result.counts.read, 3);
    assert_int_equal(result.counts.games, 3);
    assert_int_equal(result.counts.score_mismatches, 0); /* 13-0; three discs each */
    assert_int_equal(result.counts.unknown_results, 1);
    assert_int_equal(import_text("+e6-f4+e3-f6+g5-d6+e7-f5+c5: -13 0\n").counts.score_mismatches,
                     1);
    static const BadGame rows[] = {
        {"sign", "+f5-d6\n+f5+d6: +00 0\n+d3-c3\n", 0, 2, 2, "expected a move of white"},
        {"square", "+f5-d6\n+f5-i9\n+d3-c3\n", 0, 2, 2, "found '-i9' at byte 10"},
        {"word", "+f5-d6\n+f5 what\n+d3-c3\n", 0, 2, 2, "found 'wha' at byte 11"},
        {"illegal", "+f5-d6\n+f5-a1: +00 0\n+d3-c3\n", 0, 2, 2, "found a1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_bad(&rows[i], import_options(8), 2);
    }
}

static void tables_are_read_by_their_column(void **state)
{
    static const struct {
        const char *text, *column;
        uint64_t games, no_moves;
    } rows[] = {
        {"id,moves\n1,f5d6\n2,f5 f6\n", NULL, 2, 0},
        {"moves\nf5d6\nf5f6\n", NULL, 2, 0},
        {"\xef\xbb\xbfMoves;id\r\n\"f5;d6\";1\r\n", NULL, 1, 0},
        {"id,winner,game_moves\n7,\"a, b\",\"f5,d6\"\n8,\"say \"\"x\"\"\",f5-f6\n9,,\n",
         "game_moves", 2, 1},
        {"eOthello_game_id,winner,game_moves\n1,-1,f5d6\n", NULL, 1, 0},
        {"a\tb\n\xe1\tf5 d6\n", "b", 1, 0},
        {"#,moves\n1,f5 d6\n", NULL, 1, 0},
        {"# my best moves\nf5,d6\n# again\nf5 f6\n", NULL, 2, 0}, /* plain text */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ImportOptions options = import_options(8);
        ImportResult result;
        options.read.column = rows[i].column;
        put_text("games", rows[i].text);
        if (import_into(&result, "games", &options) != 0 || result.refused) {
            fail_msg("%s: %s %s", rows[i].text, err_message(), rejected.reason);
        }
        assert_int_equal(result.counts.games, rows[i].games);
        assert_int_equal(result.counts.no_moves, rows[i].no_moves);
        assert_string_equal(imported_game(0), "f5 d6");
    }
    static const BadGame bad[] = {
        {"open quote", "id,moves\n1,f5\n\"2,f5 d6\n3,d3\n", 0, 3, 1, "expected a quote"},
        {"fields", "id,moves\n1,f5\n2,f5,d6\n3,d3\n", 0, 3, 2, "expected 2 fields, as in line 1"},
        {"illegal", "id,moves\n1,f5\n2,a1\n3,d3\n", 0, 3, 1, "found a1"},
        {"word", "id,moves\n1,f5\n2,f5 zz\n3,d3\n", 0, 3, 2, "found 'zz' at byte 19"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_bad(&bad[i], import_options(8), 2);
    }
    ImportOptions options = import_options(8);
    ImportResult result;
    options.read.format = "csv";
    options.read.column = "play";
    put_text("games", "id,moves\n1,f5\n");
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT,
                   "expected a column 'play', found id, moves");
    options.read.format = "auto";
    assert_refused(import_into(&result, "games", &options), OGPT_EUSAGE, "leave out --column");
}

/* Drop notation, where a square twice is a pass; elsewhere it is not. */
static void drops_are_read(void **state)
{
    const ImportResult result = import_text("# by hand\nP@f4 P@f3\n@f4 p@d3\n");
    assert_int_equal(result.counts.games, 2);
    assert_int_equal(result.counts.turned, 2);
    assert_string_equal(imported_game(0), "f5 f6");
    assert_string_equal(imported_game(1), "f5 d6");
    static const BadGame rows[] = {
        {"pass", "P@f4\nP@f4 f4f4 P@d3\nP@f4\n", 0, 2, 2, "found a pass"},
        {"zeros", "P@f4\nP@f4 0000 P@d3\nP@f4\n", 0, 2, 2, "found a pass"},
        {"occupied", "P@f4\nP@f4 P@f4\nP@f4\n", 0, 2, 2, "found f4, which is occupied"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_bad(&rows[i], import_options(8), 2);
    }
    const BadGame twice = {"no drops", "f5\nf5 d6 f5f5\nd3\n", 0, 2, 3, "f5, which is occupied"};
    assert_bad(&twice, import_options(8), 2);
}

/* Games of the mirrored start are told by their first move; the reason is in the file's names. */
static void mirrored_games_are_turned_and_counted(void **state)
{
    const ImportResult result = import_text("e3 f5\nf4 f3\nd6 c4\nc5 c6\nf5 f6\n");
    static const char *const games[] = {"e6 f4", "f5 f6", "d3 c5", "c4 c3", "f5 f6"};
    assert_int_equal(result.counts.turned, 4);
    assert_int_equal(result.counts.duplicates, 1);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(imported_game(i), games[i]);
    }
    static const BadGame rows[] = {
        {"later", "f5\ne3 f5 e3\nd3\n", 0, 2, 3, "found e3, which is occupied"},
        {"neither", "f5\na1 f5\nd3\n", 0, 2, 1, "expected a legal move of black, found a1"},
        {"unreadable", "f5\ne3 zz\nd3\n", 0, 2, 2, "found 'zz'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_bad(&rows[i], import_options(8), 2);
    }
}

/* Random games of a smaller board, named as they are, as the middle of 8x8, from the mirrored
 * start, and both: one game each time. */
static void smaller_boards_are_renamed(void **state)
{
    for (int size = 4; size <= 6; size += 2) {
        const GameVariant *variant = game_variant(size);
        ImportOptions options = import_options(size);
        ImportResult result;
        char hash[HASH_HEX_SIZE] = "";
        options.check.variant = variant;
        for (int way = READ_PLAIN; way < READ_WAYS; way++) {
            FILE *file = fopen(at("games"), "w");
            assert_non_null(file);
            for (uint64_t i = 0; i < 50; i++) {
                uint8_t moves[GAME_MAX_MOVES];
                const int n = play_random(moves, variant, 5, RNG_GENERATE, i);
                for (int t = 0; t < n; t++) {
                    int sq = 0;
                    char name[3];
                    while (raw_game_sq(variant, way, sq) != moves[t]) {
                        sq++;
                    }
                    square_print(name, sq);
                    fprintf(file, "%s ", name);
                }
                fputs("\n", file);
            }
            assert_int_equal(fclose(file), 0);
            assert_int_equal(import_into(&result, "games", &options), 0);
            if (result.refused) {
                fail_msg("size %d, way %d: %s", size, way, rejected.reason);
            }
            assert_int_equal(result.counts.renamed, way & READ_RENAMED ? 50 : 0);
            assert_int_equal(result.counts.turned, way & READ_TURNED ? 50 : 0);
            if (way == READ_PLAIN) {
                memcpy(hash, result.content_hash, sizeof(hash));
            }
            assert_string_equal(result.content_hash, hash);
        }
    }
    const BadGame off = {"off the board",
                         "c2\nc2 g7\nd5\n",
                         0,
                         2,
                         2,
                         "expected a square a1 to f6 or a pass, found g7"};
    assert_bad(&off, import_options(6), 2);
}

/* Index 64 of an array of squares is a pass, which must be forced. The mirrored start and, on 6x6,
 * other letters are recognised in arrays too. */
static void arrays_may_hold_passes_and_other_names(void **state)
{
    static const uint64_t shape[] = {1, 64};
    ImportOptions options = import_options(8);
    ImportResult result;
    const ImportResult named = import_fixture("pass-dashes.txt", "auto");
    void *line = NULL;
    size_t n_bytes = 0;
    assert_int_equal(file_read_all(&line, &n_bytes, fixture("pass-dashes.txt"), 1000), 0);
    for (int way = 0; way < 3; way++) { /* as it is; turned; with a pass that is not forced */
        uint8_t row[64];
        NpyWriter *writer = NULL;
        int n = 0;
        memset(row, SQ_NONE, sizeof(row));
        for (const char *at = line; *at > ' ' && n < 64; at += 2) {
            const int sq = *at == '-' ? 64 : square_parse(game_variant(8), at);
            row[n++] = (uint8_t)(way == 1 && sq < 64 ? sq ^ 56 : sq);
        }
        row[1] = way == 2 ? 64 : row[1];
        remove(at("array"));
        assert_int_equal(npy_writer_new(&writer, at("array"), "u1", 2, shape), 0);
        assert_int_equal(npy_writer_add(writer, row, 64), 0);
        assert_int_equal(npy_writer_finish(writer), 0);
        options.read.npy = way == 2 ? NPY_SQUARES : NPY_AUTO;
        assert_int_equal(import_into(&result, "array", &options), 0);
        assert_int_equal(result.counts.turned, way == 1);
        if (way == 2) {
            assert_true(result.refused);
            assert_non_null(strstr(rejected.reason, "found a pass"));
        } else {
            assert_string_equal(result.content_hash, named.content_hash);
        }
    }
    mem_free(line);
}

/* A line too long to be kept is a game that is not read, and said to be one. */
static void lines_without_end_are_one_error(void **state)
{
    static const char *const formats[] = {"logistello", "prose"};
    const size_t n = 200000;
    char *text = malloc(n + 64);
    assert_non_null(text);
    for (size_t i = 0; i < 2; i++) {
        ImportOptions options = import_options(8);
        const char *game = i == 0 ? "+f5-d6+c3-d3" : "f5 d6 c3 d3";
        const int head = snprintf(text, 64, "%s\n%s", game, game);
        memset(text + head, ' ', n);
        snprintf(text + n, 64, "\n%s\n", game);
        options.read.format = formats[i];
        put("games", text, strlen(text));
        options.skip_bad = true;
        ImportResult result;
        assert_int_equal(import_into(&result, "games", &options), 0);
        assert_int_equal(result.counts.rejected, 1);
        assert_int_equal(result.counts.games, 2);
        assert_int_equal(rejected.place, 2);
        assert_non_null(strstr(rejected.reason, "expected a line of at most 65536 bytes"));
    }
    free(text);
}

/* Prose without a game is refused; a game per line is found, whatever stands around it. */
static void games_are_found_in_prose(void **state)
{
    ImportOptions options = import_options(8);
    ImportResult result;
    options.read.format = "prose";
    put_text("games", "Dear a1b2c3d4e5x, see f5 and d6.\nGame: 1. f5 d6 2. c3 d3 -- all I have\n"
                      "(f5,d6,c3,d3,c4), at 19:45 -- Ann\xe9\n> F5D6C3D3\n");
    assert_int_equal(import_into(&result, "games", &options), 0);
    assert_false(result.refused);
    assert_int_equal(result.counts.found, 3);
    assert_int_equal(result.counts.games, 3);
    assert_string_equal(imported_game(0), "f5 d6 c3 d3");
    assert_string_equal(imported_game(1), "f5 d6 c3 d3 c4");
    assert_string_equal(imported_game(2), "f5 d6 c3 d3");
    put_text("games", "Nothing here, f5 d6.\n");
    assert_refused(import_into(&result, "games", &options), OGPT_EFORMAT, "found none");
    put_text("games", "see f5 d6 c3 a1\nand f5 d6 c3 d3\n");
    assert_int_equal(import_into(&result, "games", &options), 0);
    assert_int_equal(result.counts.rejected, 1);
    assert_int_equal(rejected.place, 1);
}

/* Each name that --format offers is a row of the table. */
static void every_offered_format_exists(void **state)
{
    char names[] = GAME_FORMATS;
    int n = 0;
    put_text("games", "f5 d6\n");
    for (char *name = strtok(names, "|"); name; name = strtok(NULL, "|"), n++) {
        GameReader *reader = NULL;
        ReadOptions options = read_options(name);
        const int rc = game_reader_open(&reader, path_of("games"), &options);
        if (rc == 0) {
            assert_string_equal(game_reader_format(reader), name);
        } else {
            assert_int_equal(rc, OGPT_EFORMAT);
        }
        game_reader_close(reader);
    }
    assert_int_equal(n, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_input_has_its_right_reading),
        cmocka_unit_test(the_same_game_has_the_same_hash),
        cmocka_unit_test(a_ggf_game_ends_where_its_board_says),
        cmocka_unit_test(ggf_of_every_kind_is_read),
        cmocka_unit_test(bad_ggf_games_are_refused_with_line_and_ply),
        cmocka_unit_test(logistello_lists_are_read),
        cmocka_unit_test(tables_are_read_by_their_column),
        cmocka_unit_test(drops_are_read),
        cmocka_unit_test(mirrored_games_are_turned_and_counted),
        cmocka_unit_test(smaller_boards_are_renamed),
        cmocka_unit_test(arrays_may_hold_passes_and_other_names),
        cmocka_unit_test(lines_without_end_are_one_error),
        cmocka_unit_test(games_are_found_in_prose),
        cmocka_unit_test(every_offered_format_exists),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
