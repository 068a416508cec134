/* tests/probes/sae/training/test_sae_resume.c - a stopped training ends with the bytes of one that
 * was not; threads; NaN; folding; what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/ranks/ranks.h"
#include "num/blas.h"
#include "probes/sae/training/sae_trainer.h"
#include "tests/folder.h"

#define WIDTH 16
#define PLANTED 24
#define FEATURES 48
#define BLOCK 1500 /* no multiple of a batch: the rest is left out */
#define STEPS 40

static Pool *pool;
static Work usual;
static float columns[PLANTED * WIDTH];
static SaePlantedRows planted = {WIDTH, PLANTED, 2, BLOCK, 3, columns};
static char folder[FOLDER_MAX];
static char checkpoint[FILES_PATH_MAX];

static int setup(void **state)
{
    int rc = blas_init() || pool_new(&pool, 2) || folder_make(folder);
    usual = (Work){.pool = pool};
    for (size_t i = 0; i < PLANTED * WIDTH; i++) {
        Rng rng = rng_at(7, RNG_TEST, i);
        columns[i] = (float)(0.25 * rng_normal(&rng));
    }
    return rc || path_join(checkpoint, folder, "state");
}

static int teardown(void **state)
{
    pool_free(pool);
    return dir_remove(folder);
}

/* x is planted, and so is y, of other columns: a stream with targets. */
static int fill_pair(void *context, float *x, float *y, size_t *rows, uint64_t block,
                     const Work *work)
{
    const SaeStream stream = sae_stream_planted(&planted);
    int rc = stream.fill(stream.context, x, NULL, rows, block, work);
    for (size_t r = 0; r < *rows; r++) {
        for (size_t c = 0; c < WIDTH - 4; c++) {
            y[r * (WIDTH - 4) + c] = 5 + 3 * x[r * WIDTH + c + 2] - x[r * WIDTH];
        }
    }
    return rc;
}

static SaeStream stream_of(SaeKind kind)
{
    SaeStream stream = sae_stream_planted(&planted);
    if (kind == SAE_TRANSCODER) {
        stream.fill = fill_pair;
        stream.d_out = WIDTH - 4;
        stream.has_target = true;
    }
    return stream;
}

static int64_t batch = 200;

static SaeTrainOptions options_of(SaeKind kind)
{
    SaeTrainOptions options = {.kind = kind,
                               .features = FEATURES,
                               .k = sae_has_k(kind) ? 3 : 0,
                               .l0 = sae_has_k(kind) ? 0 : 3,
                               .l1 = 0.5,
                               .activations = STEPS * batch,
                               .batch = batch,
                               .lr = 5e-3,
                               .warmup = 4,
                               .dead_after = 800,
                               .report_every = 7,
                               .seed = 1};
    sae_train_complete(&options);
    return options;
}

/* Stops the training after a step; or spoils a gradient there. */
typedef struct Fault {
    int64_t stop_at, spoil_at;
    int64_t reports;
    SaeReport last;
} Fault;

static int on_report(void *context, const SaeReport *report)
{
    Fault *fault = context;
    fault->reports++;
    fault->last = *report;
    return report->step == fault->stop_at ? OGPT_EINTR : 0;
}

static void on_gradient(void *context, int64_t step, float *gradient, size_t n)
{
    if (step == ((Fault *)context)->spoil_at) {
        gradient[n / 2] = NAN;
    }
}

static int run(Sae **out, SaeKind kind, Fault *fault, bool kept, const Work *work)
{
    const SaeStream stream = stream_of(kind);
    const SaeTrainOptions options = options_of(kind);
    const SaeTrainJob job = {.stream = &stream,
                             .options = &options,
                             .checkpoint = kept ? checkpoint : NULL,
                             .inputs = "these rows",
                             .context = fault,
                             .report = on_report,
                             .gradient = on_gradient};
    return sae_train(out, &job, work);
}

static void assert_same(const Sae *a, const Sae *b)
{
    const size_t m = FEATURES * sizeof(float);
    assert_memory_equal(a->w_enc, b->w_enc, WIDTH * m);
    assert_memory_equal(a->w_dec, b->w_dec, a->cfg.d_out * m);
    assert_memory_equal(a->b_enc, b->b_enc, m);
    assert_memory_equal(a->b_dec, b->b_dec, a->cfg.d_out * sizeof(float));
    if (a->theta) {
        assert_memory_equal(a->theta, b->theta, m);
    }
    if (a->r_mag) {
        assert_memory_equal(a->r_mag, b->r_mag, m);
        assert_memory_equal(a->b_mag, b->b_mag, m);
    }
    assert_true(a->cfg.loss == b->cfg.loss && a->cfg.l1 == b->cfg.l1);
    assert_true(a->cfg.dead == b->cfg.dead && a->cfg.mean_l0 == b->cfg.mean_l0);
}

