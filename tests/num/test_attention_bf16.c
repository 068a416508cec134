/* Attention with factors rounded to bfloat16 against plain loops in double: the difference is what
 * the rounding of the pattern and of the gradient of the scores may make, number by number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "num/gemm_bf16.h"
#include "num/kernels.h"
#include "tests/num/kernel_sets.h"

enum { Q, K, V, DZ, Z, DQ, DK, DV, N_ARRAYS };

typedef struct Case {
    size_t B, T, NH, HS, n; /* n: numbers of an array */
    float *x[N_ARRAYS], *lse;
    double *exact[N_ARRAYS], *allowed[N_ARRAYS], *exact_lse; /* from Z on */
} Case;

/* Numbers that are bfloat16 already: only what is made on the way is rounded. */
static void fill(float *x, size_t n, Rng *rng)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        x[i] = (float)rng_normal(rng);
        memcpy(&bits, &x[i], sizeof(bits));
        bits &= 0xffff0000u;
        memcpy(&x[i], &bits, sizeof(bits));
    }
}

static void case_init(Case *c, const size_t shape[4])
{
    Rng rng = rng_at(9, RNG_TEST, shape[1] * 100 + shape[3]);
    *c = (Case){.B = shape[0], .T = shape[1], .NH = shape[2], .HS = shape[3]};
    c->n = c->B * c->T * c->NH * c->HS;
    for (int i = 0; i < N_ARRAYS; i++) {
        c->x[i] = calloc(c->n, sizeof(float));
        c->exact[i] = calloc(c->n, sizeof(double));
        c->allowed[i] = calloc(c->n, sizeof(double));
        if (i < Z) {
            fill(c->x[i], c->n, &rng);
        }
    }
    c->lse = calloc(c->B * c->NH * c->T, sizeof(float));
    c->exact_lse = calloc(c->B * c->NH * c->T, sizeof(double));
}

static void case_release(Case *c)
{
    for (int i = 0; i < N_ARRAYS; i++) {
        free(c->x[i]);
        free(c->exact[i]);
        free(c->allowed[i]);
    }
    free(c->lse);
    free(c->exact_lse);
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

static void add(Case *c, int array, size_t at, double exact, double allowed)
{
    c->exact[array][at] += exact;
    c->allowed[array][at] += fabs(allowed);
}

/* One query. A factor that is rounded is off by at most 2^-9 of itself, so a sum by 2^-8 of the sum
 * of its magnitudes (size: of inner, with room for a set that takes it from z), with room for the
 * exponential; float rounding (6e-8 for each of up to 64 terms) of dp is carried on, too. */
static void query(Case *c, size_t lse_at, size_t at, size_t first_key, size_t t)
{
    size_t HS = c->HS, C = c->NH * HS;
    double p[64], total = 0, scale = 1 / sqrt((double)HS), inner = 0, size = 0;
    for (size_t s = 0; s <= t; s++) {
        p[s] = exp(scale * dot(c->x[Q] + at, c->x[K] + first_key + s * C, HS));
        total += p[s];
    }
    c->exact_lse[lse_at] = log(total);
    for (size_t s = 0; s <= t; s++) {
        p[s] /= total;
        inner += p[s] * dot(c->x[DZ] + at, c->x[V] + first_key + s * C, HS);
        for (size_t j = 0; j < HS; j++) {
            size += p[s] * fabs((double)c->x[DZ][at + j] * (double)c->x[V][first_key + s * C + j]);
        }
    }
    for (size_t s = 0; s <= t; s++) {
        size_t key = first_key + s * C;
        double dp = dot(c->x[DZ] + at, c->x[V] + key, HS);
        double ds = p[s] * (dp - inner) * scale, half = 1.0 / 256;
        double off = half * fabs(ds) + p[s] * (4e-6 * fabs(dp) + half * scale * size);
        for (size_t j = 0; j < HS; j++) {
            double v = (double)c->x[V][key + j], k = (double)c->x[K][key + j];
            double q = (double)c->x[Q][at + j], dz = (double)c->x[DZ][at + j];
            add(c, Z, at + j, p[s] * v, half * p[s] * v);
            add(c, DQ, at + j, ds * k, off * k);
            add(c, DK, key + j, ds * q, off * q);
            add(c, DV, key + j, p[s] * dz, half * p[s] * dz);
        }
    }
}

static void plain(Case *c)
{
    size_t C = c->NH * c->HS;
    for (size_t i = 0; i < c->B * c->NH; i++) {
        size_t first = i / c->NH * c->T * C + i % c->NH * c->HS;
        for (size_t t = 0; t < c->T; t++) {
            query(c, i * c->T + t, first + t * C, first, t);
        }
    }
}

/* What is written is a factor (num/kernels.h): rows of bfloat16 where the processor has them. */
static void expand(Case *c, int array)
{
    size_t C = c->NH * c->HS, stride = (C + 1) / 2 * 2;
    uint16_t *half = (uint16_t *)c->x[array], *kept = malloc(c->n * sizeof(float) + 64);
    memcpy(kept, half, c->n * sizeof(float));
    for (size_t i = 0; bf16_available() && i < c->n; i++) {
        uint32_t bits = (uint32_t)kept[i / C * stride + i % C] << 16;
        memcpy(&c->x[array][i], &bits, sizeof(bits));
    }
    free(kept);
}

static void measured(Case *c)
{
    const Kernels *k = kernels_bf16();
    k->attention_fwd(c->x[Z], c->lse, c->x[Q], c->x[K], c->x[V], c->B, c->T, c->NH, c->HS);
    k->attention_bwd(c->x[DQ], c->x[DK], c->x[DV], c->x[DZ], c->x[Z], c->lse, c->x[Q], c->x[K],
                     c->x[V], c->B, c->T, c->NH, c->HS);
    for (int array = Z; array < N_ARRAYS; array++) {
        expand(c, array);
    }
}

/* How many numbers differ by more than is allowed, their own rounding and `more`, read `shift`
 * numbers further on. */
static size_t outside(const Case *c, int array, size_t shift, double more)
{
    size_t n = 0;
    for (size_t i = 0; i + shift < c->n; i++) {
        double off = fabs((double)c->x[array][i + shift] - c->exact[array][i]);
        n += !(off <= c->allowed[array][i] + fabs(c->exact[array][i]) / 256 + more);
    }
    return n;
}

/* Boundaries of sixteen queries and of eight keys, odd numbers of them, the three head sizes, and
 * shapes that go elsewhere. */
static void test_against_plain(void **state)
{
    const size_t shapes[][4] = {{1, 1, 1, 16},  {2, 3, 2, 16},  {1, 16, 1, 32}, {2, 17, 2, 64},
                                {1, 25, 1, 16}, {3, 31, 4, 16}, {2, 59, 8, 16}, {1, 64, 1, 64},
                                {1, 63, 3, 32}, {2, 11, 3, 12}};
    (void)state;
    for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
        Case c;
        case_init(&c, shapes[s]);
        plain(&c);
        measured(&c);
        for (int array = Z; array < N_ARRAYS; array++) {
            size_t wrong = outside(&c, array, 0, 2e-6);
            if (wrong > 0) {
                fail_msg("T %zu, HS %zu: %zu numbers of array %d", c.T, c.HS, wrong, array);
            }
            /* A single key has dq and dk of zero. Otherwise a neighbour is not taken for it. */
            assert_true(c.T == 1 || outside(&c, array, 1, 2e-6) > c.n / 4);
        }
        for (size_t i = 0; i < c.B * c.NH * c.T; i++) {
            assert_true(fabs((double)c.lse[i] - c.exact_lse[i]) <=
                        2e-6 + 1.2e-7 * (double)c.HS * fmax(1, fabs(c.exact_lse[i])));
        }
        if (bf16_available() && c.T > 16) { /* and the rounding shows */
            double most = 0;
            for (size_t i = 0; i < c.n; i++) {
                most = fmax(most, fabs((double)c.x[Z][i] - c.exact[Z][i]));
            }
            assert_true(most > 1e-5);
        }
        case_release(&c);
    }
}

