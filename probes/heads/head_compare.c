/* probes/heads/head_compare.c - see probes/heads/head_compare.h and head_patterns.h. */
#include "probes/heads/head_compare.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* Columns of a head, by game. The first N_TESTS are numerators. */
enum {
    SUMS_EXCESS = 0,
    SUMS_BEYOND = N_HEAD_SETS,
    SUMS_SQUARE = SUMS_BEYOND + N_HEAD_BEYOND,
    SUMS_SQUARE_BEYOND,
    SUMS_ENTROPY,
    SUMS_LARGEST,
    SUMS_AGE,
    N_TESTS
};

typedef struct HeadComparison {
    HeadPatterns *out;
    const HeadTally *tally;
    const HeadDraws *draws;
    float *mean;       /* (H, triangle) attention over all queries */
    double *expected;  /* (n, H, N_HEAD_BEYOND) LANE_BEYOND of the mean attention */
    double *uniform;   /* (n, T) sum of 1 / (t + 1) over the queries behind key s */
    double *square_at; /* (n, 64): queries behind the move on a square, -1: not played */
    float **weights;   /* (triangle, HEAD_LANES) a worker */
    double **values, **replicates;
    double *below_values, *below_sums; /* HeadRatios */
} HeadComparison;

/* ---- what the mean attention would have scored ---- */

static int expect_game(void *context, size_t g, size_t worker)
{
    HeadComparison *c = context;
    const HeadTally *tally = c->tally;
    size_t H = tally->H;
    float *weights = c->weights[worker], lanes[HEAD_LANES];
    head_tally_weights(weights, tally, g);
    for (size_t h = 0; h < H; h++) {
        double *to = c->expected + (g * H + h) * N_HEAD_BEYOND;
        for (size_t t = 1; t < tally->games->n_queries[g]; t++) {
            size_t at = head_triangle(t);
            head_project(lanes, c->mean + h * tally->triangle + at, weights + at * HEAD_LANES, 1,
                         tally->T, t + 1);
            for (size_t j = 0; j < N_HEAD_BEYOND; j++) {
                to[j] += (double)lanes[LANE_BEYOND + j];
            }
        }
    }
    return 0;
}

static void mean_attention(HeadComparison *c)
{
    const HeadTally *tally = c->tally;
    HeadPatterns *out = c->out;
    for (size_t t = 0; t < tally->T; t++) {
        size_t at = head_triangle(t);
        out->ordinary_at[t] = tally->ordinary_at[t];
        for (size_t h = 0; h < tally->H; h++) {
            for (size_t s = 0; s <= t; s++) {
                size_t i = h * tally->triangle + at + s;
                double ordinary = tally->ordinary[i], all = ordinary + tally->disputed[i];
                c->mean[i] = tally->at[t] > 0 ? (float)(all / tally->at[t]) : 0;
                out->ordinary[i] =
                    tally->ordinary_at[t] > 0 ? (float)(ordinary / tally->ordinary_at[t]) : 0;
            }
        }
    }
}

/* ---- the square of a head ---- */

static void find_squares(HeadComparison *c)
{
    const HeadTally *tally = c->tally;
    const HeadGames *games = tally->games;
    size_t stride = (size_t)games->vocab->variant->n_moves;
    for (size_t g = 0; g < games->n; g++) {
        size_t n = games->n_queries[g];
        for (size_t sq = 0; sq < BOARD_SQUARES; sq++) {
            c->square_at[g * BOARD_SQUARES + sq] = -1;
        }
        double sum = 0;
        for (size_t s = n; s-- > 0;) {
            sum += s >= 1 ? 1 / (double)(s + 1) : 0;
            c->uniform[g * tally->T + s] = sum;
            c->square_at[g * BOARD_SQUARES + games->moves[g * stride + s]] = (double)s;
        }
    }
}

static double behind(const HeadTally *tally, size_t g, size_t s)
{
    return (double)tally->games->n_queries[g] - (s >= 1 ? (double)s : 1);
}

static int choose_square(const HeadComparison *c, size_t head)
{
    const HeadTally *tally = c->tally;
    double excess[BOARD_SQUARES] = {0}, queries[BOARD_SQUARES] = {0}, most = -INFINITY;
    int chosen = 0;
    for (size_t g = 0; g < tally->games->n; g += 2) {
        for (size_t sq = 0; sq < BOARD_SQUARES; sq++) {
            double at = c->square_at[g * BOARD_SQUARES + sq];
            if (at >= 0) {
                size_t s = (size_t)at;
                excess[sq] += (double)tally->columns[(g * tally->H + head) * tally->T + s] -
                              c->uniform[g * tally->T + s];
                queries[sq] += behind(tally, g, s);
            }
        }
    }
    for (int sq = 0; sq < BOARD_SQUARES; sq++) {
        if (queries[sq] > 0 && excess[sq] / queries[sq] > most) {
            most = excess[sq] / queries[sq];
            chosen = sq;
        }
    }
    return chosen;
}