static void a_stopped_training_goes_on(void **state)
{
    batch = 600; /* several jobs, or no number of workers could matter */
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        Fault none = {.stop_at = -1, .spoil_at = -1}, stop = {.stop_at = 21, .spoil_at = -1};
        Sae *whole = NULL, *part = NULL;
        PathKind there;
        assert_int_equal(run(&whole, (SaeKind)kind, &none, false, WORK_ALONE), 0);
        assert_int_equal(run(&part, (SaeKind)kind, &stop, true, &usual), OGPT_EINTR);
        assert_true(!part && stop.reports == 3);
        stop.stop_at = 28;
        assert_int_equal(run(&part, (SaeKind)kind, &stop, true, WORK_ALONE), OGPT_EINTR);
        assert_int_equal(stop.reports, 4);
        stop.stop_at = -1;
        assert_int_equal(run(&part, (SaeKind)kind, &stop, true, &usual), 0);
        assert_int_equal(stop.last.step, STEPS);
        assert_same(whole, part);
        assert_int_equal(path_kind(&there, checkpoint), 0);
        assert_int_equal(there, PATH_DIRECTORY);
        assert_int_equal(dir_remove(checkpoint), 0);
        sae_free(part);
        sae_free(whole);
    }
    batch = 200;
}

static void another_training_is_not_gone_on_with(void **state)
{
    Fault stop = {.stop_at = 14, .spoil_at = -1};
    Sae *sae = NULL;
    assert_int_equal(run(&sae, SAE_TOPK, &stop, true, &usual), OGPT_EINTR);
    assert_int_equal(run(&sae, SAE_GATED, &stop, true, &usual), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "begun with kind \"topk\", now it is \"gated\""));
    /* A damaged one is named, not trained on. */
    char file[FILES_PATH_MAX];
    assert_int_equal(path_join(file, checkpoint, "state.safetensors"), 0);
    assert_int_equal(truncate(file, 1000), 0);
    assert_int_equal(run(&sae, SAE_TOPK, &stop, true, &usual), OGPT_EFORMAT);
    assert_int_equal(dir_remove(checkpoint), 0);
}

static void what_is_not_a_number_stops(void **state)
{
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        Fault spoil = {.stop_at = -1, .spoil_at = 11};
        Sae *sae = NULL;
        assert_int_equal(run(&sae, (SaeKind)kind, &spoil, false, &usual), OGPT_ENUM);
        assert_non_null(strstr(err_message(), "step 12: the gradient of W_"));
        assert_null(sae);
    }
}

/* Folded weights do to rows as they are what the trained ones do to centred and scaled rows: the
 * share explained on training rows is that of the last batches, or near. */
static void folding_changes_nothing(void **state)
{
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        Fault none = {.stop_at = -1, .spoil_at = -1};
        static float x[BLOCK * WIDTH], y[BLOCK * WIDTH], f[BLOCK * FEATURES], x_hat[BLOCK * WIDTH];
        const SaeStream stream = stream_of((SaeKind)kind);
        Sae *sae = NULL;
        size_t n = 0, active = 0;
        double error = 0, power = 0, mean[WIDTH] = {0};
        assert_int_equal(run(&sae, (SaeKind)kind, &none, false, &usual), 0);
        assert_int_equal(stream.fill(stream.context, x, y, &n, 5, &usual), 0);
        const float *goal = stream.has_target ? y : x;
        const size_t d = sae->cfg.d_out;
        sae_encode(sae, x, n, f);
        sae_decode(sae, f, n, x_hat);
        for (size_t i = 0; i < n * d; i++) {
            mean[i % d] += goal[i] / (double)n;
        }
        for (size_t i = 0; i < n * d; i++) {
            error += pow((double)x_hat[i] - goal[i], 2);
            power += pow(goal[i] - mean[i % d], 2);
        }
        for (size_t i = 0; i < n * FEATURES; i++) {
            active += f[i] > 0;
        }
        assert_true(sae->cfg.explained > 0.05 && sae->cfg.explained < 1);
        assert_true(fabs(1 - error / power - sae->cfg.explained) < 0.01);
        assert_true(fabs((double)active / (double)n / sae->cfg.mean_l0 - 1) < 0.06);
        sae_free(sae);
    }
}

