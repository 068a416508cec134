/* tests/probes/ablation/test_ablation_summary.c - effects added up: rows, ranks, shares, groups,
 * pairs, and a whole study.
 * links: model/planted */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "model/planted/planted.h"
#include "probes/ablation/ablation_study.h"
#include "tests/probes/ablation/ablation_bench.h"

static void ranks_are_those_of_the_definition(void **state)
{
    /* Ranks 1 2.5 2.5 4 and 4 1 2 3: 1 - 6 sum d^2 / n (n^2 - 1) holds without ties only, so the
     * correlation of ranks by hand: sum (x - 2.5)(y - 2.5) = -1.5, sums of squares 4.5 and 5. */
    const double a[] = {-1, 3, 3, 9}, b[] = {7, -2, 0, 1}, flat[] = {2, 2, 2, 2};
    double found;
    assert_int_equal(ablation_spearman(&found, a, b, 4), 0);
    assert_true(fabs(found - -1.5 / sqrt(4.5 * 5.0)) < 1e-12);
    assert_int_equal(ablation_spearman(&found, a, a, 4), 0);
    assert_true(fabs(found - 1.0) < 1e-12);
    assert_int_equal(ablation_spearman(&found, a, flat, 4), 0);
    assert_true(isnan(found));
    (void)state;
}

/* Two sets at six positions of three games, effects by hand. */
typedef struct Handmade {
    AblationPosition at[6];
    AblationPositions positions;
    AblationEffect effects[12], clean[6];
    double parts[2 * 3];
    AblationResult result;
} Handmade;

static void handmade(Handmade *out)
{
    *out = (Handmade){.parts = {0.6, -6, 0, 0, 0, 12}};
    for (size_t i = 0; i < 6; i++) {
        out->at[i].game = i / 2;
        out->clean[i] = (AblationEffect){.total = 5, .wrong = 1};
        /* Set 0: half of the direct effect is made up for, whatever its sign. Set 1: nothing. */
        float direct = i % 2 ? -2.0F : 4.0F;
        out->effects[i] = (AblationEffect){
            .total = direct / 2, .direct = direct, .norm = direct / 8, .wrong = 2, .strict = i < 3};
        out->effects[6 + i] = (AblationEffect){.total = 1, .direct = 1, .wrong = 1};
    }
    out->positions = (AblationPositions){.at = out->at, .n = 6, .n_games = 3};
    out->result = (AblationResult){.n_sets = 2,
                                   .n = 6,
                                   .n_senders = 3,
                                   .effects = out->effects,
                                   .parts = out->parts,
                                   .clean = out->clean};
}

static void rows_and_shares_are_ratios_of_sums(void **state)
{
    Handmade hand;
    AblationRow rows[2];
    AblationShare share;
    handmade(&hand);
    assert_int_equal(ablation_rows(rows, &hand.result, &hand.positions, WORK_ALONE), 0);
    assert_true(fabs(rows[0].total.value - 0.5) < 1e-12); /* (2 - 1) / 2 */
    assert_true(fabs(rows[0].direct.value - 1.0) < 1e-12);
    assert_true(fabs(rows[0].repair.value - 0.5) < 1e-12);
    assert_true(fabs(rows[0].share.value - 0.5) < 1e-12);
    assert_true(fabs(rows[0].wrong.value - 1.0) < 1e-12);
    assert_true(fabs(rows[0].strict.value - 0.5) < 1e-12);
    assert_true(fabs(rows[0].norm - 0.125) < 1e-12);
    assert_true(rows[0].strict.low < 0.5 && rows[0].strict.high > 0.5); /* games differ in it */
    assert_true(rows[0].wrong.low == 1.0 && rows[0].wrong.high == 1.0);
    assert_int_equal(rows[0].parts[0], 1);
    assert_true(fabs(rows[0].part[0] - -1.0) < 1e-12);
    assert_int_equal(rows[1].parts[0], 2);
    assert_true(rows[1].repair.value == 0.0 && rows[1].total.value == 1.0);
    assert_int_equal(ablation_share(&share, &hand.result, &hand.positions, 0, 2, 1, WORK_ALONE), 0);
    assert_true(fabs(share.repair.value - 0.5) < 1e-12);
    assert_true(fabs(share.norm.value - 0.125) < 1e-12);
    assert_true(fabs(share.top.value - 0.5) < 1e-12);
    /* Both sets: 9 of 24. The largest |DE| are those of set 0 alone: still a half. */
    assert_int_equal(ablation_share(&share, &hand.result, &hand.positions, 0, 1, 2, WORK_ALONE), 0);
    assert_true(fabs(share.repair.value - 9.0 / 24.0) < 1e-12);
    assert_true(fabs(share.top.value - 0.5) < 1e-12);
    /* Direct effects of the size of rounding: no share; a little above it: one. */
    for (size_t i = 0; i < 2 * hand.result.n; i++) {
        hand.result.effects[i].direct = (float)(0.5 * ABLATION_ROUNDING);
    }
    assert_int_equal(ablation_share(&share, &hand.result, &hand.positions, 0, 1, 2, WORK_ALONE), 0);
    assert_true(isnan(share.repair.value) && isnan(share.repair.low) && isnan(share.norm.value));
    for (size_t i = 0; i < 2 * hand.result.n; i++) {
        hand.result.effects[i].direct = (float)(2.0 * ABLATION_ROUNDING);
    }
    assert_int_equal(ablation_share(&share, &hand.result, &hand.positions, 0, 1, 2, WORK_ALONE), 0);
    assert_true(isfinite(share.repair.value) && isfinite(share.repair.high));
    (void)state;
}

