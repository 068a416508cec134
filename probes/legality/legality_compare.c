/* probes/legality/legality_compare.c - contract in probes/legality/legality_compare.h. */
#include "probes/legality/legality_compare.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

static const struct {
    const char *name;
    size_t offset; /* in LegalitySums */
    bool higher_is_better;
} measures[LEGALITY_MEASURES] = {
    {"strict_error", offsetof(LegalitySums, strict_errors), false},
    {"lenient_error", offsetof(LegalitySums, lenient_errors), false},
    {"loss", offsetof(LegalitySums, loss), false},
    {"set_f1", offsetof(LegalitySums, set_f1), true},
    {"legal_mass", offsetof(LegalitySums, legal_mass), true},
};

static double sum_of(const LegalitySums *sums, size_t measure)
{
    return *(const double *)((const char *)sums + measures[measure].offset);
}

typedef struct CompareJob {
    LegalityDifference *out;
    const LegalityScore *a, *b;
    uint64_t seed;
} CompareJob;

static int measure_compare(void *context, size_t i, size_t worker)
{
    const CompareJob *job = context;
    const size_t n = job->a->n_games;
    LegalityDifference *out = &job->out[i];
    double *difference = mem_alloc(2 * n, sizeof(double), "differences of games");
    if (!difference) {
        return OGPT_ENOMEM;
    }
    double *positions = difference + n;
    for (size_t g = 0; g < n; g++) {
        difference[g] = sum_of(&job->a->games[g], i) - sum_of(&job->b->games[g], i);
        positions[g] = job->a->games[g].positions;
    }
    *out = (LegalityDifference){.measure = measures[i].name,
                                .higher_is_better = measures[i].higher_is_better,
                                .a = sum_of(&job->a->total, i) / job->a->total.positions,
                                .b = sum_of(&job->b->total, i) / job->b->total.positions,
                                .test = bootstrap_paired(difference, positions, n, job->seed)};
    mem_free(difference);
    return 0;
}

int legality_compare(LegalityDifference out[LEGALITY_MEASURES], const LegalityScore *a,
                     const LegalityScore *b, const Work *work)
{
    CompareJob job = {out, a, b, work->seed};
    PairedTest tests[LEGALITY_MEASURES];
    bool same = a->n_games == b->n_games;
    /* The floor of a game is a sum over its boards: other boards hardly have the same. */
    for (size_t g = 0; same && g < a->n_games; g++) {
        same = a->games[g].positions == b->games[g].positions &&
               a->games[g].floor == b->games[g].floor;
    }
    if (!same) {
        return err_set(OGPT_EFORMAT,
                       "two scores of %zu and %zu games, or of other games; compare networks on "
                       "the same ones",
                       a->n_games, b->n_games);
    }
    int rc = pool_run(work->pool, LEGALITY_MEASURES, measure_compare, &job);
    for (size_t i = 0; rc == 0 && i < LEGALITY_MEASURES; i++) {
        tests[i] = out[i].test;
    }
    if (rc == 0) {
        holm_adjust(tests, LEGALITY_MEASURES);
        for (size_t i = 0; i < LEGALITY_MEASURES; i++) {
            out[i].test = tests[i];
        }
    }
    return rc;
}

LegalitySide legality_side(const LegalityDifference *difference)
{
    if (!(difference->test.p_holm < LEGALITY_DIFFERS_BELOW)) { /* NaN too */
        return LEGALITY_NONE;
    }
    bool a_is_higher = difference->test.difference.value > 0;
    return a_is_higher == difference->higher_is_better ? LEGALITY_A : LEGALITY_B;
}
