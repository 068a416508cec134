/* tests/probes/legality/test_seen_kept.c - a look for seen games is kept and recalled, and never
 * for other games or another network: its key depends on all that the look depends on. */
#include "tests/base/base_test.h"

#include "base/arena.h"
#include "base/js.h"
#include "model/lineage.h"
#include "probes/legality/seen_games.h"

#define SCRATCH "\"about\": {\"options\": {\"init-from\": \"\"}}"
#define RUN "{\"corpus_hash\": \"fresh:6:5\", \"games\": 100, \"step\": 7, " SCRATCH "}"

enum { SCORED = 200 };

/* A journal in memory: one key, two blocks. */
typedef struct Kept {
    double head[2], hashes[SCORED];
    size_t n_head, n_hashes;
    int n_recalled, n_kept;
} Kept;

static int recall(void *context, double *values, size_t n, const char *stage, size_t block)
{
    Kept *kept = context;
    const size_t has = block == 0 ? kept->n_head : kept->n_hashes;
    assert_string_equal(stage, "seen games");
    kept->n_recalled++;
    if (has != n || n == 0) {
        return 0;
    }
    memcpy(values, block == 0 ? kept->head : kept->hashes, n * sizeof(*values));
    return 1;
}

static int keep(void *context, const double *values, size_t n, const char *stage, size_t block)
{
    Kept *kept = context;
    memcpy(block == 0 ? kept->head : kept->hashes, values, n * sizeof(*values));
    *(block == 0 ? &kept->n_head : &kept->n_hashes) = n;
    kept->n_kept++;
    return 0;
}

static Js *parsed(const char *text)
{
    Js *value = NULL;
    assert_int_equal(js_parse(&value, text, strlen(text), "manifest"), 0);
    return value;
}

/* Look for the games of (seed, purpose) in the run with a journal: the result is as without. */
static SeenGames look(Kept *kept, uint64_t seed, RngPurpose purpose)
{
    const WorkJournal journal = {kept, recall, keep};
    const Work work = {.journal = &journal};
    GameSource *scored = NULL;
    SeenGames plain, seen;
    Js *manifest = parsed(RUN);
    assert_int_equal(source_fresh(&scored, game_variant(6), seed, purpose), 0);
    assert_int_equal(seen_games(&plain, manifest, scored, SCORED, WORK_ALONE), 0);
    assert_int_equal(seen_games(&seen, manifest, scored, SCORED, &work), 0);
    assert_false(plain.recalled);
    assert_int_equal(seen.n, plain.n);
    assert_memory_equal(seen.hashes, plain.hashes, plain.n * sizeof(*plain.hashes));
    seen_games_release(&plain);
    source_free(scored);
    js_free(manifest);
    return seen;
}

static void a_result_is_kept_and_recalled(void **state)
{
    static const struct {
        RngPurpose purpose;
        size_t n;
    } rows[] = {{RNG_FRESH, 100}, {RNG_GENERATE, 0}};
    for (size_t i = 0; i < 2; i++) {
        Kept kept = {0};
        SeenGames seen = look(&kept, 5, rows[i].purpose);
        assert_int_equal(seen.n, rows[i].n);
        assert_false(seen.recalled);
        assert_int_equal(kept.n_kept, rows[i].n > 0 ? 2 : 1);
        seen_games_release(&seen);
        seen = look(&kept, 5, rows[i].purpose);
        assert_int_equal(seen.n, rows[i].n);
        assert_true(seen.recalled);
        assert_int_equal(kept.n_kept,
                         rows[i].n > 0 ? 2 : 1); /* nothing is computed and kept anew */
        seen_games_release(&seen);
    }
}

/* What is damaged is not believed: it is computed again. */
static void damage_is_noticed(void **state)
{
    for (int damage = 0; damage < 4; damage++) {
        Kept kept = {0};
        SeenGames seen = look(&kept, 5, RNG_FRESH);
        seen_games_release(&seen);
        switch (damage) {
        case 0: ((uint8_t *)kept.hashes)[77] ^= 1; break;
        case 1: ((uint8_t *)&kept.head[1])[3] ^= 1; break;
        case 2: kept.head[0] = -1; break;
        default: kept.n_hashes = 0; break;
        }
        seen = look(&kept, 5, RNG_FRESH);
        assert_false(seen.recalled);
        assert_int_equal(kept.n_kept, 4);
        seen_games_release(&seen);
    }
}

