/* report/ink/letters.h - the letters of figures: outlines of one font, compiled in, so that a
 * figure needs no font and has the same measures on every machine. What the font lacks is a box. */
#ifndef OGPT_REPORT_INK_LETTERS_H
#define OGPT_REPORT_INK_LETTERS_H

#include <stddef.h>
#include <stdint.h>

#define LETTERS_UNITS 1000.0 /* of an outline, to the size of the font */

typedef struct Letter {
    uint32_t code; /* of Unicode */
    int advance;   /* in units */
    const char
        *outline; /* "M x y L x y C x y x y x y Z" in units, y downwards from the base line */
} Letter;

/* The letter that `text` begins with, and the text behind it; bytes that are no UTF-8 and control
 * characters are a box. The text must not be empty. */
const Letter *letters_next(const char **text);
/* Width of a text whose font has this size, in the unit of the size. */
double letters_width(const char *text, double size);
/* The text, or its beginning and end with an ellipsis between them, at most `width` wide; into
 * out[room]. */
void letters_fit(char *out, size_t room, const char *text, double size, double width);

#endif
