/* tests/model/layouts/test_model_files.c - models of the right format and the wrong content: each
 * is refused with file, key or tensor, expected and found (docs/RELIABILITY.md, bad input).
 */
#include "tests/model/layouts/layout_files.h"

#include <math.h>

#include "base/rng.h"
#include "model/checkpoint.h"
#include "model/layouts/layouts.h"

/* The sound network that each row changes. */
static const GptConfig cfg = {.n_layers = 2,
                              .d_model = 24,
                              .n_heads = 3,
                              .d_head = 8,
                              .d_mlp = 96,
                              .n_ctx = 31,
                              .d_vocab = 33,
                              .eps = 1e-5f};
static TensorFile sound[N_LAYOUTS];

static int set_up(void **state)
{
    Gpt *gpt = NULL;
    if (work_create(state) != 0 || gpt_new(&gpt, &cfg) != 0) {
        return -1;
    }
    gpt_init(gpt, 5, RNG_TEST);
    for (Layout layout = 0; layout < N_LAYOUTS; layout++) {
        Publish *publish = NULL;
        char hash[HASH_HEX_SIZE], path[FILES_PATH_MAX];
        size_t n_tensors = 0;
        Js *fields = js_object();
        if (publish_begin(&publish, at("sound"), true) != 0 ||
            layout_write(publish, &n_tensors, hash, gpt, layout, NULL, false) != 0 ||
            publish_commit(publish, fields) != 0 ||
            path_join(path, at("sound"), "model.safetensors") != 0) {
            return -1;
        }
        js_free(fields);
        tensors_read(&sound[layout], path);
    }
    gpt_free(gpt);
    return 0;
}

static int tear_down(void **state)
{
    for (Layout layout = 0; layout < N_LAYOUTS; layout++) {
        tensors_free(&sound[layout]);
    }
    return work_remove(state);
}

/* ---- configurations ---- */

/* config.json with one member replaced; value NULL removes it. */
typedef struct BadConfig {
    const char *name;
    Layout layout;
    const char *key, *value; /* as JSON */
    const char *message;     /* must be in the refusal; "": accepted */
} BadConfig;

#define TL LAYOUT_TL
#define MINGPT LAYOUT_MINGPT
#define HF LAYOUT_HF_GPT2

