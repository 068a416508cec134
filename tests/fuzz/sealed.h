/* tests/fuzz/sealed.h - any manifest with its own hash corrected, so that the checks after that one
 * are reached. */
#ifndef OGPT_TESTS_FUZZ_SEALED_H
#define OGPT_TESTS_FUZZ_SEALED_H

#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/js.h"
#include "tests/fuzz/fuzz.h"

#define OWN_HASH "manifest_sha256"

/* The text of MANIFEST.json with these members, as base/manifest.h lays it out. Owned. */
static inline char *manifest_sealed(const Js *members)
{
    Js *sealed = js_object();
    void *it = NULL;
    const char *key;
    const Js *value;
    char *text = NULL;
    char hex[HASH_HEX_SIZE];
    while (js_next(members, &it, &key, &value)) {
        if (strcmp(key, OWN_HASH) != 0) {
            js_set(sealed, key, js_keep(value));
        }
    }
    fuzz_require(js_print(&text, sealed, 0) == 0, "members print");
    sha256_of(hex, text, strlen(text));
    mem_free(text);
    js_set_str(sealed, OWN_HASH, hex);
    fuzz_require(js_print(&text, sealed, 2) == 0, "and the manifest");
    const size_t n = strlen(text);
    text = mem_realloc(text, n + 2, 1, "manifest");
    memcpy(text + n, "\n", 2);
    js_free(sealed);
    return text;
}

#endif
