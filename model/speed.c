/* model/speed.c - see model/speed.h. */
#include "model/speed.h"

#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/process.h"
#include "num/blas.h"
#include "num/gemm_bf16.h"

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

#define PEAK_SIDE ((size_t)1024)
#define PEAK_CALLS 4 /* of each product; the first one warms up */

typedef struct PeakTest {
    float *matrices; /* (jobs, 3, PEAK_SIDE, PEAK_SIDE) */
    char *scratch;   /* (jobs, scratch_bytes) */
    size_t scratch_bytes;
    SpeedPeaks *found; /* (jobs) */
} PeakTest;

static int multiply_at_best(void *context, size_t job, size_t worker)
{
    const PeakTest *test = context;
    const size_t n = PEAK_SIDE;
    float *a = test->matrices + job * 3 * n * n, *b = a + n * n, *c = b + n * n;
    double least[2] = {INFINITY, INFINITY};
    (void)worker;
    for (size_t i = 0; i < 2 * n * n; i++) {
        a[i] = (float)(i % 17) / 17.0f - 0.5f;
    }
    for (int i = 0; i < 2 * PEAK_CALLS; i++) {
        bool half = i >= PEAK_CALLS;
        double start = clock_thread_seconds();
        if (!half) {
            gemm(false, false, n, n, n, 1, a, n, b, n, 0, c, n);
        } else if (bf16_available()) {
            gemm_bf16_fast(false, false, n, n, n, a, n, b, n, NULL, NULL, c, n,
                           test->scratch + job * test->scratch_bytes);
        }
        least[half] = fmin(least[half], clock_thread_seconds() - start);
    }
    double work = 2.0 * (double)(n * n * n);
    test->found[job] = (SpeedPeaks){work / least[0], bf16_available() ? work / least[1] : 0};
    return 0;
}

int speed_peaks(SpeedPeaks *out, Pool *pool)
{
    size_t n = pool ? pool_size(pool) : 1;
    size_t bytes = (gemm_bf16_scratch(PEAK_SIDE, PEAK_SIDE, PEAK_SIDE) + 63) / 64 * 64;
    Arena arena = {0};
    *out = (SpeedPeaks){0};
    int rc = arena_init(&arena,
                        arena_piece_bytes(n * 3 * PEAK_SIDE * PEAK_SIDE, sizeof(float)) +
                            arena_piece_bytes(n, bytes) + arena_piece_bytes(n, sizeof(SpeedPeaks)),
                        "the measurement of the peak");
    if (rc) {
        return rc;
    }
    PeakTest test = {.matrices = arena_take(&arena, n * 3 * PEAK_SIDE * PEAK_SIDE, sizeof(float)),
                     .scratch = arena_take(&arena, n, bytes),
                     .scratch_bytes = bytes,
                     .found = arena_take(&arena, n, sizeof(SpeedPeaks))};
    rc = pool_run(pool, n, multiply_at_best, &test);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        out->f32 += test.found[i].f32 / (double)n;
        out->bf16 += test.found[i].bf16 / (double)n;
    }
    arena_release(&arena);
    return rc;
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
