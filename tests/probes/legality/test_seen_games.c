/* tests/probes/legality/test_seen_games.c - scored games are found among the training games, by a
 * fast and by a plain search; what a manifest does not say is unknown, not "none". */
#include "tests/base/base_test.h"

#include "base/arena.h"
#include "base/js.h"
#include "base/process.h"
#include "game/play.h"
#include "model/lineage.h"
#include "probes/legality/seen_games.h"
#include "tests/probes/tick_log.h"

enum { SCORED = 40 };

static Js *parsed(const char *text)
{
    Js *value = NULL;
    assert_int_equal(js_parse(&value, text, strlen(text), "manifest"), 0);
    return value;
}

typedef struct ScoredGames {
    TrainingGames of;
    size_t games;
} ScoredGames;

/* The first SCORED games of (size, seed, purpose) are scored. */
static ScoredGames look(const char *manifest_text, int size, uint64_t seed, RngPurpose purpose)
{
    GameSource *scored = NULL;
    Js *manifest = parsed(manifest_text);
    ScoredGames seen = {.of = training_games(manifest, game_variant(size)), .games = 99};
    SeenGames found;
    assert_int_equal(source_fresh(&scored, game_variant(size), seed, purpose), 0);
    assert_int_equal(seen_games(&found, manifest, scored, SCORED, WORK_ALONE), 0);
    for (size_t i = 1; i < found.n; i++) {
        assert_true(found.hashes[i - 1] < found.hashes[i]);
    }
    seen.games = found.n;
    seen_games_release(&found);
    source_free(scored);
    js_free(manifest);
    return seen;
}

#define SCRATCH "\"about\": {\"options\": {\"init-from\": \"\"}}"
#define OWN "\"corpus_hash\": \"fresh:6:5\", \"games\": 100"
#define EARLIER(runs) "\"about\": {\"earlier\": [" runs "]}"
#define RUN(of, games) "{\"games_of\": \"" of "\", \"games\": " games "}"
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void games_of_its_own_run(void **state)
{
    ScoredGames seen = look("{" OWN ", " SCRATCH "}", 6, 5, RNG_FRESH);
    assert_null(seen.of.unknown);
    assert_false(seen.of.corpus);
    assert_int_equal(seen.of.fresh, 100);
    assert_int_equal(seen.games, SCORED);
    seen = look("{\"corpus_hash\": \"fresh:6:5\", \"games\": 7, " SCRATCH "}", 6, 5, RNG_FRESH);
    assert_int_equal(seen.games, 7);
    seen = look("{\"corpus_hash\": \"fresh:6:5\", \"games\": 0, " SCRATCH "}", 6, 5, RNG_FRESH);
    assert_null(seen.of.unknown);
    assert_int_equal(seen.of.fresh, 0);
    assert_int_equal(seen.games, 0);
    /* The twins: games of another purpose, and of another seed. */
    seen = look("{" OWN ", " SCRATCH "}", 6, 5, RNG_GENERATE);
    assert_null(seen.of.unknown);
    assert_int_equal(seen.games, 0);
    assert_int_equal(look("{" OWN ", " SCRATCH "}", 6, 6, RNG_FRESH).games, 0);
}

static void games_of_earlier_runs(void **state)
{
    const char *two = "{" OWN ", " EARLIER(RUN(HASH, "300") ", " RUN("fresh:6:8", "9000")) "}";
    assert_int_equal(look(two, 6, 5, RNG_FRESH).games, SCORED);
    ScoredGames seen = look(two, 6, 8, RNG_FRESH);
    assert_null(seen.of.unknown);
    assert_true(seen.of.corpus);
    assert_int_equal(seen.games, SCORED);
    assert_int_equal(seen.of.fresh, 9100);
    assert_int_equal(look(two, 6, 9, RNG_FRESH).games, 0);
    /* A game of two runs counts once: the first 7 again, and 33 more. */
    const char *twice = "{" OWN ", " EARLIER(RUN("fresh:6:5", "7")) "}";
    assert_int_equal(look(twice, 6, 5, RNG_FRESH).games, SCORED);
    assert_int_equal(look(twice, 6, 5, RNG_FRESH).of.fresh, 107);
    /* A copy of a network that started from nothing has no options, but an empty list. */
    assert_int_equal(look("{" OWN ", " EARLIER("") "}", 6, 5, RNG_FRESH).games, SCORED);
}

