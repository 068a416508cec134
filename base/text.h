/* base/text.h - text that grows: pages, tables, messages are built in one.
 *
 * A Text starts as {0} and is owned by the code that declared it (text_release). A failed
 * allocation is remembered, not reported: `failed` is then true, `data` is NULL, and later text_add
 * calls do nothing, so a long page needs one check at its end.
 */
#ifndef OGPT_BASE_TEXT_H
#define OGPT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Text {
    char *data; /* NULL while empty */
    size_t length, room;
    bool failed;
} Text;
void text_add(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_release(Text *text);

#endif
