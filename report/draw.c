/* report/draw.c - Othello boards and curves as plain text. */
#include "report/draw.h"

#include <math.h>
#include <string.h>

#define BOARDS_GAP 4 /* blanks between boards side by side */
#define CURVE_COLUMNS 64
#define CURVE_ROWS 12

DrawBoard draw_of_board(const char *title, const GameVariant *variant, const Board *board)
{
    return (DrawBoard){
        .title = title,
        .black = board_discs(board, BLACK),
        .white = board_discs(board, WHITE),
        .moves = board_moves(variant, board),
    };
}

static char sign_of(const DrawBoard *board, uint64_t bit)
{
    if (board->black & board->white & bit) {
        return '?';
    }
    if (board->black & bit) {
        return 'X';
    }
    if (board->white & bit) {
        return 'O';
    }
    return board->moves & bit ? '*' : '.';
}

void draw_boards(Text *text, const GameVariant *variant, const DrawBoard *boards, size_t n)
{
    int width = 2 + 2 * variant->size;
    bool titled = false;
    for (size_t i = 0; i < n; i++) {
        titled = titled || boards[i].title[0] != '\0';
    }
    for (size_t i = 0; titled && i < n; i++) {
        bool last = i + 1 == n;
        text_add(text, "%-*.*s%s", last ? 0 : width + BOARDS_GAP, width + BOARDS_GAP - 1,
                 boards[i].title, last ? "\n" : "");
    }
    for (size_t i = 0; i < n; i++) {
        text_add(text, " ");
        for (int column = 0; column < variant->size; column++) {
            text_add(text, " %c", 'a' + column);
        }
        text_add(text, "%*s", i + 1 == n ? 0 : BOARDS_GAP + 1, "");
    }
    text_add(text, "\n");
    for (int row = 0; row < variant->size; row++) {
        for (size_t i = 0; i < n; i++) {
            text_add(text, "%d ", row + 1);
            for (int column = 0; column < variant->size; column++) {
                uint64_t bit = 1ull << (8 * row + column);
                bool end = i + 1 == n && column + 1 == variant->size;
                bool marked = (boards[i].marked & bit) != 0;
                text_add(text, "%c%s", sign_of(&boards[i], bit), marked ? "!" : end ? "" : " ");
            }
            text_add(text, "%*s", i + 1 == n ? 0 : BOARDS_GAP, "");
        }
        text_add(text, "\n");
    }
}

void draw_board(Text *text, const GameVariant *variant, const Board *board, uint64_t marks)
{
    DrawBoard one = draw_of_board("", variant, board);
    one.marked = marks;
    draw_boards(text, variant, &one, 1);
}

void draw_legend(Text *text)
{
    text_add(text, "X black, O white, . empty, * legal move\n");
}

/* Least and greatest finite value; false when there is none. */
static bool range_of(double *low, double *high, const double *values, size_t n)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(values[i])) {
            *low = fmin(*low, values[i]);
            *high = fmax(*high, values[i]);
        }
    }
    return *low <= *high;
}

/* Cell 0..cells-1 of a value inside a range. */
static int cell_of(double value, double low, double high, int cells)
{
    double share = high > low ? (value - low) / (high - low) : 0.5;
    return (int)(share * (cells - 1) + 0.5);
}

void draw_curve(Text *text, const char *title, const char *x_name, const double *x, const double *y,
                size_t n)
{
    char grid[CURVE_ROWS][CURVE_COLUMNS + 1];
    double x_low, x_high, y_low, y_high;
    if (n < 2 || !range_of(&x_low, &x_high, x, n) || !range_of(&y_low, &y_high, y, n)) {
        return;
    }
    for (int row = 0; row < CURVE_ROWS; row++) {
        memset(grid[row], ' ', CURVE_COLUMNS);
        grid[row][CURVE_COLUMNS] = '\0';
    }
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i]) && isfinite(y[i])) {
            int row = CURVE_ROWS - 1 - cell_of(y[i], y_low, y_high, CURVE_ROWS);
            grid[row][cell_of(x[i], x_low, x_high, CURVE_COLUMNS)] = '*';
        }
    }
    text_add(text, "\n%s\n", title);
    for (int row = 0; row < CURVE_ROWS; row++) {
        double value = y_high - (y_high - y_low) * row / (CURVE_ROWS - 1);
        bool labelled = row == 0 || row == CURVE_ROWS - 1;
        size_t length = CURVE_COLUMNS;
        while (length > 0 && grid[row][length - 1] == ' ') {
            length--;
        }
        if (labelled) {
            text_add(text, "%10.4g |%.*s\n", value, (int)length, grid[row]);
        } else {
            text_add(text, "%10s |%.*s\n", "", (int)length, grid[row]);
        }
    }
    text_add(text, "%10s +----------------\n%10s  %s %.10g to %.10g\n", "", "", x_name, x_low,
             x_high);
}