/* Attention of the mean on key s, at the queries of game g behind it. */
static double mean_column(const HeadComparison *c, size_t head, size_t g, size_t s)
{
    double sum = 0;
    for (size_t t = s >= 1 ? s : 1; t < c->tally->games->n_queries[g]; t++) {
        sum += (double)c->mean[head * c->tally->triangle + head_triangle(t) + s];
    }
    return sum;
}

/* ---- a head ---- */

/* Denominators: the queries behind the square are a column of the head, the others are the same for
 * all heads: of each detector, and all. */
enum { OWN_SQUARE = N_TESTS, BELOW_ALL = N_HEAD_SETS };
_Static_assert(OWN_SQUARE < HEAD_COLUMNS && BELOW_ALL < HEAD_COLUMNS, "columns of a head");

static int below_of(int column)
{
    if (column < SUMS_BEYOND) {
        return column;
    }
    if (column < SUMS_SQUARE) {
        return (int)head_beyond[column - SUMS_BEYOND];
    }
    return column <= SUMS_SQUARE_BEYOND ? -1 - OWN_SQUARE : BELOW_ALL;
}

static void fill_below(double *values, const HeadTally *tally)
{
    memset(values, 0, tally->games->n * HEAD_COLUMNS * sizeof(*values));
    for (size_t g = 0; g < tally->games->n; g++) {
        memcpy(values + g * HEAD_COLUMNS, tally->deciding + g * N_HEAD_SETS,
               N_HEAD_SETS * sizeof(*values));
        values[g * HEAD_COLUMNS + BELOW_ALL] = tally->counted[g];
    }
}

static void fill_game(double *row, const HeadComparison *c, size_t head, size_t g, int square)
{
    const HeadTally *tally = c->tally;
    const double *sums = tally->sums + (g * tally->H + head) * N_HEAD_SUMS;
    double at = c->square_at[g * BOARD_SQUARES + (size_t)square];
    memset(row, 0, HEAD_COLUMNS * sizeof(*row));
    for (size_t d = 0; d < N_HEAD_SETS; d++) {
        row[SUMS_EXCESS + d] = sums[LANE_SHARE + d] - tally->uniform[g * N_HEAD_SETS + d];
    }
    for (size_t j = 0; j < N_HEAD_BEYOND; j++) {
        row[SUMS_BEYOND + j] =
            sums[LANE_BEYOND + j] - c->expected[(g * tally->H + head) * N_HEAD_BEYOND + j];
    }
    if (at >= 0 && g % 2 == 1) {
        size_t s = (size_t)at;
        double on = (double)tally->columns[(g * tally->H + head) * tally->T + s];
        row[SUMS_SQUARE] = on - c->uniform[g * tally->T + s];
        row[SUMS_SQUARE_BEYOND] = on - mean_column(c, head, g, s);
        row[OWN_SQUARE] = behind(tally, g, s);
    }
    row[SUMS_ENTROPY] = sums[SUM_ENTROPY];
    row[SUMS_LARGEST] = sums[SUM_LARGEST];
    row[SUMS_AGE] = sums[LANE_AGE];
}

static PairedTest turned(PairedTest test)
{
    double low = test.difference.low;
    test.difference.value = -test.difference.value;
    test.difference.low = -test.difference.high;
    test.difference.high = -low;
    return test;
}

/* Sum over the games of the attention that a uniform head would give, and of queries. */
static void uniform_sums(double *uniform, double *queries, const HeadComparison *c, HeadDetector d,
                         int square)
{
    const HeadTally *tally = c->tally;
    *uniform = *queries = 0;
    for (size_t g = 0; g < tally->games->n; g++) {
        double at = c->square_at[g * BOARD_SQUARES + (size_t)square];
        if (d != HEAD_SQUARE) {
            *uniform += tally->uniform[g * N_HEAD_SETS + d];
            *queries += tally->deciding[g * N_HEAD_SETS + d];
        } else if (at >= 0 && g % 2 == 1) {
            *uniform += c->uniform[g * tally->T + (size_t)at];
            *queries += behind(tally, g, (size_t)at);
        }
    }
}

