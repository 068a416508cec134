/* tests/datasets/datasets_test.h - what the tests of datasets/ share in addition to those of
 * base/: corpora to work on, and damage to corpus files. */
#ifndef OGPT_TESTS_DATASETS_DATASETS_TEST_H
#define OGPT_TESTS_DATASETS_DATASETS_TEST_H

#include "tests/base/base_test.h"

#include "datasets/corpus.h"
#include "datasets/generate.h"
#include "base/database/db.h"

/* Remove a corpus file and the files of SQLite and of the lock next to it. */
static inline void corpus_remove(const char *name)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        char path[FILES_PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s%s", run_folder, name, suffixes[i]);
        remove(path);
    }
}

static inline bool is_sanitized(void)
{
    const char *value = getenv("OGPT_SANITIZED");
    return value && strcmp(value, "1") == 0;
}

/* A corpus of random games at `name`, made on the calling thread. */
static inline void make_corpus(GenerateResult *out, const char *name, int size, uint64_t seed,
                               uint64_t n_games)
{
    GenerateResult result;
    corpus_remove(name);
    assert_int_equal(
        generate_corpus(&result, at(name), game_variant(size), n_games, &(Work){.seed = seed}), 0);
    if (out) {
        *out = result;
    }
}

static const DbSchema corpus_schema = {.application_id = CORPUS_APPLICATION_ID,
                                       .version = CORPUS_SCHEMA_VERSION,
                                       .create_sql = "",
                                       .oldest = 1};

/* Run statements on a corpus file without the knowledge of datasets/. */
static inline void corpus_sql(const char *name, const char *sql)
{
    Db *db = NULL;
    assert_int_equal(db_open(&db, at(name), DB_WRITE, &corpus_schema), 0);
    if (db_exec(db, sql) != 0) {
        fail_msg("%s", err_message());
    }
    db_close(db);
}

#endif
