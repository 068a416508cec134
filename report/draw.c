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

/* ---- signs ---- */

typedef enum BoardSign {
    SIGN_BLACK,
    SIGN_WHITE,
    SIGN_EMPTY,
    SIGN_MOVE,
    SIGN_BOTH,
    N_SIGNS
} BoardSign;

static const char *const signs[2][N_SIGNS] = {
    {"X", "O", ".", "*", "?"},
    {"\u25cf", "\u25cb", "\u00b7", "*", "?"}, /* Unicode: black circle, white circle, middle dot */
};

/* Marks in order of importance, and the colours (SGR, ECMA-48 8.3.117) that repeat them. */
#define COLOUR_WRONG "\033[1;31m"  /* bold red */
#define COLOUR_EDITED "\033[1;35m" /* bold magenta */
#define COLOUR_CHOSEN "\033[1;36m" /* bold cyan */
#define COLOUR_MOVE "\033[32m"     /* green */
static const struct {
    size_t squares; /* where DrawBoard keeps them */
    char sign;
    const char *colour, *meaning;
} marks[] = {
    {offsetof(DrawBoard, wrong), '!', COLOUR_WRONG, "wrong"},
    {offsetof(DrawBoard, edited), '+', COLOUR_EDITED, "edited"},
    {offsetof(DrawBoard, chosen), '<', COLOUR_CHOSEN, "the move"},
};
enum { N_MARKS = sizeof(marks) / sizeof(marks[0]) };

static uint64_t marked_squares(const DrawBoard *board, int mark)
{
    return *(const uint64_t *)(const void *)((const char *)board + marks[mark].squares);
}

static BoardSign sign_of(const DrawBoard *board, uint64_t bit)
{
    return board->black & board->white & bit ? SIGN_BOTH
           : board->black & bit              ? SIGN_BLACK
           : board->white & bit              ? SIGN_WHITE
           : board->moves & bit              ? SIGN_MOVE
                                             : SIGN_EMPTY;
}

/* Two columns, or without `behind` and without a mark one. */
static void square_draw(Text *text, const DrawBoard *board, uint64_t bit, bool behind,
                        TextStyle style)
{
    int mark = 0;
    while (mark < N_MARKS && !(marked_squares(board, mark) & bit)) {
        mark++;
    }
    BoardSign sign = sign_of(board, bit);
    const char *colour = mark < N_MARKS      ? marks[mark].colour
                         : sign == SIGN_MOVE ? COLOUR_MOVE
                                             : NULL;
    bool coloured = style.colour && colour;
    text_add(text, "%s%s", coloured ? colour : "", signs[style.unicode][sign]);
    if (mark < N_MARKS) {
        text_add(text, "%c", marks[mark].sign);
    }
    text_add(text, "%s%s", coloured ? "\033[0m" : "", mark == N_MARKS && behind ? " " : "");
}

void draw_legend(Text *text, const DrawBoard *boards, size_t n, TextStyle style)
{
    const char *const *sign = signs[style.unicode];
    text_add(text, "%s black, %s white, %s empty, %s legal move", sign[SIGN_BLACK],
             sign[SIGN_WHITE], sign[SIGN_EMPTY], sign[SIGN_MOVE]);
    for (int mark = 0; mark < N_MARKS; mark++) {
        bool used = false;
        for (size_t i = 0; i < n; i++) {
            used = used || marked_squares(&boards[i], mark) != 0;
        }
        if (used) {
            text_add(text, ", %c %s", marks[mark].sign, marks[mark].meaning);
        }
    }
    text_add(text, "\n");
}

/* ---- boards ---- */

/* Boards in one row. */
static void row_draw(Text *text, const GameVariant *variant, const DrawBoard *boards, size_t n,
                     TextStyle style)
{
    int width = 2 + 2 * variant->size;
    bool titled = false;
    for (size_t i = 0; i < n; i++) {
        titled = titled || boards[i].title[0] != '\0';
    }
    for (size_t i = 0; titled && i < n; i++) {
        int bytes = (int)style_cut(boards[i].title, width + BOARDS_GAP - 1);
        int blanks = width + BOARDS_GAP - style_columns(boards[i].title);
        text_add(text, "%.*s", bytes, boards[i].title);
        text_add(text, i + 1 == n ? "\n" : "%*s", blanks > 1 ? blanks : 1, "");
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
                bool end = i + 1 == n && column + 1 == variant->size;
                square_draw(text, &boards[i], 1ull << (8 * row + column), !end, style);
            }
            text_add(text, "%*s", i + 1 == n ? 0 : BOARDS_GAP, "");
        }
        text_add(text, "\n");
    }
}

void draw_boards(Text *text, const GameVariant *variant, const DrawBoard *boards, size_t n,
                 TextStyle style)
{
    int width = 2 + 2 * variant->size + BOARDS_GAP;
    size_t fit = style.width > 0 ? (size_t)((style.width + BOARDS_GAP) / width) : n;
    fit = fit > 0 ? fit : 1;
    for (size_t first = 0; first < n; first += fit) {
        text_add(text, "%s", first > 0 ? "\n" : "");
        row_draw(text, variant, boards + first, n - first < fit ? n - first : fit, style);
    }
}

/* ---- curves ---- */

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
