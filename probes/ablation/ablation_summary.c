/* probes/ablation/ablation_summary.c - effects added up by game. See
 * probes/ablation/ablation_summary.h. */
#include "probes/ablation/ablation_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/ablation/ablation_draws.h"

/* ---- rows ---- */

typedef struct RowJobs {
    AblationRow *out;
    const AblationResult *result;
    const AblationPositions *positions;
    AblationDraws draws;
    double *counts; /* (n_games) positions of each game */
    double *room;   /* (workers, 5, n_games) */
} RowJobs;

static void largest_parts(AblationRow *row, const double *parts, size_t n_senders, size_t n)
{
    for (size_t k = 0; k < ABLATION_PARTS_SHOWN; k++) {
        size_t best = n_senders;
        for (size_t s = 0; s < n_senders; s++) {
            bool taken = false;
            for (size_t j = 0; j < k; j++) {
                taken = taken || row->parts[j] == s;
            }
            if (!taken && (best == n_senders || fabs(parts[s]) > fabs(parts[best]))) {
                best = s;
            }
        }
        row->parts[k] = best;
        row->part[k] = best < n_senders ? parts[best] / (double)n : 0.0;
    }
}

static int row_job(void *context, size_t set, size_t worker)
{
    const RowJobs *jobs = context;
    const AblationResult *result = jobs->result;
    size_t n_games = jobs->positions->n_games;
    double *sums = jobs->room + worker * 5 * n_games;
    AblationRow *row = &jobs->out[set];
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted; finished blocks are kept");
    }
    *row = (AblationRow){0};
    memset(sums, 0, 5 * n_games * sizeof(*sums));
    for (size_t i = 0; i < result->n; i++) {
        const AblationEffect *effect = &result->effects[set * result->n + i];
        const AblationEffect *clean = &result->clean[i];
        size_t game = jobs->positions->at[i].game;
        double total = (double)effect->total, direct = (double)effect->direct;
        sums[game] += total;
        sums[n_games + game] += direct;
        sums[2 * n_games + game] += direct - total;
        sums[3 * n_games + game] += (double)effect->wrong - (double)clean->wrong;
        sums[4 * n_games + game] += (double)effect->strict - (double)clean->strict;
        row->norm += (double)effect->norm / (double)result->n;
        row->moved += (double)effect->moved / (double)result->n;
    }
    row->total = ablation_draws_ratio(&jobs->draws, sums, jobs->counts);
    row->direct = ablation_draws_ratio(&jobs->draws, sums + n_games, jobs->counts);
    row->repair = ablation_draws_ratio(&jobs->draws, sums + 2 * n_games, jobs->counts);
    row->share = ablation_draws_ratio(&jobs->draws, sums + 2 * n_games, sums + n_games);
    row->wrong = ablation_draws_ratio(&jobs->draws, sums + 3 * n_games, jobs->counts);
    row->strict = ablation_draws_ratio(&jobs->draws, sums + 4 * n_games, jobs->counts);
    largest_parts(row, result->parts + set * result->n_senders, result->n_senders, result->n);
    return 0;
}

static int count_positions(double **out, const AblationPositions *positions)
{
    *out = mem_calloc(positions->n_games, sizeof(**out), "positions by game");
    for (size_t i = 0; *out && i < positions->n; i++) {
        (*out)[positions->at[i].game]++;
    }
    return *out ? 0 : OGPT_ENOMEM;
}

int ablation_rows(AblationRow *out, const AblationResult *result,
                  const AblationPositions *positions, const Work *work)
{
    RowJobs jobs = {.out = out, .result = result, .positions = positions};
    int rc = ablation_draws_init(&jobs.draws, positions->n_games, work->seed);
    rc = rc ? rc : count_positions(&jobs.counts, positions);
    jobs.room =
        mem_alloc(work_workers(work) * 5 * positions->n_games, sizeof(double), "effects by game");
    rc = rc ? rc : jobs.room ? 0 : OGPT_ENOMEM;
    rc = rc ? rc : pool_run(work->pool, result->n_sets, row_job, &jobs);
    ablation_draws_release(&jobs.draws);
    mem_free(jobs.counts);
    mem_free(jobs.room);
    return rc;
}

/* ---- ranks ---- */

typedef struct RankedUnit {
    double value, rank;
    size_t at;
} RankedUnit;

