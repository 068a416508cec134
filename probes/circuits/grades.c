/* probes/circuits/grades.c - contract in probes/circuits/grades.h. */
#include "probes/circuits/grades.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "base/rng.h"

typedef struct SizeAt {
    double size;
    uint32_t index;
} SizeAt;

static int by_size(const void *left, const void *right)
{
    const SizeAt *a = left, *b = right;
    if (a->size != b->size) {
        return a->size < b->size ? 1 : -1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

static void sort_sizes(SizeAt *out, const double *size, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (SizeAt){isnan(size[i]) ? -1.0 : fabs(size[i]), (uint32_t)i};
    }
    qsort(out, n, sizeof(*out), by_size);
}

int grade_order(uint32_t *order, const double *size, size_t n)
{
    SizeAt *sorted = mem_alloc(n, sizeof(*sorted), "order of edges");
    if (!sorted) {
        return OGPT_ENOMEM;
    }
    sort_sizes(sorted, size, n);
    for (size_t i = 0; i < n; i++) {
        order[i] = sorted[i].index;
    }
    mem_free(sorted);
    return 0;
}

void grade_truth_sizes(double *size, const GradeTruth *truth, const double *weight)
{
    double whole = 0;
    memset(size, 0, truth->n * sizeof(*size));
    for (size_t p = 0; p < truth->n_pairs; p++) {
        double w = weight ? weight[p] : 1.0;
        whole += w * truth->denominator[p];
        for (size_t i = 0; w != 0 && i < truth->n; i++) {
            size[i] += w * truth->effect[p * truth->n + i];
        }
    }
    for (size_t i = 0; i < truth->n; i++) {
        size[i] = fabs(size[i] / whole);
    }
}

/* ---- one ranking against one truth ---- */

/* One worker's memory; (n) each. */
typedef struct GradeRoom {
    double *size, *score, *weight; /* weight (n_pairs) */
    SizeAt *truth, *ranking;       /* sorted */
    double *truth_rank, *rank;     /* of every number; ties share */
    uint8_t *wanted;               /* among the first K of the truth */
} GradeRoom;

static void share_ranks(double *rank, const SizeAt *sorted, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end].size == sorted[i].size; end++) {
        }
        for (size_t j = i; j < end; j++) {
            rank[sorted[j].index] = ((double)i + (double)end - 1) / 2;
        }
    }
}

static double correlation(const double *a, const double *b, size_t n)
{
    double middle = ((double)n - 1) / 2, ab = 0, aa = 0, bb = 0; /* ranks have this mean */
    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - middle) * (b[i] - middle);
        aa += (a[i] - middle) * (a[i] - middle);
        bb += (b[i] - middle) * (b[i] - middle);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

/* room->size is sorted once a truth. */
static void set_truth(GradeRoom *room, const GradeTruth *truth)
{
    sort_sizes(room->truth, room->size, truth->n);
    share_ranks(room->truth_rank, room->truth, truth->n);
    memset(room->wanted, 0, truth->n);
    for (size_t i = 0; i < truth->top; i++) {
        room->wanted[room->truth[i].index] = 1;
    }
}

/* numbers (N_GRADES) of room->score. Returns the worst miss, n if there is none. */
static size_t grade_one(double *numbers, GradeRoom *room, const GradeTruth *truth)
{
    size_t n = truth->n, found = 0, enough = (9 * truth->top + 9) / 10, missed = n;
    sort_sizes(room->ranking, room->score, n);
    share_ranks(room->rank, room->ranking, n);
    numbers[GRADE_SPEARMAN] = correlation(room->rank, room->truth_rank, n);
    numbers[GRADE_WORST_MISS] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t index = room->ranking[i].index;
        if (i == truth->top) {
            numbers[GRADE_PRECISION] = (double)found / (double)truth->top;
        }
        if (i >= truth->top && (missed == n || room->size[index] > room->size[missed])) {
            missed = index;
        }
        if (room->wanted[index]) {
            found++;
            if (found == enough) {
                numbers[GRADE_COST_90] = (double)i + 1;
            }
            if (found == truth->top) {
                numbers[GRADE_COST_100] = (double)i + 1;
            }
        }
    }
    if (truth->top == n) {
        numbers[GRADE_PRECISION] = 1;
    }
    if (missed < n) {
        numbers[GRADE_WORST_MISS] = room->size[missed];
    }
    return missed;
}

