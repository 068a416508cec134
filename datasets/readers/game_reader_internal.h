/* datasets/readers/game_reader_internal.h - the inside of a reader, for game_reader.c and the
 * formats (read_text.c, read_pgn.c, read_wthor.c, read_npy.c). */
#ifndef OGPT_DATASETS_GAME_READER_INTERNAL_H
#define OGPT_DATASETS_GAME_READER_INTERNAL_H

#include "base/formats/npy.h"
#include "datasets/readers/game_reader.h"

#ifndef READER_PIECE /* the fuzz preset sets a few bytes, so that pieces cut games */
#define READER_PIECE ((size_t)1 << 18) /* bytes of a file read at once */
#endif
#define READER_HEAD 4096 /* bytes by which a format is recognised */
#define RECORD_MAX 8192  /* bytes of a game of fixed size */
#define WORD_MAX 256     /* bytes of a word of text; a whole game has 120 */

typedef struct GameFormat {
    const char *name;
    const char *place; /* what RawGame.place counts */
    /* True if a file of `size` bytes that begins with these n has this format. */
    bool (*recognise)(const uint8_t *head, size_t n, uint64_t size);
    /* Read the header, check the sizes, set stream.at to the first game. */
    int (*begin)(GameReader *reader);
    /* Take bytes and deliver games with reader__game and reader__game_done; stops when
     * reader__is_full. Returns how many bytes were taken. */
    size_t (*feed)(GameReader *reader, const uint8_t *bytes, size_t n);
    /* The file has ended: deliver the last game, if one is open. Never called when full. */
    void (*end)(GameReader *reader);
} GameFormat;

extern const GameFormat format__pgn, format__wthor, format__text, format__npy;

/* State of both text formats. */
typedef struct TextState {
    uint64_t line; /* of the next byte, from 1 */
    char word[WORD_MAX + 1];
    size_t n_word;
    uint64_t word_line;
    bool in_comment; /* of read_text.c */
    int utf8_left;   /* bytes that are missing of a character */
    uint8_t utf8_low, utf8_high;
} TextState;

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
    bool has_text;                   /* the tag's quotes were closed */
    bool has_tags, has_moves, ended; /* the game has tags, has moves, was terminated */
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
    PgnState pgn;
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

/* Take one byte of a text. False for NUL and for what is not UTF-8. */
bool text__byte_is_sound(TextState *text, uint8_t byte);
/* Add a byte to the word; false if the word is too long. */
bool text__word_add(TextState *text, uint8_t byte);
/* Add the squares and passes of a word of n bytes to the game. */
void text__moves_take(GameReader *reader, RawGame *game, const char *word, size_t n);
/* Go to where the text begins: after a byte order mark, if there is one. */
int text__begin(GameReader *reader);
#define SHOWN_MAX 64
/* At most 12 bytes of a text for a message, in quotes, unprintable ones as \xNN. */
void text__show(char out[SHOWN_MAX], const char *text, size_t n);

#endif
