/* tests/fuzz/fuzz_corpus.c - corpus files that anybody may have made. A file that verifies without
 * a finding must give exactly the games of its content hash. The second bit of the first byte
 * leaves verification out; its first bit is 0: a sound file of 40 games in pages of 1 KiB, with the
 * bytes named by the input (place of two bytes, new value) replaced: damage as a disk does it; 1: a
 * file of the right tables, but without types and constraints, whose rows hold what the input says:
 * what a hostile program can write. Checksums and hash are put right unless the input overrides
 * them. */
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
static const DbSchema loose_tables = {
    .application_id = CORPUS_APPLICATION_ID,
    .version = CORPUS_SCHEMA_VERSION,
    .create_sql =
        "CREATE TABLE meta (id, size, source, seed, generator, n_games, plies, content_hash);"
        "CREATE TABLE blocks (block, first_game, n_games, moves, checksum)"};

static uint8_t *sound; /* the bytes of the sound file */
static size_t n_sound;
static Db *loose; /* kept open; its journal is in memory */
static char loose_path[512];
static uint8_t games[GAMES * STRIDE];

static void must(int rc)
{
    fuzz_require(rc == 0, "the target can make its files");
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
    db_close(db);
    must(corpus_open(&corpus, path, false));
    must(corpus_read(corpus, games, 0, GAMES));
    corpus_close(corpus);
    must(file_read_all(&bytes, &n_sound, path, 1 << 20));
    sound = bytes;
    snprintf(loose_path, sizeof(loose_path), "%s/loose.ogpc", fuzz_dir());
    must(db_open(&loose, loose_path, DB_CREATE, &loose_tables));
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
    must(db_prepare(&stmt, loose, "INSERT INTO blocks VALUES (?1,?2,?3,?4,?5)"));
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
    return loose_path;
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
