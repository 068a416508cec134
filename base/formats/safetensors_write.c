/* base/formats/safetensors_write.c - writing the safetensors container; see safetensors.h. */
#include "base/formats/safetensors.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files_new.h"
#include "base/js.h"
#include "base/formats/safetensors_internal.h"

static Js *numbers_build(const uint64_t *numbers, size_t n)
{
    Js *array = js_array();
    for (size_t i = 0; i < n; i++) {
        js_push(array, js_int((int64_t)numbers[i]));
    }
    return array;
}

static size_t number_bytes(const StEntry *entry)
{
    return entry->half ? sizeof(uint16_t) : sizeof(float);
}

/* One header member; *end moves on by the tensor's bytes. */
static int entry_build(Js *header, uint64_t *end, const StEntry *entry, const char *path)
{
    if (!st__name_is_valid(entry->name) || js_has(header, entry->name)) {
        return err_set(OGPT_EUSAGE, "%s: \"%.80s\" cannot name a tensor here (bad, or used twice)",
                       path, entry->name);
    }
    uint64_t n_bytes = number_bytes(entry), range[2] = {*end, 0};
    bool overflow = entry->rank > ST_MAX_RANK;
    for (size_t i = 0; i < entry->rank && !overflow; i++) {
        overflow = __builtin_mul_overflow(n_bytes, entry->shape[i], &n_bytes);
    }
    if (overflow || __builtin_add_overflow(*end, n_bytes, &range[1]) || range[1] > INT64_MAX) {
        return err_set(OGPT_EUSAGE, "%s: tensor \"%s\": rank above %d or size above 2^63 bytes",
                       path, entry->name, ST_MAX_RANK);
    }
    Js *member = js_object();
    js_set_str(member, "dtype", entry->half ? "F16" : "F32");
    js_set(member, "shape", numbers_build(entry->shape, entry->rank));
    js_set(member, "data_offsets", numbers_build(range, 2));
    js_set(header, entry->name, member);
    *end = range[1];
    return 0;
}

/* The first bytes of the file up to the data: length, JSON, spaces up to a multiple of 8. */
static int head_build(char **out, size_t *n_bytes, const StEntry *entries, size_t n,
                      const char *const (*metadata)[2], size_t n_meta, const char *path)
{
    *out = NULL;
    char *text = NULL;
    Js *header = js_object();
    if (n_meta > 0) {
        Js *pairs = js_object();
        for (size_t i = 0; i < n_meta; i++) {
            js_set_str(pairs, metadata[i][0], metadata[i][1]);
        }
        js_set(header, "__metadata__", pairs);
    }
    uint64_t end = 0;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = entry_build(header, &end, &entries[i], path);
    }
    rc = rc ? rc : js_print(&text, header, 0);
    js_free(header);
    if (rc != 0) {
        return rc;
    }
    size_t length = strlen(text);
    uint64_t padded = (length + 7) / 8 * 8;
    if (padded > ST_HEADER_MAX) {
        rc = err_set(OGPT_EUSAGE, "%s: header of %llu bytes, at most %d can be read back", path,
                     (unsigned long long)padded, ST_HEADER_MAX);
    } else {
        *out = mem_alloc(sizeof(padded) + padded, 1, path);
        rc = !*out ? OGPT_ENOMEM : 0;
    }
    if (rc == 0) {
        memcpy(*out, &padded, sizeof(padded));
        memcpy(*out + sizeof(padded), text, length);
        memset(*out + sizeof(padded) + length, ' ', padded - length);
        *n_bytes = sizeof(padded) + padded;
    }
    mem_free(text);
    return rc;
}

static size_t count_numbers(const StEntry *entry)
{
    size_t n = 1;
    for (size_t i = 0; i < entry->rank; i++) {
        n *= entry->shape[i];
    }
    return n;
}

static int halves_write(int fd, const StEntry *entry, const char *path)
{
    uint16_t halves[4096];
    const size_t room = sizeof(halves) / sizeof(halves[0]), n = count_numbers(entry);
    int rc = 0;
    for (size_t done = 0; done < n && rc == 0; done += room) {
        size_t now = n - done < room ? n - done : room;
        for (size_t i = 0; i < now; i++) {
            halves[i] = float16_narrow(entry->data[done + i]);
        }
        rc = file_new_write(fd, halves, now * sizeof(halves[0]), path);
    }
    return rc;
}

static int data_write(int fd, const StEntry *entry, const char *path)
{
    return entry->half
               ? halves_write(fd, entry, path)
               : file_new_write(fd, entry->data, count_numbers(entry) * sizeof(float), path);
}

int st_write(const char *path, const StEntry *entries, size_t n, const char *const (*metadata)[2],
             size_t n_meta)
{
    char *head;
    size_t n_head;
    int fd;
    int rc = head_build(&head, &n_head, entries, n, metadata, n_meta, path);
    if (rc != 0) {
        return rc;
    }
    rc = file_new_create(&fd, path);
    if (rc != 0) {
        mem_free(head);
        return rc;
    }
    rc = file_new_write(fd, head, n_head, path);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = data_write(fd, &entries[i], path);
    }
    if (rc == 0) {
        rc = file_new_finish(fd, path);
    } else {
        close(fd);
    }
    if (rc != 0) {
        unlink(path);
    }
    mem_free(head);
    return rc;
}
