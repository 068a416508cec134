/* probes/emergence/emergence.c - contract in probes/emergence/emergence.h. */
#include "probes/emergence/emergence.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"

#define FLAT 1e-12 /* of the spread of a curve that counts as constant */

/* Values of all curves at all steps, (n_steps, n_curves), of games drawn `weight` times each; NULL:
 * once. */
static void curves_draw(double *out, const EmergenceData *data, const uint32_t *weight)
{
    for (size_t i = 0; i < data->n_steps * data->n_curves; i++) {
        const double *games = data->values + i * data->n_games * 2;
        double numerator = 0, denominator = 0;
        for (size_t g = 0; g < data->n_games; g++) {
            double w = weight ? weight[g] : 1;
            numerator += w * games[2 * g];
            denominator += w * games[2 * g + 1];
        }
        out[i] = numerator / denominator;
    }
}

/* How much better a curve is at a step than at the first. */
static double rise(const EmergenceData *data, const double *drawn, size_t curve, size_t step)
{
    double change = drawn[step * data->n_curves + curve] - drawn[curve];
    return data->falls[curve] ? -change : change;
}

/* The first step above half of the gain, *crossing on log2 of the step; n_steps: no gain. */
static size_t half_of(double *crossing, const EmergenceData *data, const double *drawn,
                      size_t curve)
{
    double half = rise(data, drawn, curve, data->n_steps - 1) / 2;
    *crossing = NAN;
    for (size_t s = 1; half > 0 && s < data->n_steps; s++) {
        double above = rise(data, drawn, curve, s), below = rise(data, drawn, curve, s - 1);
        if (above > half) {
            double from = log2(data->steps[s - 1]), to = log2(data->steps[s]);
            *crossing = from + (half - below) / (above - below) * (to - from);
            return s;
        }
    }
    return data->n_steps;
}

/* ---- intervals ---- */

/* Replicates: (R) for each point, gain, crossing; one curve or pair of curves at a time. */
typedef struct EmergenceDraws {
    double *drawn;     /* (R + 1, n_steps, n_curves); the last without a draw */
    double *crossings; /* (R, n_curves) */
    double *column;    /* (R) */
} EmergenceDraws;

static int draws_make(EmergenceDraws *draws, const EmergenceData *data, uint64_t seed)
{
    size_t cells = data->n_steps * data->n_curves, R = BOOTSTRAP_REPLICATES;
    uint32_t *weight = mem_alloc(data->n_games, sizeof(*weight), "draws of games");
    draws->drawn = mem_alloc((R + 1) * cells, sizeof(double), "curves of draws");
    draws->crossings = mem_alloc(R * data->n_curves, sizeof(double), "crossings of draws");
    draws->column = mem_alloc(R, sizeof(double), "replicates");
    if (!weight || !draws->drawn || !draws->crossings || !draws->column) {
        mem_free(weight);
        return OGPT_ENOMEM;
    }
    for (size_t r = 0; r < R; r++) {
        Rng rng = rng_at(seed, RNG_BOOTSTRAP, r);
        memset(weight, 0, data->n_games * sizeof(*weight));
        for (size_t g = 0; g < data->n_games; g++) {
            weight[rng_below(&rng, (uint32_t)data->n_games)]++;
        }
        curves_draw(draws->drawn + r * cells, data, weight);
        for (size_t c = 0; c < data->n_curves; c++) {
            half_of(&draws->crossings[r * data->n_curves + c], data, draws->drawn + r * cells, c);
        }
    }
    curves_draw(draws->drawn + R * cells, data, NULL);
    mem_free(weight);
    return 0;
}

/* The interval of the first n replicates of the column; those that are NaN were left out. */
static Interval interval_of(double value, const EmergenceDraws *draws, size_t n)
{
    Interval out = {value, NAN, NAN};
    if (n > 0) {
        bootstrap_quantiles(&out, draws->column, n);
    }
    return out;
}

static size_t column_add(const EmergenceDraws *draws, size_t n, double value)
{
    if (!isnan(value)) {
        draws->column[n++] = value;
    }
    return n;
}

static Interval point_of(const EmergenceData *data, const EmergenceDraws *draws, size_t at)
{
    size_t cells = data->n_steps * data->n_curves, n = 0;
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        n = column_add(draws, n, draws->drawn[r * cells + at]);
    }
    return interval_of(draws->drawn[BOOTSTRAP_REPLICATES * cells + at], draws, n);
}

/* ---- two pieces ---- */

