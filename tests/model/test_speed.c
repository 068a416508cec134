/* tests/model/test_speed.c - the measured speed is that of a product that is timed here, and
 * durations are written for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "num/blas.h"
#include "num/gemm_bf16.h"
#include "model/speed.h"

static void durations(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {{0, "a few seconds"},  {4.9, "a few seconds"}, {12, "about 10 s"},
                {58, "about 60 s"},    {100, "about 2 min"},   {3000, "about 50 min"},
                {5400, "about 1.5 h"}, {1e6, "about 277.8 h"}, {1e20, "years"}};
    char text[SPEED_TEXT];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        speed_print(text, rows[i].seconds);
        assert_string_equal(text, rows[i].text);
    }
}

static void speed_is_that_of_products(void **state)
{
    Pool *pool = NULL;
    char text[SPEED_TEXT];
    assert_int_equal(blas_init(), 0);
    assert_int_equal(pool_new(&pool, 2), 0);
    double speed = speed_of_products(pool);
    assert_true(speed > 1e8 && speed < 1e14); /* any machine that this builds on */
    speed_estimate(text, 1e9 * speed, 1, pool);
    assert_true(text[0] == 'y' || text[0] == 'a');
    speed_estimate(text, 1, 1, NULL);
    assert_string_equal(text, "a few seconds");
    pool_free(pool);
}

/* One worker's peaks: at least a tenth of what a short measurement finds, a rate of bfloat16 where
 * the processor has such a product, and none elsewhere. */
static void peaks_of_both_products(void **state)
{
    SpeedPeaks peaks;
    (void)state;
    assert_int_equal(blas_init(), 0);
    assert_int_equal(speed_peaks(&peaks, NULL), 0);
    assert_true(peaks.f32 > 0.1 * speed_of_products(NULL) && peaks.f32 < 1e14);
    assert_true(bf16_available() ? peaks.bf16 > 0.1 * peaks.f32 : peaks.bf16 == 0);
    /* Two workers: their mean, not their sum. */
    SpeedPeaks two;
    Pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 2), 0);
    assert_int_equal(speed_peaks(&two, pool), 0);
    assert_true(two.f32 < 1.6 * peaks.f32 && two.f32 > 0.1 * peaks.f32);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(speed_is_that_of_products),
        cmocka_unit_test(peaks_of_both_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
