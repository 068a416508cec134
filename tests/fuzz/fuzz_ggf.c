/* tests/fuzz/fuzz_ggf.c - any bytes as a GGF file; see games.h. */
#include "tests/fuzz/games.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    const uint8_t way = fuzz_byte(&input);
    games_fuzz("ggf", way, input.at, input.n);
    return 0;
}
