/* base/formats/npy.c - NumPy arrays; see npy.h.
 *
 * The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 * padded with spaces, ended by a newline. Exactly these three keys are read, in any order.
 */
#define _GNU_SOURCE
#include "base/formats/npy.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/files_new.h"
#include "base/formats/pickle_sniff.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define HEADER_MAX 65536 /* bytes; real ones have about 120 */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "arrays are little endian and are read as they lie"
#endif

static const struct {
    const char *descr, *dtype;
    size_t item_bytes;
} known[] = {{"<f4", "f4", 4}, {"|i1", "i1", 1}, {"<i2", "i2", 2},
             {"<i4", "i4", 4}, {"<i8", "i8", 8}, {"|u1", "u1", 1},
             {"<u2", "u2", 2}, {"<u4", "u4", 4}, {"<u8", "u8", 8}};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

/* ---- the header's text ---- */

typedef struct Scan {
    const char *at; /* the text ends with NUL */
    const char *path;
} Scan;

static bool token_take(Scan *scan, const char *token)
{
    scan->at += strspn(scan->at, " ");
    size_t length = strlen(token);
    if (strncmp(scan->at, token, length) != 0) {
        return false;
    }
    scan->at += length;
    return true;
}

static int expected(const Scan *scan, const char *what)
{
    return err_set(OGPT_EFORMAT, "%s: npy header: expected %s, found \"%.40s\"", scan->path, what,
                   scan->at);
}

/* A quoted word without escapes, at most 31 bytes. */
static bool word_take(char out[32], Scan *scan)
{
    scan->at += strspn(scan->at, " ");
    char quote = *scan->at;
    if (quote != '\'' && quote != '"') {
        return false;
    }
    char stop[3] = {quote, '\\', 0};
    size_t length = strcspn(scan->at + 1, stop);
    if (length > 31 || scan->at[1 + length] != quote) {
        return false;
    }
    memcpy(out, scan->at + 1, length);
    out[length] = 0;
    scan->at += length + 2;
    return true;
}

static int descr_read(NpyHeader *out, Scan *scan)
{
    char descr[32];
    if (!word_take(descr, scan)) {
        return token_take(scan, "[") ? err_set(OGPT_EFORMAT,
                                               "%s: structured arrays are not read; save one field "
                                               "as an array of its own",
                                               scan->path)
                                     : expected(scan, "a dtype in quotes");
    }
    for (size_t i = 0; i < N_KNOWN; i++) {
        if (strcmp(descr, known[i].descr) == 0) {
            memcpy(out->dtype, known[i].dtype, 3);
            out->item_bytes = known[i].item_bytes;
            return 0;
        }
    }
    if (strchr(descr, 'O')) {
        return err_set(OGPT_EFORMAT, "%s: object arrays need pickle, which is never read",
                       scan->path);
    }
    const char *reason = descr[0] == '>' ? "big-endian arrays are not read" : "dtype is not read";
    return err_set(OGPT_EFORMAT,
                   "%s: %s: expected integers of 1 to 8 bytes, little endian (or <f4 for "
                   "fractions), found %s; convert it with astype",
                   scan->path, reason, descr);
}

static int order_read(Scan *scan)
{
    if (token_take(scan, "False")) {
        return 0;
    }
    return token_take(scan, "True")
               ? err_set(OGPT_EFORMAT,
                         "%s: fortran_order: expected False, found True; save it after "
                         "numpy.ascontiguousarray",
                         scan->path)
               : expected(scan, "True or False");
}

