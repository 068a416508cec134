/* tests/probes/ablation/ablation_bench.h - a random network with all that an ablation reads,
 * and means of results. Included behind cmocka. */
#ifndef OGPT_TESTS_PROBES_ABLATION_BENCH_H
#define OGPT_TESTS_PROBES_ABLATION_BENCH_H

#include "probes/ablation/ablation.h"
#include "tests/probes/probe_fixture.h"

typedef struct AblationBench {
    Gpt *gpt;
    GameSource *training, *games;
    AblationPositions positions;
    AblationMeans means;
    AblationDonors donors;
    AblationInputs in;
} AblationBench;

static inline void bench_open(AblationBench *out, int size, size_t n, bool all)
{
    const Work *alone = WORK_ALONE;
    AblationMatch match = {MATCH_OWN, -1};
    *out = (AblationBench){.gpt = fixture_network(size, 1)};
    assert_non_null(out->gpt);
    assert_int_equal(source_fresh(&out->training, game_variant(size), 3, RNG_FRESH), 0);
    assert_int_equal(source_fresh(&out->games, game_variant(size), 3, RNG_EVAL), 0);
    assert_int_equal(ablation_positions_draw(&out->positions, out->games, n, 1, alone), 0);
    assert_int_equal(ablation_means_fit(&out->means, out->gpt, out->training, 70, alone), 0);
    assert_int_equal(ablation_donors_open(&out->donors, out->training, 400, alone), 0);
    assert_int_equal(ablation_donors_assign(&out->positions, &out->donors, &match, alone), 0);
    assert_true(out->positions.n > n / 2);
    out->in = (AblationInputs){.gpt = out->gpt,
                               .positions = &out->positions,
                               .means = &out->means,
                               .donors = &out->donors,
                               .all = all,
                               .seed = 5};
}

static inline void bench_close(AblationBench *bench)
{
    ablation_positions_release(&bench->positions);
    ablation_means_release(&bench->means);
    ablation_donors_release(&bench->donors);
    source_free(bench->training);
    source_free(bench->games);
    gpt_free(bench->gpt);
}

static inline double mean_total(const AblationResult *result, size_t set, bool absolute)
{
    double sum = 0.0;
    for (size_t i = 0; i < result->n; i++) {
        double value = (double)result->effects[set * result->n + i].total;
        sum += absolute ? fabs(value) : value;
    }
    return sum / (double)result->n;
}

static inline double mean_direct(const AblationResult *result, size_t set)
{
    double sum = 0.0;
    for (size_t i = 0; i < result->n; i++) {
        sum += (double)result->effects[set * result->n + i].direct / (double)result->n;
    }
    return sum;
}

#endif
