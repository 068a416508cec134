/* report/pages/tiny_board.c - contract in report/pages/tiny_board.h.
 *
 * The middle of square a1 is (0, 0). A cell is a stroke of width 1 and length 1: "M2.5 4h1". Those
 * of one step are one path. A disc is a stroke of no length with round ends: "M3 4h0".
 */
#include "report/pages/tiny_board.h"

#include <math.h>
#include <string.h>

#include "game/notation.h"
#include "report/html.h"

#define BOARD_CELLS 64

/* ---- paths ---- */

/* The step of a value: -TINY_LEVELS to TINY_LEVELS; 0: nothing is drawn. */
static int level_of(double value, double largest)
{
    return isnan(value) || !(largest > 0)
               ? 0
               : (int)lround(fmax(-1, fmin(1, value / largest)) * TINY_LEVELS);
}

/* A cell at column x of row y; neighbours of a row become one stroke. */
typedef struct CellPath {
    Text *out;
    int x, y, end; /* the stroke that is being made: x to end */
    bool open;
} CellPath;

static void stroke_end(CellPath *path)
{
    if (path->open) {
        text_add(path->out, "M%g %dh%d", path->x - 0.5, path->y, path->end - path->x);
    }
    path->open = false;
}

static void cell_add(CellPath *path, int x, int y)
{
    if (path->open && path->y == y && path->end == x) {
        path->end++;
        return;
    }
    stroke_end(path);
    *path = (CellPath){path->out, x, y, x + 1, true};
}

static void path_begin(Text *out, int level)
{
    static const char *const strengths[TINY_LEVELS + 1] = {"0",  ".12", ".24", ".36", ".48",
                                                           ".6", ".74", ".88", "1"};
    text_add(out, "<path class=\"%s\" opacity=\"%s\" d=\"", level > 0 ? "p" : "n",
             strengths[level > 0 ? level : -level]);
}

static double largest_of(const double *values, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        largest = isnan(values[i]) ? largest : fmax(largest, fabs(values[i]));
    }
    return largest;
}

/* ---- one board ---- */

static void squares_add(Text *out, const char *kind, uint64_t squares)
{
    if (squares != 0) {
        text_add(out, "<path class=\"%s\" d=\"", kind);
        for (int sq = 0; sq < BOARD_CELLS; sq++) {
            if (squares >> sq & 1) {
                text_add(out, "M%d %dh0", sq & 7, sq >> 3);
            }
        }
        text_add(out, "\"/>");
    }
}

static void values_add(Text *out, const TinyBoard *board)
{
    const double largest =
        board->largest > 0 ? board->largest : largest_of(board->values, BOARD_CELLS);
    for (int level = -TINY_LEVELS; level <= TINY_LEVELS; level++) {
        CellPath path = {.out = out};
        bool begun = false;
        for (int sq = 0; sq < BOARD_CELLS && level != 0; sq++) {
            if (level_of(board->values[sq], largest) == level) {
                if (!begun) {
                    path_begin(out, level);
                }
                begun = true;
                cell_add(&path, sq & 7, sq >> 3);
            }
        }
        stroke_end(&path);
        text_add(out, "%s", begun ? "\"/>" : "");
    }
}

/* side squares from the first on, and a margin for the frame. */
static void svg_begin(Text *out, int side, const char *label)
{
    text_add(out, "<svg class=\"b\" viewBox=\"-.6 -.6 %d.2 %d.2\" role=\"img\" aria-label=\"", side,
             side);
    html_text(out, label);
    text_add(out, "\">");
}

static void ground_add(Text *out, int side)
{
    text_add(out, "class=\"f\" d=\"M-.5-.5h%dv%dh-%dz\"/>", side, side, side);
}

void tiny_board_shared(Text *out, int size)
{
    text_add(out, "<svg class=\"s\" aria-hidden=\"true\"><path id=\"f\" ");
    ground_add(out, size);
    text_add(out, "<path id=\"g\" class=\"g\" d=\"");
    for (int i = 0; i <= size; i++) {
        text_add(out, "M%g-.5v%dM-.5 %gh%d", i - 0.5, size, i - 0.5, size);
    }
    text_add(out, "\"/></svg>\n");
}

void tiny_board(Text *out, const TinyBoard *board)
{
    svg_begin(out, board->size, board->label);
    text_add(out, "<use href=\"#f\"/>");
    if (board->values) {
        values_add(out, board);
    }
    text_add(out, "<use href=\"#g\"/>");
    squares_add(out, "d", board->black);
    squares_add(out, "e", board->white);
    squares_add(out, "w", board->white);
    squares_add(out, "t", board->turned);
    squares_add(out, "m", board->last);
    text_add(out, "</svg>");
}

