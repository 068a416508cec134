/* datasets/import_check.c - other people's games, replayed by the rules. */
#include "datasets/import_check.h"

#include <string.h>

#include "datasets/corpus.h"
#include "game/notation.h"

static const char *colour_name(Colour colour)
{
    return colour == BLACK ? "black" : "white";
}

/* ---- the end ---- */

void board_count(int *black, int *white, const GameVariant *variant, const Board *board,
                 bool empties_to_winner)
{
    *black = __builtin_popcountll(board_discs(board, BLACK));
    *white = __builtin_popcountll(board_discs(board, WHITE));
    const int empty = variant->size * variant->size - *black - *white;
    if (empties_to_winner && *black == *white) {
        *black += empty / 2;
        *white += empty / 2;
    } else if (empties_to_winner) {
        *(*black > *white ? black : white) += empty;
    }
}

static bool result_matches(const RawGame *raw, const GameVariant *variant, const Board *last)
{
    for (int awarded = 0; awarded < 2; awarded++) {
        int black = 0;
        int white = 0;
        board_count(&black, &white, variant, last, awarded == 1);
        if ((raw->result == RESULT_DISCS && raw->black == black && raw->white == white) ||
            (raw->result == RESULT_BLACK && raw->black == black) ||
            (raw->result == RESULT_DIFFERENCE && raw->black == black - white) ||
            (raw->result == RESULT_WINNER && (black > white) == (raw->black > raw->white) &&
             (black < white) == (raw->black < raw->white))) {
            return true;
        }
    }
    return false;
}

/* ---- moves ---- */

/* Why sq, which is not among the legal moves, cannot be played here. */
static void refuse_move(RawGame *raw, uint64_t place, const GameVariant *variant,
                        const Board *board, int sq, const char *name)
{
    const Board other = board_swapped(board);
    if (sq < 0) {
        raw_game_fault(raw, place, "expected a square a1 to %c%d or a pass, found %s",
                       'a' + variant->size - 1, variant->size, name);
    } else if (board_is_over(variant, board)) {
        raw_game_fault(raw, place, "expected the end of the game, which is over, found %s", name);
    } else if ((board->mine | board->theirs) >> sq & 1) {
        raw_game_fault(raw, place, "expected an empty square, found %s, which is occupied", name);
    } else if (board_flips(variant, &other, sq) != 0) {
        raw_game_fault(raw, place,
                       "expected a legal move of %s, who can move and may not pass, found %s, a "
                       "move of %s",
                       colour_name(board->to_move), name, colour_name(other.to_move));
    } else {
        raw_game_fault(raw, place,
                       "expected a legal move of %s, found %s, which turns nothing over",
                       colour_name(board->to_move), name);
    }
}

static void pass_check(RawGame *raw, uint64_t place, const GameVariant *variant, const Board *board,
                       bool *owed)
{
    if (!pass_is_forced(variant, board, owed)) {
        raw_game_fault(raw, place, "expected a move of %s, who has %d legal ones, found a pass",
                       colour_name(board->to_move),
                       __builtin_popcountll(board_moves(variant, board)));
    }
}

/* Play all entries, their squares named in one of the ways READ_*. Returns the number of moves, or
 * -1 if one is refused. *legal: the legal moves at the end. */
static int replay(CheckedGame *out, RawGame *raw, const CheckOptions *options, int way,
                  uint64_t *legal)
{
    const GameVariant *variant = options->variant;
    Board board = variant->start;
    bool owed = false; /* a forced pass that may be written */
    int n = 0;
    memset(out->moves, SQ_NONE, (size_t)variant->n_moves);
    *legal = board_moves(variant, &board);
    for (int i = 0; i < raw->n && raw->fault[0] == '\0'; i++) {
        const uint64_t place = raw->place + raw->line[i];
        int sq = raw->entry[i];
        char name[3];
        if (sq == RAW_PASS) {
            pass_check(raw, place, variant, &board, &owed);
            continue;
        }
        sq = options->transposed ? 8 * (sq % 8) + sq / 8 : sq;
        square_print(name, sq);
        sq = raw_game_sq(variant, way, sq);
        if (sq < 0 || !(*legal >> sq & 1)) {
            refuse_move(raw, place, variant, &board, sq, name);
            break;
        }
        if (raw->mover[i] != MOVER_NOT_STATED &&
            (raw->mover[i] == MOVER_BLACK) != (board.to_move == BLACK)) {
            raw_game_fault(raw, place, "expected a move of %s, who is to move, found %s of %s",
                           colour_name(board.to_move), name, colour_name(1 - board.to_move));
            break;
        }
        out->moves[n++] = (uint8_t)sq;
        board = board_child(variant, &board, sq);
        *legal = board_moves(variant, &board);
        owed = false;
        if (*legal == 0) {
            const Board other = board_swapped(&board);
            *legal = board_moves(variant, &other);
            owed = *legal != 0;
            board = owed ? other : board;
        }
    }
    out->last = board;
    if (raw->fault[0] != '\0') {
        raw->fault_ply = n + 1;
        return -1;
    }
    return n;
}

