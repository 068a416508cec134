/* Training: the same bits at any thread count and after any stop; divergence and damage. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "model/train/train.h"
#include "tests/folder.h"
#include "tests/there.h"

static char root[FOLDER_MAX];
static GptConfig cfg = {.n_layers = 2,
                        .d_model = 32,
                        .n_heads = 2,
                        .d_head = 16,
                        .d_mlp = 128,
                        .n_ctx = 11,
                        .d_vocab = 13,
                        .eps = 1e-5f};

static TrainOptions options_for(int64_t steps)
{
    TrainOptions o = TRAIN_OPTIONS_DEFAULT;
    o.steps = steps;
    o.batch = 16;
    o.checkpoint_every = 10;
    o.report_every = 5;
    return o;
}

static const char *run_dir(const char *name)
{
    static char path[FILES_PATH_MAX];
    assert_int_equal(path_join(path, root, name), 0);
    return path;
}

/* One run on fresh 4x4 games; `about` may be NULL. */
static int train(TrainResult *out, const char *name, const TrainOptions *o, size_t threads,
                 const Js *about, const TrainObserver *observer)
{
    GameSource *source = NULL;
    Pool *pool = NULL;
    assert_int_equal(source_fresh(&source, game_variant(4), 1, RNG_FRESH), 0);
    assert_int_equal(pool_new(&pool, threads), 0);
    const TrainJob job = {.run_path = run_dir(name),
                          .cfg = &cfg,
                          .options = o,
                          .source = source,
                          .about = about,
                          .observer = observer};
    int rc = train_run(out, &job, &(Work){.pool = pool});
    pool_free(pool);
    source_free(source);
    return rc;
}

static void test_threads_give_the_same_model(void **state)
{
    (void)state;
    TrainOptions o = options_for(50);
    TrainResult one, other;
    assert_int_equal(train(&one, "threads-1", &o, 1, NULL, NULL), 0);
    assert_int_equal(one.step, 50);
    assert_int_equal(one.games, 800);
    for (size_t threads = 2; threads <= 8; threads += threads < 3 ? 1 : 5) {
        char name[32];
        snprintf(name, sizeof(name), "threads-%zu", threads);
        assert_int_equal(train(&other, name, &o, threads, NULL, NULL), 0);
        assert_string_equal(one.model_hash, other.model_hash);
    }
    o.seed = 2; /* the negative twin: another seed is another model */
    assert_int_equal(train(&other, "seed-2", &o, 2, NULL, NULL), 0);
    assert_string_not_equal(one.model_hash, other.model_hash);
    o.seed = 1;
    o.precision = "bf16"; /* as deterministic, and other numbers */
    TrainResult rounded;
    assert_int_equal(train(&rounded, "bf16-1", &o, 1, NULL, NULL), 0);
    assert_int_equal(train(&other, "bf16-3", &o, 3, NULL, NULL), 0);
    assert_string_equal(rounded.model_hash, other.model_hash);
    assert_string_not_equal(rounded.model_hash, one.model_hash);
    o.precision = "f32";
    o.optimizer = "adamw";
    o.average = 0.9;
    assert_int_equal(train(&one, "adamw-1", &o, 1, NULL, NULL), 0);
    assert_int_equal(train(&other, "adamw-3", &o, 3, NULL, NULL), 0);
    assert_string_equal(one.model_hash, other.model_hash);
}

typedef struct Stop {
    int64_t at;
    int64_t reports, first_report;
} Stop;

static void stop_at(void *context, const TrainReport *r)
{
    Stop *stop = context;
    if (r->step == stop->at) {
        interrupt_set(15);
    }
}

static int count_reports(void *context, const TrainReport *r)
{
    Stop *stop = context;
    stop->first_report = stop->reports == 0 ? r->step : stop->first_report;
    stop->reports++;
    return 0;
}