/* A run by other rules is known, and none of its games is a game of these. */
static void games_of_other_rules(void **state)
{
    const char *two = "{" OWN ", " EARLIER(RUN("fresh:106:5", "9000")) "}";
    ScoredGames seen = look(two, 6, 5, RNG_FRESH);
    assert_null(seen.of.unknown);
    assert_int_equal(seen.of.fresh, 100);
    assert_int_equal(seen.games, SCORED);
    const char *other = "{\"corpus_hash\": \"fresh:106:5\", \"games\": 100, " SCRATCH "}";
    seen = look(other, 6, 5, RNG_FRESH);
    assert_null(seen.of.unknown);
    assert_int_equal(seen.of.fresh, 0);
    assert_int_equal(seen.games, 0);
}

/* Networks are never trained on the test split of a corpus: nothing is left out, none was seen. */
static void games_of_a_corpus(void **state)
{
    ScoredGames seen =
        look("{\"corpus_hash\": \"" HASH "\", \"games\": 64, " SCRATCH "}", 6, 5, RNG_FRESH);
    assert_null(seen.of.unknown);
    assert_true(seen.of.corpus);
    assert_int_equal(seen.games, 0);
    assert_int_equal(seen.of.fresh, 0);
}

static void what_is_not_told_is_not_known(void **state)
{
    const char *half = "4611686018427387904"; /* 2^62: four of them are none */
    char wraps[512];
    snprintf(wraps, sizeof(wraps),
             "{\"corpus_hash\": \"fresh:6:5\", \"games\": %s, " EARLIER(RUN(
                 "fresh:6:1", "%s") ", " RUN("fresh:6:2", "%s") ", " RUN("fresh:6:3", "%s")) "}",
             half, half, half, half);
    const char *silent[] = {
        "{}",
        "{" OWN "}", /* as an earlier program converted it: its start is lost */
        "{\"corpus_hash\": \"fresh:6:5\", " SCRATCH "}",
        "{\"corpus_hash\": \"fresh:6:5\", \"games\": -1, " SCRATCH "}",
        "{\"corpus_hash\": \"fresh:6:5x\", \"games\": 100, " SCRATCH "}",
        "{\"corpus_hash\": \"fresh:8:5\", \"games\": 100, " SCRATCH "}",
        "{\"corpus_hash\": \"fresh:4294967302:5\", \"games\": 100, " SCRATCH "}",
        "{\"corpus_hash\": \"fresh:6:-5\", \"games\": 100, " SCRATCH "}",
        "{\"corpus_hash\": \"fresh: 6: 5\", \"games\": 100, " SCRATCH "}",
        "{\"corpus_hash\": \"fresh:6:99999999999999999999999\", \"games\": 100, " SCRATCH "}",
        "{\"corpus_hash\": \"fresh:66666666666666666666666666666666666666666666666666666666:5\", "
        "\"games\": 100, " SCRATCH "}",
        "{\"corpus_hash\": \"my games\", \"games\": 100, " SCRATCH "}",
        "{" OWN ", " EARLIER(RUN("", "0")) "}",
        "{" OWN ", " EARLIER("7") "}",
        "{" OWN ", \"about\": {\"earlier\": 0}}",
        "{" OWN ", \"about\": {\"earlier\": {}, \"options\": {\"init-from\": \"\"}}}",
        "{" OWN ", \"about\": {\"earlier\": null, \"options\": {\"init-from\": \"\"}}}",
        "{" OWN ", \"about\": {\"earlier\": [], \"options\": {\"init-from\": \"" HASH "\"}}}",
        "{" OWN ", \"about\": {\"options\": {\"init-from\": \"" HASH "\"}}}",
        wraps,
    };
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        ScoredGames seen = look(silent[i], 6, 5, RNG_FRESH);
        assert_non_null(seen.of.unknown);
        assert_int_equal(seen.of.fresh, 0);
        assert_int_equal(seen.games, 0);
    }
    const char *small = "{\"corpus_hash\": \"fresh:4:5\", \"games\": 100, " SCRATCH "}";
    assert_non_null(look(small, 4, 5, RNG_FRESH).of.unknown);
}

