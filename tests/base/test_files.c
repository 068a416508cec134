/* tests/base/test_files.c - whole reads, atomic writes, directories, leftovers, the lock. */
#include "tests/base/base_test.h"
#include "tests/there.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_read_and_write(void **state)
{
    void *data;
    size_t n_bytes;
    put("a", "hello", 5);
    assert_int_equal(file_read_all(&data, &n_bytes, at("a"), 5), 0);
    assert_int_equal(n_bytes, 5);
    assert_memory_equal(data, "hello", 6); /* the NUL after the last byte too */
    mem_free(data);
    assert_refused(file_read_all(&data, &n_bytes, at("a"), 4), OGPT_EFORMAT,
                   "expected at most 4 bytes, found 5");
    assert_null(data);

    assert_int_equal(file_write_atomic(at("a"), "", 0, true), 0);
    assert_int_equal(file_read_all(&data, &n_bytes, at("a"), 0), 0);
    assert_int_equal(n_bytes, 0);
    mem_free(data);
    uint64_t size;
    assert_int_equal(file_size(&size, at("a")), 0);
    assert_int_equal(size, 0);
    assert_true(file_exists(at("a")) && !dir_exists(at("a")));
    assert_true(dir_exists(run_folder) && !file_exists(run_folder));
}

static void test_read_refuses(void **state)
{
    void *data;
    size_t n_bytes;
    uint64_t size;
    assert_refused(file_read_all(&data, &n_bytes, at("none"), 9), OGPT_EIO,
                   "none: cannot be opened: No such file");
    assert_refused(file_read_all(&data, &n_bytes, run_folder, 9), OGPT_EIO,
                   "expected a regular file");
    assert_int_equal(mkfifo(at("pipe"), 0600), 0); /* must not wait for a writer */
    assert_refused(file_read_all(&data, &n_bytes, at("pipe"), 9), OGPT_EIO, "regular file");
    assert_refused(file_size(&size, at("none")), OGPT_EIO, "none");
    put("b", "x", 1);
    mem_fail_at(1, 0);
    assert_refused(file_read_all(&data, &n_bytes, at("b"), 9), OGPT_ENOMEM, "wanted 2 bytes");
    mem_fail_at(0, 0);
}

static void test_pread_knows_the_end(void **state)
{
    char out[4];
    put("p", "0123456789", 10);
    int fd = open(at("p"), O_RDONLY);
    assert_int_equal(file_pread(fd, out, 4, 6, at("p")), 0);
    assert_memory_equal(out, "6789", 4);
    assert_refused(file_pread(fd, out, 4, 7, at("p")), OGPT_EFORMAT, "ends at byte 10");
    close(fd);
    assert_refused(file_pread(-1, out, 4, 0, "p"), OGPT_EIO, "Bad file descriptor");
}

/* After success and after refusal no temporary file is left, and the old content is complete. */
static void test_atomic_write(void **state)
{
    assert_int_equal(dir_create(at("atomic")), 0);
    const char *path = at("atomic/file");
    assert_int_equal(file_write_atomic(path, "one", 3, false), 0);
    assert_refused(file_write_atomic(path, "two", 3, false), OGPT_EUSAGE, "exists already");
    assert_refused(file_write_atomic(at("missing/file"), "x", 1, false), OGPT_EIO,
                   "missing is not a directory");
    assert_refused(file_write_atomic(at("atomic"), "x", 1, true), OGPT_EUSAGE,
                   "atomic: expected a regular file to replace, found a directory");
    void *data;
    size_t n_bytes, n_names;
    char **names;
    assert_int_equal(file_read_all(&data, &n_bytes, path, 9), 0);
    assert_string_equal(data, "one");
    mem_free(data);
    assert_int_equal(file_write_atomic(path, "three", 5, true), 0);
    assert_int_equal(dir_list(&names, &n_names, at("atomic")), 0);
    assert_int_equal(n_names, 1);
    assert_string_equal(names[0], "file");
    names_free(names, n_names);
    assert_int_equal(dir_list(&names, &n_names, run_folder), 0);
    for (size_t i = 0; i < n_names; i++) {
        assert_int_not_equal(names[i][0], '.');
    }
    names_free(names, n_names);

    /* a link with the temporary name is not followed, and does not stop the writer */
    char trap[64];
    put("precious", "gold", 4);
    snprintf(trap, sizeof(trap), "atomic/.tmp-%ld-new", (long)getpid());
    assert_int_equal(symlink(at("precious"), at(trap)), 0);
    assert_int_equal(file_write_atomic(at("atomic/new"), "x", 1, false), 0);
    assert_int_equal(file_read_all(&data, &n_bytes, at("precious"), 9), 0);
    assert_string_equal(data, "gold");
    mem_free(data);
    /* What a killed process left of the same goal goes with the next writing; others stay. */
    put(".tmp-4194399-goal.csv", "half", 4);
    put(".tmp-4194399-other.csv", "half", 4);
    assert_int_equal(file_write_atomic(at("goal.csv"), "1", 1, true), 0);
    assert_false(file_exists(at(".tmp-4194399-goal.csv")));
    assert_true(file_exists(at(".tmp-4194399-other.csv")));
    remove(at(".tmp-4194399-other.csv"));
}