static void test_resume_gives_the_same_model(void **state)
{
    (void)state;
    TrainOptions o = options_for(40);
    o.average = 0.9;
    TrainResult whole, part;
    Stop stop = {0};
    TrainObserver observer = {.context = &stop, .stepped = stop_at, .report = count_reports};
    assert_int_equal(train(&whole, "whole", &o, 2, NULL, NULL), 0);
    const int64_t stops[] = {7, 22, 30, 39};
    for (size_t i = 0; i < 4; i++) {
        stop.at = stops[i];
        assert_int_equal(train(&part, "part", &o, 1 + i % 3, NULL, &observer), OGPT_EINTR);
        interrupt_set(0);
        assert_int_equal(part.step, stops[i]);
    }
    stop = (Stop){.at = -1};
    assert_int_equal(train(&part, "part", &o, 2, NULL, &observer), 0);
    assert_string_equal(whole.model_hash, part.model_hash);
    assert_true(whole.loss == part.loss); /* sums since the last report survived the stop */
    assert_int_equal(stop.reports, 1);
    assert_int_equal(stop.first_report, 40);
    /* Run again after the end: nothing is trained, and the result is the same. */
    assert_int_equal(train(&part, "part", &o, 2, NULL, &observer), 0);
    assert_string_equal(whole.model_hash, part.model_hash);
    assert_int_equal(stop.reports, 1);
}

typedef struct BusyReport {
    int64_t interrupted_at; /* the step at which the report is interrupted, once */
    int64_t steps_reported[16];
    double games_left[16];                      /* as the time left and the speed have it */
    double lr, gradient_norm, games_per_second; /* of the last report */
    int n;
    char warning[256];
} BusyReport;

static int interrupted_report(void *context, const TrainReport *r)
{
    BusyReport *busy = context;
    if (r->step == busy->interrupted_at) {
        busy->interrupted_at = -1;
        return OGPT_EINTR;
    }
    busy->games_left[busy->n] = r->seconds_left * r->games_per_second;
    busy->steps_reported[busy->n++] = r->step;
    busy->lr = r->lr;
    busy->gradient_norm = r->gradient_norm;
    busy->games_per_second = r->games_per_second;
    return 0;
}

static void keep_warning(void *context, const char *line)
{
    BusyReport *busy = context;
    snprintf(busy->warning, sizeof(busy->warning), "%s", line);
}

/* A signal arrives while the observer works: the step is saved, and its report is made when the run
 * is resumed. Tested at a middle step, which has no checkpoint of its own, and at the last one. */
static void test_interrupted_report_is_made_later(void **state)
{
    (void)state;
    TrainOptions o = options_for(20);
    o.cooldown = 0; /* so that the last step has a rate */
    TrainResult whole, part;
    BusyReport calm = {.interrupted_at = -1};
    TrainObserver watched = {.context = &calm, .report = interrupted_report};
    assert_int_equal(train(&whole, "reports", &o, 1, NULL, &watched), 0);
    assert_true(calm.lr > 0 && calm.gradient_norm > 0);
    const int64_t at[] = {15, 20};
    for (size_t i = 0; i < 2; i++) {
        char name[32];
        BusyReport busy = {.interrupted_at = at[i]};
        TrainObserver observer = {.context = &busy, .report = interrupted_report};
        snprintf(name, sizeof(name), "busy-%zu", i);
        assert_int_equal(train(&part, name, &o, 1, NULL, &observer), OGPT_EINTR);
        assert_int_equal(part.step, at[i]);
        assert_int_equal(train(&part, name, &o, 1, NULL, &observer), 0);
        assert_string_equal(whole.model_hash, part.model_hash);
        assert_true(whole.loss == part.loss);
        assert_int_equal(busy.n, 4); /* 5, 10, 15, 20: none lost, none twice */
        assert_int_equal(busy.steps_reported[at[i] / 5 - 1], at[i]);
        /* The owed report of the last step has the numbers that it would have had. */
        assert_true(busy.lr == calm.lr && busy.gradient_norm == calm.gradient_norm);
        assert_true(busy.games_per_second > 0 && isfinite(busy.games_per_second));
        /* Its speed and time left are those of the whole run, so they agree but for rounding. */
        double games_left = (double)((20 - at[i]) * o.batch);
        assert_true(fabs(busy.games_left[at[i] / 5 - 1] - games_left) < 1e-6);
        /* Run once more: nothing is owed any longer. */
        assert_int_equal(train(&part, name, &o, 1, NULL, &observer), 0);
        assert_int_equal(busy.n, 4);
        assert_true(whole.loss == part.loss);
    }
}

