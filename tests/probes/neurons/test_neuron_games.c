/* tests/probes/neurons/test_neuron_games.c - no game is on both sides of the split, twins are of
 * other games at the same ply, and what many workers share out is put together as one does it.
 */
#include "base/arena.h"
#include "probes/neurons/neuron_study.h"
#include "tests/probes/neurons/neuron_fixture.h"

/* 4x4 has few games, so fresh ones repeat. */
static void games_differ_and_twins_stay_on_their_side(void **state)
{
    NeuronGames games;
    neuron_games_fresh(&games, 4, 400, 200);
    const size_t stride = (size_t)games.vocab->variant->n_moves;
    size_t others = 0, *times = calloc(games.n, sizeof(*times));
    assert_true(games.n_repeated > 0);
    assert_int_equal(games.n_games, 600);
    for (size_t a = 0; a < games.n_games; a++) {
        for (size_t b = 0; b < a; b++) {
            assert_memory_not_equal(games.moves + a * stride, games.moves + b * stride, stride);
        }
    }
    assert_true(games.n_fit > 0 && games.n_fit < games.n);
    for (size_t i = 0; i < games.n; i++) {
        const size_t twin = games.twin[i];
        assert_int_equal(games.game[i] < games.n_fit_games, i < games.n_fit);
        assert_int_equal(twin < games.n_fit, i < games.n_fit);
        assert_int_equal(games.t[twin], games.t[i]);
        others += games.game[twin] != games.game[i];
        times[twin]++;
    }
    for (size_t i = 0; i < games.n; i++) {
        assert_int_equal(times[i], 1);
    }
    assert_true(others + 20 > games.n); /* a ply that only one game reaches has no other */
    free(times);
    neuron_games_release(&games);
}

/* A rotation keeps the length of every position, moves it, and keeps what all neurons share. */
static void rotations_keep_lengths_and_what_is_shared(void **state)
{
    enum { M = 70 };
    NeuronGames games;
    NeuronDesign design;
    NeuronLinear linear = {0};
    NeuronFit fit = {0};
    NeuronShares shares;
    neuron_games_fresh(&games, 6, 60, 30);
    float *values = malloc(M * games.n * sizeof(float)), *out = malloc(M * games.n * sizeof(float));
    const int asked = neuron_feature(FACT_MINE, 13); /* f2 */
    for (size_t i = 0; i < games.n; i++) {
        for (size_t k = 0; k < M; k++) {
            values[k * games.n + i] =
                (float)(k + 1) * (neuron_facts_has(&games.facts[i], asked) ? 1.0F : 0.25F);
        }
    }
    assert_int_equal(neuron_values_rotate(out, values, M, games.n, 0, WORK_ALONE), 0);
    for (size_t i = 0; i < games.n; i++) {
        double before = 0, after = 0, moved = 0;
        for (size_t k = 0; k < M; k++) {
            double a = (double)values[k * games.n + i], b = (double)out[k * games.n + i];
            before += a * a;
            after += b * b;
            moved += (a - b) * (a - b);
        }
        assert_true(fabs(after - before) < 1e-4 * before); /* sums of 70 floats */
        assert_true(moved > 0.5 * before);
    }
    assert_int_equal(neuron_design_make(&design, &games, false, false), 0);
    assert_int_equal(neuron_linear_open(&linear, &design), 0);
    NeuronFitInputs in = {&games, &design, &linear, 2, false};
    assert_int_equal(neuron_fit_run(&fit, &in, out, M, WORK_ALONE), 0);
    assert_int_equal(neuron_fit_shares(&shares, &fit, 0.7, NULL, WORK_ALONE), 0);
    assert_true(shares.rules.value == 1); /* every direction is that one fact */
    neuron_fit_release(&fit);
    neuron_linear_release(&linear);
    neuron_design_release(&design);
    free(values);
    free(out);
    neuron_games_release(&games);
}

/* The twin of a neuron that varies little around a large value loses no digits. */
static void large_means_cost_no_digits(void **state)
{
    NeuronGames games;
    NeuronDesign design;
    NeuronLinear linear = {0};
    NeuronFit fit = {0};
    neuron_games_fresh(&games, 6, 60, 30);
    float *values = malloc(2 * games.n * sizeof(float));
    for (size_t i = 0; i < games.n; i++) {
        values[i] = neuron_facts_has(&games.facts[i], neuron_feature(FACT_MINE, 13)) ? 1 : 0;
        values[games.n + i] = values[i] + 1e5F; /* exact in float */
    }
    assert_int_equal(neuron_design_make(&design, &games, false, false), 0);
    assert_int_equal(neuron_linear_open(&linear, &design), 0);
    NeuronFitInputs in = {&games, &design, &linear, 1, false};
    assert_int_equal(neuron_fit_run(&fit, &in, values, 2, WORK_ALONE), 0);
    const double *r2 = fit.r2[NEURON_BY_LINEAR];
    assert_true(r2[0] > 0.99);
    /* Steps of a float near 1e5 are 0.008: their square is 1e-4 of the variance. */
    assert_true(fabs(r2[1] - r2[0]) < 1e-3);
    neuron_fit_release(&fit);
    neuron_linear_release(&linear);
    neuron_design_release(&design);
    free(values);
    neuron_games_release(&games);
}