void tiny_board_largest(Text *out, const double *values, int n)
{
    uint64_t told = 0;
    for (int i = 0; i < n; i++) {
        int best = -1;
        for (int sq = 0; sq < BOARD_CELLS; sq++) {
            if (!(told >> sq & 1) && !isnan(values[sq]) && fabs(values[sq]) > 0 &&
                (best < 0 || fabs(values[sq]) > fabs(values[best]))) {
                best = sq;
            }
        }
        if (best < 0) {
            text_add(out, "%s", i == 0 ? "none" : "");
            return;
        }
        char name[3];
        square_print(name, best);
        text_add(out, "%s%s %+.3g", i > 0 ? ", " : "", name, values[best]);
        told |= 1ULL << best;
    }
}

/* ---- matrices ---- */

double tiny_grid_most(const TinyGrid *grid)
{
    return largest_of(grid->values, grid->n * grid->n);
}

#define GRID_PITCH(size) ((size) + 1) /* a board and the gap behind it */

static int grid_side(const TinyGrid *grid)
{
    return grid->sq ? GRID_PITCH(grid->size) * grid->size - 1 : (int)grid->n;
}

/* The values as they lie in the drawing: (side, side), NaN between boards. */
static void grid_place(double *cells, const TinyGrid *grid)
{
    const int side = grid_side(grid), pitch = GRID_PITCH(grid->size);
    for (int i = 0; i < side * side; i++) {
        cells[i] = NAN;
    }
    for (size_t i = 0; i < grid->n * grid->n; i++) {
        const int row = (int)(i / grid->n), column = (int)(i % grid->n);
        const int from = grid->sq ? grid->sq[row] : 0, to = grid->sq ? grid->sq[column] : 0;
        const int x = grid->sq ? (from & 7) * pitch + (to & 7) : column;
        const int y = grid->sq ? (from >> 3) * pitch + (to >> 3) : row;
        cells[y * side + x] = grid->values[i];
    }
}

void tiny_grid(Text *out, const TinyGrid *grid)
{
    static double cells[71 * 71]; /* 8 boards of 8 squares, 7 gaps: pages are made on one thread */
    const int side = grid_side(grid);
    const double largest = tiny_grid_most(grid);
    grid_place(cells, grid);
    svg_begin(out, side, grid->label);
    text_add(out, "<path ");
    ground_add(out, side);
    for (int level = -TINY_LEVELS; level <= TINY_LEVELS; level++) {
        CellPath path = {.out = out};
        bool begun = false;
        for (int i = 0; i < side * side && level != 0; i++) {
            if (level_of(cells[i], largest) == level) {
                if (!begun) {
                    path_begin(out, level);
                }
                begun = true;
                cell_add(&path, i % side, i / side);
            }
        }
        stroke_end(&path);
        text_add(out, "%s", begun ? "\"/>" : "");
    }
    text_add(out, "<path class=\"o\" d=\"");
    for (int y = 0; y < side && grid->sq; y += GRID_PITCH(grid->size)) {
        for (int x = 0; x < side; x += GRID_PITCH(grid->size)) {
            text_add(out, "M%g %gh%dv%dh-%dz", x - 0.5, y - 0.5, grid->size, grid->size,
                     grid->size);
        }
    }
    text_add(out, "\"/></svg>");
}

static void place_add(Text *out, const TinyGrid *grid, size_t i)
{
    char name[3];
    if (grid->sq) {
        square_print(name, grid->sq[i]);
        text_add(out, "%s", name);
    } else {
        text_add(out, "%zu", i);
    }
}

/* Equal sizes come in the order of their places. */
void tiny_grid_largest(Text *out, const TinyGrid *grid, size_t n)
{
    double before = INFINITY;
    size_t at = 0;
    for (size_t k = 0; k < n; k++) { /* the next in the order of size, then of place */
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < grid->n * grid->n; i++) {
            const double size = fabs(grid->values[i]);
            const bool behind = size < before || (size == before && i > at);
            if (size > 0 && behind && (best == SIZE_MAX || size > fabs(grid->values[best]))) {
                best = i;
            }
        }
        if (best == SIZE_MAX) {
            text_add(out, "%s", k == 0 ? "none" : "");
            return;
        }
        text_add(out, "%s", k > 0 ? ", " : "");
        place_add(out, grid, best / grid->n);
        text_add(out, " to ");
        place_add(out, grid, best % grid->n);
        text_add(out, " %+.3g", grid->values[best]);
        before = fabs(grid->values[best]);
        at = best;
    }
}
