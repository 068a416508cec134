#!/bin/bash
# Print the outlines of an installed font (Debian: fonts-open-sans) as rows of report/ink/glyphs.def.
#
# Usage: tools/figures/glyphs.sh ['Open Sans'] >report/ink/glyphs.def
# Needs a C compiler, pkg-config and cairo. Units: 1000 to the size, y downwards from the base line.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/glyphs.c" <<'END'
#include <cairo.h>
#include <stdio.h>
#include <string.h>

#define UNITS 1000

static const struct {
    unsigned first, last;
} ranges[] = {{0x20, 0x7e},     {0xa0, 0xff},     {0x391, 0x3a9},   {0x3b1, 0x3c9},
              {0x401, 0x401},   {0x410, 0x44f},   {0x451, 0x451},   {0x2013, 0x2014},
              {0x2018, 0x201a}, {0x201c, 0x201e}, {0x2022, 0x2022}, {0x2026, 0x2026},
              {0x2212, 0x2212}, {0x221e, 0x221e}, {0x2248, 0x2248}, {0x2260, 0x2260},
              {0x2264, 0x2265}};

static void utf8_of(char out[5], unsigned code)
{
    size_t n = 0;
    if (code < 0x80) {
        out[n++] = (char)code;
    } else if (code < 0x800) {
        out[n++] = (char)(0xc0 | code >> 6);
        out[n++] = (char)(0x80 | (code & 0x3f));
    } else {
        out[n++] = (char)(0xe0 | code >> 12);
        out[n++] = (char)(0x80 | (code >> 6 & 0x3f));
        out[n++] = (char)(0x80 | (code & 0x3f));
    }
    out[n] = '\0';
}

static void glyph_print(cairo_t *cr, unsigned code)
{
    static const char letters[] = {'M', 'L', 'C', 'Z'};
    char text[5];
    cairo_text_extents_t extents;
    utf8_of(text, code);
    cairo_text_extents(cr, text, &extents);
    cairo_new_path(cr);
    cairo_move_to(cr, 0, 0);
    cairo_text_path(cr, text);
    cairo_path_t *path = cairo_copy_path(cr);
    printf("GLYPH(0x%04X, %.0f, \"", code, extents.x_advance);
    for (int i = 0; i < path->num_data; i += path->data[i].header.length) {
        const cairo_path_data_t *data = &path->data[i];
        int n = data->header.length - 1, next = i + data->header.length;
        if (data->header.type == CAIRO_PATH_MOVE_TO &&
            (next >= path->num_data || path->data[next].header.type == CAIRO_PATH_MOVE_TO)) {
            continue; /* draws nothing */
        }
        printf("%c", letters[data->header.type]);
        for (int k = 1; k <= n; k++) {
            printf("%s%.0f %.0f", k > 1 ? " " : "", data[k].point.x, data[k].point.y);
        }
    }
    printf("\")\n");
    cairo_path_destroy(path);
}

int main(int argc, char **argv)
{
    cairo_surface_t *surface = cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, NULL);
    cairo_t *cr = cairo_create(surface);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cr, options);
    cairo_select_font_face(cr, argc > 1 ? argv[1] : "Open Sans", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, UNITS);
    printf(
        "/* report/ink/glyphs.def - outlines of the letters in figures: the font Open Sans,\n"
        " * Copyright 2010-2011 Google Corporation, Apache License, Version 2.0\n"
        " * (http://www.apache.org/licenses/LICENSE-2.0), reduced by tools/figures/glyphs.sh.\n"
        " * GLYPH(code of Unicode, advance, path); 1000 units to the size, y downwards. */\n");
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        for (unsigned code = ranges[i].first; code <= ranges[i].last; code++) {
            if (code != 0x3a2 && code != 0xad) { /* no letter; a hyphen that is not drawn */
                glyph_print(cr, code);
            }
        }
    }
    cairo_font_options_destroy(options);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return 0;
}
END
# shellcheck disable=SC2046
cc -o "$work/glyphs" "$work/glyphs.c" $(pkg-config --cflags --libs cairo)
"$work/glyphs" "${1:-Open Sans}"
