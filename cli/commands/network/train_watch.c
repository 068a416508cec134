/* cli/commands/network/train_watch.c - contract in cli/commands/network/train_watch.h. */
#include "cli/commands/network/train_inputs.h"
#include "cli/commands/network/train_watch.h"

#include <math.h>
#include <stdio.h>

#include "base/files.h"
#include "cli/commands/common/hint_words.h"
#include "model/checkpoint.h"
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
    return rc ? rc : store_add(store, watch->context->run, kind, row);
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
    watch->progress.left = r->seconds_left;
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
    progress_end(&watch->progress);
    context_say(watch->context,
                "step %6lld  games %8llu  loss %.4f%s  held-out strict error %6.2f %%%s  "
                "%.0f games/s  %.1f min left",
                (long long)r->step, (unsigned long long)r->games, r->loss, floor,
                100 * watch->strict_error, board, r->games_per_second, r->seconds_left / 60);
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

/* A network of fresh games has no corpus to be scored on yet. */
static void suggest_next(Context *context, const char *corpus, const char *run,
                         const GameVariant *variant)
{
    char made[FILES_PATH_MAX];
    if (!corpus) {
        context_name_free(made, "games", ".ogpc");
        study_next(context, "generate", made, "--games", "20000", VARIANT_WORDS(variant), NULL);
        corpus = made;
    }
    study_next(context, "eval", run, "--corpus", corpus, NULL);
}

int train_watched(TrainWatch *watch, const TrainJob *job)
{
    TrainResult result;
    const TrainObserver observer = {.context = watch,
                                    .started = on_started,
                                    .report = on_report,
                                    .stepped = on_stepped,
                                    .warned = on_warned,
                                    .saved = on_saved};
    TrainJob watched = *job;
    watched.observer = &observer;
    int rc = train_run(&result, &watched, &(Work){.pool = watch->context->pool});
    progress_end(&watch->progress);
    if (rc == 0 && isnan(watch->strict_error)) {
        rc = score_finished(watch, result.path);
    }
    Js *curve = NULL;
    SpeedPeaks peaks;
    const SpeedPeaks *measured = job->options->profile ? &peaks : NULL;
    rc = rc || !measured ? rc : speed_peaks(&peaks, watch->context->pool);
    rc = rc ? rc : store_rows(&curve, watch->context->store, "train_curve", watch->context->run);
    if (rc == 0) {
        train_report(watch->context->report, &(TrainFindings){.result = &result,
                                                              .curve = curve,
                                                              .strict_error = watch->strict_error,
                                                              .generated = watch->generated,
                                                              .peaks = measured});
        suggest_next(watch->context, watch->corpus, job->run_path, source_variant(watch->held_out));
    }
    js_free(curve);
    return rc;
}