static void test_directories(void **state)
{
    assert_int_equal(dir_create(at("x/y//z/")), 0);
    assert_true(dir_exists(at("x/y/z")));
    assert_int_equal(dir_create(at("x/y/z")), 0);
    put("x/file", "1", 1);
    assert_refused(dir_create(at("x/file")), OGPT_EIO, "x/file: directory cannot be created");
    assert_refused(dir_create(at("x/file/below")), OGPT_EIO, "x/file: directory");
    assert_int_equal(dir_create("."), 0);

    /* what a link points to survives the removal of the link */
    assert_int_equal(dir_create(at("kept")), 0);
    put("kept/file", "1", 1);
    assert_int_equal(symlink(at("kept"), at("x/y/link")), 0);
    assert_int_equal(dir_remove(at("x")), 0);
    assert_false(dir_exists(at("x")));
    assert_true(file_exists(at("kept/file")));
    assert_refused(dir_remove(at("x")), OGPT_EIO, "x: cannot be removed: No such file");
}

/* Only a regular file is replaced: whoever made a link, a pipe or a directory keeps it. */
static void test_only_files_are_replaced(void **state)
{
    put("r-target", "t", 1);
    assert_int_equal(symlink(at("r-target"), at("r-link")), 0);
    assert_int_equal(mkfifo(at("r-pipe"), 0600), 0);
    assert_int_equal(dir_create(at("r-folder")), 0);
    assert_refused(file_write_atomic(at("r-link"), "n", 1, true), OGPT_EUSAGE,
                   "link: expected a regular file to replace, found a symbolic link");
    assert_refused(file_write_atomic(at("r-pipe"), "n", 1, true), OGPT_EUSAGE, "a named pipe");
    assert_refused(file_write_atomic(at("r-folder"), "n", 1, true), OGPT_EUSAGE, "a directory");
    assert_refused(file_write_atomic("/dev/null", "n", 1, true), OGPT_EUSAGE, "a device");
    struct stat info;
    assert_true(lstat(at("r-link"), &info) == 0 && S_ISLNK(info.st_mode));
    assert_true(lstat(at("r-pipe"), &info) == 0 && S_ISFIFO(info.st_mode));
    assert_int_equal(file_write_atomic(at("r-target"), "new", 3, true), 0); /* the twin */
}

/* A directory disappears as a whole: there is never half of it under its name. */
static void test_discard(void **state)
{
    size_t n_removed;
    char left[64];
    assert_int_equal(dir_create(at("steps/step-1/train")), 0);
    put("steps/step-1/train/file", "1", 1);
    assert_int_equal(dir_discard(at("steps/step-1")), 0);
    char **names;
    size_t n;
    assert_int_equal(dir_list(&names, &n, at("steps")), 0);
    assert_int_equal(n, 0);
    names_free(names, n);
    /* If a process dies while it removes, the next one cleans up. */
    snprintf(left, sizeof(left), "steps/.tmp-%ld-step-2", dead_pid());
    assert_int_equal(dir_create(at(left)), 0);
    assert_int_equal(dir_clean_stale(&n_removed, at("steps")), 0);
    assert_int_equal(n_removed, 1);
    assert_refused(dir_discard(at("steps/step-3")), OGPT_EIO, "step-3: cannot be removed: No such");
}

