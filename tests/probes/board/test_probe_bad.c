/* tests/probes/board/test_probe_bad.c - probes of the right format with wrong content: each is
 * refused, with file, tensor or key, what was expected and what was found (docs/RELIABILITY.md, bad
 * input). Every directory here has a manifest that verifies; plain damage is tested in
 * test_probe_file.c.
 */
#include "tests/model/layouts/layout_files.h"

#include <math.h>

#include "probes/board/probe.h"

enum { WIDTH = 24 };

static TensorFile sound;
static char *sound_json;

/* A probe of layer 1 of a 6x6 model, 24 wide; the file and its description are kept. */
static int set_up(void **state)
{
    Probe probe = {.site = HOOK_RESID_POST,
                   .size = 6,
                   .n_squares = 36,
                   .d_model = WIDTH,
                   .n_classes = 3,
                   .n_layers = 1,
                   .layers = {1},
                   .fitted = {true},
                   .l2 = 1e-4,
                   .task = "mine",
                   .classes = {"empty", "theirs", "mine"},
                   .solver = "newton",
                   .labels = "mover"};
    char file[FILES_PATH_MAX];
    void *text = NULL;
    size_t n = 0;
    memset(probe.model_hash, 'a', HASH_HEX_SIZE - 1);
    if (work_create(state) != 0 || probe_allocate(&probe) != 0 ||
        probe_save(&probe, at("sound")) != 0 ||
        path_join(file, at("sound"), "probe.safetensors") != 0) {
        return -1;
    }
    tensors_read(&sound, file);
    if (path_join(file, at("sound"), "probe.json") != 0 ||
        file_read_all(&text, &n, file, 1 << 20) != 0) {
        return -1;
    }
    sound_json = text;
    probe_release(&probe);
    return 0;
}

static int tear_down(void **state)
{
    tensors_free(&sound);
    mem_free(sound_json);
    return work_remove(state);
}

static void probe_publish(const char *path, const TensorFile *file, const char *json)
{
    Publish *publish = NULL;
    char tensors[FILES_PATH_MAX];
    Js *fields = js_object();
    assert_int_equal(publish_begin(&publish, path, true), 0);
    assert_int_equal(publish_path(tensors, publish, "probe.safetensors"), 0);
    tensors_write(file, tensors);
    assert_int_equal(publish_adopt(publish, "probe.safetensors"), 0);
    assert_int_equal(publish_file(publish, "probe.json", json, strlen(json)), 0);
    assert_int_equal(publish_commit(publish, fields), 0);
    js_free(fields);
}

/* ---- tensors ---- */

static void is_missing(TensorFile *file)
{
    tensor_remove(file, "blocks.1.hook_resid_post.bias");
}

static void is_extra(TensorFile *file)
{
    file->n++; /* one more tensor, for a layer that probe.json does not name */
    snprintf(file->names[2], sizeof(file->names[2]), "blocks.2.hook_resid_post.bias");
    file->entries[2] = (StEntry){.name = file->names[2], .rank = 1, .shape = {1}};
    file->entries[2].data = file->data[2] = calloc(1, sizeof(float));
}

static void is_of_another_layer(TensorFile *file)
{
    tensor_rename(file, "blocks.1.hook_resid_post.weight", "blocks.2.hook_resid_post.weight");
}

static void is_of_another_site(TensorFile *file)
{
    tensor_rename(file, "blocks.1.hook_resid_post.weight", "blocks.1.hook_resid_mid.weight");
}

static void is_of_another_width(TensorFile *file)
{
    file->entries[tensor_at(file, "blocks.1.hook_resid_post.weight")].shape[0] = WIDTH / 2;
}

static void is_of_another_board(TensorFile *file)
{
    StEntry *entry = &file->entries[tensor_at(file, "blocks.1.hook_resid_post.weight")];
    entry->shape[1] = 4;
    entry->shape[2] = 4;
}

static void is_flat(TensorFile *file)
{
    StEntry *entry = &file->entries[tensor_at(file, "blocks.1.hook_resid_post.weight")];
    entry->shape[1] = 36 * 3;
    entry->rank = 2;
}

static void is_nan(TensorFile *file)
{
    file->data[tensor_at(file, "blocks.1.hook_resid_post.weight")][7] = NAN;
}

static void is_infinite(TensorFile *file)
{
    file->data[tensor_at(file, "blocks.1.hook_resid_post.bias")][5] = INFINITY;
}

static const struct {
    void (*damage)(TensorFile *file);
    const char *message;
} tensor_rows[] = {
    {is_missing, "1 tensors, expected 2"},
    {is_extra, "3 tensors, expected 2"},
    {is_of_another_layer, "tensor \"blocks.1.hook_resid_post.weight\" is missing"},
    {is_of_another_site, "tensor \"blocks.1.hook_resid_post.weight\" is missing"},
    {is_of_another_width, "expected shape [24,6,6,3], found [12,6,6,3]"},
    {is_of_another_board, "expected shape [24,6,6,3], found [24,4,4,3]"},
    {is_flat, "expected shape [24,6,6,3], found [24,108]"},
    {is_nan, "expected finite numbers, found nan at index 7"},
    {is_infinite, "expected finite numbers, found inf at index 5"},
};

