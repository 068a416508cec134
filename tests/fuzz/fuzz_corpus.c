/* tests/fuzz/fuzz_corpus.c - corpus files that anybody may have made. A file that verifies without
 * a finding must give exactly the games of its content hash. The second bit of the first byte
 * leaves verification out; its first bit is 0: a sound file of 40 games in pages of 1 KiB, with the
 * bytes named by the input (place of two bytes, new value) replaced: damage as a disk does it; 1: a
 * file whose rows hold what the input says, of any type: what a hostile program can write. Such
 * rows are written into tables without types and constraints; then the text of the tables, which
 * has the same length, is replaced by ours, because any other text is refused before a row is read.
 * Checksums and hash are put right unless the input overrides them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/files.h"
#include "datasets/corpus.h"
#include "datasets/generate.h"
#include "base/database/db.h"
#include "tests/fuzz/fuzz.h"

#define GAMES 40
#define STRIDE 12 /* of a game on 4x4 */

static const DbSchema no_tables = {
    .application_id = CORPUS_APPLICATION_ID, .version = CORPUS_SCHEMA_VERSION, .create_sql = ""};
/* The tables without types and constraints; a comment before the last bracket makes each as long as
 * ours. */
static const char *const table_names[] = {"meta", "blocks"};
static const char *const loose_columns[] = {
    "id, size, source, seed, generator, n_games, plies, content_hash",
    "block, first_game, n_games, moves, checksum"};
#define N_TABLES 2
#define TEXT_BYTES 600

static uint8_t *sound; /* the bytes of the sound file */
static size_t n_sound;
static Db *loose; /* kept open; its journal is in memory */
static char loose_path[512];
static char our_texts[N_TABLES][TEXT_BYTES], loose_texts[N_TABLES][TEXT_BYTES];
static uint8_t games[GAMES * STRIDE];

static void must(int rc)
{
    fuzz_require(rc == 0, "the target can make its files");
}

/* Our text of each table, from a sound file, and a loose one of the same length. */
static void texts_make(Db *db)
{
    for (int t = 0; t < N_TABLES; t++) {
        DbStmt *row = NULL;
        must(db_prepare(&row, db, "SELECT sql FROM sqlite_schema WHERE name = ?1"));
        db_bind_text(row, 1, table_names[t]);
        fuzz_require(db_step(row) == 1, "the sound file has the table");
        snprintf(our_texts[t], TEXT_BYTES, "%s", db_column_text(row, 0));
        db_finalize(row);
        char *text = loose_texts[t];
        const int n = (int)strlen(our_texts[t]);
        const int used =
            snprintf(text, TEXT_BYTES, "CREATE TABLE %s (%s", table_names[t], loose_columns[t]);
        fuzz_require(used + 5 <= n, "a comment fits");
        snprintf(text + used, (size_t)(TEXT_BYTES - used), "/*%*s*/)", n - used - 5, "");
    }
}