/* Directories that only look like steps are neither counted nor removed. */
static void test_other_directories_are_left_alone(void **state)
{
    (void)state;
    TrainOptions o = options_for(50);
    TrainResult result;
    char path[FILES_PATH_MAX];
    const char *const names[] = {"step-goodA", "step-goodB", "step-0000000x"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(path_join(path, run_dir("names"), names[i]), 0);
        assert_int_equal(dir_create(path), 0);
    }
    assert_int_equal(train(&result, "names", &o, 2, NULL, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(path_join(path, run_dir("names"), names[i]), 0);
        assert_true(dir_exists(path));
    }
    assert_true(dir_exists(result.path));
    assert_int_equal(path_join(path, run_dir("names"), "step-00000040"), 0);
    assert_true(dir_exists(path)); /* the last two steps are kept */
    assert_int_equal(path_join(path, run_dir("names"), "step-00000030"), 0);
    assert_false(dir_exists(path)); /* and only those */
}

static void flip_byte(const char *path, size_t offset)
{
    void *data = NULL;
    size_t n = 0;
    assert_int_equal(file_read_all(&data, &n, path, 1 << 28), 0);
    ((char *)data)[offset % n] ^= 4;
    assert_int_equal(file_write_atomic(path, data, n, true), 0);
    mem_free(data);
}

static void test_damaged_checkpoint_is_passed_over(void **state)
{
    (void)state;
    TrainOptions o = options_for(30);
    TrainResult result;
    ModelFile model;
    char *warning = NULL, path[FILES_PATH_MAX];
    assert_int_equal(train(&result, "damaged", &o, 2, NULL, NULL), 0);
    assert_int_equal(path_join(path, result.path, "model.safetensors"), 0);
    flip_byte(path, 5000);
    assert_int_equal(model_load(&model, run_dir("damaged"), &warning), 0);
    assert_int_equal(model.step, 20);
    assert_non_null(warning);
    assert_non_null(strstr(warning, "step-00000030"));
    mem_free(warning);
    model_release(&model);
    /* By its own name the damaged step is refused. */
    assert_int_equal(model_load(&model, result.path, NULL), OGPT_EFORMAT);
    assert_non_null(strstr(err_message(), "model.safetensors"));
    /* Training resumes from the sound step and ends with the same bits. */
    char hash[HASH_HEX_SIZE];
    snprintf(hash, sizeof(hash), "%s", result.model_hash);
    assert_int_equal(train(&result, "damaged", &o, 2, NULL, NULL), 0);
    assert_string_equal(hash, result.model_hash);
}

/* Damage to the optimiser's state alone: training resumes one step earlier, with a warning, and
 * ends with the same bits. */
static void test_damaged_state_is_passed_over(void **state)
{
    (void)state;
    TrainOptions o = options_for(30);
    TrainResult result;
    char path[FILES_PATH_MAX], hash[HASH_HEX_SIZE];
    BusyReport busy = {.interrupted_at = -1};
    TrainObserver observer = {
        .context = &busy, .report = interrupted_report, .warned = keep_warning};
    assert_int_equal(train(&result, "state", &o, 2, NULL, &observer), 0);
    assert_string_equal(busy.warning, "");
    snprintf(hash, sizeof(hash), "%s", result.model_hash);
    assert_int_equal(path_join(path, result.path, "train/optim.safetensors"), 0);
    flip_byte(path, 3000);
    assert_int_equal(train(&result, "state", &o, 2, NULL, &observer), 0);
    assert_non_null(strstr(busy.warning, "step-00000030"));
    assert_string_equal(hash, result.model_hash);
    /* Without any state the last step is still a model, but training cannot resume from it. */
    busy.warning[0] = '\0';
    assert_int_equal(path_join(path, result.path, "train"), 0);
    assert_int_equal(dir_remove(path), 0);
    ModelFile model;
    assert_int_equal(model_load(&model, run_dir("state"), NULL), 0);
    assert_int_equal(model.step, 30);
    model_release(&model);
    assert_int_equal(train(&result, "state", &o, 2, NULL, &observer), 0);
    assert_non_null(strstr(busy.warning, "step-00000030"));
    assert_string_equal(hash, result.model_hash);
}

static void test_other_options_are_refused(void **state)
{
    (void)state;
    TrainOptions o = options_for(10);
    TrainResult result;
    Js *about = js_object(), *same = js_object();
    js_set_num(same, "lr", 0.02);
    js_set(about, "options", same);
    assert_int_equal(train(&result, "options", &o, 1, about, NULL), 0);
    assert_int_equal(train(&result, "options", &o, 1, about, NULL), 0);
    js_set_num(same, "lr", 0.03);
    assert_int_equal(train(&result, "options", &o, 1, about, NULL), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "--lr 0.02"));
    assert_non_null(strstr(err_message(), "0.03"));
    js_set_num(same, "lr", 0.02);
    assert_int_equal(train(&result, "options", &o, 1, about, NULL), 0);
    js_set_int(same, "batch-from", 8); /* added */
    assert_int_equal(train(&result, "options", &o, 1, about, NULL), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "--batch-from none, asked for 8"));
    assert_int_equal(train(&result, "options-2", &o, 1, about, NULL), 0);
    js_free(about);
    about = js_object();
    same = js_object();
    js_set_num(same, "lr", 0.02);
    js_set(about, "options", same); /* left out */
    assert_int_equal(train(&result, "options-2", &o, 1, about, NULL), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "--batch-from 8, asked for none"));
    js_free(about);
}

