/* tests/fuzz/fuzz_wthor.c - any bytes as a WTHOR file; see games.h. Second byte even: the rest is
 * the file; odd: the rest are games, and the header is put in front of as many as there are. */
#include "tests/fuzz/games.h"

#define HEADER_BYTES 16
#define RECORD_BYTES 68

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    const uint8_t way = fuzz_byte(&input) & (uint8_t)~3; /* 8x8 */
    if (fuzz_byte(&input) % 2 == 0) {
        games_fuzz("wthor", way, input.at, input.n);
        return 0;
    }
    const size_t n = (input.n + RECORD_BYTES - 1) / RECORD_BYTES;
    const size_t n_bytes = HEADER_BYTES + n * RECORD_BYTES;
    uint8_t *bytes = mem_calloc(n_bytes, 1, "file");
    static const uint8_t head[4] = {20, 26, 1, 31};
    memcpy(bytes, head, sizeof(head));
    for (int i = 0; i < 4; i++) {
        bytes[4 + i] = (uint8_t)(n >> 8 * i);
    }
    bytes[12] = 8;
    memcpy(bytes + HEADER_BYTES, input.at, input.n);
    games_fuzz("wthor", way, bytes, n_bytes);
    mem_free(bytes);
    return 0;
}
