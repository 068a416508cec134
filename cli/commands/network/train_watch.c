/* cli/commands/network/train_watch.c - contract in cli/commands/network/train_watch.h. */
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

/* Add a row about a step in place of what was told of it, and of later ones, before a stop. */
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
    const Work work = context_work(watch->context, NULL);
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
        const Work work = context_work(watch->context, NULL);
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
    char place[FILES_PATH_MAX]; /* verify looks for it from whatever directory it is typed in */
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

/* The table of --profile. Seconds are those of all workers, waiting for each other included. */
static Js *profile_table(Text *text, size_t n_threads)
{
    ProfileRow rows[N_PROFILE_KINDS];
    Js *table = js_array();
    double total = 0;
    profile_read(rows);
    for (size_t i = 0; i < N_PROFILE_KINDS; i++) {
        total += rows[i].seconds;
    }
    text_add(text, "\nseconds are summed over %zu workers\n", n_threads);
    text_add(text, "kernel                       seconds  share  GFLOP/s a worker      calls\n");
    for (size_t i = 0; i < N_PROFILE_KINDS; i++) {
        const ProfileRow *r = &rows[i];
        Js *row = js_object();
        double rate = r->seconds > 0 ? r->flops / r->seconds : 0;
        double share = total > 0 ? r->seconds / total : 0; /* 0: the run was finished before */
        text_add(text, "%-27s %8.2f  %4.1f %%  ", r->name, r->seconds, 100 * share);
        if (r->flops > 0) {
            text_add(text, "%16.1f", rate * 1e-9);
        } else {
            text_add(text, "%16s", "-");
        }
        text_add(text, " %10llu\n", (unsigned long long)r->calls);
        js_set_str(row, "kernel", r->name);
        js_set_num(row, "seconds", r->seconds);
        js_set_num(row, "share", share);
        js_set_num(row, "flops_per_second", rate);
        js_push(table, row);
    }
    return table;
}

static int print_result(Context *context, const TrainResult *r, const TrainWatch *watch,
                        const GptConfig *cfg, bool profile)
{
    Js *json = js_object();
    Text text = {0};
    double flops = r->tokens_per_second * gpt_config_flops(cfg);
    js_set_int(json, "step", r->step);
    js_set_int(json, "steps", r->steps);
    js_set_int(json, "games", (int64_t)r->games);
    js_set_num(json, "loss", r->loss);
    if (watch->generated) {
        js_set_num(json, "floor", r->floor);
        js_set_num(json, "excess", r->loss - r->floor);
    }
    js_set_num(json, "strict_error", watch->strict_error);
    js_set_num(json, "tokens_per_second", r->tokens_per_second);
    js_set_num(json, "flops_per_second", flops);
    js_set_num(json, "seconds", r->seconds);
    js_set_str(json, "model_hash", r->model_hash);
    js_set_str(json, "path", r->path);
    text_add(&text, "model           %s\n", r->path);
    text_add(&text, "model hash      %s\n", r->model_hash);
    text_add(&text, "steps           %lld of %lld, %llu games, %.0f s\n", (long long)r->step,
             (long long)r->steps, (unsigned long long)r->games, r->seconds);
    text_add(&text, "loss            %.4f nats a token over the last steps\n", r->loss);
    text_add(&text, "strict error    %.2f %% of held-out positions\n", 100 * watch->strict_error);
    js_set_int(json, "held_out_collisions", (int64_t)r->collisions);
    if (r->collisions > 0) {
        text_add(&text, "held out        %llu training games replaced: they were held-out games\n",
                 (unsigned long long)r->collisions);
    }
    if (profile) {
        js_set(json, "profile", profile_table(&text, context->threads));
    }
    int rc = context_result(context, json, text.data);
    text_release(&text);
    return rc;
}

int train_watched(TrainWatch *watch, const char *run_path, const GptConfig *cfg,
                  const TrainOptions *options, GameSource *source, const Gpt *init, const Js *about)
{
    Context *context = watch->context;
    TrainResult result;
    const TrainObserver observer = {.context = watch,
                                    .started = on_started,
                                    .report = on_report,
                                    .stepped = on_stepped,
                                    .warned = on_warned,
                                    .saved = on_saved};
    const TrainJob job = {.run_path = run_path,
                          .cfg = cfg,
                          .options = options,
                          .source = source,
                          .init = init,
                          .about = about,
                          .observer = &observer};
    int rc = train_run(&result, &job, &(Work){.pool = context->pool});
    progress_end(&watch->progress);
    if (rc == 0 && isnan(watch->strict_error)) {
        rc = score_finished(watch, result.path);
    }
    rc = rc ? rc : print_result(context, &result, watch, cfg, options->profile);
    if (rc == 0) {
        context_next(context,
                     "ogpt eval %s --corpus CORPUS, ogpt probe fit %s --corpus CORPUS "
                     "--out PROBE",
                     run_path, run_path);
    }
    return rc;
}