typedef struct Poison {
    int64_t step;
    bool weight;
    bool unseen; /* the weight alone: no gradient shows it before the next step */
} Poison;

static void poison(void *context, int64_t step, Gpt *gpt, float *gradient)
{
    const Poison *p = context;
    int index = gpt_tensor_index(gpt, "blocks.1.mlp.W_in");
    if (step == p->step && p->weight) {
        gpt_tensor(gpt, index)[3] = INFINITY;
        gradient[gpt->specs[index].offset] = p->unseen ? 0 : NAN;
    } else if (step == p->step) {
        gradient[gpt->specs[index].offset + 5] = NAN;
    }
}

static void test_divergence_stops_before_the_update(void **state)
{
    (void)state;
    TrainOptions o = options_for(30);
    TrainResult result;
    ModelFile model;
    for (int weight = 0; weight < 2; weight++) {
        Poison p = {.step = 13, .weight = weight == 1};
        TrainObserver observer = {.context = &p, .lanes_done = poison};
        const char *name = weight ? "nan-weight" : "nan-gradient";
        assert_int_equal(train(&result, name, &o, 2, NULL, &observer), OGPT_ENUM);
        assert_non_null(strstr(err_message(), "step 13"));
        assert_non_null(strstr(err_message(), "blocks.1.mlp.W_in"));
        assert_non_null(strstr(err_message(), weight ? "weight" : "gradient"));
        assert_int_equal(model_load(&model, run_dir(name), NULL), 0);
        assert_int_equal(model.step, 10);
        model_release(&model);
        /* Without the fault the same run reaches its end. */
        assert_int_equal(train(&result, name, &o, 2, NULL, NULL), 0);
        assert_int_equal(result.step, 30);
    }
    /* In the update before a checkpoint: it is not published. */
    Poison p = {.step = 19, .weight = true, .unseen = true};
    TrainObserver observer = {.context = &p, .lanes_done = poison};
    assert_int_equal(train(&result, "unseen", &o, 2, NULL, &observer), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "step 20: weights of 'blocks.1.mlp.W_in'"));
    assert_int_equal(model_load(&model, run_dir("unseen"), NULL), 0);
    assert_int_equal(model.step, 10);
    model_release(&model);
    o.lr = 1e30; /* and a real divergence, not an injected one */
    o.lr_embed = o.lr_position = o.lr_head = o.lr_vector = 1e30;
    assert_int_equal(train(&result, "real", &o, 2, NULL, NULL), OGPT_ENUM);
}

