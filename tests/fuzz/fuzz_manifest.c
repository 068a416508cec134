/* tests/fuzz/fuzz_manifest.c - any bytes as the MANIFEST.json of a directory of two files. First
 * byte even: as they are; odd: parsed, given the manifest's own hash and printed as it must be, so
 * that what lies behind that check is reached. Whatever verifies must stop to verify when a listed
 * file changes. */
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "tests/fuzz/sealed.h"

static const char tensors[] = "sixteen bytes...";
static const char json[] = "{}\n";

/* Every file that a verified manifest lists has the hash that it lists. */
static void listed_check(const Js *manifest)
{
    static const struct {
        const char *name, *content;
    } known[] = {{"model.safetensors", tensors}, {"config.json", json}};
    bool any = false;
    for (size_t i = 0; i < 2; i++) {
        const char *listed = manifest_file_sha256(manifest, known[i].name);
        char hex[HASH_HEX_SIZE];
        sha256_of(hex, known[i].content, strlen(known[i].content));
        fuzz_require(!listed || strcmp(listed, hex) == 0, "the listed hash is the file's");
        any = any || listed;
    }
    if (!any) {
        return;
    }
    char spoilt[sizeof(tensors)];
    memcpy(spoilt, tensors, sizeof(spoilt));
    spoilt[3] ^= fuzz_planted ? 0 : 4;
    fuzz_file("model.safetensors", spoilt, strlen(spoilt));
    fuzz_file("config.json", fuzz_planted ? json : "[]\n", strlen(json));
    fuzz_require(manifest_verify(NULL, fuzz_dir()) != 0, "a changed file no longer verifies");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    Js *manifest = NULL;
    char *sealed = NULL;
    fuzz_file("model.safetensors", tensors, strlen(tensors));
    fuzz_file("config.json", json, strlen(json));
    if (fuzz_byte(&input) % 2 == 1) {
        Js *parsed = NULL;
        if (js_parse(&parsed, (const char *)input.at, input.n, "input") == 0) {
            sealed = manifest_sealed(parsed);
        }
        js_free(parsed);
    }
    fuzz_file("MANIFEST.json", sealed ? (const void *)sealed : input.at,
              sealed ? strlen(sealed) : input.n);
    if (manifest_verify(&manifest, fuzz_dir()) == 0) {
        listed_check(manifest);
    }
    js_free(manifest);
    mem_free(sealed);
    return 0;
}
