/* base/files.h - files and directories: whole reads, atomic publishing, locks.
 *
 * Nothing is ever written in place. A file is written to ".tmp-<pid>-<name>" beside its goal,
 * fsynced, renamed, and the parent directory fsynced. Every message names the path.
 */
#ifndef OGPT_BASE_FILES_H
#define OGPT_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILES_PATH_MAX 4096

/* Read a whole regular file of at most max_bytes. *out is owned (mem_free) and has one NUL
 * after its n_bytes. Returns 0, OGPT_EIO (message with errno), OGPT_EFORMAT (too large),
 * OGPT_ENOMEM. */
int file_read_all(void **out, size_t *n_bytes, const char *path, size_t max_bytes);
/* The same of a file that somebody named; a directory is OGPT_EFORMAT, "expected a case file (CSV)"
 * if that is `what`. */
int file_read_named(void **out, size_t *n_bytes, const char *path, size_t max_bytes,
                    const char *what);
/* Read exactly n_bytes at offset from an open descriptor (loops over short reads); a file
 * that ends early is OGPT_EFORMAT. */
int file_pread(int fd, void *out, size_t n_bytes, uint64_t offset, const char *path);
/* Write a whole file atomically (see above). Refuses to replace an existing one unless
 * `replace`, and anything but a regular file always. Returns 0, OGPT_EUSAGE (exists), OGPT_EIO. */
int file_write_atomic(const char *path, const void *data, size_t n_bytes, bool replace);
/* For files and directories that are written piece by piece. path_temporary gives the name next to
 * the goal under which this process writes, into out[FILES_PATH_MAX]; dir_clean_stale knows such
 * names. OGPT_EIO if the directory of the goal does not exist. file_publish puts a finished,
 * fsynced file in place as file_write_atomic does; on failure it removes `from`. */
int path_temporary(char *out, const char *path);
int file_publish(const char *from, const char *path, bool replace);
int file_size(uint64_t *out, const char *path);
/* What is at a path; links are followed. Only what the system reports as absent is missing: what
 * cannot be looked at now may be there, so that is OGPT_EIO, and *out is PATH_OTHER. This is the
 * one way to ask, here and in all rooms. */
typedef enum PathKind { PATH_MISSING, PATH_FILE, PATH_DIRECTORY, PATH_OTHER } PathKind;
int path_kind(PathKind *out, const char *path);
/* The same of a name in a folder. Errors also as path_join; *out is PATH_OTHER then too. */
int path_kind_in(PathKind *out, const char *folder, const char *name);
/* Create a directory and its missing parents (mode 0777 minus umask). 0 or OGPT_EIO. */
int dir_create(const char *path);
/* Remove a directory tree; symbolic links are removed, never followed. */
int dir_remove(const char *path);
/* As dir_remove, for a published directory: its name disappears first, so nobody sees half of it.
 * If the process dies on the way, dir_clean_stale removes the rest. */
int dir_discard(const char *path);
/* Remove ".tmp-<pid>-*" and ".old-<pid>-*" entries of dead processes directly below `path`;
 * counts them. An ".old-<pid>-NAME" whose NAME is missing is put back instead: its process died
 * while replacing it. Only for directories that processes of one machine write. */
int dir_clean_stale(size_t *n_removed, const char *path);
/* Whether a name is that of a leftover, be its process dead or alive. */
bool name_is_temporary(const char *name);
/* The names that dir_clean_stale would handle, sorted. Owned: names_free. */
int dir_list_stale(char ***names, size_t *n, const char *path);
/* As dir_clean_stale, for the leftovers of one goal: neither `path` nor its parent need exist. For
 * directories in which people keep other things too. */
int path_clean_stale(size_t *n_removed, const char *path);
/* Names of the entries of `path`, sorted, without "." and "..". Owned: names_free. */
int dir_list(char ***names, size_t *n, const char *path);
void names_free(char **names, size_t n);
/* The directory that holds `path` ("." of a bare name), into out[FILES_PATH_MAX]. OGPT_EUSAGE when
 * too long. */
int path_parent(char *out, const char *path);
/* True if `inner` is `outer` or lies anywhere below it. Follows symbolic links and recognises hard
 * links. False if either does not exist; true if that cannot be found out, because who asks is
 * about to replace `outer`. */
bool path_holds(const char *outer, const char *inner);
/* The path of an existing file or directory from the root, without symbolic links, into
 * out[FILES_PATH_MAX]: for paths that are read from other directories later. 0 or OGPT_EIO. */
int path_absolute(char *out, const char *path);
/* The path that a file or directory has, or would be made at, without symbolic links, into
 * out[FILES_PATH_MAX]: two names of one thing give one path. A link to something that is missing is
 * OGPT_EIO. */
int path_resolve(char *out, const char *path);
/* A directory held open: what is read below `path` is in this one directory, even if another one
 * takes its name meanwhile (where there is no /proc, that is not promised). path_unpin puts the
 * directory's name in the place of the pin's in the message of a failed rc, closes, and returns rc.
 */
typedef struct PathPin {
    int fd;
    char path[FILES_PATH_MAX];
} PathPin;
int path_pin(PathPin *out, const char *path);
int path_unpin(PathPin *pin, const char *path, int rc);
/* Join as "dir/name" into out[FILES_PATH_MAX]. OGPT_EUSAGE when too long. */
int path_join(char *out, const char *dir, const char *name);
/* The steps of a path without "." and without repeated slashes, into out[FILES_PATH_MAX]: equal for
 * spellings of one path. Looks at no file. OGPT_EUSAGE when too long. */
int path_plain(char *out, const char *path);
/* Whether something can be made at `path`: its nearest existing parent is a directory that may be
 * written to. Makes nothing. 0 or OGPT_EIO. */
int path_check_writable(const char *path);
/* Fails early (OGPT_EIO, with needed and free bytes) if the file system of `path`, or of its
 * nearest existing parent, has less than `bytes` free. */
int disk_preflight(const char *path, uint64_t bytes);

/* Whether a directory takes a file: `bytes` are free, and what is written, synced and renamed there
 * is read back. Leaves nothing. Returns 0, OGPT_ENEGATIVE (other bytes came back) or OGPT_EIO. */
int dir_self_check(const char *path, uint64_t bytes);

/* Exclusive lock file. It appears with its content, "ogpt lock of process PID on HOST", and is gone
 * after file_unlock; after a kill it stays, and the next process takes it over. A second process
 * gets OGPT_ELOCKED with a message that names the holder's pid. Whatever else has the name, such as
 * the Cargo.lock of another program, is not written to: OGPT_EUSAGE. Two names of one path, by
 * symbolic links, give one lock. */
typedef struct FileLock {
    int fd;
    char path[FILES_PATH_MAX]; /* without symbolic links */
} FileLock;
int file_lock(FileLock *out, const char *path);
/* The same with the lock file PATH.lock, for what one process at a time may write at `path`. */
int file_lock_beside(FileLock *out, const char *path);
void file_unlock(FileLock *lock);

#endif
