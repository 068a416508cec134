/* tests/fuzz/fuzz_write_npy.c - arrays of any type, shape and bytes, added in pieces: what is
 * written is what is read. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/formats/npy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"f4", "u1", "i4", "i8"};
    static const size_t item_bytes[] = {4, 1, 4, 8};
    FuzzInput input = {data, size};
    const size_t type = fuzz_byte(&input) % 4;
    const size_t rank = fuzz_byte(&input) % (NPY_MAX_RANK + 1);
    uint64_t shape[NPY_MAX_RANK] = {0};
    size_t n_bytes = item_bytes[type];
    for (size_t i = 0; i < rank; i++) {
        shape[i] = fuzz_byte(&input) % 6;
        n_bytes *= (size_t)shape[i];
    }
    if (n_bytes > 1 << 16) {
        return 0;
    }
    uint8_t *bytes = mem_calloc(n_bytes, 1, "array");
    memcpy(bytes, input.at, input.n < n_bytes ? input.n : n_bytes);
    char path[512];
    NpyWriter *writer = NULL;
    snprintf(path, sizeof(path), "%s/written.npy", fuzz_dir());
    fuzz_require(npy_writer_new(&writer, path, types[type], rank, shape) == 0, "it can be begun");
    const size_t first = n_bytes / 3;
    fuzz_require(npy_writer_add(writer, bytes, first) == 0 &&
                     npy_writer_add(writer, bytes + first, n_bytes - first) == 0 &&
                     npy_writer_add(writer, bytes, 1) != 0,
                 "exactly the announced bytes are taken");
    fuzz_require(npy_writer_finish(writer) == 0, "and finished");
    NpyHeader header;
    void *back = NULL;
    fuzz_require(npy_read(&header, &back, path, 1 << 16) == 0, "what was written can be read");
    fuzz_require(header.rank == rank && memcmp(header.shape, shape, rank * sizeof(*shape)) == 0 &&
                     strcmp(header.dtype, types[type]) == 0,
                 "in its type and shape");
    fuzz_plant(back, n_bytes);
    fuzz_require(header.data_bytes == n_bytes && memcmp(back, bytes, n_bytes) == 0,
                 "with the same bytes");
    unlink(path);
    mem_free(back);
    mem_free(bytes);
    return 0;
}
