/* probes/steering/steer_sums.c - see probes/steering/steer_sums.h. */
#include "probes/steering/steer_sums.h"

#include <math.h>
#include <string.h>

static const Interval no_interval = {NAN, NAN, NAN};

/* Sums of a number by game, and how many cases; returns all of them. */
static size_t sums_by_game(double *sums, double *counts, const SteerCases *cases, SteerOf of,
                           SteerAmong among, const SteerScore *scores)
{
    size_t n = 0;
    memset(sums, 0, cases->n_games * sizeof(*sums));
    memset(counts, 0, cases->n_games * sizeof(*counts));
    for (size_t i = 0; i < cases->n; i++) {
        if (cases->at[i].cares == (among == STEER_CARING)) {
            sums[cases->at[i].game] += ((const double *)(const void *)&scores[i])[of];
            counts[cases->at[i].game] += 1;
            n++;
        }
    }
    return n;
}

Interval steer_mean(const SteerCases *cases, SteerOf of, SteerAmong among, const SteerScore *scores,
                    uint64_t seed)
{
    const size_t n = cases->n_games;
    double *sums = cases->sums;
    const bool any = sums_by_game(sums, sums + n, cases, of, among, scores) > 0;
    return any ? bootstrap_ratio(sums, sums + n, n, seed) : no_interval;
}

Interval steer_paired(const SteerCases *cases, SteerOf of, SteerAmong among,
                      const SteerScore *scores, const SteerScore *other, uint64_t seed)
{
    const size_t n = cases->n_games;
    double *sums = cases->sums;
    const bool any = sums_by_game(sums, sums + n, cases, of, among, scores) > 0;
    sums_by_game(sums + 2 * n, sums + 3 * n, cases, of, among, other);
    return any ? bootstrap_difference(sums, sums + n, sums + 2 * n, sums + 3 * n, n, seed)
               : no_interval;
}

Interval steer_closed(const SteerCases *cases, const SteerScore *scores, const SteerScore *clean,
                      uint64_t seed)
{
    const size_t n = cases->n_games;
    double *sums = cases->sums, *counts = sums + 3 * n;
    sums_by_game(sums, counts, cases, STEER_OF_EDITED, STEER_CARING, clean);
    sums_by_game(sums + n, counts, cases, STEER_OF_BEFORE, STEER_CARING, clean);
    sums_by_game(sums + 2 * n, counts, cases, STEER_OF_EDITED, STEER_CARING, scores);
    return bootstrap_closed(sums, sums + n, sums + 2 * n, n, seed);
}

int steer_run_kept(SteerScore *scores, const Gpt *gpt, const SteerCases *cases,
                   const SteerChange *change, const float *clean, SteerPlace place,
                   const Work *work)
{
    const Work quiet = work_quiet(work);
    const size_t n = cases->n * STEER_SCORE_NUMBERS;
    double *values = (double *)(void *)scores;
    int rc = work_recall(values, work, n, place.stage, place.block);
    if (rc != 0) {
        return rc == 1 ? 0 : rc;
    }
    rc = steer_run(scores, NULL, gpt, cases, change, clean, &quiet);
    return rc ? rc : work_keep(work, values, n, place.stage, place.block);
}
