/* tests/fuzz/pages.h - SQLite files made byte by byte: leaves of tables and indexes whose rows hold
 * what the input says, of any type and size, and damage that knows where the parts of a file are.
 * Nothing here calls SQLite: what it reads was written by other code.
 * Source of the layout: https://www.sqlite.org/fileformat2.html, sections 1.3, 1.6 and 2.1.
 */
#ifndef OGPT_TESTS_FUZZ_PAGES_H
#define OGPT_TESTS_FUZZ_PAGES_H

#include <string.h>

#include "tests/fuzz/fuzz.h"

#define PAGE_BYTES_FUZZED 1024
#define PAGE_TABLE_LEAF 13
#define PAGE_INDEX_LEAF 10
#define PAGE_HEADER 8
#define PAGE_RECORD_MAX 600 /* so that no row needs a second page */
#define PAGE_COLUMNS_MAX 24

/* A file in memory, of n bytes in `room`. Pages count from 1. */
typedef struct PagesFile {
    uint8_t *bytes;
    size_t n, room;
} PagesFile;

typedef enum PageType { PAGE_NULL, PAGE_INT, PAGE_REAL, PAGE_TEXT, PAGE_BLOB, PAGE_LIE } PageType;

typedef struct PageValue {
    PageType type;
    int64_t number; /* PAGE_LIE: a serial type with no bytes behind it */
    double real;
    const void *bytes;
    size_t n;
} PageValue;

static inline void big_endian_put(uint8_t *out, uint64_t value, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        out[i] = (uint8_t)(value >> 8 * (n_bytes - 1 - i));
    }
}

static inline size_t varint_put(uint8_t *out, uint64_t value)
{
    uint8_t groups[10];
    size_t n = 0;
    if (value >> 56 != 0) { /* nine bytes: the last holds eight bits */
        for (size_t i = 0; i < 8; i++) {
            out[i] = (uint8_t)(0x80 | (value >> (8 + 7 * (7 - i)) & 0x7f));
        }
        out[8] = (uint8_t)value;
        return 9;
    }
    do {
        groups[n++] = (uint8_t)(value & 0x7f);
        value >>= 7;
    } while (value != 0);
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)(groups[n - 1 - i] | (i + 1 < n ? 0x80 : 0));
    }
    return n;
}

/* The body of one value; *serial: its type. */
static inline size_t value_put(uint8_t *out, uint64_t *serial, const PageValue *value)
{
    uint64_t bits = 0;
    switch (value->type) {
    case PAGE_NULL: *serial = 0; return 0;
    case PAGE_LIE: *serial = (uint64_t)value->number; return 0;
    case PAGE_INT:
        *serial = value->number == (int8_t)value->number ? 1 : 6;
        big_endian_put(out, (uint64_t)value->number, *serial == 1 ? 1 : 8);
        return *serial == 1 ? 1 : 8;
    case PAGE_REAL:
        *serial = 7;
        memcpy(&bits, &value->real, sizeof(bits));
        big_endian_put(out, bits, 8);
        return 8;
    default:
        *serial = 12 + 2 * (uint64_t)value->n + (value->type == PAGE_TEXT ? 1 : 0);
        memcpy(out, value->bytes, value->n);
        return value->n;
    }
}

/* Texts and blobs together must leave room for the rest of the record. */
static inline size_t record_put(uint8_t out[PAGE_RECORD_MAX], const PageValue *values, size_t n)
{
    uint8_t head[9 * PAGE_COLUMNS_MAX], body[PAGE_RECORD_MAX + 8];
    size_t n_head = 0, n_body = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t serial;
        const bool fits = n_body + values[i].n + 8 + n_head + 9 * (n - i) + 2 < PAGE_RECORD_MAX;
        n_body +=
            value_put(body + n_body, &serial, fits ? &values[i] : &(PageValue){.type = PAGE_NULL});
        n_head += varint_put(head + n_head, serial);
    }
    /* Both limits hold by `fits`; they are written out for the compiler. */
    n_head = n_head < sizeof(head) ? n_head : sizeof(head);
    const size_t n_length = n_head + 1 < 128 ? 1 : 2, room = PAGE_RECORD_MAX - n_length - n_head;
    varint_put(out, n_head + n_length);
    n_body = n_body < room ? n_body : room;
    memcpy(out + n_length, head, n_head);
    memcpy(out + n_length + n_head, body, n_body);
    return n_length + n_head + n_body;
}

/* Make page `number` an empty leaf. */
static inline void leaf_begin(PagesFile *file, uint32_t number, uint8_t type)
{
    uint8_t *page = file->bytes + (size_t)(number - 1) * PAGE_BYTES_FUZZED;
    memset(page, 0, PAGE_BYTES_FUZZED);
    page[0] = type;
    big_endian_put(page + 5, PAGE_BYTES_FUZZED, 2);
}

