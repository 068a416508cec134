/* tests/fuzz/fuzz_write_safetensors.c - tensors of any names, shapes and numbers: refused, or
 * written such that reading gives them back. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/formats/safetensors.h"
#include "tests/fuzz/fuzz.h"

#define TENSORS_MAX 8
#define NAME_BYTES 80
#define NUMBERS_MAX 4096

typedef struct Tensors {
    StEntry entries[TENSORS_MAX];
    char names[TENSORS_MAX][NAME_BYTES];
    float numbers[NUMBERS_MAX];
    size_t n;
} Tensors;

static size_t entry_count(const StEntry *entry)
{
    size_t count = 1;
    for (size_t i = 0; i < entry->rank; i++) {
        count *= (size_t)entry->shape[i];
    }
    return count;
}

/* Names come as words, lengths as small numbers; the numbers are the rest of the input again and
 * again, NaN and infinity included. */
static void tensors_draw(Tensors *out, FuzzInput *input)
{
    *out = (Tensors){.n = fuzz_byte(input) % (TENSORS_MAX + 1)};
    for (size_t i = 0; i < out->n; i++) {
        size_t length;
        const uint8_t *name = fuzz_until(&length, input, '\n');
        length = length < NAME_BYTES - 1 ? length : NAME_BYTES - 1;
        memcpy(out->names[i], name, length);
        out->entries[i] = (StEntry){.name = out->names[i], .rank = fuzz_byte(input) % 5};
        for (size_t k = 0; k < out->entries[i].rank; k++) {
            out->entries[i].shape[k] = fuzz_byte(input) % 8;
        }
        out->entries[i].data = out->numbers;
    }
    uint8_t *bytes = (uint8_t *)out->numbers;
    for (size_t i = 0; i < sizeof(out->numbers) && input->n > 0; i++) {
        bytes[i] = input->at[i % input->n];
    }
}

static void tensors_compare(const Tensors *tensors, const char *path)
{
    static float back[NUMBERS_MAX];
    StFile *file = NULL;
    fuzz_require(st_open(&file, path) == 0, "what was written can be opened");
    fuzz_require(!file || st_count(file) == tensors->n, "the tensors are as many");
    for (size_t i = 0; file && i < tensors->n; i++) {
        const StEntry *entry = &tensors->entries[i];
        fuzz_require(strcmp(st_tensor(file, i)->name, entry->name) == 0, "in the same order");
        fuzz_require(st_read_f32(back, file, entry->name, entry->rank, entry->shape, true) == 0,
                     "each can be read in its shape");
        const size_t n_bytes = entry_count(entry) * sizeof(float);
        fuzz_plant(back, n_bytes);
        fuzz_require(memcmp(back, entry->data, n_bytes) == 0, "and holds the same bytes");
    }
    st_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Tensors tensors;
    FuzzInput input = {data, size};
    char path[512];
    tensors_draw(&tensors, &input);
    const char *const metadata[][2] = {{"format", "pt"}, {"note", tensors.names[0]}};
    snprintf(path, sizeof(path), "%s/written.safetensors", fuzz_dir());
    if (st_write(path, tensors.entries, tensors.n, metadata, size % 3) == 0) {
        tensors_compare(&tensors, path);
        unlink(path);
    }
    return 0;
}
