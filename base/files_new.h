/* base/files_new.h - steps of atomic publishing that files.c shares with the writers of
 * this room (manifest.c, safetensors.c, npy.c). Not for other rooms.
 */
#ifndef OGPT_BASE_FILES_NEW_H
#define OGPT_BASE_FILES_NEW_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/files.h"

/* Create a file that must not exist (never through a symbolic link). *fd is open for writing. */
int file_new_create(int *fd, const char *path);
/* Write everything, over as many short writes as it takes. */
int file_new_write(int fd, const void *data, size_t n_bytes, const char *path);
/* fsync and close. The descriptor is closed even after an error. */
int file_new_finish(int fd, const char *path);
/* All three. On failure no file is left. */
int file_new_write_new(const char *path, const void *data, size_t n_bytes);
/* Rename without replacing: 0, or -1 with errno, EEXIST if `to` is there. Regular files only. */
int file_new_rename(const char *from, const char *to);
/* fsync a directory, so that the names in it survive a crash. */
int dir__sync(const char *path);
/* As path_kind, of the entry itself: a symbolic link is PATH_OTHER. *info only if it is there. */
int path__entry(PathKind *out, struct stat *info, const char *path);
/* The kind of an entry, for messages: "symbolic link", "directory", ... */
const char *path__kind(const struct stat *info);
/* `path` with its folder, but not itself, free of symbolic links, into out[FILES_PATH_MAX]. */
int path__resolve_parent(char *out, const char *path);
/* "<parent>/<prefix><pid>-<name>" of a goal "<parent>/<name>", into out[FILES_PATH_MAX]. */
int path__beside(char *out, const char *prefix, const char *path);

#define PREFIX_NEW ".tmp-" /* being written; useless once its process is dead */
#define PREFIX_OLD ".old-" /* being replaced; put back when its goal is missing */

#endif
