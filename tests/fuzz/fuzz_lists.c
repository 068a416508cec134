/* tests/fuzz/fuzz_lists.c - any bytes as a file of Logistello's lists, drop notation or prose
 * (second byte); see games.h. */
#include "tests/fuzz/games.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    const uint8_t way = fuzz_byte(&input);
    static const char *const formats[] = {"logistello", "drops", "prose"};
    const char *format = formats[fuzz_byte(&input) % 3];
    games_fuzz(format, way, input.at, input.n);
    return 0;
}