static const BadConfig configs[] = {
    {"sound", TL, "x", "1", ""},
    {"others_write_null", TL, "seed", "null", ""},
    {"heads_do_not_divide", TL, "n_heads", "5", "d_model must equal n_heads * d_head"},
    {"d_head_contradicts", TL, "d_head", "16", "d_model must equal n_heads * d_head"},
    {"zero_layers", TL, "n_layers", "0", "\"n_layers\""},
    {"zero_d_model", TL, "d_model", "0", "\"d_model\""},
    {"negative_heads", TL, "n_heads", "-3", "\"n_heads\""},
    {"negative_vocabulary", TL, "d_vocab", "-1", "\"d_vocab\""},
    {"layers_2_31", TL, "n_layers", "2147483648", "\"n_layers\""},
    {"mlp_2_31", TL, "d_mlp", "2147483648", "\"d_mlp\""},
    {"context_2_63", TL, "n_ctx", "9223372036854775807", "\"n_ctx\""},
    {"beyond_integers", TL, "d_model", "18446744073709551616", "too big integer"},
    {"65_layers", TL, "n_layers", "65", "n_layers must be at most 64"},
    {"vocabulary_of_no_byte", TL, "d_vocab", "257", "tokens are bytes"},
    {"product_overflow", TL, "d_mlp", "65536", "\"d_mlp\""},
    {"fraction", TL, "d_model", "24.5", "\"d_model\""},
    {"text", TL, "d_model", "\"24\"", "\"d_model\""},
    {"missing", TL, "d_head", NULL, "\"d_head\""},
    {"other_activation", TL, "act_fn", "\"gelu_new\"",
     "act_fn: expected \"gelu\" (exact), found \"gelu_new\""},
    {"activation_number", TL, "act_fn", "7", "\"act_fn\""},
    {"other_norm", TL, "normalization_type", "\"RMS\"", "found \"RMS\""},
    {"eps_zero", TL, "eps", "0", "eps must lie between 0 and 1"},
    {"eps_negative", TL, "eps", "-1e-5", "eps must lie between 0 and 1"},
    {"eps_text", TL, "eps", "\"small\"", "\"eps\""},
    {"other_width", TL, "d_mlp", "48",
     "\"blocks.0.mlp.W_in\": expected shape [24,48], found [24,96]"},
    {"other_depth", TL, "n_layers", "5", "numbers at least, the file has room for"},
    {"mlp_of_gigabytes", TL, "d_mlp", "65535", "numbers at least, the file has room for"},
    {"fewer_layers", TL, "n_layers", "1", "unexpected tensor 'blocks.1."},
    {"other_context", TL, "n_ctx", "59",
     "\"pos_embed.W_pos\": expected shape [59,24], found [31,24]"},
    {"mingpt_sound", MINGPT, "x", "1", ""},
    {"mingpt_no_heads", MINGPT, "n_head", NULL, "\"n_head\""},
    {"mingpt_zero_heads", MINGPT, "n_head", "0", "\"n_head\""},
    {"mingpt_heads_do_not_divide", MINGPT, "n_head", "7", "24 does not divide into 7 heads"},
    {"mingpt_of_gigabytes", MINGPT, "n_embd", "12288", "numbers at least"},
    {"mingpt_other_width", MINGPT, "n_embd", "12", "\"blocks.0.ln1.weight\": expected shape [12]"},
    {"hf_sound", HF, "x", "1", ""},
    {"hf_tanh", HF, "activation_function", "\"gelu_new\"",
     "activation_function: expected \"gelu\" (exact, by erf), found \"gelu_new\""},
    {"hf_default_is_tanh", HF, "activation_function", NULL, "\"activation_function\""},
    {"hf_no_scale", HF, "scale_attn_weights", "false", "scale_attn_weights: expected true"},
    {"hf_scale_by_layer", HF, "scale_attn_by_inverse_layer_idx", "true", "expected false, found t"},
    {"hf_cross", HF, "add_cross_attention", "true", "add_cross_attention"},
    {"hf_cross_number", HF, "add_cross_attention", "1", "\"add_cross_attention\""},
    {"hf_inner_null", HF, "n_inner", "null", ""},
    {"hf_inner", HF, "n_inner", "95", "expected shape [24,95], found [24,96]"},
    {"hf_inner_zero", HF, "n_inner", "0", "\"n_inner\""},
    {"hf_positions", HF, "n_positions", "30", "expected shape [30,24], found [31,24]"},
    {"hf_vocabulary", HF, "vocab_size", "50257", "\"vocab_size\"|tokens are bytes"},
    {"hf_eps", HF, "layer_norm_epsilon", "2", "eps must lie between 0 and 1"},
};

static char *config_text(const BadConfig *row)
{
    Js *config = layout_config_write(row->layout, &cfg), *value = NULL, *changed = js_object();
    const Js *member;
    const char *key;
    char *text = NULL;
    void *it = NULL;
    if (row->value) {
        char wrapped[128];
        snprintf(wrapped, sizeof(wrapped), "{\"%s\": %s}", row->key, row->value);
        if (js_parse(&value, wrapped, strlen(wrapped), "row") != 0) { /* beyond our integers */
            js_free(changed);
            js_free(config);
            text = mem_strdup(wrapped, "a row");
            return text;
        }
        js_set(changed, row->key, js_keep(js_member(value, row->key)));
    }
    while (js_next(config, &it, &key, &member)) {
        if (strcmp(key, row->key) != 0) {
            js_set(changed, key, js_keep(member));
        }
    }
    assert_int_equal(js_print(&text, changed, 0), 0);
    js_free(value);
    js_free(changed);
    js_free(config);
    return text;
}

