/* base/formats/safetensors.c - reading the safetensors container; see safetensors.h.
 * Writing is in safetensors_write.c. */
#define _GNU_SOURCE
#include "base/formats/safetensors.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/js.h"
#include "base/formats/pickle_sniff.h"
#include "base/formats/safetensors_internal.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the container is little endian and its tensors are read as they lie"
#endif

struct StFile {
    int fd;
    char *path;
    Js *header; /* owns every name and string handed out */
    StTensor *tensors;
    size_t n;
    uint64_t data_offset; /* from the start of the file */
    uint64_t data_bytes;
};

/* ---- the parts of an entry ---- */

static size_t dtype_bytes(const char *dtype)
{
    static const struct {
        const char *name;
        size_t n_bytes;
    } known[] = {
        {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
        {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
        {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(dtype, known[i].name) == 0) {
            return known[i].n_bytes;
        }
    }
    return 0;
}

bool st__name_is_valid(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == 0x7f || c == '/') {
            return false;
        }
    }
    return length >= 1 && length <= ST_NAME_MAX && strcmp(name, "__metadata__") != 0;
}

/* The non-negative integers of an array, at most `room` of them. */
static int numbers_read(uint64_t *out, size_t *n, size_t room, const Js *array, const char *what,
                        const char *name, const char *path)
{
    *n = js_length(array);
    if (*n > room) {
        return err_set(OGPT_EFORMAT,
                       "%s: tensor \"%s\": expected at most %zu numbers in %s, found "
                       "%zu",
                       path, name, room, what, *n);
    }
    for (size_t i = 0; i < *n; i++) {
        const Js *number = js_at(array, i);
        if (js_type(number) != JS_INT || js_int_of(number) < 0) {
            return err_set(OGPT_EFORMAT,
                           "%s: tensor \"%s\": entry %zu of %s is not a non-negative integer", path,
                           name, i, what);
        }
        out[i] = (uint64_t)js_int_of(number);
    }
    return 0;
}

/* dtype, shape and data_offsets agree, by checked arithmetic, and lie in the data section. */
static int extent_check(const StTensor *tensor, const StFile *file)
{
    uint64_t n_bytes = dtype_bytes(tensor->dtype);
    bool overflow = false;
    for (size_t i = 0; i < tensor->rank; i++) {
        overflow |= __builtin_mul_overflow(n_bytes, tensor->shape[i], &n_bytes);
    }
    if (overflow) {
        return err_set(OGPT_EFORMAT, "%s: tensor \"%s\": its shape needs more than 2^64 bytes",
                       file->path, tensor->name);
    }
    if (tensor->begin > tensor->end || tensor->end > file->data_bytes) {
        return err_set(
            OGPT_EFORMAT,
            "%s: tensor \"%s\": expected data_offsets rising within the file's %llu data "
            "bytes, found [%llu,%llu]",
            file->path, tensor->name, (unsigned long long)file->data_bytes,
            (unsigned long long)tensor->begin, (unsigned long long)tensor->end);
    }
    if (tensor->end - tensor->begin != n_bytes) {
        return err_set(OGPT_EFORMAT,
                       "%s: tensor \"%s\": shape and dtype need %llu bytes, data_offsets hold %llu",
                       file->path, tensor->name, (unsigned long long)n_bytes,
                       (unsigned long long)(tensor->end - tensor->begin));
    }
    return 0;
}

static int entry_read(StTensor *out, const char *name, const Js *entry, const StFile *file)
{
    const char *path = file->path, *dtype;
    const Js *shape, *offsets;
    uint64_t range[2];
    size_t n_range;
    if (!st__name_is_valid(name)) {
        return err_set(OGPT_EFORMAT,
                       "%s: tensor name \"%.80s\": expected 1..%d bytes without '/' and control "
                       "characters, found %zu bytes",
                       path, name, ST_NAME_MAX, strlen(name));
    }
    out->name = name;
    if (js_type(entry) != JS_OBJECT || js_length(entry) != 3) {
        return err_set(OGPT_EFORMAT,
                       "%s: tensor \"%s\": expected an object of exactly dtype, shape and "
                       "data_offsets, found something else",
                       path, name);
    }
    int rc = js_get_str(&dtype, entry, "dtype", path);
    rc = rc ? rc : js_get_array(&shape, entry, "shape", path);
    rc = rc ? rc : js_get_array(&offsets, entry, "data_offsets", path);
    if (rc == 0 && dtype_bytes(dtype) == 0) {
        rc = err_set(OGPT_EFORMAT, "%s: tensor \"%s\": unknown dtype \"%.40s\"", path, name, dtype);
    }
    if (rc != 0) {
        return rc;
    }
    snprintf(out->dtype, sizeof(out->dtype), "%s", dtype);
    rc = numbers_read(out->shape, &out->rank, ST_MAX_RANK, shape, "shape", name, path);
    rc = rc ? rc : numbers_read(range, &n_range, 2, offsets, "data_offsets", name, path);
    if (rc == 0 && n_range != 2) {
        rc = err_set(OGPT_EFORMAT, "%s: tensor \"%s\": expected 2 data_offsets, found %zu", path,
                     name, n_range);
    }
    if (rc != 0) {
        return rc;
    }
    out->begin = range[0];
    out->end = range[1];
    return extent_check(out, file);
}

