/* tests/fuzz/fuzz_pairs.c - any bytes as a pair file or a file of natural cases. Byte 0: the
 * board's size. Pairs that can be read are what the contract says, print, and the print reads back
 * to the same print. */
#include <string.h>

#include "base/arena.h"
#include "probes/cases/pairs.h"
#include "tests/fuzz/fuzz.h"

static void pair_check(const PairSet *set, const GamePair *pair)
{
    fuzz_require(pair->n_moves >= 1 && pair->n_moves <= set->variant->n_moves, "a pair has moves");
    fuzz_require(pair->legal_clean == board_moves(set->variant, &pair->clean_board) &&
                     pair->legal_corrupt == board_moves(set->variant, &pair->corrupt_board) &&
                     pair->legal_clean != 0 && pair->legal_corrupt != 0,
                 "its boards have the moves that it says");
    uint64_t black =
        board_discs(&pair->clean_board, BLACK) ^ board_discs(&pair->corrupt_board, BLACK);
    uint64_t white =
        board_discs(&pair->clean_board, WHITE) ^ board_discs(&pair->corrupt_board, WHITE);
    fuzz_require(pair->turned == (black | white) &&
                     pair->clean_board.to_move == pair->corrupt_board.to_move,
                 "its boards differ as it says");
    if (pair_kind(pair) == PAIR_CHOSEN) {
        fuzz_require(__builtin_popcountll(pair->target) == 1 &&
                         __builtin_popcountll(pair->other) == 1 && pair->target != pair->other &&
                         ((pair->target | pair->other) &
                          ~(set->variant->squares & ~set->variant->centre)) == 0,
                     "two moves are compared");
    } else {
        fuzz_require(pair->target == 0 && pair->other == 0 &&
                         __builtin_popcountll(pair->turned) <= 1 &&
                         (pair->turned != 0) == (pair->legal_clean != pair->legal_corrupt),
                     "its boards differ in one square at most");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    PairSet set;
    PairSet again;
    char *text = NULL;
    char *second = NULL;
    size_t n_bytes = 0;
    size_t n_second = 0;
    const GameVariant *variant = game_variant(4 + 2 * (fuzz_byte(&input) % 3));
    char *exact = mem_alloc(input.n, 1, "pair file"); /* not one byte more */
    memcpy(exact, input.at, input.n);
    if (pairs_parse(&set, variant, exact, input.n, "pairs.csv") == 0) {
        for (size_t i = 0; i < set.n; i++) {
            pair_check(&set, &set.pairs[i]);
        }
        fuzz_require(pairs_print(&text, &n_bytes, &set) == 0, "pairs print");
        fuzz_require(pairs_parse(&again, variant, text, n_bytes, "print") == 0 &&
                         again.n == set.n && again.left_out == 0,
                     "the print can be read");
        fuzz_require(pairs_print(&second, &n_second, &again) == 0, "and printed");
        fuzz_plant(second, n_second);
        fuzz_require(n_second == n_bytes && memcmp(text, second, n_bytes) == 0,
                     "the second print is the first");
        pairs_release(&again);
        pairs_release(&set);
    }
    mem_free(second);
    mem_free(text);
    mem_free(exact);
    return 0;
}