static void wrong_tensors(void **state)
{
    Probe probe;
    for (size_t i = 0; i < sizeof(tensor_rows) / sizeof(tensor_rows[0]); i++) {
        TensorFile file;
        char path[FILES_PATH_MAX];
        probe_publish(at("probe"), &sound, sound_json);
        assert_int_equal(probe_load(&probe, at("probe")), 0); /* the damage is the reason */
        probe_release(&probe);
        assert_int_equal(path_join(path, at("probe"), "probe.safetensors"), 0);
        tensors_read(&file, path);
        tensor_rows[i].damage(&file);
        probe_publish(at("probe"), &file, sound_json);
        assert_refused(probe_load(&probe, at("probe")), OGPT_EFORMAT, tensor_rows[i].message);
        assert_non_null(strstr(err_message(), "probe.safetensors"));
        assert_null(probe.weight[0]);
        tensors_free(&file);
    }
}

/* ---- the description ---- */

/* Replace a member of probe.json (NULL: remove it). */
static const struct {
    const char *key, *value, *message;
} json_rows[] = {
    {"d_model", "512", "expected shape [512,6,6,3], found [24,6,6,3]"},
    {"d_model", "0", "\"d_model\""},
    {"d_model", "-24", "\"d_model\""},
    {"d_model", "2147483648", "\"d_model\""},
    {"size", "8", "expected shape [24,8,8,3], found [24,6,6,3]"},
    {"size", "5", "\"size\""},
    {"size", "1000000000000", "\"size\""},
    {"classes", "[\"empty\", \"disc\"]", "expected shape [24,6,6,2]"},
    {"classes", "[]", "\"classes\""},
    {"classes", "[1, 2, 3]", "\"classes\""},
    {"site", "\"resid_mid\"", "blocks.1.hook_resid_mid.weight\" is missing"},
    {"site", "\"nowhere\"", "\"nowhere\""},
    {"layers", "[]", "\"layers\""},
    {"layers", "[{\"layer\": 0, \"fitted\": true, \"objective\": 1}]",
     "blocks.0.hook_resid_post.weight\" is missing"},
    {"layers", "[{\"layer\": 99, \"fitted\": true, \"objective\": 1}]", "\"layer\""},
    {"layers", "[{\"layer\": 1, \"fitted\": false}]", "2 tensors, expected 0"},
    {"model_hash", NULL, "\"model_hash\""},
    {"model_hash", "7", "\"model_hash\""},
    {"task", "\"a task of far too many letters\"", "\"task\""},
    {"l2", "\"much\"", "\"l2\""},
    {"format", "0", "\"format\""},
};

static char *json_with(const char *key, const char *value)
{
    char wrapped[256], *text = NULL;
    Js *json = NULL, *row = NULL;
    assert_int_equal(js_parse(&json, sound_json, strlen(sound_json), "probe.json"), 0);
    if (!value) {
        Js *less = js_object();
        const Js *member;
        const char *name;
        void *it = NULL;
        while (js_next(json, &it, &name, &member)) {
            if (strcmp(name, key) != 0) {
                js_set(less, name, js_keep(member));
            }
        }
        js_free(json);
        json = less;
    } else {
        snprintf(wrapped, sizeof(wrapped), "{\"%s\": %s}", key, value);
        assert_int_equal(js_parse(&row, wrapped, strlen(wrapped), "row"), 0);
        js_set(json, key, js_keep(js_member(row, key)));
    }
    assert_int_equal(js_print(&text, json, 2), 0);
    js_free(row);
    js_free(json);
    return text;
}

static void wrong_descriptions(void **state)
{
    for (size_t i = 0; i < sizeof(json_rows) / sizeof(json_rows[0]); i++) {
        Probe probe;
        char *text = json_with(json_rows[i].key, json_rows[i].value);
        probe_publish(at("probe"), &sound, text);
        int rc = probe_load(&probe, at("probe"));
        if (rc != OGPT_EFORMAT || !strstr(err_message(), json_rows[i].message)) {
            fail_msg("%s %s: code %d, \"%s\"", json_rows[i].key, json_rows[i].value, rc,
                     err_message());
        }
        assert_null(probe.weight[0]);
        mem_free(text);
    }
}

static void newer_format(void **state)
{
    Probe probe;
    char *text = json_with("format", "99");
    probe_publish(at("probe"), &sound, text);
    assert_refused(probe_load(&probe, at("probe")), OGPT_EVERSION, "format 99");
    mem_free(text);
}

/* A file in place of the directory: a pickle, the tensors alone, something else. */
static void files_are_no_probes(void **state)
{
    Probe probe;
    put("probe.pth", "\x80\2}q\1X\5\0\0\0", 10);
    assert_refused(probe_load(&probe, at("probe.pth")), OGPT_EFORMAT, "torch.load(");
    put("probe.txt", "squares and classes", 19);
    assert_refused(probe_load(&probe, at("probe.txt")), OGPT_EFORMAT, "a probe is a directory");
    tensors_write(&sound, at("alone.safetensors"));
    assert_refused(probe_load(&probe, at("alone.safetensors")), OGPT_EFORMAT,
                   "expected a probe directory, found a file; ogpt convert");
    assert_refused(probe_load(&probe, at("nothing")), OGPT_EIO, "nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_tensors),
        cmocka_unit_test(wrong_descriptions),
        cmocka_unit_test(newer_format),
        cmocka_unit_test(files_are_no_probes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
