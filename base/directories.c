/* base/directories.c - directories and paths; see files.h. */
#define _GNU_SOURCE
#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files_new.h"

/* ---- paths ---- */

static int too_long(void)
{
    return err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 1);
}

int path_join(char *out, const char *dir, const char *name)
{
    size_t length = strlen(dir);
    const char *slash = length > 0 && dir[length - 1] == '/' ? "" : "/";
    int n = snprintf(out, FILES_PATH_MAX, "%s%s%s", dir, slash, name);
    return n >= FILES_PATH_MAX ? too_long() : 0;
}

int path_plain(char *out, const char *path)
{
    size_t length = 0;
    out[0] = '\0';
    for (const char *c = path; *c != '\0';) {
        size_t n = strcspn(c, "/");
        if (n > 0 && !(n == 1 && c[0] == '.')) {
            bool between = length > 0 || path[0] == '/';
            int added = snprintf(out + length, FILES_PATH_MAX - length, "%s%.*s",
                                 between ? "/" : "", (int)n, c);
            length += (size_t)added;
            if (length >= FILES_PATH_MAX) {
                return err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 1);
            }
        }
        c += n + (c[n] == '/');
    }
    return 0;
}

int path_absolute(char *out, const char *path)
{
    _Static_assert(FILES_PATH_MAX >= PATH_MAX, "realpath writes up to PATH_MAX bytes");
    return realpath(path, out) ? 0 : err_set_errno(OGPT_EIO, "%s: cannot be found", path);
}

/* Length of `path` without the slashes at its end ("/" itself keeps its one). */
static size_t trimmed_length(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return length;
}

/* Where the last name of `path` starts. */
static size_t name_start(const char *path)
{
    size_t start = trimmed_length(path);
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    return start;
}

int path_parent(char *out, const char *path)
{
    size_t start = name_start(path);
    while (start > 1 && path[start - 1] == '/') {
        start--;
    }
    int n = start == 0 ? snprintf(out, FILES_PATH_MAX, ".")
                       : snprintf(out, FILES_PATH_MAX, "%.*s", (int)start, path);
    return n >= FILES_PATH_MAX ? too_long() : 0;
}

int path__resolve_parent(char *out, const char *path)
{
    char parent[FILES_PATH_MAX], folder[PATH_MAX];
    const size_t start = name_start(path);
    int rc = path_parent(parent, path);
    if (rc != 0) {
        return rc;
    }
    if (realpath(parent, folder)) {
        return path_join(out, folder, path + start);
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        return err_set_errno(OGPT_EIO, "%s: cannot be examined", path);
    }
    return snprintf(out, FILES_PATH_MAX, "%s%s", path[0] == '/' ? "" : "./", path) >= FILES_PATH_MAX
               ? too_long()
               : 0;
}

int path_resolve(char *out, const char *path)
{
    struct stat info;
    if (realpath(path, out)) {
        return 0;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        return err_set_errno(OGPT_EIO, "%s: cannot be examined", path);
    }
    if (lstat(path, &info) == 0) {
        return err_set(OGPT_EIO, "%s: a symbolic link to something that is missing; name another",
                       path);
    }
    return path__resolve_parent(out, path);
}

int path__beside(char *out, const char *prefix, const char *path)
{
    size_t start = name_start(path), end = trimmed_length(path);
    int n = snprintf(out, FILES_PATH_MAX, "%.*s%s%ld-%.*s", (int)start, path, prefix,
                     (long)getpid(), (int)(end - start), path + start);
    return n >= FILES_PATH_MAX ? too_long() : 0;
}

bool path_holds(const char *outer, const char *inner)
{
    struct stat wanted, found;
    char place[PATH_MAX], parent[FILES_PATH_MAX];
    if (stat(outer, &wanted) != 0 || !realpath(inner, place)) {
        return errno != ENOENT && errno != ENOTDIR; /* unknown: the caller keeps away from it */
    }
    for (;;) {
        bool same = stat(place, &found) == 0 && found.st_dev == wanted.st_dev &&
                    found.st_ino == wanted.st_ino;
        if (same || path_parent(parent, place) != 0 || strcmp(parent, place) == 0) {
            return same;
        }
        snprintf(place, sizeof(place), "%s", parent);
    }
}

const char *path__kind(const struct stat *info)
{
    switch (info->st_mode & S_IFMT) {
    case S_IFREG: return "regular file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "symbolic link";
    case S_IFIFO: return "named pipe";
    case S_IFSOCK: return "socket";
    default: return "device";
    }
}

/* ---- directories ---- */

static int kind_of(PathKind *out, int found, const struct stat *info, const char *path)
{
    if (found != 0) {
        *out = errno == ENOENT || errno == ENOTDIR ? PATH_MISSING : PATH_OTHER;
        return *out == PATH_MISSING ? 0 : err_set_errno(OGPT_EIO, "%s: cannot be examined", path);
    }
    *out = S_ISREG(info->st_mode)   ? PATH_FILE
           : S_ISDIR(info->st_mode) ? PATH_DIRECTORY
                                    : PATH_OTHER;
    return 0;
}

