/* datasets/readers/read_lists.c - two formats with a game a line: Logistello's signed lists, and
 * games inside prose.
 *
 * Logistello: "+d3-c5+d6...: +04 0": each move with the sign of its player, + for black; after the
 * colon black's discs minus white's, and a number that is not used. Passes are not written: the
 * signs show them. Source: the book of games at skatgame.net/mburo/log.html.
 *
 * Prose: any text. What looks like a game in a line is one: PROSE_MIN squares or more in a row,
 * run together or separated as in plain text, with move numbers or without.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/readers/game_reader_internal.h"
#include "game/notation.h"

#define PROSE_MIN 4

/* ---- Logistello ---- */

static bool is_signed_square(const char *text, size_t n)
{
    return n >= 3 && (text[0] == '+' || text[0] == '-') &&
           square_parse(game_variant(8), text + 1) >= 0;
}

static bool logistello_recognise(const uint8_t *head, size_t n, uint64_t size,
                                 const ReadOptions *options)
{
    const size_t i = text__first_word(head, n);
    return is_signed_square((const char *)head + i, n - i);
}

/* ": +04 0": the difference, in a text that ends with NUL. */
static void difference_take(RawGame *game, const char *text)
{
    char *end = NULL;
    const long difference = strtol(text, &end, 10);
    if (end != text && labs(difference) <= BOARD_SQUARES) {
        game->result = RESULT_DIFFERENCE;
        game->black = (int)difference;
    }
}

static void signed_line_take(GameReader *reader)
{
    const LineState *line = &reader->lines;
    const char *text = line->bytes;
    size_t at = strspn(text, " \t\r");
    if (at == line->n || text[at] == '#') {
        return;
    }
    RawGame *game = reader__game(reader, reader->text.line);
    game->result = RESULT_UNKNOWN;
    while (at < line->n && text[at] != ':' && game->fault[0] == '\0') {
        const char sign = text[at];
        const size_t space = strspn(text + at, " \t\r");
        if (space > 0) {
            at += space;
        } else if (is_signed_square(text + at, line->n - at)) {
            reader__entry(game, (uint8_t)square_parse(game_variant(8), text + at + 1),
                          reader->text.line);
            game->mover[game->n - 1] = sign == '+' ? MOVER_BLACK : MOVER_WHITE;
            at += 3;
        } else {
            char shown[SHOWN_MAX];
            text__show(shown, text + at, line->n - at < 3 ? line->n - at : 3);
            raw_game_fault(game, reader->text.line,
                           "expected a move such as +f5, or a colon, found %s at byte %llu", shown,
                           (unsigned long long)line->offset + at);
        }
    }
    if (text[at] == ':') {
        difference_take(game, text + at + 1);
    }
    reader__game_done(reader);
}

static size_t logistello_feed(GameReader *reader, const uint8_t *bytes, size_t n)
{
    return lines__feed(reader, bytes, n, signed_line_take);
}

static void logistello_end(GameReader *reader)
{
    lines__end(reader, signed_line_take);
}

const GameFormat format__logistello = {.name = "logistello",
                                       .place = "line",
                                       .recognise = logistello_recognise,
                                       .begin = text__begin,
                                       .feed = logistello_feed,
                                       .end = logistello_end};

/* ---- prose ---- */

/* Bytes of a move number ("12.", "12...") at the start of a text; 0 if there is none. */
static size_t number_length(const char *text, size_t n)
{
    size_t i = 0;
    size_t dots = 0;
    while (i < n && isdigit((unsigned char)text[i])) {
        i++;
    }
    while (i > 0 && i + dots < n && text[i + dots] == '.') {
        dots++;
    }
    return dots > 0 ? i + dots : 0;
}

/* Bytes of one more piece of a run of moves; 0 at its end. *squares counts them. */
static size_t piece_length(const char *text, size_t n, int *squares)
{
    if (n >= 2 && square_parse(game_variant(8), text) >= 0) {
        (*squares)++;
        return 2;
    }
    if (*squares > 0 && pass_length(text, n) > 0) {
        return pass_length(text, n);
    }
    if (*squares > 0 && (*text == ' ' || *text == '\t' || *text == ',' || *text == '-')) {
        return 1;
    }
    return number_length(text, n);
}

/* Add a run of moves to the game, without its move numbers. */
static void run_take(GameReader *reader, RawGame *game, const char *run, size_t n, uint64_t offset)
{
    for (size_t i = 0; i < n;) {
        const size_t number = number_length(run + i, n - i);
        size_t length = 0;
        i += number;
        while (i + length < n && run[i + length] != ' ' && run[i + length] != '\t' &&
               (length == 0 || number_length(run + i + length, n - i - length) == 0)) {
            length++;
        }
        reader->text.word_offset = offset + i;
        text__moves_take(reader, game, run + i, length);
        i += length + (i + length < n && (run[i + length] == ' ' || run[i + length] == '\t'));
    }
}

/* The longest run of moves of a line, if it is long enough to be a game. */
static void prose_line_take(GameReader *reader)
{
    const LineState *line = &reader->lines;
    const char *text = line->bytes;
    size_t best = 0, best_length = 0;
    int most = PROSE_MIN - 1;
    for (size_t at = 0; at < line->n; at++) {
        size_t length = 0, last = 0, piece = 0;
        int squares = 0, counted = 0;
        if (at > 0 && isalnum((unsigned char)text[at - 1])) {
            continue; /* inside a word */
        }
        while (at + length < line->n &&
               (piece = piece_length(text + at + length, line->n - at - length, &squares)) > 0) {
            length += piece;
            last = squares > counted ? length : last; /* passes at the end say nothing */
            counted = squares;
        }
        if (squares > most && (at + last == line->n || !isalnum((unsigned char)text[at + last]))) {
            most = squares;
            best = at;
            best_length = last;
        }
        at += length;
    }
    if (best_length > 0) {
        reader->text.word_line = reader->text.line;
        run_take(reader, reader__game(reader, reader->text.line), text + best, best_length,
                 line->offset + best);
        reader__game_done(reader);
    }
}

static size_t prose_feed(GameReader *reader, const uint8_t *bytes, size_t n)
{
    return lines__feed(reader, bytes, n, prose_line_take);
}

static void prose_end(GameReader *reader)
{
    lines__end(reader, prose_line_take);
}

const GameFormat format__prose = {
    .name = "prose", .place = "line", .begin = text__begin, .feed = prose_feed, .end = prose_end};
