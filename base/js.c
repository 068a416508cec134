/* base/js.c - see js.h. */
#include "base/js.h"

#include <assert.h>
#include <math.h>
#include <setjmp.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"

#define DEPTH_MAX 64 /* jansson recurses once a level, and allows 2,048 */

/* Set when a building function ran out of memory; js_built reports and clears it. */
static _Thread_local bool build_failed;

/* In jansson 2.14 a token that cannot grow while it is parsed ends in a failed assertion. So the
 * blocks of a running parse are kept in a list; the first allocation that fails leaves the parser
 * by longjmp and frees the list. */
typedef struct Block {
    struct Block *before, *after; /* NULL outside a parse */
} Block;
_Static_assert(sizeof(Block) % 16 == 0, "what follows the links must stay aligned");

static _Thread_local Block *parse_blocks; /* head of the list, NULL outside a parse */
static _Thread_local jmp_buf parse_escape;

static void *json_alloc(size_t n_bytes)
{
    Block *block = mem_alloc(1, sizeof(*block) + n_bytes, "a JSON value");
    if (!block) {
        if (parse_blocks) {
            longjmp(parse_escape, 1);
        }
        return NULL;
    }
    *block = (Block){NULL, NULL};
    if (parse_blocks) {
        *block = (Block){parse_blocks, parse_blocks->after};
        block->after->before = block;
        parse_blocks->after = block;
    }
    return block + 1;
}

static void json_free(void *pointer)
{
    if (!pointer) {
        return;
    }
    Block *block = (Block *)pointer - 1;
    if (block->before) {
        block->before->after = block->after;
        block->after->before = block->before;
    }
    mem_free(block);
}

/* End the parse: free its blocks, or keep them as ordinary ones. */
static void parse_end(bool keep)
{
    Block *next;
    for (Block *block = parse_blocks->after; block != parse_blocks; block = next) {
        next = block->after;
        *block = (Block){NULL, NULL};
        if (!keep) {
            mem_free(block);
        }
    }
    parse_blocks = NULL;
}

/* jansson takes its allocator once for the whole process and before its first use. */
__attribute__((constructor)) static void allocator_install(void)
{
    json_set_alloc_funcs(json_alloc, json_free);
}

/* ---- reading ---- */

/* Refuse deep nesting before the recursive parser sees it. Brackets within strings do not
 * count; anything else that is malformed is left to the parser. */
static int depth_check(const char *text, size_t length, const char *origin)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            depth++;
            if (depth > DEPTH_MAX) {
                return err_set(OGPT_EFORMAT,
                               "%s: byte %zu: JSON nested deeper than %d levels; nothing that this "
                               "program reads is",
                               origin, i, DEPTH_MAX);
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return 0;
}

int js_parse(Js **out, const char *text, size_t length, const char *origin)
{
    *out = NULL;
    int rc = depth_check(text, length, origin);
    if (rc != 0) {
        return rc;
    }
    Block head = {&head, &head};
    parse_blocks = &head;
    if (setjmp(parse_escape) != 0) {
        parse_end(false);
        return OGPT_ENOMEM; /* the allocator has set the message */
    }
    json_error_t error;
    Js *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    parse_end(true);
    if (value) {
        *out = value;
        return 0;
    }
    return err_set(OGPT_EFORMAT, "%s: byte %d: expected JSON, found: %s", origin, error.position,
                   error.text);
}

int js_parse_file(Js **out, const char *path, size_t max_bytes)
{
    *out = NULL;
    void *text;
    size_t length;
    int rc = file_read_all(&text, &length, path, max_bytes);
    if (rc == 0) {
        rc = js_parse(out, text, length, path);
        mem_free(text);
    }
    return rc;
}

void js_free(Js *value)
{
    json_decref(value);
}

static const char *type_name(const Js *value)
{
    if (!value) {
        return "nothing";
    }
    switch (js_type(value)) {
    case JS_NULL: return "null";
    case JS_BOOL: return "true or false";
    case JS_INT: return "an integer";
    case JS_NUM: return "a fraction";
    case JS_STR: return "a string";
    case JS_ARRAY: return "an array";
    case JS_OBJECT: return "an object";
    }
    return "nothing";
}

