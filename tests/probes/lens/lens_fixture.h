/* tests/probes/lens/lens_fixture.h - a random 6x6 network with games to fit on and games to test
 * on. */
#ifndef OGPT_TESTS_PROBES_LENS_LENS_FIXTURE_H
#define OGPT_TESTS_PROBES_LENS_LENS_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probes/lens/lens_study.h"
#include "tests/probes/probe_fixture.h"

static ProbeFixture fixture;
static Pool *pool;
static Work usual; /* two workers, seed 1 */
static LabelledSet train, test;

static inline int draw(LabelledSet *out, int split, size_t n_games)
{
    GameSource *source = NULL;
    int rc = source_corpus(&source, fixture.corpus, 1U << split, true, usual.seed);
    rc = rc ? rc : labelled_draw(out, source, task_find("mine"), LABELS_MOVER, n_games, 4, &usual);
    source_free(source);
    return rc;
}

/* Plain LayerNorms and larger answers, so that places and layers differ by more than rounding. */
static inline void enliven(Gpt *gpt)
{
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        bool norm = strstr(spec->name, "ln") && strstr(spec->name, ".w");
        for (size_t k = 0; k < spec->count; k++) {
            real *number = &gpt->params[spec->offset + k];
            *number = norm ? 1 : strstr(spec->name, "W_U") ? 4 * *number : *number;
        }
    }
}

static inline int setup(void **state)
{
    int rc = fixture_open(&fixture, 800) || pool_new(&pool, 2);
    usual = (Work){.pool = pool, .seed = 1};
    if (rc == 0) {
        enliven(fixture.model.gpt);
    }
    return rc || draw(&train, SPLIT_TRAIN, 150) || draw(&test, SPLIT_TEST, 60);
}

static inline int teardown(void **state)
{
    labelled_release(&train);
    labelled_release(&test);
    pool_free(pool);
    fixture_close(&fixture);
    return 0;
}

/* One call of lens_measure by a network's own head; banks end at the first `n`. */
static inline void measure(LensMeasured *out, const Gpt *gpt, const LensBank *const *banks,
                           size_t n, const Work *work)
{
    LensReading reading = {.gpt = gpt, .head = gpt, .set = &test.set, .n = n};
    for (size_t i = 0; i < n; i++) {
        reading.banks[i] = banks[i];
    }
    assert_int_equal(lens_measured_make(out, &test.set, &gpt->cfg, n), 0);
    assert_int_equal(lens_measure(out, &reading, work), 0);
}

static inline double mean_of(const LensMeasured *measured, size_t reader, int place,
                             LensScore score)
{
    const double *sums = lens_measured_at(measured, reader, place, score);
    double sum = 0, n = 0;
    for (size_t g = 0; g < measured->n_games; g++) {
        sum += sums[g];
        n += measured->count[g];
    }
    return sum / n;
}

#endif
