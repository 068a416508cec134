/* tests/cli/test_seen_games.c - training games are made again and looked up; what a manifest does
 * not tell is not taken for "none". */
#include "base/base_test.h"

#include "base/js.h"
#include "base/process.h"
#include "cli/seen_games.h"
#include "model/lineage.h"

enum { SCORED = 40 };

static Js *parsed(const char *text)
{
    Js *value = NULL;
    assert_int_equal(js_parse(&value, text, strlen(text), "manifest"), 0);
    return value;
}

/* The first SCORED fresh games of (size, seed) are scored. */
static SeenGames look(const char *manifest_text, int size, uint64_t seed, RngPurpose purpose)
{
    SeenGames seen;
    GameSource *scored = NULL;
    Js *manifest = parsed(manifest_text);
    assert_int_equal(source_fresh(&scored, game_variant(size), seed, purpose), 0);
    assert_int_equal(seen_games(&seen, manifest, scored, SCORED, NULL, NULL, NULL), 0);
    assert_int_equal(seen.remade, seen_games_to_make(manifest, game_variant(size)));
    source_free(scored);
    js_free(manifest);
    return seen;
}

#define OWN "\"corpus_hash\": \"fresh:6:5\", \"games\": 100"
#define EARLIER(runs) "\"about\": {\"earlier\": [" runs "]}"
#define RUN(of, games) "{\"games_of\": \"" of "\", \"games\": " games "}"
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void games_of_its_own_run(void **state)
{
    SeenGames seen = look("{" OWN "}", 6, 5, RNG_FRESH);
    assert_null(seen.unknown);
    assert_int_equal(seen.seen, SCORED);
    assert_int_equal(seen.remade, 100);
    seen = look("{\"corpus_hash\": \"fresh:6:5\", \"games\": 7}", 6, 5, RNG_FRESH);
    assert_int_equal(seen.seen, 7);
    /* The twins: games of another purpose, and of another seed. */
    seen = look("{" OWN "}", 6, 5, RNG_GENERATE);
    assert_null(seen.unknown);
    assert_int_equal(seen.seen, 0);
    assert_int_equal(look("{" OWN "}", 6, 6, RNG_FRESH).seen, 0);
}

static void games_of_earlier_runs(void **state)
{
    const char *two = "{" OWN ", " EARLIER(RUN(HASH, "300") ", " RUN("fresh:6:8", "9000")) "}";
    assert_int_equal(look(two, 6, 5, RNG_FRESH).seen, SCORED);
    SeenGames seen = look(two, 6, 8, RNG_FRESH);
    assert_null(seen.unknown);
    assert_int_equal(seen.seen, SCORED);
    assert_int_equal(seen.remade, 9100);
    assert_int_equal(look(two, 6, 9, RNG_FRESH).seen, 0);
}

/* Of a corpus the test split was never trained on: nothing to be made, and none seen. */
static void games_of_a_corpus(void **state)
{
    SeenGames seen = look("{\"corpus_hash\": \"" HASH "\", \"games\": 64}", 6, 5, RNG_FRESH);
    assert_null(seen.unknown);
    assert_int_equal(seen.seen, 0);
    assert_int_equal(seen.remade, 0);
}

static void what_is_not_told_is_not_known(void **state)
{
    const char *silent[] = {
        "{}",
        "{\"corpus_hash\": \"fresh:6:5\"}",
        "{\"corpus_hash\": \"fresh:6:5\", \"games\": -1}",
        "{\"corpus_hash\": \"fresh:6:5x\", \"games\": 100}",
        "{\"corpus_hash\": \"fresh:8:5\", \"games\": 100}",
        "{\"corpus_hash\": \"my games\", \"games\": 100}",
        "{" OWN ", " EARLIER(RUN("", "0")) "}",
        "{" OWN ", " EARLIER("7") "}",
        "{" OWN ", \"about\": {\"options\": {\"init-from\": \"" HASH "\"}}}",
    };
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        SeenGames seen = look(silent[i], 6, 5, RNG_FRESH);
        assert_non_null(seen.unknown);
        assert_int_equal(seen.remade, 0);
    }
    /* An earlier program's run that started from nothing is known. */
    assert_null(look("{" OWN ", \"about\": {\"options\": {\"init-from\": \"\"}}}", 6, 5, RNG_FRESH)
                    .unknown);
    assert_non_null(
        look("{\"corpus_hash\": \"fresh:4:5\", \"games\": 100}", 4, 5, RNG_FRESH).unknown);
}

static void a_look_can_be_interrupted(void **state)
{
    SeenGames seen;
    GameSource *scored = NULL;
    Js *manifest = parsed("{\"corpus_hash\": \"fresh:6:5\", \"games\": 1000000000}");
    assert_int_equal(source_fresh(&scored, game_variant(6), 5, RNG_FRESH), 0);
    interrupt_set(SIGINT);
    assert_refused(seen_games(&seen, manifest, scored, SCORED, NULL, NULL, NULL), OGPT_EINTR,
                   "training games again");
    interrupt_set(0);
    source_free(scored);
    js_free(manifest);
}

/* What the next run stores: every run so far, in order; a copy stores all but its own. */
static void the_next_run_stores_all(void **state)
{
    Js *first = parsed("{" OWN "}");
    Js *runs = lineage_write(first), *none = lineage_earlier(first);
    assert_int_equal(js_length(runs), 1);
    assert_int_equal(js_length(none), 0);
    assert_string_equal(js_str_of(js_member(js_at(runs, 0), "games_of")), "fresh:6:5");

    Js *second = js_object(), *about = js_object();
    js_set(about, "earlier", js_keep(runs));
    js_set(second, "about", about);
    js_set_str(second, "corpus_hash", HASH);
    js_set_int(second, "games", 64);
    Js *both = lineage_write(second), *kept = lineage_earlier(second);
    assert_int_equal(lineage_length(second), 2);
    assert_int_equal(js_length(both), 2);
    assert_int_equal(js_length(kept), 1);
    assert_string_equal(lineage_at(second, 0).games_of, "fresh:6:5");
    assert_int_equal(lineage_at(second, 0).games, 100);
    assert_string_equal(js_str_of(js_member(js_at(both, 1), "games_of")), HASH);
    assert_int_equal(js_int_of(js_member(js_at(both, 1), "games")), 64);
    assert_null(lineage_at(NULL, 0).games_of);
    js_free(kept);
    js_free(both);
    js_free(second);
    js_free(none);
    js_free(runs);
    js_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(games_of_its_own_run),
        cmocka_unit_test(games_of_earlier_runs),
        cmocka_unit_test(games_of_a_corpus),
        cmocka_unit_test(what_is_not_told_is_not_known),
        cmocka_unit_test(a_look_can_be_interrupted),
        cmocka_unit_test(the_next_run_stores_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
