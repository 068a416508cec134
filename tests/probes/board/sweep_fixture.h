/* tests/probes/board/sweep_fixture.h - what tests of sweeps share: the corpus and network, a
 * listener that can stop a sweep, and one call of sweep_fit. */
#ifndef OGPT_TESTS_PROBES_BOARD_SWEEP_FIXTURE_H
#define OGPT_TESTS_PROBES_BOARD_SWEEP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/process.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/tick_log.h"
#include "probes/board/sweep.h"
#include "tests/there.h"

static ProbeFixture fixture;
static Pool *pool;
static Work usual; /* with the pool and seed 1 */

static inline SweepOptions small_options(void)
{
    SweepOptions options = SWEEP_OPTIONS_DEFAULT;
    options.n_games = 250;
    options.n_test_games = 60;
    options.plies = 4;
    options.l2 = 1e-2;
    options.controls = false;
    return options;
}

/* For tests that compare bytes, whatever is read. */
static inline SweepOptions few_options(void)
{
    SweepOptions options = small_options();
    options.n_games = 40;
    options.n_test_games = 20;
    return options;
}

/* As few_options, by the solver that inverts no matrix. */
static inline SweepOptions fast_options(void)
{
    SweepOptions options = few_options();
    options.solver = "adamw";
    options.epochs = 2;
    return options;
}

typedef struct SweepWatch {
    int stop_after;           /* layers after which a signal is simulated; 0: never */
    int stop_control;         /* ... and ticks of controls */
    int n_layers, n_controls; /* controls: begun and done */
    TickLog log;
    double parts, parts_of_layers; /* last tick of "parts"; the last one before the controls */
    double right[N_CONTROLS + 1]; /* shares of right cells, counted by the observer; 0: not shown */
    uint64_t truth[N_CONTROLS + 1]; /* sums over the labels of the same readings */
} SweepWatch;

static inline void on_layer(void *context, const LayerScore *layer)
{
    SweepWatch *watch = context;
    if (++watch->n_layers == watch->stop_after) {
        interrupt_set(15);
    }
}

static inline void on_tick(void *context, const char *stage, double done, double total)
{
    SweepWatch *watch = context;
    if (strcmp(stage, "parts") == 0) { /* comes between the ticks of the other stages */
        assert_true(done >= watch->parts && done <= 100 && total == 100);
        watch->parts = done;
        watch->parts_of_layers = watch->n_controls > 0 ? watch->parts_of_layers : done;
        return;
    }
    tick_log(&watch->log, stage, done, total);
    watch->n_controls += strncmp(stage, "control ", 8) == 0;
    if (watch->n_controls > 0 && watch->n_controls == watch->stop_control) {
        interrupt_set(15);
    }
}

static inline int on_scored(void *context, int layer, int control, const LabelledSet *truth,
                            const uint8_t *predicted)
{
    SweepWatch *watch = context;
    size_t n = truth->set.n_positions * truth->n_squares, right = 0;
    if (control >= 0) {
        watch->truth[control] = 0;
        for (size_t i = 0; i < n; i++) {
            right += predicted[i] == truth->labels[i];
            watch->truth[control] += truth->labels[i] * (i % 1009);
        }
        watch->right[control] = (double)right / (double)n;
    }
    return 0;
}

/* One call of sweep_fit. hash: of the tensors on file, "" if there are none. */
static inline int fit(SweepResult *result, char hash[HASH_HEX_SIZE], const char *name,
                      const SweepOptions *options, SweepWatch *watch, const Work *work)
{
    char path[FILES_PATH_MAX], file[FILES_PATH_MAX];
    Probe probe;
    SweepObserver observer = {.context = watch, .layer = on_layer, .scored = on_scored};
    SweepOptions observed = *options;
    Work heard = *work;
    observed.observer = &observer;
    heard.tick = on_tick;
    heard.context = watch;
    watch->parts = 0;
    fixture_path(path, &fixture, name);
    int rc = sweep_fit(result, &probe, path, &fixture.subject, fixture.corpus, &observed, &heard);
    probe_release(&probe);
    interrupt_set(0);
    assert_int_equal(path_join(file, path, "probe.safetensors"), 0);
    hash[0] = '\0';
    if (file_exists(file)) {
        assert_int_equal(sha256_file(hash, file), 0);
    }
    return rc;
}

static inline int setup(void **state)
{
    int rc = fixture_open(&fixture, 800) || pool_new(&pool, 2);
    usual = (Work){.pool = pool, .seed = 1};
    return rc;
}

static inline int teardown(void **state)
{
    pool_free(pool);
    fixture_close(&fixture);
    return 0;
}

#endif
