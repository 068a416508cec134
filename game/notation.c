/* game/notation.c - games, squares and boards as text. */
#include "game/notation.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define SHOWN_SIZE 16 /* a character or square as a message shows it */

/* Column or row number of a character, or -1. `first` is 'a' or '1'. */
static int coordinate(int size, char character, char first)
{
    const int lower = tolower((unsigned char)character);
    return lower >= first && lower < first + size ? lower - first : -1;
}

int square_parse(const GameVariant *variant, const char *text)
{
    const int column = coordinate(variant->size, text[0], 'a');
    if (column < 0) {
        return -1;
    }
    const int row = coordinate(variant->size, text[1], '1');
    return row < 0 ? -1 : 8 * row + column;
}

void square_print(char out[3], int sq)
{
    out[0] = (char)('a' + sq % 8);
    out[1] = (char)('1' + sq / 8);
    out[2] = '\0';
}

size_t pass_length(const char *text, size_t n)
{
    static const char *const spellings[] = {"pass", "0000", "--", "pa", "ps", "@@"};
    if (n < 2 || !strchr("-@0Pp", text[0])) { /* asked before each move of a file */
        return 0;
    }
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        const size_t length = strlen(spellings[i]);
        size_t same = 0;
        while (same < length && same < n &&
               tolower((unsigned char)text[same]) == spellings[i][same]) {
            same++;
        }
        if (same == length) {
            return length;
        }
    }
    return 0;
}

bool pass_is_forced(const GameVariant *variant, const Board *board, bool *owed)
{
    if (*owed) {
        *owed = false;
        return true;
    }
    return board_is_over(variant, board);
}

static bool is_separator(char character)
{
    return character != '\0' && strchr(" \t\r\n,-", character);
}

/* At most two characters of the text, quoted; a byte that is not printable ASCII as its value. */
static void show(char out[SHOWN_SIZE], const char *text)
{
    const unsigned char first = (unsigned char)text[0];
    if (first == '\0') {
        snprintf(out, SHOWN_SIZE, "the end");
    } else if (first < 0x20 || first > 0x7e) {
        snprintf(out, SHOWN_SIZE, "byte 0x%02x", first);
    } else if (text[1] > 0x20 && text[1] < 0x7f) {
        snprintf(out, SHOWN_SIZE, "'%c%c'", text[0], text[1]);
    } else {
        snprintf(out, SHOWN_SIZE, "'%c'", text[0]);
    }
}

static const char *colour_name(Colour colour)
{
    return colour == BLACK ? "black" : "white";
}

static int refuse_pass(const GameVariant *variant, const Board *board, size_t position, int ply)
{
    const int n = __builtin_popcountll(board_moves(variant, board));
    return err_set(OGPT_EFORMAT,
                   "character %zu, ply %d: expected a move of %s, who has %d legal one%s, found a "
                   "pass; leave it out",
                   position, ply, colour_name(board->to_move), n, n == 1 ? "" : "s");
}

/* The move at `text` does not parse as a square: say what is there instead. */
static int refuse_square(const GameVariant *variant, const char *text, size_t position, int ply)
{
    char shown[SHOWN_SIZE];
    show(shown, text);
    return err_set(OGPT_EFORMAT, "character %zu, ply %d: expected a square a1 to %c%d, found %s",
                   position, ply, 'a' + variant->size - 1, variant->size, shown);
}

/* The square parses but cannot be played here: say why. */
static int refuse_move(const GameVariant *variant, const Board *board, int sq, size_t position,
                       int ply)
{
    char name[3];
    square_print(name, sq);
    const Board other = board_swapped(board);
    if ((board->mine | board->theirs) >> sq & 1) {
        return err_set(OGPT_EFORMAT, "character %zu, ply %d: %s is occupied", position, ply, name);
    }
    if (board_is_over(variant, board)) {
        return err_set(OGPT_EFORMAT,
                       "character %zu, ply %d: the game is already over, but %s follows", position,
                       ply, name);
    }
    if (board_flips(variant, &other, sq) != 0) {
        return err_set(OGPT_EFORMAT,
                       "character %zu, ply %d: %s flips nothing for %s, who is to move (it would "
                       "for %s)",
                       position, ply, name, colour_name(board->to_move),
                       colour_name(other.to_move));
    }
    return err_set(OGPT_EFORMAT, "character %zu, ply %d: %s flips nothing for %s, who is to move",
                   position, ply, name, colour_name(board->to_move));
}

