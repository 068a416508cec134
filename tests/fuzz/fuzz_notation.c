/* tests/fuzz/fuzz_notation.c - any text as moves and as a board. Byte 0: the board's size. What
 * can be read is legal, prints, and reads back to the same. */
#include <string.h>

#include "base/arena.h"
#include "game/notation.h"
#include "tests/fuzz/fuzz.h"

#define PRINT_BYTES (3 * GAME_MAX_MOVES + 1)

static void moves_check(const GameVariant *variant, const char *text)
{
    uint8_t moves[GAME_MAX_MOVES];
    uint8_t again[GAME_MAX_MOVES];
    int n = 0;
    int n_again = 0;
    if (moves_parse(moves, &n, variant, text) != 0) {
        return;
    }
    Board after[GAME_MAX_MOVES];
    char print[PRINT_BYTES];
    fuzz_require(n >= 0 && n <= variant->n_moves && game_replay(variant, moves, n, after) == n,
                 "moves that were read are legal");
    moves_print(print, moves, n);
    fuzz_plant(moves, (size_t)n);
    fuzz_require(moves_parse(again, &n_again, variant, print) == 0 && n_again == n &&
                     memcmp(again, moves, (size_t)n) == 0,
                 "their print reads back to the same moves");
}

static void board_check(const GameVariant *variant, const char *text)
{
    Board board;
    Board again;
    char print[80];
    if (board_parse(&board, variant, text) != 0) {
        return;
    }
    fuzz_require((board.mine & board.theirs) == 0 &&
                     ((board.mine | board.theirs) & ~variant->squares) == 0,
                 "a board that was read is one");
    board_print(print, variant, &board);
    fuzz_plant(&board.mine, sizeof(board.mine));
    fuzz_require(board_parse(&again, variant, print) == 0 && again.mine == board.mine &&
                     again.theirs == board.theirs && again.to_move == board.to_move,
                 "its print reads back to the same board");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    const GameVariant *variant = game_variant(4 + 2 * (fuzz_byte(&input) % 3));
    char *text = mem_calloc(input.n + 1, 1, "text");
    memcpy(text, input.at, input.n);
    moves_check(variant, text);
    board_check(variant, text);
    mem_free(text);
    return 0;
}
