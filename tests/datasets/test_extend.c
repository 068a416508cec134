/* tests/datasets/test_extend.c - a corpus that is extended is, bit for bit, the one that a single
 * run makes: after any number of steps, after an interruption, and while somebody reads it. A
 * refused command changes no byte. */
#include "tests/datasets/datasets_test.h"

#include "base/arena.h"
#include "base/process.h"
#include "game/play.h"

#define STRIDE 12 /* of a game on 4x4 */

static const Work seed_1 = {.seed = 1};

static void extend(GenerateResult *out, const char *name, uint64_t n_games)
{
    assert_int_equal(generate_corpus(out, at(name), game_variant(4), n_games, &seed_1), 0);
}

/* The games, and the hash of each block that the file states. */
static void assert_same_games(const char *name, const GenerateResult *made, uint64_t n_games)
{
    GenerateResult whole;
    CorpusReport report;
    Corpus *corpus = NULL;
    make_corpus(&whole, "whole.ogpc", 4, 1, n_games);
    assert_string_equal(made->content_hash, whole.content_hash);
    assert_int_equal(made->plies, whole.plies);
    assert_int_equal(made->games, n_games);
    assert_int_equal(corpus_open(&corpus, at(name), false), 0);
    assert_int_equal(corpus_info(corpus)->n_games, n_games);
    assert_string_equal(corpus_info(corpus)->content_hash, whole.content_hash);
    corpus_close(corpus);
    assert_int_equal(corpus_verify(&report, at(name), NULL, NULL), 0);
    assert_int_equal(report.findings, 0);
    assert_int_equal(report.games, n_games);
}

static void steps_give_what_one_run_gives(void **state)
{
    static const uint64_t steps[] = {1, 2, 1000, 1024, 1025, 2048, 3000, 70000, 70001};
    GenerateResult made;
    uint64_t had = 0;
    corpus_remove("steps.ogpc");
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        extend(&made, "steps.ogpc", steps[i]);
        assert_int_equal(made.games_made_now, steps[i] - had);
        assert_same_games("steps.ogpc", &made, steps[i]);
        had = steps[i];
    }
    extend(&made, "steps.ogpc", had); /* the same again: nothing is made */
    assert_int_equal(made.games_made_now, 0);
}

static void stop(void *context, const char *stage, double done, double total)
{
    interrupt_set(15);
}

static void an_interrupted_extension_goes_on(void **state)
{
    const uint64_t n_games = 70000;
    const Work stopped = {.seed = 1, .tick = stop};
    GenerateResult made;
    Corpus *corpus = NULL;
    make_corpus(NULL, "part.ogpc", 4, 1, 1500);
    int rc = generate_corpus(&made, at("part.ogpc"), game_variant(4), n_games, &stopped);
    interrupt_set(0);
    assert_refused(rc, OGPT_EINTR, "all saved; the same command goes on");
    assert_true(made.games > 1500 && made.games < n_games);
    assert_refused(corpus_open(&corpus, at("part.ogpc"), false), OGPT_EFORMAT, "unfinished");
    assert_refused(generate_corpus(&made, at("part.ogpc"), game_variant(4), 1500, &seed_1),
                   OGPT_EUSAGE, "begun for 70000 games, asked for 1500");
    extend(&made, "part.ogpc", n_games);
    assert_same_games("part.ogpc", &made, n_games);
}

/* An unfinished corpus is extended, too, whether it has its last block or not. */
static void an_unfinished_corpus_is_extended(void **state)
{
    for (int block = 0; block < 3; block++) {
        GenerateResult made;
        char sql[128];
        snprintf(
            sql, sizeof(sql),
            "DELETE FROM blocks WHERE block = %d; UPDATE meta SET content_hash = '', plies = 0",
            block);
        make_corpus(NULL, "holes.ogpc", 4, 1, 2500);
        corpus_sql("holes.ogpc", sql);
        extend(&made, "holes.ogpc", 5000);
        assert_int_equal(made.games_made_now, 2500 + (block < 2 ? 1024 : 2500 - 2048));
        assert_same_games("holes.ogpc", &made, 5000);
    }
}

