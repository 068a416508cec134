/* tests/base/base_test.h - what the tests of base/ share: a directory of their own, files in it,
 * a check of a failure and its message, and child
 * processes. */
#ifndef OGPT_TESTS_BASE_BASE_TEST_H
#define OGPT_TESTS_BASE_BASE_TEST_H

#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "tests/folder.h"

static char run_folder[FOLDER_MAX]; /* the directory of this run */

static inline int work_create(void **state)
{
    return folder_make(run_folder);
}

static inline int work_remove(void **state)
{
    return dir_remove(run_folder);
}

/* Path of `name` in the directory, valid until the fourth call from now. */
static inline const char *at(const char *name)
{
    static char paths[4][FILES_PATH_MAX];
    static size_t turn;
    char *path = paths[turn++ % 4];
    assert_int_equal(path_join(path, run_folder, name), 0);
    return path;
}

/* Write a file without waiting for the disk: tables of hundreds of files take a second. */
static inline void put(const char *name, const void *data, size_t n_bytes)
{
    const char *path = at(name);
    unlink(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
}

/* The call failed with `code`, and its one-line message contains `text`. */
static inline void assert_refused(int found, int rc, const char *text)
{
    if (found != rc || !strstr(err_message(), text)) {
        fail_msg("expected code %d and \"%s\", found %d and \"%s\"", rc, text, found,
                 err_message());
    }
    assert_null(strchr(err_message(), '\n'));
}

/* Start this program again with `role` and `argument`; its standard output is the pipe *out. Under
 * an emulator (tools/arm.sh) the system cannot start it again, so the test is left out. */
static inline pid_t child_start(int *out, const char *role, const char *argument)
{
    int ends[2];
    if (getenv("OGPT_EMULATED")) {
        skip();
    }
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    char *arguments[] = {(char *)"child", (char *)role, (char *)argument, NULL};
    char *environment[] = {NULL};
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environment),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *out = ends[0];
    return pid;
}

/* Wait until the child has written one byte: then it is ready. */
static inline void child_await(int out)
{
    char byte;
    assert_int_equal(read(out, &byte, 1), 1);
}

static inline int child_end(pid_t pid, int out)
{
    int status;
    close(out);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Number of a process that has ended. */
static inline long dead_pid(void)
{
    int out;
    pid_t pid = child_start(&out, "nothing", "");
    child_end(pid, out);
    return (long)pid;
}

#endif