static void failing_allocations_are_reported(void **state)
{
    GameSource *scored = NULL;
    SeenGames seen;
    Js *manifest = parsed("{" OWN ", " EARLIER(RUN("fresh:6:8", "9")) "}");
    int rc = OGPT_ENOMEM;
    uint64_t n = 0;
    assert_int_equal(source_fresh(&scored, game_variant(6), 5, RNG_FRESH), 0);
    while (rc != 0 && n < 100) {
        n++;
        mem_fail_at(n, 0);
        rc = seen_games(&seen, manifest, scored, SCORED, WORK_ALONE);
        mem_fail_at(0, 0);
        if (rc != 0) {
            assert_refused(rc, OGPT_ENOMEM, "out of memory: wanted");
            assert_null(seen.hashes);
        }
    }
    assert_int_equal(n, 8); /* four of its own and three of the tree fail one by one */
    assert_int_equal(seen.n, SCORED);
    seen_games_release(&seen);
    source_free(scored);
    js_free(manifest);
}

enum { OTHERS = 300, EARLY = 20, LATE = 10, REPEATS = 25 };
enum { CORPUS_GAMES = OTHERS + EARLY + LATE + REPEATS };

/* Games of an evaluation among which EARLY are training games 40.. of seed 5 and LATE the last ones
 * of seed 8 (200 games); the first REPEATS of all these stand there twice. In another order. */
static Corpus *planted_corpus(int size)
{
    static uint8_t moves[CORPUS_GAMES * GAME_MAX_MOVES];
    const GameVariant *variant = game_variant(size);
    const size_t stride = (size_t)variant->n_moves;
    CorpusInfo meta = {
        .variant = variant, .source = "random", .n_games = CORPUS_GAMES, .generator = "test"};
    Corpus *corpus = NULL;
    for (size_t i = 0; i < CORPUS_GAMES; i++) {
        const size_t k = i % (CORPUS_GAMES - REPEATS);
        uint8_t *game = moves + 7 * i % CORPUS_GAMES * stride;
        if (k < EARLY) {
            play_random(game, variant, 5, RNG_FRESH, 40 + k);
        } else if (k < EARLY + LATE) {
            play_random(game, variant, 8, RNG_FRESH, 200 - LATE + (k - EARLY));
        } else {
            play_random(game, variant, 1, RNG_GENERATE, k);
        }
    }
    assert_int_equal(corpus_create(&corpus, at(size == 6 ? "six.ogpc" : "eight.ogpc"), &meta), 0);
    assert_int_equal(corpus_write_blocks(corpus, 0, 1, moves), 0);
    assert_int_equal(corpus_finish(corpus), 0);
    return corpus;
}

/* By the plain way, by one tree, by many trees, on threads: the same hashes, and all that are
 * planted. */
