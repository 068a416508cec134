/* report/table.c - rows under named columns, and what programs read of them. Contract in
 * report/table.h; what people read is in report/table_text.c and report/table_html.c. */
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/intervals.h"

#define KEY_MAX 80

void table_init(Table *out, const TableSpec *spec)
{
    *out = (Table){.spec = spec, .rows = js_array()};
}

void table_init_long(Table *out, const TableSpec *spec)
{
    table_init(out, spec);
    out->hidden = out->undocumented = true;
    out->earlier = mem_calloc(1, sizeof(*out->earlier), "rows of a long table");
    table_fail(out, out->earlier ? spill_new(&out->earlier->spill, NULL, "rows of a long table")
                                 : OGPT_ENOMEM);
}

void table_release(Table *table)
{
    if (table->earlier) {
        spill_free(table->earlier->spill);
        mem_free(table->earlier->ends);
        mem_free(table->earlier);
    }
    js_free(table->rows);
    *table = (Table){0};
}

size_t table_rows(const Table *table)
{
    const size_t earlier = table->earlier ? table->earlier->n * TABLE_BLOCK_ROWS : 0;
    return earlier + js_length(table->rows);
}

void table_fail(Table *table, int rc)
{
    if (rc != 0 && table->failed == 0) {
        table->failed = rc;
        snprintf(table->reason, sizeof(table->reason), "%s", err_message());
    }
}

/* Put the rows of a long table to the earlier ones. */
static int block_put(Table *table)
{
    TableBlocks *blocks = table->earlier;
    const uint64_t at = spill_bytes(blocks->spill);
    char *text = NULL;
    uint64_t *ends =
        mem_realloc(blocks->ends, blocks->n + 1, sizeof(*ends), "rows of a long table");
    if (!ends) {
        return OGPT_ENOMEM;
    }
    blocks->ends = ends;
    int rc = js_print(&text, table->rows, 0);
    rc = rc ? rc : spill_write(blocks->spill, text, strlen(text), at);
    if (rc == 0) {
        blocks->ends[blocks->n++] = spill_bytes(blocks->spill);
    }
    mem_free(text);
    return rc;
}

size_t table_blocks(const Table *table)
{
    return 1 + (table->earlier ? table->earlier->n : 0);
}

/* *out: an owned array with the rows of a block, the last one being in memory. */
static int block_rows(Js **out, const Table *table, size_t block)
{
    const TableBlocks *blocks = table->earlier;
    if (block + 1 == table_blocks(table)) {
        *out = js_keep(table->rows);
        return 0;
    }
    const uint64_t from = block > 0 ? blocks->ends[block - 1] : 0;
    const size_t n_bytes = (size_t)(blocks->ends[block] - from);
    char *text = mem_alloc(n_bytes, 1, "rows of a long table");
    int rc = text ? spill_read(blocks->spill, text, n_bytes, from) : OGPT_ENOMEM;
    rc = rc ? rc : js_parse(out, text, n_bytes, table->spec->name);
    mem_free(text);
    return rc;
}

const Column *table_column(const TableSpec *spec, const char *key)
{
    for (size_t i = 0; i < spec->n_columns; i++) {
        if (strcmp(spec->columns[i].key, key) == 0) {
            return &spec->columns[i];
        }
    }
    return NULL;
}

/* Whether a key is that of an interval column, with _low, _high or _ci behind it. */
static bool is_of_interval(const Table *table, const char *key)
{
    static const char *const ends[] = {"_low", "_high", "_ci"};
    char name[KEY_MAX];
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t length = strlen(key), end = strlen(ends[i]);
        if (length > end && length - end < sizeof(name) &&
            strcmp(key + length - end, ends[i]) == 0) {
            snprintf(name, sizeof(name), "%.*s", (int)(length - end), key);
            const Column *column = table_column(table->spec, name);
            if (column && column->interval) {
                return true;
            }
        }
    }
    return false;
}

static bool type_fits(const Column *column, const Js *value)
{
    JsType type = js_type(value);
    if (type == JS_NULL) {
        return true;
    }
    switch (column->type) {
    case COLUMN_NUMBER: return type == JS_NUM || type == JS_INT;
    case COLUMN_COUNT:
    case COLUMN_LAYER: return type == JS_INT;
    case COLUMN_TEXT: return type == JS_STR;
    case COLUMN_YES_NO: return type == JS_BOOL;
    case COLUMN_NESTED: return type == JS_ARRAY || type == JS_OBJECT;
    }
    return false;
}

