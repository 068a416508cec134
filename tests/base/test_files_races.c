/* tests/base/test_files_races.c - files beside other processes, and on file systems that lack what
 * others have. Functions of the C library are replaced to make such moments. */
#include "tests/base/base_test.h"
#include "tests/there.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_plain; /* neither renaming without replacing nor second names */
static bool no_proc;
static const char *vanishes; /* is removed when somebody asks whether its process lives */

int renameat2(int fd, const char *from, int fd2, const char *to, unsigned flags);
int renameat2(int fd, const char *from, int fd2, const char *to, unsigned flags)
{
    if (is_plain && flags != 0) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, fd, from, fd2, to, flags);
}

int link(const char *from, const char *to)
{
    if (is_plain) {
        errno = EPERM;
        return -1;
    }
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int kill(pid_t pid, int number)
{
    if (vanishes && number == 0) {
        remove(vanishes);
    }
    return (int)syscall(SYS_kill, pid, number);
}

int access(const char *path, int mode)
{
    if (no_proc && strncmp(path, "/proc/", 6) == 0) {
        errno = ENOENT;
        return -1;
    }
    return faccessat(AT_FDCWD, path, mode, 0);
}

/* A program in an empty root has no /proc, and reads its folders all the same. */
static void folders_are_read_without_proc(void **state)
{
    PathPin pin;
    PathKind kind;
    char path[FILES_PATH_MAX];
    assert_int_equal(dir_create(at("pinned")), 0);
    put("pinned/a", "", 0);
    for (int i = 0; i < 2; i++) {
        no_proc = i == 0;
        assert_int_equal(path_pin(&pin, at("pinned")), 0);
        assert_int_equal(strncmp(pin.path, "/proc/", 6) == 0, i == 1);
        assert_int_equal(path_join(path, pin.path, "a"), 0);
        assert_int_equal(path_kind(&kind, path), 0);
        assert_int_equal(kind, PATH_FILE);
        assert_int_equal(path_unpin(&pin, "pinned", 0), 0);
    }
}

static void plain_file_systems_are_written_to(void **state)
{
    FileLock first, second;
    char lock[FILES_PATH_MAX];
    snprintf(lock, sizeof(lock), "%s", at("LOCK"));
    is_plain = true;
    assert_int_equal(file_write_atomic(at("goal"), "new", 3, false), 0);
    assert_refused(file_write_atomic(at("goal"), "other", 5, false), OGPT_EUSAGE, "exists already");
    assert_int_equal(file_lock(&first, lock), 0);
    assert_refused(file_lock(&second, lock), OGPT_ELOCKED, "locked by process");
    file_unlock(&first);
    assert_int_equal(file_lock(&second, lock), 0);
    file_unlock(&second);
    is_plain = false;
    assert_true(file_exists(at("goal")) && !file_exists(lock));
}

/* The last act of a process is to rename its file; whoever has seen the file before and finds the
 * process dead has nothing to remove. */
static void what_vanishes_is_no_error(void **state)
{
    static const char *const names[] = {".tmp-4194399-last", ".old-4194399-last"};
    char path[FILES_PATH_MAX];
    size_t n = 9;
    for (int i = 0; i < 4; i++) {
        put(names[i % 2], "", 0);
        snprintf(path, sizeof(path), "%s", at(names[i % 2]));
        vanishes = i < 2 ? path : NULL;
        assert_int_equal(path_clean_stale(&n, at("last")), 0);
        assert_int_equal(n, i == 2); /* the twins: one is removed, one is put back */
        assert_false(file_exists(path));
        assert_int_equal(file_exists(at("last")), i == 3);
    }
    vanishes = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_file_systems_are_written_to),
        cmocka_unit_test(what_vanishes_is_no_error),
        cmocka_unit_test(folders_are_read_without_proc),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
