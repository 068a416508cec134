/* base/stream.h - files too large for memory: read and written in pieces. */
#ifndef OGPT_BASE_STREAM_H
#define OGPT_BASE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A regular file that is read from front to back; `path` is borrowed. */
typedef struct StreamReader {
    int fd; /* -1: closed */
    const char *path;
    uint64_t size; /* bytes when it was opened; what is appended later is not read */
    uint64_t at;   /* byte that comes next; may be set forward or back */
} StreamReader;

/* Returns 0 or OGPT_EIO (cannot be opened, or is not a regular file). */
int stream_open(StreamReader *out, const char *path);
/* The next bytes, at most `room`; *n is 0 at the end only. OGPT_EFORMAT when the file has become
 * shorter. */
int stream_read(StreamReader *reader, void *out, size_t room, size_t *n);
void stream_close(StreamReader *reader);

/* A new file at `path` (which must not exist), written through a buffer. A file that must appear
 * complete or not at all is written to path_temporary, then published by file_publish. */
typedef struct StreamWriter StreamWriter;
int stream_writer_new(StreamWriter **out, const char *path);
int stream_writer_add(StreamWriter *writer, const void *data, size_t n_bytes);
/* Flush, fsync, close, free. On failure no file is left. */
int stream_writer_finish(StreamWriter *writer);
void stream_writer_abort(StreamWriter *writer);

#endif
