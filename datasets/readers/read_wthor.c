/* datasets/readers/read_wthor.c - WTHOR, the database of the French federation (.wtb), little
 * endian: header of 16 bytes (date of making as century, year, month, day; u32 number of games;
 * u16; u16 year; u8 board size, 0 or 8; 3 bytes), then 68 bytes a game (u16 tournament, black and
 * white player, u8 black's discs, u8 theoretical score, 60 moves). A move is 10 * row + column, so
 * a1 is 11, h1 is 18 and a8 is 81; 0 is no move and comes only after the last one. Passes are not
 * written.
 */
#include <string.h>

#include "base/err.h"
#include "datasets/readers/game_reader_internal.h"

#define HEADER_BYTES 16
#define RECORD_BYTES 68
#define FIRST_MOVE 8 /* byte of a record */

static uint32_t number_of_games(const uint8_t *head)
{
    return (uint32_t)head[4] | (uint32_t)head[5] << 8 | (uint32_t)head[6] << 16 |
           (uint32_t)head[7] << 24;
}

static bool size_fits(const uint8_t *head, uint64_t size)
{
    return size == HEADER_BYTES + (uint64_t)RECORD_BYTES * number_of_games(head);
}

/* By the date of making, 1900 to 2099, with which no text begins. Damaged files are recognised too,
 * so that the message can say what is wrong with them. */
static bool wthor_recognise(const uint8_t *head, size_t n, uint64_t size,
                            const ReadOptions *options)
{
    (void)options;
    if (n < HEADER_BYTES) {
        return false;
    }
    const bool dated =
        (head[0] == 19 || head[0] == 20) && head[1] < 100 && head[2] <= 12 && head[3] <= 31;
    return dated || (size_fits(head, size) && number_of_games(head) > 0);
}

static int wthor_begin(GameReader *reader)
{
    uint8_t head[HEADER_BYTES];
    size_t n = 0;
    const char *path = reader->stream.path;
    const uint64_t size = reader->stream.size;
    const int rc = stream_read(&reader->stream, head, sizeof(head), &n);
    if (rc != 0) {
        return rc;
    }
    if (reader->variant->size != 8) {
        return err_set(OGPT_EUSAGE, "%s: WTHOR games are 8x8, asked for %dx%d; leave out --size",
                       path, reader->variant->size, reader->variant->size);
    }
    if (n < sizeof(head)) {
        return err_set(OGPT_EFORMAT,
                       "%s: expected a WTHOR header of %d bytes, found a file of %llu", path,
                       HEADER_BYTES, (unsigned long long)size);
    }
    if (head[12] != 0 && head[12] != 8) {
        return err_set(OGPT_EFORMAT, "%s: byte 12: expected board size 0 or 8, found %d", path,
                       head[12]);
    }
    if (!size_fits(head, size)) {
        return err_set(OGPT_EFORMAT,
                       "%s: byte 4: %lu games announced, expected %llu bytes for them, found %llu; "
                       "fetch the .wtb file again",
                       path, (unsigned long)number_of_games(head),
                       HEADER_BYTES + (unsigned long long)RECORD_BYTES * number_of_games(head),
                       (unsigned long long)size);
    }
    reader->record.n_bytes = RECORD_BYTES;
    return 0;
}

static void record_take(GameReader *reader)
{
    const uint8_t *record = reader->record.record;
    const uint64_t number = reader->record.number++;
    RawGame *game = reader__game(reader, number);
    bool ended = false;
    game->result = RESULT_BLACK;
    game->black = record[6];
    for (int i = FIRST_MOVE; i < RECORD_BYTES; i++) {
        const int row = record[i] / 10;
        const int column = record[i] % 10;
        if (record[i] == 0) {
            ended = true;
        } else if (ended) {
            raw_game_fault(game, number, "expected no move after none (0), found byte %d",
                           record[i]);
        } else if (row < 1 || row > 8 || column < 1 || column > 8) {
            raw_game_fault(game, number,
                           "expected 10 * row + column, each 1 to 8, or 0 for none, found byte %d",
                           record[i]);
        } else {
            reader__entry(game, (uint8_t)(8 * (row - 1) + column - 1), number);
        }
    }
    reader__game_done(reader);
}

static size_t wthor_feed(GameReader *reader, const uint8_t *bytes, size_t n)
{
    return records__feed(reader, bytes, n, record_take);
}

static void wthor_end(GameReader *reader)
{
    (void)reader; /* wthor_begin has checked that the file ends with a record */
}

const GameFormat format__wthor = {.name = "wthor",
                                  .place = "game",
                                  .recognise = wthor_recognise,
                                  .begin = wthor_begin,
                                  .feed = wthor_feed,
                                  .end = wthor_end};
