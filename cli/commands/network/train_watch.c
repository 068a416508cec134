/* cli/commands/network/train_watch.c - contract in cli/commands/network/train_watch.h. */
#include "cli/commands/network/train_inputs.h"
#include "cli/commands/network/train_watch.h"

#include <math.h>
#include <stdio.h>

#include "base/files.h"
#include "model/checkpoint.h"
#include "num/profile.h"
#include "probes/legality/legality.h"

static int on_started(void *context, int64_t steps, int64_t resumed)
{
    TrainWatch *watch = context;
    if (resumed > 0) {
        context_say(watch->context, "going on at step %lld of %lld", (long long)resumed,
                    (long long)steps);
    } else {
        context_say(watch->context, "%lld steps (the same run again: --steps %lld)",
                    (long long)steps, (long long)steps);
    }
    watch->progress = progress_begin(watch->context, "train", "steps", (double)steps);
    return store_trim(watch->context->store, watch->context->run, "train_curve", "step", resumed);
}

/* Add a row about a step; rows about it and later steps, from before a stop, are dropped. */
static int add_row(const TrainWatch *watch, const char *kind, int64_t step, const Js *row)
{
    Store *store = watch->context->store;
    int rc = store_trim(store, watch->context->run, kind, "step", step - 1);
    return rc != 0 ? rc : store_add(store, watch->context->run, kind, row);
}

static void on_warned(void *context, const char *line)
{
    TrainWatch *watch = context;
    context_warn(watch->context, "%s", line);
}

static void on_stepped(void *context, const TrainReport *r)
{
    TrainWatch *watch = context;
    char detail[96];
    if (watch->generated) {
        snprintf(detail, sizeof(detail), "loss %.4f excess %.4f", r->loss, r->loss - r->floor);
    } else {
        snprintf(detail, sizeof(detail), "loss %.4f", r->loss);
    }
    progress_step(&watch->progress, (double)r->step, detail);
}

static int score_held_out(TrainWatch *watch, const Gpt *gpt)
{
    LegalityScore score = {0};
    uint64_t available = source_games(watch->held_out); /* 0: as many as one likes */
    size_t n = available > 0 && available < TRAIN_HELD_OUT_GAMES ? (size_t)available
                                                                 : TRAIN_HELD_OUT_GAMES;
    const Work work = {.pool = watch->context->pool, .seed = watch->context->seed};
    int rc = legality_score(&score, gpt, watch->held_out, 0, n, &work);
    if (rc == 0) {
        watch->strict_error = score.total.strict_errors / score.total.positions;
    }
    legality_release(&score);
    return rc;
}

/* A run that was finished before reported nothing now: its result is scored from the file. */
static int score_finished(TrainWatch *watch, const char *path)
{
    ModelFile model;
    int rc = model_load(&model, path, NULL);
    if (rc == 0) {
        rc = score_held_out(watch, model.gpt);
        model_release(&model);
    }
    return rc;
}

static int on_report(void *context, const TrainReport *r)
{
    TrainWatch *watch = context;
    QuickScore quick = {.accuracy = NAN};
    bool probed = watch->probe && (r->step % watch->probe_every == 0 || r->step == r->steps);
    int rc = score_held_out(watch, r->gpt);
    if (rc == 0 && probed) {
        const Work work = {.pool = watch->context->pool, .seed = watch->context->seed};
        rc = quick_probe_score(&quick, watch->probe, r->gpt, &work);
    }
    if (rc != 0) {
        return rc;
    }
    Js *row = js_object();
    js_set_int(row, "step", r->step);
    js_set_int(row, "games", (int64_t)r->games);
    js_set_num(row, "loss", r->loss);
    if (watch->generated) {
        js_set_num(row, "floor", r->floor);
        js_set_num(row, "excess", r->loss - r->floor);
    }
    js_set_num(row, "strict_error", watch->strict_error);
    if (probed) {
        js_set_num(row, "board_accuracy", quick.accuracy);
    }
    js_set_num(row, "lr", r->lr);
    js_set_num(row, "gradient_norm", r->gradient_norm);
    js_set_num(row, "games_per_second", r->games_per_second);
    rc = add_row(watch, "train_curve", r->step, row);
    js_free(row);

    char floor[64] = "", board[64] = "";
    if (probed) {
        snprintf(board, sizeof(board), "  board %.2f %% of cells, %.1f %% whole",
                 100 * quick.accuracy, 100 * quick.board);
    }
    if (watch->generated) {
        snprintf(floor, sizeof(floor), "  floor %.4f  excess %.4f", r->floor, r->loss - r->floor);
    }
    double left = (double)(train_games(watch->train, r->steps) - (int64_t)r->games);
    progress_end(&watch->progress);
    context_say(watch->context,
                "step %6lld  games %8llu  loss %.4f%s  held-out strict error %6.2f %%%s  "
                "%.0f games/s  %.1f min left",
                (long long)r->step, (unsigned long long)r->games, r->loss, floor,
                100 * watch->strict_error, board, r->games_per_second,
                left / r->games_per_second / 60);
    return rc;
}

