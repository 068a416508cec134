/* tests/fuzz/fuzz_safetensors.c - any bytes as a safetensors file; the tensors that it gives have
 * the bytes of the file. First byte even: the rest is the file; odd: the rest is the header's
 * text up to a NUL, then the data, and the length in front is put right. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/formats/safetensors.h"
#include "tests/fuzz/fuzz.h"

#define NUMBERS_MAX 65536

/* The bytes of the file in `out`, which has room for 8 more than the input. */
static size_t file_build(uint8_t *out, FuzzInput input)
{
    if (fuzz_byte(&input) % 2 == 0) {
        memcpy(out, input.at, input.n);
        return input.n;
    }
    size_t length;
    const uint8_t *header = fuzz_until(&length, &input, 0);
    const uint64_t stored = length;
    memcpy(out, &stored, 8);
    memcpy(out + 8, header, length);
    memcpy(out + 8 + length, input.at, input.n);
    return 8 + length + input.n;
}

static void tensor_check(const StFile *file, const StTensor *tensor, const uint8_t *bytes,
                         size_t n_bytes)
{
    const uint64_t length = tensor->end - tensor->begin;
    uint64_t header;
    memcpy(&header, bytes, 8);
    fuzz_require(tensor->rank <= ST_MAX_RANK && tensor->begin <= tensor->end &&
                     8 + header + tensor->end <= n_bytes,
                 "a tensor lies within the file");
    if (strcmp(tensor->dtype, "F32") != 0 || length > NUMBERS_MAX * sizeof(float)) {
        return;
    }
    float *numbers = mem_alloc(length, 1, "numbers"); /* not one byte more than needed */
    fuzz_require(st_read_f32(numbers, file, tensor->name, tensor->rank, tensor->shape, true) == 0,
                 "a tensor that was listed can be read");
    fuzz_plant(numbers, length);
    fuzz_require(memcmp(numbers, bytes + 8 + header + tensor->begin, length) == 0,
                 "it holds the file's bytes");
    mem_free(numbers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    StFile *file = NULL;
    if (size == 0) {
        return 0;
    }
    uint8_t *bytes = mem_alloc(size + 8, 1, "file");
    const size_t n_bytes = file_build(bytes, (FuzzInput){data, size});
    if (st_open(&file, fuzz_file("model.safetensors", bytes, n_bytes)) == 0) {
        for (size_t i = 0; i < st_count(file); i++) {
            const StTensor *tensor = st_tensor(file, i);
            fuzz_require(st_find(file, tensor->name) == tensor, "a tensor is found by its name");
            tensor_check(file, tensor, bytes, n_bytes);
        }
        (void)st_metadata(file, "format");
        st_close(file);
    }
    mem_free(bytes);
    return 0;
}
