/* tests/model/layouts/layout_files.h - tensor files that tests read, change and write again, and
 * published model directories made of any text and any tensors. */
#ifndef OGPT_TESTS_MODEL_LAYOUTS_LAYOUT_FILES_H
#define OGPT_TESTS_MODEL_LAYOUTS_LAYOUT_FILES_H

#include "tests/base/base_test.h"
#include "base/manifest.h"
#include "base/formats/safetensors.h"

#define MAX_TENSORS 192

/* All tensors of a file, in memory. */
typedef struct TensorFile {
    size_t n;
    StEntry entries[MAX_TENSORS];
    float *data[MAX_TENSORS];
    char names[MAX_TENSORS][ST_MAX_RANK * 16];
} TensorFile;

static inline size_t entry_count(const StEntry *entry)
{
    size_t n = 1;
    for (size_t i = 0; i < entry->rank; i++) {
        n *= entry->shape[i];
    }
    return n;
}

static inline void tensors_read(TensorFile *out, const char *path)
{
    StFile *file = NULL;
    *out = (TensorFile){0};
    if (st_open(&file, path) != 0) {
        fail_msg("%s", err_message());
    }
    for (size_t i = 0; i < st_count(file); i++) {
        const StTensor *tensor = st_tensor(file, i);
        StEntry *entry = &out->entries[out->n];
        snprintf(out->names[out->n], sizeof(out->names[0]), "%s", tensor->name);
        *entry = (StEntry){.name = out->names[out->n], .rank = tensor->rank};
        memcpy(entry->shape, tensor->shape, sizeof(entry->shape));
        entry->data = out->data[out->n] = calloc(entry_count(entry) + 1, sizeof(float));
        assert_int_equal(
            st_read_f32(out->data[out->n], file, tensor->name, tensor->rank, tensor->shape, true),
            0);
        out->n++;
    }
    st_close(file);
}

static inline void tensors_free(TensorFile *file)
{
    for (size_t i = 0; i < MAX_TENSORS; i++) {
        free(file->data[i]);
    }
}

static inline size_t tensor_at(const TensorFile *file, const char *name)
{
    for (size_t i = 0; i < file->n; i++) {
        if (strcmp(file->names[i], name) == 0) {
            return i;
        }
    }
    fail_msg("no tensor %s", name);
    return 0;
}

static inline void tensor_remove(TensorFile *file, const char *name)
{
    size_t i = tensor_at(file, name);
    free(file->data[i]);
    for (file->n--; i < file->n; i++) {
        memcpy(file->names[i], file->names[i + 1], sizeof(file->names[0]));
        file->entries[i] = file->entries[i + 1];
        file->entries[i].name = file->names[i];
        file->data[i] = file->data[i + 1];
    }
    file->data[file->n] = NULL;
}

static inline void tensor_rename(TensorFile *file, const char *name, const char *other)
{
    snprintf(file->names[tensor_at(file, name)], sizeof(file->names[0]), "%s", other);
}

static inline void tensors_write(const TensorFile *file, const char *path)
{
    unlink(path);
    if (st_write(path, file->entries, file->n, NULL, 0) != 0) {
        fail_msg("%s", err_message());
    }
}

/* A directory with a manifest that verifies, for any content of the two files. */
static inline void model_publish(const char *path, const TensorFile *file, const char *config)
{
    Publish *publish = NULL;
    char tensors[FILES_PATH_MAX];
    assert_int_equal(publish_begin(&publish, path, true), 0);
    assert_int_equal(publish_path(tensors, publish, "model.safetensors"), 0);
    tensors_write(file, tensors);
    assert_int_equal(publish_adopt(publish, "model.safetensors"), 0);
    assert_int_equal(publish_file(publish, "config.json", config, strlen(config)), 0);
    Js *fields = js_object();
    assert_int_equal(publish_commit(publish, fields), 0);
    js_free(fields);
}

#endif
