/* tests/fuzz/fuzz.c - see fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"

#define NAMES_MAX 8

bool fuzz_planted;
unsigned long fuzz_noticed;

void fuzz_require(bool holds, const char *what)
{
    if (holds) {
        return;
    }
    if (fuzz_planted) {
        fuzz_noticed++;
        return;
    }
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

void fuzz_plant(void *bytes, size_t n_bytes)
{
    if (fuzz_planted && n_bytes > 0) {
        ((uint8_t *)bytes)[n_bytes / 2] ^= 1;
    }
}

uint8_t fuzz_byte(FuzzInput *input)
{
    if (input->n == 0) {
        return 0;
    }
    input->n--;
    return *input->at++;
}

uint64_t fuzz_number(FuzzInput *input, size_t n_bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        number |= (uint64_t)fuzz_byte(input) << 8 * i;
    }
    return number;
}

const uint8_t *fuzz_until(size_t *n_bytes, FuzzInput *input, uint8_t stop)
{
    const uint8_t *start = input->at;
    const uint8_t *end = input->n > 0 ? memchr(start, stop, input->n) : NULL;
    *n_bytes = end ? (size_t)(end - start) : input->n;
    const size_t eaten = *n_bytes + (end ? 1 : 0);
    input->at += eaten;
    input->n -= eaten;
    return start;
}

/* A target that cannot write its files has found nothing, and must not pass. */
static void give_up(const char *what)
{
    perror(what);
    abort();
}

static char directory[256];

static void directory_remove(void)
{
    dir_remove(directory);
}

const char *fuzz_dir(void)
{
    if (directory[0] == '\0') {
        const char *base = getenv("TMPDIR");
        if (!base) {
            base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        }
        snprintf(directory, sizeof(directory), "%s/ogpt-fuzz-XXXXXX", base);
        if (!mkdtemp(directory)) {
            give_up(directory);
        }
        atexit(directory_remove);
    }
    return directory;
}

const char *fuzz_file(const char *name, const void *data, size_t n_bytes)
{
    static struct {
        char name[64], path[512];
        int fd;
    } files[NAMES_MAX];
    static size_t n_files;
    size_t i = 0;
    while (i < n_files && strcmp(files[i].name, name) != 0) {
        i++;
    }
    if (i == n_files) {
        if (n_files == NAMES_MAX) {
            give_up("too many file names");
        }
        snprintf(files[i].name, sizeof(files[i].name), "%s", name);
        snprintf(files[i].path, sizeof(files[i].path), "%s/%s", fuzz_dir(), name);
        files[i].fd = open(files[i].path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        n_files += files[i].fd >= 0;
    }
    if (files[i].fd < 0 || ftruncate(files[i].fd, 0) != 0 ||
        (n_bytes > 0 && pwrite(files[i].fd, data, n_bytes, 0) != (ssize_t)n_bytes)) {
        give_up(files[i].path);
    }
    return files[i].path;
}
