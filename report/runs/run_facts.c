/* report/runs/run_facts.c - contract in report/runs/run_facts.h. */
#include "report/runs/run_facts.h"

#include <stdio.h>
#include <string.h>

#include "report/runs/run_text.h"

/* Hashes by the names of their columns, as people call what they stand for. */
static const struct {
    const char *column, *key;
} hashes[] = {
    {"model_hash", "network"}, {"other_model_hash", "other_network"}, {"corpus_hash", "corpus"},
    {"content_hash", "games"}, {"means_corpus_hash", "means"},        {"tensors_hash", "tensors"},
};
#define N_HASHES (sizeof(hashes) / sizeof(hashes[0]))

static const Column fact_columns[] = {
    {"subject", "about", .type = COLUMN_TEXT},
    {"network", "network", .type = COLUMN_TEXT},
    {"other_network", "other network", .type = COLUMN_TEXT},
    {"corpus", "corpus", .type = COLUMN_TEXT},
    {"games", "games", .type = COLUMN_TEXT},
    {"means", "corpus of the means", .type = COLUMN_TEXT},
    {"tensors", "tensors", .type = COLUMN_TEXT},
    {"options", "options, defaults included", .type = COLUMN_TEXT},
    {"time", "time (UTC)", .type = COLUMN_TEXT},
    {"program", "program", .type = COLUMN_TEXT},
    {"libraries", "libraries", .type = COLUMN_TEXT},
    {"machine", "machine", .type = COLUMN_TEXT},
    {"store", "results database", .type = COLUMN_TEXT},
};
static const TableSpec facts_table = {"facts", TABLE_COLUMNS(fact_columns), .record = true,
                                      .title = "How it was made"};

/* Days since the beginning of the calendar, of a proleptic Gregorian date. */
static int64_t day_number(int year, int month, int day)
{
    int y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    return 365LL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day;
}

/* Seconds of "2026-01-31T12:00:00Z", or -1. */
static int64_t seconds_of(const char *text)
{
    int year, month, day, hour, minute, second;
    if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &year, &month, &day, &hour, &minute,
                        &second) != 6) {
        return -1;
    }
    return day_number(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

int64_t run_facts_seconds(const Js *run)
{
    const int64_t start = seconds_of(js_str_of(js_member(run, "started")));
    const int64_t end = seconds_of(js_str_of(js_member(run, "ended")));
    return start < 0 || end < start ? -1 : end - start;
}

void run_facts_program(Text *out, const Js *run)
{
    const Js *versions = js_member(run, "versions");
    const char *ogpt = js_str_of(js_member(versions, "ogpt"));
    const char *compiler = js_str_of(js_member(versions, "compiler"));
    if (ogpt) {
        text_add(out, "ogpt %s%s%s", ogpt, compiler ? ", " : "", compiler ? compiler : "");
    }
}

/* The members of an object, "name value" each; a list in blanks. `without`: names that stand
 * elsewhere, NULL-terminated. */
static void members_print(Text *out, const Js *object, const char *const *without)
{
    void *it = NULL;
    const char *key = NULL;
    const Js *value = NULL;
    while (js_next(object, &it, &key, &value)) {
        bool left = js_type(value) == JS_NULL;
        for (size_t i = 0; without[i]; i++) {
            left = left || strcmp(without[i], key) == 0;
        }
        if (left) {
            continue;
        }
        text_add(out, "%s%s ", out->length > 0 ? ", " : "", key);
        if (js_type(value) != JS_ARRAY) {
            run_text_value(out, value);
        }
        for (size_t i = 0; js_type(value) == JS_ARRAY && i < js_length(value); i++) {
            text_add(out, "%s", i > 0 ? " " : "");
            run_text_value(out, js_at(value, i));
        }
    }
}

/* Set a member from a Text, if there is any of it. */
static void fact_set(Table *table, const char *key, Text *text)
{
    if (text->length > 0) {
        table_text(table, key, text->data);
    }
    text_release(text);
}

/* The distinct hashes of a column in the rows of all kinds. */
static void hash_collect(Text *out, const Js *results, const char *column)
{
    void *it = NULL;
    const char *kind = NULL;
    const Js *rows = NULL;
    while (js_next(results, &it, &kind, &rows)) {
        for (size_t i = 0; i < js_length(rows); i++) {
            const char *hash = js_str_of(js_member(js_at(rows, i), column));
            if (hash && hash[0] != '\0' && !(out->data && strstr(out->data, hash))) {
                text_add(out, "%s%s", out->length > 0 ? " " : "", hash);
            }
        }
    }
}

void run_facts_fill(Table *out, const Js *run, const char *store)
{
    static const char *const in_line[] = {"ogpt", "compiler", NULL};
    static const char *const nothing[] = {NULL};
    static const char *const plain[] = {"subject", "machine"};
    const char *started = js_str_of(js_member(run, "started"));
    const char *ended = js_str_of(js_member(run, "ended"));
    const int sessions = (int)js_int_of(js_member(run, "sessions"));
    const int64_t seconds = run_facts_seconds(run);
    Text text = {0};
    table_init(out, &facts_table);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        const char *value = js_str_of(js_member(run, plain[i]));
        if (value) {
            table_text(out, plain[i], value);
        }
    }
    for (size_t i = 0; i < N_HASHES; i++) {
        hash_collect(&text, js_member(run, "results"), hashes[i].column);
        fact_set(out, hashes[i].key, &text);
    }
    members_print(&text, js_member(run, "options"), nothing);
    fact_set(out, "options", &text);
    text_add(&text, "%s", started ? started : "");
    if (ended) {
        text_add(&text, " to %s", ended);
    }
    if (seconds >= 0) {
        text_add(&text, ", %lld s", (long long)seconds);
    }
    if (sessions > 1) {
        text_add(&text, ", in %d sessions", sessions);
    }
    fact_set(out, "time", &text);
    run_facts_program(&text, run);
    fact_set(out, "program", &text);
    members_print(&text, js_member(run, "versions"), in_line);
    fact_set(out, "libraries", &text);
    if (store) {
        table_text(out, "store", store);
    }
}
