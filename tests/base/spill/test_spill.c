/* tests/base/spill/test_spill.c - bytes across the border of memory and file, and what a spill says
 * when the file cannot be made or written. */
#include "tests/base/base_test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/spill/spill.h"

enum { PIECE = 1 << 20 };

static unsigned char byte_at(uint64_t offset)
{
    return (unsigned char)(offset * 2654435761U >> 13);
}

static void fill(unsigned char *piece, uint64_t offset)
{
    for (uint64_t i = 0; i < PIECE; i++) {
        piece[i] = byte_at(offset + i);
    }
}

static size_t names_in(const char *folder)
{
    char **names = NULL;
    size_t n = 0;
    assert_int_equal(dir_list(&names, &n, folder), 0);
    names_free(names, n);
    return n;
}

static void bytes_are_read_as_written(void **state)
{
    unsigned char *piece = mem_alloc(PIECE, 1, "a piece"), few[7] = {0};
    Spill *spill = NULL;
    assert_int_equal(dir_create(at("folder")), 0);
    assert_int_equal(spill_new(&spill, at("folder"), "a test"), 0);
    assert_int_equal(spill_bytes(spill), 0);
    /* Pieces that begin in memory, across its end, and behind it; the last one first. */
    const uint64_t places[] = {SPILL_MEMORY + 3 * PIECE, SPILL_MEMORY - PIECE / 2, 5};
    for (size_t i = 0; i < 3; i++) {
        fill(piece, places[i]);
        assert_int_equal(spill_write(spill, piece, PIECE, places[i]), 0);
        assert_int_equal(names_in(at("folder")), 0); /* the file has no name */
    }
    assert_int_equal(spill_bytes(spill), SPILL_MEMORY + 4 * (uint64_t)PIECE);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(spill_read(spill, piece, PIECE, places[i]), 0);
        for (uint64_t j = 0; j < PIECE; j++) {
            if (piece[j] != byte_at(places[i] + j)) {
                fail_msg("byte %zu of piece %zu", (size_t)j, i);
            }
        }
    }
    /* What was jumped over is zero, in memory and in the file. */
    const uint64_t holes[] = {2 * PIECE, SPILL_MEMORY + 2 * PIECE};
    for (size_t i = 0; i < 2; i++) {
        memset(few, 1, sizeof(few));
        assert_int_equal(spill_read(spill, few, sizeof(few), holes[i]), 0);
        assert_memory_equal(few, "\0\0\0\0\0\0", sizeof(few));
    }
    assert_refused(spill_read(spill, few, 7, spill_bytes(spill) - 6), OGPT_EIO,
                   "a test: expected 7 bytes from byte 8388602 on, found 8388608 in all");
    spill_free(spill);
    spill_free(NULL);
    mem_free(piece);
}

/* A small one makes no file: the folder need not exist. */
static void a_folder_is_needed_when_memory_ends(void **state)
{
    Spill *spill = NULL;
    assert_int_equal(spill_new(&spill, at("nowhere"), "a test"), 0);
    assert_int_equal(spill_write(spill, "x", 1, SPILL_MEMORY - 1), 0);
    assert_refused(spill_write(spill, "x", 1, SPILL_MEMORY), OGPT_EIO,
                   "nowhere: no temporary file can be made for a test: No such file");
    spill_free(spill);
    const char *before = getenv("TMPDIR");
    char kept[FILES_PATH_MAX];
    snprintf(kept, sizeof(kept), "%s", before ? before : "");
    setenv("TMPDIR", at("nowhere"), 1);
    assert_int_equal(spill_new(&spill, NULL, "a test"), 0);
    assert_refused(spill_write(spill, "xy", 2, SPILL_MEMORY - 1), OGPT_EIO, "nowhere");
    spill_free(spill);
    unsetenv("TMPDIR"); /* /var/tmp or /tmp, whichever there is */
    assert_int_equal(spill_new(&spill, NULL, "a test"), 0);
    assert_int_equal(spill_write(spill, "xy", 2, SPILL_MEMORY - 1), 0);
    spill_free(spill);
    if (before) {
        setenv("TMPDIR", kept, 1);
    }
}

static void a_full_disk_is_said(void **state)
{
    Spill *spill = NULL;
    struct rlimit before, limit;
    assert_int_equal(spill_new(&spill, run_folder, "a test"), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < 5; i++) {
        rc = spill_write(spill, "four", 4, SPILL_MEMORY + 4096 * i);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_refused(rc, OGPT_EIO,
                   "a temporary file for a test cannot be written at MiB 4: File too");
    assert_non_null(strstr(err_message(), run_folder));
    spill_free(spill);
}

static void memory_may_end(void **state)
{
    Spill *spill = NULL;
    for (uint64_t i = 1; i <= 2; i++) {
        mem_fail_at(i, 0);
        assert_refused(spill_new(&spill, NULL, "a test"), OGPT_ENOMEM, "a test");
        assert_null(spill);
    }
    mem_fail_at(0, 0);
    char path[FILES_PATH_MAX + 1];
    memset(path, 'a', FILES_PATH_MAX);
    path[FILES_PATH_MAX] = '\0';
    assert_refused(spill_new(&spill, path, "a test"), OGPT_EUSAGE, "path of more than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_read_as_written),
        cmocka_unit_test(a_folder_is_needed_when_memory_ends),
        cmocka_unit_test(a_full_disk_is_said),
        cmocka_unit_test(memory_may_end),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
