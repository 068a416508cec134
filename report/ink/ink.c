/* report/ink/ink.c - contract in report/ink/ink.h. Built without cairo, it only says so. */
#include "report/ink/ink.h"

#include "base/err.h"

#ifndef OGPT_NO_CAIRO

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "report/ink/letters.h"

#define POINTS_PER_MM (72.0 / 25.4)
#define PIXELS_PER_MM (FIGURE_DOTS_PER_INCH / 25.4)
#define OUTLINE_STROKE 0.12 /* mm, of markers */

/* ---- bytes ---- */

static bool bytes_add(Text *out, const void *data, size_t n)
{
    if (out->failed) {
        return false;
    }
    if (out->length + n + 1 > out->room) {
        size_t room = 2 * (out->length + n) + 4096;
        char *grown = mem_realloc(out->data, room, 1, "a figure");
        if (!grown) {
            text_release(out);
            out->failed = true;
            return false;
        }
        out->data = grown;
        out->room = room;
    }
    memcpy(out->data + out->length, data, n);
    out->length += n;
    out->data[out->length] = '\0';
    return true;
}

static cairo_status_t bytes_take(void *closure, const unsigned char *data, unsigned int length)
{
    return bytes_add(closure, data, length) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

/* ---- letters ---- */

/* Add an outline to the path, in units of the font's size. */
static void outline_path(cairo_t *cr, const char *outline)
{
    const char *c = outline;
    while (*c != '\0') {
        char step = *c++;
        double v[6] = {0};
        int n = step == 'C' ? 6 : step == 'Z' ? 0 : 2;
        for (int i = 0; i < n; i++) {
            char *end;
            v[i] = (double)strtol(c, &end, 10) / LETTERS_UNITS;
            c = end;
        }
        switch (step) {
        case 'M': cairo_move_to(cr, v[0], v[1]); break;
        case 'L': cairo_line_to(cr, v[0], v[1]); break;
        case 'C': cairo_curve_to(cr, v[0], v[1], v[2], v[3], v[4], v[5]); break;
        default: cairo_close_path(cr); break;
        }
    }
}

/* A letter by its code, written as UTF-8 to ask for it. */
static const Letter *letter_coded(unsigned long code)
{
    char text[5] = {0};
    const char *c = text;
    if (code < 0x80) {
        text[0] = (char)code;
    } else if (code < 0x800) {
        text[0] = (char)(0xc0 | code >> 6);
        text[1] = (char)(0x80 | (code & 0x3f));
    } else {
        text[0] = (char)(0xe0 | code >> 12);
        text[1] = (char)(0x80 | (code >> 6 & 0x3f));
        text[2] = (char)(0x80 | (code & 0x3f));
    }
    return letters_next(&c);
}

static cairo_status_t letter_render(cairo_scaled_font_t *font, unsigned long glyph, cairo_t *cr,
                                    cairo_text_extents_t *extents)
{
    const Letter *letter = letter_coded(glyph);
    extents->x_advance = letter->advance / LETTERS_UNITS;
    outline_path(cr, letter->outline);
    cairo_fill(cr);
    return CAIRO_STATUS_SUCCESS;
}

static void text_ink(cairo_t *cr, const Mark *mark, MarkPoint at)
{
    cairo_glyph_t glyphs[256];
    int n = 0;
    double x = at.x - letters_width(mark->text, mark->size) * (mark->anchor + 1) / 2.0;
    for (const char *c = mark->text; *c != '\0' && n < 256; n++) {
        const Letter *letter = letters_next(&c);
        glyphs[n] = (cairo_glyph_t){.index = letter->code, .x = x, .y = at.y};
        x += letter->advance * mark->size / LETTERS_UNITS;
    }
    cairo_set_font_size(cr, mark->size);
    cairo_show_glyphs(cr, glyphs, n);
}

/* ---- shapes ---- */

static void colour_set(cairo_t *cr, uint32_t colour, double alpha)
{
    cairo_set_source_rgba(cr, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
                          (colour & 255) / 255.0, alpha > 0 ? alpha : 1);
}

static void path_ink(cairo_t *cr, const Mark *mark)
{
    static const double dashes[DASHES][6] = {{0},        {1.6, 0.8},
                                             {0.4, 0.7}, {2.2, 0.6, 0.4, 0.6},
                                             {3.2, 0.8}, {1.2, 0.5, 0.4, 0.5, 0.4, 0.5}};
    static const int n_dashes[DASHES] = {0, 2, 2, 4, 2, 6};
    if (mark->fill != MARK_NONE) {
        colour_set(cr, mark->fill, mark->alpha);
        cairo_fill_preserve(cr);
    }
    if (mark->stroke != MARK_NONE) {
        colour_set(cr, mark->stroke, 1);
        cairo_set_line_width(cr, mark->width);
        cairo_set_dash(cr, dashes[mark->dash], n_dashes[mark->dash], 0);
        cairo_stroke_preserve(cr);
    }
    cairo_new_path(cr);
}

/* Corners of markers, as multiples of the radius; a marker without corners is a disc. */
static void marker_path(cairo_t *cr, int marker, MarkPoint at, double r)
{
    static const struct {
        int n;
        double x[12], y[12];
    } shapes[MARKERS / 2] = {
        {0, {0}, {0}},
        {4, {-0.9, 0.9, 0.9, -0.9}, {-0.9, -0.9, 0.9, 0.9}},
        {3, {0, 1.15, -1.15}, {-1.15, 0.85, 0.85}},
        {4, {0, 1.25, 0, -1.25}, {-1.25, 0, 1.25, 0}},
    };
    int shape = marker % (MARKERS / 2);
    cairo_new_sub_path(cr);
    if (shapes[shape].n == 0) {
        cairo_arc(cr, at.x, at.y, r, 0, 2 * M_PI);
    }
    for (int i = 0; i < shapes[shape].n; i++) {
        cairo_line_to(cr, at.x + r * shapes[shape].x[i], at.y + r * shapes[shape].y[i]);
    }
    cairo_close_path(cr);
}

/* The head of an arrow that ends at b. */
static void head_ink(cairo_t *cr, const Mark *mark, MarkPoint a, MarkPoint b)
{
    double angle = atan2(b.y - a.y, b.x - a.x);
    for (int side = -1; side <= 1; side += 2) {
        double turned = angle + M_PI + side * 0.42;
        if (side < 0) {
            cairo_move_to(cr, b.x, b.y);
        }
        cairo_line_to(cr, b.x + mark->size * cos(turned), b.y + mark->size * sin(turned));
    }
    cairo_close_path(cr);
    colour_set(cr, mark->stroke, 1);
    cairo_fill(cr);
}

static void mark_ink(cairo_t *cr, const Mark *mark, const MarkPoint *p)
{
    switch (mark->shape) {
    case MARK_TEXT:
        colour_set(cr, mark->fill, mark->alpha);
        text_ink(cr, mark, p[0]);
        return;
    case MARK_RECT: cairo_rectangle(cr, p[0].x, p[0].y, p[1].x - p[0].x, p[1].y - p[0].y); break;
    case MARK_DISC:
        cairo_new_sub_path(cr);
        cairo_arc(cr, p[0].x, p[0].y, mark->size, 0, 2 * M_PI);
        break;
    case MARK_POINT: marker_path(cr, mark->marker, p[0], mark->size); break;
    case MARK_CURVE:
        cairo_move_to(cr, p[0].x, p[0].y);
        cairo_curve_to(cr, p[1].x, p[1].y, p[2].x, p[2].y, p[3].x, p[3].y);
        break;
    case MARK_AREA:
    case MARK_LINE:
        for (size_t i = 0; i < mark->n; i++) {
            cairo_line_to(cr, p[i].x, p[i].y);
        }
        if (mark->shape == MARK_AREA) {
            cairo_close_path(cr);
        }
        break;
    }
    path_ink(cr, mark);
    if (mark->shape == MARK_LINE && mark->size > 0 && mark->n > 1) {
        head_ink(cr, mark, p[mark->n - 2], p[mark->n - 1]);
    }
}

/* ---- files ---- */

static cairo_status_t marks_ink(cairo_surface_t *surface, const Marks *marks, double per_mm)
{
    cairo_t *cr = cairo_create(surface);
    cairo_font_face_t *face = cairo_user_font_face_create();
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_user_font_face_set_render_glyph_func(face, letter_render);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cr, options);
    cairo_set_font_face(cr, face);
    cairo_scale(cr, per_mm, per_mm);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    colour_set(cr, 0xffffff, 1);
    cairo_paint(cr);
    for (size_t i = 0; i < marks->n; i++) {
        mark_ink(cr, &marks->list[i], marks->points + marks->list[i].first);
    }
    cairo_show_page(cr);
    cairo_status_t rc = cairo_status(cr);
    cairo_font_options_destroy(options);
    cairo_font_face_destroy(face);
    cairo_destroy(cr);
    return rc;
}

