/* report/pages/tiny_figure.c - boards with a caption; contract in report/pages/tiny_board.h. */
#include <math.h>

#include "game/notation.h"
#include "report/pages/tiny_board.h"

#define LARGEST_NAMED 3

static void squares_name(Text *out, const char *colour, uint64_t squares)
{
    char name[3];
    text_add(out, "%s", colour);
    for (; squares != 0; squares &= squares - 1) {
        square_print(name, __builtin_ctzll(squares));
        text_add(out, " %s", name);
    }
}

void tiny_position(Text *out, int size, const Board *position, uint64_t turned, int last,
                   const char *caption)
{
    Text label = {0};
    TinyBoard board = {.size = size,
                       .black = board_discs(position, BLACK),
                       .white = board_discs(position, WHITE),
                       .turned = turned,
                       .last = UINT64_C(1) << last};
    squares_name(&label, "black", board.black);
    squares_name(&label, "; white", board.white);
    board.label = label.data ? label.data : "";
    text_add(out, "<figure>");
    tiny_board(out, &board);
    text_add(out, "<figcaption>%s</figcaption></figure>\n", caption);
    out->failed = out->failed || label.failed;
    text_release(&label);
}

void tiny_values(Text *out, int size, const char *title, const double values[BOARD_SQUARES])
{
    Text named = {0}, label = {0};
    bool there = false;
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        there = there || (!isnan(values[sq]) && fabs(values[sq]) > 0);
    }
    if (!there) {
        return;
    }
    tiny_board_largest(&named, values, LARGEST_NAMED);
    text_add(&label, "%s: %s", title, named.data ? named.data : "");
    text_add(out, "<figure>");
    tiny_board(out,
               &(TinyBoard){.size = size, .values = values, .label = label.data ? label.data : ""});
    text_add(out, "<figcaption><b>%s</b> %s</figcaption></figure>\n", title,
             named.data ? named.data : "");
    out->failed = out->failed || named.failed || label.failed;
    text_release(&named);
    text_release(&label);
}
