/* probes/forgetting/forget_find.c - contract in probes/forgetting/forget_find.h. */
#include "probes/forgetting/forget_find.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"

int forget_find(ForgetScore *score, const double *values, const double *before, size_t n,
                uint64_t seed)
{
    double *scratch = mem_alloc(3 * n, sizeof(*scratch), "values by game");
    if (!scratch) {
        return OGPT_ENOMEM;
    }
    double *top = scratch, *below = scratch + n, *old = scratch + 2 * n;
    for (int k = 0; k < N_FORGET_KINDS; k++) {
        for (int m = 0; m < N_FORGET_MEASURES; m++) {
            const size_t at = ((size_t)k * N_FORGET_MEASURES + (size_t)m) * n * 2;
            for (size_t g = 0; g < n; g++) {
                top[g] = values[at + 2 * g];
                below[g] = values[at + 2 * g + 1];
                old[g] = before[at + 2 * g];
            }
            score[k].of[m] = bootstrap_ratio(top, below, n, seed);
            if (m == FORGET_LOSS) { /* the same positions in both: one denominator */
                score[k].change = bootstrap_difference(top, below, old, below, n, seed);
            }
        }
    }
    mem_free(scratch);
    return 0;
}

double forget_barrier(const double *line)
{
    double barrier = 0;
    for (int i = 0; i < FORGET_LINE; i++) {
        const double share = (double)i / (FORGET_LINE - 1);
        barrier = fmax(barrier, line[i] - ((1 - share) * line[0] + share * line[FORGET_LINE - 1]));
    }
    return barrier;
}

size_t forget_relearned(ForgetScore (*scores)[N_FORGET_KINDS], size_t n, double within)
{
    size_t i = 0;
    while (i < n && !(scores[i][FORGET_OLD].change.value <= within)) {
        i++;
    }
    return i;
}
