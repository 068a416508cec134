/* tests/fuzz/fuzz_config.c - any JSON as the config.json of a model: refused, or sound, and then
 * written such that reading gives it back. */
#include <string.h>

#include "base/arena.h"
#include "base/js.h"
#include "model/config.h"
#include "tests/fuzz/fuzz.h"

static bool configs_equal(const GptConfig *a, const GptConfig *b)
{
    return a->n_layers == b->n_layers && a->d_model == b->d_model && a->n_heads == b->n_heads &&
           a->d_head == b->d_head && a->d_mlp == b->d_mlp && a->n_ctx == b->n_ctx &&
           a->d_vocab == b->d_vocab && a->eps == b->eps && a->seed == b->seed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GptConfig config;
    GptConfig again;
    Js *json = NULL;
    Js *parsed = NULL;
    char *text = NULL;
    if (js_parse(&json, (const char *)data, size, "config.json") != 0) {
        return 0;
    }
    if (gpt_config_read(&config, json, "config.json") == 0) {
        fuzz_require(!gpt_config_check(&config), "a configuration that was read is sound");
        Js *written = gpt_config_write(&config);
        fuzz_require(js_print(&text, written, 2) == 0 &&
                         js_parse(&parsed, text, strlen(text), "written") == 0,
                     "it can be written");
        config.d_model += fuzz_planted;
        fuzz_require(gpt_config_read(&again, parsed, "written") == 0 &&
                         configs_equal(&again, &config),
                     "what was written reads back to the same");
        js_free(parsed);
        js_free(written);
        mem_free(text);
    }
    js_free(json);
    return 0;
}
