/* report/results/train_result.c - contract in report/results/train_result.h. */
#include "report/results/train_result.h"

#include <math.h>

#include "num/profile/profile.h"
#include "report/specs/train_figures.h"

static const Column result_columns[] = {
    {"path", "model", .type = COLUMN_TEXT},
    {"model_hash", "model hash", .type = COLUMN_TEXT, .flags = COLUMN_HASH},
    {"step", "step", .type = COLUMN_COUNT},
    {"steps", "steps", .type = COLUMN_COUNT, .meaning = "of the whole run"},
    {"games", "games", .type = COLUMN_COUNT},
    {"loss", "loss", .unit = "nats", .digits = 4, .meaning = "a token, over the last steps"},
    {"floor", "floor", .unit = "nats", .digits = 4,
     .meaning = "lowest loss any predictor can reach"},
    {"excess", "excess", .unit = "nats", .digits = 4, .meaning = "loss - floor"},
    {"strict_error", "strict error", .unit = "%", .digits = 2, .meaning = "of held-out positions"},
    {"tokens_per_second", "speed", .unit = "tokens/s", .flags = COLUMN_TIME},
    {"flops_per_second", .flags = COLUMN_TIME},
    {"seconds", "time", .unit = "s", .flags = COLUMN_TIME},
    {"held_out_collisions", "replaced", .type = COLUMN_COUNT,
     .meaning = "training games that were held-out games"},
};
static const Column profile_columns[] = {
    {"kernel", "kernel", .type = COLUMN_TEXT},
    {"seconds", "seconds", .digits = 2, .flags = COLUMN_TIME,
     .meaning = "of processor time, summed over all workers"},
    {"share", "share", .unit = "%", .digits = 1, .flags = COLUMN_TIME},
    {"gflops", "GFLOP/s a worker", .digits = 1, .flags = COLUMN_TIME},
    {"of_sgemm", "of sgemm's peak", .unit = "%", .digits = 1, .flags = COLUMN_TIME},
    {"of_bf16", "of bf16's", .unit = "%", .digits = 1, .flags = COLUMN_TIME},
    {"flops_per_second", .flags = COLUMN_TIME},
    {"calls", "calls", .type = COLUMN_COUNT},
};
static const Column peaks_columns[] = {
    {"run_gflops", "the whole run", .unit = "GFLOP/s", .digits = 1, .flags = COLUMN_TIME,
     .meaning = "a worker: all products over all seconds"},
    {"sgemm_gflops", "peak of sgemm", .unit = "GFLOP/s", .digits = 1, .flags = COLUMN_TIME,
     .meaning = "a worker: 1024 x 1024 x 1024, measured now"},
    {"bf16_gflops", "peak of bf16", .unit = "GFLOP/s", .digits = 1, .flags = COLUMN_TIME,
     .meaning = "the same with factors rounded to bfloat16"},
    {"run_of_sgemm", "the run's share", .unit = "%", .digits = 1, .flags = COLUMN_TIME,
     .meaning = "of the peak of sgemm"},
    {"run_of_bf16", "the run's share", .unit = "%", .digits = 1, .flags = COLUMN_TIME,
     .meaning = "of the peak of bf16"},
};
static const Column curve_columns[] = {
    {"step", "step", .type = COLUMN_COUNT},
    {"games", "games", .type = COLUMN_COUNT},
    {"loss", "loss", .unit = "nats", .digits = 4},
    {"floor", "floor", .unit = "nats", .digits = 4},
    {"excess", "excess", .unit = "nats", .digits = 4},
    {"strict_error", "strict error", .unit = "%", .digits = 2},
    {"board_accuracy", "board accuracy", .unit = "%", .digits = 2},
    {"lr", "learning rate", .digits = -1},
    {"gradient_norm", "gradient norm", .digits = 3},
    {"games_per_second", "games/s", .flags = COLUMN_TIME},
};
const TableSpec train_curve_table = {"curve", "train_curve", TABLE_COLUMNS(curve_columns),
                                     TABLE_FIGURES(curve_figures)};
const TableSpec train_table = {"train", TABLE_COLUMNS(result_columns), .record = true};
const TableSpec train_profile_table = {"profile", TABLE_COLUMNS(profile_columns)};
const TableSpec train_peaks_table = {"peaks", TABLE_COLUMNS(peaks_columns), .record = true};

/* NaN where there is nothing to divide: no products, or no such peak. */
static double quotient(double x, double y)
{
    return x > 0 && y > 0 ? x / y : NAN;
}

static void profile_report(Report *report, const SpeedPeaks *peaks)
{
    ProfileRow rows[N_PROFILE_KINDS];
    Table *table = report_table(report, &train_profile_table);
    double total = 0, flops = 0;
    profile_read(rows);
    for (size_t i = 0; i < N_PROFILE_KINDS; i++) {
        total += rows[i].seconds;
        flops += rows[i].flops;
    }
    for (size_t i = 0; i < N_PROFILE_KINDS; i++) {
        const ProfileRow *r = &rows[i];
        double rate = r->seconds > 0 ? r->flops / r->seconds : 0;
        table_row(table);
        table_text(table, "kernel", r->name);
        table_num(table, "seconds", r->seconds);
        /* Without seconds the run was finished before. */
        table_num(table, "share", total > 0 ? r->seconds / total : 0);
        table_num(table, "gflops", r->flops > 0 ? rate * 1e-9 : NAN);
        table_num(table, "of_sgemm", quotient(rate, peaks->f32));
        table_num(table, "of_bf16", quotient(rate, peaks->bf16));
        table_num(table, "flops_per_second", rate);
        table_int(table, "calls", (int64_t)r->calls);
    }
    double run = quotient(flops, total);
    table = report_table(report, &train_peaks_table);
    table_num(table, "run_gflops", run * 1e-9);
    table_num(table, "sgemm_gflops", peaks->f32 * 1e-9);
    table_num(table, "bf16_gflops", quotient(peaks->bf16, 1e9));
    table_num(table, "run_of_sgemm", quotient(run, peaks->f32));
    table_num(table, "run_of_bf16", quotient(run, peaks->bf16));
}

/* What was stored on the way, for the figure and for --csv. */
static void curve_report(Report *report, const Js *rows)
{
    Table *table = report_table(report, &train_curve_table);
    table->hidden = table->unstored = table->undocumented = true;
    for (size_t i = 0; i < js_length(rows); i++) {
        table_add(table, js_keep(js_at(rows, i)));
    }
}

void train_report(Report *report, const TrainFindings *found)
{
    const TrainResult *r = found->result;
    Table *table = report_table(report, &train_table);
    table_text(table, "path", r->path);
    table_text(table, "model_hash", r->model_hash);
    table_int(table, "step", r->step);
    table_int(table, "steps", r->steps);
    table_int(table, "games", (int64_t)r->games);
    table_num(table, "loss", r->loss);
    if (found->generated) {
        table_num(table, "floor", r->floor);
        table_num(table, "excess", r->loss - r->floor);
    }
    table_num(table, "strict_error", found->strict_error);
    table_num(table, "tokens_per_second", r->tokens_per_second);
    table_num(table, "flops_per_second", r->flops_per_second);
    table_num(table, "seconds", r->seconds);
    table_int(table, "held_out_collisions", (int64_t)r->collisions);
    curve_report(report, found->curve);
    if (found->peaks) {
        profile_report(report, found->peaks);
    }
}
