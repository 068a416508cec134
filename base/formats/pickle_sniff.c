/* base/formats/pickle_sniff.c - recognise pickles and zip archives by their first bytes. */
#define _GNU_SOURCE
#include "base/formats/pickle_sniff.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

bool file_is_pickle(const char *path)
{
    uint8_t head[PICKLE_SNIFF_BYTES];
    int fd = file_exists(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return false;
    }
    ssize_t n = pread(fd, head, sizeof(head), 0);
    close(fd);
    return n > 0 && looks_like_pickle(head, (size_t)n);
}