static void key_of(char key[HASH_HEX_SIZE], const char *manifest_text, uint64_t seed, size_t n)
{
    GameSource *scored = NULL;
    Js *manifest = parsed(manifest_text);
    assert_int_equal(source_fresh(&scored, game_variant(6), seed, RNG_GENERATE), 0);
    assert_int_equal(seen_games_key(key, manifest, scored, n, WORK_ALONE), 0);
    source_free(scored);
    js_free(manifest);
}

static void the_key_is_of_all_that_matters(void **state)
{
#define EARLIER(run) "\"about\": {\"earlier\": [" run "]}"
    static const struct {
        const char *manifest;
        uint64_t seed;
        size_t n;
        bool same;
    } rows[] = {
        {RUN, 5, SCORED, true},
        {"{\"corpus_hash\": \"fresh:6:5\", \"games\": 100, \"step\": 8, " SCRATCH "}", 5, SCORED,
         true},
        {"{\"corpus_hash\": \"fresh:6:5\", \"games\": 101, " SCRATCH "}", 5, SCORED, false},
        {"{\"corpus_hash\": \"fresh:6:4\", \"games\": 100, " SCRATCH "}", 5, SCORED, false},
        {"{\"corpus_hash\": \"fresh:6:5\", \"games\": 100, " EARLIER(
             "{\"games_of\": \"fresh:6:9\", \"games\": 1}") "}",
         5, SCORED, false},
        {RUN, 6, SCORED, false},
        {RUN, 5, SCORED - 1, false},
        {RUN, 5, 8193, false},
    };
    char key[HASH_HEX_SIZE], other[HASH_HEX_SIZE];
    key_of(key, RUN, 5, SCORED);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        key_of(other, rows[i].manifest, rows[i].seed, rows[i].n);
        assert_int_equal(strcmp(key, other) == 0, rows[i].same);
    }
}

/* Rules of all corpora of a lineage; fresh games and unknown ones have none. */
static void split_rules_of_a_lineage(void **state)
{
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    static const struct {
        const char *manifest;
        unsigned rules;
    } rows[] = {
        {RUN, 0},
        {"{}", 0},
        {"{\"corpus_hash\": \"" HASH "\", \"games\": 1}", SPLIT_BY_GAME},
        {"{\"corpus_hash\": \"" HASH "\", \"games\": 1, \"split_rule\": \"game\"}", SPLIT_BY_GAME},
        {"{\"corpus_hash\": \"" HASH "\", \"games\": 1, \"split_rule\": \"canonical\"}",
         SPLIT_BY_CANONICAL},
        {"{\"corpus_hash\": \"" HASH "\", \"games\": 1, \"split_rule\": \"canonical\", " EARLIER(
             "{\"games_of\": \"" HASH "\", \"games\": 1}") "}",
         SPLIT_BY_GAME | SPLIT_BY_CANONICAL},
        {"{\"corpus_hash\": \"fresh:6:5\", \"games\": 1, " EARLIER(
             "{\"games_of\": \"" HASH "\", \"games\": 1, \"split_rule\": \"canonical\"}") "}",
         SPLIT_BY_CANONICAL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Js *manifest = parsed(rows[i].manifest);
        Js *next = js_object(), *about = js_object();
        assert_int_equal(training_split_rules(manifest), rows[i].rules);
        /* A run that starts from it hands the rules on. */
        js_set(about, "earlier", lineage_write(manifest));
        js_set(next, "about", about);
        js_set_str(next, "corpus_hash", "fresh:6:5");
        js_set_int(next, "games", 1);
        assert_int_equal(training_split_rules(next), rows[i].rules);
        js_free(next);
        js_free(manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_kept_and_recalled),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(the_key_is_of_all_that_matters),
        cmocka_unit_test(split_rules_of_a_lineage),
    };
    return cmocka_run_group_tests_name("seen_kept", tests, work_create, work_remove);
}