/* ---- the header as a whole ---- */

static int metadata_check(const Js *metadata, const char *path)
{
    if (js_type(metadata) != JS_OBJECT) {
        return err_set(OGPT_EFORMAT, "%s: __metadata__: expected an object, found something else",
                       path);
    }
    void *it = NULL;
    const char *key;
    const Js *value;
    while (js_next(metadata, &it, &key, &value)) {
        if (js_type(value) != JS_STR) {
            return err_set(
                OGPT_EFORMAT,
                "%s: __metadata__ key \"%.80s\": expected a string, found something else", path,
                key);
        }
    }
    return 0;
}

static int begin_compare(const void *a, const void *b)
{
    const StTensor *x = *(const StTensor *const *)a, *y = *(const StTensor *const *)b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return x->end < y->end ? -1 : x->end > y->end;
}

/* Laid side by side the tensors must fill the data section: no hole, no overlap, no rest. */
static int cover_check(const StFile *file)
{
    const StTensor **sorted = mem_alloc(file->n, sizeof(*sorted), file->path);
    if (!sorted) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < file->n; i++) {
        sorted[i] = &file->tensors[i];
    }
    qsort(sorted, file->n, sizeof(*sorted), begin_compare);
    uint64_t at = 0;
    int rc = 0;
    for (size_t i = 0; i < file->n && rc == 0; i++) {
        if (sorted[i]->begin != at) {
            rc = err_set(OGPT_EFORMAT,
                         "%s: tensor \"%s\": %s; expected to begin at data byte %llu, found %llu",
                         file->path, sorted[i]->name,
                         sorted[i]->begin < at ? "overlaps another" : "leaves a hole before it",
                         (unsigned long long)at, (unsigned long long)sorted[i]->begin);
        }
        at = sorted[i]->end;
    }
    if (rc == 0 && at != file->data_bytes) {
        rc = err_set(OGPT_EFORMAT, "%s: tensors end at data byte %llu, the file holds %llu",
                     file->path, (unsigned long long)at, (unsigned long long)file->data_bytes);
    }
    mem_free(sorted);
    return rc;
}

static int header_read(StFile *file)
{
    if (js_type(file->header) != JS_OBJECT) {
        return err_set(OGPT_EFORMAT, "%s: header: expected a JSON object, found something else",
                       file->path);
    }
    file->tensors = mem_calloc(js_length(file->header), sizeof(*file->tensors), file->path);
    if (!file->tensors) {
        return OGPT_ENOMEM;
    }
    void *it = NULL;
    const char *key;
    const Js *value;
    int rc = 0;
    while (rc == 0 && js_next(file->header, &it, &key, &value)) {
        if (strcmp(key, "__metadata__") == 0) {
            rc = metadata_check(value, file->path);
        } else {
            rc = entry_read(&file->tensors[file->n], key, value, file);
            file->n++;
        }
    }
    return rc ? rc : cover_check(file);
}

/* ---- opening ---- */

static int header_load(StFile *file)
{
    uint64_t size, length;
    unsigned char first[PICKLE_SNIFF_BYTES];
    char *text = NULL;
    int rc = file_size(&size, file->path);
    if (rc == 0 && size < sizeof(length)) {
        rc = err_set(OGPT_EFORMAT, "%s: expected safetensors of at least 8 bytes, found %llu",
                     file->path, (unsigned long long)size);
    }
    size_t n = size < sizeof(first) ? size : sizeof(first);
    rc = rc ? rc : file_pread(file->fd, first, n, 0, file->path);
    rc = rc ? rc
            : packed_refuse(first, n, file->path, "safetensors",
                            "convert it once in Python: " PICKLE_RECIPE);
    if (rc != 0) {
        return rc;
    }
    memcpy(&length, first, sizeof(length));
    if (length < 2 || length > ST_HEADER_MAX || length > size - sizeof(length)) {
        return err_set(
            OGPT_EFORMAT,
            "%s: byte 0: expected a header of 2..%d bytes within a file of %llu, found length "
            "%llu; not safetensors, or damaged",
            file->path, ST_HEADER_MAX, (unsigned long long)size, (unsigned long long)length);
    }
    file->data_offset = sizeof(length) + length;
    file->data_bytes = size - file->data_offset;
    text = mem_alloc(length, 1, file->path);
    if (!text) {
        return OGPT_ENOMEM;
    }
    rc = file_pread(file->fd, text, length, sizeof(length), file->path);
    if (rc == 0 && text[0] != '{') {
        rc = err_set(OGPT_EFORMAT, "%s: byte 8: expected '{', found byte 0x%02x", file->path,
                     (unsigned)(unsigned char)text[0]);
    }
    rc = rc ? rc : js_parse(&file->header, text, length, file->path);
    mem_free(text);
    return rc;
}

