/* probes/solvers/solve_descent.c - see probes/solvers/solve_descent.h. */
#include "probes/solvers/solve_descent.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

#define DESCENT_PAIRS 10 /* kept */
#define DESCENT_TRIALS 30
#define DESCENT_ARMIJO 1e-4
#define DESCENT_SLOPE 0.9

typedef struct DescentState {
    const Descent *descent;
    double *g, *direction, *trial, *g_trial, *best, *g_best; /* (n) each */
    double *s, *y; /* (DESCENT_PAIRS, n): steps and gradient changes */
    double rho[DESCENT_PAIRS];
    int n_pairs, newest;
    double gamma; /* scale of the preconditioner */
} DescentState;

static double inner(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void add(double *out, double scale, const double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] += scale * a[i];
    }
}

static void precondition(const DescentState *state, double *out, const double *v)
{
    const Descent *descent = state->descent;
    if (descent->precondition) {
        descent->precondition(descent->context, out, v);
    } else {
        memcpy(out, v, descent->n * sizeof(*v));
    }
}

/* direction = - H g by the two-loop recursion. */
static void choose_direction(DescentState *state)
{
    size_t n = state->descent->n;
    double alpha[DESCENT_PAIRS], *d = state->trial; /* free until the next step */
    memcpy(d, state->g, n * sizeof(*d));
    for (int i = 0; i < state->n_pairs; i++) {
        int k = (state->newest - i + DESCENT_PAIRS) % DESCENT_PAIRS;
        alpha[k] = state->rho[k] * inner(state->s + (size_t)k * n, d, n);
        add(d, -alpha[k], state->y + (size_t)k * n, n);
    }
    precondition(state, state->direction, d);
    for (size_t i = 0; i < n; i++) {
        state->direction[i] *= state->gamma;
    }
    for (int i = state->n_pairs - 1; i >= 0; i--) {
        int k = (state->newest - i + DESCENT_PAIRS) % DESCENT_PAIRS;
        double beta = state->rho[k] * inner(state->y + (size_t)k * n, state->direction, n);
        add(state->direction, alpha[k] - beta, state->s + (size_t)k * n, n);
    }
    for (size_t i = 0; i < n; i++) {
        state->direction[i] = -state->direction[i];
    }
}

/* The step to the best point becomes a pair, if the function curves upwards along it. */
static void remember(DescentState *state, const double *w)
{
    size_t n = state->descent->n;
    int k = (state->newest + 1) % DESCENT_PAIRS;
    double *s = state->s + (size_t)k * n, *y = state->y + (size_t)k * n;
    for (size_t i = 0; i < n; i++) {
        s[i] = state->best[i] - w[i];
        y[i] = state->g_best[i] - state->g[i];
    }
    double sy = inner(s, y, n);
    if (!(sy > 1e-12 * sqrt(inner(s, s, n) * inner(y, y, n)))) {
        return;
    }
    state->rho[k] = 1 / sy;
    state->newest = k;
    state->n_pairs += state->n_pairs < DESCENT_PAIRS;
    precondition(state, state->direction, y); /* free: the next one is chosen behind this */
    state->gamma = sy / inner(y, state->direction, n);
}

/* One step down from w: long enough that the function falls, and that its slope has risen (the weak
 * conditions of Wolfe, by bisection: Lewis & Overton 2013). A point that falls is kept when no
 * better one is found in time. *moved: whether there was one. */
static int step_down(DescentState *state, double *w, DescentReport *report, int *moved)
{
    const Descent *descent = state->descent;
    size_t n = descent->n;
    double slope = inner(state->g, state->direction, n), start = report->f;
    double step = 1, low = 0, high = INFINITY, f;
    *moved = 0;
    for (int k = 0; k < DESCENT_TRIALS && report->rounds < descent->rounds; k++) {
        memcpy(state->trial, w, n * sizeof(*w));
        add(state->trial, step, state->direction, n);
        int rc = descent->evaluate(descent->context, &f, state->g_trial, state->trial);
        report->rounds++;
        if (rc) {
            return rc;
        }
        bool falls = f <= start + DESCENT_ARMIJO * step * slope;
        if (falls && (!*moved || f <= report->f)) {
            report->f = f;
            *moved = 1;
            memcpy(state->best, state->trial, n * sizeof(*w));
            memcpy(state->g_best, state->g_trial, n * sizeof(*w));
        }
        if (falls && inner(state->g_trial, state->direction, n) >= DESCENT_SLOPE * slope) {
            break;
        }
        low = falls ? step : low;
        high = falls ? high : step;
        step = isinf(high) ? 2 * step : (low + high) / 2;
    }
    if (*moved) {
        remember(state, w);
        memcpy(w, state->best, n * sizeof(*w));
        memcpy(state->g, state->g_best, n * sizeof(*w));
    }
    return 0;
}

static int descend(DescentState *state, double *w, DescentReport *report)
{
    const Descent *descent = state->descent;
    int moved = 1;
    int rc = descent->evaluate(descent->context, &report->f, state->g, w);
    report->rounds = 1;
    if (rc == 0 && !isfinite(report->f)) {
        rc = err_set(OGPT_ENUM, "the function to be minimised is %g at its start", report->f);
    }
    while (rc == 0 && moved) {
        choose_direction(state);
        report->gap = -0.5 * inner(state->g, state->direction, descent->n);
        if (!(report->gap > descent->tolerance)) {
            report->arrived = report->gap >= 0;
            break;
        }
        rc = step_down(state, w, report, &moved);
    }
    return rc;
}

int solve_descent(double *w, DescentReport *report, const Descent *descent)
{
    size_t n = descent->n;
    double *numbers =
        mem_calloc((6 + 2 * DESCENT_PAIRS) * n, sizeof(*numbers), "quasi-Newton steps");
    *report = (DescentReport){.f = NAN, .gap = NAN};
    if (!numbers) {
        return OGPT_ENOMEM;
    }
    DescentState state = {.descent = descent,
                          .g = numbers,
                          .direction = numbers + n,
                          .trial = numbers + 2 * n,
                          .g_trial = numbers + 3 * n,
                          .best = numbers + 4 * n,
                          .g_best = numbers + 5 * n,
                          .s = numbers + 6 * n,
                          .y = numbers + (6 + DESCENT_PAIRS) * n,
                          .gamma = 1};
    int rc = descend(&state, w, report);
    mem_free(numbers);
    return rc;
}