/* More neurons than one job fits, and more positions than one job turns. */
static void many_jobs_give_the_rows_of_one_worker(void **state)
{
    static const NeuronStudyOptions options = {
        .sample = {50, 25, 0}, .look = {2, false}, .threshold = 0.3, .controls = true};
    Gpt *gpt = neuron_network_of(6, 1, 150);
    const Vocab *vocab = vocab_of(game_variant(6));
    NeuronStudy study[2];
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 3), 0);
    for (int s = 0; s < 2; s++) {
        Work work = {.seed = 4, .pool = s ? pool : NULL};
        assert_int_equal(neuron_study_open(&study[s], vocab, NULL, &options, work.seed), 0);
        assert_int_equal(neuron_study_draw(&study[s], &work), 0);
        assert_int_equal(neuron_study_run(&study[s], gpt, &work), 0);
    }
    assert_true(study[0].games.n > 1024);
    for (int arm = 0; arm < N_NEURON_ARMS; arm++) {
        const NeuronLayer *layer = &study[0].layers[arm];
        assert_memory_equal(layer, &study[1].layers[arm], sizeof(*layer));
        assert_true(isfinite(layer->median[NEURON_BY_TREE]));
        assert_true(isfinite(layer->median[NEURON_BY_LINEAR]));
        const Interval *all = &study[0].covers[arm].rules; /* one layer: its own share */
        assert_true(all->value == layer->shares.rules.value);
        assert_true(all->low == layer->shares.rules.low && all->high == layer->shares.rules.high);
    }
    assert_true(study[0].rows[149].r2[0] == study[1].rows[149].r2[0]);
    assert_true(study[0].rows[149].r2[0] != study[0].rows[148].r2[0]);
    for (int s = 0; s < 2; s++) {
        neuron_study_release(&study[s]);
    }
    pool_free(pool);
    gpt_free(gpt);
}

/* A probe whose states are axes of the stream: a neuron that reads or writes an axis is found at
 * its square and state, of the layer in front of the block and of its own. */
static void weights_are_compared_with_the_probe(void **state)
{
    Gpt *gpt = neuron_network(4, 2);
    const Vocab *vocab = vocab_of(game_variant(4));
    Probe probe = {.task = "mine",
                   .labels = "mover",
                   .site = HOOK_RESID_POST,
                   .size = 4,
                   .n_squares = 16,
                   .d_model = 16,
                   .n_classes = 3,
                   .n_layers = 2,
                   .layers = {0, 1}};
    NeuronWeights weights;
    double scratch[16];
    enum { K = 9, LAYER = 1, READ = 3, WRITTEN = 6 };
    assert_int_equal(probe_allocate(&probe), 0);
    for (size_t s = 0; s < 16; s++) { /* square s: axis s says "mine" */
        probe.weight[0][(s * 16 + s) * 3 + LABEL_MINE] = 1;
        probe.weight[1][(s * 16 + (15 - s)) * 3 + LABEL_THEIRS] = 1; /* another order */
    }
    real *W_in = gpt->params + gpt->map.W_in + gpt->map.block_stride * LAYER;
    real *W_out = gpt->params + gpt->map.W_out + gpt->map.block_stride * LAYER;
    for (size_t c = 0; c < 16; c++) {
        W_in[c * 64 + K] = c == READ ? 2 : 0;
        W_out[K * 16 + c] = c == WRITTEN ? -3 : 0;
    }
    neuron_weights_of(&weights, gpt, vocab, &probe, LAYER, K, scratch);
    const int read = READ / 4 * 8 + READ % 4, written = (15 - WRITTEN) / 4 * 8 + (15 - WRITTEN) % 4;
    const double off = 1 - 1.0 / 16; /* a LayerNorm takes the mean of the axis away */
    assert_true(fabs(weights.reads[LABEL_MINE][read] - sqrt(off)) < 1e-6);
    assert_true(fabs(weights.reads[LABEL_EMPTY][read] + sqrt(off)) < 1e-6);
    assert_true(fabs(weights.reads[LABEL_MINE][read + 8]) < 0.3); /* the mean alone: -1/15 */
    assert_true(fabs(weights.writes[LABEL_THEIRS][written] + 1) < 1e-6);
    assert_true(fabs(weights.writes[LABEL_THEIRS][WRITTEN / 4 * 8 + WRITTEN % 4]) < 1e-6);
    assert_true(fabs(weights.read_norm - 2 * sqrt(off)) < 1e-6 && weights.write_norm == 3);
    probe_release(&probe);
    gpt_free(gpt);
}

static void shapes_are_counted(void **state)
{
    const float values[] = {-0.1F, 0.0F, 1.0F, 0.05F, 3.05F};
    NeuronShape shape = neuron_shape_of(values, 5);
    assert_true(fabs(shape.mean - 0.8) < 1e-6);
    assert_true(fabs(shape.on - 0.4) < 1e-9); /* above 0.305: two of five */
    /* off: -.9 -.8 .2 -.75 2.25; squares sum to 7.115, fourth powers to 27.013 */
    assert_true(fabs(shape.deviation - sqrt(7.115 / 5)) < 1e-5);
    assert_true(fabs(shape.kurtosis - (27.01261 / 5 / (7.115 * 7.115 / 25) - 3)) < 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(games_differ_and_twins_stay_on_their_side),
        cmocka_unit_test(rotations_keep_lengths_and_what_is_shared),
        cmocka_unit_test(large_means_cost_no_digits),
        cmocka_unit_test(many_jobs_give_the_rows_of_one_worker),
        cmocka_unit_test(weights_are_compared_with_the_probe),
        cmocka_unit_test(shapes_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
