/* base/text.c - text that grows. Contract in base/text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"

#define TEXT_ROOM_FIRST 1024

void text_add(Text *text, const char *format, ...)
{
    va_list arguments;
    if (text->failed) {
        return;
    }
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    size_t wanted = text->length + (size_t)length + 1;
    if (wanted > text->room) {
        size_t room = text->room == 0 ? TEXT_ROOM_FIRST : text->room;
        while (room < wanted) {
            room *= 2;
        }
        char *data = mem_realloc(text->data, room, 1, "the result's text");
        if (!data) {
            text_release(text);
            text->failed = true;
            return;
        }
        text->data = data;
        text->room = room;
    }
    va_start(arguments, format);
    vsnprintf(text->data + text->length, text->room - text->length, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

void text_release(Text *text)
{
    mem_free(text->data);
    *text = (Text){0};
}