static void test_second_trainer_is_refused(void **state)
{
    (void)state;
    TrainOptions o = options_for(10);
    TrainResult result;
    FileLock lock;
    char path[FILES_PATH_MAX];
    assert_int_equal(dir_create(run_dir("locked")), 0);
    assert_int_equal(path_join(path, run_dir("locked"), "LOCK"), 0);
    assert_int_equal(file_lock(&lock, path), 0);
    assert_int_equal(train(&result, "locked", &o, 1, NULL, NULL), OGPT_ELOCKED);
    file_unlock(&lock);
    assert_int_equal(train(&result, "locked", &o, 1, NULL, NULL), 0);
}

/* The batch grows on a line, whole lanes only; counts of games and steps are each other's
 * inverse; a resumed run counts and ends like an undisturbed one. */
static void test_batch_grows(void **state)
{
    (void)state;
    TrainOptions o = options_for(40);
    int64_t games = 0;
    o.batch_from = o.lanes;
    o.batch_ramp = 0.5;
    for (int64_t step = 0; step < 40; step++) {
        int64_t batch = train_batch(&o, step, 40);
        assert_int_equal(batch % o.lanes, 0);
        assert_true(step == 0 || batch >= train_batch(&o, step - 1, 40));
        games += batch;
    }
    assert_int_equal(train_batch(&o, 0, 40), o.lanes);
    assert_int_equal(train_batch(&o, 20, 40), o.batch);
    assert_true(games < 40 * o.batch);
    assert_int_equal(train_games(&o, 40), games);
    assert_int_equal(train_games_until(&o, 1, 40), o.lanes);
    assert_int_equal(train_games_until(&o, 20, 40) + 20 * o.batch, games);
    assert_int_equal(train_steps(&o, games), 40);
    assert_int_equal(train_steps(&o, games + 1), 41);
    /* Long runs are counted, not walked through, and not beyond the digits of a step's name. */
    TrainOptions huge = o;
    huge.batch_ramp = 1;
    int64_t many = train_steps(&huge, 10000000000);
    assert_true(train_games(&huge, many) >= 10000000000);
    assert_true(train_games(&huge, many - 1) < 10000000000);
    huge.steps = many;
    assert_non_null(train_options_check(&huge));
    TrainResult whole, part;
    Stop stop = {.at = 11};
    TrainObserver observer = {.context = &stop, .stepped = stop_at, .report = count_reports};
    assert_int_equal(train(&whole, "grown", &o, 2, NULL, NULL), 0);
    assert_int_equal(whole.games, games);
    assert_int_equal(train(&part, "grown-part", &o, 1, NULL, &observer), OGPT_EINTR);
    interrupt_set(0);
    stop.at = -1;
    assert_int_equal(train(&part, "grown-part", &o, 3, NULL, &observer), 0);
    assert_string_equal(whole.model_hash, part.model_hash);
    o.batch_from = 0;
    assert_int_equal(train_games(&o, 40), 40 * o.batch);
    assert_int_equal(train(&part, "flat", &o, 2, NULL, NULL), 0);
    assert_string_not_equal(whole.model_hash, part.model_hash);
}

typedef struct GrowthSeen {
    int64_t few, all; /* steps seen */
} GrowthSeen;

static double sum_of_squares(const float *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)values[i] * (double)values[i];
    }
    return sum;
}

/* The second block is left alone until step 28 of 40. There it still writes nothing, so only what
 * writes has a gradient. */
static void see_growth(void *context, int64_t step, Gpt *gpt, float *gradient)
{
    GrowthSeen *growth = context;
    const TensorMap *map = &gpt->map;
    size_t block = map->block_stride, C = (size_t)cfg.d_model, M = (size_t)cfg.d_mlp;
    const float *weights = gpt->params + block, *second = gradient + block;
    assert_int_equal(gpt->in_use, step < 28 ? 1 : 2);
    assert_true(sum_of_squares(gradient, block) > 0);
    if (step < 28) {
        growth->few++;
        assert_true(sum_of_squares(second, block) == 0);
    } else {
        growth->all++;
        assert_true(sum_of_squares(second + map->W_out, M * C) > 0);
    }
    double written =
        sum_of_squares(weights + map->W_O, C * C) + sum_of_squares(weights + map->W_out, M * C) +
        sum_of_squares(weights + map->b_O, C) + sum_of_squares(weights + map->b_out, C);
    assert_true((written == 0) == (step <= 28));
    assert_true((sum_of_squares(second + map->W_in, C * M) == 0) == (step <= 28));
    assert_true(sum_of_squares(weights + map->W_in, C * M) > 0);
}