int st_open(StFile **out, const char *path)
{
    *out = NULL;
    StFile *file = mem_calloc(1, sizeof(*file), path);
    if (!file) {
        return OGPT_ENOMEM;
    }
    file->fd = -1;
    int rc = 0;
    file->path = mem_strdup(path, path);
    if (!file->path) {
        rc = OGPT_ENOMEM;
        goto done;
    }
    PathKind kind;
    rc = path_kind(&kind, path);
    if (rc != 0 || kind != PATH_FILE) {
        rc = rc ? rc : err_set(OGPT_EIO, "%s: expected a safetensors file, found none", path);
        goto done;
    }
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0) {
        rc = err_set_errno(OGPT_EIO, "%s: cannot be opened", path);
        goto done;
    }
    rc = header_load(file);
    rc = rc ? rc : header_read(file);
done:
    if (rc != 0) {
        st_close(file);
        return rc;
    }
    *out = file;
    return 0;
}

int st_open_listed(StFile **out, const char *path, const char *sha256)
{
    char hex[HASH_HEX_SIZE];
    int rc = st_open(out, path);
    rc = rc ? rc : sha256_fd(hex, (*out)->fd, path);
    if (rc == 0 && strcmp(hex, sha256) != 0) {
        rc = err_set(OGPT_EFORMAT,
                     "%s: changed while it was read: expected SHA-256 %s, found %s; try again",
                     path, sha256, hex);
    }
    if (rc != 0) {
        st_close(*out);
        *out = NULL;
    }
    return rc;
}

void st_close(StFile *file)
{
    if (!file) {
        return;
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    js_free(file->header);
    mem_free(file->tensors);
    mem_free(file->path);
    mem_free(file);
}

/* ---- handing out ---- */

size_t st_count(const StFile *file)
{
    return file->n;
}

const StTensor *st_tensor(const StFile *file, size_t index)
{
    return &file->tensors[index];
}

const StTensor *st_find(const StFile *file, const char *name)
{
    for (size_t i = 0; i < file->n; i++) {
        if (strcmp(file->tensors[i].name, name) == 0) {
            return &file->tensors[i];
        }
    }
    return NULL;
}

const char *st_metadata(const StFile *file, const char *key)
{
    return js_str_of(js_member(js_member(file->header, "__metadata__"), key));
}

static void shape_print(char out[256], size_t rank, const uint64_t *shape)
{
    size_t n = 0;
    out[n++] = '[';
    for (size_t i = 0; i < rank; i++) {
        n += (size_t)snprintf(out + n, 24, i == 0 ? "%llu" : ",%llu", (unsigned long long)shape[i]);
    }
    snprintf(out + n, 2, "]");
}

float float16_widen(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3ff, bits;
    float out;
    if (exponent == 31) { /* infinity and NaN, with its payload */
        bits = sign | 0x7f800000 | fraction << 13;
    } else if (exponent > 0) {
        bits = sign | (exponent + 127 - 15) << 23 | fraction << 13;
    } else { /* fraction * 2^-24, which single precision holds as an ordinary number */
        out = (float)fraction * 0x1p-24f;
        memcpy(&bits, &out, sizeof(bits));
        bits |= sign;
    }
    memcpy(&out, &bits, sizeof(out));
    return out;
}

uint16_t float16_narrow(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    const uint32_t size = bits & 0x7fffffff; /* of the absolute value, in its order */
    if (size > 0x7f800000) {
        return sign | 0x7e00; /* NaN */
    }
    if (size >= 0x477ff000) { /* 65520, half way to 2^16 */
        return sign | 0x7c00;
    }
    if (size < 0x38800000) { /* below 2^-14: multiples of 2^-24. The sum rounds to them */
        float magnitude;
        memcpy(&magnitude, &size, sizeof(magnitude));
        magnitude += 0.5f;
        memcpy(&bits, &magnitude, sizeof(bits));
        return (uint16_t)(sign | (bits - 0x3f000000));
    }
    const uint32_t odd = size >> 13 & 1; /* ties to even */
    return (uint16_t)(sign | ((size - 0x38000000 + 0xfff + odd) >> 13));
}

float bfloat16_widen(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float out;
    memcpy(&out, &bits, sizeof(out));
    return out;
}

/* The halves end where the floats end: what is written never reaches what is still to be read. */
static void halves_widen(float *out, const char *halves, size_t n, bool brain)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, halves + i * sizeof(half), sizeof(half));
        out[i] = brain ? bfloat16_widen(half) : float16_widen(half);
    }
}

