/* datasets/readers/game_reader.c - the table of formats, and what all of them share. */
#include "datasets/readers/game_reader.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/formats/pickle_sniff.h"
#include "datasets/readers/game_reader_internal.h"

/* In the order in which they look at the first bytes: text takes what the others leave. */
static const GameFormat *const formats[] = {&format__npy,   &format__wthor,      &format__ggf,
                                            &format__csv,   &format__logistello, &format__pgn,
                                            &format__drops, &format__text,       &format__prose};
#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

static int find_format(GameReader *reader, const char *name, const uint8_t *head, size_t n)
{
    const bool automatic = strcmp(name, "auto") == 0;
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (automatic ? formats[i]->recognise &&
                            formats[i]->recognise(head, n, reader->stream.size, reader->options)
                      : strcmp(formats[i]->name, name) == 0) {
            reader->format = formats[i];
            return 0;
        }
    }
    if (!automatic) {
        return err_set(OGPT_EUSAGE,
                       "no format of games is called '%.20s': expected auto|" GAME_FORMATS, name);
    }
    return err_set(OGPT_EFORMAT,
                   "%s: expected games (auto|" GAME_FORMATS
                   "), found bytes of no such format; convert "
                   "the file, or name its format with --format",
                   reader->stream.path);
}

#define GAMES_RECIPE                                                                               \
    "in Python: games = pickle.load(open(NAME, 'rb')); a = numpy.array([list(g) + [-1] * (60 - "   \
    "len(g)) for g in games]); numpy.save('games.npy', a), and import games.npy"

int game_reader_open(GameReader **out, const char *path, const ReadOptions *options)
{
    *out = NULL;
    uint8_t head[READER_HEAD];
    size_t n = 0;
    GameReader *reader = mem_calloc(1, sizeof(*reader), "a reader of games");
    if (!reader) {
        return OGPT_ENOMEM;
    }
    reader->options = options;
    reader->variant = options->variant;
    reader->record.content = options->npy;
    reader->record.number = 1;
    reader->text.line = 1;
    int rc = stream_open(&reader->stream, path);
    if (rc == 0 && reader->stream.size == 0) {
        rc = err_set(OGPT_EFORMAT, "%s: expected games, found an empty file", path);
    }
    rc = rc ? rc : stream_read(&reader->stream, head, sizeof(head), &n);
    rc = rc ? rc : packed_refuse(head, n, path, "games", GAMES_RECIPE);
    if (rc == 0 && n >= 2 &&
        (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0)) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: expected a byte a character, found a text in UTF-16; convert it: iconv "
                     "-f UTF-16 -t UTF-8",
                     path);
    }
    rc = rc ? rc : find_format(reader, options->format, head, n);
    if (rc == 0) {
        reader->stream.at = 0;
        rc = reader->format->begin(reader);
    }
    if (rc != 0) {
        game_reader_close(reader);
        return rc;
    }
    *out = reader;
    return 0;
}

int game_reader_next(GameReader *reader, RawGame *games, size_t room, size_t *n)
{
    int rc = 0;
    assert(room >= 2);
    reader->out = games;
    reader->n_out = 0;
    reader->room = room;
    while (rc == 0 && !reader__is_full(reader) && !reader->ended) {
        if (reader->piece_at < reader->n_piece) {
            reader->piece_at += reader->format->feed(reader, reader->piece + reader->piece_at,
                                                     reader->n_piece - reader->piece_at);
            continue;
        }
        reader->piece_at = 0;
        rc = stream_read(&reader->stream, reader->piece, READER_PIECE, &reader->n_piece);
        if (rc == 0 && reader->n_piece == 0) {
            reader->ended = true;
            reader->format->end(reader);
        }
    }
    *n = reader->n_out;
    return rc;
}

void game_reader_close(GameReader *reader)
{
    if (reader) {
        stream_close(&reader->stream);
        mem_free(reader);
    }
}

const char *game_reader_format(const GameReader *reader)
{
    return reader->format->name;
}

const char *game_reader_place(const GameReader *reader)
{
    return reader->format->place;
}

