/* report/csv.c - tables as CSV files. See report/csv.h. */
#include "report/csv.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"

#define TABLES_MAX 16

static void quoted_add(Text *text, const char *value)
{
    text_add(text, "\"");
    if (value[0] != '\0' && (strchr("=+-@", value[0]) || (unsigned char)value[0] < 0x20)) {
        text_add(text, "'");
    }
    for (const char *c = value; *c != '\0'; c++) {
        text_add(text, *c == '"' ? "\"\"" : "%c", *c);
    }
    text_add(text, "\"");
}

static void field_add(Text *text, const Js *value)
{
    char *printed = NULL;
    JsType type = value ? js_type(value) : JS_NULL;
    if (type == JS_NULL || type == JS_ARRAY || type == JS_OBJECT) {
        return;
    }
    if (type == JS_STR) {
        quoted_add(text, js_str_of(value));
        return;
    }
    if (js_print(&printed, value, 0) != 0) {
        text_release(text);
        text->failed = true;
    } else {
        text_add(text, "%s", printed);
    }
    mem_free(printed);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Lists and objects are no fields, and times no results. A key "second" may be that of two. */
static bool is_column(const char *key, const Js *value)
{
    bool time =
        strcmp(key, "seconds") == 0 || ends_with(key, "_seconds") || ends_with(key, "_per_second");
    return !time && js_type(value) != JS_ARRAY && js_type(value) != JS_OBJECT;
}

void csv_print(Text *text, const Js *rows)
{
    Js *columns = js_object();
    void *it = NULL;
    const char *key;
    const Js *value;
    for (size_t i = 0; i < js_length(rows); i++) {
        it = NULL;
        while (js_next(js_at(rows, i), &it, &key, &value)) {
            if (is_column(key, value) && !js_has(columns, key)) {
                js_set_bool(columns, key, true);
            }
        }
    }
    const char *between = "";
    it = NULL;
    while (js_next(columns, &it, &key, &value)) {
        text_add(text, "%s", between);
        quoted_add(text, key);
        between = ",";
    }
    text_add(text, "\r\n");
    for (size_t i = 0; i < js_length(rows); i++) {
        between = "";
        it = NULL;
        while (js_next(columns, &it, &key, &value)) {
            text_add(text, "%s", between);
            field_add(text, js_member(js_at(rows, i), key));
            between = ",";
        }
        text_add(text, "\r\n");
    }
    js_free(columns);
}

/* Whether a table may be written at `path`: nothing is there, or just this text. */
static int check_goal(const char *path, const Text *text)
{
    void *there = NULL;
    size_t n_bytes = 0;
    PathKind kind;
    int rc = path_kind(&kind, path);
    if (rc != 0 || kind != PATH_FILE) {
        return rc;
    }
    rc = file_read_all(&there, &n_bytes, path, text->length);
    bool same = rc == 0 && n_bytes == text->length && memcmp(there, text->data, n_bytes) == 0;
    mem_free(there);
    return same ? 0
                : err_set(OGPT_EUSAGE, "%s: exists and holds another table; choose another name",
                          path);
}

/* The text that belongs at `path`. */
static int table_text_at(Text *out, const char *path, const Table *table, bool replace)
{
    Js *rows = NULL;
    int rc = table_csv(&rows, table);
    if (rc == 0) {
        csv_print(out, rows);
        rc = out->failed ? OGPT_ENOMEM : replace ? 0 : check_goal(path, out);
    }
    js_free(rows);
    return rc;
}

int csv_write_file(const char *path, const Table *table, bool replace)
{
    Text text = {0};
    char parent[FILES_PATH_MAX];
    int rc = table_text_at(&text, path, table, replace);
    rc = rc ? rc : path_parent(parent, path);
    rc = rc ? rc : dir_create(parent);
    rc = rc ? rc : file_write_atomic(path, text.data, text.length, true);
    text_release(&text);
    return rc;
}

int csv_write(const char *dir, const CsvTable *tables, size_t n, bool replace)
{
    Text texts[TABLES_MAX] = {{0}};
    char file[80], path[FILES_PATH_MAX];
    int rc = n <= TABLES_MAX ? dir_create(dir) : err_set(OGPT_EUSAGE, "%zu tables at once", n);
    for (int pass = 0; pass < 2; pass++) { /* first look at all, then write */
        for (size_t i = 0; i < n && rc == 0; i++) {
            if (table_rows(tables[i].table) == 0) {
                continue;
            }
            snprintf(file, sizeof(file), "%s.csv", tables[i].name);
            rc = path_join(path, dir, file);
            if (rc == 0 && pass == 0) {
                rc = table_text_at(&texts[i], path, tables[i].table, replace);
            } else if (rc == 0) {
                rc = file_write_atomic(path, texts[i].data, texts[i].length, true);
            }
        }
    }
    for (size_t i = 0; i < n && i < TABLES_MAX; i++) {
        text_release(&texts[i]);
    }
    return rc;
}
