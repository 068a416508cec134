/* tests/probes/compare/test_swept.c - a control that learned nothing is known as such. */
#include "tests/base/base_test.h"

#include "probes/compare/swept.h"

/* A sweep with these accuracies of three controls; below 0: left out. */
static Swept swept_of(double majority, double history, double mlp)
{
    const double accuracy[] = {
        [CONTROL_MAJORITY] = majority, [CONTROL_HISTORY] = history, [CONTROL_HISTORY_MLP] = mlp};
    Swept swept = {0};
    for (int i = 0; i < 3; i++) {
        swept.result.has_control[i] = accuracy[i] >= 0;
        swept.result.control[i].accuracy.value = accuracy[i];
    }
    return swept;
}

static void mlp_below_its_line_is_untrained(void **state)
{
    Control than = N_CONTROLS;
    Swept swept = swept_of(0.6, 0.9, 0.89);
    assert_true(swept_untrained(&than, &swept, CONTROL_HISTORY_MLP));
    assert_int_equal(than, CONTROL_HISTORY);
    /* The twins: as good as its line, or better. */
    swept = swept_of(0.6, 0.9, 0.9);
    assert_false(swept_untrained(&than, &swept, CONTROL_HISTORY_MLP));
    swept = swept_of(0.6, 0.9, 0.91);
    assert_false(swept_untrained(&than, &swept, CONTROL_HISTORY_MLP));
}

static void mlp_below_the_majority_is_untrained(void **state)
{
    Control than = N_CONTROLS;
    Swept swept = swept_of(0.6, -1, 0.5);
    assert_true(swept_untrained(&than, &swept, CONTROL_HISTORY_MLP));
    assert_int_equal(than, CONTROL_MAJORITY);
    swept = swept_of(0.6, 0.5, 0.55);
    assert_true(swept_untrained(&than, &swept, CONTROL_HISTORY_MLP));
    assert_int_equal(than, CONTROL_MAJORITY);
    swept = swept_of(0.5, -1, 0.6);
    assert_false(swept_untrained(&than, &swept, CONTROL_HISTORY_MLP));
}

static void other_controls_never_are(void **state)
{
    Control than;
    Swept swept = swept_of(0.6, 0.5, 0.4);
    assert_false(swept_untrained(&than, &swept, CONTROL_HISTORY));
    assert_false(swept_untrained(&than, &swept, CONTROL_MAJORITY));
    swept = swept_of(0.6, 0.5, -1); /* left out: nothing to say of it */
    assert_false(swept_untrained(&than, &swept, CONTROL_HISTORY_MLP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp_below_its_line_is_untrained),
        cmocka_unit_test(mlp_below_the_majority_is_untrained),
        cmocka_unit_test(other_controls_never_are),
    };
    return cmocka_run_group_tests(tests, work_create, work_remove);
}
