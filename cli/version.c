/* cli/version.c - ogpt version: of the program and its libraries. */
#include "cli/framework.h"

static int version_run(Context *context)
{
    Text *text = study_text(context);
    Js *versions = program__get()->versions(true);
    void *it = NULL;
    const char *key = NULL;
    const Js *value = NULL;
    while (js_next(versions, &it, &key, &value)) {
        if (js_type(value) == JS_INT) {
            text_add(text, "%s %lld\n", key, (long long)js_int_of(value));
        } else {
            text_add(text, "%s %s\n", key, js_str_of(value));
        }
    }
    study_json_all(context, versions);
    return 0;
}

const Command version_command = {
    .name = "version",
    .arguments = "",
    .summary = "versions of the program and its libraries",
    .examples = "ogpt version\nogpt version --json",
    .uses = USES_RANKS,
    .run = version_run,
};