/* Add a row behind those that are there; `row` is no part of an index. False: the page is full. */
static inline bool leaf_add(PagesFile *file, uint32_t number, int64_t row, const PageValue *values,
                            size_t n)
{
    uint8_t *page = file->bytes + (size_t)(number - 1) * PAGE_BYTES_FUZZED;
    uint8_t cell[PAGE_RECORD_MAX + 18], record[PAGE_RECORD_MAX];
    const size_t n_record = record_put(record, values, n);
    size_t n_cell = varint_put(cell, n_record);
    if (page[0] == PAGE_TABLE_LEAF) {
        n_cell += varint_put(cell + n_cell, (uint64_t)row);
    }
    memcpy(cell + n_cell, record, n_record);
    n_cell += n_record;
    const size_t n_rows = (size_t)page[3] << 8 | page[4];
    const size_t start = (size_t)page[5] << 8 | page[6];
    if (PAGE_HEADER + 2 * (n_rows + 1) + n_cell > start) {
        return false;
    }
    memcpy(page + start - n_cell, cell, n_cell);
    big_endian_put(page + 3, n_rows + 1, 2);
    big_endian_put(page + 5, start - n_cell, 2);
    big_endian_put(page + PAGE_HEADER + 2 * n_rows, start - n_cell, 2);
    return true;
}

/* Put what the input says in place of a value: nothing, a number, text, a blob, a long one, or a
 * type without its bytes. True if it did. `text` holds its bytes. */
static inline bool value_override(PageValue *value, char *text, size_t room, FuzzInput *input)
{
    size_t n = 0;
    const uint8_t *bytes;
    switch (fuzz_byte(input)) {
    case 1: *value = (PageValue){.type = PAGE_NULL}; return true;
    case 2: *value = (PageValue){PAGE_INT, .number = (int8_t)fuzz_byte(input)}; return true;
    case 3: *value = (PageValue){PAGE_INT, .number = (int64_t)fuzz_number(input, 8)}; return true;
    case 4: *value = (PageValue){PAGE_REAL, .real = (double)fuzz_number(input, 2) / 7}; return true;
    case 5:
    case 6:
        bytes = fuzz_until(&n, input, 0);
        n = n < room ? n : room;
        memcpy(text, bytes, n);
        *value = (PageValue){PAGE_TEXT, .bytes = text, .n = n};
        return true;
    case 7:
        bytes = fuzz_until(&n, input, 0);
        n = n < room ? n : room;
        memcpy(text, bytes, n);
        *value = (PageValue){PAGE_BLOB, .bytes = text, .n = n};
        return true;
    case 8:
        n = (size_t)fuzz_number(input, 2) % (room + 1);
        memset(text, fuzz_byte(input), n);
        *value = (PageValue){PAGE_TEXT, .bytes = text, .n = n};
        return true;
    case 9: *value = (PageValue){PAGE_LIE, .number = (int64_t)fuzz_number(input, 4)}; return true;
    default: return false;
    }
}

static inline void page_copy(PagesFile *file, FuzzInput *input)
{
    const size_t n_pages = file->n / PAGE_BYTES_FUZZED;
    const size_t from = n_pages ? fuzz_byte(input) % n_pages : 0;
    const size_t to = n_pages ? fuzz_byte(input) % n_pages : 0;
    if (n_pages > 0 && from != to) {
        memcpy(file->bytes + to * PAGE_BYTES_FUZZED, file->bytes + from * PAGE_BYTES_FUZZED,
               PAGE_BYTES_FUZZED);
    }
}

/* Damage the file until the input ends: single bytes, the fields of a page's head and its first
 * cells, of the file's head, whole pages, a piece of text, the length. */
static inline void pages_damage(PagesFile *file, FuzzInput *input)
{
    size_t place, n = 0;
    const uint8_t *bytes;
    while (input->n > 0 && file->n >= PAGE_BYTES_FUZZED) {
        const size_t page =
            (fuzz_byte(input) >> 3) % (file->n / PAGE_BYTES_FUZZED) * PAGE_BYTES_FUZZED;
        switch (input->at[-1] & 7) {
        case 0:
            place = (size_t)fuzz_number(input, 2) % file->n;
            file->bytes[place] = fuzz_byte(input);
            break;
        case 1:
            place = page + (page == 0 ? 100 : 0) + fuzz_byte(input) % 16;
            big_endian_put(file->bytes + place, fuzz_number(input, 2), 2);
            break;
        case 2:
            place = 16 + fuzz_byte(input) % 80;
            big_endian_put(file->bytes + place, fuzz_number(input, 4), 4);
            break;
        case 3: page_copy(file, input); break;
        case 4:
            place = page + fuzz_number(input, 2) % PAGE_BYTES_FUZZED;
            bytes = fuzz_until(&n, input, 0);
            n = n < file->n - place ? n : file->n - place;
            memcpy(file->bytes + place, bytes, n);
            break;
        case 5: file->n = (size_t)fuzz_number(input, 2) % (file->n + 1); break;
        default: return; /* what follows is for nobody */
        }
    }
}

#endif
