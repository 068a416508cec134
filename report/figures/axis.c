/* report/figures/axis.c - contract in report/figures/axis.h. */
#include "report/figures/axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/ink/letters.h"

#define MINUS "\xe2\x88\x92"

/* Beyond these no axis can be divided: sums and quotients would overflow. */
#define LARGEST 1e250
#define LEAST_OF_LOG 1e-250

void axis_range_see(AxisRange *range, double value, bool log)
{
    if (isfinite(value) && (!log || value > 0)) {
        value = fmin(fmax(value, log ? LEAST_OF_LOG : -LARGEST), LARGEST);
        range->low = fmin(range->low, value); /* of a number and NaN: the number */
        range->high = fmax(range->high, value);
    }
}

static bool is_whole(const Column *column)
{
    return column && (column->type == COLUMN_COUNT || column->type == COLUMN_LAYER);
}

/* A number on an axis whose ticks are `step` apart: 0.25, 40, 1.5k, 2M. */
static void label_print(char out[AXIS_LABEL_MAX], double value, double step)
{
    double size = fabs(value), unit = 1;
    const char *letter = "";
    if (size >= 1e6 && step >= 1e4) {
        unit = 1e6;
        letter = "M";
    } else if (size >= 1e4 && step >= 100) {
        unit = 1e3;
        letter = "k";
    }
    if (size >= 1e15 || (size > 0 && step < 1e-6)) {
        snprintf(out, AXIS_LABEL_MAX, "%s%.3g", value < 0 ? MINUS : "", size);
        return;
    }
    int digits = 0;
    for (double s = step / unit; digits < 9 && fabs(s - nearbyint(s)) > 1e-6; s *= 10) {
        digits++;
    }
    snprintf(out, AXIS_LABEL_MAX, "%s%.*f%s", value < 0 ? MINUS : "", digits, size / unit, letter);
}

static void tick_add(Axis *axis, double value, double step, bool labelled)
{
    if (axis->n < AXIS_TICKS_MAX) {
        axis->ticks[axis->n] = value;
        axis->labels[axis->n][0] = '\0';
        if (labelled) {
            label_print(axis->labels[axis->n], value, step);
        }
        axis->n++;
    }
}

static void linear_ticks(Axis *axis, const Column *column, int wanted)
{
    static const double steps[] = {1, 2, 5, 10};
    double rough = (axis->high - axis->low) / wanted;
    double power = pow(10, floor(log10(rough)));
    double step = power;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && step < rough * 0.999; i++) {
        step = power * steps[i];
    }
    step = is_whole(column) ? fmax(1, step) : step;
    if (column && column->type == COLUMN_LAYER && axis->high - axis->low < 17) {
        step = 1; /* every layer; labels that find no room are left out */
    }
    bool share = column && column->unit && strcmp(column->unit, "%") == 0;
    const double first = ceil(axis->low / step - 1e-9);
    for (int i = 0; i < AXIS_TICKS_MAX; i++) { /* counted: a large double plus 1 is itself */
        double k = first + i, value = k == 0 ? 0 : k * step;
        bool above = !(k * step <= axis->high + 1e-9 * step);
        if (above || (share && value > 100 + 1e-9)) {
            break; /* no share is larger than 100, so no tick says so */
        }
        tick_add(axis, value, step, true);
        if (column && column->type == COLUMN_LAYER && value < 0) {
            snprintf(axis->labels[axis->n - 1], AXIS_LABEL_MAX, "embed");
        }
    }
}

/* Ticks at these multiples of powers of ten. */
static void log_ticks_at(Axis *axis, const int *multiples, size_t n, int every)
{
    const int first = (int)floor(log10(axis->low)), last = (int)ceil(log10(axis->high));
    for (int k = first; k <= last; k++) {
        for (size_t m = 0; m < n; m++) {
            double value = multiples[m] * pow(10, k);
            if (value >= axis->low * 0.999 && value <= axis->high * 1.001) {
                tick_add(axis, value, value, (k - first) % every == 0);
            }
        }
    }
}

static void log_ticks(Axis *axis, const Column *column)
{
    static const int multiples[] = {1, 2, 5};
    const double decades = (log10(axis->high) - log10(axis->low));
    log_ticks_at(axis, multiples, decades < 2.2 ? 3 : 1, decades > 8 ? 2 : 1);
    if (axis->n < 3) { /* so short that even steps are read as well */
        axis->n = 0;
        linear_ticks(axis, column, 4);
    }
}

Axis axis_make(AxisRange range, const FigureAxis *spec, const Column *column, int wanted)
{
    Axis axis = {.log = spec->log, .low = range.low, .high = range.high};
    if (isnan(range.low)) {
        axis.low = spec->log ? 0.1 : 0;
        axis.high = 1;
    }
    if (spec->log) {
        double pad = fmax(0.04 * (log10(axis.high) - log10(axis.low)), 0.1);
        axis.low /= pow(10, pad);
        axis.high *= pow(10, pad);
        log_ticks(&axis, column);
        return axis;
    }
    bool at_zero = spec->zero && axis.low >= 0;
    axis.low = at_zero ? 0 : axis.low;
    axis.high = spec->zero && axis.high <= 0 ? 0 : axis.high;
    double span = axis.high - axis.low;
    double pad = span > 0           ? 0.05 * span
                 : is_whole(column) ? 0.5
                                    : fmax(0.05 * fabs(axis.high), 1e-6);
    axis.low -= at_zero ? 0 : pad;
    axis.high += pad;
    linear_ticks(&axis, column, wanted);
    return axis;
}

double axis_place(const Axis *axis, double value)
{
    if (isnan(value) || (axis->log && value <= 0)) {
        return NAN;
    }
    double share = axis->log ? (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low))
                             : (value - axis->low) / (axis->high - axis->low);
    return axis->from + share * (axis->to - axis->from);
}

double axis_labels_width(const Axis *axis, double size)
{
    double width = 0;
    for (int i = 0; i < axis->n; i++) {
        width = fmax(width, letters_width(axis->labels[i], size));
    }
    return width;
}
