/* probes/ablation/ablation_draws.c - kept draws. See probes/ablation/ablation_draws.h. */
#include "probes/ablation/ablation_draws.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"

int ablation_draws_init(AblationDraws *out, size_t n, uint64_t seed)
{
    *out = (AblationDraws){.n = n};
    out->counts = mem_calloc(BOOTSTRAP_REPLICATES * (n ? n : 1), sizeof(*out->counts),
                             "draws of a bootstrap");
    if (!out->counts) {
        return OGPT_ENOMEM;
    }
    for (uint64_t r = 0; r < BOOTSTRAP_REPLICATES && n > 0; r++) {
        Rng rng = rng_at(seed, RNG_BOOTSTRAP, r);
        for (size_t draw = 0; draw < n; draw++) {
            out->counts[r * n + rng_below(&rng, (uint32_t)n)]++;
        }
    }
    return 0;
}

void ablation_draws_release(AblationDraws *draws)
{
    mem_free(draws->counts);
    *draws = (AblationDraws){0};
}

Interval ablation_draws_ratio(const AblationDraws *draws, const double *numerator,
                              const double *denominator)
{
    Interval out = {NAN, NAN, NAN};
    double replicates[BOOTSTRAP_REPLICATES], above = 0.0, below = 0.0;
    size_t n = draws->n, kept = 0;
    if (n == 0) {
        return out;
    }
    for (size_t i = 0; i < n; i++) {
        above += numerator[i];
        below += denominator ? denominator[i] : 1.0;
    }
    out.value = above / below;
    for (size_t r = 0; r < BOOTSTRAP_REPLICATES; r++) {
        const uint8_t *counts = draws->counts + r * n;
        above = below = 0.0;
#pragma omp simd reduction(+ : above)
        for (size_t i = 0; i < n; i++) {
            above += (double)counts[i] * numerator[i];
        }
        if (denominator) {
#pragma omp simd reduction(+ : below)
            for (size_t i = 0; i < n; i++) {
                below += (double)counts[i] * denominator[i];
            }
        } else {
            below = (double)n;
        }
        replicates[kept] = above / below;
        kept += isnan(replicates[kept]) ? 0 : 1;
    }
    bootstrap_quantiles(&out, replicates, kept);
    return out;
}