static int on_saved(void *context, int64_t step, const char *path, const char *model_hash)
{
    TrainWatch *watch = context;
    char place[FILES_PATH_MAX]; /* verify may be typed in another directory */
    int rc = path_absolute(place, path);
    if (rc != 0) {
        return rc;
    }
    Js *row = js_object();
    js_set_int(row, "step", step);
    js_set_str(row, "path", place);
    js_set_str(row, "model_hash", model_hash);
    rc = add_row(watch, "checkpoints", step, row);
    js_free(row);
    return rc;
}

static const Column result_columns[] = {
    {"path", "model", .type = COLUMN_TEXT},
    {"model_hash", "model hash", .type = COLUMN_TEXT},
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
     .meaning = "summed over all workers, waiting for each other included"},
    {"share", "share", .unit = "%", .digits = 1, .flags = COLUMN_TIME},
    {"gflops", "GFLOP/s a worker", .digits = 1, .flags = COLUMN_TIME},
    {"flops_per_second", .flags = COLUMN_TIME},
    {"calls", "calls", .type = COLUMN_COUNT},
};
const TableSpec train_table = {"train", TABLE_COLUMNS(result_columns), .record = true};
const TableSpec train_profile_table = {"profile", TABLE_COLUMNS(profile_columns)};

static void profile_report(Context *context)
{
    ProfileRow rows[N_PROFILE_KINDS];
    Table *table = study_table(context, &train_profile_table);
    double total = 0;
    profile_read(rows);
    for (size_t i = 0; i < N_PROFILE_KINDS; i++) {
        total += rows[i].seconds;
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
        table_num(table, "flops_per_second", rate);
        table_int(table, "calls", (int64_t)r->calls);
    }
}

static void result_report(const TrainWatch *watch, const TrainResult *r, const TrainJob *job)
{
    Table *table = study_table(watch->context, &train_table);
    table_text(table, "path", r->path);
    table_text(table, "model_hash", r->model_hash);
    table_int(table, "step", r->step);
    table_int(table, "steps", r->steps);
    table_int(table, "games", (int64_t)r->games);
    table_num(table, "loss", r->loss);
    if (watch->generated) {
        table_num(table, "floor", r->floor);
        table_num(table, "excess", r->loss - r->floor);
    }
    table_num(table, "strict_error", watch->strict_error);
    table_num(table, "tokens_per_second", r->tokens_per_second);
    table_num(table, "flops_per_second", r->tokens_per_second * gpt_config_flops(job->cfg));
    table_num(table, "seconds", r->seconds);
    table_int(table, "held_out_collisions", (int64_t)r->collisions);
    if (job->options->profile) {
        profile_report(watch->context);
    }
    study_next(watch->context,
               "ogpt eval %s --corpus CORPUS, ogpt probe fit %s --corpus CORPUS --out PROBE",
               job->run_path, job->run_path);
}

int train_watched(TrainWatch *watch, TrainJob *job)
{
    TrainResult result;
    const TrainObserver observer = {.context = watch,
                                    .started = on_started,
                                    .report = on_report,
                                    .stepped = on_stepped,
                                    .warned = on_warned,
                                    .saved = on_saved};
    job->observer = &observer;
    watch->train = job->options;
    int rc = train_run(&result, job, &(Work){.pool = watch->context->pool});
    progress_end(&watch->progress);
    if (rc == 0 && isnan(watch->strict_error)) {
        rc = score_finished(watch, result.path);
    }
    if (rc == 0) {
        result_report(watch, &result, job);
    }
    return rc;
}