/* `message` or one of its alternatives, separated by '|', is in the message that was set. */
static void assert_message(const char *message)
{
    char copy[200];
    snprintf(copy, sizeof(copy), "%s", message);
    for (char *rest = NULL, *one = strtok_r(copy, "|", &rest); one;
         one = strtok_r(NULL, "|", &rest)) {
        if (strstr(err_message(), one)) {
            return;
        }
    }
    fail_msg("expected \"%s\", found \"%s\"", message, err_message());
}

static void config_row(void **state)
{
    const BadConfig *row = *state;
    char *text = config_text(row);
    Gpt *gpt = NULL;
    LayoutFiles files;
    model_publish(at("model"), &sound[row->layout], text);
    mem_free(text);
    assert_int_equal(layout_files_find(&files, at("model")), 0);
    int rc = layout_read(&gpt, row->layout, &files, 0);
    gpt_free(gpt);
    if (row->message[0] == '\0') {
        assert_int_equal(rc, 0);
        return;
    }
    assert_int_equal(rc, OGPT_EFORMAT);
    assert_message(row->message);
    assert_non_null(strstr(err_message(), "/model/")); /* which file */
    if (row->layout == LAYOUT_TL) { /* the reader of every command says the same */
        ModelFile model;
        assert_int_equal(model_load(&model, at("model"), NULL), OGPT_EFORMAT);
        assert_message(row->message);
    }
}

/* ---- tensors ---- */

typedef struct BadTensor {
    const char *name;
    Layout layout;
    void (*damage)(TensorFile *file);
    const char *message;
} BadTensor;

static void is_missing(TensorFile *file)
{
    const char *name = file->names[3];
    tensor_remove(file, name);
}

static void is_extra(TensorFile *file)
{
    tensor_rename(file, file->names[file->n - 1], "blocks.0.attn.W_X");
}

static void is_flat(TensorFile *file)
{
    StEntry *entry = &file->entries[0];
    entry->shape[0] = entry_count(entry);
    entry->rank = 1;
    if (file->entries[0].shape[0] == 24) { /* a vector already: one number fewer */
        entry->shape[0] = 23;
    }
}

static void is_turned(TensorFile *file)
{
    for (size_t i = 0; i < file->n; i++) {
        StEntry *entry = &file->entries[i];
        if (entry->rank == 2 && entry->shape[0] != entry->shape[1]) {
            uint64_t kept = entry->shape[0];
            entry->shape[0] = entry->shape[1];
            entry->shape[1] = kept;
            return;
        }
    }
}

static void is_nan(TensorFile *file)
{
    file->data[5][2] = NAN;
}

static void is_infinite(TensorFile *file)
{
    file->data[5][2] = -INFINITY;
}

static const BadTensor tensors[] = {
    {"missing", TL, is_missing, "is missing"},
    {"extra", TL, is_extra, "unexpected tensor 'blocks.0.attn.W_X'"},
    {"flat", TL, is_flat, "expected shape [24], found [23]"},
    {"turned", TL, is_turned, "expected shape ["},
    {"nan", TL, is_nan, "expected finite numbers, found nan at index 2"},
    {"infinite", TL, is_infinite, "expected finite numbers, found -inf at index 2"},
    {"mingpt_missing", MINGPT, is_missing, "is missing"},
    {"mingpt_extra", MINGPT, is_extra, "unexpected tensor \"blocks.0.attn.W_X\""},
    {"mingpt_flat", MINGPT, is_flat, "expected shape [24], found [23]"},
    {"mingpt_turned", MINGPT, is_turned, "expected shape ["},
    {"mingpt_nan", MINGPT, is_nan, "found nan at index 2"},
    {"hf_missing", HF, is_missing, "is missing"},
    {"hf_extra", HF, is_extra, "and \"blocks.0.attn.W_X\" does not"},
    {"hf_turned", HF, is_turned, "expected shape ["},
    {"hf_infinite", HF, is_infinite, "found -inf at index 2"},
};

