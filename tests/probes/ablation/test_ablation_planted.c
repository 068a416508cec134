/* tests/probes/ablation/test_ablation_planted.c - ablations of networks whose circuit is known.
 * links: model/planted */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/planted/planted.h"
#include "tests/probes/ablation/ablation_bench.h"

/* The two inputs of a planted network as positions 0 (clean) and 1 (corrupt) of one metric. */
static void planted_positions(AblationPositions *out, const PlantedTruth *truth)
{
    const Vocab *vocab = vocab_of(game_variant(truth->size));
    size_t V = (size_t)vocab->d_vocab;
    *out = (AblationPositions){.vocab = vocab, .n = 1, .n_games = 1};
    out->at = mem_calloc(1, sizeof(*out->at), "positions");
    out->weights = mem_calloc(V, sizeof(real), "weights");
    assert_non_null(out->at);
    assert_non_null(out->weights);
    AblationPosition *at = &out->at[0];
    at->n_moves = (int)truth->n_tokens;
    at->legal = 1ULL << vocab->sq_of_tok[truth->target];
    memset(at->moves, SQ_NONE, sizeof(at->moves));
    for (size_t t = 0; t < truth->n_tokens; t++) {
        at->moves[t] = vocab->sq_of_tok[truth->clean[t]];
    }
    out->weights[truth->target] = 1;
    out->weights[truth->other] = -1;
}

enum { HEADS = PLANTED_LAYERS * PLANTED_HEADS };

typedef struct PlantedRun {
    PlantedTruth truth;
    size_t a, b;                  /* the first and the second planted head */
    AblationResult alone, with_a; /* each head; each head together with a */
} PlantedRun;

/* The number of the head that is part number `part` of the truth's heads. */
static size_t planted_head(const PlantedTruth *truth, size_t part)
{
    for (size_t i = 0; i < truth->n_parts; i++) {
        const PlantedPart *p = &truth->parts[i];
        if (p->node == PLANTED_HEAD && part-- == 0) {
            return (size_t)(p->layer * PLANTED_HEADS + p->index);
        }
    }
    fail();
    return 0;
}

/* Heads set to zero at all positions, alone and together with the first planted one. */
static void planted_heads(PlantedRun *out, PlantedKind kind, bool twin)
{
    PlantedOptions options = {.kind = kind, .size = 6, .seed = 4, .twin = twin};
    AblationPositions positions;
    Gpt *gpt;
    AblationUnit units[HEADS], both[HEADS][2];
    AblationSet alone[HEADS], with_a[HEADS];
    assert_int_equal(planted_make(&gpt, &options), 0);
    assert_int_equal(planted_truth(&out->truth, &options), 0);
    out->a = planted_head(&out->truth, 0);
    out->b = planted_head(&out->truth, 1);
    planted_positions(&positions, &out->truth);
    AblationInputs in = {.gpt = gpt, .positions = &positions, .all = true};
    assert_int_equal(ablation_units_count(&gpt->cfg, 1U << ABLATE_HEAD), HEADS);
    ablation_units_list(units, &gpt->cfg, 1U << ABLATE_HEAD);
    for (size_t i = 0; i < HEADS; i++) {
        both[i][0] = units[out->a];
        both[i][1] = units[i];
        alone[i] = (AblationSet){&units[i], 1, ABLATION_ZERO, false};
        with_a[i] = (AblationSet){both[i], i == out->a ? 1 : 2, ABLATION_ZERO, false};
    }
    assert_int_equal(ablation_run(&out->alone, &in, alone, HEADS, "heads", WORK_ALONE), 0);
    assert_int_equal(ablation_run(&out->with_a, &in, with_a, HEADS, "pairs", WORK_ALONE), 0);
    assert_true(out->alone.identity_error < 1e-4 && out->with_a.identity_error < 1e-4);
    ablation_positions_release(&positions);
    gpt_free(gpt);
}

static void planted_release(PlantedRun *run)
{
    ablation_release(&run->alone);
    ablation_release(&run->with_a);
}

static void equal_heads_do_half_each_and_all_together(void **state)
{
    PlantedRun run;
    planted_heads(&run, PLANTED_DUPLICATE, false);
    double whole = run.truth.joints[0].total;
    assert_true(fabs(whole) > 1.0);
    assert_true(fabs(mean_total(&run.alone, run.a, false) / whole - 0.5) < 1e-4);
    assert_true(fabs(mean_total(&run.alone, run.b, false) / whole - 0.5) < 1e-4);
    assert_true(fabs(mean_total(&run.with_a, run.b, false) / whole - 1.0) < 1e-4);
    planted_release(&run);
    planted_heads(&run, PLANTED_DUPLICATE, true); /* twin: the same places without the heads */
    assert_true(fabs(mean_total(&run.with_a, run.b, false)) < 1e-3);
    planted_release(&run);
    (void)state;
}

