/* tests/datasets/readers/test_game_reader.c (links: datasets) - readers on damaged files of every
 * format: nothing crashes, nothing but sound games comes out, and how many games are asked for at a
 * time changes nothing. */
#include "tests/datasets/import_test.h"

#include "base/rng.h"

#define MOST 64 /* games of one small file, damaged or not */

static const char pgn_file[] =
    "\xef\xbb\xbf[Event \"Pr\xc3\xa9\"]\n[Result \"13-0\"]\n% no\n1. E6 f4 (1. f5 {x} d6) 2. e3! "
    "f6 "
    "$1\n3. g5 d6 ; line\n4. e7 f5 5. c5 13-0\n\n[Event \"2\"]\n[Result \"*\"]\n1. f5 d6\n3. c3 *\n"
    "1. d3c5 -- pa 30-34\n[Event \"3\"]\n[Event \"4\"]\n1/2-1/2\n";
static const char text_file[] =
    "# comment\nf5 d6 c3\nF5D6C3D3\r\n\nd3,c5-f6 # \xe2\x82\xac\ne6f4 --\n";
static const char ggf_file[] =
    "2 (;GM[Othello]RE[0]TY[8]B[F5//1.0]W[D6];)(;GM[Othello]PB[J\xe1n]B[D3];)\n"
    "(;GM[Othello]BO[8 ---------------------------*O------O*--------------------------- *]\n"
    "B[E3]W[F5]B[PA];)\n";
static const char logistello_file[] = "# book\n+f5-d6+c3: +00 0\n+d3-c5\n+a1\n";
static const char csv_file[] = "id,moves\r\n1,\"f5,d6\"\r\n2,f5d6\r\n\"x, y\",d3\n3,\n";
static const char drops_file[] = "P@e3 P@f5 0000\n# no\nP@f4 f4f4\n@d6 p@c4\n";
#define N_TEXT_FILES 6 /* of the table below: damage to them is a matter of one game */
static const uint8_t wthor_file[16 + 2 * 68] = {
    [0] = 20, [1] = 5, [4] = 2, [22] = 7, [24] = 65, [25] = 66, [26] = 67, [92] = 56, [93] = 64};
/* (2, 3) bytes: f5 d6 none, d3 c5 none. */
static uint8_t npy_file[80 + 6];

static void npy_fill(void)
{
    static const char dictionary[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }";
    static const uint8_t rows[6] = {37, 43, 255, 19, 34, 255};
    memset(npy_file, ' ', sizeof(npy_file));
    memcpy(npy_file, "\x93NUMPY\1\0\x46\0", 10);
    memcpy(npy_file + 10, dictionary, sizeof(dictionary) - 1);
    npy_file[79] = '\n';
    memcpy(npy_file + 80, rows, sizeof(rows));
}

/* Read the file "games" with `room` places at a time; the number of games, or an OGPT_E*. */
static int read_all(RawGame *games, size_t room, const char *format)
{
    GameReader *reader = NULL;
    size_t total = 0;
    size_t n = 0;
    const ReadOptions options = read_options(format);
    int rc = game_reader_open(&reader, path_of("games"), &options);
    while (rc == 0) {
        assert_true(total + room <= 2 * MOST);
        rc = game_reader_next(reader, games + total, room, &n);
        total += n;
        if (n == 0) {
            break;
        }
    }
    game_reader_close(reader);
    return rc ? rc : (int)total;
}

static void same_games(const RawGame *a, const RawGame *b, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(a[i].place, b[i].place);
        assert_int_equal(a[i].n, b[i].n);
        assert_int_equal(a[i].result, b[i].result);
        assert_memory_equal(a[i].entry, b[i].entry, (size_t)a[i].n);
        assert_string_equal(a[i].fault, b[i].fault);
    }
}

