/* base/files.c - reading and atomic writing; see files.h. Directories are in directories.c. */
#define _GNU_SOURCE
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files_new.h"

/* ---- reading ---- */

int file_pread(int fd, void *out, size_t n_bytes, uint64_t offset, const char *path)
{
    size_t done = 0;
    while (done < n_bytes) {
        ssize_t n = pread(fd, (char *)out + done, n_bytes - done, (off_t)(offset + done));
        if (n == 0) {
            return err_set(OGPT_EFORMAT,
                           "%s: ends at byte %llu, expected %zu bytes from byte %llu on; the file "
                           "is cut short",
                           path, (unsigned long long)(offset + done), n_bytes,
                           (unsigned long long)offset);
        }
        if (n < 0 && errno != EINTR) {
            return err_set_errno(OGPT_EIO, "%s: cannot be read at byte %llu", path,
                                 (unsigned long long)(offset + done));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int file_read_all(void **out, size_t *n_bytes, const char *path, size_t max_bytes)
{
    *out = NULL;
    *n_bytes = 0;
    /* O_NONBLOCK: opening a named pipe must not wait for its writer */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return err_set_errno(OGPT_EIO, "%s: cannot be opened", path);
    }
    int rc = 0;
    char *data = NULL;
    struct stat info;
    if (fstat(fd, &info) != 0) {
        rc = err_set_errno(OGPT_EIO, "%s: cannot be examined", path);
        goto done;
    }
    if (!S_ISREG(info.st_mode)) {
        rc = err_set(OGPT_EIO, "%s: expected a regular file, found a %s", path, path__kind(&info));
        goto done;
    }
    if ((uint64_t)info.st_size > max_bytes) {
        rc = err_set(OGPT_EFORMAT, "%s: expected at most %zu bytes, found %lld", path, max_bytes,
                     (long long)info.st_size);
        goto done;
    }
    data = mem_alloc((size_t)info.st_size + 1, 1, path);
    if (!data) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    rc = file_pread(fd, data, (size_t)info.st_size, 0, path);
done:
    close(fd);
    if (rc != 0) {
        mem_free(data);
        return rc;
    }
    data[info.st_size] = 0;
    *out = data;
    *n_bytes = (size_t)info.st_size;
    return 0;
}

int file_read_named(void **out, size_t *n_bytes, const char *path, size_t max_bytes,
                    const char *what)
{
    PathKind kind;
    int rc = path_kind(&kind, path);
    *out = NULL;
    *n_bytes = 0;
    return rc ? rc
           : kind == PATH_DIRECTORY
               ? err_set(OGPT_EFORMAT, "%s: expected %s, found a directory; check the path", path,
                         what)
               : file_read_all(out, n_bytes, path, max_bytes);
}

int file_size(uint64_t *out, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return err_set_errno(OGPT_EIO, "%s: cannot be examined", path);
    }
    *out = (uint64_t)info.st_size;
    return 0;
}

/* ---- writing ---- */

int file_new_create(int *fd, const char *path)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    return *fd < 0 ? err_set_errno(OGPT_EIO, "%s: cannot be created", path) : 0;
}