static cairo_status_t png_draw(Text *out, const Marks *marks)
{
    /* The resolution, behind the header: 11811 pixels a metre. */
    static const unsigned char resolution[] = {0x00, 0x00, 0x00, 0x09, 0x70, 0x48, 0x59,
                                               0x73, 0x00, 0x00, 0x2e, 0x23, 0x00, 0x00,
                                               0x2e, 0x23, 0x01, 0x78, 0xa5, 0x3f, 0x76};
    enum { HEADER = 33 };
    Text plain = {0};
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(marks->width * PIXELS_PER_MM),
                                   (int)ceil(marks->height * PIXELS_PER_MM));
    cairo_status_t rc = marks_ink(surface, marks, PIXELS_PER_MM);
    rc = rc ? rc : cairo_surface_write_to_png_stream(surface, bytes_take, &plain);
    cairo_surface_destroy(surface);
    if (!rc && plain.length > HEADER) {
        bytes_add(out, plain.data, HEADER);
        bytes_add(out, resolution, sizeof(resolution));
        bytes_add(out, plain.data + HEADER, plain.length - HEADER);
    }
    text_release(&plain);
    return rc;
}

static cairo_status_t pdf_draw(Text *out, const Marks *marks, const InkWords *words)
{
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
        bytes_take, out, marks->width * POINTS_PER_MM, marks->height * POINTS_PER_MM);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, words->title);
    /* Equal results give equal files. */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    cairo_status_t rc = marks_ink(surface, marks, POINTS_PER_MM);
    cairo_surface_finish(surface);
    rc = rc ? rc : cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return rc;
}

