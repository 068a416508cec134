/* report/world/emergence_result.c - contract in report/world/emergence_result.h. */
#include "report/world/emergence_result.h"

#include <math.h>

static const Column run_columns[] = {
    {"source", "run", .type = COLUMN_TEXT},
    {"model_hash", .type = COLUMN_TEXT},
    {"checkpoints", "checkpoints", .type = COLUMN_COUNT},
    {"first_step", "first step", .type = COLUMN_COUNT},
    {"last_step", "last step", .type = COLUMN_COUNT},
    {"fit_games", "games to fit probes", .type = COLUMN_COUNT},
    {"test_games", "games", .type = COLUMN_COUNT},
    {"emerged", "curves that emerge", .type = COLUMN_COUNT},
};
const TableSpec emergence_table = {"emergence", "emergence", TABLE_COLUMNS(run_columns),
                                   .file = "run", .record = true};

static const Column curve_columns[] = {
    {"curve", "curve", .type = COLUMN_TEXT},
    {"first", "first", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"last", "last", .digits = 4, .interval = true, .flags = COLUMN_BRIEF},
    {"gain", "gain", .digits = 4, .interval = true, .meaning = "better at the last step"},
    {"emerges", "emerges", .type = COLUMN_YES_NO, .meaning = "the gain is above 0"},
    {"step", "step", .type = COLUMN_COUNT, .meaning = "the first above half of the gain"},
    {"crossing", "half of the gain", .digits = 0, .interval = true, .unit = "steps"},
    {"kink", "kink", .type = COLUMN_COUNT, .flags = COLUMN_MINOR},
    {"bic_gain", "BIC gain", .digits = 1, .flags = COLUMN_MINOR,
     .meaning = "of two lines over one"},
};
const TableSpec emergence_curves_table = {"curves", "emergence_curves",
                                          "when each curve rises, over log2 of the step",
                                          TABLE_COLUMNS(curve_columns)};

static const Column point_columns[] = {
    {"curve", "curve", .type = COLUMN_TEXT},
    {"step", "step", .type = COLUMN_COUNT},
    {"value", "value", .digits = 4, .interval = true},
    {"progress", "share of the gain", .digits = 3, .interval = true},
};
static const FigurePart progress_parts[] = {
    {.x = "step",
     .y = {"progress"},
     .series = "curve",
     .where = "curve",
     .is = "excess|strict_error|empty|previous|flipped|mine|legal|legal_cells|"
           "lens|edit|head|transposition"}};
static const FigurePart value_parts[] = {{.x = "step", .y = {"value"}, .facet = "curve"}};
static const FigureSpec point_figures[] = {
    {.name = "emergence",
     .title = "share of the final gain, by step of the training",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(progress_parts),
     .x = {.log = true},
     .main = true},
    {.name = "curves",
     .title = "what was measured, by step of the training",
     .kind = FIGURE_LINES,
     FIGURE_PARTS(value_parts),
     .x = {.log = true}},
};
const TableSpec emergence_points_table = {
    "points", "emergence_points", "curves by step of the training", TABLE_COLUMNS(point_columns),
    TABLE_FIGURES(point_figures)};

static const Column order_columns[] = {
    {"curve", "curve", .type = COLUMN_TEXT},
    {"other", "other", .type = COLUMN_TEXT},
    {"lead", "lead", .digits = 2, .interval = true, .unit = "doublings",
     .meaning = "how much earlier the curve has half of its gain"},
    {"verdict", "verdict", .type = COLUMN_TEXT},
};
const TableSpec emergence_order_table = {"order", "emergence_order",
                                         "which of two rises first, on the same games",
                                         TABLE_COLUMNS(order_columns)};

static const char *name_of(size_t curve)
{
    return emergence_name((EmergenceMeasure)curve);
}

static void curve_add(Table *curves, Table *points, const EmergenceReport *what, size_t c)
{
    const EmergenceCurve *curve = &what->found->curves[c];
    const Interval *last = &curve->points[what->n_steps - 1], at = curve->crossing;
    double whole = last->value - curve->points[0].value;
    table_row(curves);
    table_text(curves, "curve", name_of(c));
    table_interval(curves, "first", curve->points[0]);
    table_interval(curves, "last", *last);
    table_interval(curves, "gain", curve->gain);
    table_bool(curves, "emerges", curve->emerged);
    if (curve->emerged) {
        table_int(curves, "step", (int64_t)curve->step);
        table_interval(curves, "crossing", (Interval){exp2(at.value), exp2(at.low), exp2(at.high)});
    }
    if (!isnan(curve->kink)) {
        table_int(curves, "kink", (int64_t)curve->kink);
        table_num(curves, "bic_gain", curve->bic_gain);
    }
    for (size_t s = 0; s < what->n_steps; s++) {
        const Interval point = curve->points[s];
        double first = curve->points[0].value;
        Interval share = {(point.value - first) / whole, (point.low - first) / whole,
                          (point.high - first) / whole};
        table_row(points);
        table_text(points, "curve", name_of(c));
        table_int(points, "step", (int64_t)what->steps[s]);
        table_interval(points, "value", point);
        if (curve->emerged && whole < 0) {
            table_interval(points, "progress", (Interval){share.value, share.high, share.low});
        } else if (curve->emerged) {
            table_interval(points, "progress", share);
        }
    }
}

static void order_add(Table *table, const EmergenceOrder *order)
{
    bool first = order->lead.low > 0, later = order->lead.high < 0;
    table_row(table);
    table_text(table, "curve", name_of(order->a));
    table_text(table, "other", name_of(order->b));
    table_interval(table, "lead", order->lead);
    table_text(table, "verdict", first ? "earlier" : later ? "later" : "not decided");
}

void world_report_emergence(Report *report, const EmergenceReport *what)
{
    Table *run = report_table(report, &emergence_table);
    Table *curves = report_table(report, &emergence_curves_table);
    Table *order = report_table(report, &emergence_order_table);
    Table *points = report_table(report, &emergence_points_table);
    int64_t emerged = 0;
    points->hidden = true; /* the figure shows them */
    for (size_t c = 0; c < what->found->n_curves; c++) {
        curve_add(curves, points, what, c);
        emerged += what->found->curves[c].emerged;
    }
    for (size_t i = 0; i < what->found->n_orders; i++) {
        order_add(order, &what->found->orders[i]);
    }
    table_text(run, "source", what->run);
    table_text(run, "model_hash", what->model_hash);
    table_int(run, "checkpoints", (int64_t)what->n_steps);
    table_int(run, "first_step", (int64_t)what->steps[0]);
    table_int(run, "last_step", (int64_t)what->steps[what->n_steps - 1]);
    table_int(run, "fit_games", (int64_t)what->fit_games);
    table_int(run, "test_games", (int64_t)what->test_games);
    table_int(run, "emerged", emerged);
}
