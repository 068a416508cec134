/* base/formats/base64.h - bytes as text (RFC 4648), and how a page names a script by its hash. */
#ifndef OGPT_BASE_FORMATS_BASE64_H
#define OGPT_BASE_FORMATS_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters of base64 for n bytes. */
#define BASE64_LENGTH(n) (((size_t)(n) + 2) / 3 * 4)
/* out (BASE64_LENGTH(n) + 1) = the bytes as base64 and a NUL. */
void base64_write(char *out, const uint8_t *bytes, size_t n);

/* "sha256-..." of a text, by which a policy lets it run or apply (Content Security Policy Level 2,
 * section 4.2.5). */
#define BASE64_HASH_SIZE (7 + BASE64_LENGTH(32) + 1)
void base64_hash(char out[BASE64_HASH_SIZE], const char *text, size_t length);

#endif
