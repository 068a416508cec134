/* report/heat.c - heat maps and bars as text. See report/heat.h. */
#include "report/heat.h"

#include <math.h>

#define BAR_COLUMNS 50

static void value_range(double *low, double *high, const double *values, size_t n)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i])) {
            *low = fmin(*low, values[i]);
            *high = fmax(*high, values[i]);
        }
    }
}

/* Background of a share of the range, from the 6x6x6 cube of the 256 terminal colours: red to
 * yellow to green. */
static int heat_colour(double share)
{
    int red = share < 0.5 ? 5 : (int)lround((1 - share) * 10);
    int green = share < 0.5 ? (int)lround(share * 10) : 5;
    return 16 + 36 * red + 6 * green;
}

void draw_heat(Text *text, const GameVariant *variant, const char *title, const double *values,
               int decimals, bool colour)
{
    int size = variant->size;
    double low, high;
    value_range(&low, &high, values, (size_t)(size * size));
    text_add(text, "%s\n ", title);
    for (int column = 0; column < size; column++) {
        text_add(text, "%*c", column == 0 ? 5 : 6, 'a' + column);
    }
    text_add(text, "\n");
    for (int row = 0; row < size; row++) {
        text_add(text, "%d", row + 1);
        for (int column = 0; column < size; column++) {
            double value = values[row * size + column];
            if (isnan(value)) {
                text_add(text, "     -");
                continue;
            }
            double share = high > low ? (value - low) / (high - low) : 1;
            if (colour) { /* 30: black letters, readable on all of the backgrounds */
                text_add(text, " \033[48;5;%d;30m%5.*f\033[0m", heat_colour(share), decimals,
                         100 * value);
            } else {
                text_add(text, " %5.*f", decimals, 100 * value);
            }
        }
        text_add(text, "\n");
    }
}

void draw_grid(Text *text, const HeatGrid *grid)
{
    double low, high;
    value_range(&low, &high, grid->values, grid->n_rows * grid->n_columns);
    text_add(text, "%s\n%-14s", grid->title, "");
    for (size_t column = 0; column < grid->n_columns; column++) {
        if (grid->columns) {
            text_add(text, " %6.6s", grid->columns[column]);
        } else {
            text_add(text, " %6zu", column);
        }
    }
    text_add(text, "\n");
    for (size_t row = 0; row < grid->n_rows; row++) {
        text_add(text, "%-14.14s", grid->names[row]);
        for (size_t column = 0; column < grid->n_columns; column++) {
            double value = grid->values[row * grid->n_columns + column];
            double share = high > low ? (value - low) / (high - low) : 1;
            if (isnan(value)) {
                text_add(text, "      -");
            } else if (grid->colour) {
                text_add(text, " \033[48;5;%d;30m%6.1f\033[0m", heat_colour(share), 100 * value);
            } else {
                text_add(text, " %6.1f", 100 * value);
            }
        }
        text_add(text, "\n");
    }
}

void draw_bars(Text *text, const char *title, const char *const *names, const double *values,
               size_t n, double low, double high)
{
    text_add(text, "%s, bars from %.1f to %.1f %%\n", title, 100 * low, 100 * high);
    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i])) {
            text_add(text, "%-14.14s  -\n", names[i]);
            continue;
        }
        double share = high > low ? (values[i] - low) / (high - low) : 0;
        int length = (int)lround(fmin(fmax(share, 0), 1) * BAR_COLUMNS);
        text_add(text, "%-14.14s |", names[i]);
        for (int c = 0; c < length; c++) {
            text_add(text, "#");
        }
        text_add(text, "%*s %.2f\n", BAR_COLUMNS - length, "", 100 * values[i]);
    }
}

int draw_signed_colour(int *letters, double value, double largest)
{
    int depth = largest > 0 ? (int)lround(5 * fabs(value) / largest) : 0, pale = 5 - depth;
    int red = value < 0 ? 5 : pale, blue = value < 0 ? pale : 5;
    *letters = depth > 3 ? 97 : 30;
    return 16 + 36 * red + 6 * pale + blue;
}

void draw_signed(Text *text, const GameVariant *variant, const char *title, const double *values,
                 bool colour)
{
    int size = variant->size;
    double low, high;
    value_range(&low, &high, values, (size_t)(size * size));
    double largest = fmax(fabs(low), fabs(high));
    text_add(text, "%s\n ", title);
    for (int column = 0; column < size; column++) {
        text_add(text, "%*c", column == 0 ? 5 : 7, 'a' + column);
    }
    text_add(text, "\n");
    for (int row = 0; row < size; row++) {
        text_add(text, "%d", row + 1);
        for (int column = 0; column < size; column++) {
            double value = values[row * size + column];
            if (isnan(value)) {
                text_add(text, "      -");
            } else if (colour) {
                int letters, background = draw_signed_colour(&letters, value, largest);
                text_add(text, " \033[48;5;%d;%dm%+6.2f\033[0m", background, letters, value);
            } else {
                text_add(text, " %+6.2f", value);
            }
        }
        text_add(text, "\n");
    }
}