static int wrong_type(const char *key, const char *expected, const Js *found, const char *origin)
{
    return err_set(OGPT_EFORMAT, "%s: key \"%s\": expected %s, found %s", origin, key, expected,
                   type_name(found));
}

int js_get_int(int64_t *out, const Js *object, const char *key, int64_t min, int64_t max,
               const char *origin)
{
    const Js *value = js_member(object, key);
    if (!json_is_integer(value)) {
        return wrong_type(key, "an integer", value, origin);
    }
    int64_t number = json_integer_value(value);
    if (number < min || number > max) {
        return err_set(OGPT_EFORMAT,
                       "%s: key \"%s\": expected an integer in %lld..%lld, found %lld", origin, key,
                       (long long)min, (long long)max, (long long)number);
    }
    *out = number;
    return 0;
}

int js_get_num(double *out, const Js *object, const char *key, const char *origin)
{
    const Js *value = js_member(object, key);
    if (!json_is_number(value)) {
        return wrong_type(key, "a number", value, origin);
    }
    *out = json_number_value(value);
    return 0;
}

int js_get_bool(bool *out, const Js *object, const char *key, const char *origin)
{
    const Js *value = js_member(object, key);
    if (!json_is_boolean(value)) {
        return wrong_type(key, "true or false", value, origin);
    }
    *out = json_is_true(value);
    return 0;
}

int js_get_str(const char **out, const Js *object, const char *key, const char *origin)
{
    const Js *value = js_member(object, key);
    if (!json_is_string(value)) {
        return wrong_type(key, "a string", value, origin);
    }
    *out = json_string_value(value);
    return 0;
}

int js_get_object(const Js **out, const Js *object, const char *key, const char *origin)
{
    const Js *value = js_member(object, key);
    if (!json_is_object(value)) {
        return wrong_type(key, "an object", value, origin);
    }
    *out = value;
    return 0;
}

int js_get_array(const Js **out, const Js *object, const char *key, const char *origin)
{
    const Js *value = js_member(object, key);
    if (!json_is_array(value)) {
        return wrong_type(key, "an array", value, origin);
    }
    *out = value;
    return 0;
}

bool js_has(const Js *object, const char *key)
{
    return js_member(object, key);
}

const Js *js_member(const Js *object, const char *key)
{
    return json_object_get(object, key); /* NULL if `object` is not an object */
}

const Js *js_at(const Js *array, size_t index)
{
    return json_array_get(array, index);
}

size_t js_length(const Js *array_or_object)
{
    return json_is_array(array_or_object) ? json_array_size(array_or_object)
                                          : json_object_size(array_or_object);
}

bool js_next(const Js *object, void **it, const char **key, const Js **value)
{
    Js *whole = (Js *)object; /* jansson iterates without const, and changes nothing */
    *it = !*it ? json_object_iter(whole) : json_object_iter_next(whole, *it);
    if (!*it) {
        return false;
    }
    *key = json_object_iter_key(*it);
    *value = json_object_iter_value(*it);
    return true;
}

JsType js_type(const Js *value)
{
    if (!value) {
        return JS_NULL;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT: return JS_OBJECT;
    case JSON_ARRAY: return JS_ARRAY;
    case JSON_STRING: return JS_STR;
    case JSON_INTEGER: return JS_INT;
    case JSON_REAL: return JS_NUM;
    case JSON_TRUE:
    case JSON_FALSE: return JS_BOOL;
    case JSON_NULL: return JS_NULL;
    }
    return JS_NULL;
}

int64_t js_int_of(const Js *value)
{
    return json_integer_value(value); /* 0 if `value` is not an integer */
}

