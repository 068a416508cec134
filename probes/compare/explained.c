/* probes/compare/explained.c - see probes/compare/explained.h. */
#include "probes/compare/explained.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "num/matrices/spd.h"
#include "num/vectors.h"
#include "probes/activations/activations.h"
#include "probes/board/controls.h"

#define BLOCK_ROWS 1024 /* rows of a matrix product; blocks are summed in double precision */

enum { TRUE_BOARD, OTHER_BOARD, N_BOARDS };

/* The boards of a split as features, minus the mean of their ply over the training games. */
typedef struct Side {
    LabelledSet set;
    float *f[N_BOARDS]; /* (n_positions, p) */
} Side;

/* The regression of one layer. */
typedef struct Regression {
    float *b[N_BOARDS]; /* (p, d) */
    float *mean;        /* (GAME_MAX_MOVES + 1, d): by ply, and over all */
} Regression;

typedef struct ExplainedJob {
    size_t p, d;
    Side train, test;
    double *inverse[N_BOARDS]; /* (p, p): (F^T F + lambda n I)^-1 */
    Regression *layers;
    double *sums;     /* (p, d) */
    float *block;     /* (BLOCK_ROWS, d) */
    float *product;   /* (p, max(p, d)) */
    double *games[4]; /* (n test games) squares: total, within plies, left by each board */
    Explained *out;
    int n_layers, n_done; /* n_done: layers learnt, plus layers measured */
    const Work *work;
} ExplainedJob;

/* ---- the boards ---- */

static void fill_features(float *f, const uint8_t *labels, size_t n, size_t n_squares)
{
    memset(f, 0, n * 2 * n_squares * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        for (size_t s = 0; s < n_squares; s++) {
            uint8_t label = labels[i * n_squares + s];
            if (label != LABEL_EMPTY) {
                f[i * 2 * n_squares + 2 * s + (label == LABEL_MINE)] = 1;
            }
        }
    }
}

/* mean (GAME_MAX_MOVES + 1, width) of rows (n, width): one row for each ply, and the mean over all
 * in the last row. A ply without rows takes the mean over all. sums is scratch of the same size. */
static void ply_means(float *mean, const PositionSet *set, const float *rows, size_t width,
                      double *sums)
{
    size_t count[GAME_MAX_MOVES + 1] = {0};
    memset(sums, 0, (GAME_MAX_MOVES + 1) * width * sizeof(double));
    for (size_t i = 0; i < set->n_positions; i++) {
        count[set->t[i]]++;
        for (size_t c = 0; c < width; c++) {
            sums[set->t[i] * width + c] += (double)rows[i * width + c];
        }
    }
    double *all = sums + GAME_MAX_MOVES * width;
    count[GAME_MAX_MOVES] = set->n_positions;
    for (size_t t = 0; t < GAME_MAX_MOVES; t++) {
        for (size_t c = 0; c < width; c++) {
            all[c] += sums[t * width + c];
        }
    }
    for (size_t t = 0; t <= GAME_MAX_MOVES; t++) {
        const double *sum = count[t] > 0 ? sums + t * width : all;
        double n = (double)(count[t] > 0 ? count[t] : set->n_positions);
        for (size_t c = 0; c < width; c++) {
            mean[t * width + c] = (float)(sum[c] / n);
        }
    }
}

static void take_out(float *rows, const PositionSet *set, const float *mean, size_t width)
{
    for (size_t i = 0; i < set->n_positions; i++) {
        for (size_t c = 0; c < width; c++) {
            rows[i * width + c] -= mean[set->t[i] * width + c];
        }
    }
}

static int draw_side(Side *out, Corpus *corpus, Split split, size_t n_games, int plies,
                     const Work *work)
{
    GameSource *source = NULL;
    const Task *task = task_find("mine");
    int rc = source_corpus(&source, corpus, 1U << split, true, work->seed);
    rc = rc ? rc : labelled_draw(&out->set, source, task, LABELS_MOVER, n_games, plies, work);
    source_free(source);
    size_t n = rc ? 0 : out->set.set.n_positions, S = out->set.n_squares;
    uint8_t *other = rc ? NULL : mem_alloc(n, S, "labels of other games");
    for (int board = 0; board < N_BOARDS && rc == 0; board++) {
        out->f[board] = mem_alloc(n * 2 * S, sizeof(float), "boards as features");
        rc = other && out->f[board] ? 0 : OGPT_ENOMEM;
    }
    rc = rc ? rc : shuffled_labels(other, &out->set.set, task, LABELS_MOVER, work);
    if (rc == 0) {
        fill_features(out->f[TRUE_BOARD], out->set.labels, n, S);
        fill_features(out->f[OTHER_BOARD], other, n, S);
    }
    mem_free(other);
    return rc;
}

