/* datasets/readers/game_reader.h - games out of other people's files, one format a row of a table.
 *
 * A format splits a file into games and each game into squares, passes and the result that the
 * file states. It does not ask whether the moves are legal: datasets/import_check.h replays
 * the games of every format in one place. Files of any size are read in pieces.
 */
#ifndef OGPT_DATASETS_GAME_READER_H
#define OGPT_DATASETS_GAME_READER_H

#include "base/stream.h"
#include "game/board.h"

#define RAW_ENTRIES 128 /* moves and passes kept of one game; more than any game can have */
#define RAW_PASS 254    /* a written pass */
#define RAW_FAULT_SIZE 160

/* What a file says about the end of a game. */
typedef enum StatedResult {
    RESULT_NOT_STATED, /* the format has no place for it */
    RESULT_UNKNOWN,    /* the format has a place for it, with "*", nothing, or no count in it */
    RESULT_DISCS,      /* black and white */
    RESULT_BLACK,      /* black's discs alone (WTHOR) */
    RESULT_WINNER      /* black 1 and white 0, 0 and 1, or 1 and 1 for a draw */
} StatedResult;

/* One game as a file states it. */
typedef struct RawGame {
    uint64_t place; /* its first line (text, pgn), number (wthor) or row (npy), from 1 */
    StatedResult result;
    int black, white;           /* of the result */
    int n;                      /* entries */
    uint8_t entry[RAW_ENTRIES]; /* squares as written (letter = column), or RAW_PASS */
    uint16_t line[RAW_ENTRIES]; /* of each entry, counted from `place` */
    char fault[RAW_FAULT_SIZE]; /* why this is not a game; "" if it may be one */
    uint64_t fault_place;
    int fault_ply; /* from 1 */
} RawGame;

/* The meaning of the numbers of an .npy array. AUTO: the one of the two under which the first game
 * is legal. */
typedef enum NpyContent { NPY_AUTO, NPY_SQUARES, NPY_TOKENS } NpyContent;

/* How a file is read. */
typedef struct ReadOptions {
    const GameVariant *variant;
    const char *format; /* a row of the table, or "auto": the first bytes decide */
    NpyContent npy;
    const uint8_t *sq_of_tok; /* [n_tokens]: the squares of the tokens 1 to n_tokens - 1 (npy) */
    int n_tokens;
} ReadOptions;

typedef struct GameReader GameReader;

/* Open one file and find its format. Pickles and zip archives are refused under any name. Returns
 * 0, OGPT_EIO, OGPT_EFORMAT (no format fits, or the header or the size is damaged), OGPT_EUSAGE (no
 * such format, or one without boards of this size). `path` and the options are borrowed. */
int game_reader_open(GameReader **out, const char *path, const ReadOptions *options);
/* The next games, at most `room` (2 or more); *n is 0 only at the end of the file. */
int game_reader_next(GameReader *reader, RawGame *games, size_t room, size_t *n);
void game_reader_close(GameReader *reader);
/* Record why `game` is not a game, as a line for people; the first reason is kept. */
void raw_game_fault(RawGame *game, uint64_t place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Name of the format; what `place` counts ("line", "game", "row"); bytes read so far; bytes of the
 * file. Borrowed. */
const char *game_reader_format(const GameReader *reader);
const char *game_reader_place(const GameReader *reader);
uint64_t game_reader_bytes_read(const GameReader *reader);
uint64_t game_reader_bytes(const GameReader *reader);

#endif
