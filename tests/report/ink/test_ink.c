/* tests/report/ink/test_ink.c - a drawing as PNG, PDF and SVG: not blank, within its frame, the
 * same bytes each time, and letters where they were measured. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/ink/ink.h"
#include "report/ink/letters.h"

static const InkWords words = {"A <title>", "numbers & more", "p-"};

static Marks drawing(const char *text)
{
    Marks marks = {.width = 30, .height = 20};
    const Mark none = {.stroke = MARK_NONE, .fill = MARK_NONE, .x = NAN, .y = NAN};
    Mark mark = none;
    mark.role = "rect";
    mark.shape = MARK_RECT;
    mark.fill = 0x0072b2;
    mark_add(&marks, &mark, (MarkPoint[]){{5, 5}, {10, 10}}, 2);
    mark.role = "line";
    mark.shape = MARK_LINE;
    mark.fill = MARK_NONE;
    mark.stroke = 0xd55e00;
    mark.width = 0.5;
    mark.size = 2;
    mark_add(&marks, &mark, (MarkPoint[]){{12, 15}, {25, 5}}, 2);
    mark = none;
    mark.role = "text";
    mark.shape = MARK_TEXT;
    mark.fill = 0;
    mark.size = 3;
    mark.anchor = 0;
    mark.text = text;
    mark_add(&marks, &mark, &(MarkPoint){15, 18}, 1);
    assert_false(marks.failed);
    return marks;
}

static Text drawn(const Marks *marks, FigureFormat format)
{
    Text out = {0};
    assert_int_equal(ink_draw(&out, marks, format, &words), 0);
    return out;
}

#ifndef OGPT_NO_CAIRO
#include <cairo.h>

typedef struct Reader {
    const Text *from;
    size_t at;
} Reader;

static cairo_status_t bytes_read(void *closure, unsigned char *data, unsigned int length)
{
    Reader *reader = closure;
    if (reader->at + length > reader->from->length) {
        return CAIRO_STATUS_READ_ERROR;
    }
    memcpy(data, reader->from->data + reader->at, length);
    reader->at += length;
    return CAIRO_STATUS_SUCCESS;
}

/* Pixels that are not white in the part of a picture from (x0, y0) to (x1, y1), in mm. */
static size_t inked(cairo_surface_t *surface, double x0, double y0, double x1, double y1)
{
    const double per_mm = FIGURE_DOTS_PER_INCH / 25.4;
    const unsigned char *data = cairo_image_surface_get_data(surface);
    size_t n = 0;
    for (int y = (int)(y0 * per_mm); y < (int)(y1 * per_mm); y++) {
        for (int x = (int)(x0 * per_mm); x < (int)(x1 * per_mm); x++) {
            uint32_t pixel;
            memcpy(&pixel, data + y * cairo_image_surface_get_stride(surface) + 4 * x, 4);
            n += (pixel & 0xffffff) != 0xffffff;
        }
    }
    return n;
}

static void a_picture_is_not_blank_and_within_its_frame(void **state)
{
    Marks marks = drawing("within");
    Text png = drawn(&marks, FIGURE_PNG);
    Reader reader = {&png, 0};
    cairo_surface_t *surface = cairo_image_surface_create_from_png_stream(bytes_read, &reader);
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    assert_int_equal(cairo_image_surface_get_width(surface), (int)ceil(30 * 300 / 25.4));
    assert_int_equal(cairo_image_surface_get_height(surface), (int)ceil(20 * 300 / 25.4));
    assert_memory_equal(png.data + 37, "pHYs", 4);
    assert_true(inked(surface, 5, 5, 10, 10) > 3000); /* the rectangle */
    assert_int_equal(inked(surface, 0, 0, 30, 4), 0);
    assert_int_equal(inked(surface, 0, 0, 4, 20), 0);
    assert_int_equal(inked(surface, 26, 0, 30, 20), 0);
    /* The letters lie where they were measured, half of them on each side of their point. */
    double half = letters_width("within", 3) / 2;
    assert_true(inked(surface, 15 - half, 15.5, 15 + half, 19) > 100);
    assert_int_equal(inked(surface, 0, 15.5, 15 - half - 0.2, 19), 0);
    assert_int_equal(inked(surface, 15 + half + 0.2, 15.5, 30, 19), 0);
    cairo_surface_destroy(surface);
    text_release(&png);
    marks_release(&marks);
    (void)state;
}

static void equal_marks_give_equal_bytes(void **state)
{
    for (int format = 0; format < FIGURE_FORMATS; format++) {
        Marks marks = drawing("same"), other = drawing("sane");
        Text a = drawn(&marks, (FigureFormat)format), b = drawn(&marks, (FigureFormat)format);
        Text c = drawn(&other, (FigureFormat)format);
        assert_int_equal(a.length, b.length);
        assert_memory_equal(a.data, b.data, a.length);
        assert_false(a.length == c.length && memcmp(a.data, c.data, a.length) == 0);
        text_release(&a);
        text_release(&b);
        text_release(&c);
        marks_release(&marks);
        marks_release(&other);
    }
    (void)state;
}

static void svg_says_what_it_shows(void **state)
{
    Marks marks = drawing("words");
    Text svg = drawn(&marks, FIGURE_SVG), pdf = drawn(&marks, FIGURE_PDF);
    assert_memory_equal(svg.data, "<svg role=\"img\"", 15);
    assert_non_null(strstr(svg.data, "<title>A &lt;title&gt;</title>"));
    assert_non_null(strstr(svg.data, "<desc>numbers &amp; more</desc>"));
    for (const char *id = svg.data; (id = strstr(id, " id=\"")); id++) {
        assert_memory_equal(id, " id=\"p-", 7);
    }
    for (const char *use = svg.data; (use = strstr(use, "href=\"#")); use++) {
        assert_memory_equal(use, "href=\"#p-", 9);
    }
    assert_null(strstr(svg.data, "<text")); /* letters are outlines */
    assert_memory_equal(pdf.data, "%PDF", 4);
    text_release(&svg);
    text_release(&pdf);
    marks_release(&marks);
    (void)state;
}
#endif

static void texts_are_cut_to_their_room(void **state)
{
    char out[64];
    letters_fit(out, sizeof(out), "short", 2, 100);
    assert_string_equal(out, "short");
    letters_fit(out, sizeof(out), "a long path/with a name.csv", 2, 20);
    assert_true(letters_width(out, 2) <= 20);
    assert_non_null(strstr(out, "\xe2\x80\xa6"));
    assert_string_equal(out + strlen(out) - 2, "sv");
    letters_fit(out, sizeof(out), "\xff\xfe bytes", 2, 100); /* no UTF-8: boxes */
    const char *c = "\xff";
    assert_int_equal(letters_next(&c)->code, 0xfffd);
    c = "\xc3\xa9";
    assert_int_equal(letters_next(&c)->code, 0xe9);
    assert_int_equal(*c, '\0');
    (void)state;
}

static void without_cairo_it_is_said(void **state)
{
    Marks marks = drawing("x");
    Text out = {0};
    assert_int_equal(ink_check() == 0, ink_draw(&out, &marks, FIGURE_PNG, &words) == 0);
    text_release(&out);
    marks_release(&marks);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifndef OGPT_NO_CAIRO
        cmocka_unit_test(a_picture_is_not_blank_and_within_its_frame),
        cmocka_unit_test(equal_marks_give_equal_bytes),
        cmocka_unit_test(svg_says_what_it_shows),
#endif
        cmocka_unit_test(texts_are_cut_to_their_room),
        cmocka_unit_test(without_cairo_it_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