/* Scores of a detector; `tests` are those of the columns. */
static void score_fill(HeadScore *score, const HeadComparison *c, HeadDetector d, int square,
                       const PairedTest *tests)
{
    double uniform;
    *score = (HeadScore){.beyond = {{NAN, NAN, NAN}, NAN, NAN}};
    score->excess = d == HEAD_SQUARE ? tests[SUMS_SQUARE] : tests[SUMS_EXCESS + d];
    for (size_t j = 0; j < N_HEAD_BEYOND; j++) {
        score->beyond = d == head_beyond[j] ? tests[SUMS_BEYOND + j] : score->beyond;
    }
    if (d == HEAD_THEIRS) {
        score->beyond = turned(tests[SUMS_BEYOND]);
    } else if (d == HEAD_SQUARE) {
        score->beyond = tests[SUMS_SQUARE_BEYOND];
    }
    uniform_sums(&uniform, &score->queries, c, d, square);
    score->uniform = score->queries > 0 ? uniform / score->queries : NAN;
    score->share = score->uniform + score->excess.difference.value;
    score->shuffled = score->share - score->beyond.difference.value;
}

static int compare_head(void *context, size_t head, size_t worker)
{
    HeadComparison *c = context;
    size_t n = c->tally->games->n;
    double *values = c->values[worker];
    HeadPattern *out = &c->out->heads[head];
    PairedTest tests[N_TESTS];
    int below[N_TESTS];
    out->square = choose_square(c, head);
    for (size_t g = 0; g < n; g++) {
        fill_game(values + g * HEAD_COLUMNS, c, head, g, out->square);
        c->out->mine[(head * n + g) * 2] = values[g * HEAD_COLUMNS + SUMS_EXCESS + HEAD_MINE];
        c->out->mine[(head * n + g) * 2 + 1] = values[g * HEAD_COLUMNS + SUMS_BEYOND];
        if (c->out->twin) {
            c->out->twin[head * n + g] =
                c->tally->sums[(g * c->tally->H + head) * N_HEAD_SUMS + LANE_TWIN];
        }
    }
    for (int i = 0; i < N_TESTS; i++) {
        below[i] = below_of(i);
    }
    const HeadRatios ratios = {values, c->below_values, c->below_sums, below, N_TESTS};
    head_draws_test(tests, c->draws, &ratios, c->replicates[worker]);
    for (int d = 0; d < N_HEAD_DETECTORS; d++) {
        score_fill(&out->scores[d], c, (HeadDetector)d, out->square, tests);
    }
    out->entropy = tests[SUMS_ENTROPY].difference;
    out->largest = tests[SUMS_LARGEST].difference;
    out->age = tests[SUMS_AGE].difference;
    return 0;
}

/* ---- all heads ---- */

const PairedTest *head_score_of(const HeadScore *score, HeadDetector detector)
{
    return head_detector_kind(detector) == HEAD_AGE ? &score->excess : &score->beyond;
}

/* Holm over the heads, for each detector and each of its two differences. */
static int adjust(HeadPatterns *out)
{
    PairedTest *tests = mem_alloc(out->H, sizeof(*tests), "tests of heads");
    for (int d = 0; d < N_HEAD_DETECTORS && tests; d++) {
        for (int which = 0; which < 2; which++) {
            for (size_t h = 0; h < out->H; h++) {
                HeadScore *score = &out->heads[h].scores[d];
                tests[h] = which ? score->beyond : score->excess;
            }
            holm_adjust(tests, out->H);
            for (size_t h = 0; h < out->H; h++) {
                HeadScore *score = &out->heads[h].scores[d];
                *(which ? &score->beyond : &score->excess) = tests[h];
            }
        }
    }
    mem_free(tests);
    return tests ? 0 : OGPT_ENOMEM;
}

static int kind_of(const HeadPattern *head)
{
    int kind = -1;
    double most = HEAD_KIND_LEAST;
    for (int d = 0; d < N_HEAD_DETECTORS; d++) {
        const PairedTest *test = head_score_of(&head->scores[d], (HeadDetector)d);
        if (test->p_holm < 0.05 && test->difference.value >= most) {
            most = test->difference.value;
            kind = d;
        }
    }
    return kind;
}

static int compare_all(HeadComparison *c, const Work *work)
{
    HeadDraws draws = {0};
    HeadPatterns *out = c->out;
    mean_attention(c);
    find_squares(c);
    int rc = pool_run(work->pool, c->tally->games->n, expect_game, c);
    rc = rc ? rc : head_draws_make(&draws, c->tally->games->n, work);
    c->draws = &draws;
    fill_below(c->below_values, c->tally);
    rc = rc ? rc : head_draws_below(&c->below_sums, &draws, c->below_values);
    rc = rc ? rc : pool_run(work->pool, out->H, compare_head, c);
    c->draws = NULL;
    head_draws_release(&draws);
    rc = rc ? rc : adjust(out);
    for (size_t h = 0; h < out->H && rc == 0; h++) {
        out->heads[h].kind = kind_of(&out->heads[h]);
    }
    return rc;
}