/* (F^T F + lambda n I)^-1 of the training boards. */
static int invert_gram(ExplainedJob *job, int board)
{
    size_t p = job->p, n = job->train.set.set.n_positions;
    double *gram = job->inverse[board];
    memset(gram, 0, p * p * sizeof(double));
    for (size_t first = 0; first < n; first += BLOCK_ROWS) {
        size_t rows = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
        const float *f = job->train.f[board] + first * p;
        gemm(true, false, p, p, rows, 1, f, p, f, p, 0, job->product, p);
        for (size_t i = 0; i < p * p; i++) {
            gram[i] += (double)job->product[i];
        }
    }
    for (size_t i = 0; i < p; i++) {
        gram[i * p + i] += EXPLAINED_RIDGE * (double)n;
    }
    return spd_invert(gram, p);
}

static int prepare_boards(ExplainedJob *job)
{
    size_t p = job->p;
    float *mean = mem_alloc((GAME_MAX_MOVES + 1) * p, sizeof(float), "mean boards");
    double *sums = mem_alloc((GAME_MAX_MOVES + 1) * p, sizeof(double), "sums of boards");
    int rc = mean && sums ? 0 : OGPT_ENOMEM;
    for (int board = 0; board < N_BOARDS && rc == 0; board++) {
        ply_means(mean, &job->train.set.set, job->train.f[board], p, sums);
        take_out(job->train.f[board], &job->train.set.set, mean, p);
        take_out(job->test.f[board], &job->test.set.set, mean, p);
        rc = invert_gram(job, board);
    }
    mem_free(mean);
    mem_free(sums);
    return rc;
}

/* ---- one layer ---- */

/* job->block = rows first .. first+n-1 minus the mean of their ply. */
static void centre_block(ExplainedJob *job, const Regression *layer, const PositionSet *set,
                         const float *rows, size_t first, size_t n)
{
    size_t d = job->d;
    for (size_t i = 0; i < n; i++) {
        const float *mean = layer->mean + set->t[first + i] * d;
        for (size_t c = 0; c < d; c++) {
            job->block[i * d + c] = rows[(first + i) * d + c] - mean[c];
        }
    }
}

/* B = inverse . (F^T X), in double precision. */
static void solve_layer(ExplainedJob *job, Regression *layer, int board, const float *rows)
{
    size_t p = job->p, d = job->d, n = job->train.set.set.n_positions;
    memset(job->sums, 0, p * d * sizeof(double));
    for (size_t first = 0; first < n; first += BLOCK_ROWS) {
        size_t n_rows = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
        centre_block(job, layer, &job->train.set.set, rows, first, n_rows);
        gemm(true, false, p, d, n_rows, 1, job->train.f[board] + first * p, p, job->block, d, 0,
             job->product, d);
        for (size_t i = 0; i < p * d; i++) {
            job->sums[i] += (double)job->product[i];
        }
    }
    for (size_t i = 0; i < p; i++) {
        for (size_t c = 0; c < d; c++) {
            double sum = 0;
            for (size_t k = 0; k < p; k++) {
                sum += job->inverse[board][i * p + k] * job->sums[k * d + c];
            }
            layer->b[board][i * d + c] = (float)sum;
        }
    }
}

static void layer_done(ExplainedJob *job)
{
    work_tick(job->work, "layers", ++job->n_done, 2 * job->n_layers);
}

static int learn_layer(void *context, int index, const float *rows)
{
    ExplainedJob *job = context;
    Regression *layer = &job->layers[index];
    double *sums = mem_alloc((GAME_MAX_MOVES + 1) * job->d, sizeof(double), "sums of a layer");
    if (!sums) {
        return OGPT_ENOMEM;
    }
    ply_means(layer->mean, &job->train.set.set, rows, job->d, sums);
    mem_free(sums);
    for (int board = 0; board < N_BOARDS; board++) {
        solve_layer(job, layer, board, rows);
    }
    layer_done(job);
    return 0;
}

/* Add the squares of one game's rows to the four sums. */
static void measure_game(ExplainedJob *job, const Regression *layer, const float *rows, size_t game)
{
    const PositionSet *set = &job->test.set.set;
    size_t p = job->p, d = job->d, first = set->first[game], n = set->first[game + 1] - first;
    const float *overall = layer->mean + GAME_MAX_MOVES * d;
    for (size_t i = first; i < first + n; i++) {
        for (size_t c = 0; c < d; c++) {
            double distance = (double)rows[i * d + c] - (double)overall[c];
            job->games[0][game] += distance * distance;
        }
    }
    centre_block(job, layer, set, rows, first, n); /* a game has fewer rows than a block */
    job->games[1][game] = vector_dot(job->block, job->block, n * d);
    for (int board = 0; board < N_BOARDS; board++) {
        centre_block(job, layer, set, rows, first, n);
        gemm(false, false, n, d, p, -1, job->test.f[board] + first * p, p, layer->b[board], d, 1,
             job->block, d);
        job->games[2 + board][game] = vector_dot(job->block, job->block, n * d);
    }
}