int moves_parse(uint8_t *moves, int *n, const GameVariant *variant, const char *text)
{
    Board board = variant->start;
    const size_t length = strlen(text);
    bool owed = false; /* a forced pass that may be written */
    memset(moves, SQ_NONE, GAME_MAX_MOVES);
    *n = 0;
    for (size_t at = 0; at < length;) {
        const size_t pass = pass_length(text + at, length - at);
        if (pass > 0) {
            if (!pass_is_forced(variant, &board, &owed)) {
                return refuse_pass(variant, &board, at + 1, *n + 1);
            }
            at += pass;
            continue;
        }
        if (is_separator(text[at])) {
            at++;
            continue;
        }
        const int sq = square_parse(variant, text + at);
        if (sq < 0) {
            return refuse_square(variant, text + at, at + 1, *n + 1);
        }
        /* "a10" is a square of a larger board, not a1 followed by a stray digit. */
        if (isdigit((unsigned char)text[at + 2]) &&
            pass_length(text + at + 2, length - at - 2) == 0) {
            return err_set(OGPT_EFORMAT,
                           "character %zu, ply %d: expected a square a1 to %c%d, found '%.3s'",
                           at + 1, *n + 1, 'a' + variant->size - 1, variant->size, text + at);
        }
        if (!(board_moves(variant, &board) >> sq & 1)) {
            return refuse_move(variant, &board, sq, at + 1, *n + 1);
        }
        owed = board_play(variant, &board, sq) == PLAY_OPPONENT_PASSES;
        moves[(*n)++] = (uint8_t)sq;
        at += 2;
    }
    return 0;
}

void moves_print(char *out, const uint8_t *moves, int n)
{
    for (int t = 0; t < n; t++) {
        square_print(out, moves[t]);
        out[2] = ' ';
        out += 3;
    }
    if (n > 0) {
        out--; /* the last blank */
    }
    *out = '\0';
}

/* Which kind of square a character stands for: 'b', 'w', '.' or 0. */
static char cell_of(char character)
{
    if (character == '\0') {
        return 0;
    }
    const char lower = (char)tolower((unsigned char)character);
    if (strchr("bx*", lower)) {
        return 'b';
    }
    if (strchr("wo", lower)) {
        return 'w';
    }
    return strchr(".-_", lower) ? '.' : 0;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

int board_parse(Board *out, const GameVariant *variant, const char *text)
{
    const int n_cells = variant->size * variant->size;
    uint64_t black = 0;
    uint64_t white = 0;
    char side = 0;
    int cells = 0;
    char shown[SHOWN_SIZE];
    for (size_t at = 0; text[at] != '\0'; at++) {
        if (is_blank(text[at])) {
            continue;
        }
        const char cell = cell_of(text[at]);
        if (cells < n_cells && cell != 0) {
            const uint64_t bit = 1ULL << (8 * (cells / variant->size) + cells % variant->size);
            black |= cell == 'b' ? bit : 0;
            white |= cell == 'w' ? bit : 0;
            cells++;
        } else if (cells == n_cells && side == 0 && is_blank(text[at - 1]) &&
                   (cell == 'b' || cell == 'w')) {
            side = cell;
        } else {
            const char one[2] = {text[at], '\0'};
            show(shown, one);
            return err_set(OGPT_EFORMAT, "board character %zu: expected %s, found %s", at + 1,
                           cells < n_cells ? "one of b x * w o . - _"
                           : side == 0     ? "a blank and the side to move (b or w), or the end"
                                           : "the end",
                           shown);
        }
    }
    if (cells < n_cells) {
        return err_set(OGPT_EFORMAT, "board: expected %d squares, found %d", n_cells, cells);
    }
    *out = board_from_discs(black, white, side == 'w' ? WHITE : BLACK);
    const Board other = board_swapped(out);
    if (board_moves(variant, out) == 0 && board_moves(variant, &other) != 0) {
        return err_set(
            OGPT_EFORMAT,
            "board: %s has no legal move and %s has; end the board with \" %c\", the side "
            "really to move",
            colour_name(out->to_move), colour_name(other.to_move),
            other.to_move == BLACK ? 'b' : 'w');
    }
    return 0;
}

void board_print(char *out, const GameVariant *variant, const Board *board)
{
    const uint64_t black = board_discs(board, BLACK);
    const uint64_t white = board_discs(board, WHITE);
    for (int row = 0; row < variant->size; row++) {
        for (int column = 0; column < variant->size; column++) {
            const int sq = 8 * row + column;
            *out++ = black >> sq & 1 ? 'b' : white >> sq & 1 ? 'w' : '.';
        }
    }
    *out++ = ' ';
    *out++ = board->to_move == BLACK ? 'b' : 'w';
    *out = '\0';
}