/* ---- resampling ---- */

typedef struct GradeRun {
    const GradeTruth *truth;
    const GradeRanking *rankings;
    size_t n_rankings;
    uint64_t seed;
    GradeRoom *rooms; /* (workers) */
    size_t first;     /* replicates before this window */
    double *found;    /* (replicates, n_rankings, N_GRADES) */
} GradeRun;

static int draw_job(void *context, size_t job, size_t worker)
{
    const GradeRun *run = context;
    const GradeTruth *truth = run->truth;
    GradeRoom *room = &run->rooms[worker];
    size_t replicate = run->first + job;
    Rng rng = rng_at(run->seed, RNG_BOOTSTRAP, replicate);
    memset(room->weight, 0, truth->n_pairs * sizeof(*room->weight));
    for (size_t draw = 0; draw < truth->n_pairs; draw++) {
        room->weight[rng_below(&rng, (uint32_t)truth->n_pairs)] += 1;
    }
    grade_truth_sizes(room->size, truth, room->weight);
    set_truth(room, truth);
    for (size_t i = 0; i < run->n_rankings; i++) {
        run->rankings[i].scores(room->score, run->rankings[i].context, room->weight);
        grade_one(run->found + (replicate * run->n_rankings + i) * N_GRADES, room, truth);
    }
    return 0;
}

static int random_job(void *context, size_t job, size_t worker)
{
    const GradeRun *run = context;
    GradeRoom *room = &run->rooms[worker];
    size_t order = run->first + job;
    Rng rng = rng_at(run->seed, RNG_CONTROL, order);
    grade_truth_sizes(room->size, run->truth, NULL);
    set_truth(room, run->truth);
    for (size_t i = 0; i < run->truth->n; i++) {
        room->score[i] = rng_uniform(&rng);
    }
    grade_one(run->found + order * N_GRADES, room, run->truth);
    return 0;
}

void grade_percentiles(Interval *out, double *values, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i])) {
            values[kept++] = values[i];
        }
    }
    bootstrap_quantiles(out, values, kept);
}

static int check(const GradeTruth *truth)
{
    if (truth->n_pairs == 0 || truth->top < 1 || truth->top > truth->n) {
        return err_set(OGPT_EUSAGE, "the first %zu of %zu edges on %zu pairs: expected 1 to %zu",
                       truth->top, truth->n, truth->n_pairs, truth->n);
    }
    return 0;
}

static int run_new(GradeRun *run, const Work *work)
{
    size_t n = run->truth->n, pairs = run->truth->n_pairs;
    size_t replicates = GRADE_REPLICATES > GRADE_ORDERS ? GRADE_REPLICATES : GRADE_ORDERS;
    run->seed = work->seed;
    run->found =
        mem_calloc(replicates * run->n_rankings * N_GRADES, sizeof(double), "grades of rankings");
    run->rooms = mem_calloc(work_workers(work), sizeof(*run->rooms), "grades of rankings");
    for (size_t w = 0; run->rooms && w < work_workers(work); w++) {
        GradeRoom *room = &run->rooms[w];
        room->size = mem_calloc(n, sizeof(double), "sizes of edges");
        room->score = mem_calloc(n, sizeof(double), "sizes of edges");
        room->weight = mem_calloc(pairs, sizeof(double), "weights of pairs");
        room->truth = mem_calloc(n, sizeof(SizeAt), "order of edges");
        room->ranking = mem_calloc(n, sizeof(SizeAt), "order of edges");
        room->truth_rank = mem_calloc(n, sizeof(double), "ranks of edges");
        room->rank = mem_calloc(n, sizeof(double), "ranks of edges");
        room->wanted = mem_calloc(n, 1, "order of edges");
        if (!room->size || !room->score || !room->weight || !room->truth || !room->ranking ||
            !room->truth_rank || !room->rank || !room->wanted) {
            return OGPT_ENOMEM;
        }
    }
    return run->found && run->rooms ? 0 : OGPT_ENOMEM;
}

