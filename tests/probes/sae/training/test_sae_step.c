/* tests/probes/sae/training/test_sae_step.c - gradients of every kind against central differences
 * of a plain loss in double precision; the fast path against the plain one; threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rng.h"
#include "num/blas.h"
#include "probes/sae/training/sae_net.h"

#define WIDTH 6
#define FEATURES 24
#define ROWS 9
#define KEPT 3
#define N_DEAD 5

static Pool *pool;
static Work usual;

static int setup(void **state)
{
    int rc = blas_init() || pool_new(&pool, 2);
    usual = (Work){.pool = pool};
    return rc;
}

static int teardown(void **state)
{
    pool_free(pool);
    return 0;
}

/* ---- a batch, and a plain loss ---- */

typedef struct Case {
    SaeNet net;
    SaeAsk ask;
    SaeStep step;
    float *x, *y;
    uint8_t *dead;
    size_t aux_k;
    double *frozen; /* residual of the unchanged parameters, for the dead */
    double spread;  /* its variance times the rows */
    double *df;     /* (rows, m) d error / d f there, for thresholds */
    bool *kept;     /* (rows, m) what is kept there: the choice is no part of a derivative */
} Case;

static void draw(float *out, size_t n, uint64_t index, double scale)
{
    Rng rng = rng_at(1, RNG_TEST, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)(scale * rng_normal(&rng));
    }
}

static void case_make(Case *c, SaeKind kind, size_t rows, size_t m, size_t d, SaePath path)
{
    const size_t d_out = kind == SAE_TRANSCODER ? d - 1 : d;
    SaeTrainOptions options = {
        .kind = kind, .features = m, .batch = (int64_t)rows, .dead_after = 1};
    options.k = sae_has_k(kind) ? KEPT : 0;
    options.path = path;
    *c = (Case){.net = sae__net_layout(kind, d, d_out, m)};
    c->net.params = mem_alloc(c->net.n, sizeof(float), "parameters");
    draw(c->net.params, c->net.n, 1, 0.5);
    c->x = mem_alloc(rows * d, sizeof(float), "rows");
    c->y = kind == SAE_TRANSCODER ? mem_alloc(rows * d_out, sizeof(float), "targets") : c->x;
    draw(c->x, rows * d, 2, 1);
    if (kind == SAE_TRANSCODER) {
        draw(c->y, rows * d_out, 3, 1);
    }
    c->dead = mem_calloc(m, 1, "the dead");
    for (size_t j = 0; j < m && kind == SAE_JUMPRELU; j++) { /* each has a row in its window */
        float pre = c->net.params[c->net.b_enc + j];
        for (size_t i = 0; i < d; i++) {
            pre += c->net.params[j * d + i] *
                   (c->x[j % rows * d + i] - c->net.params[c->net.b_dec + i]);
        }
        c->net.params[c->net.extra + j] = pre > 0.1F ? pre + 0.01F : 0.1F;
    }
    for (size_t j = 0; j < N_DEAD; j++) {
        c->dead[4 * j + 1] = 1;
    }
    c->ask = (SaeAsk){.rows = rows,
                      .k = options.k,
                      .l1 = 0.3,
                      .l0 = 4,
                      .l0_weight = 0.7,
                      .dead = c->dead,
                      .path = path};
    assert_int_equal(sae__step_init(&c->step, &c->net, &options, work_workers(&usual)), 0);
    c->aux_k = c->step.aux_k;
    c->frozen = mem_calloc(rows * d_out, sizeof(double), "residuals");
    c->df = mem_calloc(rows * m, sizeof(double), "gradients");
    c->kept = mem_calloc(rows * m, sizeof(bool), "choices");
}

static void case_release(Case *c)
{
    sae__step_release(&c->step);
    mem_free(c->kept);
    mem_free(c->df);
    mem_free(c->frozen);
    mem_free(c->dead);
    if (c->y != c->x) {
        mem_free(c->y);
    }
    mem_free(c->x);
    mem_free(c->net.params);
}

static double product_of(const Case *c, const double *p, size_t r, size_t j)
{
    const SaeNet *net = &c->net;
    double sum = 0;
    for (size_t i = 0; i < net->d_in; i++) {
        const double b = net->kind == SAE_TRANSCODER ? 0 : p[net->b_dec + i];
        sum += p[net->w_enc + j * net->d_in + i] * (c->x[r * net->d_in + i] - b);
    }
    return sum;
}