static void test_list_is_sorted(void **state)
{
    char **names, name[16];
    size_t n;
    assert_int_equal(dir_create(at("list")), 0);
    for (int i = 39; i >= 0; i--) {
        snprintf(name, sizeof(name), "list/%02d", i);
        put(name, "", 0);
    }
    assert_int_equal(dir_list(&names, &n, at("list")), 0);
    assert_int_equal(n, 40);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "%02d", i);
        assert_string_equal(names[i], name);
    }
    names_free(names, n);
    assert_refused(dir_list(&names, &n, at("none")), OGPT_EIO, "none: directory cannot be opened");
    /* every allocation of it fails once; the sanitized run sees what is not given back */
    uint64_t n_faults = 0;
    for (int rc = OGPT_ENOMEM; rc != 0;) {
        mem_fail_at(n_faults + 1, 0);
        rc = dir_list(&names, &n, at("list"));
        assert_true(rc == 0 || rc == OGPT_ENOMEM);
        n_faults += rc != 0;
    }
    mem_fail_at(0, 0);
    assert_true(n_faults >= 41);
    names_free(names, n);
}

static void test_join(void **state)
{
    char out[FILES_PATH_MAX], wide[FILES_PATH_MAX];
    assert_int_equal(path_join(out, "a", "b"), 0);
    assert_string_equal(out, "a/b");
    assert_int_equal(path_join(out, "/", "b"), 0);
    assert_string_equal(out, "/b");
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = 0;
    assert_refused(path_join(out, "a", wide), OGPT_EUSAGE, "path of more than 4095 bytes");
    wide[sizeof(wide) - 3] = 0; /* "a/" and 4,093 bytes just fit */
    assert_int_equal(path_join(out, "a", wide), 0);
}

static void test_absolute(void **state)
{
    char out[FILES_PATH_MAX], root[FILES_PATH_MAX];
    assert_non_null(realpath(run_folder, root));
    assert_int_equal(dir_create(at("deep/er")), 0);
    assert_int_equal(symlink(at("deep"), at("link")), 0);
    assert_int_equal(path_absolute(out, at("link/../deep/./er")), 0);
    assert_int_equal(strncmp(out, root, strlen(root)), 0);
    assert_string_equal(out + strlen(root), "/deep/er");
    assert_refused(path_absolute(out, at("deep/none")), OGPT_EIO, "deep/none: cannot be found");
}

/* A directory above a path holds it, under any name; a sibling or a missing one does not. */
static void test_holds(void **state)
{
    assert_int_equal(dir_create(at("outer/inner")), 0);
    assert_int_equal(dir_create(at("outer2")), 0);
    put("outer/inner/file", "x", 1);
    char outer[FILES_PATH_MAX], file[FILES_PATH_MAX], other[FILES_PATH_MAX];
    snprintf(outer, sizeof(outer), "%s", at("outer"));
    snprintf(file, sizeof(file), "%s", at("outer/inner/file"));
    assert_true(path_holds(outer, outer));
    assert_true(path_holds(outer, file));
    assert_true(path_holds(at("outer/../outer/inner/"), file));
    assert_true(path_holds("/", file));
    assert_int_equal(symlink(outer, at("by-name")), 0);
    assert_true(path_holds(at("by-name"), file));
    snprintf(other, sizeof(other), "%s", at("by-name/inner/file"));
    assert_true(path_holds(outer, other) && path_holds(file, other));
    assert_int_equal(link(file, at("second")), 0);
    assert_true(path_holds(file, at("second")));
    assert_false(path_holds(file, outer));
    assert_false(path_holds(at("outer2"), file));
    assert_false(path_holds(outer, at("outer2")));
    assert_false(path_holds(outer, at("none")));
    assert_false(path_holds(at("none"), file));
}

