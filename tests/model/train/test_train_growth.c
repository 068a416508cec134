/* How many blocks a run uses in which step, at what cost; which runs begin with few; reports. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "model/train/train.h"

static TrainOptions from_blocks(int64_t layers_from)
{
    TrainOptions o = TRAIN_OPTIONS_DEFAULT;
    o.batch = 16;
    o.layers_from = layers_from;
    o.layers_until = 0.7;
    return o;
}

static GptConfig with_blocks(int n_layers)
{
    GptConfig cfg;
    assert_int_equal(gpt_config_preset(&cfg, "nano"), 0);
    cfg.n_layers = n_layers;
    cfg.n_ctx = 11;
    cfg.d_vocab = 13;
    return cfg;
}

/* Doubled at equal distances until all are in use; the last doubling stops at what there is. */
static void test_blocks_double(void **state)
{
    (void)state;
    const struct {
        int from, n_layers, steps[10];
    } runs[] = {
        {0, 8, {8, 8, 8, 8, 8, 8, 8, 8, 8, 8}}, {1, 2, {1, 1, 1, 1, 1, 1, 1, 2, 2, 2}},
        {1, 8, {1, 1, 1, 2, 2, 4, 4, 8, 8, 8}}, {2, 8, {2, 2, 2, 2, 4, 4, 4, 8, 8, 8}},
        {3, 7, {3, 3, 3, 3, 6, 6, 6, 7, 7, 7}}, {4, 4, {4, 4, 4, 4, 4, 4, 4, 4, 4, 4}},
    };
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        TrainOptions o = from_blocks(runs[i].from);
        GptConfig cfg = with_blocks(runs[i].n_layers);
        for (int64_t step = 0; step < 10; step++) {
            assert_int_equal(train_layers(&o, &cfg, step, 10), runs[i].steps[step]);
        }
    }
    /* However few the steps, the last one is of all blocks: none stays as it was drawn. */
    TrainOptions late = from_blocks(1);
    GptConfig cfg = with_blocks(8);
    late.layers_until = 1;
    for (int64_t steps = 1; steps < 5; steps++) {
        assert_int_equal(train_layers(&late, &cfg, steps - 1, steps), 8);
        assert_true(steps < 3 || train_layers(&late, &cfg, steps - 2, steps) < 8);
    }
}

/* The work of a run is the sum over its steps; the rest of it is less. */
static void test_work(void **state)
{
    (void)state;
    TrainOptions o = from_blocks(1), all = from_blocks(0);
    GptConfig cfg = with_blocks(8);
    double sum = 0, rest = 0;
    for (int64_t step = 0; step < 10; step++) {
        GptConfig now = with_blocks(train_layers(&o, &cfg, step, 10));
        double work = 16.0 * now.n_ctx * gpt_config_flops(&now);
        sum += work;
        rest += step < 4 ? 0 : work;
    }
    /* The same few products in another order: their rounding is all that may differ. */
    assert_true(fabs(train_flops(&o, &cfg, 0, 10) / sum - 1) < 1e-12);
    assert_true(fabs(train_flops(&o, &cfg, 4, 10) / rest - 1) < 1e-12);
    assert_true(train_flops(&o, &cfg, 10, 10) == 0);
    assert_true(train_flops(&all, &cfg, 0, 10) == 160.0 * cfg.n_ctx * gpt_config_flops(&cfg));
    assert_true(train_flops(&all, &cfg, 0, 10) > 1.5 * sum);
}

/* Half of the blocks by default; all where a run cannot grow. */
static void test_choice(void **state)
{
    (void)state;
    const int halves[][2] = {{16, 8}, {8, 4}, {4, 2}, {3, 1}, {2, 1}, {1, 0}};
    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        TrainOptions o = TRAIN_OPTIONS_DEFAULT;
        GptConfig cfg = with_blocks(halves[i][0]);
        assert_int_equal(train_layers_complete(&o, &cfg, false), 0);
        assert_int_equal(o.layers_from, halves[i][1]);
        assert_true(o.layers_until == 0.9);
        o = TRAIN_OPTIONS_DEFAULT;
        assert_int_equal(train_layers_complete(&o, &cfg, true), 0); /* of given weights: all */
        assert_int_equal(o.layers_from, 0);
        o.schedule = "constant";
        o.layers_until = 0;
        assert_int_equal(train_layers_complete(&o, &cfg, false), 0);
        assert_int_equal(o.layers_from, 0);
    }
    const GptConfig two_blocks = with_blocks(2);
    TrainOptions given = from_blocks(2); /* all of them: as if it was not given */
    assert_int_equal(train_layers_complete(&given, &two_blocks, true), OGPT_EUSAGE); /* until */
    given = from_blocks(2);
    given.layers_until = 0;
    assert_int_equal(train_layers_complete(&given, &two_blocks, true), 0);
    assert_int_equal(given.layers_from, 0);
    given = from_blocks(1);
    assert_int_equal(train_layers_complete(&given, &two_blocks, false), 0);
    assert_int_equal(given.layers_from, 1);
    assert_int_equal(train_layers_complete(&given, &two_blocks, true), OGPT_EUSAGE);
    given.steps = 10;
    assert_null(train_options_check(&given));
    given.layers_until = 1.5;
    assert_non_null(train_options_check(&given)); /* never all */
    given.layers_until = 0;
    assert_non_null(train_options_check(&given)); /* until when? */
}

/* Twenty reports of a long run, one every 200 steps of a short one, or what is asked for. */
static void test_report_distance(void **state)
{
    (void)state;
    TrainOptions o = TRAIN_OPTIONS_DEFAULT;
    assert_int_equal(train_steps_between_reports(&o, 10), 200);
    assert_int_equal(train_steps_between_reports(&o, 4000), 200);
    assert_int_equal(train_steps_between_reports(&o, 4020), 201);
    assert_int_equal(train_steps_between_reports(&o, 100000), 5000);
    o.report_every = 7;
    assert_int_equal(train_steps_between_reports(&o, 100000), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_distance),
        cmocka_unit_test(test_blocks_double),
        cmocka_unit_test(test_work),
        cmocka_unit_test(test_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
