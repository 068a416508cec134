/* datasets/readers/read_csv.c - tables with a game a line, as data sets are published: the first
 * line names the columns, one of them holds the moves in any spelling of plain text. Fields are
 * separated by commas, semicolons or tabs; one in double quotes may hold separators, and "" in it
 * is a quote. A record is one line: an open quote never swallows the next one.
 * After: RFC 4180, without its line ends inside quotes.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "datasets/readers/game_reader_internal.h"

#define DEFAULT_COLUMN "moves"

/* Whether a column holds the moves: the one that was asked for, else one named "moves" or so. */
static bool is_wanted(const ReadOptions *options, const char *name, size_t n)
{
    const char *wanted = options->column ? options->column : DEFAULT_COLUMN;
    const size_t length = strlen(wanted);
    const size_t before = options->column || n < length ? 0 : n - length; /* "game_moves" */
    return n - before == length && strncasecmp(name + before, wanted, length) == 0;
}

static char separator_of(const uint8_t *head, size_t n)
{
    const char *most = ",";
    size_t n_most = 0;
    for (const char *separator = ",;\t"; *separator != '\0'; separator++) {
        size_t n_found = 0;
        for (size_t i = 0; i < n && head[i] != '\n'; i++) {
            n_found += head[i] == (uint8_t)*separator;
        }
        if (n_found > n_most) {
            most = separator;
            n_most = n_found;
        }
    }
    return *most;
}

/* A table with a column of the wanted name. "# my best moves" is a comment of plain text; a column
 * can be called "#". */
static bool csv_recognise(const uint8_t *head, size_t n, uint64_t size, const ReadOptions *options)
{
    const char separator = separator_of(head, n);
    size_t i = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (i + 1 < n && head[i] == '#' && head[i + 1] != separator) {
        return false;
    }
    while (i < n && head[i] != '\n') {
        size_t end = i;
        while (end < n && head[end] != '\n' && head[end] != '\r' && head[end] != separator) {
            end++;
        }
        const size_t quote = head[i] == '"' && end - i >= 2 && head[end - 1] == '"';
        if (is_wanted(options, (const char *)head + i + quote, end - i - 2 * quote)) {
            return true;
        }
        i = end + (end < n && head[end] != '\n');
    }
    return false;
}

static void record_begin(CsvState *csv)
{
    csv->field = 0;
    csv->n_name = 0;
    csv->quoted = false;
}

static void header_field_end(GameReader *reader)
{
    CsvState *csv = &reader->csv;
    csv->name[csv->n_name] = '\0';
    if (csv->column < 0 && is_wanted(reader->options, csv->name, csv->n_name)) {
        csv->column = csv->field;
    }
    const size_t used = strlen(csv->names);
    snprintf(csv->names + used, sizeof(csv->names) - used, "%s%s", used > 0 ? ", " : "", csv->name);
    csv->n_name = 0;
}

/* The header, before any game: its column is missing from the whole file or from none. */
static int header_read(GameReader *reader, const uint8_t *head, size_t n)
{
    CsvState *csv = &reader->csv;
    size_t i = 0;
    for (; i < n && head[i] != '\n'; i++) {
        const char byte = (char)head[i];
        if (byte == '"') {
            csv->quoted = !csv->quoted;
        } else if (byte == csv->separator && !csv->quoted) {
            header_field_end(reader);
            csv->field++;
        } else if (byte != '\r' && csv->n_name < VALUE_MAX) {
            csv->name[csv->n_name++] = byte >= ' ' && byte < 0x7f ? byte : '?';
        }
    }
    header_field_end(reader);
    csv->n_fields = csv->field + 1;
    reader->stream.at += i + (i < n);
    reader->text.offset = reader->stream.at;
    reader->text.line = 2;
    if (csv->column < 0) {
        return err_set(OGPT_EFORMAT,
                       "%s:1: expected a column '%.40s', found %.120s; name the column that holds "
                       "the moves with --column",
                       reader->stream.path,
                       reader->options->column ? reader->options->column : DEFAULT_COLUMN,
                       csv->names);
    }
    return 0;
}

static int csv_begin(GameReader *reader)
{
    uint8_t head[READER_HEAD];
    size_t n = 0;
    int rc = text__begin(reader);
    const uint64_t first = reader->stream.at;
    reader->csv = (CsvState){.column = -1};
    rc = rc ? rc : stream_read(&reader->stream, head, sizeof(head), &n);
    if (rc == 0) {
        reader->stream.at = first;
        reader->csv.separator = separator_of(head, n);
        rc = header_read(reader, head, n);
        record_begin(&reader->csv);
    }
    return rc;
}

static void word_end(GameReader *reader)
{
    TextState *text = &reader->text;
    if (text->n_word > 0) {
        text__moves_take(reader, reader__game(reader, text->line), text->word, text->n_word);
        text->n_word = 0;
    }
}

/* An empty line is no record; a record without moves is a game without moves. */
static void record_end(GameReader *reader)
{
    CsvState *csv = &reader->csv;
    const uint64_t line = reader->text.line;
    word_end(reader);
    if (csv->field > 0 || csv->n_name > 0 || reader->open) {
        RawGame *game = reader__game(reader, line);
        if (csv->quoted) {
            raw_game_fault(game, line,
                           "expected a quote at the end of field %d, found the end of "
                           "the line",
                           csv->field + 1);
        } else if (csv->field + 1 != csv->n_fields) {
            raw_game_fault(game, line, "expected %d fields, as in line 1, found %d", csv->n_fields,
                           csv->field + 1);
        }
        reader__game_done(reader);
    }
    record_begin(csv);
}

static void field_byte(GameReader *reader, uint8_t byte)
{
    CsvState *csv = &reader->csv;
    TextState *text = &reader->text;
    const bool blank = byte == ' ' || byte == '\t' || byte == '\r';
    csv->n_name += csv->n_name == 0 && byte != '\r'; /* the record holds something */
    if (csv->field != csv->column) {
        return;
    }
    if (blank || byte == ',' || byte == ';') {
        word_end(reader);
    } else if (!text__word_add(text, byte)) {
        raw_game_fault(reader__game(reader, text->line), text->line,
                       "expected moves, found a word of more than %d characters", WORD_MAX);
    }
}

static size_t csv_feed(GameReader *reader, const uint8_t *bytes, size_t n)
{
    CsvState *csv = &reader->csv;
    TextState *text = &reader->text;
    for (size_t i = 0; i < n; i++) {
        const char byte = (char)bytes[i];
        if (byte == '\n') {
            record_end(reader);
            text->line++;
        } else if (byte == '"') { /* "" inside quotes closes and opens them again */
            csv->quoted = !csv->quoted;
        } else if (byte == csv->separator && !csv->quoted) {
            word_end(reader);
            csv->field++;
        } else {
            field_byte(reader, bytes[i]);
        }
        text->offset++;
        if (reader__is_full(reader)) {
            return i + 1;
        }
    }
    return n;
}

const GameFormat format__csv = {.name = "csv",
                                .place = "line",
                                .recognise = csv_recognise,
                                .begin = csv_begin,
                                .feed = csv_feed,
                                .end = record_end};
