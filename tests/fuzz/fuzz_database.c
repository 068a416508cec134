/* tests/fuzz/fuzz_database.c - results databases and corpora that anybody may have made, page by
 * page, read by the functions that the commands read them with. First byte, by its bits: 1: a
 * corpus, else a results database; 2: its rows hold what the input says next, of any type and size;
 * 4: the rest of the input is damage (pages.h); 8: read without the checks of `ogpt verify`; 16 and
 * 32: which command reads a results database.
 *
 * What must hold: rows that are of the types of their columns are read as they were written; two
 * readers of one file read the same rows; a corpus that verifies without a finding gives the games
 * of its content hash.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/files.h"
#include "base/hash.h"
#include "datasets/corpus.h"
#include "datasets/generate.h"
#include "store/check.h"
#include "tests/fuzz/pages.h"

#define GAMES 40
#define STRIDE 12 /* of a game on 4x4 */
#define ROWS_MAX 6
#define FILE_BYTES_MAX (64 << 10)
#define TEXT_BYTES 500
#define RESULTS 0
#define CORPUS 1

/* A sound file, and where its tables begin. */
typedef struct SoundFile {
    void *bytes;
    size_t n;
    uint32_t roots[2]; /* perft and perft_by_run; meta and blocks */
} SoundFile;

static const DbSchema corpus_tables = {
    .application_id = CORPUS_APPLICATION_ID, .version = CORPUS_SCHEMA_VERSION, .create_sql = ""};
static const DbSchema results_tables = {
    .application_id = STORE_APPLICATION_ID, .version = STORE_SCHEMA_VERSION, .create_sql = ""};
static SoundFile sound[2];
static uint8_t games[GAMES * STRIDE];
static char content_hash[HASH_HEX_SIZE];

static void must(int rc)
{
    fuzz_require(rc == 0, "the target can make its files");
}

/* ---- the sound files ---- */

/* The whole file with small pages and without a log; where `names` begin. */
static void sound_take(SoundFile *out, const char *path, const DbSchema *any,
                       const char *const names[2])
{
    Db *db = NULL;
    DbStmt *row = NULL;
    must(db_open(&db, path, DB_WRITE, any));
    must(db_exec(db, "PRAGMA journal_mode=DELETE; PRAGMA page_size=1024; VACUUM"));
    must(db_prepare(&row, db, "SELECT rootpage FROM sqlite_schema WHERE name = ?1"));
    for (int i = 0; i < 2; i++) {
        db_bind_text(row, 1, names[i]);
        fuzz_require(db_step(row) == 1, "the sound file has the table");
        out->roots[i] = (uint32_t)db_column_int(row, 0);
        db_reset(row);
    }
    db_finalize(row);
    db_close(db);
    must(file_read_all(&out->bytes, &out->n, path, FILE_BYTES_MAX));
}

static void sample_corpus(void)
{
    static const char *const names[2] = {"meta", "blocks"};
    char path[512];
    GenerateResult result;
    Corpus *corpus = NULL;
    snprintf(path, sizeof(path), "%s/sound.ogpc", fuzz_dir());
    must(generate_corpus(&result, path, game_variant(4), GAMES, &(Work){.seed = 1}));
    must(corpus_open(&corpus, path, false));
    must(corpus_read(corpus, games, 0, GAMES));
    snprintf(content_hash, sizeof(content_hash), "%s", corpus_info(corpus)->content_hash);
    corpus_close(corpus);
    sound_take(&sound[CORPUS], path, &corpus_tables, names);
}

/* Two runs with rows of three kinds. The tables of the other kinds go, as in a file of an earlier
 * program, which makes the file small. */
static void results_make(void)
{
    static const char *const names[2] = {"perft", "perft_by_run"};
    static const char gone[] =
        "SELECT 'DROP ' || type || ' ' || name FROM sqlite_schema WHERE type IN ('view', 'table')"
        " AND name NOT LIKE 'sqlite%' AND name NOT IN ('runs', 'perft', 'eval', 'checkpoints',"
        " 'last_evals') ORDER BY type DESC";
    static const RunStart start = {.command = "perft",
                                   .command_line = "ogpt perft 3",
                                   .options_json = "{\"depth\": 3}",
                                   .versions_json = "{}",
                                   .machine = "m"};
    char path[512], drops[128][80];
    size_t n_drops = 0;
    Store *store = NULL;
    Db *db = NULL;
    DbStmt *row = NULL;
    snprintf(path, sizeof(path), "%s/sound.db", fuzz_dir());
    must(store_open(&store, path));
    for (int i = 0; i < 2; i++) {
        int64_t run;
        Js *result = js_object();
        must(store_run_begin(store, &run, &start));
        js_set_int(result, "positions", 7);
        js_set_num(result, "strict_error", 0.25);
        js_set_str(result, "model_hash", content_hash);
        must(store_add(store, run, "eval", result));
        must(store_run_end(store, run, "done", NULL));
        js_free(result);
    }
    store_close(store);
    must(db_open(&db, path, DB_WRITE, &results_tables));
    must(db_prepare(&row, db, gone));
    while (db_step(row) == 1 && n_drops < sizeof(drops) / sizeof(drops[0])) {
        snprintf(drops[n_drops++], sizeof(drops[0]), "%s", db_column_text(row, 0));
    }
    db_finalize(row);
    for (size_t i = 0; i < n_drops; i++) {
        must(db_exec(db, drops[i]));
    }
    db_close(db);
    sound_take(&sound[RESULTS], path, &results_tables, names);
}

