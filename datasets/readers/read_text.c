/* datasets/readers/read_text.c - plain text: one game a line, its moves separated by blanks or run
 * together ("f5 d6 c3", "F5d6C3"), '#' begins a comment; the same in drop notation ("P@e3 P@f5
 * c3c3"); and what all text formats share: words that are moves.
 *
 * Drop notation is how Fairy-Stockfish writes moves of its variant flipello (UCI): a piece, '@' and
 * the square, ranks counted from below; a pass is a move from a square to itself, or 0000. Source:
 * src/variant.cpp and src/uci.cpp of github.com/fairy-stockfish/Fairy-Stockfish.
 */
#include <stdio.h>
#include <string.h>

#include "datasets/readers/game_reader_internal.h"
#include "game/notation.h"

/* ---- bytes ---- */

int text__begin(GameReader *reader)
{
    uint8_t mark[3];
    size_t n = 0;
    const int rc = stream_read(&reader->stream, mark, sizeof(mark), &n);
    if (n != sizeof(mark) || memcmp(mark, "\xef\xbb\xbf", sizeof(mark)) != 0) {
        reader->stream.at = 0;
    }
    reader->text.offset = reader->stream.at;
    return rc;
}

size_t text__first_word(const uint8_t *head, size_t n)
{
    size_t i = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    bool in_comment = false;
    for (; i < n; i++) {
        in_comment = head[i] == '#' || (in_comment && head[i] != '\n');
        if (!in_comment && head[i] != ' ' && head[i] != '\t' && head[i] != '\r' &&
            head[i] != '\n') {
            return i;
        }
    }
    return n;
}

void text__show(char out[SHOWN_MAX], const char *text, size_t n)
{
    const size_t shown = n < 12 ? n : 12;
    size_t at = 0;
    out[at++] = '\'';
    for (size_t i = 0; i < shown; i++) {
        const unsigned char byte = (unsigned char)text[i];
        const char *format = byte < 0x20 || byte > 0x7e ? "\\x%02x" : "%c";
        at += (size_t)snprintf(out + at, SHOWN_MAX - at, format, byte);
    }
    snprintf(out + at, SHOWN_MAX - at, shown < n ? "...'" : "'");
}

/* ---- words ---- */

bool text__word_add(TextState *text, uint8_t byte)
{
    if (text->n_word == 0) {
        text->word_line = text->line;
        text->word_offset = text->offset;
    }
    if (text->n_word == WORD_MAX) {
        return false;
    }
    text->word[text->n_word++] = (char)byte;
    return true;
}

/* The square of an 8x8 board at the start of a text of two bytes or more; -1 if there is none. As
 * square_parse, in line: files have millions of them. */
static int square_of(const char *text)
{
    const unsigned column = (unsigned)(text[0] | 0x20) - 'a'; /* 0x20: lower case */
    const unsigned row = (unsigned)text[1] - '1';
    return column < 8 && row < 8 ? (int)(8 * row + column) : -1;
}

/* Bytes of "P@" or "@" before a square; 0 if there is none. */
static size_t drop_length(const char *word, size_t n)
{
    if (n >= 4 && (word[0] | 0x20) == 'p' && word[1] == '@') {
        return 2;
    }
    return n >= 3 && word[0] == '@' ? 1 : 0;
}

/* A move from a square to itself, in drop notation. */
static bool is_drop_pass(const RawGame *game, const char *word, size_t n)
{
    return game->drops && n == 4 && square_of(word) >= 0 && square_of(word) == square_of(word + 2);
}

void text__moves_take(GameReader *reader, RawGame *game, const char *word, size_t n)
{
    const int size = reader->variant->size;
    const uint64_t line = reader->text.word_line;
    if (is_drop_pass(game, word, n)) {
        reader__entry(game, RAW_PASS, line);
        return;
    }
    for (size_t i = 0; i < n;) {
        const size_t pass = pass_length(word + i, n - i);
        if (pass > 0) {
            reader__entry(game, RAW_PASS, line);
            i += pass;
            continue;
        }
        if (word[i] == ',' || word[i] == '-') {
            i++;
            continue;
        }
        const size_t drop = drop_length(word + i, n - i);
        const char *square = word + i + drop;
        const size_t left = n - i - drop;
        const int sq = left < 2 ? -1 : square_of(square);
        /* "a10" is a square of a larger board, not a1 followed by a stray digit. */
        if (sq < 0 || (left > 2 && square[2] >= '0' && square[2] <= '9' &&
                       pass_length(square + 2, left - 2) == 0)) {
            char shown[SHOWN_MAX];
            text__show(shown, word + i, n - i < 3 ? n - i : 3);
            raw_game_fault(
                game, line, "expected a square a1 to %c%d or a pass, found %s at byte %llu",
                'a' + size - 1, size, shown, (unsigned long long)reader->text.word_offset + i);
            return;
        }
        game->drops = game->drops || drop > 0;
        reader__entry(game, (uint8_t)sq, line);
        i += drop + 2;
    }
}

/* ---- the format ---- */

/* A few bytes may be damaged; a file full of control characters is no text. */
static bool text_recognise(const uint8_t *head, size_t n, uint64_t size, const ReadOptions *options)
{
    size_t n_control = 0;
    for (size_t i = 0; i < n; i++) {
        n_control += head[i] == '\0' || (head[i] < ' ' && !strchr("\t\n\r\f\x1b", head[i]));
    }
    return 16 * n_control <= n;
}

/* By the first word that is not a comment. */
static bool drops_recognise(const uint8_t *head, size_t n, uint64_t size,
                            const ReadOptions *options)
{
    const size_t i = text__first_word(head, n);
    const size_t drop = drop_length((const char *)head + i, n - i);
    return drop > 0 && n - i > drop + 1 && square_of((const char *)head + i + drop) >= 0;
}

static void word_end(GameReader *reader)
{
    TextState *text = &reader->text;
    if (text->n_word > 0) {
        text__moves_take(reader, reader__game(reader, text->word_line), text->word, text->n_word);
        text->n_word = 0;
    }
}

static void line_end(GameReader *reader)
{
    word_end(reader);
    if (reader->open) {
        reader__game_done(reader);
    }
    reader->text.in_comment = false;
    reader->text.line++;
}

static size_t text_feed(GameReader *reader, const uint8_t *bytes, size_t n)
{
    TextState *text = &reader->text;
    for (size_t i = 0; i < n; i++, text->offset++) {
        const uint8_t byte = bytes[i];
        if (byte == '\n') {
            line_end(reader);
            if (reader__is_full(reader)) {
                text->offset++;
                return i + 1;
            }
        } else if (byte == ' ' || byte == '\t' || byte == '\r') {
            word_end(reader);
        } else if (byte == '#') {
            word_end(reader);
            text->in_comment = true;
        } else if (!text->in_comment && !text__word_add(text, byte)) {
            raw_game_fault(reader__game(reader, text->line), text->line,
                           "expected moves, found a word of more than %d characters", WORD_MAX);
        }
    }
    return n;
}

const GameFormat format__text = {.name = "text",
                                 .place = "line",
                                 .recognise = text_recognise,
                                 .begin = text__begin,
                                 .feed = text_feed,
                                 .end = line_end};

const GameFormat format__drops = {.name = "drops",
                                  .place = "line",
                                  .recognise = drops_recognise,
                                  .begin = text__begin,
                                  .feed = text_feed,
                                  .end = line_end};
