/* datasets/readers/read_npy.c - games as a NumPy array of integers, a game a row: squares (8 * row
 * + column on every board; 255 or -1 after the last move) or tokens of the caller's table (0 or -1
 * after the last move). Among squares 64 is a pass, which must be forced.
 */
#include <string.h>

#include "base/err.h"
#include "datasets/readers/game_reader_internal.h"

#define PASS_INDEX 64

static bool npy_recognise(const uint8_t *head, size_t n, uint64_t size, const ReadOptions *options)
{
    (void)options;
    (void)size;
    return n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0;
}

/* Number `column` of the row in the buffer. */
static int64_t value_at(const RecordState *record, size_t column)
{
    const size_t n_bytes = record->npy.item_bytes;
    const bool negative = record->npy.dtype[0] == 'i';
    const unsigned unused = 64 - 8 * (unsigned)n_bytes;
    uint64_t bits = 0; /* little endian, as base/formats/npy.c */
    memcpy(&bits, record->record + column * n_bytes, n_bytes);
    if (negative) {
        return (int64_t)(bits << unused) >> unused; /* extend the sign */
    }
    return bits > INT64_MAX ? INT64_MAX : (int64_t)bits; /* neither is a square or a token */
}

/* The entries of the row in the buffer. */
static void row_take(RawGame *game, const GameReader *reader, NpyContent content, uint64_t number)
{
    const RecordState *record = &reader->record;
    const ReadOptions *options = reader->options;
    bool ended = false;
    for (uint64_t column = 0; column < record->npy.shape[1]; column++) {
        const int64_t value = value_at(record, column);
        const bool none = value == -1 || value == (content == NPY_TOKENS ? 0 : SQ_NONE);
        if (none) {
            ended = true;
        } else if (ended) {
            raw_game_fault(game, number, "column %llu: expected no move after none, found %lld",
                           (unsigned long long)column, (long long)value);
        } else if (content == NPY_TOKENS && value > 0 && value < options->n_tokens) {
            reader__entry(game, options->sq_of_tok[value], number);
        } else if (content == NPY_SQUARES && value >= 0 && value <= BOARD_SQUARES) {
            reader__entry(game, value == PASS_INDEX ? RAW_PASS : (uint8_t)value, number);
        } else {
            raw_game_fault(game, number, "column %llu: expected %s of a %dx%d board, found %lld",
                           (unsigned long long)column,
                           content == NPY_TOKENS ? "a token" : "a square (8 * row + column)",
                           reader->variant->size, reader->variant->size, (long long)value);
        }
    }
}

/* True if the row in the buffer is a legal game when read as `content`, in any of the ways of
 * naming squares; passes are left out here. Mirroring the board at its diagonal does not change
 * that, so the notation need not be known. */
static bool row_is_legal(const GameReader *reader, NpyContent content)
{
    const GameVariant *variant = reader->variant;
    RawGame game = {.place = 1};
    row_take(&game, reader, content, 1);
    for (int way = READ_PLAIN; game.fault[0] == '\0' && way < READ_WAYS; way++) {
        uint8_t moves[RAW_ENTRIES];
        Board after[GAME_MAX_MOVES];
        int n = 0;
        for (int i = 0; i < game.n; i++) {
            if (game.entry[i] != RAW_PASS) {
                moves[n++] = (uint8_t)raw_game_sq(variant, way, game.entry[i]);
            }
        }
        if (n > 0 && n <= variant->n_moves && game_replay(variant, moves, n, after) == n) {
            return true;
        }
    }
    return false;
}

static int find_content(GameReader *reader)
{
    RecordState *record = &reader->record;
    size_t n = 0;
    const int rc = stream_read(&reader->stream, record->record, record->n_bytes, &n);
    if (rc != 0) {
        return rc;
    }
    const bool squares = row_is_legal(reader, NPY_SQUARES);
    if (squares == row_is_legal(reader, NPY_TOKENS)) {
        return err_set(
            OGPT_EFORMAT, "%s: row 1 is a legal %dx%d game %s; say --as squares or --as tokens",
            reader->stream.path, reader->variant->size, reader->variant->size,
            squares ? "both as squares and as tokens" : "neither as squares nor as tokens");
    }
    record->content = squares ? NPY_SQUARES : NPY_TOKENS;
    return 0;
}

static int npy_begin(GameReader *reader)
{
    RecordState *record = &reader->record;
    NpyHeader *npy = &record->npy;
    const char *path = reader->stream.path;
    int rc = npy_read_header(npy, path);
    if (rc != 0) {
        return rc;
    }
    if (npy->rank != 2 || npy->dtype[0] == 'f') {
        return err_set(OGPT_EFORMAT,
                       "%s: expected an array (games, moves) of integers, found %zu dimension%s of "
                       "%s",
                       path, npy->rank, npy->rank == 1 ? "" : "s", npy->dtype);
    }
    if (npy->shape[0] == 0 || npy->shape[1] == 0 || npy->shape[1] > RECORD_MAX / npy->item_bytes) {
        return err_set(OGPT_EFORMAT,
                       "%s: expected 1 or more games of 1 to %zu moves, found shape (%llu, %llu)",
                       path, RECORD_MAX / npy->item_bytes, (unsigned long long)npy->shape[0],
                       (unsigned long long)npy->shape[1]);
    }
    record->n_bytes = (size_t)npy->shape[1] * npy->item_bytes;
    reader->stream.at = npy->data_offset;
    if (record->content == NPY_AUTO) {
        rc = find_content(reader);
        reader->stream.at = npy->data_offset;
    }
    return rc;
}

static void record_take(GameReader *reader)
{
    const uint64_t number = reader->record.number++;
    row_take(reader__game(reader, number), reader, reader->record.content, number);
    reader__game_done(reader);
}

static size_t npy_feed(GameReader *reader, const uint8_t *bytes, size_t n)
{
    return records__feed(reader, bytes, n, record_take);
}

static void npy_end(GameReader *reader)
{
    (void)reader; /* npy_read_header has compared the shape with the file's size */
}

const GameFormat format__npy = {.name = "npy",
                                .place = "row",
                                .recognise = npy_recognise,
                                .begin = npy_begin,
                                .feed = npy_feed,
                                .end = npy_end};