/* ---- rows ---- */

/* Rows of perft: row, run, depth, size, nodes, seconds. */
typedef struct PerftRows {
    PageValue values[ROWS_MAX][6];
    char texts[ROWS_MAX][6][TEXT_BYTES];
    size_t n;
    bool typed; /* each value is of its column's type, and of run 1 */
} PerftRows;

/* One byte: how many rows; then the overrides of each. */
static void perft_write(PerftRows *rows, PagesFile *file, FuzzInput *input)
{
    static const PageType types[6] = {PAGE_NULL, PAGE_INT, PAGE_INT, PAGE_INT, PAGE_INT, PAGE_REAL};
    const size_t n = fuzz_byte(input) % (ROWS_MAX + 1);
    leaf_begin(file, sound[RESULTS].roots[0], PAGE_TABLE_LEAF);
    leaf_begin(file, sound[RESULTS].roots[1], PAGE_INDEX_LEAF);
    rows->typed = true;
    for (rows->n = 0; rows->n < n; rows->n++) {
        PageValue *values = rows->values[rows->n];
        const int64_t row = (int64_t)rows->n + 1;
        for (int i = 0; i < 6; i++) {
            values[i] = (PageValue){types[i], .number = i == 1 ? 1 : row * 1000 + i, .real = 0.5};
            if (value_override(&values[i], rows->texts[rows->n][i], TEXT_BYTES, input)) {
                rows->typed =
                    rows->typed && i > 1 && (values[i].type == types[i] || !values[i].type);
            }
        }
        const PageValue entry[2] = {values[1], {PAGE_INT, .number = row}};
        if (!leaf_add(file, sound[RESULTS].roots[0], row, values, 6)) {
            break;
        }
        rows->typed = leaf_add(file, sound[RESULTS].roots[1], 0, entry, 2) && rows->typed;
    }
}

/* The meta row and one block, each value as it should be or as the input says. */
static void games_write(PagesFile *file, FuzzInput *input)
{
    static char texts[13][TEXT_BYTES];
    int64_t plies = 0;
    for (size_t i = 0; i < sizeof(games); i++) {
        plies += games[i] != SQ_NONE;
    }
    PageValue meta[8] = {{.type = PAGE_NULL},
                         {PAGE_INT, .number = 4},
                         {PAGE_TEXT, .bytes = "random", .n = 6},
                         {PAGE_INT, .number = 1},
                         {PAGE_TEXT, .bytes = "import", .n = 6},
                         {PAGE_INT, .number = GAMES},
                         {PAGE_INT, .number = plies},
                         {PAGE_TEXT, .bytes = content_hash, .n = HASH_HEX_SIZE - 1}};
    PageValue block[5] = {{.type = PAGE_NULL},
                          {PAGE_INT, .number = 0},
                          {PAGE_INT, .number = GAMES},
                          {PAGE_BLOB, .bytes = games, .n = sizeof(games)},
                          {PAGE_INT, .number = (int64_t)xxh3(games, sizeof(games))}};
    for (int i = 0; i < 8; i++) {
        value_override(&meta[i], texts[i], TEXT_BYTES, input);
    }
    for (int i = 0; i < 5; i++) {
        value_override(&block[i], texts[8 + i], TEXT_BYTES, input);
    }
    leaf_begin(file, sound[CORPUS].roots[0], PAGE_TABLE_LEAF);
    leaf_begin(file, sound[CORPUS].roots[1], PAGE_TABLE_LEAF);
    leaf_add(file, sound[CORPUS].roots[0], 1, meta, 8);
    leaf_add(file, sound[CORPUS].roots[1], 0, block, 5);
}

/* ---- what must hold ---- */

static void value_check(const Js *found, const PageValue *expected, bool real)
{
    if (expected->type == PAGE_NULL) {
        fuzz_require(js_type(found) == JS_NULL, "nothing is read as nothing");
    } else if (real) {
        double value = js_num_of(found);
        fuzz_plant(&value, sizeof(value));
        fuzz_require(value == expected->real, "a number is read as it was written");
    } else {
        int64_t value = js_int_of(found);
        fuzz_plant(&value, sizeof(value));
        fuzz_require(value == expected->number, "a whole number is read as it was written");
    }
}

static void perft_check(Store *store, const PerftRows *rows)
{
    static const char *const names[6] = {"row", "run", "depth", "size", "nodes", "seconds"};
    Js *found = NULL;
    must(store_rows(&found, store, "perft", 1));
    fuzz_require(js_length(found) == rows->n, "every row is read");
    for (size_t i = 0; i < rows->n && i < js_length(found); i++) {
        for (int j = 2; j < 6; j++) {
            value_check(js_member(js_at(found, i), names[j]), &rows->values[i][j], j == 5);
        }
    }
    js_free(found);
}

