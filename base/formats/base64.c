/* base/formats/base64.c - contract in base/formats/base64.h. */
#include "base/formats/base64.h"

#include <stdio.h>

#include "base/hash.h"

void base64_write(char *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
    *out = '\0';
}

void base64_hash(char out[BASE64_HASH_SIZE], const char *text, size_t length)
{
    char hex[HASH_HEX_SIZE];
    uint8_t digest[32];
    sha256_of(hex, text, length);
    for (size_t i = 0; i < sizeof(digest); i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        digest[i] = (uint8_t)byte;
    }
    snprintf(out, BASE64_HASH_SIZE, "sha256-");
    base64_write(out + 7, digest, sizeof(digest));
}
