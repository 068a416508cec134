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
    RESULT_DIFFERENCE, /* black's discs minus white's, in `black` (GGF, Logistello) */
    RESULT_WINNER      /* black 1 and white 0, 0 and 1, or 1 and 1 for a draw */
} StatedResult;

/* The mover that a file states for an entry. */
enum { MOVER_NOT_STATED, MOVER_BLACK, MOVER_WHITE };

/* One game as a file states it. */
typedef struct RawGame {
    uint64_t place; /* its first line (texts), number (wthor) or row (npy), from 1 */
    StatedResult result;
    int black, white;           /* of the result */
    bool drops;                 /* in drop notation (P@e3), where c3c3 is a pass */
    int n;                      /* entries */
    uint8_t entry[RAW_ENTRIES]; /* squares as written (letter = column; any of an 8x8 board), or
                                   RAW_PASS */
    uint8_t mover[RAW_ENTRIES]; /* MOVER_* */
    uint16_t line[RAW_ENTRIES]; /* of each entry, counted from `place` */
    char fault[RAW_FAULT_SIZE]; /* why this is not a game; "" if it may be one */
    uint64_t fault_place;
    int fault_ply; /* from 1 */
} RawGame;

/* The meaning of the numbers of an .npy array. AUTO: the one of the two under which the first game
 * is legal. */
typedef enum NpyContent { NPY_AUTO, NPY_SQUARES, NPY_TOKENS } NpyContent;

/* Ways in which the squares of a whole game may have been named otherwise, combined with |.
 * RENAMED: a smaller board in the middle of the letters and digits of 8x8 (6x6: b to g, 2 to 7).
 * TURNED: from the mirrored start position (black d4 and e5); the ranks are counted from the other
 * side. */
enum { READ_PLAIN = 0, READ_RENAMED = 1, READ_TURNED = 2, READ_WAYS = 4 };
/* Our square for the square `sq` of an 8x8 naming, or -1 if it is off the board. */
int raw_game_sq(const GameVariant *variant, int way, int sq);

/* The names of the table of formats. prose is never chosen by content. */
#define GAME_FORMATS "pgn|wthor|ggf|logistello|csv|drops|text|npy|prose"

/* How a file is read. */
typedef struct ReadOptions {
    const GameVariant *variant;
    const char *format; /* a row of the table, or "auto": the first bytes decide */
    const char *column; /* of a CSV file, the one that holds the moves; NULL: ...moves */
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