/* Text between tags. */
static void escaped_add(Text *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *as = *text == '&'   ? "&amp;"
                         : *text == '<' ? "&lt;"
                         : *text == '>' ? "&gt;"
                                        : NULL;
        if (as) {
            bytes_add(out, as, strlen(as));
        } else if ((unsigned char)*text >= 0x20 || *text == '\n') { /* others are no XML */
            bytes_add(out, text, 1);
        }
    }
}

/* Copy SVG with the prefix before every id, where it is given and where it is used. cairo numbers
 * the surfaces of a process; the page is its only one here and loses its number. */
static void ids_add(Text *out, const char *svg, const char *prefix)
{
    static const char *const before[] = {" id=\"", "href=\"#", "url(#"};
    static const char page[] = "surface";
    while (*svg != '\0') {
        const char *next = NULL;
        for (size_t i = 0; i < 3; i++) {
            const char *found = strstr(svg, before[i]);
            if (found) {
                found += strlen(before[i]);
                next = !next || found < next ? found : next;
            }
        }
        bytes_add(out, svg, next ? (size_t)(next - svg) : strlen(svg));
        svg = next ? next : svg + strlen(svg);
        if (next && prefix) {
            bytes_add(out, prefix, strlen(prefix));
        }
        if (next && strncmp(next, page, strlen(page)) == 0) {
            bytes_add(out, page, strlen(page));
            svg += strlen(page);
            svg += strspn(svg, "0123456789");
        }
    }
}

static void svg_wrap(Text *out, const char *svg, const InkWords *words)
{
    static const char root[] = "<svg ";
    const char *begin = strstr(svg, root), *end = begin ? strchr(begin, '>') : NULL;
    if (!end) {
        return;
    }
    bytes_add(out, root, strlen(root));
    bytes_add(out, "role=\"img\" ", 11);
    bytes_add(out, begin + strlen(root), (size_t)(end + 1 - begin) - strlen(root));
    bytes_add(out, "\n<title>", 8);
    escaped_add(out, words->title);
    bytes_add(out, "</title>\n<desc>", 15);
    escaped_add(out, words->description);
    bytes_add(out, "</desc>", 7);
    ids_add(out, end + 1, words->prefix);
}

static cairo_status_t svg_draw(Text *out, const Marks *marks, const InkWords *words)
{
    Text plain = {0};
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(
        bytes_take, &plain, marks->width * POINTS_PER_MM, marks->height * POINTS_PER_MM);
    cairo_status_t rc = marks_ink(surface, marks, POINTS_PER_MM);
    cairo_surface_finish(surface);
    rc = rc ? rc : cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (!rc && plain.data) {
        svg_wrap(out, plain.data, words);
    }
    text_release(&plain);
    return rc;
}

int ink_draw(Text *out, const Marks *marks, FigureFormat format, const InkWords *words)
{
    cairo_status_t rc = format == FIGURE_PNG   ? png_draw(out, marks)
                        : format == FIGURE_PDF ? pdf_draw(out, marks, words)
                                               : svg_draw(out, marks, words);
    if (rc == CAIRO_STATUS_NO_MEMORY || out->failed) {
        return err_set(OGPT_ENOMEM, "no memory for a figure of %.0f x %.0f mm", marks->width,
                       marks->height);
    }
    return rc ? err_set(OGPT_EUSAGE, "a figure of %.0f x %.0f mm: %s", marks->width, marks->height,
                        cairo_status_to_string(rc))
              : 0;
}

int ink_check(void)
{
    return 0;
}

#else

int ink_draw(Text *out, const Marks *marks, FigureFormat format, const InkWords *words)
{
    return ink_check();
}

int ink_check(void)
{
    return err_set(OGPT_EUSAGE,
                   "this ogpt was built without cairo, so it draws no figures; the numbers are in "
                   "--csv, --json and --html");
}

#endif
