/* tests/fuzz/fuzz_npy.c - any bytes as an npy file; the array holds the bytes that the file
 * holds. First byte even: the rest is the file; odd: the rest is the dictionary up to a NUL, then
 * the data, and the bytes in front of it are corrected. */
#include <string.h>

#include "base/arena.h"
#include "base/formats/npy.h"
#include "tests/fuzz/fuzz.h"

#define HEAD_BYTES 10

static size_t file_build(uint8_t *out, FuzzInput input)
{
    if (fuzz_byte(&input) % 2 == 0) {
        memcpy(out, input.at, input.n);
        return input.n;
    }
    size_t length;
    const uint8_t *dictionary = fuzz_until(&length, &input, 0);
    memcpy(out, "\x93NUMPY\1\0", 8);
    out[8] = (uint8_t)(length & 0xff);
    out[9] = (uint8_t)(length >> 8);
    memcpy(out + HEAD_BYTES, dictionary, length);
    memcpy(out + HEAD_BYTES + length, input.at, input.n);
    return HEAD_BYTES + length + input.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    NpyHeader header;
    NpyHeader alone;
    void *array = NULL;
    if (size == 0) {
        return 0;
    }
    uint8_t *bytes = mem_alloc(size + HEAD_BYTES, 1, "file");
    const size_t n_bytes = file_build(bytes, (FuzzInput){data, size});
    const char *path = fuzz_file("array.npy", bytes, n_bytes);
    if (npy_read(&header, &array, path, 1 << 20) == 0) {
        uint64_t product = header.item_bytes;
        for (size_t i = 0; i < header.rank; i++) {
            product *= header.shape[i];
        }
        fuzz_require(header.rank <= NPY_MAX_RANK && product == header.data_bytes &&
                         header.data_offset + header.data_bytes == n_bytes,
                     "shape, offset and size agree");
        fuzz_plant(array, header.data_bytes);
        fuzz_require(memcmp(array, bytes + header.data_offset, header.data_bytes) == 0,
                     "the array holds the file's bytes");
        fuzz_require(npy_read_header(&alone, path) == 0 &&
                         memcmp(&alone, &header, sizeof(alone)) == 0,
                     "the header alone reads the same");
        mem_free(array);
    }
    mem_free(bytes);
    return 0;
}