/* Only what dead processes left is removed; an interrupted replacement is put back. */
static void test_stale_leftovers(void **state)
{
    long dead = dead_pid();
    char name[8][96];
    assert_int_equal(dir_create(at("stale")), 0);
    snprintf(name[0], sizeof(name[0]), "stale/.tmp-%ld-model", dead);
    snprintf(name[1], sizeof(name[1]), "stale/.tmp-%ld-a-b", dead);
    snprintf(name[2], sizeof(name[2]), "stale/.old-%ld-replaced", dead);
    snprintf(name[3], sizeof(name[3]), "stale/.old-%ld-lost", dead);
    snprintf(name[4], sizeof(name[4]), "stale/.tmp-%ld-model", (long)getpid());
    snprintf(name[5], sizeof(name[5]), "stale/.tmp-%ldx-model", dead);
    snprintf(name[6], sizeof(name[6]), "stale/.tmp-99999999999999999999-model");
    snprintf(name[7], sizeof(name[7]), "stale/.tmp--model");
    for (int i = 0; i < 8; i++) {
        assert_int_equal(dir_create(at(name[i])), 0);
    }
    char inside[128];
    snprintf(inside, sizeof(inside), "%s/file", name[0]);
    put(inside, "1", 1);
    put("stale/replaced", "1", 1);
    size_t n;
    /* of one name only, whose parent may be missing */
    assert_int_equal(path_clean_stale(&n, at("stale/a-b/")), 0);
    assert_int_equal(n, 1);
    assert_false(dir_exists(at(name[1])));
    assert_true(dir_exists(at(name[0])) && dir_exists(at(name[3])));
    assert_int_equal(path_clean_stale(&n, at("stale/lost")), 0);
    assert_int_equal(n, 0);
    assert_true(dir_exists(at("stale/lost")) && dir_exists(at(name[2])));
    assert_int_equal(path_clean_stale(&n, at("none/lost")), 0);
    assert_int_equal(dir_clean_stale(&n, at("stale")), 0);
    assert_int_equal(n, 2);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(dir_exists(at(name[i])), i >= 4);
    }
    assert_true(dir_exists(at("stale/lost")) && file_exists(at("stale/replaced")));
    assert_int_equal(dir_clean_stale(&n, at("stale")), 0);
    assert_int_equal(n, 0);
    assert_refused(dir_clean_stale(&n, at("none")), OGPT_EIO, "none");
}

static void test_preflight(void **state)
{
    assert_int_equal(disk_preflight(run_folder, 1), 0);
    assert_int_equal(disk_preflight(at("not/yet/there"), 1), 0);
    assert_int_equal(disk_preflight("not-there-either", 1), 0);
    assert_refused(disk_preflight(at("not/yet/there"), UINT64_MAX), OGPT_EIO,
                   "needs 18446744073709551615 bytes, ");
    put("plain", "1", 1);
    assert_refused(disk_preflight(at("plain/below"), 1), OGPT_EIO, "Not a directory");
}

/* Only what is absent is missing: a name that is too long to be looked at is an error. */
static void test_kinds_of_paths(void **state)
{
    char wide[600];
    PathKind kind;
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = 0;
    put("kind", "1", 1);
    assert_int_equal(path_kind(&kind, at("kind")), 0);
    assert_int_equal(kind, PATH_FILE);
    assert_int_equal(path_kind(&kind, run_folder), 0);
    assert_int_equal(kind, PATH_DIRECTORY);
    assert_int_equal(path_kind(&kind, "/dev/null"), 0);
    assert_int_equal(kind, PATH_OTHER);
    assert_int_equal(path_kind(&kind, at("none")), 0);
    assert_int_equal(kind, PATH_MISSING);
    assert_int_equal(path_kind(&kind, at("kind/below")), 0);
    assert_int_equal(kind, PATH_MISSING);
    assert_refused(path_kind(&kind, at(wide)), OGPT_EIO, "cannot be examined");
    assert_int_equal(kind, PATH_OTHER);
    assert_int_equal(path_kind_in(&kind, run_folder, "kind"), 0);
    assert_int_equal(kind, PATH_FILE);
    assert_int_equal(path_kind_in(&kind, run_folder, "none"), 0);
    assert_int_equal(kind, PATH_MISSING);
    assert_refused(path_kind_in(&kind, run_folder, wide), OGPT_EIO, "cannot be examined");
    assert_int_equal(kind, PATH_OTHER);
    assert_int_equal(symlink("loop", at("loop")), 0);
    assert_refused(path_kind(&kind, at("loop")), OGPT_EIO, "cannot be examined");
}