static void tensor_row(void **state)
{
    const BadTensor *row = *state;
    LayoutFiles files;
    TensorFile file;
    Gpt *gpt = NULL;
    char *text = config_text(&(BadConfig){"sound", row->layout, "x", "1", ""});
    model_publish(at("model"), &sound[row->layout], text);
    assert_int_equal(layout_files_find(&files, at("model")), 0);
    tensors_read(&file, files.tensors);
    row->damage(&file);
    model_publish(at("model"), &file, text);
    assert_refused(layout_read(&gpt, row->layout, &files, 0), OGPT_EFORMAT, row->message);
    assert_null(gpt);
    if (row->layout == LAYOUT_TL) {
        ModelFile model;
        assert_refused(model_load(&model, at("model"), NULL), OGPT_EFORMAT, row->message);
    }
    tensors_free(&file);
    mem_free(text);
}

/* Double precision is refused by name, with the tensor. */
static void other_dtypes(void **state)
{
    static const char head[] = "{\"embed.W_E\":{\"dtype\":\"F64\",\"shape\":[33,24],"
                               "\"data_offsets\":[0,6336]}}";
    uint64_t length = sizeof(head) - 1;
    char bytes[8 + sizeof(head) + 6336] = {0};
    StFile *file = NULL;
    float out[33 * 24];
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, head, length);
    put("double.safetensors", bytes, 8 + length + 6336);
    assert_int_equal(st_open(&file, at("double.safetensors")), 0);
    assert_refused(st_read_f32(out, file, "embed.W_E", 2, (uint64_t[]){33, 24}, false),
                   OGPT_EFORMAT,
                   "tensor \"embed.W_E\": expected dtype F32, F16 or BF16, found F64");
    st_close(file);
}

/* Pickles in every place where a model is named. */
static void pickles(void **state)
{
    static const char *const heads[] = {"\x80\2}q\1X\5\0\0\0", "PK\3\4\24\0\0\0archive",
                                        "\x80\4\x95\x10\0\0\0\0\0\0\0", "(dp0\nS'model'\np1\n"};
    static const size_t sizes[] = {10, 16, 12, 17};
    for (size_t i = 0; i < 4; i++) {
        ModelFile model;
        LayoutFiles files;
        Gpt *gpt = NULL;
        put("model.pth", heads[i], sizes[i]);
        assert_int_equal(layout_files_find(&files, at("model.pth")), 0);
        for (Layout layout = 0; layout < LAYOUT_HF_GPT2; layout++) {
            assert_refused(layout_read(&gpt, layout, &files, 8), OGPT_EFORMAT,
                           "never read because it can run code");
        }
        assert_refused(model_load(&model, at("model.pth"), NULL), OGPT_EFORMAT, "torch.load(");
        assert_non_null(strstr(err_message(), "s.save_file("));
    }
}

/* A directory written for another library is refused with the command that converts it back. */
static void foreign_directories(void **state)
{
    ModelFile model;
    Publish *publish = NULL;
    Js *fields = js_object();
    js_set_str(fields, "layout", "mingpt");
    assert_int_equal(publish_begin(&publish, at("foreign"), true), 0);
    assert_int_equal(publish_file(publish, "config.json", "{}", 2), 0);
    assert_int_equal(publish_commit(publish, fields), 0);
    assert_refused(model_load(&model, at("foreign"), NULL), OGPT_EFORMAT,
                   "expected a model in layout tl, found mingpt; bring it back with ogpt convert");
    js_free(fields);
}

#define N(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(other_dtypes),
        cmocka_unit_test(pickles),
        cmocka_unit_test(foreign_directories),
    };
    struct CMUnitTest tests[N(configs) + N(tensors) + N(rest)];
    for (size_t i = 0; i < N(configs); i++) {
        tests[i] = (struct CMUnitTest){
            .name = configs[i].name, .test_func = config_row, .initial_state = (void *)&configs[i]};
    }
    for (size_t i = 0; i < N(tensors); i++) {
        tests[N(configs) + i] = (struct CMUnitTest){
            .name = tensors[i].name, .test_func = tensor_row, .initial_state = (void *)&tensors[i]};
    }
    memcpy(tests + N(configs) + N(tensors), rest, sizeof(rest));
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
