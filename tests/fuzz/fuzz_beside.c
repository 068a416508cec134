/* tests/fuzz/fuzz_beside.c - what lies beside a database: a rollback journal, a write-ahead log,
 * its index. SQLite rolls back, deletes or overwrites them, and a journal can name any other file
 * to be deleted. First byte, by its bits: 1: a journal; 2: a log; 4: an index; 8: they are built
 * field by field, so that SQLite takes them, else they are the bytes of the input; 16: the corpus
 * is opened for writing, too; 32: the database is empty; 64: the database is missing.
 *
 * What must hold: the file that a journal may name keeps every byte; beside what is not SQLite's,
 * and beside a journal that names a file, nothing at all changes, and the database is refused; a
 * corpus that verifies gives the games of its content hash.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/database/db.h"
#include "datasets/corpus.h"
#include "datasets/generate.h"
#include "tests/fuzz/pages.h"

#define GAMES 40
#define FILE_BYTES_MAX (32 << 10)
#define N_FILES 5 /* the database, three beside it, the one that a journal may name */
#define PAGE PAGE_BYTES_FUZZED

static const char *const names[N_FILES] = {"a.ogpc", "a.ogpc-journal", "a.ogpc-wal", "a.ogpc-shm",
                                           "thesis.tex"};
static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
static const char thesis[] = "a file of somebody else\n";

typedef struct SmallFile {
    uint8_t bytes[FILE_BYTES_MAX];
    size_t n;
    bool there;
} SmallFile;

static SmallFile before[N_FILES];
static CorpusInfo sound_info;
static uint8_t *sound;
static size_t n_sound;

static const char *path_of(int file)
{
    static char paths[N_FILES][512];
    snprintf(paths[file], sizeof(paths[file]), "%s/%s", fuzz_dir(), names[file]);
    return paths[file];
}

static void must(bool holds)
{
    fuzz_require(holds, "the target can make its files");
}

static void sound_make(void)
{
    GenerateResult result;
    Corpus *corpus = NULL;
    Db *db = NULL;
    void *bytes = NULL;
    const char *path = path_of(0);
    const DbSchema any = {.application_id = CORPUS_APPLICATION_ID,
                          .version = CORPUS_SCHEMA_VERSION,
                          .create_sql = ""};
    must(generate_corpus(&result, path, game_variant(4), GAMES, &(Work){.seed = 1}) == 0);
    must(corpus_open(&corpus, path, false) == 0);
    sound_info = *corpus_info(corpus);
    corpus_close(corpus);
    must(db_open(&db, path, DB_WRITE, &any) == 0 &&
         db_exec(db, "PRAGMA journal_mode=DELETE; PRAGMA page_size=1024; VACUUM") == 0);
    db_close(db);
    must(file_read_all(&bytes, &n_sound, path, FILE_BYTES_MAX) == 0);
    sound = bytes;
}

/* ---- files that SQLite takes ---- */

static void file_add(SmallFile *file, const void *bytes, size_t n)
{
    n = n < FILE_BYTES_MAX - file->n ? n : FILE_BYTES_MAX - file->n;
    memcpy(file->bytes + file->n, bytes, n);
    file->n += n;
}

static void number_add(SmallFile *file, uint64_t value, size_t n_bytes)
{
    uint8_t bytes[8];
    big_endian_put(bytes, value, n_bytes);
    file_add(file, bytes, n_bytes);
}

/* A field as it should be, or, where the input begins with 1, as the input says. */
static uint32_t field(FuzzInput *input, uint32_t sound_value)
{
    return fuzz_byte(input) == 1 ? (uint32_t)fuzz_number(input, 4) : sound_value;
}

/* A page of the sound file with one byte as the input says. */
static void page_take(uint8_t page[PAGE], uint32_t number, FuzzInput *input)
{
    const size_t at = (size_t)(number > 0 ? number - 1 : 0) * PAGE % n_sound;
    memcpy(page, sound + at, PAGE);
    const size_t place = (size_t)fuzz_number(input, 2) % PAGE;
    page[place] ^= fuzz_byte(input);
}