static void run_free(GradeRun *run, const Work *work)
{
    for (size_t w = 0; run->rooms && w < work_workers(work); w++) {
        GradeRoom *room = &run->rooms[w];
        mem_free(room->size);
        mem_free(room->score);
        mem_free(room->weight);
        mem_free(room->truth);
        mem_free(room->ranking);
        mem_free(room->truth_rank);
        mem_free(room->rank);
        mem_free(room->wanted);
    }
    mem_free(run->rooms);
    mem_free(run->found);
}

/* `total` jobs in windows, dealt to the ranks; between windows the command can be interrupted. */
static int run_jobs(GradeRun *run, PoolJob job, size_t total, const Work *work)
{
    size_t window = 4 * work_workers(work) * (size_t)ranks_count();
    size_t a_job = run->n_rankings * N_GRADES;
    int rc = 0;
    for (run->first = 0; run->first < total && rc == 0; run->first += window) {
        size_t left = total - run->first;
        work_tick(work, "resamples", (double)run->first, (double)total);
        const RanksSlots slots = {run->found + run->first * a_job, a_job * sizeof(*run->found), 0};
        rc = ranks_run(work->pool, left < window ? left : window, job, run, &slots, 1);
        if (rc == 0 && interrupt_pending() != 0) {
            rc = err_set(OGPT_EINTR,
                         "interrupted while rankings were graded; type the command again");
        }
    }
    if (rc == 0) {
        work_tick(work, "resamples", (double)total, (double)total);
    }
    return rc;
}

/* Column g of ranking i over the replicates, minus that of `minus` (n_rankings: none). */
static void column_of(double *values, const GradeRun *run, size_t i, size_t g, size_t minus)
{
    for (size_t r = 0; r < GRADE_REPLICATES; r++) {
        const double *found = run->found + r * run->n_rankings * N_GRADES;
        values[r] =
            found[i * N_GRADES + g] - (minus < run->n_rankings ? found[minus * N_GRADES + g] : 0.0);
    }
}

int grade_rankings(Grade *out, const GradeTruth *truth, const GradeRanking *rankings,
                   size_t n_rankings, const Work *work)
{
    GradeRun run = {.truth = truth, .rankings = rankings, .n_rankings = n_rankings};
    double numbers[N_GRADES] = {0}, values[GRADE_REPLICATES];
    int rc = check(truth);
    if (rc != 0 || n_rankings == 0) {
        return rc;
    }
    rc = run_new(&run, work);
    rc = rc ? rc : run_jobs(&run, draw_job, GRADE_REPLICATES, work);
    for (size_t i = 0; i < n_rankings && rc == 0; i++) {
        GradeRoom *room = &run.rooms[0];
        grade_truth_sizes(room->size, truth, NULL);
        set_truth(room, truth);
        rankings[i].scores(room->score, rankings[i].context, NULL);
        out[i].missed = grade_one(numbers, room, truth);
        for (size_t g = 0; g < N_GRADES; g++) {
            out[i].number[g].value = numbers[g];
            column_of(values, &run, i, g, n_rankings);
            grade_percentiles(&out[i].number[g], values, GRADE_REPLICATES);
            out[i].minus_first[g].value = numbers[g] - out[0].number[g].value;
            column_of(values, &run, i, g, 0);
            grade_percentiles(&out[i].minus_first[g], values, GRADE_REPLICATES);
        }
    }
    run_free(&run, work);
    return rc;
}

int grade_random(Grade *out, const GradeTruth *truth, const Work *work)
{
    GradeRun run = {.truth = truth, .n_rankings = 1};
    double values[GRADE_ORDERS];
    int rc = check(truth);
    if (rc != 0) {
        return rc;
    }
    rc = run_new(&run, work);
    rc = rc ? rc : run_jobs(&run, random_job, GRADE_ORDERS, work);
    for (size_t g = 0; g < N_GRADES && rc == 0; g++) {
        double sum = 0;
        for (size_t r = 0; r < GRADE_ORDERS; r++) {
            values[r] = run.found[r * N_GRADES + g];
            sum += values[r] / GRADE_ORDERS;
        }
        grade_percentiles(&out->number[g], values, GRADE_ORDERS);
        out->number[g].value = sum;
        out->minus_first[g] = (Interval){NAN, NAN, NAN};
        out->missed = truth->n;
    }
    run_free(&run, work);
    return rc;
}
