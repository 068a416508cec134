/* tests/fuzz/fuzz_paths.c - manifests whose names lead out of their folder: upwards,
 * absolute ones, through links and through folders. Sizes and hashes are those of the files that
 * the names lead to, and the manifest's own hash is right, so nothing but the name can be refused.
 * First byte modulo 3: 0: a manifest is verified; 1: the same beside a sound probe, which is
 * loaded; 2: the names are written to. Then each entry: up to four pieces of a path, a zero byte.
 *
 * What must hold: a manifest verifies exactly if each of its names stays inside, by a rule that is
 * written here once more, and leads to a file; nothing is written outside.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/manifest.h"
#include "probes/board/probe.h"
#include "tests/fuzz/sealed.h"

#define NAME_BYTES 300
#define NAMES_MAX 4
#define LONG_PIECE "a-piece-of-32-letters-of-a-path."
#define OUTSIDE "a file of somebody else\n"

static const char *const pieces[] = {
    "..",          ".",   "",     "/",      "config.json",   "train", "state.json", "link",
    "outside.txt", "run", "made", "folder", "MANIFEST.json", NULL,    "probe.json", LONG_PIECE,
}; /* NULL: the root of all of it, an absolute path */
#define N_PIECES (sizeof(pieces) / sizeof(pieces[0]))

static char root[400];

static void must(bool holds)
{
    fuzz_require(holds, "the target can make its files");
}

static const char *at(const char *name)
{
    static char path[NAME_BYTES + 512];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    return path;
}

/* The folder "run" with two files, a link out of it and a link to its parent; a probe; a file
 * beside both. */
static void folders_make(void)
{
    Probe probe = {.task = "mine",
                   .labels = "mover",
                   .solver = "newton",
                   .size = 4,
                   .n_squares = 16,
                   .d_model = 3,
                   .n_classes = 3,
                   .n_layers = 1,
                   .classes = {"empty", "theirs", "mine"},
                   .layers = {0},
                   .fitted = {true},
                   .site = HOOK_RESID_POST};
    snprintf(root, sizeof(root), "%s", fuzz_dir());
    must(file_write_atomic(at("outside.txt"), OUTSIDE, strlen(OUTSIDE), true) == 0);
    must(dir_create(at("run/train")) == 0);
    must(file_write_atomic(at("run/config.json"), "{}\n", 3, true) == 0);
    must(file_write_atomic(at("run/train/state.json"), "[]\n", 3, true) == 0);
    must(symlink("../outside.txt", at("run/link")) == 0 && symlink("..", at("run/folder")) == 0);
    must(probe_allocate(&probe) == 0 && probe_save(&probe, at("probe")) == 0);
    probe_release(&probe);
}

/* One name; false when the input has ended. */
static bool name_take(char name[NAME_BYTES], FuzzInput *input)
{
    size_t n = 0;
    if (input->n == 0) {
        return false;
    }
    for (int i = 0; i < 8; i++) {
        const uint8_t choice = fuzz_byte(input);
        if (choice == 0) {
            break;
        }
        if (choice < 128) {
            const char *piece = pieces[choice % N_PIECES];
            n += (size_t)snprintf(name + n, NAME_BYTES - n, "%s", piece ? piece : root);
        } else { /* one letter */
            name[n++] = (char)(1 + (choice - 128) % 126);
        }
        if (i < 7 && input->n > 0 && *input->at != 0 && n + 100 < NAME_BYTES) {
            continue;
        }
        break;
    }
    name[n] = '\0';
    if (input->n > 0 && *input->at == 0) {
        fuzz_byte(input);
    }
    return true;
}

/* The rule once more: one or two parts of letters, digits, '.', '_' and '-', of which none begins
 * with one of the last three, so none is "..", and not the manifest itself. */
