/* base/formats/npy.h - NumPy .npy arrays, version 1.0 and 2.0, C order, little endian.
 *
 * Read are <f4 and integers of 1, 2, 4 and 8 bytes, |i1 to <u8. Anything else (object arrays,
 * structured, big-endian, fortran_order True, shape overflow, size that disagrees with the file)
 * is OGPT_EFORMAT with the reason; for object arrays it is "object arrays need pickle, which is
 * never read".
 */
#ifndef OGPT_BASE_FORMATS_NPY_H
#define OGPT_BASE_FORMATS_NPY_H

#include <stddef.h>
#include <stdint.h>

#define NPY_MAX_RANK 8

typedef struct NpyHeader {
    char dtype[4]; /* "f4", or "i" or "u" and the bytes: "i1" to "u8" */
    size_t item_bytes;
    size_t rank;
    uint64_t shape[NPY_MAX_RANK];
    uint64_t data_offset; /* bytes from the start of the file */
    uint64_t data_bytes;
} NpyHeader;

/* Read and check a header. Returns 0, OGPT_EIO, OGPT_EFORMAT. */
int npy_read_header(NpyHeader *out, const char *path);
/* Whole file: header and owned data (mem_free), at most max_bytes of data. */
int npy_read(NpyHeader *out, void **data, const char *path, uint64_t max_bytes);

/* Streaming writer for an array whose first dimension is known beforehand; fsyncs at finish. */
typedef struct NpyWriter NpyWriter;
int npy_writer_new(NpyWriter **out, const char *path, const char *dtype, size_t rank,
                   const uint64_t *shape);
int npy_writer_add(NpyWriter *writer, const void *data, size_t n_bytes);
/* Check that exactly the announced bytes were added, fsync, close, free. */
int npy_writer_finish(NpyWriter *writer);
void npy_writer_abort(NpyWriter *writer);

#endif