static bool number_take(uint64_t *out, Scan *scan)
{
    scan->at += strspn(scan->at, " ");
    size_t n_digits = strspn(scan->at, "0123456789");
    uint64_t value = 0;
    for (size_t i = 0; i < n_digits; i++) {
        uint64_t digit = (uint64_t)(scan->at[i] - '0');
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    scan->at += n_digits;
    *out = value;
    return n_digits > 0;
}

/* (), (5,), (5, 3) and (5, 3,) are tuples; (5) is a number in brackets. */
static int shape_read(NpyHeader *out, Scan *scan)
{
    if (!token_take(scan, "(")) {
        return expected(scan, "a tuple");
    }
    bool comma = true;
    while (!token_take(scan, ")")) {
        if (out->rank == NPY_MAX_RANK) {
            return err_set(OGPT_EFORMAT, "%s: more than %d dimensions", scan->path, NPY_MAX_RANK);
        }
        if (!comma || !number_take(&out->shape[out->rank], scan)) {
            return expected(scan, "a length below 2^64, ',' or ')'");
        }
        out->rank++;
        comma = token_take(scan, ",");
    }
    return out->rank == 1 && !comma ? expected(scan, "',' in a tuple of one") : 0;
}

static int dictionary_read(NpyHeader *out, const char *text, const char *path)
{
    Scan scan = {text, path};
    bool seen[3] = {false, false, false};
    bool comma = true;
    if (!token_take(&scan, "{")) {
        return expected(&scan, "'{'");
    }
    while (!token_take(&scan, "}")) {
        static const char *const keys[3] = {"descr", "fortran_order", "shape"};
        char key[32];
        if (!comma || !word_take(key, &scan) || !token_take(&scan, ":")) {
            return expected(&scan, "a key, ',' or '}'");
        }
        size_t k = 0;
        while (k < 3 && strcmp(key, keys[k]) != 0) {
            k++;
        }
        if (k == 3 || seen[k]) {
            return err_set(OGPT_EFORMAT, "%s: npy header: key '%s' is unknown or given twice", path,
                           key);
        }
        seen[k] = true;
        int rc = k == 0   ? descr_read(out, &scan)
                 : k == 1 ? order_read(&scan)
                          : shape_read(out, &scan);
        if (rc != 0) {
            return rc;
        }
        comma = token_take(&scan, ",");
    }
    scan.at += strspn(scan.at, " \n");
    if (*scan.at != 0) {
        return expected(&scan, "nothing after '}'");
    }
    return seen[0] && seen[1] && seen[2]
               ? 0
               : err_set(OGPT_EFORMAT,
                         "%s: npy header: expected descr, fortran_order and shape, one is missing",
                         path);
}

static bool data_size(uint64_t *out, size_t item_bytes, size_t rank, const uint64_t *shape)
{
    *out = item_bytes;
    for (size_t i = 0; i < rank; i++) {
        if (__builtin_mul_overflow(*out, shape[i], out)) {
            return false;
        }
    }
    return true;
}

/* ---- reading ---- */

static int header_load(NpyHeader *out, int fd, const char *path)
{
    unsigned char head[12];
    uint64_t size;
    int rc = file_size(&size, path);
    if (rc != 0) {
        return rc;
    }
    *out = (NpyHeader){0};
    unsigned char first[PICKLE_SNIFF_BYTES];
    size_t n_first = size < sizeof(first) ? size : sizeof(first);
    rc = file_pread(fd, first, n_first, 0, path);
    rc = rc ? rc
            : packed_refuse(first, n_first, path, ".npy",
                            "save one array with numpy.save(..., allow_pickle=False)");
    if (rc != 0) {
        return rc;
    }
    if (size < sizeof(head) || file_pread(fd, head, sizeof(head), 0, path) != 0 ||
        memcmp(head, MAGIC, MAGIC_BYTES) != 0) {
        return err_set(OGPT_EFORMAT, "%s: byte 0: expected the magic of .npy, found none", path);
    }
    if ((head[6] != 1 && head[6] != 2) || head[7] != 0) {
        return err_set(OGPT_EFORMAT, "%s: expected npy version 1.0 or 2.0, found %d.%d", path,
                       head[6], head[7]);
    }
    uint64_t start = head[6] == 1 ? 10 : 12;
    uint64_t length = head[8] | (uint64_t)head[9] << 8;
    if (head[6] == 2) {
        length |= (uint64_t)head[10] << 16 | (uint64_t)head[11] << 24;
    }
    if (length > HEADER_MAX || length > size - start) {
        return err_set(OGPT_EFORMAT,
                       "%s: npy header: expected at most %d bytes within the file, found %llu",
                       path, HEADER_MAX, (unsigned long long)length);
    }
    char *text = mem_calloc(length + 1, 1, path);
    if (!text) {
        return OGPT_ENOMEM;
    }
    rc = file_pread(fd, text, length, start, path);
    if (rc == 0 && strlen(text) != length) {
        rc = err_set(OGPT_EFORMAT, "%s: npy header: holds a NUL byte", path);
    }
    rc = rc ? rc : dictionary_read(out, text, path);
    mem_free(text);
    if (rc != 0) {
        return rc;
    }
    out->data_offset = start + length;
    if (!data_size(&out->data_bytes, out->item_bytes, out->rank, out->shape)) {
        return err_set(OGPT_EFORMAT, "%s: npy shape needs more than 2^64 bytes", path);
    }
    if (out->data_bytes != size - out->data_offset) {
        return err_set(
            OGPT_EFORMAT, "%s: shape and dtype need %llu data bytes, the file holds %llu", path,
            (unsigned long long)out->data_bytes, (unsigned long long)(size - out->data_offset));
    }
    return 0;
}

static int array_open(int *fd, NpyHeader *out, const char *path)
{
    *fd = -1;
    PathKind kind;
    int rc = path_kind(&kind, path);
    if (rc != 0 || kind != PATH_FILE) {
        return rc ? rc : err_set(OGPT_EIO, "%s: expected an .npy file, found none", path);
    }
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) {
        return err_set_errno(OGPT_EIO, "%s: cannot be opened", path);
    }
    rc = header_load(out, *fd, path);
    if (rc != 0) {
        close(*fd);
    }
    return rc;
}