static bool stays_inside(const char *name)
{
    size_t n_parts = 1, n = 0;
    for (const char *c = name;; c++) {
        const bool letter =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (*c == '/' || *c == '\0') {
            if (n == 0 || n > 64) {
                return false;
            }
            if (*c == '\0') {
                break;
            }
            n_parts++;
            n = 0;
        } else if (letter || (n > 0 && (*c == '.' || *c == '_' || *c == '-'))) {
            n++;
        } else {
            return false;
        }
    }
    return n_parts <= 2 && strcmp(name, "MANIFEST.json") != 0;
}

/* Describe the file that a name leads to, wherever that is. */
static void entry_add(Js *files, const char *folder, const char *name)
{
    char path[NAME_BYTES + 512], hex[HASH_HEX_SIZE] = "";
    struct stat info;
    Js *entry = js_object();
    snprintf(path, sizeof(path), "%s/%s/%s", root, folder, name);
    if (name[0] == '/' && access(path, F_OK) != 0) {
        snprintf(path, sizeof(path), "%s", name);
    }
    const bool there = stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size < 1 << 20 &&
                       sha256_file(hex, path) == 0;
    js_set_int(entry, "size", there ? (int64_t)info.st_size : 0);
    js_set_str(entry, "sha256", hex);
    js_set(files, name, entry);
}

/* Each name stays inside and leads to a file. */
static bool all_inside(const Js *files, const char *folder)
{
    void *it = NULL;
    const char *name;
    const Js *entry;
    bool inside = true;
    while (js_next(files, &it, &name, &entry)) {
        char path[NAME_BYTES + 512];
        struct stat info;
        snprintf(path, sizeof(path), "%s/%s/%s", root, folder, name);
        inside = inside && stays_inside(name) && stat(path, &info) == 0 && S_ISREG(info.st_mode);
    }
    return inside;
}

static void manifest_check(FuzzInput *input, bool of_probe)
{
    const char *folder = of_probe ? "probe" : "run";
    char name[NAME_BYTES];
    Js *manifest = js_object(), *files = js_object();
    Probe probe;
    if (of_probe) {
        entry_add(files, folder, "probe.json");
        entry_add(files, folder, "probe.safetensors");
    }
    for (int i = 0; i < NAMES_MAX && name_take(name, input); i++) {
        entry_add(files, folder, name);
    }
    js_set(manifest, "files", files);
    bool expected = all_inside(files, folder);
    char *text = manifest_sealed(manifest);
    char path[512];
    snprintf(path, sizeof(path), "%s/%s/MANIFEST.json", root, folder);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    mem_free(text);
    js_free(manifest);
    fuzz_plant(&expected, sizeof(expected));
    const int rc = manifest_verify(NULL, at(folder));
    fuzz_require((rc == 0) == expected, "a manifest verifies exactly if its names stay inside");
    if (of_probe && probe_load(&probe, at(folder)) == 0) {
        fuzz_require(expected, "no probe is loaded whose manifest leads out");
        probe_release(&probe);
    }
}

/* Names that are written to. */
static void publish_check(FuzzInput *input)
{
    Publish *publish = NULL;
    char name[NAME_BYTES];
    void *bytes = NULL;
    size_t n_bytes = 0;
    must(publish_begin(&publish, at("made"), true) == 0);
    for (int i = 0; i < NAMES_MAX && name_take(name, input); i++) {
        bool expected = stays_inside(name);
        fuzz_plant(&expected, sizeof(expected));
        if (publish_file(publish, name, "x", 1) == 0) {
            fuzz_require(expected, "what is published stays inside");
        }
    }
    publish_abort(publish);
    must(file_read_all(&bytes, &n_bytes, at("outside.txt"), 1 << 10) == 0);
    fuzz_require(n_bytes == strlen(OUTSIDE) && memcmp(bytes, OUTSIDE, n_bytes) == 0,
                 "nothing is written outside");
    mem_free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = {data, size};
    if (root[0] == '\0') {
        folders_make();
    }
    switch (fuzz_byte(&input) % 3) {
    case 0: manifest_check(&input, false); break;
    case 1: manifest_check(&input, true); break;
    default: publish_check(&input); break;
    }
    return 0;
}
