/* tests/probes/attribution/test_attribution_run.c - attribution over many games: the shipped
 * network and its probe, intervals, controls, any number of workers; and planted networks, whose
 * answer is known. links: model/planted */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"
#include "model/planted/planted.h"
#include "num/blas.h"
#include "probes/activations/passes.h"
#include "probes/attribution/attribution_run.h"
#include "tests/probes/probe_fixture.h"
#include "tests/probes/stopped_journal.h"

static Subject subject; /* shipped: 6x6 */
static Probe probe;
static Gpt *small; /* 3 layers, 24 wide, random; of the same board */

static int open_shipped(void **state)
{
    const char *root = getenv("OGPT_SOURCE");
    char path[FILES_PATH_MAX];
    snprintf(path, sizeof(path), "%s/datasets/models/tiny-6x6", root ? root : ".");
    int rc = blas_init();
    rc = rc ? rc : subject_open(&subject, path, NULL);
    snprintf(path, sizeof(path), "%s/datasets/models/tiny-6x6/probe", root ? root : ".");
    (void)state;
    small = fixture_network(6, 1);
    return rc || !small ? -1 : probe_load(&probe, path);
}

static int close_shipped(void **state)
{
    gpt_free(small);
    subject_release(&subject);
    probe_release(&probe);
    (void)state;
    return 0;
}

/* Fresh games, attributed at one grain. */
static void run_fresh(Attribution *out, AttributionPositions *positions, const Gpt *gpt,
                      const AttributionTarget *target, const AttributionOptions *options,
                      size_t n_games, const Work *work)
{
    GameSource *source = NULL;
    assert_int_equal(source_fresh(&source, subject.variant, work->seed, RNG_EVAL), 0);
    assert_int_equal(attribution_positions_draw(positions, source, n_games, 3, work), 0);
    assert_int_equal(attribution_aim(positions, target, work), 0);
    assert_int_equal(attribution_run(out, gpt, target, positions, options, work), 0);
    source_free(source);
}

static void the_shipped_network_adds_up(void **state)
{
    for (TargetMetric metric = TARGET_DELTA; metric <= TARGET_BOARD; metric += 3) {
        for (AttributionGrain grain = 0; grain <= GRAIN_NEURON; grain++) {
            Attribution found;
            AttributionPositions positions;
            AttributionTarget target;
            AttributionOptions options = {.grain = grain, .back = true};
            if (metric != TARGET_BOARD && grain != GRAIN_HEAD) {
                continue; /* test_attribution_thousand.c has the logits */
            }
            assert_int_equal(
                metric == TARGET_BOARD
                    ? attribution_target_board(&target, &probe, "probe", 4, -1, NULL)
                    : attribution_target_logits(&target, subject.model.gpt, metric, -1),
                0);
            readout_draw_random(&target.readout, 1);
            run_fresh(&found, &positions, subject.model.gpt, &target, &options, 3,
                      &(Work){.seed = 3});
            double sum = 0;
            for (size_t j = 0; j < found.list.n; j++) {
                sum += found.rows[j].value.value;
            }
            assert_true(found.n_positions > 6);
            assert_true(found.largest > 3);
            assert_true(found.identity_error > 0); /* computed, not assumed */
            assert_true(found.identity_error < 1e-4);
            assert_true(fabs(found.number.value) > 0.3);
            assert_true(fabs(sum - found.number.value) < 1e-4);
            attribution_release(&found);
            attribution_positions_release(&positions);
            attribution_target_release(&target);
        }
    }
    (void)state;
}

static void any_number_of_workers_gives_the_same_rows(void **state)
{
    Attribution found[2];
    AttributionPositions positions;
    AttributionTarget target;
    AttributionOptions options = {.grain = GRAIN_NEURON};
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 2), 0);
    assert_int_equal(attribution_target_logits(&target, small, TARGET_DELTA, -1), 0);
    readout_draw_random(&target.readout, 1);
    for (int i = 0; i < 2; i++) {
        Work work = {.seed = 5, .pool = i == 0 ? NULL : pool};
        run_fresh(&found[i], &positions, small, &target, &options, 20, &work);
        attribution_positions_release(&positions);
    }
    assert_memory_equal(found[0].rows, found[1].rows, found[0].list.n * sizeof(AttributionRow));
    assert_memory_equal(found[0].shares, found[1].shares,
                        found[0].n_shares * sizeof(AttributionShare));
    assert_memory_equal(&found[0].number, &found[1].number, sizeof(Interval));
    attribution_release(&found[0]);
    /* Twin: another seed draws other games. */
    run_fresh(&found[0], &positions, small, &target, &options, 20, &(Work){.seed = 6});
    assert_memory_not_equal(found[0].rows, found[1].rows, found[0].list.n * sizeof(AttributionRow));
    attribution_positions_release(&positions);
    attribution_release(&found[0]);
    attribution_release(&found[1]);
    attribution_target_release(&target);
    pool_free(pool);
    (void)state;
}

