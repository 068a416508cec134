/* tests/datasets/test_import_pgn.c - PGN of every kind in use, results and how they are
 * counted, passes, and what is refused. */
#include "tests/datasets/import_test.h"

#include "game/play.h"

#define FIVE "f5 d6 c3 d3 c4"
/* The shortest game there is: black 13, white 0, 51 squares empty. */
#define SHORTEST "1. e6 f4 2. e3 f6 3. g5 d6 4. e7 f5 5. c5"

static void every_kind_is_read(void **state)
{
    static const char *const texts[] = {
        "[Event \"x\"]\n[Result \"*\"]\n1. f5 d6\n2. c3 d3\n3. c4\n*\n",
        "1. F5 D6\n3. C3 D3\n5. C4",
        "[Black \"J. \\\"]\\\" Doe\"]\r\n[Result \"*\"]\r\n\r\n1.f5 d6 2.c3 d3 3.c4 *\r\n",
        "[A \"\"]\nf5d6c3d3c4\n",
        ("\xef\xbb\xbf[A \"Pr\xc3\xa9qualificatif \x1b[31m\"]\n1. f5 1... d6 2. c3! d3?! 3. c4 "
         "$13\n"),
        "% not ours\n1. f5 {comment ( [ \" ; of {this kind} d6\n2. c3 ; d3 until here\nd3 3. c4",
        "[White \"Aa\n Bb\"]\n[Result \"*\"]\n" FIVE,  /* a tag broken by a line end */
        "[White \"Aa\"\n[Black \"Bb\n[C \"\"]\n" FIVE, /* ends of tags lost, but no moves */
        "[White \"Aa\n\n1. f5 d6 2. c3 d3 3. c4\n",
        "[Black \"XM-\xe1x\"]\n1. f5 {\xff} d6 2. c3 d3 3. c4", /* Latin-1 */
        "{x} * { never closed\n[A \"\"]\n" FIVE,
        "1. f5 (1. d3 c3 (1... c5 {a )} 2. xx) 2. ..) d6 (((a) b) c) 2. c3 d3 3. c4 {}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const ImportResult result = import_text(texts[i]);
        if (result.counts.games != 1 || strcmp(imported_game(0), FIVE) != 0) {
            fail_msg("%s\nexpected %s, found %llu games, %s %s", texts[i], FIVE,
                     (unsigned long long)result.counts.games, imported_game(0), rejected.reason);
        }
        assert_int_equal(result.counts.unfinished, 1);
        assert_int_equal(result.counts.unknown_results, 1);
    }
}

static void games_are_told_apart(void **state)
{
    /* By tags, by terminations, and both; tags without moves are no game. */
    const ImportResult result = import_text("[Event \"1\"]\n[Result \"*\"]\n\n1. f5 d6\n"
                                            "[Event \"2\"]\n[Result \"*\"]\n1. f5 f6 *\n"
                                            "1. d3 c5 30-34 1. d3 c3 1/2-1/2\n"
                                            "[Event \"3\"]\n[Round \"1\"]\n\n"
                                            "[Event \"4\"]\n[Round \"2\"]\n\n*\n\n"
                                            "[Event \"5\"]\n1. e6 f4\n");
    assert_int_equal(result.counts.read, 7);
    assert_int_equal(result.counts.no_moves, 2);
    assert_int_equal(result.counts.games, 5);
    static const char *const games[] = {"f5 d6", "f5 f6", "d3 c5", "d3 c3", "e6 f4"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(imported_game(i), games[i]);
    }
}