void table_row(Table *table)
{
    if ((table->earlier || table->failed) && js_length(table->rows) == TABLE_BLOCK_ROWS) {
        table_fail(table, table->failed ? 0 : block_put(table)); /* then the rows are lost */
        js_free(table->rows);
        table->rows = js_array();
    }
    table->row = js_object();
    js_push(table->rows, table->row);
}

static void layer_name(char out[16], int64_t layer)
{
    if (layer < 0) {
        snprintf(out, 16, "embed");
    } else {
        snprintf(out, 16, "%d", (int)layer);
    }
}

void table_set(Table *table, const char *key, Js *value)
{
    const Column *column = table_column(table->spec, key);
    if (!table->row) {
        table_row(table);
    }
    bool right = column ? type_fits(column, value) : is_of_interval(table, key);
    if (!right && table->wrong[0] == '\0') {
        snprintf(table->wrong, sizeof(table->wrong), "%s", key);
    }
    if (column && column->type == COLUMN_LAYER) {
        char name_key[KEY_MAX], name[16];
        layer_name(name, js_int_of(value));
        snprintf(name_key, sizeof(name_key), "%s_name", key);
        js_set(table->row, key, js_keep(value));
        js_set(table->row, name_key, js_type(value) == JS_INT ? js_str(name) : js_null());
        js_free(value);
        return;
    }
    js_set(table->row, key, value);
}

void table_int(Table *table, const char *key, int64_t value)
{
    table_set(table, key, js_int(value));
}

void table_num(Table *table, const char *key, double value)
{
    table_set(table, key, js_num(value));
}

void table_text(Table *table, const char *key, const char *value)
{
    table_set(table, key, value ? js_str(value) : js_null());
}

void table_bool(Table *table, const char *key, bool value)
{
    table_set(table, key, js_bool(value));
}

void table_null(Table *table, const char *key)
{
    table_set(table, key, js_null());
}

static void members_take(Table *table, const Js *row)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    while (js_next(row, &it, &key, &value)) {
        table_set(table, key, js_keep(value));
    }
}

void table_interval(Table *table, const char *key, Interval value)
{
    Js *members = js_object();
    const Column *column = table_column(table->spec, key);
    if (column && !column->interval && table->wrong[0] == '\0') {
        snprintf(table->wrong, sizeof(table->wrong), "%s_low", key);
    }
    js_set_interval(members, key, value);
    members_take(table, members);
    js_free(members);
}

void table_estimate(Table *table, const char *key, Interval value)
{
    if (isnan(value.low)) {
        table_num(table, key, value.value);
    } else {
        table_interval(table, key, value);
    }
}

void table_add(Table *table, Js *row)
{
    table_row(table);
    members_take(table, row);
    js_free(row);
}

int table_check(const Table *table)
{
    char *printed = NULL;
    if (table->failed) {
        return err_set(table->failed, "%s", table->reason);
    }
    if (table->wrong[0] != '\0') {
        return err_set(OGPT_EUSAGE, "table %s: '%s' is no column of it, or has another type",
                       table->spec->name, table->wrong);
    }
    int rc = js_print(&printed, table->rows, 0); /* reports whether all of it could be built */
    mem_free(printed);
    return rc;
}

/* Make the type of a column take a value that it was not made for. */
static void column_widen(Column *column, const Js *value)
{
    switch (js_type(value)) {
    case JS_NULL: return;
    case JS_INT:
        column->type = column->type == COLUMN_NUMBER       ? COLUMN_NUMBER
                       : strcmp(column->key, "layer") == 0 ? COLUMN_LAYER
                                                           : COLUMN_COUNT;
        break;
    case JS_NUM: column->type = COLUMN_NUMBER; break;
    case JS_BOOL: column->type = COLUMN_YES_NO; break;
    case JS_STR: column->type = COLUMN_TEXT; break;
    default: column->type = COLUMN_NESTED; break;
    }
    column->digits = 4;
}

/* Place of the column of numbers KEY END, or n. */
static size_t column_find(const Column *columns, size_t n, const char *key, const char *end)
{
    size_t length = strlen(key), at = 0;
    while (at < n &&
           (columns[at].type != COLUMN_NUMBER || strncmp(columns[at].key, key, length) != 0 ||
            strcmp(columns[at].key + length, end) != 0)) {
        at++;
    }
    return at;
}

static size_t column_remove(Column *columns, size_t n, size_t at)
{
    for (size_t i = at + 1; i < n; i++) {
        columns[i - 1] = columns[i];
    }
    return n - 1;
}