/* Replay in the first way of naming squares in which the game is legal. If there is none: in the
 * one in which most of it is, so that the reason is one that helps. */
static int replay_any(CheckedGame *out, RawGame *raw, const CheckOptions *options, uint64_t *legal)
{
    int best = READ_PLAIN;
    int best_ply = 0;
    for (int way = READ_PLAIN; way < READ_WAYS; way++) {
        out->way = way;
        raw->fault[0] = '\0';
        const int n = way & READ_RENAMED && options->variant->size == 8
                          ? -1
                          : replay(out, raw, options, way, legal);
        if (n >= 0) {
            return n;
        }
        if (raw->fault[0] != '\0' && raw->fault_ply > best_ply) {
            best = way;
            best_ply = raw->fault_ply;
        }
    }
    out->way = best;
    raw->fault[0] = '\0';
    return replay(out, raw, options, best, legal);
}

bool first_move_is_legal(const GameVariant *variant, int sq)
{
    return sq >= 0 && sq < BOARD_SQUARES && (board_moves(variant, &variant->start) >> sq & 1);
}

/* Turn the game by the symmetry of the start position, colours included, that puts its first move
 * on `first`. There are four of these symmetries and four first moves: always exactly one does. */
static void normalise(uint8_t *moves, int n, const GameVariant *variant, int first)
{
    const Board *start = &variant->start;
    int s = 0;
    while (s < 7 && (symmetry_mask(variant, s, start->mine) != start->mine ||
                     symmetry_sq(variant, s, moves[0]) != first)) {
        s++;
    }
    for (int t = 0; t < n; t++) {
        moves[t] = (uint8_t)symmetry_sq(variant, s, moves[t]);
    }
}

void game_check(CheckedGame *out, RawGame *raw, const CheckOptions *options)
{
    const GameVariant *variant = options->variant;
    char found_by_reader[RAW_FAULT_SIZE];
    uint64_t legal = 0;
    out->unfinished = out->score_mismatch = out->unknown_result = false;
    /* A reader stops at what it cannot read; an illegal move before that is reported first. */
    memcpy(found_by_reader, raw->fault, sizeof(found_by_reader));
    const uint64_t reader_place = raw->fault_place;
    const int reader_ply = raw->fault_ply;
    const int n = replay_any(out, raw, options, &legal);
    if (n >= 0) {
        memcpy(raw->fault, found_by_reader, sizeof(found_by_reader));
        raw->fault_place = reader_place;
        raw->fault_ply = reader_ply;
    }
    if (raw->fault[0] != '\0') {
        out->verdict = CHECK_REJECTED;
        return;
    }
    if (n == 0) {
        out->verdict = CHECK_NO_MOVES;
        return;
    }
    out->verdict = CHECK_LEGAL;
    out->unfinished = legal != 0;
    out->unknown_result = raw->result == RESULT_UNKNOWN;
    out->score_mismatch = raw->result != RESULT_UNKNOWN && raw->result != RESULT_NOT_STATED &&
                          !result_matches(raw, variant, &out->last);
    if (options->first_move != SQ_NONE) {
        normalise(out->moves, n, variant, options->first_move);
    }
    out->hash = game_hash(out->moves, variant);
    out->canonical_hash = game_hash_canonical(out->moves, variant);
}