/* ---- interrupted, and typed again ---- */

static void an_interrupted_run_goes_on(void **state)
{
    Attribution whole, found;
    AttributionPositions positions;
    AttributionTarget target;
    AttributionOptions options = {.grain = GRAIN_HEAD, .block_games = PASS_GAMES};
    StoppedJournal journal;
    journal_begin(&journal, 2);
    const Work work = {.seed = 5, .journal = &journal.callbacks};
    assert_int_equal(attribution_target_logits(&target, small, TARGET_DELTA, -1), 0);
    readout_draw_random(&target.readout, 1);
    run_fresh(&whole, &positions, small, &target, &options, 40, &(Work){.seed = 5});
    const Gpt *gpt = small;
    assert_int_equal(attribution_run(&found, gpt, &target, &positions, &options, &work),
                     OGPT_EINTR);
    assert_int_equal(journal.n_kept, 2); /* of three blocks */
    journal.stop_after = SIZE_MAX;
    assert_int_equal(attribution_run(&found, gpt, &target, &positions, &options, &work), 0);
    assert_int_equal(journal.n_recalled, 2);
    assert_int_equal(journal.n_kept, 3);
    assert_memory_equal(found.rows, whole.rows, found.list.n * sizeof(AttributionRow));
    assert_memory_equal(found.shares, whole.shares, found.n_shares * sizeof(AttributionShare));
    assert_true(found.ln_gap == whole.ln_gap && found.slope == whole.slope && found.ln_gap > 0.01);
    assert_true(found.identity_error == whole.identity_error && found.n_erased == whole.n_erased);
    attribution_release(&found);
    options.block_games = 0; /* all games in one block: the same sums in another order */
    assert_int_equal(attribution_run(&found, gpt, &target, &positions, &options, WORK_ALONE), 0);
    for (size_t j = 0; j < found.list.n; j++) {
        assert_true(fabs(found.rows[j].value.value - whole.rows[j].value.value) < 1e-12);
        assert_true(fabs(found.rows[j].shuffled - whole.rows[j].shuffled) < 1e-12);
        assert_true(fabs(found.rows[j].magnitude - whole.rows[j].magnitude) < 1e-12);
    }
    attribution_release(&found);
    options.block_games = PASS_GAMES;
    journal_values(&journal, NULL, 0)[100] += 1; /* twin: what was kept is what counts */
    assert_int_equal(attribution_run(&found, gpt, &target, &positions, &options, &work), 0);
    assert_memory_not_equal(found.rows, whole.rows, found.list.n * sizeof(AttributionRow));
    journal_end(&journal);
    attribution_release(&found);
    attribution_release(&whole);
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    (void)state;
}

/* With the true weights in the place of the shuffled ones the control is the value. */
static void controls_belong_to_their_positions(void **state)
{
    Attribution found;
    AttributionPositions positions;
    AttributionTarget target;
    AttributionOptions options = {.grain = GRAIN_HEAD, .block_games = PASS_GAMES};
    double largest = 0, differ = 0;
    assert_int_equal(attribution_target_logits(&target, small, TARGET_CENTRED, -1), 0);
    readout_draw_random(&target.readout, 1);
    run_fresh(&found, &positions, small, &target, &options, 20, &(Work){.seed = 5});
    for (size_t j = 0; j < found.list.n; j++) {
        differ = fmax(differ, fabs(found.rows[j].shuffled - found.rows[j].value.value));
    }
    attribution_release(&found);
    memcpy(positions.shuffled, positions.weights,
           positions.set.n_positions * target.readout.n_columns * sizeof(float));
    assert_int_equal(
        attribution_run(&found, small, &target, &positions, &options, &(Work){.seed = 5}), 0);
    for (size_t j = 0; j < found.list.n; j++) {
        assert_true(fabs(found.rows[j].shuffled - found.rows[j].value.value) < 1e-6);
        largest = fmax(largest, fabs(found.rows[j].shuffled));
    }
    assert_true(largest > 0.01 && differ > 0.01);
    attribution_release(&found);
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    (void)state;
}

static void shares_are_of_the_truth_and_controls_get_little(void **state)
{
    Attribution found;
    AttributionPositions positions;
    AttributionTarget target;
    AttributionOptions options = {.grain = GRAIN_HEAD};
    assert_int_equal(attribution_target_board(&target, &probe, "probe", 5, -1, NULL), 0);
    readout_draw_random(&target.readout, 1);
    run_fresh(&found, &positions, subject.model.gpt, &target, &options, 20, &(Work){.seed = 5});
    double whole = 0, random = 0, magnitude = 0, heads = 0;
    for (size_t g = 0; g < found.n_shares; g++) {
        const AttributionShare *share = &found.shares[g];
        heads += share->kind == COMPONENT_HEAD ? (share->all ? -1 : 1) * share->share.value : 0;
        whole += share->all ? 0 : share->share.value;
        random += share->all ? 0 : share->random.value;
        magnitude += fabs(share->share.value);
        assert_true(share->share.low <= share->share.value);
        assert_true(share->share.high >= share->share.value);
    }
    assert_true(fabs(whole - 1) < 1e-4);
    assert_true(magnitude > 0.9);
    assert_true(fabs(heads) < 1e-9); /* all of them, and their sum */
    assert_true(fabs(random) < 0.2);
    attribution_release(&found);
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    (void)state;
}

