/* base/hash.h - content hashes: SHA-256 (libmd) for artefacts, XXH3 (xxHash) for blocks. */
#ifndef OGPT_BASE_HASH_H
#define OGPT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_HEX_SIZE 65 /* 64 hexadecimal digits and the closing NUL */

typedef struct Sha256 Sha256;
int sha256_new(Sha256 **out); /* 0 or OGPT_ENOMEM */
void sha256_add(Sha256 *state, const void *data, size_t n_bytes);
/* Write the digest as lower-case hexadecimal and free the state. */
void sha256_finish(Sha256 *state, char hex[HASH_HEX_SIZE]);
void sha256_free(Sha256 *state); /* without finishing */

void sha256_of(char hex[HASH_HEX_SIZE], const void *data, size_t n_bytes);
/* Returns 0 or OGPT_EIO. Reads in pieces; any file size. Never use on an open database. */
/* The same for an open file, from its first byte on. `path` is for messages. */
int sha256_fd(char hex[HASH_HEX_SIZE], int fd, const char *path);
int sha256_file(char hex[HASH_HEX_SIZE], const char *path);

uint64_t xxh3(const void *data, size_t n_bytes);

#endif