static double smooth_step(double z) /* the integral of the rectangle */
{
    const double share = z / (double)SAE_BANDWIDTH + 0.5;
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double pre_of(const Case *c, const double *p, size_t r, size_t j)
{
    return product_of(c, p, r, j) + p[c->net.b_enc + j];
}

static double value_of(const Case *c, const double *p, size_t r, size_t j)
{
    const SaeNet *net = &c->net;
    if (net->kind != SAE_GATED) {
        return pre_of(c, p, r, j);
    }
    const double size = exp(p[net->extra + j]) * product_of(c, p, r, j) + p[net->b_mag + j];
    return size > 0 ? size : 0;
}

/* The choice, by ranks. */
static void choose(Case *c, const double *p)
{
    const size_t m = c->net.m, n = c->ask.rows * m;
    for (size_t i = 0; i < n; i++) {
        const double pre = pre_of(c, p, i / m, i % m);
        size_t larger = 0, larger_here = 0;
        for (size_t o = 0; o < n; o++) {
            const bool above = pre_of(c, p, o / m, o % m) > pre;
            larger += above;
            larger_here += above && o / m == i / m;
        }
        switch (c->net.kind) {
        case SAE_TOPK: c->kept[i] = pre > 0 && larger_here < c->ask.k; break;
        case SAE_JUMPRELU: c->kept[i] = pre > p[c->net.extra + i % m]; break;
        case SAE_STANDARD:
        case SAE_GATED: c->kept[i] = pre > 0; break;
        default: c->kept[i] = pre > 0 && larger < c->ask.k * c->ask.rows;
        }
    }
}

/* |x_hat - y|^2 of a row with the first `most` features, and x_hat - y. through: of max(pre, 0)
 * through the decoder and b_dec of `frozen`. */
static double row_error(const Case *c, const double *p, const double *decoder, size_t r,
                        size_t most, bool through, double *residual)
{
    const SaeNet *net = &c->net;
    double error = 0;
    for (size_t i = 0; i < net->d_out; i++) {
        double sum = decoder[net->b_dec + i] - c->y[r * net->d_out + i];
        for (size_t j = 0; j < most; j++) {
            const double f = !c->kept[r * net->m + j] ? 0
                             : through                ? pre_of(c, p, r, j)
                                                      : value_of(c, p, r, j);
            sum += f * decoder[net->w_dec + j * net->d_out + i];
        }
        if (residual) {
            residual[i] = sum;
        }
        error += sum * sum;
    }
    return error;
}

/* The dead among the aux_k largest of their row. */
static double dead_value(const Case *c, const double *p, const double *start, size_t r, size_t j)
{
    size_t larger = 0;
    if (!c->dead[j] || !(pre_of(c, start, r, j) > 0)) {
        return 0;
    }
    for (size_t o = 0; o < c->net.m; o++) {
        larger += c->dead[o] && pre_of(c, start, r, o) > pre_of(c, start, r, j);
    }
    return larger < c->aux_k ? pre_of(c, p, r, j) : 0;
}

static double dead_error(const Case *c, const double *p, const double *start, size_t r)
{
    const SaeNet *net = &c->net;
    double error = 0;
    for (size_t i = 0; i < net->d_out; i++) {
        double sum = c->frozen[r * net->d_out + i];
        for (size_t j = 0; j < net->m; j++) {
            sum += dead_value(c, p, start, r, j) * p[net->w_dec + j * net->d_out + i];
        }
        error += sum * sum;
    }
    return error;
}

/* The loss whose gradient a step takes; `start`: the parameters at which choices and constants are
 * made. */
static double loss_of(const Case *c, const double *p, const double *start)
{
    const SaeNet *net = &c->net;
    const double rows = (double)c->ask.rows;
    double loss = 0, dead = 0, active = 0, at_start = 0;
    for (size_t r = 0; r < c->ask.rows; r++) {
        for (size_t q = 0; q < c->step.n_groups; q++) {
            loss += row_error(c, p, p, r, c->step.group_end[q], false, NULL) / rows;
        }
        if (net->kind == SAE_GATED) {
            loss += row_error(c, p, start, r, net->m, true, NULL) / rows;
        }
        for (size_t j = 0; j < net->m; j++) {
            const bool kept = c->kept[r * net->m + j];
            if (net->kind == SAE_STANDARD || net->kind == SAE_GATED) {
                loss += kept ? c->ask.l1 * pre_of(c, p, r, j) / rows : 0;
            }
            if (net->kind == SAE_JUMPRELU) {
                /* Straight through: the step is a ramp for the threshold alone. */
                const double pre = pre_of(c, start, r, j), theta = start[net->extra + j];
                const double ramp = smooth_step(pre - p[net->extra + j]) - smooth_step(pre - theta);
                loss += c->df[r * net->m + j] * theta * ramp;
                active += ramp;
                at_start += kept;
            }
        }
        dead += dead_error(c, p, start, r);
    }
    if (net->kind == SAE_JUMPRELU) {
        loss +=
            c->ask.l0_weight * 2 * (at_start / rows / c->ask.l0 - 1) / c->ask.l0 * active / rows;
    }
    return loss + SAE_AUX_WEIGHT * (double)net->d_out * dead / c->spread;
}

/* What is constant in the loss: choices, residuals, their spread, gradients of f. */
static void freeze(Case *c, const double *start)
{
    const SaeNet *net = &c->net;
    const size_t d = net->d_out, rows = c->ask.rows;
    choose(c, start);
    c->spread = 0;
    for (size_t r = 0; r < rows; r++) {
        c->spread += row_error(c, start, start, r, net->m, false, c->frozen + r * d);
        for (size_t j = 0; j < net->m; j++) {
            c->df[r * net->m + j] = 0;
            for (size_t i = 0; i < d; i++) {
                c->df[r * net->m + j] +=
                    2 * c->frozen[r * d + i] / (double)rows * start[net->w_dec + j * d + i];
            }
        }
    }
    for (size_t i = 0; i < d; i++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++) {
            sum += c->frozen[r * d + i];
        }
        c->spread -= sum * sum / (double)rows;
    }
}

