/* tests/fuzz/fuzz_csv.c - any bytes as a table of games, its column "moves"; see games.h. */
#include "tests/fuzz/games.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    const uint8_t way = fuzz_byte(&input);
    games_fuzz("csv", way, input.at, input.n);
    return 0;
}