/* A pinned directory stays the same under its name; messages name it. */
static void test_pinned_directory(void **state)
{
    char file[FILES_PATH_MAX], kept[FILES_PATH_MAX];
    void *data = NULL;
    size_t n = 0;
    PathPin pin;
    snprintf(kept, sizeof(kept), "%s", at("pinned-old"));
    assert_int_equal(dir_create(at("pinned")), 0);
    put("pinned/a", "old", 3);
    assert_int_equal(path_pin(&pin, at("pinned")), 0);
    assert_int_equal(rename(at("pinned"), kept), 0);
    assert_int_equal(dir_create(at("pinned")), 0);
    put("pinned/a", "new", 3);
    assert_int_equal(path_join(file, pin.path, "a"), 0);
    assert_int_equal(file_read_all(&data, &n, file, 10), 0);
    assert_string_equal(data, "old");
    mem_free(data);
    assert_int_equal(path_join(file, pin.path, "none"), 0);
    int rc = file_read_all(&data, &n, file, 10);
    assert_refused(path_unpin(&pin, "the/folder", rc), OGPT_EIO, "the/folder/none: cannot");
    assert_null(strstr(err_message(), "/proc"));
    assert_refused(path_pin(&pin, at("missing")), OGPT_EIO, "missing");
}

/* A device that is always full: the error of write is reported with its reason. */
static void test_full_disk(void **state)
{
    assert_int_equal(symlink("/dev/full", at("full")), 0);
    FileLock lock;
    assert_refused(file_lock(&lock, at("full")), OGPT_EUSAGE, "full");
    assert_refused(file_lock(&lock, "/dev/full"), OGPT_EUSAGE, "another program's device");
    assert_int_equal(lock.fd, -1);
}

static void test_lock_excludes_within_the_process(void **state)
{
    FileLock first, second;
    char holder[64];
    assert_int_equal(file_lock(&first, at("LOCK")), 0);
    snprintf(holder, sizeof(holder), "LOCK: locked by process %ld on ", (long)getpid());
    assert_refused(file_lock(&second, at("LOCK")), OGPT_ELOCKED, holder);
    assert_int_equal(second.fd, -1);
    file_unlock(&second);
    file_unlock(&first);
    assert_int_equal(file_lock(&second, at("LOCK")), 0);
    file_unlock(&second);
    assert_refused(file_lock(&first, at("none/LOCK")), OGPT_EIO, "cannot be made");
}

static void test_lock_beside(void **state)
{
    FileLock first, second;
    char wide[FILES_PATH_MAX];
    assert_int_equal(file_lock_beside(&first, at("goal")), 0);
    assert_refused(file_lock_beside(&second, at("goal")), OGPT_ELOCKED, "goal.lock: locked by");
    file_unlock(&first);
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 5] = 0; /* with ".lock" one byte too long */
    assert_refused(file_lock_beside(&first, wide), OGPT_EUSAGE, "path of more than 4090 bytes");
}

/* A child holds the lock, then dies by SIGKILL: first refused by its number, then taken over. */
static void test_lock_of_another_process(void **state)
{
    int out;
    pid_t pid = child_start(&out, "lock", at("LOCK2"));
    child_await(out);
    FileLock lock;
    char holder[64];
    snprintf(holder, sizeof(holder), "locked by process %ld on ", (long)pid);
    assert_refused(file_lock(&lock, at("LOCK2")), OGPT_ELOCKED, holder);
    kill(pid, SIGKILL);
    assert_true(WIFSIGNALED(child_end(pid, out)));
    assert_int_equal(file_lock(&lock, at("LOCK2")), 0);
    file_unlock(&lock);
}

/* What is no lock of ours keeps every byte; ours is gone afterwards, a dead process's too. */
static void test_foreign_locks_are_kept(void **state)
{
    static const char *const theirs[] = {"version = 3\n",
                                         "",
                                         "4711\n",
                                         "4711 host",
                                         "4711 host\nx",
                                         "ogpt lock of process",
                                         "ogpt lock of process 1 on h"};
    static const char *const ours[] = {"4194399 elsewhere\n",
                                       "ogpt lock of process 4194399 on elsewhere\n"};
    FileLock lock;
    void *found = NULL;
    size_t n = 0;
    for (size_t i = 0; i < sizeof(theirs) / sizeof(*theirs); i++) {
        put("Cargo.lock", theirs[i], strlen(theirs[i]));
        assert_refused(file_lock_beside(&lock, at("Cargo")), OGPT_EUSAGE, "Cargo.lock");
        assert_int_equal(lock.fd, -1);
        assert_int_equal(file_read_all(&found, &n, at("Cargo.lock"), 100), 0);
        assert_string_equal(found, theirs[i]);
        mem_free(found);
    }
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) { /* the twin */
        put("Cargo.lock", ours[i], strlen(ours[i]));
        assert_int_equal(file_lock_beside(&lock, at("Cargo")), 0);
        assert_true(file_exists(at("Cargo.lock")));
        file_unlock(&lock);
        assert_false(file_exists(at("Cargo.lock")));
    }
    assert_int_equal(symlink("nowhere", at("Cargo.lock")), 0);
    assert_refused(file_lock_beside(&lock, at("Cargo")), OGPT_EUSAGE, "Cargo.lock");
    remove(at("Cargo.lock"));
    /* Two names of one goal, one lock. */
    FileLock second;
    char goal[FILES_PATH_MAX];
    snprintf(goal, sizeof(goal), "%s", at("goal"));
    put("goal", "", 0);
    assert_int_equal(symlink(goal, at("other-name")), 0);
    assert_int_equal(file_lock_beside(&lock, at("other-name")), 0);
    assert_refused(file_lock_beside(&second, goal), OGPT_ELOCKED, "goal.lock");
    file_unlock(&lock);
}