/* The rows of a run by `runs show` and by the tables that are made of a kind. */
static void readers_agree(Store *store, int64_t run, const char *kind)
{
    Js *shown = NULL, *rows = NULL;
    char *one = NULL, *other = NULL;
    if (store_show(&shown, store, run) == 0 && store_rows(&rows, store, kind, run) == 0) {
        const Js *there = js_member(js_member(shown, "results"), kind);
        must(js_print(&one, rows, 0));
        if (there) {
            must(js_print(&other, there, 0));
            fuzz_plant(other, strlen(other));
        }
        fuzz_require(strcmp(one, other ? other : "[]") == 0, "two readers read the same rows");
    }
    mem_free(one);
    mem_free(other);
    js_free(rows);
    js_free(shown);
}

static void finding_ignore(void *context, const char *line)
{
    (void)context;
    fuzz_require(line[0] != '\0' && !strchr(line, '\n'), "a finding is one line");
}

/* As `runs list`, `runs show` or `runs table` does. */
static void runs_read(Store *store, int reader)
{
    Js *runs = NULL, *main = NULL, *view = NULL;
    if (store_list(&runs, store, reader == 3 ? 1 : 0) == 0) {
        const int64_t newest = js_int_of(js_member(js_at(runs, 0), "run"));
        switch (reader) {
        case 0: readers_agree(store, newest, newest % 2 ? "eval" : "perft"); break;
        case 1: store_main_results(&main, store, runs); break;
        case 2: store_view(&view, store, "last_evals", 0); break;
        default: break;
        }
    }
    js_free(view);
    js_free(main);
    js_free(runs);
}

static void results_read(const char *path, uint8_t way, const PerftRows *rows)
{
    Store *store = NULL;
    size_t n_runs;
    int rc = store_open_read(&store, path);
    fuzz_require(rc == 0 || !rows, "a file of sound pages is opened");
    if (rc == 0 && !(way & 8)) {
        if (way >> 4 & 1) {
            store_verify(&n_runs, store, finding_ignore, NULL);
        }
        rc = store_check(store);
        fuzz_require(rc == 0 || !rows || !rows->typed, "and passes the checks");
    }
    if (rc == 0 && rows && rows->typed) {
        perft_check(store, rows);
    }
    if (rc == 0) {
        runs_read(store, way >> 4 & 3);
    }
    store_close(store);
}

static void corpus_look(const char *path, bool checked, bool sound_file)
{
    Corpus *corpus = NULL;
    CorpusReport report;
    const bool clean =
        checked && corpus_verify(&report, path, NULL, NULL) == 0 && report.findings == 0;
    fuzz_require(clean || !sound_file || !checked, "a sound corpus verifies");
    if (checked && !clean) {
        return;
    }
    const int rc = corpus_open(&corpus, path, true);
    fuzz_require(!clean || rc == 0, "a clean file can be opened");
    const CorpusInfo *info = rc == 0 ? corpus_info(corpus) : NULL;
    if (info && info->n_games <= 1 << 16 && info->complete) {
        const size_t n_bytes = (size_t)info->n_games * (size_t)info->variant->n_moves;
        uint8_t *moves = mem_alloc(n_bytes, 1, "games");
        char hash[HASH_HEX_SIZE];
        if (corpus_read(corpus, moves, 0, info->n_games) == 0) {
            fuzz_plant(moves, n_bytes);
            sha256_of(hash, moves, n_bytes);
            fuzz_require(!clean || strcmp(hash, info->content_hash) == 0,
                         "a clean file gives the games of its content hash");
        }
        mem_free(moves);
    }
    corpus_close(corpus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[FILE_BYTES_MAX];
    static PerftRows rows;
    FuzzInput input = {data, size};
    if (!sound[CORPUS].bytes) {
        sample_corpus();
        results_make();
    }
    const uint8_t way = fuzz_byte(&input);
    const int kind = way & 1 ? CORPUS : RESULTS;
    PagesFile file = {.bytes = bytes, .n = sound[kind].n, .room = sizeof(bytes)};
    memcpy(bytes, sound[kind].bytes, sound[kind].n);
    rows.n = 0;
    rows.typed = true;
    const size_t n_before = input.n;
    if (way & 2 && kind == RESULTS) {
        perft_write(&rows, &file, &input);
    } else if (way & 2) {
        games_write(&file, &input);
    }
    const bool overridden = way & 2 && n_before > 0;
    if (way & 4) {
        pages_damage(&file, &input);
    }
    const bool damaged = way & 4;
    if (kind == RESULTS) {
        results_read(fuzz_file("fuzzed.db", bytes, file.n), way, damaged ? NULL : &rows);
    } else {
        corpus_look(fuzz_file("fuzzed.ogpc", bytes, file.n), !(way & 8), !damaged && !overridden);
    }
    return 0;
}
