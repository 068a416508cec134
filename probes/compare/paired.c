/* probes/compare/paired.c - see probes/compare/paired.h. */
#include "probes/compare/paired.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

int readings_add(Readings *readings, int layer, int control, const LabelledSet *truth,
                 const uint8_t *predicted, const Work *work)
{
    assert(readings->n < sizeof(readings->list) / sizeof(readings->list[0]));
    int rc = readings->traits.age ? 0 : traits_read(&readings->traits, &truth->set, work);
    Reading *reading = rc ? NULL : mem_calloc(1, sizeof(Reading), "a probe's reading");
    if (!reading) {
        return rc ? rc : OGPT_ENOMEM;
    }
    reading->layer = layer;
    reading->control = control;
    readings->list[readings->n++] = reading;
    breakdown_count(&reading->breakdown, truth, &readings->traits, predicted);
    return game_sums_count(&reading->sums, truth, predicted);
}

void readings_release(Readings *readings)
{
    for (size_t i = 0; i < readings->n; i++) {
        game_sums_release(&readings->list[i]->sums);
        mem_free(readings->list[i]);
    }
    traits_release(&readings->traits);
    *readings = (Readings){0};
}

const Reading *readings_find(const Readings *readings, int layer, int control)
{
    for (size_t i = 0; i < readings->n; i++) {
        const Reading *reading = readings->list[i];
        if (reading->control == control && (control != READING_PROBE || reading->layer == layer)) {
            return reading;
        }
    }
    return NULL;
}

typedef struct TestJob {
    PairedTest *tests;
    const PairedQuestion *questions;
    ScoreKind score;
    uint64_t seed;
} TestJob;

static int run_test(void *context, size_t job, size_t worker)
{
    const TestJob *test = context;
    const GameSums *a = test->questions[job].a, *b = test->questions[job].b;
    const double *of = a->total[test->score];
    if (a->n_games != b->n_games ||
        memcmp(of, b->total[test->score], a->n_games * sizeof(of[0])) != 0) {
        return err_set(OGPT_EFORMAT,
                       "paired test: %zu and %zu games, or different cells of them; both sides "
                       "need the same corpus, seed and number of games",
                       a->n_games, b->n_games);
    }
    double *difference = mem_alloc(a->n_games, sizeof(double), "differences of games");
    if (!difference) {
        return OGPT_ENOMEM;
    }
    for (size_t g = 0; g < a->n_games; g++) {
        difference[g] = a->right[test->score][g] - b->right[test->score][g];
    }
    test->tests[job] = bootstrap_paired(difference, of, a->n_games, test->seed);
    mem_free(difference);
    return 0;
}

int paired_tests(PairedTest *tests, const PairedQuestion *questions, size_t n, ScoreKind score,
                 const Work *work)
{
    TestJob job = {tests, questions, score, work->seed};
    int rc = pool_run(work->pool, n, run_test, &job);
    if (rc == 0) {
        holm_adjust(tests, n);
    }
    return rc;
}
