/* tests/datasets/test_repeats.c - which hashes repeat an earlier one, beside a plain set of hashes
 * in memory; and an import that leaves such games out of more than one chunk. */
#include "tests/datasets/import_test.h"

#include "base/rng.h"
#include "base/spill/spill.h"
#include "datasets/game_set.h"
#include "datasets/repeats.h"

typedef struct Found {
    uint8_t *times; /* (n) */
    uint64_t n;
} Found;

static void note(void *context, uint64_t index)
{
    Found *found = context;
    assert_true(index < found->n);
    found->times[index]++;
}

/* Hash i of a list in which about a third repeats an earlier one. kind 1: all in one part. */
static uint64_t hash_at(uint64_t i, int kind)
{
    Rng rng = rng_at(1, RNG_FIT, i);
    const uint64_t which = i - (i % 3 == 0 && i > 0 ? 1 + rng_below(&rng, (uint32_t)i) : 0);
    Rng of = rng_at(2, RNG_FIT, which);
    return kind == 1 ? which : rng_u64(&of);
}

static void repeats_are_those_of_a_plain_set(void **state)
{
    /* More than the spill holds in memory; and one part of many pages. */
    static const uint64_t sizes[] = {400000, 20000, 1, 0};
    for (int kind = 0; kind < 4; kind++) {
        Found found = {mem_calloc(400000, 1, "times"), sizes[kind]};
        GameSet plain = {0};
        Repeats *repeats = NULL;
        uint64_t n_repeated = 0;
        assert_int_equal(repeats_new(&repeats, run_folder), 0);
        for (uint64_t i = 0; i < found.n; i++) {
            assert_int_equal(repeats_count(repeats), i);
            assert_int_equal(repeats_add(repeats, hash_at(i, kind)), 0);
        }
        assert_int_equal(repeats_find(repeats, note, &found), 0);
        for (uint64_t i = 0; i < found.n; i++) {
            const int before = game_set_add(&plain, hash_at(i, kind) + (kind == 1));
            if (found.times[i] != before) {
                fail_msg("hash %zu: expected %d, found %d", (size_t)i, before, found.times[i]);
            }
            n_repeated += (uint64_t)before;
        }
        assert_true(found.n < 2 || (n_repeated > found.n / 5 && n_repeated < found.n / 2));
        game_set_release(&plain);
        repeats_free(repeats);
        mem_free(found.times);
    }
    repeats_free(NULL);
}

static void faults_are_said(void **state)
{
    Repeats *repeats = NULL;
    Found found = {NULL, 0};
    for (uint64_t i = 1; i <= 4; i++) {
        mem_fail_at(i, 0);
        assert_int_equal(repeats_new(&repeats, NULL), OGPT_ENOMEM);
        assert_null(repeats);
    }
    mem_fail_at(0, 0);
    assert_int_equal(repeats_new(&repeats, at("nowhere")), 0);
    for (uint64_t i = 1; i <= 2; i++) { /* the entries of a part, and its table */
        mem_fail_at(i, 0);
        assert_int_equal(repeats_find(repeats, note, &found), OGPT_ENOMEM);
    }
    mem_fail_at(0, 0);
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < 400000; i++) {
        rc = repeats_add(repeats, hash_at(i, 0));
    }
    assert_int_equal(rc, OGPT_EIO);
    assert_non_null(strstr(err_message(), "no temporary file can be made for the hashes"));
    repeats_free(repeats);
}

static ImportFile seen_files[2];
static size_t n_seen_files;

static void note_file(void *context, const ImportFile *file)
{
    assert_true(n_seen_files < 2);
    seen_files[n_seen_files++] = *file;
}

/* The same 40,000 games twice: what is left is the first time, and the corpus is written again. */
static void games_of_an_earlier_file_are_left_out(void **state)
{
    enum { GAMES = 40000 };
    static const ImportWatch watch = {.file = note_file};
    const char *files[2];
    char kept[FILES_PATH_MAX];
    ImportOptions options = import_options(6);
    ImportResult result;
    GenerateResult made;
    CorpusReport report;
    Corpus *random = NULL;
    bool unchanged = false;
    make_corpus(&made, "random", 6, 3, GAMES);
    const ExportOptions text = {.format = EXPORT_TEXT};
    snprintf(kept, sizeof(kept), "%s", at("games"));
    assert_int_equal(corpus_open(&random, at("random"), false), 0);
    assert_int_equal(export_games(&unchanged, random, kept, &text, NULL, NULL), 0);
    corpus_close(random);
    files[0] = files[1] = kept;
    const ImportDedupe ways[] = {DEDUPE_EXACT, DEDUPE_NONE};
    for (int way = 0; way < 2; way++) {
        options.dedupe = ways[way];
        n_seen_files = 0;
        corpus_remove("imported");
        assert_int_equal(import_games(&result, at("imported"), files, 2, &options, NULL, &watch),
                         0);
        assert_int_equal(n_seen_files, 2);
        const uint64_t left = way == 0 ? GAMES : 2 * GAMES;
        assert_int_equal(result.counts.games, left);
        assert_int_equal(result.counts.duplicates, GAMES);
        assert_int_equal(seen_files[0].counts.duplicates, 0);
        assert_int_equal(seen_files[0].counts.games, GAMES);
        assert_int_equal(seen_files[1].counts.duplicates, GAMES);
        assert_int_equal(seen_files[1].counts.games, left - GAMES);
        assert_int_equal(strcmp(result.content_hash, made.content_hash) == 0, way == 0);
        assert_int_equal(corpus_verify(&report, at("imported"), NULL, NULL), 0);
        assert_int_equal(report.games, left);
        assert_int_equal(report.duplicates, way == 0 ? 0 : GAMES);
        assert_int_equal(report.findings, 0);
    }
    /* The same with an allocation failing: nothing is left, and it ends with the same games. */
    options.dedupe = DEDUPE_EXACT;
    int rc = OGPT_ENOMEM;
    for (uint64_t i = 1; rc == OGPT_ENOMEM; i += 7) {
        corpus_remove("imported");
        mem_fail_at(i, 0);
        rc = import_games(&result, at("imported"), files, 2, &options, NULL, NULL);
        mem_fail_at(0, 0);
        if (rc == OGPT_ENOMEM) {
            assert_nothing_made();
        }
    }
    assert_int_equal(rc, 0);
    assert_string_equal(result.content_hash, made.content_hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_are_those_of_a_plain_set),
        cmocka_unit_test(faults_are_said),
        cmocka_unit_test(games_of_an_earlier_file_are_left_out),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