/* Real positions of the 4x4 board on a planted network; m = logit[target] - logit[other]. */
static void bench_plant(AblationBench *bench, PlantedTruth *truth, PlantedKind kind, bool twin)
{
    PlantedOptions options = {.kind = kind, .size = 4, .seed = 4, .twin = twin};
    bench_open(bench, 4, 12, true);
    gpt_free(bench->gpt);
    ablation_means_release(&bench->means);
    assert_int_equal(planted_make(&bench->gpt, &options), 0);
    assert_int_equal(planted_truth(truth, &options), 0);
    assert_int_equal(ablation_means_fit(&bench->means, bench->gpt, bench->training, 64, WORK_ALONE),
                     0);
    bench->in.gpt = bench->gpt;
    size_t V = (size_t)bench->positions.vocab->d_vocab;
    memset(bench->positions.weights, 0, bench->positions.n * V * sizeof(real));
    for (size_t i = 0; i < bench->positions.n; i++) {
        bench->positions.weights[i * V + truth->target] = 1;
        bench->positions.weights[i * V + truth->other] = -1;
    }
}

static const PlantedPart *head_part(const PlantedTruth *truth, size_t which)
{
    for (size_t i = 0; i < truth->n_parts; i++) {
        if (truth->parts[i].node == PLANTED_HEAD && which-- == 0) {
            return &truth->parts[i];
        }
    }
    fail();
    return NULL;
}

static bool is_part(AblationUnit unit, const PlantedPart *part)
{
    return unit.layer == part->layer && unit.index == part->index;
}

static void the_pair_with_the_backup_comes_first(void **state)
{
    AblationUnit units[PLANTED_LAYERS * PLANTED_HEADS];
    for (int twin = 0; twin < 2; twin++) {
        AblationBench bench;
        PlantedTruth truth;
        AblationPairs pairs;
        bench_plant(&bench, &truth, PLANTED_BACKUP, twin);
        const PlantedPart *a = head_part(&truth, 0), *b = head_part(&truth, 1);
        size_t n = ablation_units_count(&bench.gpt->cfg, 1U << ABLATE_HEAD), best = 0;
        ablation_units_list(units, &bench.gpt->cfg, 1U << ABLATE_HEAD);
        assert_int_equal(ablation_pairs(&pairs, &bench.in, units, n, ABLATION_ZERO, WORK_ALONE), 0);
        assert_int_equal(pairs.n, n * (n - 1) / 2);
        for (size_t i = 1; i < pairs.n; i++) {
            best = pairs.pairs[i].b_after_a.value > pairs.pairs[best].b_after_a.value ? i : best;
        }
        const AblationPair *found = &pairs.pairs[best];
        if (twin) {
            assert_true(fabs(found->b_after_a.value) < 1e-3 && fabs(found->total.value) < 1e-3);
        } else {
            assert_true(is_part(found->a, a) && is_part(found->b, b));
            assert_true(found->b_after_a.value > 0.1 && found->extra.value > 0.1);
            assert_true(found->extra.value > 0.5 * found->total.value);
        }
        ablation_pairs_release(&pairs);
        bench_close(&bench);
    }
    (void)state;
}

static void the_strongest_group_holds_the_planted_heads(void **state)
{
    AblationBench bench;
    PlantedTruth truth;
    AblationStudy study;
    const AblationStudyOptions options = {
        .units = 1U << ABLATE_HEAD | 1U << ABLATE_MLP,
        .kinds = 1U << ABLATION_ZERO | 1U << ABLATION_RESAMPLE,
        .draws = 6,
        .heads = 2,
        .pair_positions = 3,
        .curves = true,
    };
    bench_plant(&bench, &truth, PLANTED_DUPLICATE, false);
    assert_int_equal(ablation_study_run(&study, &bench.in, &options, WORK_ALONE), 0);
    assert_int_equal(study.n_units, PLANTED_LAYERS * (PLANTED_HEADS + 1));
    assert_true(study.rescue_error == 0.0 && study.n_rescued == study.n_units);
    assert_true(study.identity_error < 1.2e-4);
    assert_int_equal(study.n_groups, 1);
    const AblationGroups *groups = &study.groups[0].groups;
    const PlantedPart *a = head_part(&truth, 0), *b = head_part(&truth, 1);
    assert_true(is_part(groups->chosen[0], a) || is_part(groups->chosen[0], b));
    assert_true(is_part(groups->chosen[1], a) || is_part(groups->chosen[1], b));
    assert_true(fabs(groups->total.value) > 0.5);
    assert_true(fabs(groups->random_total.value) < 0.5 * fabs(groups->total.value)); /* twin */
    assert_true(!is_part(groups->least, a) && !is_part(groups->least, b));
    assert_true(fabs(groups->least_total.value) < 1e-3);
    assert_int_equal(study.n_shares, 4);
    assert_int_equal(study.n_ranks, 6); /* of heads and of MLPs: two own, one between the kinds */
    assert_int_equal(study.pairs.n_positions, 3);
    assert_int_equal(study.curves.n_points, 2 * PLANTED_LAYERS);
    ablation_study_release(&study);
    bench_close(&bench);
    (void)state;
}

int main(void)
{
    if (blas_init() != 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_those_of_the_definition),
        cmocka_unit_test(rows_and_shares_are_ratios_of_sums),
        cmocka_unit_test(the_pair_with_the_backup_comes_first),
        cmocka_unit_test(the_strongest_group_holds_the_planted_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