double emergence_rss(const double *x, const double *y, size_t n, size_t knot)
{
    /* Gram-Schmidt over 1, x and max(0, x - knot): what is left of y. */
    double basis[3][EMERGENCE_STEPS_MAX], left[EMERGENCE_STEPS_MAX], rss = 0;
    size_t n_basis = knot == SIZE_MAX ? 2 : 3;
    memcpy(left, y, n * sizeof(*left));
    for (size_t b = 0; b < n_basis; b++) {
        double norm = 0, dot = 0;
        for (size_t i = 0; i < n; i++) {
            basis[b][i] = b == 0 ? 1 : b == 1 ? x[i] : x[i] > x[knot] ? x[i] - x[knot] : 0;
        }
        for (size_t k = 0; k < b; k++) {
            double along = 0;
            for (size_t i = 0; i < n; i++) {
                along += basis[b][i] * basis[k][i];
            }
            for (size_t i = 0; i < n; i++) {
                basis[b][i] -= along * basis[k][i];
            }
        }
        for (size_t i = 0; i < n; i++) {
            norm += basis[b][i] * basis[b][i];
        }
        for (size_t i = 0; i < n && norm > 0; i++) {
            basis[b][i] /= sqrt(norm);
            dot += basis[b][i] * left[i];
        }
        for (size_t i = 0; i < n && norm > 0; i++) {
            left[i] -= dot * basis[b][i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        rss += left[i] * left[i];
    }
    return rss;
}

static void kink_find(EmergenceCurve *curve, const EmergenceData *data)
{
    double x[EMERGENCE_STEPS_MAX], y[EMERGENCE_STEPS_MAX], least = INFINITY, spread = 0;
    size_t n = data->n_steps, knot = 0;
    curve->kink = curve->bic_gain = NAN;
    if (n < EMERGENCE_PIECES_LEAST) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = log2(data->steps[i]);
        y[i] = curve->points[i].value;
        spread = fmax(spread, fabs(y[i] - y[0]));
    }
    for (size_t k = 1; k + 1 < n; k++) {
        double rss = emergence_rss(x, y, n, k);
        knot = rss < least ? k : knot;
        least = fmin(rss, least);
    }
    /* A fit to the last bit has no logarithm: it counts as good as rounding lets it be. */
    double floor = FLAT * FLAT * spread * spread * (double)n;
    double one = fmax(emergence_rss(x, y, n, SIZE_MAX), floor);
    if (spread > 0 && isfinite(one)) {
        curve->kink = data->steps[knot];
        curve->bic_gain = (double)n * (log(one) - log(fmax(least, floor))) - 2 * log((double)n);
    }
}

/* ---- all of it ---- */

static void curve_find(EmergenceCurve *curve, const EmergenceData *data,
                       const EmergenceDraws *draws, size_t c)
{
    size_t cells = data->n_steps * data->n_curves, n = 0;
    const double *drawn = draws->drawn + BOOTSTRAP_REPLICATES * cells;
    double crossing = NAN;
    for (size_t s = 0; s < data->n_steps; s++) {
        curve->points[s] = point_of(data, draws, s * data->n_curves + c);
    }
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        n = column_add(draws, n, rise(data, draws->drawn + r * cells, c, data->n_steps - 1));
    }
    curve->gain = interval_of(rise(data, drawn, c, data->n_steps - 1), draws, n);
    curve->emerged = curve->gain.low > 0;
    size_t step = half_of(&crossing, data, drawn, c);
    n = 0;
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        n = column_add(draws, n, draws->crossings[r * data->n_curves + c]);
    }
    curve->step = curve->emerged ? data->steps[step] : NAN;
    curve->crossing = curve->emerged ? interval_of(crossing, draws, n) : (Interval){NAN, NAN, NAN};
    kink_find(curve, data);
}

static void order_find(EmergenceOrder *order, const EmergenceFound *found,
                       const EmergenceData *data, const EmergenceDraws *draws)
{
    size_t n = 0;
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        const double *crossings = draws->crossings + r * data->n_curves;
        n = column_add(draws, n, crossings[order->b] - crossings[order->a]);
    }
    order->lead = interval_of(
        found->curves[order->b].crossing.value - found->curves[order->a].crossing.value, draws, n);
}

int emergence_find(EmergenceFound *out, const EmergenceData *data, uint64_t seed)
{
    EmergenceDraws draws = {NULL, NULL, NULL};
    *out = (EmergenceFound){.n_curves = data->n_curves};
    if (data->n_steps < 2 || data->n_steps > EMERGENCE_STEPS_MAX || data->n_curves < 1 ||
        data->n_curves > EMERGENCE_CURVES_MAX || data->n_games < 1) {
        return err_set(
            OGPT_EUSAGE,
            "emergence: %zu checkpoints, expected 2 to %d; a run that keeps more is made "
            "by ogpt train --keep log2",
            data->n_steps, EMERGENCE_STEPS_MAX);
    }
    int rc = draws_make(&draws, data, seed);
    for (size_t c = 0; rc == 0 && c < data->n_curves; c++) {
        curve_find(&out->curves[c], data, &draws, c);
    }
    for (size_t a = 0; rc == 0 && a < data->n_curves; a++) {
        for (size_t b = a + 1; b < data->n_curves; b++) {
            if (out->curves[a].emerged && out->curves[b].emerged) {
                EmergenceOrder *order = &out->orders[out->n_orders++];
                *order = (EmergenceOrder){.a = a, .b = b};
                order_find(order, out, data, &draws);
            }
        }
    }
    mem_free(draws.drawn);
    mem_free(draws.crossings);
    mem_free(draws.column);
    return rc;
}
