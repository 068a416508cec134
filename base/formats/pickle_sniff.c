/* base/formats/pickle_sniff.c - recognise pickles, archives and compressed files by their first
 * bytes. */
#define _GNU_SOURCE
#include "base/formats/pickle_sniff.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/files.h"

/* Eight little-endian bytes of a length below 2^32, then the '{' of a JSON header. */
static bool is_safetensors(const uint8_t *head, size_t n)
{
    static const uint8_t zeros[4] = {0};
    return n > 8 && memcmp(head + 4, zeros, sizeof(zeros)) == 0 && head[8] == '{';
}

static bool is_zip(const uint8_t *head, size_t n)
{
    return n >= 4 && head[0] == 'P' && head[1] == 'K' &&
           ((head[2] == 3 && head[3] == 4) || (head[2] == 5 && head[3] == 6));
}

/* Protocols 2 to 5: PROTO, its number, then another opcode (0 is none). */
static bool is_binary_pickle(const uint8_t *head, size_t n)
{
    return n >= 3 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 && head[2] != 0;
}

/* Protocol 0 begins "(dp0\n" or "(lp0\n", protocol 1 "}q\0" or "]q\0". */
static bool is_early_pickle(const uint8_t *head, size_t n)
{
    return (n >= 4 && head[0] == '(' && (head[1] == 'd' || head[1] == 'l') && head[2] == 'p' &&
            head[3] >= '0' && head[3] <= '9') ||
           (n >= 3 && (head[0] == '}' || head[0] == ']') && head[1] == 'q' && head[2] == 0);
}

bool looks_like_pickle(const uint8_t *head, size_t n)
{
    return is_zip(head, n) || is_early_pickle(head, n) ||
           (is_binary_pickle(head, n) && !is_safetensors(head, n));
}

/* The name of the first entry of a zip archive, as far as the head holds it; its bytes lie at
 * offset 30, their number at 26. */
static size_t zip_entry(const uint8_t **name, const uint8_t *head, size_t n)
{
    size_t length = n > 30 ? (size_t)head[26] | (size_t)head[27] << 8 : 0;
    *name = head + 30;
    return n > 30 && length > n - 30 ? n - 30 : length;
}

static bool ends_with(const uint8_t *name, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length >= n && memcmp(name + length - n, end, n) == 0;
}

/* Archives of torch.save; without a name to judge by, a zip archive is taken for one. */
static bool is_torch(const uint8_t *head, size_t n)
{
    const uint8_t *name;
    size_t length = is_zip(head, n) ? zip_entry(&name, head, n) : 0;
    return is_zip(head, n) && (length == 0 || ends_with(name, length, "/data.pkl"));
}

static const struct {
    const char *kind, *tool, *magic;
    size_t length;
} compressed[] = {
    {"gzip", "gunzip -k", "\x1f\x8b\x08", 3},
    {"bzip2", "bunzip2 -k", "BZh", 3},
    {"xz", "unxz -k",
     "\xfd"
     "7zXZ",
     5},
    {"Zstandard", "unzstd", "\x28\xb5\x2f\xfd", 4},
};

int packed_refuse(const uint8_t *head, size_t n, const char *path, const char *expected,
                  const char *remedy)
{
    if (is_safetensors(head, n)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(compressed) / sizeof(compressed[0]); i++) {
        if (n > compressed[i].length &&
            memcmp(head, compressed[i].magic, compressed[i].length) == 0) {
            return err_set(OGPT_EFORMAT, "%s: expected %s, found a %s file; unpack it first: %s %s",
                           path, expected, compressed[i].kind, compressed[i].tool, path);
        }
    }
    if (is_zip(head, n) && !is_torch(head, n)) {
        return err_set(OGPT_EFORMAT,
                       "%s: expected %s, found a zip archive; unpack it first (unzip %s) and name "
                       "the file that was in it",
                       path, expected, path);
    }
    if (looks_like_pickle(head, n)) {
        return err_set(OGPT_EFORMAT,
                       "%s: expected %s, found a %s, which is never read because it can run code; "
                       "%s",
                       path, expected,
                       is_zip(head, n) ? "zip archive (a PyTorch .pt, .pth or .ckpt?)"
                                       : "pickle (of PyTorch: .pt, .pth or .ckpt?)",
                       remedy);
    }
    return 0;
}

bool file_is_pickle(const char *path)
{
    uint8_t head[PICKLE_SNIFF_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    ssize_t n = pread(fd, head, sizeof(head), 0);
    close(fd);
    return n > 0 && looks_like_pickle(head, (size_t)n) &&
           (!is_zip(head, (size_t)n) || is_torch(head, (size_t)n));
}