static void files_make(void)
{
    char path[512];
    GenerateResult result;
    Db *db = NULL;
    Corpus *corpus = NULL;
    void *bytes = NULL;
    snprintf(path, sizeof(path), "%s/sound.ogpc", fuzz_dir());
    must(generate_corpus(&result, path, game_variant(4), GAMES, &(Work){.seed = 1}));
    must(db_open(&db, path, DB_WRITE, &no_tables));
    must(db_exec(db, "PRAGMA journal_mode=DELETE; PRAGMA page_size=1024; VACUUM"));
    texts_make(db);
    db_close(db);
    must(corpus_open(&corpus, path, false));
    must(corpus_read(corpus, games, 0, GAMES));
    corpus_close(corpus);
    must(file_read_all(&bytes, &n_sound, path, 1 << 20));
    sound = bytes;
    snprintf(loose_path, sizeof(loose_path), "%s/loose.ogpc", fuzz_dir());
    char loose_tables[N_TABLES * TEXT_BYTES];
    snprintf(loose_tables, sizeof(loose_tables), "%s;%s", loose_texts[0], loose_texts[1]);
    must(db_open(&loose, loose_path, DB_CREATE,
                 &(DbSchema){.application_id = CORPUS_APPLICATION_ID,
                             .version = CORPUS_SCHEMA_VERSION,
                             .create_sql = loose_tables}));
    must(db_exec(loose, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF"));
}

/* ---- damage ---- */

static const char *damaged_file(FuzzInput *input)
{
    static uint8_t *bytes;
    if (!bytes) {
        bytes = mem_alloc(n_sound, 1, "damaged file");
    }
    memcpy(bytes, sound, n_sound);
    while (input->n >= 3) {
        const size_t place = (size_t)fuzz_number(input, 2) % n_sound;
        bytes[place] = fuzz_byte(input);
    }
    /* Two bytes left over: the file is cut short. */
    const size_t n = input->n == 2 ? (size_t)fuzz_number(input, 2) % n_sound : n_sound;
    return fuzz_file("damaged.ogpc", bytes, n);
}

/* ---- rows ---- */

/* Bind what the input says in place of a sound value: nothing, a number, text, a blob. */
static bool bind_override(DbStmt *stmt, int index, FuzzInput *input, char *text, size_t room)
{
    size_t n = 0;
    const uint8_t *bytes;
    switch (fuzz_byte(input)) {
    case 1: db_bind_text(stmt, index, NULL); return true;
    case 2: db_bind_int(stmt, index, (int64_t)fuzz_number(input, 1)); return true;
    case 3: db_bind_int(stmt, index, (int64_t)fuzz_number(input, 8)); return true;
    case 4: db_bind_num(stmt, index, (double)fuzz_number(input, 2) / 7); return true;
    case 5:
    case 6:
        bytes = fuzz_until(&n, input, 0);
        n = n < room - 1 ? n : room - 1;
        memcpy(text, bytes, n);
        text[n] = '\0';
        db_bind_text(stmt, index, text);
        return true;
    case 7:
        bytes = fuzz_until(&n, input, 0);
        db_bind_blob(stmt, index, bytes, n);
        return true;
    default: return false;
    }
}

static void meta_write(FuzzInput *input, const char *content_hash, int64_t plies)
{
    static char texts[8][80];
    const struct {
        const char *text; /* NULL: the number */
        int64_t number;
    } values[8] = {{NULL, 1}, {NULL, 4},     {"import", 0}, {NULL, 0},
                   {"", 0},   {NULL, GAMES}, {NULL, plies}, {content_hash, 0}};
    DbStmt *stmt = NULL;
    must(db_prepare(&stmt, loose, "INSERT INTO meta VALUES (?1,?2,?3,?4,?5,?6,?7,?8)"));
    for (int i = 0; i < 8; i++) {
        if (bind_override(stmt, i + 1, input, texts[i], sizeof(texts[i]))) {
            continue;
        }
        if (values[i].text) {
            db_bind_text(stmt, i + 1, values[i].text);
        } else {
            db_bind_int(stmt, i + 1, values[i].number);
        }
    }
    must(db_step(stmt));
    db_finalize(stmt);
}

static void block_write(FuzzInput *input, int64_t block, const uint8_t *moves, size_t n_bytes)
{
    static char texts[5][80];
    DbStmt *stmt = NULL;
    must(db_prepare(&stmt, loose,
                    "INSERT INTO blocks (rowid, block, first_game, n_games, moves,"
                    " checksum) VALUES (?6,?1,?2,?3,?4,?5)"));
    db_bind_int(stmt, 6, block); /* our column `block` is the row's number */
    const int64_t values[5] = {block, block * CORPUS_BLOCK_GAMES, (int64_t)(n_bytes / STRIDE), 0,
                               (int64_t)xxh3(moves, n_bytes)};
    for (int i = 0; i < 5; i++) {
        if (bind_override(stmt, i + 1, input, texts[i], sizeof(texts[i]))) {
            continue;
        }
        if (i == 3) {
            db_bind_blob(stmt, i + 1, moves, n_bytes);
        } else {
            db_bind_int(stmt, i + 1, values[i]);
        }
    }
    must(db_step(stmt));
    db_finalize(stmt);
}

/* The loose file as it is now, with the text of our tables. */
static const char *with_our_texts(void)
{
    void *bytes = NULL;
    size_t n = 0;
    must(file_read_all(&bytes, &n, loose_path, 1 << 20));
    for (int t = 0; t < N_TABLES; t++) {
        static size_t places[N_TABLES]; /* the tables are never changed, so neither are these */
        const size_t length = strlen(loose_texts[t]);
        size_t *at = &places[t];
        while (*at + length <= n && memcmp((char *)bytes + *at, loose_texts[t], length) != 0) {
            ++*at;
        }
        fuzz_require(*at + length <= n, "the loose file has the text of its table");
        memcpy((char *)bytes + *at, our_texts[t], length);
    }
    const char *path = fuzz_file("rows.ogpc", bytes, n);
    mem_free(bytes);
    return path;
}

/* One byte: how many rows; then for each game changed, its number, ply and square, up to 255;
 * then the overrides of the meta row and of each block. */
static const char *loose_file(FuzzInput *input)
{
    uint8_t moves[sizeof(games)];
    char hash[HASH_HEX_SIZE];
    int64_t plies = 0;
    memcpy(moves, games, sizeof(moves));
    const int n_blocks = fuzz_byte(input) % 4;
    for (uint8_t game; (game = fuzz_byte(input)) != 0;) {
        const size_t ply = fuzz_byte(input) % STRIDE;
        moves[game % GAMES * STRIDE + ply] = fuzz_byte(input);
    }
    for (size_t i = 0; i < sizeof(moves); i++) {
        plies += moves[i] != SQ_NONE;
    }
    sha256_of(hash, moves, sizeof(moves));
    must(db_exec(loose, "BEGIN; DELETE FROM meta; DELETE FROM blocks"));
    meta_write(input, hash, plies);
    for (int block = 0; block < n_blocks; block++) {
        block_write(input, block, moves, sizeof(moves));
    }
    must(db_exec(loose, "COMMIT"));
    return with_our_texts();
}

/* Rows that nothing overrides make a sound file: so what is refused, is refused for its rows. */
static void loose_check(void)
{
    static const uint8_t one_block[] = {1, 0};
    CorpusReport report;
    FuzzInput input = {one_block, sizeof(one_block)};
    fuzz_require(corpus_verify(&report, loose_file(&input), NULL, NULL) == 0 &&
                     report.findings == 0,
                 "a file of loose rows can be sound");
}

/* ---- what must hold ---- */

/* Games that can be read have the content hash that verification has found right. */
static void games_check(Corpus *corpus, bool clean)
{
    const CorpusInfo *info = corpus_info(corpus);
    if (info->n_games > 1 << 16 || !info->complete) {
        return;
    }
    const size_t n_bytes = (size_t)info->n_games * (size_t)info->variant->n_moves;
    uint8_t *moves = mem_alloc(n_bytes, 1, "games");
    const int rc = corpus_read(corpus, moves, 0, info->n_games);
    fuzz_require(!clean || rc == 0, "games of a clean file can be read");
    if (clean && rc == 0) {
        char hash[HASH_HEX_SIZE];
        fuzz_plant(moves, n_bytes);
        sha256_of(hash, moves, n_bytes);
        fuzz_require(strcmp(hash, info->content_hash) == 0, "and are those of the content hash");
    }
    mem_free(moves);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    CorpusReport report;
    Corpus *corpus = NULL;
    if (!sound) {
        files_make();
        loose_check();
    }
    const uint8_t way = fuzz_byte(&input);
    const char *path = way % 2 == 0 ? damaged_file(&input) : loose_file(&input);
    bool clean = false;
    if (way % 4 < 2) { /* else as a reader that never verifies */
        clean = corpus_verify(&report, path, NULL, NULL) == 0 && report.findings == 0;
        if (!clean) {
            return 0;
        }
    }
    const int rc = corpus_open(&corpus, path, true);
    fuzz_require(!clean || rc == 0, "a clean file can be opened");
    if (rc == 0) {
        games_check(corpus, clean);
    }
    corpus_close(corpus);
    return 0;
}