int file_new_write(int fd, const void *data, size_t n_bytes, const char *path)
{
    size_t done = 0;
    while (done < n_bytes) {
        ssize_t n = write(fd, (const char *)data + done, n_bytes - done);
        if (n < 0 && errno != EINTR) {
            return err_set_errno(OGPT_EIO, "%s: cannot be written", path);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* After a failed fsync the pages may be marked clean although they never reached the disk, so
 * asking again proves nothing: the first failure is final. */
int file_new_finish(int fd, const char *path)
{
    int rc = 0;
    if (fsync(fd) != 0) {
        rc = err_set_errno(OGPT_EIO, "%s: cannot be flushed to disk", path);
    }
    if (close(fd) != 0 && rc == 0) {
        rc = err_set_errno(OGPT_EIO, "%s: cannot be closed", path);
    }
    return rc;
}

int file_new_write_new(const char *path, const void *data, size_t n_bytes)
{
    int fd;
    int rc = file_new_create(&fd, path);
    if (rc != 0) {
        return rc;
    }
    rc = file_new_write(fd, data, n_bytes, path);
    if (rc != 0) {
        close(fd);
    } else {
        rc = file_new_finish(fd, path);
    }
    if (rc != 0) {
        unlink(path);
    }
    return rc;
}

/* In one step: renameat2 where the file system can, else a second name and the removal of the
 * first. A file system that knows neither (folders that a virtual machine shares) leaves a moment
 * between the look and the renaming. */
int file_new_rename(const char *from, const char *to)
{
    struct stat info;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -1;
    }
    if (link(from, to) == 0) {
        return unlink(from);
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) {
        return -1;
    }
    errno = EEXIST;
    return lstat(to, &info) == 0 || errno != ENOENT ? -1 : rename(from, to);
}

static int exists_error(const char *path)
{
    return err_set(OGPT_EUSAGE,
                   "%s: exists already; choose another name, or replace it with --force", path);
}

/* Only a regular file is replaced: a rename onto a symbolic link, a named pipe or a device would
 * destroy something that was put there on purpose. */
static int goal_check(const char *path, bool replace)
{
    struct stat info;
    PathKind kind;
    int rc = path__entry(&kind, &info, path);
    if (rc != 0 || kind == PATH_MISSING) {
        return rc;
    }
    if (!replace) {
        return exists_error(path);
    }
    return S_ISREG(info.st_mode)
               ? 0
               : err_set(OGPT_EUSAGE,
                         "%s: expected a regular file to replace, found a %s; choose another name",
                         path, path__kind(&info));
}

int file_write_atomic(const char *path, const void *data, size_t n_bytes, bool replace)
{
    char beside[FILES_PATH_MAX];
    size_t n_stale;
    int rc = path_temporary(beside, path);
    rc = rc ? rc : goal_check(path, replace);
    if (rc != 0) {
        return rc;
    }
    rc = path_clean_stale(&n_stale, path); /* of killed processes */
    if (rc != 0) {
        return rc;
    }
    unlink(beside); /* an earlier process with our pid may have left one */
    rc = file_new_write_new(beside, data, n_bytes);
    return rc ? rc : file_publish(beside, path, replace);
}

int path_temporary(char *out, const char *path)
{
    char parent[FILES_PATH_MAX];
    PathKind kind = PATH_OTHER;
    int rc = path_parent(parent, path);
    rc = rc ? rc : path_kind(&kind, parent);
    if (rc == 0 && kind != PATH_DIRECTORY) {
        return err_set(OGPT_EIO, "%s: %s is not a directory; make it first, or name another place",
                       path, parent);
    }
    return rc ? rc : path__beside(out, PREFIX_NEW, path);
}

int file_publish(const char *from, const char *path, bool replace)
{
    char parent[FILES_PATH_MAX];
    int rc = path_parent(parent, path);
    rc = rc ? rc : goal_check(path, replace);
    if (rc == 0 && (replace ? rename(from, path) : file_new_rename(from, path)) != 0) {
        rc = errno == EEXIST ? exists_error(path)
                             : err_set_errno(OGPT_EIO, "%s: cannot be put in place", path);
    }
    if (rc != 0) {
        unlink(from);
        return rc;
    }
    return dir__sync(parent);
}

int disk_preflight(const char *path, uint64_t bytes)
{
    char place[FILES_PATH_MAX];
    if (snprintf(place, sizeof(place), "%s", path) >= FILES_PATH_MAX) {
        return err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 1);
    }
    struct statvfs system;
    while (statvfs(place, &system) != 0) {
        char parent[FILES_PATH_MAX];
        int reason = errno;
        if (reason == ENOENT && path_parent(parent, place) == 0 && strcmp(parent, place) != 0) {
            memcpy(place, parent, sizeof(place));
            continue;
        }
        errno = reason;
        return err_set_errno(OGPT_EIO, "%s: free space cannot be found out", path);
    }
    uint64_t free_bytes = (uint64_t)system.f_bavail * system.f_frsize;
    if (free_bytes < bytes) {
        return err_set(OGPT_EIO,
                       "%s: disk full: needs %llu bytes, %llu are free; make room or choose "
                       "another place",
                       path, (unsigned long long)bytes, (unsigned long long)free_bytes);
    }
    return 0;
}

int path_check_writable(const char *path)
{
    char place[FILES_PATH_MAX], parent[FILES_PATH_MAX];
    PathKind kind;
    if (snprintf(place, sizeof(place), "%s", path) >= FILES_PATH_MAX) {
        return err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 1);
    }
    for (;;) { /* what is there and no directory can only be at the end */
        int rc = path_kind(&kind, place);
        if (rc == 0 && kind == PATH_DIRECTORY) {
            break;
        }
        bool missing = kind == PATH_MISSING || strcmp(place, path) == 0;
        rc = rc ? rc : path_parent(parent, place);
        if (rc != 0 || !missing || strcmp(parent, place) == 0) {
            errno = missing ? ENOENT : ENOTDIR;
            return rc ? rc : err_set_errno(OGPT_EIO, "%s: cannot be made there", path);
        }
        memcpy(place, parent, sizeof(place));
    }
    return access(place, W_OK | X_OK) == 0
               ? 0
               : err_set_errno(OGPT_EIO, "%s: cannot be made in %s", path, place);
}

int dir_self_check(const char *path, uint64_t bytes)
{
    static const char words[] = "ogpt doctor was here";
    char scratch[FILES_PATH_MAX];
    char file[FILES_PATH_MAX];
    void *back = NULL;
    size_t n = 0;
    int rc = disk_preflight(path, bytes);
    rc = rc ? rc : path_join(scratch, path, ".ogpt-doctor");
    rc = rc ? rc : dir_create(scratch);
    if (rc != 0) {
        return rc;
    }
    rc = path_join(file, scratch, "probe");
    rc = rc ? rc : file_write_atomic(file, words, sizeof(words), true);
    rc = rc ? rc : file_read_all(&back, &n, file, 4096);
    if (rc == 0 && (n != sizeof(words) || memcmp(back, words, n) != 0)) {
        rc = err_set(OGPT_ENEGATIVE, "%s: other bytes came back than were written", file);
    }
    mem_free(back);
    int removed = dir_remove(scratch);
    return rc ? rc : removed;
}