/* The name of a super-journal: its length, its sum and the magic behind it. */
static void name_add(SmallFile *file, FuzzInput *input)
{
    char name[600] = "";
    size_t n = 0, sum = 0;
    const uint8_t *bytes;
    switch (fuzz_byte(input)) {
    case 1: snprintf(name, sizeof(name), "%s", path_of(4)); break;
    case 2: snprintf(name, sizeof(name), "%s", names[4]); break;
    case 3:
        bytes = fuzz_until(&n, input, 0);
        memcpy(name, bytes, n < 500 ? n : 500);
        break;
    default: return;
    }
    n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        sum += (uint8_t)name[i];
    }
    number_add(file, 0x40000000 / PAGE + 1, 4);
    file_add(file, name, n);
    number_add(file, field(input, (uint32_t)n), 4);
    number_add(file, field(input, (uint32_t)sum), 4);
    file_add(file, magic, sizeof(magic));
}

static void journal_build(SmallFile *file, FuzzInput *input)
{
    const uint8_t n_records = fuzz_byte(input) % 4;
    const uint32_t nonce = field(input, 0);
    static const uint8_t zeros[512];
    file_add(file, magic, sizeof(magic));
    number_add(file, field(input, n_records), 4);
    number_add(file, nonce, 4);
    number_add(file, field(input, (uint32_t)(n_sound / PAGE)), 4);
    number_add(file, field(input, 512), 4);
    number_add(file, field(input, PAGE), 4);
    file_add(file, zeros, 512 - 28);
    for (int i = 0; i < n_records; i++) {
        uint8_t page[PAGE];
        const uint32_t number = field(input, (uint32_t)i + 1);
        uint32_t sum = nonce;
        page_take(page, number, input);
        for (int at = PAGE - 200; at > 0; at -= 200) {
            sum += page[at];
        }
        number_add(file, number, 4);
        file_add(file, page, PAGE);
        number_add(file, field(input, sum), 4);
    }
    name_add(file, input);
}

/* The checksum of a log, over big-endian words. */
static void log_sum(uint32_t sum[2], const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i + 8 <= n; i += 8) {
        uint32_t words[2];
        for (int w = 0; w < 2; w++) {
            const uint8_t *b = bytes + i + 4 * w;
            words[w] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        }
        sum[0] += words[0] + sum[1];
        sum[1] += words[1] + sum[0];
    }
}

static void log_build(SmallFile *file, FuzzInput *input)
{
    const uint8_t n_frames = fuzz_byte(input) % 4;
    uint32_t sum[2] = {0, 0};
    number_add(file, field(input, 0x377f0683), 4);
    number_add(file, field(input, 3007000), 4);
    number_add(file, field(input, PAGE), 4);
    number_add(file, field(input, 0), 4);
    number_add(file, 7, 4); /* two salts, the same in every frame */
    number_add(file, 9, 4);
    log_sum(sum, file->bytes, file->n);
    number_add(file, field(input, sum[0]), 4);
    number_add(file, field(input, sum[1]), 4);
    for (int i = 0; i < n_frames; i++) {
        uint8_t page[PAGE];
        const size_t start = file->n;
        const uint32_t number = field(input, (uint32_t)i + 1);
        page_take(page, number, input);
        number_add(file, number, 4);
        number_add(file, field(input, (uint32_t)(n_sound / PAGE)), 4);
        log_sum(sum, file->bytes + start, 8);
        log_sum(sum, page, PAGE);
        number_add(file, 7, 4);
        number_add(file, 9, 4);
        number_add(file, sum[0], 4);
        number_add(file, sum[1], 4);
        file_add(file, page, PAGE);
    }
}

static void files_choose(uint8_t way, FuzzInput *input)
{
    for (int i = 0; i < N_FILES; i++) {
        before[i].n = 0;
        before[i].there = i == 4 || (i > 0 && way >> (i - 1) & 1);
    }
    before[0].there = !(way & 64);
    file_add(&before[0], sound, way & (32 | 64) ? 0 : n_sound);
    if (way & 2) { /* the file's head asks for a log */
        memset(before[0].bytes + 18, 2, before[0].n > 0 ? 2 : 0);
    }
    file_add(&before[4], thesis, strlen(thesis));
    for (int i = 1; i < 4; i++) {
        size_t n = 0;
        if (!before[i].there) {
            continue;
        }
        if (way & 8 && i == 1) {
            journal_build(&before[i], input);
        } else if (way & 8 && i == 2) {
            log_build(&before[i], input);
        } else { /* up to a byte that the rest of the input begins with */
            const uint8_t end = fuzz_byte(input);
            const uint8_t *bytes = fuzz_until(&n, input, end);
            file_add(&before[i], bytes, n);
        }
    }
}