static void intervals_are_those_of_bootstrap_ratio(void **state)
{
    enum { N = 50, J = 35 };
    double values[N * J], below[N], column[N];
    Interval out[J];
    Rng rng = rng_at(2, RNG_TEST, 0);
    for (int i = 0; i < N * J; i++) {
        values[i] = rng_normal(&rng);
        below[i / J] = 1 + rng_below(&rng, 4);
    }
    assert_int_equal(attribution_intervals(out, values, below, N, J, &(Work){.seed = 9}), 0);
    for (int j = 0; j < J; j++) {
        for (int i = 0; i < N; i++) {
            column[i] = values[i * J + j];
        }
        Interval want = bootstrap_ratio(column, below, N, 9);
        assert_true(fabs(out[j].value - want.value) < 1e-12);
        assert_true(fabs(out[j].low - want.low) < 1e-12);
        assert_true(fabs(out[j].high - want.high) < 1e-12);
        assert_true(want.high - want.low > 0.05);
    }
    (void)state;
}

/* ---- planted networks ---- */

/* The attribution of the two logits' difference behind the clean input of a planted network: share
 * of |value| that component (layer, head) has among all but tok, pos and bias. */
static double planted_share(const PlantedTruth *truth, const PlantedOptions *planted, double *value)
{
    Gpt *gpt = NULL;
    Attribution found;
    AttributionTarget target;
    AttributionPositions positions;
    AttributionOptions options = {.grain = GRAIN_HEAD};
    const Vocab *vocab = vocab_of(game_variant(planted->size));
    uint8_t moves[GAME_MAX_MOVES];
    double sum = 0, own = 0;
    assert_int_equal(planted_make(&gpt, planted), 0);
    for (size_t t = 0; t < truth->n_tokens; t++) {
        moves[t] = vocab->sq_of_tok[truth->clean[t]];
    }
    assert_int_equal(attribution_target_logits(&target, gpt, TARGET_DELTA, -1), 0);
    readout_draw_random(&target.readout, 1);
    assert_int_equal(attribution_positions_of_game(&positions, vocab, moves, (int)truth->n_tokens),
                     0);
    assert_int_equal(attribution_aim(&positions, &target, WORK_ALONE), 0);
    memset(positions.weights, 0, target.readout.n_columns * sizeof(float));
    positions.weights[truth->target - 1] = 1;
    positions.weights[truth->other - 1] = -1;
    assert_int_equal(attribution_run(&found, gpt, &target, &positions, &options, WORK_ALONE), 0);
    for (size_t j = 2; j + 1 < found.list.n; j++) {
        const AttributionRow *row = &found.rows[j];
        sum += fabs(row->value.value);
        if (row->what.layer == truth->parts[1].layer && row->what.head == truth->parts[1].index) {
            own = fabs(row->value.value);
            *value = row->value.value;
        }
    }
    attribution_release(&found);
    attribution_positions_release(&positions);
    attribution_target_release(&target);
    gpt_free(gpt);
    return sum > 0 ? own / sum : 0;
}

/* All of it is written by the one head that was planted, and its size is the truth's. */
static void a_planted_head_has_all_of_it(void **state)
{
    PlantedOptions options = {.kind = PLANTED_EMPTINESS, .size = 6, .seed = 4};
    PlantedTruth truth;
    double value = 0, twin = 0;
    assert_int_equal(planted_truth(&truth, &options), 0);
    assert_int_equal(truth.parts[1].node, PLANTED_HEAD);
    assert_true(fabs(truth.parts[1].direct) > 1);
    assert_true(planted_share(&truth, &options, &value) > 0.999);
    assert_true(fabs(value - truth.parts[1].direct) < PLANTED_TOLERANCE * PLANTED_STRENGTH);
    options.twin = true; /* without the circuit that head writes nothing that is read */
    planted_share(&truth, &options, &twin);
    assert_true(fabs(twin) < 0.01 * fabs(value));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_network_adds_up),
        cmocka_unit_test(any_number_of_workers_gives_the_same_rows),
        cmocka_unit_test(an_interrupted_run_goes_on),
        cmocka_unit_test(controls_belong_to_their_positions),
        cmocka_unit_test(shares_are_of_the_truth_and_controls_get_little),
        cmocka_unit_test(intervals_are_those_of_bootstrap_ratio),
        cmocka_unit_test(a_planted_head_has_all_of_it),
    };
    return cmocka_run_group_tests(tests, open_shipped, close_shipped);
}