static void gradients_are_differences(SaeKind kind, SaePath path)
{
    static double p[2000], start[2000];
    Case c;
    case_make(&c, kind, ROWS, FEATURES, WIDTH, path);
    assert_true(c.net.n < 2000);
    for (size_t i = 0; i < c.net.n; i++) {
        p[i] = start[i] = c.net.params[i];
    }
    freeze(&c, start);
    assert_int_equal(sae__step_run(&c.step, c.x, c.y, &c.ask, &usual), 0);
    assert_true(c.step.sums.fast == (path == SAE_PATH_FAST) && c.step.n_dead == N_DEAD);
    double largest = 0, worst = 0;
    size_t moved = 0, thresholds = 0;
    for (size_t i = 0; i < c.net.n; i++) {
        const double h = 1e-5;
        p[i] = start[i] + h;
        const double above = loss_of(&c, p, start);
        p[i] = start[i] - h;
        const double slope = (above - loss_of(&c, p, start)) / (2 * h);
        p[i] = start[i];
        const double off = fabs(slope - c.step.gradient[i]);
        largest = fabs(slope) > largest ? fabs(slope) : largest;
        worst = off > worst ? off : worst;
        moved += fabs(slope) > 1e-6;
        thresholds += i >= c.net.extra && fabs(slope) > 1e-6;
    }
    /* Float sums of a few hundred products against double ones. */
    assert_true(worst < 3e-5 * largest);
    assert_true(moved > c.net.n / 2);
    assert_true(thresholds > 4 || c.net.extra == c.net.n);
    case_release(&c);
}

static void gradients_of_every_kind(void **state)
{
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        gradients_are_differences((SaeKind)kind, SAE_PATH_PLAIN);
        gradients_are_differences((SaeKind)kind, SAE_PATH_FAST);
    }
}

/* ---- the two paths, and threads ---- */

static void paths_agree_on_many_rows(void **state)
{
    const size_t rows = 700, m = 192, d = 80; /* three chunks, three blocks, no whole tiles */
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        Case plain, fast;
        double largest = 0, worst = 0;
        case_make(&plain, (SaeKind)kind, rows, m, d, SAE_PATH_PLAIN);
        case_make(&fast, (SaeKind)kind, rows, m, d, SAE_PATH_FAST);
        assert_int_equal(sae__step_run(&plain.step, plain.x, plain.y, &plain.ask, &usual), 0);
        assert_int_equal(sae__step_run(&fast.step, fast.x, fast.y, &fast.ask, &usual), 0);
        for (size_t i = 0; i < plain.net.n; i++) {
            const double a = plain.step.gradient[i], b = fast.step.gradient[i];
            largest = fabs(a) > largest ? fabs(a) : largest;
            worst = fabs(a - b) > worst ? fabs(a - b) : worst;
        }
        assert_true(largest > 0 && worst < 1e-4 * largest);
        assert_true(plain.step.sums.active > 0 && plain.step.sums.active == fast.step.sums.active);
        assert_true(plain.step.sums.least == fast.step.sums.least);
        assert_true(fabs(plain.step.sums.error / fast.step.sums.error - 1) < 1e-5);
        assert_true(fabs(plain.step.sums.extra_error - fast.step.sums.extra_error) <=
                    1e-5 * plain.step.sums.extra_error);
        assert_true(fabs(plain.step.sums.aux / fast.step.sums.aux - 1) < 1e-4);
        assert_memory_equal(plain.step.fired, fast.step.fired, m);
        case_release(&fast);
        case_release(&plain);
    }
}

static void threads_change_no_bit(void **state)
{
    const size_t rows = 1100, m = 200, d = 48;
    for (int kind = 0; kind < N_SAE_KINDS; kind++) {
        Case one, four;
        Pool *wide;
        assert_int_equal(pool_new(&wide, 4), 0);
        const Work work = {.pool = wide}, earlier = usual;
        case_make(&one, (SaeKind)kind, rows, m, d, SAE_PATH_AUTO);
        usual = work;
        case_make(&four, (SaeKind)kind, rows, m, d, SAE_PATH_AUTO);
        usual = earlier;
        for (int step = 0; step < 2; step++) { /* the second begins at the floor of the first */
            assert_int_equal(sae__step_run(&one.step, one.x, one.y, &one.ask, WORK_ALONE), 0);
            assert_int_equal(sae__step_run(&four.step, four.x, four.y, &four.ask, &work), 0);
            assert_memory_equal(one.step.gradient, four.step.gradient, one.net.n * sizeof(float));
            assert_true(one.step.sums.error == four.step.sums.error);
            assert_true(one.step.sums.active == four.step.sums.active);
        }
        case_release(&four);
        case_release(&one);
        pool_free(wide);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_every_kind),
        cmocka_unit_test(paths_agree_on_many_rows),
        cmocka_unit_test(threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
