/* report/figures/figure_arrange.c - contract in report/figures/figure_arrange.h. */
#include "report/figures/figure_arrange.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"

#define WHAT "the order of a figure"

/* Numbers ascend; words keep the order in which they came. */
static bool is_numbered(const FigureCategory *categories, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(categories[i].order)) {
            return false;
        }
    }
    return n > 0;
}

/* Renumber: old index -> new one, -1: left out. */
static int categories_move(FigurePanel *panel, const int *to, size_t n_left)
{
    FigureCategory *moved = panel->categories; /* sorted in place by exchanges below */
    FigureCategory *copy = mem_alloc(panel->n_categories + 1, sizeof(*copy), WHAT);
    if (!copy) {
        return OGPT_ENOMEM;
    }
    for (size_t s = 0; s < panel->n_series; s++) {
        FigureSeries *series = &panel->series[s];
        size_t kept = 0;
        for (size_t p = 0; p < series->n_points; p++) {
            int x = to[(size_t)series->points[p].x];
            if (x >= 0) {
                series->points[kept] = series->points[p];
                series->points[kept++].x = x;
            }
        }
        series->n_points = kept;
    }
    for (size_t i = 0; i < panel->n_categories; i++) {
        copy[i] = moved[i];
    }
    for (size_t i = 0; i < panel->n_categories; i++) {
        if (to[i] >= 0) {
            moved[to[i]] = copy[i];
        } else {
            mem_free(copy[i].name);
        }
    }
    panel->n_categories = n_left;
    mem_free(copy);
    return 0;
}

/* The largest size of a value of each category. */
static void sizes_find(double *sizes, const FigurePanel *panel)
{
    for (size_t i = 0; i < panel->n_categories; i++) {
        sizes[i] = -1;
    }
    for (size_t s = 0; s < panel->n_series; s++) {
        for (size_t p = 0; p < panel->series[s].n_points; p++) {
            const FigurePoint *point = &panel->series[s].points[p];
            size_t i = (size_t)point->x;
            sizes[i] = fmax(sizes[i], isnan(point->y) ? -1 : fabs(point->y));
        }
    }
}

/* Place of each category among all: by number, or by size for those that are kept. Lines of DOTS
 * without any value go. */
static int categories_arrange(FigurePanel *panel, const FigureSpec *figure)
{
    const size_t n = panel->n_categories;
    double *sizes = mem_alloc(n + 1, sizeof(*sizes), WHAT);
    int *to = mem_alloc(n + 1, sizeof(*to), WHAT);
    int rc = sizes && to ? 0 : OGPT_ENOMEM;
    size_t full = n;
    if (rc == 0) {
        sizes_find(sizes, panel);
        for (size_t i = 0; figure->kind == FIGURE_DOTS && i < n; i++) {
            full -= sizes[i] < 0;
        }
        full = full > 0 ? full : n;
        const bool by_size = figure->most > 0 && full > figure->most;
        const bool by_number = !by_size && is_numbered(panel->categories, n);
        const size_t kept = by_size ? figure->most : full;
        for (size_t i = 0; i < n; i++) {
            size_t rank = 0;
            for (size_t j = 0; j < n; j++) {
                double a = by_size ? -sizes[j] : by_number ? panel->categories[j].order : 0;
                double b = by_size ? -sizes[i] : by_number ? panel->categories[i].order : 0;
                bool gone = full < n && sizes[j] < 0;
                rank += !gone && (a < b || (!(b < a) && j < i));
            }
            to[i] = rank >= kept || (full < n && sizes[i] < 0) ? -1 : (int)rank;
        }
        panel->left_out = full - kept;
        rc = categories_move(panel, to, kept);
    }
    mem_free(to);
    mem_free(sizes);
    return rc;
}

static int by_order(const void *a, const void *b)
{
    double x = ((const FigureSeries *)a)->order, y = ((const FigureSeries *)b)->order;
    return (x > y) - (x < y);
}

/* Rows of a matrix that are numbers ascend. */
static void series_arrange(FigurePanel *panel)
{
    for (size_t i = 0; i < panel->n_series; i++) {
        if (isnan(panel->series[i].order)) {
            return;
        }
    }
    qsort(panel->series, panel->n_series, sizeof(*panel->series), by_order);
}

int figure_arrange(FigurePanel *panel, const FigureSpec *figure)
{
    if (figure->kind == FIGURE_MATRIX) {
        series_arrange(panel);
    }
    return panel->n_categories > 0 ? categories_arrange(panel, figure) : 0;
}
