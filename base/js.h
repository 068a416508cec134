/* base/js.h - JSON values: parse with typed, checked access; build and print.
 *
 * A thin layer over jansson (64-bit integers, duplicate keys rejected, depth limited); no
 * other file includes <jansson.h>. A Js is reference counted: js_free drops one reference.
 * Building functions never return NULL: when memory runs out they give the JSON null, and
 * js_print reports it. Doubles are printed with 17 significant digits and '.' in every locale;
 * NaN and infinity become null.
 */
#ifndef OGPT_BASE_JS_H
#define OGPT_BASE_JS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct json_t Js;

/* Parse `length` bytes; `origin` names the file in messages (file, byte offset, reason).
 * Returns 0, OGPT_EFORMAT or OGPT_ENOMEM. Owned. */
int js_parse(Js **out, const char *text, size_t length, const char *origin);
int js_parse_file(Js **out, const char *path, size_t max_bytes);
void js_free(Js *value);

/* Typed access to a member of an object; `origin` names the file. Missing key, wrong type or
 * value out of range: OGPT_EFORMAT with key, expected and found. */
int js_get_int(int64_t *out, const Js *object, const char *key, int64_t min, int64_t max,
               const char *origin);
int js_get_num(double *out, const Js *object, const char *key, const char *origin);
int js_get_bool(bool *out, const Js *object, const char *key, const char *origin);
int js_get_str(const char **out, const Js *object, const char *key, const char *origin);
int js_get_object(const Js **out, const Js *object, const char *key, const char *origin);
int js_get_array(const Js **out, const Js *object, const char *key, const char *origin);
bool js_has(const Js *object, const char *key);

/* Untyped walk. js_member and js_at give NULL when absent (borrowed). */
const Js *js_member(const Js *object, const char *key);
const Js *js_at(const Js *array, size_t index);
size_t js_length(const Js *array_or_object);
/* Iterate the members of an object in order: start with *it = NULL; false at the end. */
bool js_next(const Js *object, void **it, const char **key, const Js **value);
typedef enum JsType { JS_NULL, JS_BOOL, JS_INT, JS_NUM, JS_STR, JS_ARRAY, JS_OBJECT } JsType;
JsType js_type(const Js *value);        /* JS_NULL for NULL (absent) */
int64_t js_int_of(const Js *value);     /* 0 unless JS_INT */
double js_num_of(const Js *value);      /* NaN unless JS_INT or JS_NUM */
const char *js_str_of(const Js *value); /* NULL unless JS_STR; borrowed */
bool js_bool_of(const Js *value);

/* Build. js_set and js_push take over the reference of `value`. */
Js *js_object(void);
Js *js_array(void);
Js *js_int(int64_t value);
Js *js_num(double value);
Js *js_str(const char *text); /* invalid UTF-8 is replaced by '?' */
Js *js_bool(bool value);
Js *js_null(void);
Js *js_keep(const Js *value); /* one more reference to the same value */
void js_set(Js *object, const char *key, Js *value);
void js_push(Js *array, Js *value);
void js_set_int(Js *object, const char *key, int64_t value);
void js_set_num(Js *object, const char *key, double value);
void js_set_str(Js *object, const char *key, const char *text);
void js_set_bool(Js *object, const char *key, bool value);

/* Where two objects differ: the first member of `now`, in its order, that `then` (NULL: empty)
 * lacks or has with another value. */
typedef struct JsDifference {
    const char *key;   /* borrowed from `now`; NULL: there is none */
    char *own, *other; /* both values printed, owned (mem_free); other NULL if `then` lacks it */
} JsDifference;
/* Returns 0 or OGPT_ENOMEM. */
int js_difference(JsDifference *out, const Js *now, const Js *then);
void js_difference_release(JsDifference *difference);

/* 0, or OGPT_ENOMEM: something that this thread built since the last js_built or js_print lacks
 * memory, and is null or not there. */
int js_built(void);
/* Print as owned text (mem_free): indented by `indent` spaces, or one line when 0; object
 * keys in insertion order, so the same document gives the same bytes. Returns 0 or
 * OGPT_ENOMEM. */
int js_print(char **out, const Js *value, int indent);

#endif
