/* tests/datasets/test_generate.c - the same corpus from any number of workers, and after any
 * interruption; other options on the same file are refused. */
#include "datasets/datasets_test.h"

#include "base/pool.h"
#include "base/process.h"
#include "game/play.h"

/* Content hash of 2,500 games of 6x6, seed 1: if it changes, GENERATOR_VERSION must too. */
#define GOLDEN_HASH "71b01565cef9af2b70cf48d7f98c649821ae134c37351f6ca925e1764d4c698e"

#define MANY 71700 /* 71 blocks, so that there are two chunks of up to 64 */

static const Work seed_1 = {.seed = 1};

static void content_hash_does_not_depend_on_workers(void **state)
{
    const GameVariant *variant = game_variant(8);
    const uint64_t n_games = 12 * CORPUS_BLOCK_GAMES + 77;
    GenerateResult alone;
    make_corpus(&alone, "one.db", 8, 1, n_games);
    assert_int_equal(alone.games, n_games);
    assert_int_equal(alone.games_made_now, n_games);
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        /* On a busy machine a worker may wake up when all blocks are taken: again, until each took
         * one. */
        size_t n_used = 0;
        for (int trial = 0; trial < 100 && n_used < n_threads; trial++) {
            Pool *pool = NULL;
            GenerateResult result;
            corpus_remove("many.db");
            assert_int_equal(pool_new(&pool, n_threads), 0);
            assert_int_equal(generate_corpus(&result, at("many.db"), variant, n_games,
                                             &(Work){.pool = pool, .seed = 1}),
                             0);
            n_used = pool_workers_used(pool);
            pool_free(pool);
            assert_string_equal(result.content_hash, alone.content_hash);
            assert_int_equal(result.plies, alone.plies);
            assert_int_equal(result.games, n_games);
        }
        assert_int_equal(n_used, n_threads);
    }
    /* The twins: another seed, one game fewer. */
    GenerateResult other;
    make_corpus(&other, "other.db", 8, 2, n_games);
    assert_string_not_equal(other.content_hash, alone.content_hash);
    make_corpus(&other, "other.db", 8, 1, n_games - 1);
    assert_string_not_equal(other.content_hash, alone.content_hash);
}

static void games_never_change(void **state)
{
    GenerateResult result;
    make_corpus(&result, "golden.db", 6, 1, 2500);
    assert_string_equal(result.content_hash, GOLDEN_HASH);
}

static void game_i_of_the_file_is_game_i_of_the_seed(void **state)
{
    for (int size = 4; size <= 8; size += 2) {
        const GameVariant *variant = game_variant(size);
        Corpus *corpus = NULL;
        make_corpus(NULL, "games.db", size, 7, 1500);
        assert_int_equal(corpus_open(&corpus, at("games.db"), false), 0);
        for (uint64_t i = 0; i < 1500; i += 53) {
            uint8_t found[GAME_MAX_MOVES];
            uint8_t expected[GAME_MAX_MOVES];
            play_random(expected, variant, 7, RNG_GENERATE, i);
            assert_int_equal(corpus_read(corpus, found, i, 1), 0);
            assert_memory_equal(found, expected, (size_t)variant->n_moves);
        }
        assert_string_equal(corpus_info(corpus)->source, "random");
        assert_string_equal(corpus_info(corpus)->generator, GENERATOR_VERSION);
        assert_int_equal(corpus_info(corpus)->seed, 7);
        corpus_close(corpus);
    }
}

