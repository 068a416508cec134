/* report/runs/run_words.c - contract in report/runs/run_words.h. */
#include "report/runs/run_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CELLS_MAX 3
#define KEYS_OF_A_ROW 240 /* bytes of the headings that share a row of METHODS.md */

static const Column glossary_columns[] = {
    {"word", "word", .type = COLUMN_TEXT},
    {"meaning", "means", .type = COLUMN_TEXT},
};
static const TableSpec glossary_table = {"words", TABLE_COLUMNS(glossary_columns),
                                         .title = "Words"};
static const Column method_columns[] = {
    {"number", "number", .type = COLUMN_TEXT},
    {"formula", "how it is computed", .type = COLUMN_TEXT},
    {"unit", "unit or source", .type = COLUMN_TEXT},
};
static const TableSpec methods_table = {"numbers", TABLE_COLUMNS(method_columns),
                                        .title = "Numbers"};

void run_words_release(RunWords *words)
{
    text_release(&words->seen);
    js_free(words->keys);
    words->keys = NULL;
}

void run_words_see(RunWords *words, const char *text)
{
    text_add(&words->seen, "%s\n", text);
}

void run_words_column(RunWords *words, const char *command, const Column *column)
{
    Js *entry = js_object();
    words->keys = words->keys ? words->keys : js_array();
    js_set_str(entry, "command", command);
    js_set_str(entry, "key", column->key);
    js_set_str(entry, "heading", column->heading);
    js_push(words->keys, entry);
    run_words_see(words, column->heading);
    run_words_see(words, column->meaning ? column->meaning : "");
}

/* ---- the pages ---- */

/* A row of a table of a page: its cells as they stand there, and the heading above the table. */
typedef struct PageRow {
    const char *cells[CELLS_MAX], *heading;
    size_t lengths[CELLS_MAX], heading_length;
    int n_cells;
} PageRow;

static const RunDocument *document_find(const char *name)
{
    const RunDocument *document = run_documents;
    while (document->name && strcmp(document->name, name) != 0) {
        document++;
    }
    return document;
}

/* The end of a cell: a bar without a backslash, or the end of the line. */
static const char *cell_end(const char *from, const char *end)
{
    while (from < end && !(*from == '|' && from[-1] != '\\')) {
        from++;
    }
    return from;
}

static void cells_cut(PageRow *row, const char *line, const char *end)
{
    row->n_cells = 0;
    for (const char *from = line + 1; from < end && row->n_cells < CELLS_MAX;) {
        const char *to = cell_end(from, end), *first = from, *last = to;
        while (first < last && *first == ' ') {
            first++;
        }
        while (last > first && last[-1] == ' ') {
            last--;
        }
        row->cells[row->n_cells] = first;
        row->lengths[row->n_cells++] = (size_t)(last - first);
        from = to + 1;
    }
}

/* The next row of a table from *at on; false at the end of the page. Heads of tables are passed
 * over: the line below them has dashes. */
static bool row_next(PageRow *row, const char **at, const RunDocument *page)
{
    const char *end = page->text ? page->text + page->length : NULL;
    while (*at < end) {
        const char *line = *at;
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop ? stop : end;
        *at = stop < end ? stop + 1 : end;
        if (*line == '#') {
            row->heading = line;
            row->heading_length = (size_t)(stop - line);
        }
        bool head = *at < end && strncmp(*at, "| ---", 5) == 0;
        if (*line == '|' && !head && strncmp(line, "| ---", 5) != 0) {
            cells_cut(row, line, stop);
            return true;
        }
    }
    return false;
}

/* Whether `text` begins with a link, [words](target): the lengths of its words and of all of it. */
static bool is_link(size_t *words, size_t *whole, const char *text, size_t length)
{
    const char *close = memchr(text, ']', length);
    if (length == 0 || *text != '[' || !close || close + 1 >= text + length || close[1] != '(') {
        return false;
    }
    const char *end = memchr(close, ')', (size_t)(text + length - close));
    *words = (size_t)(close - text) - 1;
    *whole = end ? (size_t)(end - text) + 1 : 0;
    return end;
}

/* Text of a page as plain text: without backquotes, bold type, targets of links. */
static void plain_add(Text *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        size_t words = 0, whole = 0;
        bool more = i + 1 < length;
        if (is_link(&words, &whole, text + i, length - i)) {
            plain_add(out, text + i + 1, words);
            i += whole - 1;
        } else if (more && text[i] == '*' && text[i + 1] == '*') {
            i++;
        } else if (text[i] != '`' && !(more && text[i] == '\\' && text[i + 1] == '|')) {
            text_add(out, "%c", text[i]);
        }
    }
}

static Js *plain_text(const char *text, size_t length)
{
    Text plain = {0};
    plain_add(&plain, text, length);
    Js *value = js_str(plain.data ? plain.data : "");
    text_release(&plain);
    return value;
}

/* ---- words ---- */

/* Whether a text has a word, in small letters or large ones, also with an s behind it. */
static bool word_is_in(const char *text, const char *word, size_t length)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool begins = at == text || !isalnum((unsigned char)at[-1]);
        if (begins && strncasecmp(at, word, length) == 0) {
            const char *end = at + length + (at[length] == 's');
            if (!isalnum((unsigned char)*end)) {
                return true;
            }
        }
    }
    return false;
}