static int allocate(HeadComparison *c, size_t n_workers)
{
    const HeadTally *tally = c->tally;
    HeadPatterns *out = c->out;
    size_t n = tally->games->n, H = tally->H, T = tally->T;
    out->heads = mem_calloc(H, sizeof(*out->heads), "heads");
    out->ordinary = mem_alloc(H * tally->triangle, sizeof(*out->ordinary), "mean attention");
    out->ordinary_at = mem_alloc(T, sizeof(*out->ordinary_at), "mean attention");
    out->mine = mem_alloc(H * n * 2, sizeof(*out->mine), "scores of games");
    out->mine_queries = mem_alloc(n, sizeof(*out->mine_queries), "queries of games");
    out->twin = tally->twins ? mem_alloc(H * n, sizeof(*out->twin), "sums of a control") : NULL;
    c->mean = mem_alloc(H * tally->triangle, sizeof(*c->mean), "mean attention");
    c->expected = mem_calloc(n * H * N_HEAD_BEYOND, sizeof(*c->expected), "expected attention");
    c->uniform = mem_calloc(n * T, sizeof(*c->uniform), "uniform attention");
    c->square_at = mem_alloc(n * BOARD_SQUARES, sizeof(*c->square_at), "plies of squares");
    c->below_values = mem_alloc(n * HEAD_COLUMNS, sizeof(*c->below_values), "queries of games");
    c->weights = mem_calloc(n_workers, sizeof(*c->weights), "workers");
    c->values = mem_calloc(n_workers, sizeof(*c->values), "workers");
    c->replicates = mem_calloc(n_workers, sizeof(*c->replicates), "workers");
    bool there = out->heads && out->ordinary && out->ordinary_at && out->mine &&
                 out->mine_queries && (out->twin || !tally->twins) && c->mean && c->expected &&
                 c->uniform && c->square_at && c->below_values && c->weights && c->values &&
                 c->replicates;
    for (size_t w = 0; w < n_workers && there; w++) {
        c->weights[w] = mem_alloc(tally->triangle * HEAD_LANES, sizeof(float), "weights of keys");
        c->values[w] = mem_alloc(n * HEAD_COLUMNS, sizeof(double), "sums of games");
        c->replicates[w] =
            mem_alloc((size_t)N_TESTS * PAIRED_REPLICATES, sizeof(double), "replicates");
        there = c->weights[w] && c->values[w] && c->replicates[w];
    }
    return there ? 0 : OGPT_ENOMEM;
}

static void comparison_release(HeadComparison *c, size_t n_workers)
{
    for (size_t w = 0; w < n_workers && c->weights && c->values && c->replicates; w++) {
        mem_free(c->weights[w]);
        mem_free(c->values[w]);
        mem_free(c->replicates[w]);
    }
    mem_free(c->weights);
    mem_free(c->values);
    mem_free(c->replicates);
    mem_free(c->mean);
    mem_free(c->expected);
    mem_free(c->uniform);
    mem_free(c->square_at);
    mem_free(c->below_values);
    mem_free(c->below_sums);
}

int head_compare(HeadPatterns *out, const HeadTally *tally, const Work *work)
{
    HeadComparison c = {.out = out, .tally = tally};
    *out = (HeadPatterns){.n_layers = tally->H / tally->NH,
                          .NH = tally->NH,
                          .H = tally->H,
                          .T = tally->T,
                          .n_games = tally->games->n};
    for (size_t g = 0; g < tally->games->n; g++) {
        out->queries += tally->counted[g];
    }
    int rc = allocate(&c, work_workers(work));
    for (size_t g = 0; rc == 0 && g < tally->games->n; g++) {
        out->mine_queries[g] = tally->deciding[g * N_HEAD_SETS + HEAD_MINE];
    }
    rc = rc ? rc : compare_all(&c, work);
    comparison_release(&c, work_workers(work));
    if (rc != 0) {
        head_patterns_release(out);
    }
    return rc;
}

void head_patterns_release(HeadPatterns *patterns)
{
    mem_free(patterns->heads);
    mem_free(patterns->ordinary);
    mem_free(patterns->ordinary_at);
    mem_free(patterns->twin);
    mem_free(patterns->mine);
    mem_free(patterns->mine_queries);
    *patterns = (HeadPatterns){0};
}