int npy_read_header(NpyHeader *out, const char *path)
{
    int fd;
    int rc = array_open(&fd, out, path);
    if (rc == 0) {
        close(fd);
    }
    return rc;
}

int npy_read(NpyHeader *out, void **data, const char *path, uint64_t max_bytes)
{
    *data = NULL;
    int fd;
    int rc = array_open(&fd, out, path);
    if (rc != 0) {
        return rc;
    }
    if (out->data_bytes > max_bytes) {
        rc = err_set(OGPT_EFORMAT, "%s: expected at most %llu data bytes, found %llu", path,
                     (unsigned long long)max_bytes, (unsigned long long)out->data_bytes);
    } else {
        *data = mem_alloc(out->data_bytes, 1, path);
        rc = !*data ? OGPT_ENOMEM : file_pread(fd, *data, out->data_bytes, out->data_offset, path);
    }
    close(fd);
    if (rc != 0) {
        mem_free(*data);
        *data = NULL;
    }
    return rc;
}

/* ---- writing ---- */

struct NpyWriter {
    int fd;
    uint64_t n_left; /* announced bytes still to come */
    char path[FILES_PATH_MAX];
};

/* Version 1.0; the data starts at a multiple of 64 bytes, as NumPy itself writes. */
static size_t head_print(char out[512], const char *descr, size_t rank, const uint64_t *shape)
{
    size_t n = 10;
    n += (size_t)snprintf(out + n, 512 - n, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                          descr);
    for (size_t i = 0; i < rank; i++) {
        n += (size_t)snprintf(out + n, 512 - n, i == 0 ? "%llu" : ", %llu",
                              (unsigned long long)shape[i]);
    }
    n += (size_t)snprintf(out + n, 512 - n, rank == 1 ? ",), }" : "), }");
    size_t end = (n + 1 + 63) / 64 * 64;
    memset(out + n, ' ', end - n);
    out[end - 1] = '\n';
    memcpy(out, MAGIC "\1\0", MAGIC_BYTES + 2);
    out[8] = (char)((end - 10) & 0xff);
    out[9] = (char)((end - 10) >> 8);
    return end;
}

int npy_writer_new(NpyWriter **out, const char *path, const char *dtype, size_t rank,
                   const uint64_t *shape)
{
    *out = NULL;
    size_t k = 0;
    while (k < N_KNOWN && strcmp(dtype, known[k].dtype) != 0) {
        k++;
    }
    assert(k < N_KNOWN && rank <= NPY_MAX_RANK);
    uint64_t n_bytes;
    if (!data_size(&n_bytes, known[k].item_bytes, rank, shape)) {
        return err_set(OGPT_EUSAGE, "%s: array of more than 2^64 bytes", path);
    }
    NpyWriter *writer = mem_alloc(1, sizeof(*writer), path);
    if (!writer) {
        return OGPT_ENOMEM;
    }
    writer->n_left = n_bytes;
    if (snprintf(writer->path, sizeof(writer->path), "%s", path) >= FILES_PATH_MAX) {
        mem_free(writer);
        return err_set(OGPT_EUSAGE, "path of more than %d bytes", FILES_PATH_MAX - 1);
    }
    int rc = file_new_create(&writer->fd, path);
    if (rc != 0) {
        mem_free(writer);
        return rc;
    }
    char head[512];
    size_t n_head = head_print(head, known[k].descr, rank, shape);
    rc = file_new_write(writer->fd, head, n_head, path);
    if (rc != 0) {
        npy_writer_abort(writer);
        return rc;
    }
    *out = writer;
    return 0;
}

int npy_writer_add(NpyWriter *writer, const void *data, size_t n_bytes)
{
    if (n_bytes > writer->n_left) {
        return err_set(OGPT_EUSAGE, "%s: %llu bytes more than the announced shape holds",
                       writer->path, (unsigned long long)(n_bytes - writer->n_left));
    }
    writer->n_left -= n_bytes;
    return file_new_write(writer->fd, data, n_bytes, writer->path);
}

int npy_writer_finish(NpyWriter *writer)
{
    if (writer->n_left != 0) {
        int rc = err_set(OGPT_EUSAGE, "%s: %llu bytes of the announced shape were never added",
                         writer->path, (unsigned long long)writer->n_left);
        npy_writer_abort(writer);
        return rc;
    }
    int rc = file_new_finish(writer->fd, writer->path);
    if (rc != 0) {
        unlink(writer->path);
    }
    mem_free(writer);
    return rc;
}

void npy_writer_abort(NpyWriter *writer)
{
    if (!writer) {
        return;
    }
    close(writer->fd);
    unlink(writer->path);
    mem_free(writer);
}
