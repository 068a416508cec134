/* report/ink/marks.c - contract in report/ink/marks.h. */
#include "report/ink/marks.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

#define WHAT "the marks of a figure"

/* Room for one more mark and n more points. */
static bool room_make(Marks *marks, size_t n)
{
    if (marks->n == marks->room) {
        size_t room = marks->room ? 2 * marks->room : 128;
        Mark *list = mem_realloc(marks->list, room, sizeof(*list), WHAT);
        if (!list) {
            return false;
        }
        marks->list = list;
        marks->room = room;
    }
    if (marks->n_points + n > marks->points_room) {
        size_t room = 2 * (marks->points_room + n) + 256;
        MarkPoint *points = mem_realloc(marks->points, room, sizeof(*points), WHAT);
        if (!points) {
            return false;
        }
        marks->points = points;
        marks->points_room = room;
    }
    return true;
}

void mark_add(Marks *marks, const Mark *mark, const MarkPoint *points, size_t n)
{
    char *text = mark->text && !marks->failed ? mem_strdup(mark->text, WHAT) : NULL;
    if (marks->failed || (mark->text && !text) || !room_make(marks, n)) {
        marks->failed = true;
        mem_free(text);
        return;
    }
    Mark *added = &marks->list[marks->n++];
    *added = *mark;
    added->text = text;
    added->first = marks->n_points;
    added->n = n;
    memcpy(marks->points + marks->n_points, points, n * sizeof(*points));
    marks->n_points += n;
}

void marks_release(Marks *marks)
{
    for (size_t i = 0; i < marks->n; i++) {
        mem_free((void *)(uintptr_t)marks->list[i].text);
    }
    mem_free(marks->list);
    mem_free(marks->points);
    *marks = (Marks){0};
}

void marks_print(Text *out, const Marks *marks)
{
    static const char *const shapes[] = {"line", "area", "rect", "curve", "point", "disc", "text"};
    text_add(out, "page %.1f x %.1f mm\n", marks->width, marks->height);
    for (size_t i = 0; i < marks->n; i++) {
        const Mark *mark = &marks->list[i];
        text_add(out, "%s %s", mark->role, shapes[mark->shape]);
        if (!isnan(mark->x) || !isnan(mark->y)) {
            text_add(out, " of %.6g %.6g", mark->x, mark->y);
        }
        if (mark->text) {
            text_add(out, " '%s'", mark->text);
        }
        for (size_t p = 0; p < mark->n; p++) {
            const MarkPoint *point = &marks->points[mark->first + p];
            text_add(out, "%s%.2f,%.2f", p == 0 ? " at " : " ", point->x, point->y);
        }
        text_add(out, "\n");
    }
}