int path_kind(PathKind *out, const char *path)
{
    struct stat info;
    return kind_of(out, stat(path, &info), &info, path);
}

int path_kind_in(PathKind *out, const char *folder, const char *name)
{
    char path[FILES_PATH_MAX];
    int rc = path_join(path, folder, name);
    *out = PATH_OTHER;
    return rc ? rc : path_kind(out, path);
}

int path__entry(PathKind *out, struct stat *info, const char *path)
{
    return kind_of(out, lstat(path, info), info, path);
}

int dir__sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(OGPT_EIO, "%s: directory cannot be opened", path);
    }
    /* EINVAL: the file system has nothing to flush for a directory */
    int rc = fsync(fd) == 0 || errno == EINVAL
                 ? 0
                 : err_set_errno(OGPT_EIO, "%s: directory cannot be flushed to disk", path);
    close(fd);
    return rc;
}

int path_pin(PathPin *out, const char *path)
{
    out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(out->path, sizeof(out->path), "/proc/self/fd/%d", out->fd);
    if (out->fd >= 0 && access(out->path, F_OK) != 0) {
        snprintf(out->path, sizeof(out->path), "%s", path);
    }
    return out->fd >= 0 ? 0 : err_set_errno(OGPT_EIO, "%s: directory cannot be opened", path);
}

int path_unpin(PathPin *pin, const char *path, int rc)
{
    const size_t length = strlen(pin->path);
    char *message = rc && pin->fd >= 0 ? mem_strdup(err_message(), "an error message") : NULL;
    char text[2 * FILES_PATH_MAX] = "";
    size_t n = 0;
    for (const char *at = message; at && *at != 0 && n < sizeof(text) - 1;) {
        const bool pinned =
            strncmp(at, pin->path, length) == 0 && !strchr("0123456789", at[length]);
        const size_t room = sizeof(text) - n;
        int added =
            pinned ? snprintf(text + n, room, "%s", path) : snprintf(text + n, room, "%c", *at);
        n += (size_t)added < room ? (size_t)added : room - 1;
        at += pinned ? length : 1;
    }
    if (message) {
        err_set(rc, "%s", text);
    }
    mem_free(message);
    if (pin->fd >= 0) {
        close(pin->fd);
    }
    pin->fd = -1;
    return rc;
}

int dir_create(const char *path)
{
    char part[FILES_PATH_MAX];
    size_t length = trimmed_length(path);
    if (length >= FILES_PATH_MAX) {
        return too_long();
    }
    for (size_t end = 1; end <= length; end++) {
        if (end < length && path[end] != '/') {
            continue;
        }
        memcpy(part, path, end);
        part[end] = 0;
        PathKind kind = PATH_DIRECTORY;
        int rc = mkdir(part, 0777) == 0 ? 0 : errno == EEXIST ? path_kind(&kind, part) : OGPT_EIO;
        if (rc == OGPT_EIO && errno != EEXIST) {
            return err_set_errno(OGPT_EIO, "%s: directory cannot be created", part);
        }
        if (rc != 0 || kind != PATH_DIRECTORY) {
            errno = rc ? errno : EEXIST;
            return err_set_errno(OGPT_EIO, "%s: directory cannot be created", part);
        }
    }
    return 0;
}

static int entry_remove(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    if (remove(path) != 0 && errno != ENOENT) { /* another process may clean up here, too */
        return err_set_errno(OGPT_EIO, "%s: cannot be removed", path);
    }
    return 0;
}

int dir_remove(const char *path)
{
    /* contents before their directory, symbolic links as such, 16 descriptors at most */
    int rc = nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    return rc == -1 ? err_set_errno(OGPT_EIO, "%s: cannot be removed", path) : rc;
}

int dir_discard(const char *path)
{
    char aside[FILES_PATH_MAX];
    int rc = path__beside(aside, PREFIX_NEW, path);
    if (rc == 0 && rename(path, aside) != 0) {
        rc = err_set_errno(OGPT_EIO, "%s: cannot be removed", path);
    }
    return rc ? rc : dir_remove(aside);
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int dir_list(char ***names, size_t *n, const char *path)
{
    *names = NULL;
    *n = 0;
    DIR *dir = opendir(path);
    if (!dir) {
        return err_set_errno(OGPT_EIO, "%s: directory cannot be opened", path);
    }
    int rc = 0;
    size_t n_room = 16, n_found = 0;
    char **found = mem_alloc(n_room, sizeof(*found), path);
    if (!found) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            if (errno != 0) {
                rc = err_set_errno(OGPT_EIO, "%s: directory cannot be read", path);
            }
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (n_found == n_room) {
            char **wider = mem_realloc(found, 2 * n_room, sizeof(*found), path);
            if (!wider) {
                rc = OGPT_ENOMEM;
                break;
            }
            found = wider;
            n_room *= 2;
        }
        found[n_found] = mem_strdup(entry->d_name, path);
        if (!found[n_found]) {
            rc = OGPT_ENOMEM;
            break;
        }
        n_found++;
    }
done:
    closedir(dir);
    if (rc != 0) {
        names_free(found, n_found);
        return rc;
    }
    qsort(found, n_found, sizeof(*found), names_compare);
    *names = found;
    *n = n_found;
    return 0;
}

