/* datasets/readers/game_reader_internal.h - the inside of a reader, for game_reader.c and the
 * formats (read_*.c). */
#ifndef OGPT_DATASETS_GAME_READER_INTERNAL_H
#define OGPT_DATASETS_GAME_READER_INTERNAL_H

#include "base/formats/npy.h"
#include "datasets/readers/game_reader.h"

#ifndef READER_PIECE /* the fuzz preset sets a few bytes, so that pieces cut games */
#define READER_PIECE ((size_t)1 << 18) /* bytes of a file read at once */
#endif
#define READER_HEAD 4096     /* bytes by which a format is recognised */
#define RECORD_MAX 8192      /* bytes of a game of fixed size */
#define WORD_MAX 256         /* bytes of a word of text; a whole game has 120 */
#define LINE_MAX_BYTES 65536 /* of a line; a whole game has 400 */
#define VALUE_MAX 256        /* kept of a GGF value or a CSV name; a board has 80 */

typedef struct GameFormat {
    const char *name;
    const char *place; /* what RawGame.place counts */
    /* True if a file of `size` bytes that begins with these n has this format. NULL: never. */
    bool (*recognise)(const uint8_t *head, size_t n, uint64_t size, const ReadOptions *options);
    /* Read the header, check the sizes, set stream.at to the first game. */
    int (*begin)(GameReader *reader);
    /* Take bytes and deliver games with reader__game and reader__game_done; stops when
     * reader__is_full. Returns how many bytes were taken. */
    size_t (*feed)(GameReader *reader, const uint8_t *bytes, size_t n);
    /* The file has ended: deliver the last game, if one is open. Never called when full. */
    void (*end)(GameReader *reader);
} GameFormat;

extern const GameFormat format__pgn, format__wthor, format__ggf, format__logistello, format__csv,
    format__drops, format__text, format__npy, format__prose;

/* State of all text formats. Outside the moves bytes mean nothing, in any encoding. */
typedef struct TextState {
    uint64_t line;   /* of the next byte, from 1 */
    uint64_t offset; /* of the next byte in the file, from 0 */
    char word[WORD_MAX + 1];
    size_t n_word;
    uint64_t word_line, word_offset;
    bool in_comment; /* of read_text.c */
} TextState;

/* Formats with a game a line. */
typedef struct LineState {
    char bytes[LINE_MAX_BYTES + 1]; /* ends with NUL where `take` sees it */
    size_t n;
    bool cut;        /* the line was longer */
    uint64_t offset; /* of its first byte */
} LineState;

/* Where in a GGF file the reader is: between games, between properties, inside [ ]. */
typedef enum GgfWhere { GGF_OUTSIDE, GGF_KEY, GGF_VALUE } GgfWhere;

typedef struct GgfState {
    GgfWhere where;
    char last; /* the byte before */
    char key[3], value[VALUE_MAX + 1];
    size_t n_key, n_value, n_start; /* n_start: bytes of "(;GM[" just read inside a value */
    uint64_t opened;                /* line of the [ that is open */
    uint64_t value_offset;
    bool whole_result; /* the result is that of the board, without a komi */
    char type[16];     /* TY, for messages */
} GgfState;

typedef struct CsvState {
    char separator;
    bool quoted;
    int field, column, n_fields; /* the field being read; that of the moves; of the header */
    char name[VALUE_MAX + 1];    /* of a column; below the header n_name says that a line is not
                                    empty */
    size_t n_name;
    char names[VALUE_MAX + 1]; /* of all columns, for a message */
} CsvState;

/* Where in the text the PGN reader is. */
typedef enum PgnWhere {
    PGN_MOVES,
    PGN_TAG,
    PGN_TAG_TEXT, /* inside the quotes of a tag */
    PGN_BRACES,   /* { ... }; these do not nest */
    PGN_LINE      /* ; or % to the end of the line */
} PgnWhere;

#define PGN_TAG_MAX 32 /* bytes of a tag's name and text that are kept */

typedef struct PgnState {
    PgnWhere where;
    uint64_t opened; /* line of the { or ( or [ that is open */
    uint64_t depth;  /* open parentheses */
    bool escaped;    /* after a backslash inside quotes */
    bool at_line_start;
    int n_breaks;                        /* line ends inside the tag that is open */
    int lead;                            /* how much of `[Name "` a line inside a comment has */
    bool has_name, has_quotes, has_text; /* of the tag: its name has ended, quotes began, ended */
    bool has_tags, has_moves, ended;     /* the game has tags, has moves, was terminated */
    char name[PGN_TAG_MAX], first_name[PGN_TAG_MAX], text[PGN_TAG_MAX];
    size_t n_name, n_text;
} PgnState;

/* Records of fixed size. */
typedef struct RecordState {
    size_t n_bytes;  /* of one record */
    size_t n_filled; /* of `record` */
    uint64_t number; /* of the next record, from 1 */
    uint8_t record[RECORD_MAX];
    NpyHeader npy;
    NpyContent content;
} RecordState;

struct GameReader {
    const GameFormat *format;
    const ReadOptions *options;
    const GameVariant *variant;
    StreamReader stream;
    uint8_t piece[READER_PIECE];
    size_t n_piece, piece_at; /* bytes in piece, and how many of them are taken */
    bool ended;               /* `end` has been called */
    RawGame *out;             /* games of the running game_reader_next */
    size_t n_out, room;
    RawGame game; /* being read */
    bool open;    /* it has begun */
    TextState text;
    LineState lines;
    PgnState pgn;
    GgfState ggf;
    CsvState csv;
    RecordState record;
};

/* One byte of PGN may end two games, so two places are kept free. */
static inline bool reader__is_full(const GameReader *reader)
{
    return reader->n_out + 2 > reader->room;
}

/* The game being read; if there is none, one is begun at `place`. */
RawGame *reader__game(GameReader *reader, uint64_t place);
/* Deliver it. */
void reader__game_done(GameReader *reader);
/* One more square or pass of the game. */
void reader__entry(RawGame *game, uint8_t entry, uint64_t place);

/* `feed` of the formats with records of fixed size: collects each in reader->record and calls
 * `take`, which delivers one game. */
size_t records__feed(GameReader *reader, const uint8_t *bytes, size_t n,
                     void (*take)(GameReader *reader));

/* Where the first word of a file begins that is not in a comment (#): for `recognise`. */
size_t text__first_word(const uint8_t *head, size_t n);
/* Add a byte to the word; false if the word is too long. */
bool text__word_add(TextState *text, uint8_t byte);
/* Add the squares and passes of a word of n bytes, which began at text.word_line and
 * text.word_offset, to the game. A fault names the byte of the file. */
void text__moves_take(GameReader *reader, RawGame *game, const char *word, size_t n);
/* Go to where the text begins: after a byte order mark, if there is one. */
int text__begin(GameReader *reader);
/* `feed` of the formats with a game a line: collects it in reader->lines and calls `take`, which
 * may deliver one game. A line of more than LINE_MAX_BYTES is a game that is not read. lines__end:
 * the last line, if it has no end. */
size_t lines__feed(GameReader *reader, const uint8_t *bytes, size_t n,
                   void (*take)(GameReader *reader));
void lines__end(GameReader *reader, void (*take)(GameReader *reader));
#define SHOWN_MAX 64
/* At most 12 bytes of a text for a message, in quotes, unprintable ones as \xNN. */
void text__show(char out[SHOWN_MAX], const char *text, size_t n);

#endif
