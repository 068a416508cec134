/* base/stream.c - files read and written in pieces; see stream.h. */
#define _GNU_SOURCE
#include "base/stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/files_new.h"

#define BUFFER_BYTES ((size_t)1 << 20)

/* ---- reading ---- */

int stream_open(StreamReader *out, const char *path)
{
    *out = (StreamReader){.fd = -1, .path = path};
    /* O_NONBLOCK: opening a named pipe must not wait for its writer */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return err_set_errno(OGPT_EIO, "%s: cannot be opened", path);
    }
    struct stat info;
    int rc = 0;
    if (fstat(fd, &info) != 0) {
        rc = err_set_errno(OGPT_EIO, "%s: cannot be examined", path);
    } else if (!S_ISREG(info.st_mode)) {
        rc = err_set(OGPT_EIO, "%s: expected a regular file, found a %s", path, path__kind(&info));
    }
    if (rc != 0) {
        close(fd);
        return rc;
    }
    out->fd = fd;
    out->size = (uint64_t)info.st_size;
    return 0;
}

int stream_read(StreamReader *reader, void *out, size_t room, size_t *n)
{
    const uint64_t left = reader->size > reader->at ? reader->size - reader->at : 0;
    *n = left < room ? (size_t)left : room;
    const int rc = file_pread(reader->fd, out, *n, reader->at, reader->path);
    reader->at += *n;
    return rc;
}

void stream_close(StreamReader *reader)
{
    if (reader->fd >= 0) {
        close(reader->fd);
        reader->fd = -1;
    }
}

/* ---- writing ---- */

struct StreamWriter {
    int fd;
    size_t n_buffered;
    char path[FILES_PATH_MAX];
    char buffer[BUFFER_BYTES];
};

int stream_writer_new(StreamWriter **out, const char *path)
{
    *out = NULL;
    StreamWriter *writer = mem_alloc(1, sizeof(*writer), "a file in pieces");
    if (!writer) {
        return OGPT_ENOMEM;
    }
    writer->n_buffered = 0;
    int rc = 0;
    if (snprintf(writer->path, sizeof(writer->path), "%s", path) >= FILES_PATH_MAX) {
        rc = err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 1);
    }
    rc = rc ? rc : file_new_create(&writer->fd, path);
    if (rc != 0) {
        mem_free(writer);
        return rc;
    }
    *out = writer;
    return 0;
}

static int buffer_flush(StreamWriter *writer)
{
    const int rc = file_new_write(writer->fd, writer->buffer, writer->n_buffered, writer->path);
    writer->n_buffered = 0;
    return rc;
}

int stream_writer_add(StreamWriter *writer, const void *data, size_t n_bytes)
{
    const char *from = data;
    while (n_bytes > 0) {
        const size_t room = BUFFER_BYTES - writer->n_buffered;
        const size_t n = n_bytes < room ? n_bytes : room;
        memcpy(writer->buffer + writer->n_buffered, from, n);
        writer->n_buffered += n;
        from += n;
        n_bytes -= n;
        if (writer->n_buffered == BUFFER_BYTES) {
            const int rc = buffer_flush(writer);
            if (rc != 0) {
                return rc;
            }
        }
    }
    return 0;
}

int stream_writer_finish(StreamWriter *writer)
{
    int rc = buffer_flush(writer);
    if (rc != 0) {
        stream_writer_abort(writer);
        return rc;
    }
    rc = file_new_finish(writer->fd, writer->path);
    if (rc != 0) {
        unlink(writer->path);
    }
    mem_free(writer);
    return rc;
}

void stream_writer_abort(StreamWriter *writer)
{
    if (!writer) {
        return;
    }
    close(writer->fd);
    unlink(writer->path);
    mem_free(writer);
}