uint64_t game_reader_bytes_read(const GameReader *reader)
{
    return reader->stream.at;
}

uint64_t game_reader_bytes(const GameReader *reader)
{
    return reader->stream.size;
}

int raw_game_sq(const GameVariant *variant, int way, int sq)
{
    const int margin = way & READ_RENAMED ? (8 - variant->size) / 2 : 0;
    const int row = sq / 8 - margin;
    const int column = sq % 8 - margin;
    if (row < 0 || column < 0 || row >= variant->size || column >= variant->size) {
        return -1;
    }
    return 8 * (way & READ_TURNED ? variant->size - 1 - row : row) + column;
}

/* ---- for the formats ---- */

RawGame *reader__game(GameReader *reader, uint64_t place)
{
    RawGame *game = &reader->game;
    if (!reader->open) {
        reader->open = true;
        game->place = place;
        game->result = RESULT_NOT_STATED;
        game->black = game->white = 0;
        game->n = 0;
        game->drops = false;
        game->fault[0] = '\0';
    }
    return game;
}

void reader__game_done(GameReader *reader)
{
    assert(reader->open && reader->n_out < reader->room);
    reader->out[reader->n_out++] = reader->game;
    reader->open = false;
}

void reader__entry(RawGame *game, uint8_t entry, uint64_t place)
{
    if (game->fault[0] != '\0') {
        return; /* what follows something unreadable may be anything */
    }
    if (game->n == RAW_ENTRIES) {
        raw_game_fault(game, place, "expected one game, found more than %d moves and passes",
                       RAW_ENTRIES);
        return;
    }
    const uint64_t line = place - game->place;
    game->line[game->n] = line < UINT16_MAX ? (uint16_t)line : UINT16_MAX;
    game->mover[game->n] = MOVER_NOT_STATED;
    game->entry[game->n++] = entry;
}

void raw_game_fault(RawGame *game, uint64_t place, const char *format, ...)
{
    if (game->fault[0] != '\0') {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(game->fault, sizeof(game->fault), format, arguments);
    va_end(arguments);
    game->fault_place = place;
    game->fault_ply = 1;
    for (int i = 0; i < game->n; i++) {
        game->fault_ply += game->entry[i] != RAW_PASS;
    }
}

size_t records__feed(GameReader *reader, const uint8_t *bytes, size_t n,
                     void (*take)(GameReader *reader))
{
    RecordState *record = &reader->record;
    size_t at = 0;
    while (at < n && !reader__is_full(reader)) {
        const size_t missing = record->n_bytes - record->n_filled;
        const size_t some = missing < n - at ? missing : n - at;
        memcpy(record->record + record->n_filled, bytes + at, some);
        record->n_filled += some;
        at += some;
        if (record->n_filled == record->n_bytes) {
            record->n_filled = 0;
            take(reader);
        }
    }
    return at;
}

size_t lines__feed(GameReader *reader, const uint8_t *bytes, size_t n,
                   void (*take)(GameReader *reader))
{
    LineState *line = &reader->lines;
    for (size_t i = 0; i < n; i++) {
        if (line->n == 0 && !line->cut) {
            line->offset = reader->text.offset;
        }
        reader->text.offset++;
        if (bytes[i] == '\n') {
            lines__end(reader, take);
            reader->text.line++;
            if (reader__is_full(reader)) {
                return i + 1;
            }
        } else if (line->n < LINE_MAX_BYTES) {
            line->bytes[line->n++] = (char)bytes[i];
        } else {
            line->cut = true;
        }
    }
    return n;
}

void lines__end(GameReader *reader, void (*take)(GameReader *reader))
{
    LineState *line = &reader->lines;
    line->bytes[line->n] = '\0';
    if (line->cut) {
        raw_game_fault(reader__game(reader, reader->text.line), reader->text.line,
                       "expected a line of at most %d bytes, found a longer one", LINE_MAX_BYTES);
        reader__game_done(reader);
    } else if (line->n > 0) {
        take(reader);
    }
    line->n = 0;
    line->cut = false;
}
