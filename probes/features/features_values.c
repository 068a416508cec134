/* probes/features/features_values.c - see probes/features/features_values.h. */
#include "probes/features/features_values.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"

typedef struct FeaturesCoding {
    const Codebook *codebook;
    const CodebookRows *rows;
    float *values;
    float *f; /* (workers, FEATURES_CODED, features) */
} FeaturesCoding;

static int code_rows(void *context, size_t job, size_t worker)
{
    const FeaturesCoding *coding = context;
    const Codebook *codebook = coding->codebook;
    const size_t m = codebook->features, n = coding->rows->board.n, first = job * FEATURES_CODED;
    const size_t left = n - first, rows = left < FEATURES_CODED ? left : FEATURES_CODED;
    float *f = coding->f + worker * FEATURES_CODED * m;
    codebook_encode(codebook, coding->rows->x + first * codebook->inputs, rows, f);
    for (size_t j = 0; j < m; j++) {
        for (size_t r = 0; r < rows; r++) {
            if (!isfinite(f[r * m + j])) {
                return err_set(OGPT_ENUM, "%s: feature %zu is not finite; is it damaged?",
                               codebook->name, j);
            }
            coding->values[j * n + first + r] = f[r * m + j];
        }
    }
    return interrupt_pending() ? err_set(OGPT_EINTR, "interrupted while coding rows") : 0;
}

int features_values(float *values, const Codebook *codebook, const CodebookRows *rows,
                    const Work *work)
{
    const size_t m = codebook->features, workers = work_workers(work);
    FeaturesCoding coding = {.codebook = codebook, .rows = rows, .values = values};
    coding.f = mem_alloc(workers * FEATURES_CODED * m, sizeof(float), "features of rows");
    int rc = coding.f ? pool_run(work->pool, (rows->board.n + FEATURES_CODED - 1) / FEATURES_CODED,
                                 code_rows, &coding)
                      : OGPT_ENOMEM;
    mem_free(coding.f);
    return rc;
}
