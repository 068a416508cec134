/* game/rules_ref.c - the rules as the rule book says them, one square at a time. Nothing here is
 * optimised, and nothing is shared with game/board.c: this file is the judge. */
#include "game/rules_ref.h"

#include <string.h>

static const int DIRECTIONS[8][2] = {{0, 1}, {0, -1}, {1, 0},  {-1, 0},
                                     {1, 1}, {1, -1}, {-1, 1}, {-1, -1}};

static char opponent_of(char player)
{
    return player == 'b' ? 'w' : 'b';
}

static bool is_on_board(const RefBoard *board, int row, int column)
{
    return row >= 0 && row < board->size && column >= 0 && column < board->size;
}

/* How many of the opponent's discs stand in an unbroken line from (row, column) in one
 * direction, with a disc of the player directly behind the last; 0 when there is no such line. */
static int outflanked(const RefBoard *board, char player, int row, int column, const int step[2])
{
    int count = 0;
    int r = row + step[0];
    int c = column + step[1];
    while (is_on_board(board, r, c) && board->cell[r][c] == opponent_of(player)) {
        count++;
        r += step[0];
        c += step[1];
    }
    if (is_on_board(board, r, c) && board->cell[r][c] == player) {
        return count;
    }
    return 0;
}

void ref_start(RefBoard *out, int size)
{
    out->size = size;
    out->rules = RULES_CLASSIC;
    memset(out->cell, '.', sizeof(out->cell));
    const int low = size / 2 - 1;
    const int high = size / 2;
    out->cell[low][low] = 'w';
    out->cell[high][high] = 'w';
    out->cell[low][high] = 'b';
    out->cell[high][low] = 'b';
    out->to_move = 'b';
}

bool ref_is_legal(const RefBoard *board, char player, int row, int column)
{
    if (!is_on_board(board, row, column) || board->cell[row][column] != '.') {
        return false;
    }
    for (int d = 0; d < 8; d++) {
        if (outflanked(board, player, row, column, DIRECTIONS[d]) > 0) {
            return true;
        }
    }
    return false;
}

int ref_count_moves(const RefBoard *board, char player)
{
    int count = 0;
    for (int row = 0; row < board->size; row++) {
        for (int column = 0; column < board->size; column++) {
            count += ref_is_legal(board, player, row, column);
        }
    }
    return count;
}

/* Put a disc down for the player to move and turn over the outflanked discs. */
static void place(RefBoard *board, int row, int column)
{
    const char player = board->to_move;
    for (int d = 0; d < 8; d++) {
        const int count = outflanked(board, player, row, column, DIRECTIONS[d]);
        for (int i = 1; i <= count; i++) {
            if (board->rules == RULES_NO_MID_FLIP && i != 1 && i != count) {
                continue; /* inside the run */
            }
            board->cell[row + i * DIRECTIONS[d][0]][column + i * DIRECTIONS[d][1]] = player;
        }
    }
    board->cell[row][column] = player;
}

bool ref_play(RefBoard *board, int row, int column)
{
    const char player = board->to_move;
    place(board, row, column);
    board->to_move = opponent_of(player);
    if (ref_count_moves(board, opponent_of(player)) > 0) {
        return true;
    }
    if (ref_count_moves(board, player) > 0) {
        board->to_move = player;
        return true;
    }
    return false;
}

uint64_t ref_moves_mask(const RefBoard *board, char player)
{
    uint64_t mask = 0;
    for (int row = 0; row < board->size; row++) {
        for (int column = 0; column < board->size; column++) {
            if (ref_is_legal(board, player, row, column)) {
                mask |= 1ULL << (8 * row + column);
            }
        }
    }
    return mask;
}

void ref_from_board(RefBoard *out, const GameVariant *variant, const Board *board)
{
    const char mover = board->to_move == BLACK ? 'b' : 'w';
    out->size = variant->size;
    out->rules = variant->rules;
    out->to_move = mover;
    memset(out->cell, '.', sizeof(out->cell));
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        if (board->mine >> sq & 1) {
            out->cell[sq / 8][sq % 8] = mover;
        } else if (board->theirs >> sq & 1) {
            out->cell[sq / 8][sq % 8] = opponent_of(mover);
        }
    }
}

Board ref_to_board(const RefBoard *board)
{
    Board out = {.to_move = board->to_move == 'b' ? BLACK : WHITE};
    for (int row = 0; row < board->size; row++) {
        for (int column = 0; column < board->size; column++) {
            const uint64_t bit = 1ULL << (8 * row + column);
            if (board->cell[row][column] == board->to_move) {
                out.mine |= bit;
            } else if (board->cell[row][column] != '.') {
                out.theirs |= bit;
            }
        }
    }
    return out;
}

uint64_t ref_perft(const RefBoard *board, int depth)
{
    if (depth == 0) {
        return 1;
    }
    const char player = board->to_move;
    if (ref_count_moves(board, player) == 0) {
        if (ref_count_moves(board, opponent_of(player)) == 0) {
            return 1;
        }
        RefBoard passed = *board;
        passed.to_move = opponent_of(player);
        return ref_perft(&passed, depth - 1);
    }
    uint64_t leaves = 0;
    for (int row = 0; row < board->size; row++) {
        for (int column = 0; column < board->size; column++) {
            if (ref_is_legal(board, player, row, column)) {
                /* The pass stays a ply of its own here, so ref_play would be one too many. */
                RefBoard next = *board;
                place(&next, row, column);
                next.to_move = opponent_of(player);
                leaves += ref_perft(&next, depth - 1);
            }
        }
    }
    return leaves;
}