/* The rules are written down, and other rules are refused; iago holds the games of classic. */
static void the_rules_are_kept_in_the_file(void **state)
{
    GenerateResult of[N_GAME_RULES], again;
    for (int rules = 0; rules < N_GAME_RULES; rules++) {
        const GameVariant *variant = game_variant_with(6, (GameRules)rules);
        CorpusReport report;
        Corpus *corpus = NULL;
        corpus_remove("rules.db");
        assert_int_equal(
            generate_corpus(&of[rules], at("rules.db"), variant, 1500, &(Work){.seed = 1}), 0);
        assert_int_equal(corpus_open(&corpus, at("rules.db"), false), 0);
        assert_ptr_equal(corpus_info(corpus)->variant, variant);
        corpus_close(corpus);
        assert_int_equal(corpus_verify(&report, at("rules.db"), NULL, NULL), 0);
        assert_int_equal(report.findings, 0);
        const GameVariant *other = game_variant_with(6, (GameRules)((rules + 1) % N_GAME_RULES));
        assert_int_equal(generate_corpus(&again, at("rules.db"), other, 1500, &(Work){.seed = 1}),
                         OGPT_EUSAGE);
        assert_non_null(strstr(err_message(), game_rules_name((GameRules)rules)));
        assert_non_null(strstr(err_message(), game_rules_name(other->rules)));
    }
    assert_string_equal(of[RULES_IAGO].content_hash, of[RULES_CLASSIC].content_hash);
    assert_string_not_equal(of[RULES_NO_MID_FLIP].content_hash, of[RULES_CLASSIC].content_hash);
    /* The twin: by the classic rules, games of the others are illegal. */
    CorpusReport report;
    corpus_remove("rules.db");
    assert_int_equal(generate_corpus(&again, at("rules.db"),
                                     game_variant_with(6, RULES_NO_MID_FLIP), 1500,
                                     &(Work){.seed = 1}),
                     0);
    corpus_sql("rules.db", "UPDATE meta SET size = 6");
    assert_int_equal(corpus_verify(&report, at("rules.db"), NULL, NULL), 0);
    assert_true(report.illegal_games > 400); /* 864: on 6x6 many games close no long run */
}

/* Progress callbacks: count, and ask to stop after the first. */
static void count_and_stop(void *context, const char *stage, double done, double total)
{
    (*(int *)context)++;
    assert_string_equal(stage, "games");
    assert_true(done <= total && total == MANY);
    interrupt_set(15);
}

static void an_interrupted_generation_goes_on(void **state)
{
    const GameVariant *variant = game_variant(4);
    GenerateResult whole;
    GenerateResult part;
    Corpus *corpus = NULL;
    int calls = 0;
    make_corpus(&whole, "whole.db", 4, 1, MANY);
    corpus_remove("part.db");
    int rc = generate_corpus(&part, at("part.db"), variant, MANY,
                             &(Work){.seed = 1, .tick = count_and_stop, .context = &calls});
    interrupt_set(0);
    assert_refused(rc, OGPT_EINTR, "of 71700 games, all saved; the same command goes on");
    assert_int_equal(calls, 1);
    assert_int_equal(part.games, 64 * CORPUS_BLOCK_GAMES);
    assert_string_equal(part.content_hash, "");
    assert_refused(corpus_open(&corpus, at("part.db"), false), OGPT_EFORMAT,
                   "unfinished: expected 71700 games, found 65536");
    assert_int_equal(corpus_open(&corpus, at("part.db"), true), 0);
    assert_false(corpus_info(corpus)->complete);
    assert_int_equal(corpus_info(corpus)->n_games_present, 65536);
    corpus_close(corpus);

    assert_int_equal(generate_corpus(&part, at("part.db"), variant, MANY, &seed_1), 0);
    assert_int_equal(part.games_made_now, MANY - 65536);
    assert_int_equal(part.plies, whole.plies);
    assert_string_equal(part.content_hash, whole.content_hash);
    /* Typed again when finished: nothing is made, the result is the same. */
    assert_int_equal(generate_corpus(&part, at("part.db"), variant, MANY, &seed_1), 0);
    assert_int_equal(part.games_made_now, 0);
    assert_int_equal(part.plies, whole.plies);
    assert_string_equal(part.content_hash, whole.content_hash);
}

/* Exactly the missing blocks are made again, for any set of them. */
static void only_missing_blocks_are_made(void **state)
{
    static const struct {
        const char *condition;
        uint64_t games;
    } rows[] = {
        {"block = 0", 1024},
        {"block = 70", MANY - 70 * 1024},
        {"block IN (3, 4, 9)", 3 * 1024},
        {"block % 2 = 1", 35 * 1024},
        {"block < 66", 66 * 1024},
        {"1", MANY},
    };
    const GameVariant *variant = game_variant(4);
    GenerateResult whole;
    GenerateResult again;
    make_corpus(&whole, "holes.db", 4, 1, MANY);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char sql[128];
        snprintf(sql, sizeof(sql), "DELETE FROM blocks WHERE %s; UPDATE meta SET content_hash = ''",
                 rows[i].condition);
        corpus_sql("holes.db", sql);
        assert_int_equal(generate_corpus(&again, at("holes.db"), variant, MANY, &seed_1), 0);
        assert_int_equal(again.games_made_now, rows[i].games);
        assert_string_equal(again.content_hash, whole.content_hash);
        assert_int_equal(again.plies, whole.plies);
    }
    CorpusReport report;
    assert_int_equal(corpus_verify(&report, at("holes.db"), NULL, NULL), 0);
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.games, MANY);
}