/* What observers see uses all blocks: probes read behind each of them. */
static int report_is_whole(void *context, const TrainReport *r)
{
    (void)context;
    assert_int_equal(r->gpt->in_use, cfg.n_layers);
    return 0;
}

/* A run begins with some blocks; the others join without a jump. Stops change no bit. */
static void test_layers_grow(void **state)
{
    (void)state;
    TrainOptions o = options_for(40);
    TrainResult whole, part;
    GrowthSeen growth = {0};
    Stop stop = {.at = 27};
    o.layers_from = 1;
    o.layers_until = 0.7;
    TrainObserver watched = {
        .context = &growth, .lanes_done = see_growth, .report = report_is_whole};
    TrainObserver stopped = {.context = &stop, .stepped = stop_at};
    assert_int_equal(train(&whole, "layers", &o, 2, NULL, &watched), 0);
    assert_int_equal(growth.few, 28);
    assert_int_equal(growth.all, 12);
    assert_int_equal(train(&part, "layers-part", &o, 1, NULL, &stopped), OGPT_EINTR);
    interrupt_set(0);
    assert_int_equal(train(&part, "layers-part", &o, 3, NULL, NULL), 0);
    assert_string_equal(whole.model_hash, part.model_hash);
    /* FLOPs are those of the steps of each call; only their rounding may differ. */
    double games = 16.0 * cfg.n_ctx;
    double all_steps = whole.flops_per_second / whole.tokens_per_second * 40 * games;
    double last_steps = part.flops_per_second / part.tokens_per_second * 13 * games;
    assert_true(fabs(all_steps / train_flops(&o, &cfg, 0, 40) - 1) < 1e-9);
    assert_true(fabs(last_steps / train_flops(&o, &cfg, 27, 40) - 1) < 1e-9);
    o.layers_from = 0;
    assert_int_equal(train(&part, "layers-all", &o, 2, NULL, NULL), 0);
    assert_string_not_equal(whole.model_hash, part.model_hash);
    o.layers_from = 3;
    assert_int_equal(train(&part, "layers-many", &o, 2, NULL, NULL), OGPT_EUSAGE);
    assert_string_equal(err_message(), "--layers-from 3: the network has 2 blocks");
}

static void test_bad_options(void **state)
{
    (void)state;
    TrainOptions o = options_for(10);
    assert_null(train_options_check(&o));
    o.batch = 12; /* 8 lanes do not divide it */
    assert_non_null(train_options_check(&o));
    o = options_for(0);
    assert_non_null(train_options_check(&o));
    o = options_for(10);
    o.optimizer = "sgd";
    assert_non_null(train_options_check(&o));
}

/* A few hundred steps learn something: far below the entropy of 12 equal squares. */
static void test_training_learns(void **state)
{
    (void)state;
    TrainOptions o = options_for(300);
    o.report_every = 50;
    TrainResult result;
    assert_int_equal(train(&result, "learns", &o, 2, NULL, NULL), 0);
    assert_true(result.loss < 1.5);                 /* ln 12 = 2.48 */
    assert_true(result.loss > result.floor - 0.02); /* nobody beats the floor; 0.02: its noise */
}

static int set_up(void **state)
{
    (void)state;
    return folder_make(root);
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_give_the_same_model),
        cmocka_unit_test(test_resume_gives_the_same_model),
        cmocka_unit_test(test_interrupted_report_is_made_later),
        cmocka_unit_test(test_other_directories_are_left_alone),
        cmocka_unit_test(test_damaged_checkpoint_is_passed_over),
        cmocka_unit_test(test_damaged_state_is_passed_over),
        cmocka_unit_test(test_other_options_are_refused),
        cmocka_unit_test(test_divergence_stops_before_the_update),
        cmocka_unit_test(test_second_trainer_is_refused),
        cmocka_unit_test(test_batch_grows),
        cmocka_unit_test(test_layers_grow),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_training_learns),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
