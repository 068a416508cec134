/* tests/base/database/test_db_pages.c - logs and journals that claim more pages than there are. */
#include "tests/base/base_test.h"

#include "base/database/db.h"

#define FRAME_HEADER 24
#define PAGE 16384
static const DbSchema schema = {.application_id = 0x6f677074,
                                .version = 1,
                                .create_sql = "CREATE TABLE t (x INTEGER) STRICT",
                                .wal = true};

static uint32_t big_endian_at(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void big_endian_put(unsigned char *b, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        b[i] = (unsigned char)(value >> (24 - 8 * i));
    }
}

/* https://www.sqlite.org/walformat.html, "Checksum Algorithm"; little: words of this order. */
static void sum_add(uint32_t sum[2], const unsigned char *bytes, size_t n, bool little)
{
    for (size_t i = 0; i < n; i += 8) {
        uint32_t words[2];
        for (int w = 0; w < 2; w++) {
            const uint32_t word = big_endian_at(bytes + i + 4 * (size_t)w);
            words[w] = little ? __builtin_bswap32(word) : word;
        }
        sum[0] += words[0] + sum[1];
        sum[1] += words[1] + sum[0];
    }
}

/* The last frame writes `first`, the first page of the file, which says that there are n pages, and
 * commits as many; its checksum is right. */
static void pages_claim(unsigned char *log, size_t n_bytes, const void *first, uint32_t n)
{
    unsigned char *frame = log + n_bytes - PAGE - FRAME_HEADER;
    memcpy(frame + FRAME_HEADER, first, PAGE);
    big_endian_put(frame + FRAME_HEADER + 28, n);
    big_endian_put(frame, 1);
    const unsigned char *before = frame - PAGE - FRAME_HEADER;
    uint32_t sum[2] = {big_endian_at(before + 16), big_endian_at(before + 20)};
    big_endian_put(frame + 4, n);
    sum_add(sum, frame, 8, (log[3] & 1) == 0);
    sum_add(sum, frame + FRAME_HEADER, PAGE, (log[3] & 1) == 0);
    big_endian_put(frame + 16, sum[0]);
    big_endian_put(frame + 20, sum[1]);
}

static int copy_check(const char *name)
{
    Db *db = NULL;
    int rc = db_open(&db, at(name), DB_READ, &schema);
    assert_int_equal(rc, 0);
    rc = db_check(db);
    db_close(db);
    return rc;
}

static void claimed_pages_must_be_there(void **state)
{
    Db *db = NULL;
    void *data = NULL, *log = NULL;
    size_t n_data = 0, n_log = 0;
    assert_int_equal(db_open(&db, at("a.db"), DB_CREATE, &schema), 0);
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES (1)"), 0);
    assert_int_equal(db_exec(db, "INSERT INTO t VALUES (2)"), 0);
    assert_int_equal(file_read_all(&data, &n_data, at("a.db"), 1 << 24), 0);
    assert_int_equal(file_read_all(&log, &n_log, at("a.db-wal"), 1 << 24), 0);
    assert_true(n_log >= 32 + 2 * (PAGE + FRAME_HEADER));

    put("same.db", data, n_data);
    pages_claim(log, n_log, data, (uint32_t)(n_data / PAGE));
    put("same.db-wal", log, n_log);
    assert_int_equal(copy_check("same.db"), 0);

    put("more.db", data, n_data);
    pages_claim(log, n_log, data, 0xfffffff0U);
    put("more.db-wal", log, n_log);
    assert_refused(copy_check("more.db"), OGPT_EFORMAT, "says that it has 4294967280 pages");
    db_close(db);
    mem_free(data);
    mem_free(log);
}

/* A journal without pages, of a writer who found the file n pages long. */
static void journal_put(const char *name, uint32_t n)
{
    static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    unsigned char journal[512] = {0};
    memcpy(journal, magic, sizeof(magic));
    big_endian_put(journal + 16, n);
    big_endian_put(journal + 20, sizeof(journal)); /* of a sector */
    big_endian_put(journal + 24, PAGE);
    put(name, journal, sizeof(journal));
}

static void restored_pages_must_be_there(void **state)
{
    Db *db = NULL;
    void *data = NULL;
    size_t n_data = 0;
    uint64_t n_bytes = 0;
    assert_int_equal(db_open(&db, at("whole.db"), DB_CREATE, &schema), 0);
    db_close(db);
    assert_int_equal(file_read_all(&data, &n_data, at("whole.db"), 1 << 24), 0);
    journal_put("whole.db-journal", (uint32_t)(n_data / PAGE));
    assert_int_equal(copy_check("whole.db"), 0);

    put("long.db", data, n_data);
    journal_put("long.db-journal", 1U << 26); /* a tebibyte */
    assert_refused(db_open(&db, at("long.db"), DB_WRITE, &schema), OGPT_EFORMAT,
                   "would make it 67108864 pages long");
    assert_int_equal(file_size(&n_bytes, at("long.db")), 0);
    assert_int_equal(n_bytes, n_data);
    mem_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claimed_pages_must_be_there),
        cmocka_unit_test(restored_pages_must_be_there),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