static int compare_ranks(const void *left, const void *right)
{
    const RankedUnit *a = left, *b = right;
    return a->value != b->value ? (a->value > b->value) - (a->value < b->value)
                                : (a->at > b->at) - (a->at < b->at);
}

static void rank_all(double *out, RankedUnit *room, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        room[i] = (RankedUnit){.value = values[i], .at = i};
    }
    qsort(room, n, sizeof(*room), compare_ranks);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && room[end].value == room[i].value; end++) {
        }
        for (size_t j = i; j < end; j++) {
            out[room[j].at] = ((double)i + (double)end - 1.0) / 2.0;
        }
    }
}

int ablation_spearman(double *out, const double *a, const double *b, size_t n)
{
    RankedUnit *room = mem_alloc(n, sizeof(*room), "ranks");
    double *x = mem_alloc(2 * n, sizeof(*x), "ranks"), mean = ((double)n - 1.0) / 2.0;
    double xy = 0.0, xx = 0.0, yy = 0.0;
    *out = NAN;
    if (room && x) {
        rank_all(x, room, a, n);
        rank_all(x + n, room, b, n);
        for (size_t i = 0; i < n; i++) {
            xy += (x[i] - mean) * (x[n + i] - mean);
            xx += (x[i] - mean) * (x[i] - mean);
            yy += (x[n + i] - mean) * (x[n + i] - mean);
        }
        *out = xx > 0.0 && yy > 0.0 ? xy / sqrt(xx * yy) : NAN;
    }
    int rc = room && x ? 0 : OGPT_ENOMEM;
    mem_free(room);
    mem_free(x);
    return rc;
}

/* ---- shares ---- */

/* A share of nothing is no number: NaN if the mean denominator is within the rounding of DE. */
static Interval share_of(const double *numerator, const double *denominator, size_t games,
                         size_t n_effects, uint64_t seed)
{
    double sum = 0.0;
    for (size_t g = 0; g < games; g++) {
        sum += denominator[g];
    }
    return sum < ABLATION_ROUNDING * (double)n_effects
               ? (Interval){NAN, NAN, NAN}
               : bootstrap_ratio(numerator, denominator, games, seed);
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* *out = the least |DE| of the 2 % largest. */
static int top_threshold(float *out, const AblationResult *result, size_t first, size_t step,
                         size_t n)
{
    size_t all = n * result->n, top = all / 50 > 0 ? all / 50 : 1;
    float *values = mem_alloc(all, sizeof(*values), "direct effects");
    if (!values) {
        return OGPT_ENOMEM;
    }
    for (size_t s = 0; s < n; s++) {
        for (size_t i = 0; i < result->n; i++) {
            values[s * result->n + i] =
                fabsf(result->effects[(first + s * step) * result->n + i].direct);
        }
    }
    qsort(values, all, sizeof(*values), compare_floats);
    *out = values[all - top];
    mem_free(values);
    return 0;
}

int ablation_share(AblationShare *out, const AblationResult *result,
                   const AblationPositions *positions, size_t first, size_t step, size_t n,
                   const Work *work)
{
    size_t games = positions->n_games;
    double *sums = mem_calloc(5 * games, sizeof(*sums), "repair by game");
    float least = 0;
    *out = (AblationShare){.n = n};
    int rc = sums ? top_threshold(&least, result, first, step, n) : OGPT_ENOMEM;
    for (size_t s = 0; s < n && rc == 0; s++) {
        for (size_t i = 0; i < result->n; i++) {
            const AblationEffect *effect = &result->effects[(first + s * step) * result->n + i];
            double direct = (double)effect->direct, sign = direct < 0.0 ? -1.0 : 1.0;
            double *game = sums + positions->at[i].game;
            bool top = fabsf(effect->direct) >= least;
            game[0] += sign * (direct - (double)effect->total);
            game[games] += fabs(direct);
            game[2 * games] += sign * (double)effect->norm;
            game[3 * games] += top ? sign * (direct - (double)effect->total) : 0.0;
            game[4 * games] += top ? fabs(direct) : 0.0;
        }
    }
    if (rc == 0) {
        size_t n_all = n * result->n, n_top = n_all / 50 > 0 ? n_all / 50 : 1;
        out->repair = share_of(sums, sums + games, games, n_all, work->seed);
        out->norm = share_of(sums + 2 * games, sums + games, games, n_all, work->seed);
        out->top = share_of(sums + 3 * games, sums + 4 * games, games, n_top, work->seed);
    }
    mem_free(sums);
    return rc;
}