/* Each result of the same finished game, 13-0 on the board and 64-0 for tournaments. */
static void results_are_held_against_both_counts(void **state)
{
    static const struct {
        const char *result;
        bool mismatch, unknown;
    } rows[] = {
        {"13-0", false, false},    {"64-0", false, false}, {"12-0", true, false},
        {"0-13", true, false},     {"64-1", true, false},  {"32-32", true, false},
        {"1-0", false, false},     {"0-1", true, false},   {"1/2-1/2", true, false},
        {"1/2", true, false},      {"*", false, true},     {"?", false, true},
        {"", false, true},         {"65-0", false, true},  {"13-0 ", false, true},
        {"thirteen", false, true}, {"13:0", false, true},  {"0-0", false, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[256];
        snprintf(text, sizeof(text), "[Result \"%s\"]\n%s\n", rows[i].result, SHORTEST);
        const ImportResult result = import_text(text);
        if (result.counts.games != 1 || result.counts.unfinished != 0 ||
            result.counts.score_mismatches != rows[i].mismatch ||
            result.counts.unknown_results != rows[i].unknown) {
            fail_msg("result \"%s\": mismatches %llu, unknown %llu", rows[i].result,
                     (unsigned long long)result.counts.score_mismatches,
                     (unsigned long long)result.counts.unknown_results);
        }
    }
    /* The termination counts where the tag says nothing, and only there. */
    assert_int_equal(import_text(SHORTEST " 64-0").counts.unknown_results, 0);
    assert_int_equal(import_text(SHORTEST " 12-0").counts.score_mismatches, 1);
    assert_int_equal(import_text("[Result \"*\"]\n" SHORTEST " 12-0").counts.score_mismatches, 1);
    assert_int_equal(import_text("[Result \"13-0\"]\n" SHORTEST " 9-9").counts.score_mismatches, 0);
    /* An adjudicated game counts as unfinished and as a mismatch: f5 gives 4-1, or 63-1. */
    const ImportResult adjudicated = import_text("[Result \"40-24\"]\n1. f5\n");
    assert_int_equal(adjudicated.counts.unfinished, 1);
    assert_int_equal(adjudicated.counts.score_mismatches, 1);
    assert_int_equal(import_text("[Result \"63-1\"]\n1. f5\n").counts.score_mismatches, 0);
    /* After f5 d6 there are three discs each: a draw halves the empty squares. */
    assert_int_equal(import_text("[Result \"32-32\"]\n1. f5 d6\n").counts.score_mismatches, 0);
    assert_int_equal(import_text("[Result \"3-61\"]\n1. f5 d6\n").counts.score_mismatches, 1);
}

/* Bad games of kinds that only PGN has. */
static void bad_games_are_refused_with_line_and_ply(void **state)
{
#define BEFORE "[Event \"1\"]\n1. f5 d6\n"
#define AFTER "[Event \"3\"]\n1. d3 c5\n"
    static const BadGame rows[] = {
        {"illegal", BEFORE "[Event \"2\"]\n1. f5\n2. a1\n" AFTER, 0, 5, 2, "found a1"},
        {"after the end", BEFORE "[Event \"2\"]\n" SHORTEST "\n6. c4\n" AFTER, 0, 5, 10, "is over"},
        {"pass", BEFORE "[Event \"2\"]\n1. f5 pa\n" AFTER, 0, 4, 2, "found a pass"},
        {"pass in words", BEFORE "[Event \"2\"]\n1. Pass\n" AFTER, 0, 4, 1, "found a pass"},
        {"off the board", BEFORE "[Event \"2\"]\n1. f5 i9\n" AFTER, 0, 4, 2, "found 'i9'"},
        {"open quotes", BEFORE "[Event \"2]\n1. f5 d6\n" AFTER, 0, 3, 1, "] at the end of the tag"},
        {"open tag", BEFORE "[Event\n1. f5 d6\n" AFTER, 0, 3, 1, "] at the end of the tag"},
        {"open quotes, many lines", BEFORE "[Event \"2]\n1. f5 d6\n2. c3\nd3\nc4\nb3\n" AFTER, 0, 3,
         1, "of the tag of line 3, found other lines"},
        {"open {", BEFORE "[Event \"2\"]\n1. f5 { d6\n" AFTER, 0, 4, 2,
         "expected } for the { of line 4, found the tags of the next game"},
        {"open { before the moves", BEFORE "[Event \"2\"]\n{ 1. f5 d6\n\n" AFTER, 0, 4, 1,
         "expected } for the { of line 4"},
        {"open { in a variation", BEFORE "[Event \"2\"]\n1. f5 (d3 { d6\n\n" AFTER, 0, 4, 2,
         "found the tags of the next game"},
        {"stray )", BEFORE "[Event \"2\"]\n1. f5 ) d6\n" AFTER, 0, 4, 2, "found ) without its ("},
        {"open (", BEFORE "[Event \"2\"]\n1. f5 (d6\n" AFTER, 0, 5, 2, "for the ( of line 4"},
        {"NUL", BEFORE "[Event \"2\"]\n1. d3 c\0005\n" AFTER, 21 + 12 + 10 + 21, 4, 2,
         "found 'c\\x005' at byte 39"},
        {"Latin-1", BEFORE "[Event \"2\"]\n1. f5 d\xe9\n" AFTER, 0, 4, 2,
         "found 'd\\xe9' at byte 39"},
        {"escape", BEFORE "[Event \"2\"]\n1. f5 \x1b[2J\n" AFTER, 0, 4, 2, "'\\x1b[2'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_bad(&rows[i], import_options(8), 2);
    }
    static const BadGame last[] = {
        {"open { at the end", BEFORE AFTER "[Event \"2\"]\n1. f5 { d6\n\n1. d3 c5\n", 0, 9, 2,
         "end of the comment of line 6, found the end of the file"},
        {"open { after the last game", BEFORE AFTER "* { 1. d3 c5\n", 0, 6, 1,
         "end of the comment of line 5"},
        {"open ( at the end", BEFORE AFTER "[Event \"2\"]\n1. f5 ( d6", 0, 6, 2,
         "end of the variation of line 6"},
        {"open [ at the end", BEFORE AFTER "[Event", 0, 5, 1, "end of the tag of line 5"},
    };
    for (size_t i = 0; i < sizeof(last) / sizeof(*last); i++) {
        assert_bad(&last[i], import_options(8), 2);
    }
}

/* A million parentheses, or braces: one error each, no recursion, no memory. */
static void bombs_are_one_error(void **state)
{
    const size_t n = 1000000;
    static const char *const rows[][2] = {{"(", "at most 32 deep"}, {"{", "end of the comment"}};
    char *text = malloc(n + 64);
    assert_non_null(text);
    for (size_t i = 0; i < 2; i++) {
        const size_t head = (size_t)snprintf(text, 64, "[Event \"1\"]\n1. d3 c5\n*\n1. f5 d6 ");
        memset(text + head, rows[i][0][0], n);
        text[head + n] = '\0';
        const BadGame bomb = {"bomb", text, 0, 4, 3, rows[i][1]};
        assert_bad(&bomb, import_options(8), 1);
    }
    free(text);
}

static void append(char *text, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t room, const char *format, ...)
{
    const size_t n = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + n, room - n, format, arguments);
    va_end(arguments);
}

/* A game with a forced pass: it may be left out or written, once and in its place. */
static void forced_passes_may_be_written(void **state)
{
    const GameVariant *variant = game_variant(6);
    char with[256] = "", without[256] = "", misplaced[256] = "", twice[256] = "";
    uint8_t moves[GAME_MAX_MOVES];
    int at_pass = 0;
    for (uint64_t i = 0; at_pass == 0; i++) {
        const int n = play_random(moves, variant, 1, RNG_GENERATE, i);
        Board board = variant->start;
        PlayResult before = PLAY_ALTERNATES;
        for (int t = 0; t + 1 < n && at_pass == 0; t++) {
            const PlayResult now = board_play(variant, &board, moves[t]);
            /* Not two in a row: a pass one move late would be right. */
            at_pass = before == PLAY_OPPONENT_PASSES && now == PLAY_ALTERNATES ? t : 0;
            before = now;
        }
        if (at_pass > 0) {
            for (int t = 0; t < n; t++) {
                char name[3];
                square_print(name, moves[t]);
                const char *pass = t == at_pass ? "-- " : "";
                const char *late = t == at_pass + 1 ? "-- " : "";
                append(without, sizeof(without), "%s ", name);
                append(with, sizeof(with), "%s%s ", pass, name);
                append(twice, sizeof(twice), "%s%s%s ", pass, pass, name);
                append(misplaced, sizeof(misplaced), "%s%s ", late, name);
            }
        }
    }
    const ImportOptions options = import_options(6);
    ImportResult left_out, written;
    put_text("games", without);
    assert_int_equal(import_into(&left_out, "games", &options), 0);
    put_text("games", with);
    assert_int_equal(import_into(&written, "games", &options), 0);
    assert_int_equal(written.counts.games, 1);
    assert_int_equal(written.counts.unfinished, 0);
    assert_string_equal(written.content_hash, left_out.content_hash);
    const BadGame bad[] = {{"misplaced", misplaced, 0, 1, at_pass + 2, "found a pass"},
                           {"twice", twice, 0, 1, at_pass + 1, "found a pass"}};
    for (size_t i = 0; i < 2; i++) {
        ImportResult result;
        put_text("games", bad[i].text);
        assert_int_equal(import_into(&result, "games", &options), 0);
        assert_true(result.refused);
        assert_int_equal(rejected.ply, bad[i].ply);
        assert_non_null(strstr(rejected.reason, bad[i].reason));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read),
        cmocka_unit_test(games_are_told_apart),
        cmocka_unit_test(results_are_held_against_both_counts),
        cmocka_unit_test(bad_games_are_refused_with_line_and_ply),
        cmocka_unit_test(bombs_are_one_error),
        cmocka_unit_test(forced_passes_may_be_written),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