/* x, x_low and x_high are one column with an interval. Returns the number of columns left. */
static size_t intervals_join(Column *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *key = columns[i].key;
        bool number = columns[i].type == COLUMN_NUMBER;
        if (!number || column_find(columns, n, key, "_low") == n ||
            column_find(columns, n, key, "_high") == n) {
            continue;
        }
        columns[i].interval = true;
        n = column_remove(columns, n, column_find(columns, n, key, "_low"));
        n = column_remove(columns, n, column_find(columns, n, key, "_high"));
        i = column_find(columns, n, key, ""); /* one before it may be gone */
    }
    return n;
}

size_t table_columns_of(Column *columns, size_t max, const Js *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < js_length(rows); i++) {
        void *it = NULL;
        const char *key;
        const Js *value;
        while (js_next(js_at(rows, i), &it, &key, &value)) {
            size_t at = 0;
            while (at < n && strcmp(columns[at].key, key) != 0) {
                at++;
            }
            if (at == n && n < max) {
                columns[n++] = (Column){.key = key, .heading = key, .type = COLUMN_TEXT};
            }
            if (at < n) {
                column_widen(&columns[at], value);
            }
        }
    }
    return intervals_join(columns, n);
}

void table_document(Js *document, const Table *table)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    if (!table->spec->record) {
        js_set(document, table->spec->name, js_keep(table->rows));
        return;
    }
    while (js_next(js_at(table->rows, 0), &it, &key, &value)) {
        js_set(document, key, js_keep(value));
    }
}

/* Copy a member if the row has it. */
static void member_copy(Js *out, const char *key, const Js *row)
{
    if (js_has(row, key)) {
        js_set(out, key, js_keep(js_member(row, key)));
    }
}

static void column_copy(Js *out, const Column *column, const Js *row)
{
    char key[KEY_MAX];
    member_copy(out, column->key, row);
    if (column->interval) {
        snprintf(key, sizeof(key), "%s_low", column->key);
        member_copy(out, key, row);
        snprintf(key, sizeof(key), "%s_high", column->key);
        member_copy(out, key, row);
    }
}

/* Rows that were built and read with rc, unless anything of them is missing. */
static int hand_over(Js **out, Js *rows, int rc)
{
    const int built = js_built();
    rc = rc ? rc : built;
    *out = rc ? NULL : rows;
    if (rc != 0) {
        js_free(rows);
    }
    return rc;
}

int table_stored(Js **out, const Table *table, size_t block)
{
    Js *all = NULL;
    int rc = block_rows(&all, table, block);
    Js *rows = js_array();
    for (size_t i = 0; i < js_length(all); i++) {
        Js *row = js_object();
        for (size_t c = 0; c < table->spec->n_columns; c++) {
            if ((table->spec->columns[c].flags & COLUMN_UNSTORED) == 0) {
                column_copy(row, &table->spec->columns[c], js_at(all, i));
            }
        }
        js_push(rows, row);
    }
    js_free(all);
    return hand_over(out, rows, rc);
}

void table_restore(Table *out, const TableSpec *spec, const Js *rows)
{
    table_init(out, spec);
    for (size_t i = 0; i < js_length(rows); i++) {
        const Js *from = js_at(rows, i);
        Js *row = js_object();
        for (size_t c = 0; c < spec->n_columns; c++) {
            const Column *column = &spec->columns[c];
            const Js *value = js_member(from, column->key);
            if (column->type == COLUMN_NESTED || js_type(value) == JS_NULL) {
                continue;
            }
            if (column->type == COLUMN_YES_NO && js_type(value) == JS_INT) {
                js_set_bool(row, column->key, js_int_of(value) != 0);
            } else {
                column_copy(row, column, from);
            }
        }
        table_add(out, row);
    }
}

/* Append the rows of one block, as CSV has them. */
static void csv_add(Js *out, const Table *table, const Js *rows)
{
    for (size_t i = 0; i < js_length(rows); i++) {
        const Js *from = js_at(rows, i);
        Js *row = js_object();
        for (size_t c = 0; c < table->spec->n_columns; c++) {
            const Column *column = &table->spec->columns[c];
            const Js *value = js_member(from, column->key);
            if ((column->flags & COLUMN_TIME) != 0 || column->type == COLUMN_NESTED) {
                continue;
            }
            if (column->type == COLUMN_LAYER && value && js_type(value) == JS_INT &&
                js_int_of(value) < 0) {
                js_set_str(row, column->key, "embed");
            } else {
                column_copy(row, column, from);
            }
        }
        js_push(out, row);
    }
}

int table_csv(Js **out, const Table *table)
{
    Js *all = js_array();
    int rc = 0;
    for (size_t block = 0; rc == 0 && block < table_blocks(table); block++) {
        Js *rows = NULL;
        rc = block_rows(&rows, table, block);
        csv_add(all, table, rows);
        js_free(rows);
    }
    return hand_over(out, all, rc);
}