/* comp(u|a) at one position: |m(a) - m(a and u)| - |m - m(u)|. */
static double comp(const PlantedRun *run, size_t u)
{
    return fabs(mean_total(&run->with_a, u, false) - mean_total(&run->alone, run->a, false)) -
           fabs(mean_total(&run->alone, u, false));
}

static void a_backup_hides_the_first_head_and_is_found(void **state)
{
    PlantedRun run;
    planted_heads(&run, PLANTED_BACKUP, false);
    size_t best = run.a == 0 ? 1 : 0;
    double full = run.truth.parts[1].direct;
    assert_int_equal(run.truth.parts[1].node, PLANTED_HEAD);
    assert_true(fabs(full) > 1.0);
    assert_true(fabs(mean_total(&run.alone, run.a, false)) < 1e-3);
    assert_true(fabs(mean_direct(&run.alone, run.a) / full - 1.0) < 1e-3);
    for (size_t u = 0; u < HEADS; u++) {
        best = u != run.a && comp(&run, u) > comp(&run, best) ? u : best;
    }
    assert_int_equal(best, run.b);
    assert_true(comp(&run, run.b) > 0.5 * fabs(full));
    planted_release(&run);
    planted_heads(&run, PLANTED_BACKUP, true);
    assert_true(fabs(mean_direct(&run.alone, run.a)) < 1e-3 && fabs(comp(&run, run.b)) < 1e-3);
    planted_release(&run);
    (void)state;
}

/* Largest |TE - DE| and largest |DE| of a set. */
static void largest(double *gap, double *direct, const AblationResult *result, size_t set)
{
    *gap = *direct = 0.0;
    for (size_t i = 0; i < result->n; i++) {
        const AblationEffect *effect = &result->effects[set * result->n + i];
        *gap = fmax(*gap, fabs((double)effect->total - (double)effect->direct));
        *direct = fmax(*direct, fabs((double)effect->direct));
    }
}

/* In a linear network no part answers to what another one does: without a way through later parts
 * the total effect is the direct one, whatever takes a unit's place. The two parts of layer 0 have
 * such a way (twin). */
static void linear_networks_repair_nothing(void **state)
{
    PlantedOptions options = {.kind = PLANTED_LINEAR, .size = 6, .seed = 4};
    PlantedTruth truth;
    AblationBench bench;
    AblationUnit units[PLANTED_MAX_PARTS];
    bool ways[PLANTED_MAX_PARTS]; /* whether a later part reads the unit */
    size_t n = 0;
    bench_open(&bench, 6, 8, false);
    gpt_free(bench.gpt);
    ablation_means_release(&bench.means);
    assert_int_equal(planted_make(&bench.gpt, &options), 0);
    assert_int_equal(planted_truth(&truth, &options), 0);
    assert_int_equal(ablation_means_fit(&bench.means, bench.gpt, bench.training, 64, WORK_ALONE),
                     0);
    bench.in.gpt = bench.gpt;
    size_t V = (size_t)bench.positions.vocab->d_vocab;
    memset(bench.positions.weights, 0, bench.positions.n * V * sizeof(real));
    for (size_t i = 0; i < bench.positions.n; i++) {
        bench.positions.weights[i * V + truth.target] = 1;
        bench.positions.weights[i * V + truth.other] = -1;
    }
    for (size_t i = 0; i < truth.n_parts; i++) {
        if (truth.parts[i].node == PLANTED_HEAD || truth.parts[i].node == PLANTED_MLP) {
            bool head = truth.parts[i].node == PLANTED_HEAD;
            ways[n] = truth.parts[i].total != truth.parts[i].direct;
            units[n++] = (AblationUnit){head ? ABLATE_HEAD : ABLATE_MLP, truth.parts[i].layer,
                                        head ? truth.parts[i].index : 0};
        }
    }
    assert_int_equal(n, 5);
    for (int kind = ABLATION_ZERO; kind <= ABLATION_MATCHED; kind++) {
        for (size_t u = 0; u < n; u++) {
            AblationSet set = {&units[u], 1, (AblationKind)kind, false};
            AblationResult result;
            double gap, direct;
            assert_int_equal(ablation_run(&result, &bench.in, &set, 1, "one", WORK_ALONE), 0);
            largest(&gap, &direct, &result, 0);
            if (ways[u]) {
                assert_true(gap > 0.02);
            } else { /* PLANTED_TOLERANCE of the strength 6 is 1.2e-4 */
                assert_true(gap < 1.2e-4 && direct > 0.1);
            }
            ablation_release(&result);
        }
    }
    bench_close(&bench);
    (void)state;
}

int main(void)
{
    if (blas_init() != 0) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_heads_do_half_each_and_all_together),
        cmocka_unit_test(a_backup_hides_the_first_head_and_is_found),
        cmocka_unit_test(linear_networks_repair_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