/* An accepted game is legal; a refused one has a printable reason. */
static void assert_sound(RawGame *games, int n)
{
    const CheckOptions options = {.variant = game_variant(8), .first_move = 37};
    for (int i = 0; i < n; i++) {
        CheckedGame checked;
        Board after[GAME_MAX_MOVES];
        assert_in_range(games[i].n, 0, RAW_ENTRIES);
        game_check(&checked, &games[i], &options);
        const int length = game_length(checked.moves, 60);
        if (checked.verdict == CHECK_LEGAL) {
            assert_int_equal(game_replay(options.variant, checked.moves, length, after), length);
            assert_int_equal(checked.moves[0], 37);
        } else if (checked.verdict == CHECK_REJECTED) {
            assert_in_range(games[i].fault_ply, 1, 61);
            assert_true(games[i].fault[0] != '\0');
            for (const char *c = games[i].fault; *c != '\0'; c++) {
                assert_in_range((unsigned char)*c, 0x20, 0x7e);
            }
        }
    }
}

/* Set, remove, double or cut off bytes, by (seed, index). */
static size_t damage(uint8_t *out, const void *sound, size_t n, uint64_t index)
{
    Rng rng = rng_at(1, RNG_TEST, index);
    memcpy(out, sound, n);
    for (uint32_t changes = 1 + rng_below(&rng, 4); changes > 0 && n > 1; changes--) {
        const size_t place = rng_below(&rng, (uint32_t)n);
        switch (rng_below(&rng, 6)) {
        case 0: n = place > 0 ? place : 1; break;
        case 1:
            memmove(out + place, out + place + 1, n - place - 1);
            n--;
            break;
        case 2:
            memmove(out + place + 1, out + place, n - place);
            n++;
            break;
        case 3: out[place] = (uint8_t) "[](){}\"\\;%*-\n\0 9"[rng_below(&rng, 16)]; break;
        default: out[place] = (uint8_t)rng_below(&rng, 256); break;
        }
    }
    return n;
}

static void damaged_files_give_sound_games_or_reasons(void **state)
{
    const struct {
        const char *format;
        const void *bytes;
        size_t n;
        int n_games;
    } files[] = {{"pgn", pgn_file, sizeof(pgn_file) - 1, 5},
                 {"text", text_file, sizeof(text_file) - 1, 4},
                 {"ggf", ggf_file, sizeof(ggf_file) - 1, 3},
                 {"logistello", logistello_file, sizeof(logistello_file) - 1, 3},
                 {"csv", csv_file, sizeof(csv_file) - 1, 4},
                 {"drops", drops_file, sizeof(drops_file) - 1, 3},
                 {"wthor", wthor_file, sizeof(wthor_file), 2},
                 {"npy", npy_file, sizeof(npy_file), 2}};
    static RawGame games[2 * MOST], again[2 * MOST];
    const uint64_t n_rounds = is_sanitized() ? 1000 : 4000;
    npy_fill();
    for (size_t f = 0; f < sizeof(files) / sizeof(*files); f++) {
        uint64_t n_read = 0;
        uint64_t n_refused = 0;
        put("games", files[f].bytes, files[f].n);
        assert_int_equal(read_all(games, MOST, "auto"), files[f].n_games);
        assert_int_equal(read_all(again, 2, "auto"), files[f].n_games);
        same_games(games, again, files[f].n_games);
        assert_sound(games, files[f].n_games);
        for (uint64_t i = 0; i < n_rounds; i++) {
            uint8_t bytes[1024];
            const size_t n = damage(bytes, files[f].bytes, files[f].n, i);
            put("games", bytes, n);
            const char *format = i % 2 == 0 ? "auto" : files[f].format;
            const int found = read_all(games, MOST, format);
            n_refused += found < 0;
            n_read += found >= 0;
            assert_int_equal(read_all(again, 2 + (size_t)i % 3, format), found);
            if (found > 0) {
                same_games(games, again, found);
                assert_sound(games, found);
            }
            assert_true(found >= 0 || found == OGPT_EFORMAT);
        }
        assert_true(n_read > 0);
        if (f >= N_TEXT_FILES) {
            assert_true(n_refused > 0); /* the damage reaches the header or the size of the file */
        }
    }
}

static void unknown_formats_are_refused(void **state)
{
    GameReader *reader = NULL;
    const ReadOptions options = read_options("sgf");
    put_text("games", "f5 d6\n");
    assert_refused(game_reader_open(&reader, path_of("games"), &options), OGPT_EUSAGE,
                   "no format of games is called 'sgf'");
    assert_null(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_give_sound_games_or_reasons),
        cmocka_unit_test(unknown_formats_are_refused),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
