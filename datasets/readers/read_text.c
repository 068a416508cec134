/* datasets/readers/read_text.c - plain text: one game a line, its moves separated by blanks or run
 * together ("f5 d6 c3", "F5d6C3"), '#' begins a comment; and what PGN shares with it: bytes that
 * a text may have, and words that are moves.
 */
#include <stdio.h>
#include <string.h>

#include "datasets/readers/game_reader_internal.h"

/* ---- bytes ---- */

/* The first byte of a character of several bytes says how many follow, and in which range the
 * second must be, so that the form is the shortest and the number a character (Unicode, table 3-7).
 */
static bool utf8_begin(TextState *text, uint8_t byte)
{
    text->utf8_low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    text->utf8_high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    text->utf8_left = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    if (byte < 0xc2 || byte > 0xf4) {
        text->utf8_left = 0;
        return false;
    }
    return true;
}

bool text__byte_is_sound(TextState *text, uint8_t byte)
{
    if (byte < 0x80) {
        const bool whole = text->utf8_left == 0;
        text->utf8_left = 0;
        return whole && byte != 0;
    }
    if (text->utf8_left == 0) {
        return utf8_begin(text, byte);
    }
    const bool sound = byte >= text->utf8_low && byte <= text->utf8_high;
    text->utf8_left = sound ? text->utf8_left - 1 : 0;
    text->utf8_low = 0x80;
    text->utf8_high = 0xbf;
    return sound;
}

int text__begin(GameReader *reader)
{
    uint8_t mark[3];
    size_t n = 0;
    const int rc = stream_read(&reader->stream, mark, sizeof(mark), &n);
    if (n != sizeof(mark) || memcmp(mark, "\xef\xbb\xbf", sizeof(mark)) != 0) {
        reader->stream.at = 0;
    }
    return rc;
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
    }
    if (text->n_word == WORD_MAX) {
        return false;
    }
    text->word[text->n_word++] = (char)byte;
    return true;
}

static int coordinate(int size, char character, char first)
{
    const int number = (character | 0x20) - first; /* 0x20: lower case; digits have it */
    return number >= 0 && number < size ? number : -1;
}

/* Length of the pass at the start of a word, "--", "pa" or "pass"; 0 if there is none. */
static size_t pass_length(const char *word, size_t n)
{
    if (n >= 2 && word[0] == '-' && word[1] == '-') {
        return 2;
    }
    if (n < 2 || (word[0] | 0x20) != 'p' || (word[1] | 0x20) != 'a') {
        return 0;
    }
    return n >= 4 && (word[2] | 0x20) == 's' && (word[3] | 0x20) == 's' ? 4 : 2;
}

void text__moves_take(GameReader *reader, RawGame *game, const char *word, size_t n)
{
    const int size = reader->variant->size;
    const uint64_t line = reader->text.word_line;
    size_t i = 0;
    while (i < n) {
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
        const int column = coordinate(size, word[i], 'a');
        const int row = column < 0 || i + 1 == n ? -1 : coordinate(size, word[i + 1], '1');
        /* "a10" is a square of a larger board, not a1 followed by a stray digit. */
        if (row < 0 || (i + 2 < n && word[i + 2] >= '0' && word[i + 2] <= '9')) {
            char shown[SHOWN_MAX];
            text__show(shown, word + i, n - i < 3 ? n - i : 3);
            raw_game_fault(game, line, "expected a square a1 to %c%d or a pass, found %s",
                           'a' + size - 1, size, shown);
            return;
        }
        reader__entry(game, (uint8_t)(8 * row + column), line);
        i += 2;
    }
}

/* ---- the format ---- */

static bool text_recognise(const uint8_t *head, size_t n, uint64_t size)
{
    (void)size;
    return !memchr(head, '\0', n);
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
    for (size_t i = 0; i < n; i++) {
        const uint8_t byte = bytes[i];
        if (!text__byte_is_sound(text, byte)) {
            word_end(reader);
            raw_game_fault(reader__game(reader, text->line), text->line,
                           "expected a text in UTF-8, found byte 0x%02x", byte);
        }
        if (byte == '\n') {
            line_end(reader);
            if (reader__is_full(reader)) {
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

static void text_end(GameReader *reader)
{
    if (reader->text.utf8_left > 0) {
        raw_game_fault(reader__game(reader, reader->text.line), reader->text.line,
                       "expected a text in UTF-8, found half a character at the end");
    }
    line_end(reader);
}

const GameFormat format__text = {.name = "text",
                                 .place = "line",
                                 .recognise = text_recognise,
                                 .begin = text__begin,
                                 .feed = text_feed,
                                 .end = text_end};
