/* tests/probes/attribution/test_attribution_double.c - built: double. The identities of an
 * attribution without the rounding of float, so that no term may be missing, however small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attribution_fixture.h"

static void every_grain_adds_up(void **state)
{
    Gpt *gpt = random_network(3, 8);
    Readout readout;
    assert_non_null(gpt);
    assert_int_equal(readout_of_logits(&readout, gpt), 0);
    readout_draw_random(&readout, 1);
    for (AttributionGrain grain = 0; grain <= GRAIN_NEURON; grain++) {
        Trial trial;
        assert_int_equal(trial_open(&trial, gpt, grain, &readout, 4), 0);
        trial_pass(&trial, 1);
        double *logits = trial_logits(&trial);
        TrialErrors errors = trial_errors(&trial, logits);
        assert_true(errors.largest > 1);
        /* Sums of 500 numbers of size 1 in double: 500 * 1e-16, far below the bound. */
        assert_true(errors.products < 1e-9);
        assert_true(errors.one_by_one < 1e-9);
        assert_true(errors.weighted < 1e-9);
        for (size_t i = 0; i < trial.B * trial.T * readout.n_columns; i++) {
            logits[i] += 1e-8;
        }
        assert_true(trial_errors(&trial, logits).products > 5e-9); /* twin */
        free(logits);
        trial_close(&trial);
    }
    readout_release(&readout);
    gpt_free(gpt);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_grain_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
