/* base/lock.c - lock files; see files.h.
 *
 * flock and not fcntl's classic locks: those are dropped when any descriptor of the file is closed,
 * and never conflict within one process. The kernel releases a flock when its holder dies.
 *
 * A lock file is made under a temporary name, locked and filled, and then takes its name only if
 * nothing has it. So at its name it is never empty or half written, and what is there without the
 * content of a lock is somebody else's file. A name changes hands only by a process that holds the
 * flock of the file under it: the holder removes it when it is done, and who finds the file of a
 * dead process locks that, looks whether the name still leads to it, removes it and starts again.
 * Who locks a file that has lost its name meanwhile starts again, too.
 */
#define _GNU_SOURCE
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files_new.h"
#include "base/process.h"

#define LOCK_TRIES 200 /* of a name that changes hands again and again */
#define LOCK_BYTES 400
#define LOCK_WORDS "ogpt lock of process "

/* The holder that a lock file names. Programs before 0.2 wrote "PID HOST" and left the file. */
static bool holder_read(long *pid, char host[257], int fd)
{
    char text[LOCK_BYTES + 1];
    int end = -1;
    const ssize_t n = pread(fd, text, LOCK_BYTES, 0);
    text[n > 0 ? n : 0] = 0;
    host[0] = 0;
    if (sscanf(text, LOCK_WORDS "%ld on %256s%n", pid, host, &end) < 2 || end < 0) {
        end = -1;
        if (sscanf(text, "%ld %256s%n", pid, host, &end) < 2 || end < 0 || *pid <= 0) {
            return false;
        }
    }
    return n == end + 1 && text[end] == '\n';
}

/* 0: the descriptor is of a lock of ours; *pid, host: its holder. */
static int lock_recognise(long *pid, char host[257], int fd, const char *path)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return err_set_errno(OGPT_EIO, "%s: cannot be examined", path);
    }
    return S_ISREG(info.st_mode) && holder_read(pid, host, fd)
               ? 0
               : err_set(OGPT_EUSAGE,
                         "%s: expected no file, or a lock of ogpt, found another program's %s; "
                         "choose another name for what is to be made",
                         path, path__kind(&info));
}

/* Whether the name still leads to the open file. */
static bool lock_has_name(int fd, const char *path)
{
    struct stat here, there;
    return fstat(fd, &here) == 0 && lstat(path, &there) == 0 && here.st_ino == there.st_ino &&
           here.st_dev == there.st_dev;
}

/* Make the lock under its name: 1, or 0 if the name is taken, or OGPT_E*. */
static int lock_make(FileLock *out, const char *path)
{
    char beside[FILES_PATH_MAX], host[257] = "", text[LOCK_BYTES];
    size_t n_removed;
    int fd;
    int rc = path_clean_stale(&n_removed, out->path);
    rc = rc ? rc : path__beside(beside, PREFIX_NEW, out->path);
    if (rc != 0) {
        return rc;
    }
    unlink(beside); /* an earlier process with our pid may have left one */
    fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        return err_set_errno(OGPT_EIO, "%s: lock file cannot be made", path);
    }
    gethostname(host, sizeof(host) - 1);
    const int length = snprintf(text, sizeof(text), LOCK_WORDS "%ld on %s\n", (long)getpid(), host);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = err_set_errno(OGPT_EIO, "%s: cannot be locked", path);
    }
    rc = rc ? rc : file_new_write(fd, text, (size_t)length, path);
    if (rc == 0 && file_new_rename(beside, out->path) == 0) {
        out->fd = fd;
        return 1;
    }
    if (rc == 0 && errno != EEXIST) {
        rc = err_set_errno(OGPT_EIO, "%s: lock file cannot be put in place", path);
    }
    close(fd);
    unlink(beside);
    return rc;
}

/* The file under the name is somebody's. 1: it was a dead process's, or is gone: try again; or
 * OGPT_E*. */
static int lock_inherit(const FileLock *lock, const char *path)
{
    long pid = 0;
    char host[257];
    int fd = open(lock->path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 1
               : errno == ELOOP || errno == EISDIR || errno == ENXIO
                   ? err_set(OGPT_EUSAGE,
                             "%s: expected no file, or a lock of ogpt; choose another name for "
                             "what is to be made",
                             path)
                   : err_set_errno(OGPT_EIO, "%s: lock file cannot be opened", path);
    }
    int rc = lock_recognise(&pid, host, fd, path);
    if (rc == 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = errno != EWOULDBLOCK ? err_set_errno(OGPT_EIO, "%s: cannot be locked", path)
             : !lock_has_name(fd, lock->path)
                 ? 1
                 : err_set(OGPT_ELOCKED, "%s: locked by process %ld on %s; wait for it or stop it",
                           path, pid, host);
    } else if (rc == 0) {
        rc =
            !lock_has_name(fd, lock->path) || unlink(lock->path) == 0
                ? 1
                : err_set_errno(OGPT_EIO, "%s: the lock of a dead process cannot be removed", path);
    }
    close(fd);
    return rc;
}

int file_lock(FileLock *out, const char *path)
{
    int rc = path__resolve_parent(out->path, path);
    out->fd = -1;
    for (int i = 0; rc == 0 && i < LOCK_TRIES; i++) {
        rc = lock_make(out, path);
        if (rc == 0) {
            rc = lock_inherit(out, path);
            rc = rc > 0 ? 0 : rc;
        }
    }
    return rc == 1 ? 0
           : rc    ? rc
                   : err_set(OGPT_ELOCKED, "%s: changes hands all the time; try again", path);
}

int file_lock_beside(FileLock *out, const char *path)
{
    char name[FILES_PATH_MAX], real[FILES_PATH_MAX];
    out->fd = -1;
    if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name)) {
        return err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 6);
    }
    int rc = path_resolve(real, path);
    if (rc == 0 && snprintf(name, sizeof(name), "%s.lock", real) >= (int)sizeof(name)) {
        rc = err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 6);
    }
    return rc ? rc : file_lock(out, name);
}

/* The name goes first, while the lock is still held. */
void file_unlock(FileLock *lock)
{
    if (lock->fd >= 0) {
        if (lock_has_name(lock->fd, lock->path)) {
            unlink(lock->path);
        }
        close(lock->fd);
        lock->fd = -1;
    }
}
