/* tests/datasets/import_test.h - what the tests of importing share: files from text, an import
 * that remembers the first rejected game, and its result. */
#ifndef OGPT_TESTS_DATASETS_IMPORT_TEST_H
#define OGPT_TESTS_DATASETS_IMPORT_TEST_H

#include "tests/datasets/datasets_test.h"

#include "datasets/export.h"
#include "datasets/import.h"
#include "datasets/vocab.h"
#include "game/notation.h"
#include "tests/there.h"

/* The first rejected game of the last import. */
typedef struct Rejected {
    uint64_t n, place;
    int ply;
    char counts[8], reason[RAW_FAULT_SIZE];
    Board board;
} Rejected;

static Rejected rejected;

static inline void remember_reject(void *context, const ImportReject *reject)
{
    if (rejected.n++ > 0) {
        return;
    }
    rejected.place = reject->place;
    rejected.ply = reject->ply;
    rejected.board = *reject->board;
    snprintf(rejected.counts, sizeof(rejected.counts), "%s", reject->counts);
    snprintf(rejected.reason, sizeof(rejected.reason), "%s", reject->reason);
}

static inline ImportOptions import_options(int size)
{
    return (ImportOptions){.check = {.variant = game_variant(size), .first_move = SQ_NONE},
                           .read = {.format = "auto"}};
}

static inline ReadOptions read_options(const char *format)
{
    const Vocab *vocab = vocab_of(game_variant(8));
    return (ReadOptions){.variant = vocab->variant,
                         .format = format,
                         .sq_of_tok = vocab->sq_of_tok,
                         .n_tokens = vocab->d_vocab};
}

/* Path of `name` that stays valid, unlike at(): some calls keep it longer. */
static inline const char *path_of(const char *name)
{
    static char paths[4][FILES_PATH_MAX];
    static const char *const names[] = {"games", "imported", "first", "second"};
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(names[i], name) == 0) {
            snprintf(paths[i], sizeof(paths[i]), "%s/%s", run_folder, name);
            return paths[i];
        }
    }
    fail_msg("no permanent path for %s", name);
    return NULL;
}

/* Import one file of the directory into the corpus "imported", made anew. */
static inline int import_into(ImportResult *out, const char *name, const ImportOptions *options)
{
    static const ImportWatch watch = {.reject = remember_reject};
    const char *file = at(name);
    corpus_remove("imported");
    rejected = (Rejected){0};
    return import_games(out, at("imported"), &file, 1, options, NULL, &watch);
}

static inline void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

/* Import a text as it is, with success. */
static inline ImportResult import_text(const char *text)
{
    const ImportOptions options = import_options(8);
    ImportResult result;
    put_text("games", text);
    const int rc = import_into(&result, "games", &options);
    if (rc != 0) {
        fail_msg("%s", err_message());
    }
    return result;
}

/* Moves of game `game` of the corpus "imported" as text, valid until the next call. */
static inline const char *imported_game(uint64_t game)
{
    static char line[3 * GAME_MAX_MOVES + 1];
    uint8_t moves[GAME_MAX_MOVES];
    Corpus *corpus = NULL;
    assert_int_equal(corpus_open(&corpus, at("imported"), false), 0);
    const int stride = corpus_info(corpus)->variant->n_moves;
    assert_int_equal(corpus_read(corpus, moves, game, 1), 0);
    moves_print(line, moves, game_length(moves, stride));
    corpus_close(corpus);
    return line;
}

/* There is neither a corpus nor a part of one. */
static inline void assert_nothing_made(void)
{
    char **names = NULL;
    size_t n = 0;
    assert_false(file_exists(at("imported")));
    assert_int_equal(dir_list(&names, &n, run_folder), 0);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(names[i], ".tmp-", 5) == 0) {
            fail_msg("%s was left behind", names[i]);
        }
    }
    names_free(names, n);
}

/* One bad game in a file: where and why it must be refused. */
typedef struct BadGame {
    const char *what, *text;
    size_t n_bytes; /* 0: strlen */
    uint64_t place;
    int ply;
    const char *reason;
} BadGame;

/* Without skip_bad no corpus; with it the other games, and only those. */
static inline void assert_bad(const BadGame *bad, ImportOptions options, uint64_t n_others)
{
    ImportResult result;
    put("games", bad->text, bad->n_bytes > 0 ? bad->n_bytes : strlen(bad->text));
    for (int skip = 0; skip < 2; skip++) {
        options.skip_bad = skip == 1;
        const int rc = import_into(&result, "games", &options);
        if (rc != 0) {
            fail_msg("%s: %s", bad->what, err_message());
        }
        if (rejected.n != 1 || result.counts.rejected != 1 || rejected.place != bad->place ||
            rejected.ply != bad->ply || !strstr(rejected.reason, bad->reason)) {
            fail_msg("%s: expected one game rejected at place %llu, ply %d, \"%s\"; found %llu, "
                     "place %llu, ply %d, \"%s\"",
                     bad->what, (unsigned long long)bad->place, bad->ply, bad->reason,
                     (unsigned long long)rejected.n, (unsigned long long)rejected.place,
                     rejected.ply, rejected.reason);
        }
        assert_int_equal(result.counts.games, skip == 0 ? 0 : n_others);
        assert_int_equal(result.refused, skip == 0);
        for (const char *c = rejected.reason; *c != '\0'; c++) {
            assert_in_range((unsigned char)*c, 0x20, 0x7e);
        }
        if (skip == 0) {
            assert_nothing_made();
        } else {
            CorpusReport report;
            assert_int_equal(corpus_verify(&report, at("imported"), NULL, NULL), 0);
            assert_int_equal(report.findings, 0);
            assert_int_equal(report.games, n_others);
        }
    }
}

#endif
