/* base/hash.c - see hash.h. */
#define _GNU_SOURCE
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sha256.h>
#include <xxhash.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash_blocks.h"

#define PIECE_BYTES 65536

/* Whole blocks by the processor's own instructions, where it has them and no bytes wait. */
static void update(SHA256_CTX *context, const void *data, size_t n_bytes)
{
    const uint8_t *bytes = data;
#ifdef HASH_BLOCKS
    if (context->bitcount[0] % (8 * SHA256_BLOCK_LENGTH) == 0) {
        const size_t n = n_bytes / SHA256_BLOCK_LENGTH;
        hash_blocks(context->state.st32, bytes, n);
        context->bitcount[0] += 8 * SHA256_BLOCK_LENGTH * n;
        bytes += SHA256_BLOCK_LENGTH * n;
        n_bytes -= SHA256_BLOCK_LENGTH * n;
    }
#endif
    SHA256_Update(context, bytes, n_bytes);
}

struct Sha256 {
    SHA256_CTX context;
};

int sha256_new(Sha256 **out)
{
    *out = mem_alloc(1, sizeof(**out), "a SHA-256 state");
    if (!*out) {
        return OGPT_ENOMEM;
    }
    SHA256_Init(&(*out)->context);
    return 0;
}

void sha256_add(Sha256 *state, const void *data, size_t n_bytes)
{
    update(&state->context, data, n_bytes);
}

static void digest_write(SHA256_CTX *context, char hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_Final(digest, context);
    for (size_t i = 0; i < sizeof(digest); i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * sizeof(digest)] = 0;
}

void sha256_finish(Sha256 *state, char hex[HASH_HEX_SIZE])
{
    digest_write(&state->context, hex);
    sha256_free(state);
}

void sha256_free(Sha256 *state)
{
    mem_free(state);
}

void sha256_of(char hex[HASH_HEX_SIZE], const void *data, size_t n_bytes)
{
    SHA256_CTX context;
    SHA256_Init(&context);
    update(&context, data, n_bytes);
    digest_write(&context, hex);
}

int sha256_fd(char hex[HASH_HEX_SIZE], int fd, const char *path)
{
    int rc = 0;
    off_t at = 0;
    SHA256_CTX context;
    SHA256_Init(&context);
    for (;;) {
        unsigned char piece[PIECE_BYTES];
        ssize_t n = pread(fd, piece, sizeof(piece), at);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            rc = err_set_errno(OGPT_EIO, "%s: cannot be read", path);
            break;
        }
        if (n > 0) {
            update(&context, piece, (size_t)n);
            at += n;
        }
    }
    digest_write(&context, hex);
    return rc;
}

int sha256_file(char hex[HASH_HEX_SIZE], const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(OGPT_EIO, "%s: cannot be opened", path);
    }
    int rc = sha256_fd(hex, fd, path);
    close(fd);
    return rc;
}

uint64_t xxh3(const void *data, size_t n_bytes)
{
    return XXH3_64bits(data, n_bytes);
}