double js_num_of(const Js *value)
{
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

const char *js_str_of(const Js *value)
{
    return json_string_value(value); /* NULL if `value` is not a string */
}

bool js_bool_of(const Js *value)
{
    return json_is_true(value);
}

/* ---- building ---- */

static Js *built(Js *value)
{
    if (value) {
        return value;
    }
    build_failed = true;
    return json_null();
}

Js *js_object(void)
{
    return built(json_object());
}

Js *js_array(void)
{
    return built(json_array());
}

Js *js_int(int64_t value)
{
    return built(json_integer(value));
}

Js *js_num(double value)
{
    return isfinite(value) ? built(json_real(value)) : json_null();
}

/* Length of the valid UTF-8 sequence at `p` (RFC 3629: no overlong form, no surrogate, at
 * most U+10FFFF), or 0. The text ends with NUL, which is no continuation byte. */
static size_t utf8_length(const unsigned char *p)
{
    if (p[0] < 0x80) {
        return 1;
    }
    size_t length = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
                    : p[0] >= 0xe0 && p[0] <= 0xef ? 3
                    : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                                   : 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool bad = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
               (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f);
    return bad ? 0 : length;
}

Js *js_str(const char *text)
{
    char *clean = mem_strdup(text, "a JSON string");
    if (!clean) {
        return built(NULL);
    }
    for (unsigned char *p = (unsigned char *)clean; *p != 0;) {
        size_t length = utf8_length(p);
        if (length == 0) {
            *p = '?';
            length = 1;
        }
        p += length;
    }
    Js *value = built(json_string_nocheck(clean));
    mem_free(clean);
    return value;
}

Js *js_bool(bool value)
{
    return json_boolean(value);
}

Js *js_null(void)
{
    return json_null();
}

Js *js_keep(const Js *value)
{
    return json_incref((Js *)value);
}

void js_set(Js *object, const char *key, Js *value)
{
    assert(json_is_object(object) || json_is_null(object)); /* null: it could not be built */
    if (json_object_set_new(object, key, value) != 0) {
        build_failed = true;
    }
}

void js_push(Js *array, Js *value)
{
    assert(json_is_array(array) || json_is_null(array));
    if (json_array_append_new(array, value) != 0) {
        build_failed = true;
    }
}

void js_set_int(Js *object, const char *key, int64_t value)
{
    js_set(object, key, js_int(value));
}

void js_set_num(Js *object, const char *key, double value)
{
    js_set(object, key, js_num(value));
}

void js_set_str(Js *object, const char *key, const char *text)
{
    js_set(object, key, js_str(text));
}

void js_set_bool(Js *object, const char *key, bool value)
{
    js_set(object, key, js_bool(value));
}

int js_built(void)
{
    const bool failed = build_failed;
    build_failed = false;
    return failed ? err_set(OGPT_ENOMEM, "out of memory: wanted memory for a JSON document") : 0;
}

/* Not json_dumps: when that runs out of memory at the key of a member (jansson 2.14), it leaves
 * the key out and succeeds. Here the text is measured first, then printed into a block of that
 * size. */
int js_print(char **out, const Js *value, int indent)
{
    size_t layout = indent == 0 ? JSON_COMPACT : JSON_INDENT((size_t)indent);
    layout |= JSON_ENCODE_ANY | JSON_REAL_PRECISION(17);
    *out = NULL;
    size_t length = js_built() ? 0 : json_dumpb(value, NULL, 0, layout);
    char *text = length == 0 ? NULL : mem_alloc(length + 1, 1, "a JSON text");
    if (!text || json_dumpb(value, text, length, layout) != length) {
        mem_free(text);
        return err_set(OGPT_ENOMEM, "out of memory: wanted memory for a JSON document");
    }
    text[length] = 0;
    *out = text;
    return 0;
}

int js_difference(JsDifference *out, const Js *now, const Js *then)
{
    void *it = NULL;
    const char *key;
    const Js *value;
    int rc = 0;
    *out = (JsDifference){0};
    while (rc == 0 && !out->key && js_next(now, &it, &key, &value)) {
        const Js *earlier = js_member(then, key);
        rc = js_print(&out->own, value, 0);
        rc = rc || !earlier ? rc : js_print(&out->other, earlier, 0);
        if (rc == 0 && (!out->other || strcmp(out->own, out->other) != 0)) {
            out->key = key;
        } else {
            js_difference_release(out);
        }
    }
    return rc;
}

void js_difference_release(JsDifference *difference)
{
    mem_free(difference->own);
    mem_free(difference->other);
    *difference = (JsDifference){0};
}
