/* tests/datasets/datasets_test.h - what the tests of datasets/ share: a directory of their own,
 * one way to ask for a failure with its message, and damage done to corpus files. */
#ifndef OGPT_TESTS_DATASETS_TEST_H
#define OGPT_TESTS_DATASETS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "datasets/corpus.h"
#include "datasets/generate.h"
#include "store/db.h"

static char work[256]; /* the directory of this run */

static inline int work_create(void **state)
{
    const char *base = getenv("TMPDIR");
    snprintf(work, sizeof work, "%s/ogpt-datasets-XXXXXX", base == NULL ? "/tmp" : base);
    return mkdtemp(work) == NULL ? -1 : 0;
}

static inline int work_remove(void **state)
{
    return dir_remove(work);
}

/* Path of `name` in the directory, valid until the fourth call from now. */
static inline const char *at(const char *name)
{
    static char paths[4][FILES_PATH_MAX];
    static size_t turn;
    char *path = paths[turn++ % 4];
    assert_int_equal(path_join(path, work, name), 0);
    return path;
}

/* Remove a corpus file and what SQLite and the lock leave beside it. */
static inline void corpus_remove(const char *name)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[FILES_PATH_MAX];
        snprintf(path, sizeof path, "%s/%s%s", work, name, suffixes[i]);
        remove(path);
    }
}

/* The call failed with `code` and its one-line message holds `text`. */
static inline void assert_refused(int found, int code, const char *text)
{
    if (found != code || strstr(err_message(), text) == NULL) {
        fail_msg("expected code %d and \"%s\", found %d and \"%s\"", code, text, found,
                 err_message());
    }
    assert_null(strchr(err_message(), '\n'));
}

static inline bool is_sanitized(void)
{
    const char *value = getenv("OGPT_SANITIZED");
    return value != NULL && strcmp(value, "1") == 0;
}

/* A corpus of random games at `name`, made on the calling thread. */
static inline void make_corpus(GenerateResult *out, const char *name, int size, uint64_t seed,
                               uint64_t n_games)
{
    GenerateResult result;
    corpus_remove(name);
    assert_int_equal(
        generate_corpus(&result, at(name), game_variant(size), seed, n_games, NULL, NULL, NULL), 0);
    if (out != NULL) {
        *out = result;
    }
}

static const DbSchema corpus_schema = {
    .application_id = CORPUS_APPLICATION_ID, .version = CORPUS_SCHEMA_VERSION, .create_sql = ""};

/* Run statements on a corpus file behind the back of datasets/. */
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