static void both_ways_find_the_same(void **state)
{
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 3), 0);
    for (int size = 6; size <= 8; size += 2) {
        char text[256];
        snprintf(text, sizeof(text),
                 "{\"corpus_hash\": \"fresh:%d:5\", \"games\": 300000, " EARLIER(
                     RUN(HASH, "300") ", " RUN("fresh:%d:8", "200")) "}",
                 size, size);
        Js *manifest = parsed(text);
        Corpus *corpus = planted_corpus(size);
        GameSource *scored = NULL;
        SeenGames plain;
        assert_int_equal(source_corpus(&scored, corpus, 7, false, 0), 0);
        assert_int_equal(source_games(scored), CORPUS_GAMES);
        assert_int_equal(seen_games_ref(&plain, manifest, scored, CORPUS_GAMES, WORK_ALONE), 0);
        assert_int_equal(plain.n, EARLY + LATE + REPEATS); /* all repeated ones are planted */
        for (int way = 0; way < 3; way++) {
            SeenGames fast;
            TickLog log;
            const size_t n_trees = way < 2 ? 1 : 5; /* four fourths, and what division leaves */
            const Work work = tick_log_work(
                &log, (Work){.pool = way == 0 ? NULL : pool,
                             .memory_bytes = way < 2 ? 0 : (size_t)(CORPUS_GAMES / 4) * 270});
            assert_int_equal(seen_games(&fast, manifest, scored, CORPUS_GAMES, &work), 0);
            assert_int_equal(fast.n, plain.n);
            assert_memory_equal(fast.hashes, plain.hashes, plain.n * sizeof(*plain.hashes));
            assert_true(tick_log_ended(&log, "games", (double)(300200 * n_trees)));
            assert_true((size_t)log.n >= 3 * n_trees);
            seen_games_release(&fast);
        }
        /* The twin: with one training game less there is one hash less. */
        snprintf(text, sizeof(text),
                 "{\"corpus_hash\": \"fresh:%d:5\", \"games\": 300000, " EARLIER(
                     RUN("fresh:%d:8", "199")) "}",
                 size, size);
        js_free(manifest);
        manifest = parsed(text);
        SeenGames less;
        assert_int_equal(seen_games(&less, manifest, scored, CORPUS_GAMES, WORK_ALONE), 0);
        assert_int_equal(less.n, plain.n - 1); /* the last planted one is not repeated */
        seen_games_release(&less);
        seen_games_release(&plain);
        source_free(scored);
        corpus_close(corpus);
        js_free(manifest);
    }
    pool_free(pool);
}

static void a_look_can_be_interrupted(void **state)
{
    SeenGames seen;
    GameSource *scored = NULL;
    Js *manifest = parsed("{\"corpus_hash\": \"fresh:6:5\", \"games\": 1000000000, " SCRATCH "}");
    assert_int_equal(source_fresh(&scored, game_variant(6), 5, RNG_FRESH), 0);
    interrupt_set(SIGINT);
    assert_refused(seen_games(&seen, manifest, scored, SCORED, WORK_ALONE), OGPT_EINTR,
                   "training games again");
    assert_null(seen.hashes);
    assert_refused(seen_games_ref(&seen, manifest, scored, SCORED, WORK_ALONE), OGPT_EINTR,
                   "training games again");
    assert_null(seen.hashes);
    interrupt_set(0);
    source_free(scored);
    js_free(manifest);
}

/* What the next run stores: every run so far, in order; a copy stores all but its own. */
static void the_next_run_stores_all(void **state)
{
    Js *first = parsed("{" OWN ", " SCRATCH "}");
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
    assert_true(lineage_names(second, "fresh:6:5") && lineage_names(second, HASH));
    assert_false(lineage_names(second, "fresh:6:6") || lineage_names(NULL, "fresh:6:5"));
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
        cmocka_unit_test(games_of_other_rules),
        cmocka_unit_test(games_of_a_corpus),
        cmocka_unit_test(what_is_not_told_is_not_known),
        cmocka_unit_test(both_ways_find_the_same),
        cmocka_unit_test(failing_allocations_are_reported),
        cmocka_unit_test(a_look_can_be_interrupted),
        cmocka_unit_test(the_next_run_stores_all),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