bool st_is_float(const StTensor *tensor)
{
    return strcmp(tensor->dtype, "F32") == 0 || strcmp(tensor->dtype, "F16") == 0 ||
           strcmp(tensor->dtype, "BF16") == 0;
}

uint64_t st_numbers(const StTensor *tensor)
{
    return (tensor->end - tensor->begin) / dtype_bytes(tensor->dtype);
}

/* How many names begin with the prefix. *other: a name with neither it nor `except`, or NULL. */
static size_t prefixed(const char **other, const StFile *file, const char *prefix,
                       const char *except)
{
    size_t n = 0, length = strlen(prefix);
    *other = NULL;
    for (size_t i = 0; i < file->n; i++) {
        const char *name = file->tensors[i].name;
        bool is = strncmp(name, prefix, length) == 0 && name[length] != '\0';
        bool left_out = except && strncmp(name, except, strlen(except)) == 0;
        n += is;
        *other = is || left_out || *other ? *other : name;
    }
    return n;
}

int st_drop_prefix(bool *dropped, StFile *file, const char *prefix, const char *except)
{
    const char *other;
    size_t n = prefixed(&other, file, prefix, except);
    *dropped = n > 0;
    if (n > 0 && other) {
        return err_set(OGPT_EFORMAT,
                       "%s: %zu tensors begin with \"%s\" and \"%s\" does not; expected all or "
                       "none: are two networks mixed in it?",
                       file->path, n, prefix, other);
    }
    for (size_t i = 0; i < file->n && n > 0; i++) {
        const char *name = file->tensors[i].name;
        file->tensors[i].name += strncmp(name, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
    }
    return 0;
}

int st_drop_wrappers(StFile *file)
{
    static const char *const wrappers[] = {"module.", "_orig_mod."};
    bool dropped = true;
    int rc = 0;
    while (rc == 0 && dropped) {
        dropped = false;
        for (size_t i = 0; rc == 0 && !dropped && i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
            rc = st_drop_prefix(&dropped, file, wrappers[i], NULL);
        }
    }
    return rc;
}

int st_read_f32(float *out, const StFile *file, const char *name, size_t rank,
                const uint64_t *shape, bool allow_nonfinite)
{
    const StTensor *tensor = st_find(file, name);
    if (!tensor) {
        return err_set(OGPT_EFORMAT, "%s: tensor \"%s\" is missing", file->path, name);
    }
    if (!st_is_float(tensor)) {
        return err_set(OGPT_EFORMAT,
                       "%s: tensor \"%s\": expected dtype F32, F16 or BF16, found %s; convert it",
                       file->path, name, tensor->dtype);
    }
    if (tensor->rank != rank || memcmp(tensor->shape, shape, rank * sizeof(*shape)) != 0) {
        char expected[256], found[256];
        shape_print(expected, rank, shape);
        shape_print(found, tensor->rank, tensor->shape);
        return err_set(OGPT_EFORMAT, "%s: tensor \"%s\": expected shape %s, found %s", file->path,
                       name, expected, found);
    }
    size_t n_bytes = tensor->end - tensor->begin, n = n_bytes / dtype_bytes(tensor->dtype);
    char *at =
        (char *)(out + n) - n_bytes; /* halves fill the rear and are widened from the front */
    int rc = file_pread(file->fd, at, n_bytes, file->data_offset + tensor->begin, file->path);
    if (rc == 0 && n_bytes < n * sizeof(*out)) {
        halves_widen(out, at, n, strcmp(tensor->dtype, "BF16") == 0);
    }
    if (rc != 0 || allow_nonfinite) {
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(out[i])) {
            return err_set(OGPT_EFORMAT,
                           "%s: tensor \"%s\": expected finite numbers, found %f at index %zu",
                           file->path, name, (double)out[i], i);
        }
    }
    return 0;
}