/* A process killed between the tables and the meta row leaves a file that can be completed. */
static void a_file_without_meta_row_goes_on(void **state)
{
    GenerateResult whole;
    GenerateResult again;
    make_corpus(&whole, "bare.db", 4, 1, 3000);
    corpus_sql("bare.db", "DELETE FROM meta; DELETE FROM blocks");
    assert_int_equal(generate_corpus(&again, at("bare.db"), game_variant(4), 3000, &seed_1), 0);
    assert_string_equal(again.content_hash, whole.content_hash);
}

static void other_options_are_refused(void **state)
{
    static const struct {
        int size;
        uint64_t seed, n_games;
        const char *text;
    } rows[] = {
        {6, 1, 3000, "holds games of size 4, asked for size 6"},
        {4, 2, 3000, "made with seed 1, asked for seed 2"},
        {4, 1, 2999, "begun for 3000 games, asked for 2999"},
    };
    GenerateResult whole;
    GenerateResult again;
    make_corpus(&whole, "fixed.db", 4, 1, 3000);
    for (int finished = 1; finished >= 0; finished--) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            const int rc = generate_corpus(&again, at("fixed.db"), game_variant(rows[i].size),
                                           rows[i].n_games, &(Work){.seed = rows[i].seed});
            assert_refused(rc, OGPT_EUSAGE, rows[i].text);
        }
        corpus_sql("fixed.db", "DELETE FROM blocks WHERE block = 1");
    }
    /* Nothing was changed by the refusals. */
    assert_int_equal(generate_corpus(&again, at("fixed.db"), game_variant(4), 3000, &seed_1), 0);
    assert_int_equal(again.games_made_now, 1024);
    assert_string_equal(again.content_hash, whole.content_hash);
    corpus_sql("fixed.db", "UPDATE meta SET generator = 'uniform-0'");
    assert_refused(generate_corpus(&again, at("fixed.db"), game_variant(4), 3000, &seed_1),
                   OGPT_EUSAGE, "made by generator uniform-0");
    corpus_sql("fixed.db", "UPDATE meta SET source = 'import'");
    assert_refused(generate_corpus(&again, at("fixed.db"), game_variant(4), 3000, &seed_1),
                   OGPT_EUSAGE, "source import");
}

static void another_kind_of_file_is_left_alone(void **state)
{
    GenerateResult result;
    const char text[] = "Black moves first.\n";
    void *found = NULL;
    size_t n_bytes = 0;
    assert_int_equal(file_write_atomic(at("notes.db"), text, sizeof(text) - 1, true), 0);
    assert_refused(generate_corpus(&result, at("notes.db"), game_variant(4), 100, &seed_1),
                   OGPT_EFORMAT, "notes.db");
    assert_int_equal(file_read_all(&found, &n_bytes, at("notes.db"), 1000), 0);
    assert_int_equal(n_bytes, sizeof(text) - 1);
    assert_memory_equal(found, text, n_bytes);
    mem_free(found);
    assert_refused(generate_corpus(&result, at("no/such/place.db"), game_variant(4), 100, &seed_1),
                   OGPT_EIO, "no/such/place.db");
}

/* Each allocation fails once: reported, and the same call then finishes the same corpus. */
static void failing_allocations_are_survived(void **state)
{
    GenerateResult whole;
    GenerateResult result;
    make_corpus(&whole, "memory.db", 4, 1, 3000);
    corpus_remove("memory.db");
    int rc = OGPT_ENOMEM;
    uint64_t n = 0;
    while (rc != 0 && n < 100) {
        n++;
        mem_fail_at(n, 0);
        rc = generate_corpus(&result, at("memory.db"), game_variant(4), 3000, &seed_1);
        mem_fail_at(0, 0);
        if (rc != 0) {
            assert_refused(rc, OGPT_ENOMEM, "out of memory: wanted");
        }
    }
    assert_true(n > 5 && n < 100);
    assert_string_equal(result.content_hash, whole.content_hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_hash_does_not_depend_on_workers),
        cmocka_unit_test(games_never_change),
        cmocka_unit_test(the_rules_are_kept_in_the_file),
        cmocka_unit_test(game_i_of_the_file_is_game_i_of_the_seed),
        cmocka_unit_test(an_interrupted_generation_goes_on),
        cmocka_unit_test(only_missing_blocks_are_made),
        cmocka_unit_test(a_file_without_meta_row_goes_on),
        cmocka_unit_test(other_options_are_refused),
        cmocka_unit_test(another_kind_of_file_is_left_alone),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
