/* tests/fuzz/fuzz_npy_games.c - any numbers as an .npy file of games; see games.h. Second byte: the
 * type of the numbers, third: how many a game; the rest are the numbers, a byte each. (The
 * target npy tries any header.) */
#include <stdio.h>

#include "tests/fuzz/games.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"|u1", "<i4", "<i8", "<f4"};
    static const size_t item_bytes[] = {1, 4, 8, 4};
    FuzzInput input = {data, size};
    const uint8_t way = fuzz_byte(&input);
    const size_t type = fuzz_byte(&input) % 4;
    const size_t stride = 1 + fuzz_byte(&input) % 70;
    const size_t n = input.n / stride;
    const size_t room = 128 + n * stride * item_bytes[type];
    uint8_t *bytes = mem_calloc(room, 1, "file");
    const int n_head = snprintf((char *)bytes + 10, 118,
                                "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
                                types[type], n, stride);
    memset(bytes + 10 + n_head, ' ', (size_t)(118 - n_head));
    memcpy(bytes, "\x93NUMPY\1\0\x76\0", 10);
    bytes[127] = '\n';
    for (size_t i = 0; i < n * stride; i++) {
        const int8_t value = (int8_t)fuzz_byte(&input);
        memset(bytes + 128 + i * item_bytes[type], value < 0 ? 0xff : 0, item_bytes[type]);
        bytes[128 + i * item_bytes[type]] = (uint8_t)value;
    }
    games_fuzz("npy", way, bytes, room);
    mem_free(bytes);
    return 0;
}