void names_free(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mem_free(names[i]);
    }
    mem_free(names);
}

/* The name after "<prefix><pid>-", and the pid; NULL if `entry` is no such name. */
static const char *temporary_name(long *pid, const char *entry, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(entry, prefix, length) != 0) {
        return NULL;
    }
    const char *digits = entry + length;
    size_t n_digits = strspn(digits, "0123456789");
    if (n_digits == 0 || n_digits > 9 || digits[n_digits] != '-' || digits[n_digits + 1] == 0) {
        return NULL;
    }
    *pid = strtol(digits, NULL, 10);
    return *pid > 0 ? digits + n_digits + 1 : NULL;
}

bool name_is_temporary(const char *name)
{
    long pid;
    return temporary_name(&pid, name, PREFIX_NEW) || temporary_name(&pid, name, PREFIX_OLD);
}

/* The name after "<prefix><pid>-" if that process is dead, else NULL. */
static const char *dead_name(const char *entry, const char *prefix)
{
    long pid;
    const char *name = temporary_name(&pid, entry, prefix);
    return name && kill((pid_t)pid, 0) != 0 && errno == ESRCH ? name : NULL;
}

/* Handle one entry that a dead process left, if its goal is `only` (NULL: any goal). A directory
 * that was being replaced is put back if its goal is missing; everything else is removed. What is
 * gone meanwhile was handled by another process, or by its own before that ended. */
static int leftover_clean(size_t *n_removed, const char *dir, const char *entry, const char *only)
{
    const char *replaced = dead_name(entry, PREFIX_OLD);
    const char *name = replaced ? replaced : dead_name(entry, PREFIX_NEW);
    if (!name || (only && strcmp(name, only) != 0)) {
        return 0;
    }
    char path[FILES_PATH_MAX], goal[FILES_PATH_MAX];
    int rc = path_join(path, dir, entry);
    if (rc == 0 && replaced) {
        rc = path_join(goal, dir, replaced);
    }
    if (rc != 0) {
        return rc;
    }
    struct stat info;
    PathKind kind = PATH_OTHER;
    rc = replaced ? path__entry(&kind, &info, goal) : 0;
    if (rc == 0 && kind == PATH_MISSING) {
        return rename(path, goal) == 0 || errno == ENOENT
                   ? 0
                   : err_set_errno(OGPT_EIO, "%s: cannot be put back as %s", path, goal);
    }
    rc = rc ? rc : dir_remove(path);
    *n_removed += rc == 0;
    return rc && path__entry(&kind, &info, path) == 0 && kind == PATH_MISSING ? 0 : rc;
}

int dir_list_stale(char ***names, size_t *n, const char *path)
{
    size_t n_all;
    int rc = dir_list(names, &n_all, path);
    *n = 0;
    for (size_t i = 0; rc == 0 && i < n_all; i++) {
        char *name = (*names)[i];
        if (dead_name(name, PREFIX_NEW) || dead_name(name, PREFIX_OLD)) {
            (*names)[(*n)++] = name;
        } else {
            mem_free(name);
        }
    }
    return rc;
}

static int stale_clean(size_t *n_removed, const char *dir, const char *only)
{
    char **names;
    size_t n;
    int rc = dir_list(&names, &n, dir);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = leftover_clean(n_removed, dir, names[i], only);
    }
    names_free(names, n);
    return rc;
}

int dir_clean_stale(size_t *n_removed, const char *path)
{
    *n_removed = 0;
    return stale_clean(n_removed, path, NULL);
}

int path_clean_stale(size_t *n_removed, const char *path)
{
    char parent[FILES_PATH_MAX], name[FILES_PATH_MAX];
    size_t start = name_start(path), end = trimmed_length(path);
    *n_removed = 0;
    PathKind kind = PATH_MISSING;
    int rc = path_parent(parent, path);
    if (rc == 0 &&
        snprintf(name, sizeof(name), "%.*s", (int)(end - start), path + start) >= FILES_PATH_MAX) {
        rc = too_long();
    }
    rc = rc ? rc : path_kind(&kind, parent);
    return rc || kind != PATH_DIRECTORY ? rc : stale_clean(n_removed, parent, name);
}