/* Who has opened the corpus before goes on reading the games that it had then. */
static void readers_keep_their_games(void **state)
{
    const size_t n = 1500;
    GenerateResult made;
    Corpus *reader = NULL;
    uint8_t *before = mem_alloc(n, STRIDE, "games"), *after = mem_alloc(n, STRIDE, "games");
    make_corpus(NULL, "read.ogpc", 4, 1, n);
    assert_int_equal(corpus_open(&reader, at("read.ogpc"), false), 0);
    assert_int_equal(corpus_read(reader, before, 0, n), 0);
    assert_int_equal(corpus_read(reader, after, 0, 1), 0); /* another block is in its cache */
    extend(&made, "read.ogpc", 4000);
    assert_int_equal(corpus_read(reader, after, 0, n), 0);
    assert_memory_equal(before, after, n * STRIDE);
    assert_int_equal(corpus_info(reader)->n_games, n);
    corpus_close(reader);
    extend(&made, "read.ogpc", 4000);
    assert_same_games("read.ogpc", &made, 4000);
    mem_free(before);
    mem_free(after);
}

static void file_hash(char out[HASH_HEX_SIZE], const char *name)
{
    void *bytes = NULL;
    size_t n_bytes = 0;
    assert_int_equal(file_read_all(&bytes, &n_bytes, at(name), 1 << 24), 0);
    sha256_of(out, bytes, n_bytes);
    mem_free(bytes);
}

static void a_refused_command_changes_no_byte(void **state)
{
    static const struct {
        int size;
        uint64_t seed, n_games;
        const char *text;
    } rows[] = {
        {4, 1, 1499, "begun for 1500 games, asked for 1499; a corpus is never cut"},
        {4, 2, 3000, "made with seed 1, asked for seed 2"},
        {6, 1, 3000, "holds games of size 4, asked for size 6"},
    };
    GenerateResult made;
    char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE];
    make_corpus(NULL, "fixed.ogpc", 4, 1, 1500);
    file_hash(before, "fixed.ogpc");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_refused(generate_corpus(&made, at("fixed.ogpc"), game_variant(rows[i].size),
                                       rows[i].n_games, &(Work){.seed = rows[i].seed}),
                       OGPT_EUSAGE, rows[i].text);
        file_hash(after, "fixed.ogpc");
        assert_string_equal(before, after);
    }
    extend(&made, "fixed.ogpc", 1501); /* negative twin: what is not refused changes the file */
    file_hash(after, "fixed.ogpc");
    assert_string_not_equal(before, after);
}

static void other_games_are_not_extended(void **state)
{
    GenerateResult made;
    Corpus *corpus = NULL;
    char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE];
    /* The last block holds other games than the seed gives. */
    make_corpus(NULL, "other.ogpc", 4, 2, 1500);
    corpus_sql("other.ogpc", "UPDATE meta SET seed = 1");
    assert_refused(generate_corpus(&made, at("other.ogpc"), game_variant(4), 3000, &seed_1),
                   OGPT_EFORMAT, "block 1: holds other games than its seed gives");
    assert_int_equal(corpus_open(&corpus, at("other.ogpc"), false), 0);
    assert_int_equal(corpus_info(corpus)->n_games, 1500);
    corpus_close(corpus);
    /* An imported corpus. */
    make_corpus(NULL, "import.ogpc", 4, 1, 1500);
    corpus_sql("import.ogpc", "UPDATE meta SET source = 'import', generator = 'import-1'");
    CorpusInfo meta = {.variant = game_variant(4), .seed = 1, .n_games = 3000};
    snprintf(meta.source, sizeof(meta.source), "import");
    snprintf(meta.generator, sizeof(meta.generator), "import-1");
    file_hash(before, "import.ogpc");
    assert_refused(corpus_create(&corpus, at("import.ogpc"), &meta), OGPT_EUSAGE,
                   "other games never added");
    file_hash(after, "import.ogpc");
    assert_string_equal(before, after);
}

static void failing_allocations_are_survived(void **state)
{
    GenerateResult made;
    int rc = OGPT_ENOMEM;
    uint64_t n = 0;
    make_corpus(NULL, "memory.ogpc", 4, 1, 1500);
    while (rc != 0 && n < 100) {
        n++;
        mem_fail_at(n, 0);
        rc = generate_corpus(&made, at("memory.ogpc"), game_variant(4), 4000, &seed_1);
        mem_fail_at(0, 0);
        if (rc != 0) {
            assert_refused(rc, OGPT_ENOMEM, "out of memory: wanted");
        }
    }
    assert_true(n > 5 && n < 100);
    assert_same_games("memory.ogpc", &made, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_give_what_one_run_gives),
        cmocka_unit_test(an_interrupted_extension_goes_on),
        cmocka_unit_test(an_unfinished_corpus_is_extended),
        cmocka_unit_test(readers_keep_their_games),
        cmocka_unit_test(a_refused_command_changes_no_byte),
        cmocka_unit_test(other_games_are_not_extended),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests_name("extend", tests, work_create, work_remove);
}
