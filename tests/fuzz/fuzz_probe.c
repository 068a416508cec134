/* tests/fuzz/fuzz_probe.c - any JSON as the probe.json of a probe directory whose manifest is right
 * and whose tensors are those of a sound linear probe: refused, or a probe of sound sizes. */
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "game/board.h"
#include "probes/board/probe.h"
#include "tests/fuzz/sealed.h"

/* The tensors of a probe of two layers, three wide, on the 4x4 board. */
static void *tensors;
static size_t n_tensors;

static void tensors_make(void)
{
    Probe probe = {.task = "mine",
                   .labels = "mover",
                   .solver = "newton",
                   .size = 4,
                   .n_squares = 16,
                   .d_model = 3,
                   .n_classes = 3,
                   .n_layers = 2,
                   .classes = {"empty", "theirs", "mine"},
                   .layers = {0, 1},
                   .fitted = {true, true},
                   .site = HOOK_RESID_POST};
    char path[512];
    char file[FILES_PATH_MAX];
    snprintf(path, sizeof(path), "%s/sound", fuzz_dir());
    fuzz_require(probe_allocate(&probe) == 0 && probe_save(&probe, path) == 0 &&
                     path_join(file, path, "probe.safetensors") == 0 &&
                     file_read_all(&tensors, &n_tensors, file, 1 << 20) == 0,
                 "a sound probe can be made");
    probe_release(&probe);
    dir_remove(path);
}

static void file_list(Js *files, const char *name, const void *data, size_t n_bytes)
{
    char hex[HASH_HEX_SIZE];
    Js *entry = js_object();
    sha256_of(hex, data, n_bytes);
    js_set_int(entry, "size", (int64_t)n_bytes);
    js_set_str(entry, "sha256", hex);
    js_set(files, name, entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Probe probe;
    if (!tensors) {
        tensors_make();
    }
    Js *manifest = js_object();
    Js *files = js_object();
    file_list(files, "probe.safetensors", tensors, n_tensors);
    file_list(files, "probe.json", data, size);
    js_set(manifest, "files", files);
    char *text = manifest_sealed(manifest);
    fuzz_file("probe.safetensors", tensors, n_tensors);
    fuzz_file("probe.json", data, size);
    fuzz_file("MANIFEST.json", text, strlen(text));
    if (probe_load(&probe, fuzz_dir()) == 0) {
        fuzz_require(game_variant(probe.size) && probe.n_squares == probe.size * probe.size,
                     "a probe is one of a board");
        fuzz_require(probe.n_layers >= 1 && probe.n_layers <= LAYERS_MAX && probe.n_classes >= 2 &&
                         probe.n_classes <= TASK_MAX_CLASSES,
                     "its counts are in range");
        probe_release(&probe);
    }
    mem_free(text);
    js_free(manifest);
    return 0;
}