/* What comes later changes nothing, and a game has the same bits alone. */
static void test_causal_and_alone(void **state)
{
    const size_t shape[4] = {2, 59, 4, 16};
    size_t cut = 21;
    Case c, d;
    (void)state;
    case_init(&c, shape);
    case_init(&d, shape);
    measured(&c);
    size_t game = c.n / 2, C = c.NH * c.HS;
    for (size_t i = game + cut * C; i < c.n; i++) {
        d.x[K][i] += 1;
        d.x[V][i] -= 1;
    }
    measured(&d);
    assert_memory_equal(c.x[Z], d.x[Z], (game + cut * C) * sizeof(float));
    assert_memory_not_equal(c.x[Z], d.x[Z], c.n * sizeof(float));
    for (int array = DQ; array < N_ARRAYS; array++) {
        assert_memory_equal(c.x[array], d.x[array], game * sizeof(float));
    }
    for (int array = 0; array < Z; array++) {
        memmove(c.x[array], c.x[array] + game, game * sizeof(float));
    }
    float *whole = malloc(c.n * sizeof(float));
    memcpy(whole, c.x[DQ], c.n * sizeof(float));
    c.B = 1;
    measured(&c);
    assert_memory_equal(c.x[DQ], whole + game, game * sizeof(float));
    free(whole);
    case_release(&c);
    case_release(&d);
}

static void test_nan_comes_through(void **state)
{
    const size_t shape[4] = {1, 20, 1, 16};
    Case c;
    (void)state;
    case_init(&c, shape);
    c.x[K][5 * 16] = NAN;
    measured(&c);
    assert_true(isnan(c.x[Z][5 * 16]) && isnan(c.x[Z][19 * 16]) && isnan(c.x[DV][5 * 16]));
    assert_true(!isnan(c.x[Z][4 * 16 + 15]));
    case_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_plain),
        cmocka_unit_test(test_causal_and_alone),
        cmocka_unit_test(test_nan_comes_through),
    };
    return run_in_each_set(tests, NULL, NULL, true);
}