/* 1 - sum left / sum whole, as the ratio of sums (whole - left) / whole. */
static Interval explained_share(const double *left, const double *whole, size_t n, uint64_t seed,
                                double *scratch)
{
    for (size_t g = 0; g < n; g++) {
        scratch[g] = whole[g] - left[g];
    }
    return bootstrap_ratio(scratch, whole, n, seed);
}

static int measure_layer(void *context, int index, const float *rows)
{
    ExplainedJob *job = context;
    size_t n = job->test.set.set.n_games;
    double *scratch = mem_alloc(n, sizeof(double), "shares of games");
    if (!scratch) {
        return OGPT_ENOMEM;
    }
    memset(job->games[0], 0, n * sizeof(double));
    for (size_t g = 0; g < n; g++) {
        measure_game(job, &job->layers[index], rows, g);
    }
    Explained *out = &job->out[index];
    out->ply = explained_share(job->games[1], job->games[0], n, job->work->seed, scratch);
    out->board = explained_share(job->games[2], job->games[1], n, job->work->seed, scratch);
    out->shuffled = explained_share(job->games[3], job->games[1], n, job->work->seed, scratch);
    mem_free(scratch);
    layer_done(job);
    return 0;
}

/* ---- all of it ---- */

static int job_allocate(ExplainedJob *job)
{
    size_t p = job->p, d = job->d, n = job->test.set.set.n_games;
    size_t wider = p > d ? p : d;
    bool complete = true;
    job->layers = mem_calloc((size_t)job->n_layers, sizeof(Regression), "regressions");
    job->sums = mem_alloc(p * d, sizeof(double), "sums of a regression");
    job->block = mem_alloc(BLOCK_ROWS * d, sizeof(float), "rows of a regression");
    job->product = mem_alloc(p * wider, sizeof(float), "products of a regression");
    for (int board = 0; board < N_BOARDS; board++) {
        job->inverse[board] = mem_alloc(p * p, sizeof(double), "a matrix of boards");
        complete = complete && job->inverse[board];
    }
    for (int sum = 0; sum < 4; sum++) {
        job->games[sum] = mem_calloc(n, sizeof(double), "squares of games");
        complete = complete && job->games[sum];
    }
    for (int i = 0; i < job->n_layers && job->layers; i++) {
        Regression *layer = &job->layers[i];
        layer->mean = mem_alloc((GAME_MAX_MOVES + 1) * d, sizeof(float), "means of a layer");
        layer->b[0] = mem_alloc(2 * p * d, sizeof(float), "weights of a regression");
        layer->b[1] = layer->b[0] ? layer->b[0] + p * d : NULL;
        complete = complete && layer->mean && layer->b[0];
    }
    return complete && job->layers && job->sums && job->block && job->product ? 0 : OGPT_ENOMEM;
}

static void side_release(Side *side)
{
    labelled_release(&side->set);
    mem_free(side->f[0]);
    mem_free(side->f[1]);
}

static void job_release(ExplainedJob *job)
{
    for (int i = 0; i < job->n_layers && job->layers; i++) {
        mem_free(job->layers[i].mean);
        mem_free(job->layers[i].b[0]);
    }
    for (int board = 0; board < N_BOARDS; board++) {
        mem_free(job->inverse[board]);
    }
    for (int sum = 0; sum < 4; sum++) {
        mem_free(job->games[sum]);
    }
    mem_free(job->layers);
    mem_free(job->sums);
    mem_free(job->block);
    mem_free(job->product);
    side_release(&job->train);
    side_release(&job->test);
}

int explained_variance(Explained *out, const Gpt *gpt, const SiteLayers *where, Corpus *corpus,
                       const ExplainedOptions *options, const Work *work)
{
    ExplainedJob job = {.out = out, .n_layers = where->n, .work = work};
    const Work quiet = work_quiet(work);
    job.d = hook_width(&gpt->cfg, where->site, (size_t)gpt->cfg.n_ctx);
    int rc = draw_side(&job.train, corpus, SPLIT_TRAIN, options->n_games, options->plies, &quiet);
    rc = rc ? rc
            : draw_side(&job.test, corpus, SPLIT_TEST, options->n_test_games, options->plies,
                        &quiet);
    job.p = 2 * job.train.set.n_squares;
    rc = rc ? rc : job_allocate(&job);
    rc = rc ? rc : prepare_boards(&job);
    rc = rc ? rc : activations_visit(&job.train.set.set, gpt, where, learn_layer, &job, &quiet);
    rc = rc ? rc : activations_visit(&job.test.set.set, gpt, where, measure_layer, &job, &quiet);
    job_release(&job);
    return rc;
}