/* "edit, intervention": either will do. */
static bool entry_is_used(const char *seen, const char *cell, size_t length)
{
    for (size_t i = 0; i < length;) {
        const char *comma = memchr(cell + i, ',', length - i);
        size_t n = comma ? (size_t)(comma - cell) - i : length - i;
        if (word_is_in(seen, cell + i, n)) {
            return true;
        }
        i += n + 1;
        while (i < length && cell[i] == ' ') {
            i++;
        }
    }
    return false;
}

void run_words_glossary(Table *out, const RunWords *words)
{
    const RunDocument *page = document_find("GLOSSARY.md");
    const char *at = page->text;
    PageRow row = {0};
    table_init(out, &glossary_table);
    while (row_next(&row, &at, page)) {
        if (row.n_cells >= 2 && words->seen.data &&
            entry_is_used(words->seen.data, row.cells[0], row.lengths[0])) {
            table_row(out);
            table_set(out, "word", plain_text(row.cells[0], row.lengths[0]));
            table_set(out, "meaning", plain_text(row.cells[1], row.lengths[1]));
        }
    }
}

/* ---- numbers ---- */

/* Whether `length` bytes hold a text. */
static bool holds(const char *text, size_t length, const char *part)
{
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= length; i++) {
        if (memcmp(text + i, part, n) == 0) {
            return true;
        }
    }
    return false;
}

/* How well a row fits a number of a command: 0 not at all, 1 under a heading that names no command,
 * 2 under one with the first word of the command, 3 with all of it. */
static int row_fits(const PageRow *row, const char *command, const char *key)
{
    char quoted[84], whole[84], short_form[84], first[84];
    snprintf(quoted, sizeof(quoted), "`%s`", key);
    snprintf(whole, sizeof(whole), "`ogpt %s`", command);
    snprintf(short_form, sizeof(short_form), "`%s`", command);
    snprintf(first, sizeof(first), "`ogpt %.*s", (int)strcspn(command, " "), command);
    if (row->n_cells < 2 || !holds(row->cells[0], row->lengths[0], quoted)) {
        return 0;
    }
    return !row->heading                                          ? 1
           : holds(row->heading, row->heading_length, whole)      ? 3
           : holds(row->heading, row->heading_length, short_form) ? 3
           : holds(row->heading, row->heading_length, first)      ? 2
           : holds(row->heading, row->heading_length, "`ogpt ")   ? 0
                                                                  : 1;
}

/* The cell with the formula that fits best, NULL if there is none; *fit says how well. */
static const char *row_of(int *fitting, const RunDocument *page, const Js *entry)
{
    const char *best = NULL, *at = page->text;
    int best_fit = 0;
    PageRow row = {0};
    while (row_next(&row, &at, page)) {
        int fit = row_fits(&row, js_str_of(js_member(entry, "command")),
                           js_str_of(js_member(entry, "key")));
        best = fit > best_fit ? row.cells[0] : best;
        best_fit = fit > best_fit ? fit : best_fit;
    }
    *fitting = best_fit;
    return best;
}

/* Add a heading to those of a row, once. */
static void heading_add(char headings[KEYS_OF_A_ROW], const char *heading)
{
    size_t length = strlen(headings), n = strlen(heading);
    for (const char *at = headings; *at != '\0'; at += strcspn(at, ",") + 2) {
        if (strncmp(at, heading, n) == 0 && (at[n] == ',' || at[n] == '\0')) {
            return;
        }
        if (at[strcspn(at, ",")] == '\0') {
            break;
        }
    }
    snprintf(headings + length, KEYS_OF_A_ROW - length, "%s%s", length > 0 ? ", " : "", heading);
}

/* The rows of one page, for the keys that no other page explains better. */
static void methods_of(Table *out, const RunWords *words, const RunDocument *page,
                       const RunDocument *other)
{
    const char *at = page->text;
    PageRow row = {0};
    Js *rows = js_array(); /* where the row of each column begins, as an offset */
    for (size_t i = 0; i < js_length(words->keys); i++) {
        int fit, other_fit;
        const char *found = row_of(&fit, page, js_at(words->keys, i));
        row_of(&other_fit, other, js_at(words->keys, i));
        js_push(rows, js_int(found && fit > other_fit ? found - page->text : -1));
    }
    while (row_next(&row, &at, page)) {
        char headings[KEYS_OF_A_ROW] = "";
        for (size_t i = 0; row.n_cells >= 2 && i < js_length(rows); i++) {
            if (js_int_of(js_at(rows, i)) == row.cells[0] - page->text) {
                heading_add(headings, js_str_of(js_member(js_at(words->keys, i), "heading")));
            }
        }
        if (headings[0] != '\0') {
            table_row(out);
            table_text(out, "number", headings);
            table_set(out, "formula", plain_text(row.cells[1], row.lengths[1]));
            table_set(out, "unit",
                      row.n_cells < 3 || row.lengths[2] == 0
                          ? js_null()
                          : plain_text(row.cells[2], row.lengths[2]));
        }
    }
    js_free(rows);
}

void run_words_methods(Table *out, const RunWords *words)
{
    const RunDocument *methods = document_find("METHODS.md");
    const RunDocument *readers = document_find("METHODS_READERS.md");
    table_init(out, &methods_table);
    methods_of(out, words, methods, readers);
    methods_of(out, words, readers, methods);
}
