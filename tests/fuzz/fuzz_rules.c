/* tests/fuzz/fuzz_rules.c - the fast rules against the reference rules. Byte 0: the board's size;
 * byte 1 even: a game, each further byte chooses one of the legal moves; odd: 16 bytes are a
 * position that need not be reachable, and the rest chooses squares to play. */
#include "game/board.h"
#include "game/rules_ref.h"
#include "tests/fuzz/fuzz.h"

#define PLIES_COMPARED 2

static void boards_compare(const GameVariant *variant, const Board *board, const RefBoard *ref)
{
    const char mover = ref->to_move;
    const Board swapped = board_swapped(board);
    uint64_t moves = board_moves(variant, board);
    fuzz_plant(&moves, sizeof(moves));
    fuzz_require(moves == ref_moves_mask(ref, mover), "the mover's legal moves are the same");
    fuzz_require(board_moves(variant, &swapped) == ref_moves_mask(ref, mover == 'b' ? 'w' : 'b'),
                 "the other side's legal moves are the same");
    const Board back = ref_to_board(ref);
    fuzz_require(board_same(&back, board), "the boards are the same");
}

/* The legal move that a byte chooses; `moves` is not empty. */
static int move_choose(uint64_t moves, uint8_t byte)
{
    for (int skip = byte % __builtin_popcountll(moves); skip > 0; skip--) {
        moves &= moves - 1;
    }
    return __builtin_ctzll(moves);
}

/* Play a move in both and compare the boards. */
static void both_play(const GameVariant *variant, Board *board, RefBoard *ref, int sq)
{
    const uint64_t flips = board_flips(variant, board, sq);
    const Board child = board_child(variant, board, sq);
    fuzz_require((flips & ~board->theirs) == 0 && flips != 0 &&
                     child.theirs == (board->mine | flips | 1ULL << sq),
                 "a move turns discs of the other side over");
    const PlayResult result = board_play(variant, board, sq);
    const bool goes_on = ref_play(ref, sq / 8, sq % 8);
    fuzz_require(goes_on == (result != PLAY_GAME_OVER) && board_is_over(variant, board) == !goes_on,
                 "the game ends at the same time");
    boards_compare(variant, board, ref);
}

static void replay_check(const GameVariant *variant, const uint8_t *moves, int n, const Board *last)
{
    Board after[GAME_MAX_MOVES];
    fuzz_require(game_replay(variant, moves, n, after) == n, "a game that was played is legal");
    fuzz_require(n == 0 || board_same(&after[n - 1], last), "its replay ends with its board");
}

/* Only the last plies are compared, because the shorter inputs have done the same for those before
 * and the reference is slow. */
static void game_check(const GameVariant *variant, Board board, FuzzInput *input)
{
    const bool is_game = board_same(&board, &variant->start);
    uint8_t moves[GAME_MAX_MOVES];
    RefBoard ref;
    int n = 0;
    for (; input->n > PLIES_COMPARED && board_moves(variant, &board) != 0; n++) {
        moves[n] = (uint8_t)move_choose(board_moves(variant, &board), fuzz_byte(input));
        board_play(variant, &board, moves[n]);
    }
    ref_from_board(&ref, variant, &board);
    boards_compare(variant, &board, &ref);
    for (; input->n > 0 && board_moves(variant, &board) != 0; n++) {
        moves[n] = (uint8_t)move_choose(board_moves(variant, &board), fuzz_byte(input));
        both_play(variant, &board, &ref, moves[n]);
    }
    if (is_game) {
        replay_check(variant, moves, n, &board);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    const GameVariant *variant = game_variant(4 + 2 * (fuzz_byte(&input) % 3));
    Board board = variant->start;
    if (fuzz_byte(&input) % 2 == 1) {
        const uint64_t black = fuzz_number(&input, 8) & variant->squares;
        const uint64_t white = fuzz_number(&input, 8) & variant->squares & ~black;
        board = board_from_discs(black, white, size % 2 == 0 ? BLACK : WHITE);
    }
    game_check(variant, board, &input);
    return 0;
}
