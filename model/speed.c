/* model/speed.c - see model/speed.h. */
#include "model/speed.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/process.h"
#include "num/blas.h"

#define SIDE 256 /* of the square matrices: 34 million operations, about a millisecond */

typedef struct SpeedTest {
    float *matrices; /* per worker (3, SIDE, SIDE) */
    double *rate;    /* per worker; a worker that took no job has 0 */
} SpeedTest;

static int multiply(void *context, size_t job, size_t worker)
{
    SpeedTest *test = context;
    float *a = test->matrices + worker * 3 * SIDE * SIDE, *b = a + SIDE * SIDE,
          *c = b + SIDE * SIDE;
    double start = 0, now = 0, done = -1; /* the first product warms up */
    for (size_t i = 0; i < 2 * SIDE * SIDE; i++) {
        a[i] = (float)(i % 7) - 3;
    }
    do {
        gemm(false, false, SIDE, SIDE, SIDE, 1, a, SIDE, b, SIDE, 0, c, SIDE);
        start = done < 0 ? clock_seconds() : start;
        done++;
        now = clock_seconds();
    } while (now - start < SPEED_SECONDS);
    test->rate[worker] += done * 2.0 * SIDE * SIDE * SIDE / (now - start);
    return 0;
}

double speed_of_products(Pool *pool)
{
    size_t n = pool ? pool_size(pool) : 1;
    double sum = 0;
    SpeedTest test = {mem_alloc(n * 3 * SIDE * SIDE, sizeof(float), "a measurement of speed"),
                      mem_calloc(n, sizeof(double), "a measurement of speed")};
    if (test.matrices && test.rate && pool_run(pool, n, multiply, &test) == 0) {
        for (size_t i = 0; i < n; i++) {
            sum += test.rate[i];
        }
    }
    mem_free(test.matrices);
    mem_free(test.rate);
    return sum;
}

void speed_print(char out[SPEED_TEXT], double seconds)
{
    if (seconds < 5) {
        snprintf(out, SPEED_TEXT, "a few seconds");
    } else if (seconds < 90) {
        snprintf(out, SPEED_TEXT, "about %.0f s", 5 * (double)(int)(seconds / 5 + 0.5));
    } else if (seconds < 5400) {
        snprintf(out, SPEED_TEXT, "about %.0f min", seconds / 60);
    } else if (seconds < 1e8) {
        snprintf(out, SPEED_TEXT, "about %.1f h", seconds / 3600);
    } else {
        snprintf(out, SPEED_TEXT, "years");
    }
}

void speed_estimate(char out[SPEED_TEXT], double flops, double share, Pool *pool)
{
    double speed = speed_of_products(pool);
    if (speed > 0) {
        speed_print(out, flops / (share * speed));
    } else {
        snprintf(out, SPEED_TEXT, "an unknown time");
    }
}