#define LOCKERS 4
#define LOCK_ROUNDS 150

/* In a file that all children map. */
typedef struct LockRace {
    atomic_int inside, n_held, n_faults;
} LockRace;

static LockRace *race_map(const char *path)
{
    int fd = open(path, O_RDWR);
    void *mapped = mmap(NULL, sizeof(LockRace), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return mapped == MAP_FAILED ? NULL : mapped;
}

/* The child: take and leave the lock "race.lock" beside the shared file, again and again. */
static int child_race(const char *path)
{
    LockRace *race = race_map(path);
    FileLock lock;
    for (int i = 0; race && i < LOCK_ROUNDS; i++) {
        int rc = file_lock_beside(&lock, path);
        if (rc == 0) {
            race->n_faults += atomic_fetch_add(&race->inside, 1) != 0;
            race->n_held++;
            usleep(50);
            atomic_fetch_sub(&race->inside, 1);
            file_unlock(&lock);
        } else if (rc != OGPT_ELOCKED) {
            print_error("%s\n", err_message());
            race->n_faults++;
        }
    }
    return race ? 0 : 1;
}

/* Locks are made, taken over and removed as fast as can be: never two inside, nothing left. */
static void test_locks_change_hands(void **state)
{
    static const LockRace start;
    pid_t pids[LOCKERS];
    int outs[LOCKERS];
    put("race", (const char *)&start, sizeof(start));
    put("race.lock", "4194399 elsewhere\n", 18); /* of a dead process */
    for (int i = 0; i < LOCKERS; i++) {
        pids[i] = child_start(&outs[i], "race", at("race"));
    }
    for (int i = 0; i < LOCKERS; i++) {
        assert_int_equal(child_end(pids[i], outs[i]), 0);
    }
    LockRace *race = race_map(at("race"));
    assert_non_null(race);
    assert_int_equal(race->n_faults, 0);
    assert_true(race->n_held > LOCKERS);
    assert_false(file_exists(at("race.lock")));
    munmap(race, sizeof(*race));
}

/* The child: take the lock, say so, wait to be killed. */
static int child_lock(const char *path)
{
    FileLock lock;
    if (file_lock(&lock, path) != 0 || write(1, "x", 1) != 1) {
        return 1;
    }
    pause();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        return strcmp(argv[1], "lock") == 0   ? child_lock(argv[2])
               : strcmp(argv[1], "race") == 0 ? child_race(argv[2])
                                              : 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_and_write),
        cmocka_unit_test(test_read_refuses),
        cmocka_unit_test(test_pread_knows_the_end),
        cmocka_unit_test(test_atomic_write),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_only_files_are_replaced),
        cmocka_unit_test(test_discard),
        cmocka_unit_test(test_list_is_sorted),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_absolute),
        cmocka_unit_test(test_holds),
        cmocka_unit_test(test_stale_leftovers),
        cmocka_unit_test(test_preflight),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_lock_excludes_within_the_process),
        cmocka_unit_test(test_lock_beside),
        cmocka_unit_test(test_kinds_of_paths),
        cmocka_unit_test(test_pinned_directory),
        cmocka_unit_test(test_foreign_locks_are_kept),
        cmocka_unit_test(test_locks_change_hands),
        cmocka_unit_test(test_lock_of_another_process),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
