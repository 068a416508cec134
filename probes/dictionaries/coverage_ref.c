/* probes/dictionaries/coverage_ref.c - the counts by their definition. See
 * probes/dictionaries/coverage.h. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "probes/dictionaries/coverage.h"

int coverage_count_ref(CoverageCounts *out, const float *values, const float *f_max,
                       size_t features, const CoverageRows *rows)
{
    *out = (CoverageCounts){.n = rows->n, .features = features, .n_squares = rows->n_squares};
    out->said = mem_calloc(features * COVERAGE_THRESHOLDS, sizeof(uint32_t), "counts of features");
    out->hits = mem_calloc(features * COVERAGE_THRESHOLDS * COVERAGE_PAIRS, sizeof(uint32_t),
                           "counts of features and squares");
    if (!out->said || !out->hits) {
        coverage_counts_release(out);
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < rows->n; i++) {
        const uint8_t *labels = rows->labels + i * COVERAGE_SQUARES;
        for (size_t s = 0; s < rows->n_squares; s++) {
            out->there[labels[s] * COVERAGE_SQUARES + s]++;
        }
        for (size_t f = 0; f < features; f++) {
            for (size_t t = 0; t < COVERAGE_THRESHOLDS && f_max[f] > 0; t++) {
                if (values[i * features + f] > (float)t * f_max[f] / 10) {
                    uint32_t *hits = out->hits + (f * COVERAGE_THRESHOLDS + t) * COVERAGE_PAIRS;
                    out->said[f * COVERAGE_THRESHOLDS + t]++;
                    for (size_t s = 0; s < rows->n_squares; s++) {
                        hits[labels[s] * COVERAGE_SQUARES + s]++;
                    }
                }
            }
        }
    }
    return 0;
}
