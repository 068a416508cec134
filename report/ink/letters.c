/* report/ink/letters.c - contract in report/ink/letters.h. */
#include "report/ink/letters.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define GLYPH(code_, advance_, outline_) {code_, advance_, outline_},
static const Letter letters[] = {
#include "report/ink/glyphs.def"
};
static const Letter box = {0xfffd, 600,
                           "M60 0L60 -714L540 -714L540 0ZM120 -60L480 -60L480 -654L120 -654Z"};

static const Letter *letter_of(uint32_t code)
{
    size_t low = 0, high = sizeof(letters) / sizeof(letters[0]);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (letters[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < sizeof(letters) / sizeof(letters[0]) && letters[low].code == code;
    return found ? &letters[low] : &box;
}

const Letter *letters_next(const char **text)
{
    const unsigned char *c = (const unsigned char *)*text;
    size_t n = c[0] < 0x80         ? 1
               : (c[0] >> 5) == 6  ? 2
               : (c[0] >> 4) == 14 ? 3
               : (c[0] >> 3) == 30 ? 4
                                   : 0;
    uint32_t code = n <= 1 ? c[0] : c[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((c[i] & 0xc0) != 0x80) {
            n = 0;
            break;
        }
        code = code << 6 | (c[i] & 0x3fu);
    }
    *text += n > 0 ? n : 1;
    return n > 0 ? letter_of(code) : &box;
}

double letters_width(const char *text, double size)
{
    double width = 0;
    while (*text != '\0') {
        width += letters_next(&text)->advance;
    }
    return width * size / LETTERS_UNITS;
}

/* The first `n` letters of a text, in bytes. */
static size_t bytes_of(const char *text, size_t n)
{
    const char *c = text;
    while (n-- > 0 && *c != '\0') {
        letters_next(&c);
    }
    return (size_t)(c - text);
}

void letters_fit(char *out, size_t room, const char *text, double size, double width)
{
    size_t n = 0;
    for (const char *c = text; *c != '\0'; n++) {
        letters_next(&c);
    }
    snprintf(out, room, "%s", text);
    if (letters_width(text, size) <= width && strlen(text) < room) {
        return;
    }
    for (size_t kept = n; kept > 1; kept--) {
        size_t front = bytes_of(text, (kept + 1) / 2), back = bytes_of(text, n - kept / 2);
        snprintf(out, room, "%.*s\xe2\x80\xa6%s", (int)front, text, text + back);
        if (front + 3 + strlen(text + back) < room && letters_width(out, size) <= width) {
            return;
        }
    }
    snprintf(out, room, "\xe2\x80\xa6");
}