static void files_write(void)
{
    for (int i = 0; i < N_FILES; i++) {
        unlink(path_of(i));
        if (!before[i].there) {
            continue;
        }
        const int fd = open(path_of(i), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        must(fd >= 0 && write(fd, before[i].bytes, before[i].n) == (ssize_t)before[i].n);
        close(fd);
    }
}

/* ---- what must hold ---- */

/* Whether what lies beside the database is not SQLite's, by its first bytes; or a journal names a
 * file, by its last. Files of which this is not certain count as SQLite's. */
static bool hostile(void)
{
    static const uint8_t version[4] = {0x18, 0xe2, 0x2d, 0}; /* 3007000, last byte first */
    const SmallFile *journal = &before[1], *log = &before[2], *index = &before[3];
    const size_t n = journal->n;
    if (n > 0 && journal->bytes[0] != 0 && journal->bytes[0] != magic[0]) {
        return true;
    }
    if (n >= 16 && memcmp(journal->bytes + n - 8, magic, 8) == 0) {
        const uint8_t *b = journal->bytes + n - 16;
        const uint64_t length = (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | b[2] << 8 | b[3];
        if (length > 0 && length <= n - 16) {
            return true;
        }
    }
    if (log->n > 0 && log->bytes[0] != 0 && log->bytes[0] != 0x37) {
        return true;
    }
    return index->n >= 4 && memcmp(index->bytes, version, 4) != 0 &&
           memcmp(index->bytes, "\0\0\0\0", 4) != 0;
}

/* File i is as it was. */
static bool unchanged(int i)
{
    uint8_t bytes[FILE_BYTES_MAX];
    const int fd = open(path_of(i), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return !before[i].there;
    }
    const ssize_t n = read(fd, bytes, sizeof(bytes));
    close(fd);
    fuzz_plant(bytes, n > 0 ? (size_t)n : 0);
    return before[i].there && n == (ssize_t)before[i].n &&
           memcmp(bytes, before[i].bytes, (size_t)n) == 0;
}

static void files_check(int rc)
{
    const bool refuse = hostile();
    fuzz_require(!refuse || rc != 0, "a database with a hostile file beside it is refused");
    fuzz_require(unchanged(4), "a file of somebody else stays as it was");
    for (int i = 0; refuse && i < 4; i++) {
        fuzz_require(unchanged(i), "nothing changes beside a hostile file");
    }
}

static void games_check(void)
{
    Corpus *corpus = NULL;
    char hash[HASH_HEX_SIZE];
    if (corpus_open(&corpus, path_of(0), false) == 0) {
        const CorpusInfo *info = corpus_info(corpus);
        const size_t n_bytes = (size_t)info->n_games * (size_t)info->variant->n_moves;
        uint8_t *moves = n_bytes <= 1 << 20 ? mem_alloc(n_bytes, 1, "games") : NULL;
        if (moves) {
            fuzz_require(corpus_read(corpus, moves, 0, info->n_games) == 0,
                         "games of a clean file can be read");
            sha256_of(hash, moves, n_bytes);
            fuzz_require(strcmp(hash, info->content_hash) == 0, "and are those of its hash");
        }
        mem_free(moves);
        corpus_close(corpus);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    CorpusReport report;
    Corpus *corpus = NULL;
    uint32_t id;
    if (!sound) {
        sound_make();
    }
    const uint8_t way = fuzz_byte(&input);
    files_choose(way, &input);
    files_write();
    files_check(db_application_id(&id, path_of(0)));
    const int rc = corpus_verify(&report, path_of(0), NULL, NULL);
    files_check(rc);
    if (rc == 0 && report.findings == 0) {
        games_check();
    }
    if (way & 16) {
        const int created = corpus_create(&corpus, path_of(0), &sound_info);
        files_check(created);
        corpus_close(corpus);
    }
    for (int i = 0; i < N_FILES; i++) {
        unlink(path_of(i));
    }
    return 0;
}