static void the_rest_of_the_recipe(void **state)
{
    SaeTrainOptions options = options_of(SAE_JUMPRELU);
    options.warmup = 10;
    assert_true(fabs(sae__rate(&options, 0, 100) - 5e-4) < 1e-9);
    assert_true(sae__rate(&options, 40, 100) == 5e-3);
    assert_true(fabs(sae__rate(&options, 90, 100) - 2.5e-3) < 1e-9);
    assert_true(sae__penalty_share(&options, 49, 100) == 0.5);
    options.kind = SAE_STANDARD;
    assert_true(sae__penalty_share(&options, 4, 100) == 1);
    options = (SaeTrainOptions){.kind = SAE_TOPK, .features = 1024, .batch = 100};
    options.activations = 100000;
    options.warmup = -1;
    sae_train_complete(&options);
    assert_true(fabs(options.lr - 8e-4) < 1e-9 && options.warmup == 100);
    assert_non_null(sae_train_check(&options)); /* k */
    options.k = 4;
    assert_null(sae_train_check(&options));
    options.kind = SAE_JUMPRELU;
    assert_non_null(sae_train_check(&options)); /* l0 */
    /* Rows of a block are fewer than a batch; rows that do not vary. */
    Sae *sae = NULL;
    SaeTrainOptions wide = options_of(SAE_TOPK);
    wide.batch = 1600;
    SaeStream stream = stream_of(SAE_TOPK);
    const SaeTrainJob job = {.stream = &stream, .options = &wide};
    assert_int_equal(sae_train(&sae, &job, &usual), OGPT_EUSAGE);
    assert_non_null(strstr(err_message(), "1500 rows, fewer than a batch of 1600"));
    SaePlantedRows flat = planted;
    flat.active = 0;
    stream = sae_stream_planted(&flat);
    wide.batch = 200;
    assert_int_equal(sae_train(&sae, &job, &usual), OGPT_ENUM);
    assert_non_null(strstr(err_message(), "do not vary"));
    assert_true(sae_train_bytes(&stream, &wide, &usual) > BLOCK * WIDTH * sizeof(float));
}

/* ---- ranks ---- */

/* The gradients of one autoencoder, all of its steps. */
static void note_gradient(void *context, int64_t step, float *gradient, size_t n)
{
    uint64_t *sum = context;
    *sum = 31 * *sum + xxh3(gradient, n * sizeof(float)) + (uint64_t)step;
}

static int count_taken(void *context, size_t job, Sae *sae)
{
    *(size_t *)context += job + 1;
    sae_free(sae);
    return 0;
}

/* Ranks without messages: each trains its own, the first one takes all. */
static void each_rank_trains_one(void **state)
{
    const SaeStream stream = stream_of(SAE_TOPK);
    const SaeKind kinds[2] = {SAE_TOPK, SAE_GATED};
    SaeTrainOptions options[2];
    SaeTrainJob jobs[2];
    uint64_t alone[2] = {0}, ranks[2] = {0};
    char places[2][FILES_PATH_MAX];
    for (size_t i = 0; i < 2; i++) {
        size_t taken = 0;
        options[i] = options_of(kinds[i]);
        options[i].checkpoint_every = 9;
        assert_int_equal(path_join(places[i], folder, i ? "second" : "first"), 0);
        jobs[i] = (SaeTrainJob){.stream = &stream,
                                .options = &options[i],
                                .context = &alone[i],
                                .gradient = note_gradient};
        const SaeTrainSet set = {&jobs[i], 1, &taken, count_taken};
        assert_int_equal(sae_train_set(&set, &usual), 0);
        assert_int_equal(taken, 1);
        jobs[i].context = &ranks[i];
        jobs[i].checkpoint = places[i];
    }
    size_t taken = 0;
    const SaeTrainSet set = {jobs, 2, &taken, count_taken};
    assert_int_equal(sae_train_set(&set, &usual), OGPT_EUSAGE); /* one rank */
    assert_non_null(strstr(err_message(), "one autoencoder a rank"));
    for (int rank = 2; rank >= 0; rank--) { /* of three; the last one helps */
        ranks_pretend(rank, 3);
        int rc = sae_train_set(&set, &usual);
        ranks_pretend(0, 1);
        PathKind kind[2];
        assert_int_equal(rc, 0);
        assert_int_equal(ranks[0] != 0, rank == 0);
        assert_int_equal(ranks[1] != 0, rank < 2);
        assert_int_equal(taken, rank == 0 ? 3 : 0);
        for (size_t i = 0; i < 2; i++) { /* only the first one writes */
            assert_int_equal(path_kind(&kind[i], places[i]), 0);
            assert_int_equal(kind[i] == PATH_DIRECTORY, rank == 0);
        }
    }
    assert_true(alone[0] != alone[1]);
    assert_memory_equal(ranks, alone, sizeof(alone));
    /* It goes on where the first one has saved it: the last four steps. */
    options[1] = options[0];
    jobs[1] = jobs[0];
    Fault last = {0};
    jobs[1].context = &last;
    jobs[1].report = on_report;
    jobs[1].gradient = NULL;
    const SaeTrainSet rest = {&jobs[1], 1, &taken, count_taken};
    assert_int_equal(sae_train_set(&rest, &usual), 0);
    assert_int_equal(last.last.step, STEPS);
    assert_true(last.reports <= 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(dir_remove(places[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_training_goes_on),
        cmocka_unit_test(another_training_is_not_gone_on_with),
        cmocka_unit_test(what_is_not_a_number_stops),
        cmocka_unit_test(folding_changes_nothing),
        cmocka_unit_test(the_rest_of_the_recipe),
        cmocka_unit_test(each_rank_trains_one),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
