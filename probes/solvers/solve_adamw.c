/* probes/solvers/solve_adamw.c - probes by AdamW on batches of games: the published linear recipe,
 * and the probe with a hidden layer.
 *
 *   loss of a batch = mean over its rows of sum over squares of -ln p(y_is | x_i)
 *
 * linear      the recipe of Nanda et al. 2023 (repository mech_int_othelloGPT): raw rows, no
 *             bias, weights from N(0, 1/width), AdamW with lr 1e-2, betas 0.9 and 0.99, weight
 *             decay 1e-2, 128 games a batch, games in random order, one epoch
 * hidden      the shape of Li et al. 2023 (max(0, x W1 + b1) W2 + b2, hidden units shared by all
 *             squares), with settings that train in a minute on a processor: standardised rows,
 *             W1 from N(0, 2/width), W2 from N(0, 1/hidden), b2 from the class frequencies, AdamW
 *             with lr 2e-3 that falls to a tenth along a cosine, betas 0.9 and 0.99, weight decay
 *             1e-2 on W1 and W2, at least EPOCH_STEPS batches an epoch where games allow, of 16 to
 *             128 games. With validation rows the epoch of the highest cell accuracy is kept, and
 *             training ends after PATIENCE epochs without a better one.
 *             With FitProblem.start the network begins as that linear fit: unit c < width copies
 *             column c (W1 is the identity there, b1 keeps all given rows at or above 0), its W2
 *             are the linear weights, and the W2 of the other units begin at 0. If no epoch is
 *             better, the start is the result.
 *
 * A batch is always cut into LANES parts, whatever the number of threads, and their gradients are
 * added in order. Ref: Loshchilov & Hutter 2019 (AdamW).
 */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "num/blas.h"
#include "num/optimisers/optim.h"
#include "num/softmax.h"
#include "probes/solvers/internal.h"

#define LANES 8
#define BATCH_GAMES 128
#define LEAST_BATCH_GAMES 16
#define EPOCH_STEPS 80
#define PATIENCE 3
#define BETA1 0.9f
#define BETA2 0.99f
#define EPSILON 1e-8f
#define WEIGHT_DECAY 1e-2f
#define LINEAR_LR 1e-2f
#define HIDDEN_LR 2e-3f
#define CHECK_ROWS 512 /* rows of a job when the loss of all rows is computed */

/* Indices of (RNG_FIT, index); the subset of the dense solver uses index 0. */
enum { DRAW_FIRST = 1, DRAW_SECOND = 2, DRAW_ORDER = 16 };

/* The network, its gradients and moments as flat arrays of the same layout: input weights
 * (width + 1, M) with the bias as last row, M = hidden or columns; with a hidden layer then
 * weights (hidden, columns) and biases (columns). Columns are class by class: (K, S). */
typedef struct Net {
    const Design *design;
    size_t width, hidden, S, K, columns, middle, length;
    float *params, *m, *v, *best; /* (length) each */
    float *partial;               /* (LANES, length) gradients */
    uint16_t *squares;            /* 0 .. S-1 */
    uint32_t *rows;               /* of the batch */
    size_t n_rows, most_rows;     /* of the batch, of a lane at most */
    size_t n_games, batch_games;
    float *scratch;  /* per worker: rows, hidden, back, scores */
    uint8_t *labels; /* per worker (most_rows, S) */
    size_t scratch_floats;
    /* A measurement of all rows of x. */
    const float *x;
    const uint8_t *truth;
    size_t n;
    double *loss;  /* (jobs, S) */
    size_t *right; /* (jobs) */
    uint64_t seed;
} Net;

static float *second_weights(const Net *net, float *params)
{
    return params + (net->width + 1) * net->middle;
}

static float *second_biases(const Net *net, float *params)
{
    return second_weights(net, params) + net->hidden * net->columns;
}

/* Scores z (n, K, S) of standardised rows u (n, width + 1); h (n, hidden). */
static void forward(float *z, float *h, const Net *net, const float *u, size_t n)
{
    size_t width = net->width + 1, hidden = net->hidden, columns = net->columns;
    if (hidden == 0) {
        gemm(false, false, n, columns, width, 1.0f, u, width, net->params, columns, 0.0f, z,
             columns);
        return;
    }
    gemm(false, false, n, hidden, width, 1.0f, u, width, net->params, hidden, 0.0f, h, hidden);
    for (size_t i = 0; i < n * hidden; i++) {
        h[i] = h[i] > 0 ? h[i] : 0;
    }
    const float *biases = second_biases(net, net->params);
    for (size_t i = 0; i < n; i++) {
        memcpy(z + i * columns, biases, columns * sizeof(float));
    }
    gemm(false, false, n, columns, hidden, 1.0f, h, hidden, second_weights(net, net->params),
         columns, 1.0f, z, columns);
}

/* The part of the gradient of the batch's mean loss that n of its rows give, from their residuals
 * z. z and h are overwritten. */
static void backward(float *gradient, float *back, float *z, float *h, const Net *net,
                     const float *u, size_t n)
{
    size_t width = net->width + 1, hidden = net->hidden, columns = net->columns;
    float share = 1.0f / (float)net->n_rows;
    if (hidden == 0) {
        gemm(true, false, width, columns, n, share, u, width, z, columns, 0.0f, gradient, columns);
        memset(gradient + net->width * columns, 0, columns * sizeof(float)); /* no bias */
        return;
    }
    gemm(true, false, hidden, columns, n, share, h, hidden, z, columns, 0.0f,
         second_weights(net, gradient), columns);
    float *biases = second_biases(net, gradient);
    memset(biases, 0, columns * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < columns; c++) {
            biases[c] += share * z[i * columns + c];
        }
    }
    gemm(false, true, n, hidden, columns, 1.0f, z, columns, second_weights(net, net->params),
         columns, 0.0f, back, hidden);
    for (size_t i = 0; i < n * hidden; i++) {
        back[i] = h[i] > 0 ? back[i] : 0;
    }
    gemm(true, false, width, hidden, n, share, u, width, back, hidden, 0.0f, gradient, hidden);
}

static int train_lane(void *context, size_t lane, size_t worker)
{
    Net *net = context;
    const FitProblem *problem = net->design->problem;
    size_t S = net->S, width = net->width + 1, most = net->most_rows;
    size_t first = lane * net->n_rows / LANES, n = (lane + 1) * net->n_rows / LANES - first;
    float *u = net->scratch + worker * net->scratch_floats, *z = u + most * width;
    float *h = z + most * net->columns, *back = h + most * net->hidden;
    uint8_t *labels = net->labels + worker * most * S;
    int stop = design__stop(net->design);
    if (stop) {
        return stop;
    }
    for (size_t i = 0; i < n; i++) {
        size_t row = net->rows[first + i];
        stop = design__rows(u + i * width, net->design, row, 1);
        if (stop) {
            return stop;
        }
        memcpy(labels + i * S, problem->labels + row * S, S);
    }
    forward(z, h, net, u, n);
    softmax_residual(z, NULL, labels, S, net->squares, n, S, net->K);
    backward(net->partial + lane * net->length, back, z, h, net, u, n);
    return 0;
}

/* ---- all rows: loss and accuracy ---- */

static int measure_rows(void *context, size_t job, size_t worker)
{
    Net *net = context;
    size_t S = net->S, K = net->K, width = net->width + 1, first = job * CHECK_ROWS;
    size_t n = net->n - first < CHECK_ROWS ? net->n - first : CHECK_ROWS;
    float *u = net->scratch + worker * net->scratch_floats, *z = u + net->most_rows * width;
    float *h = z + net->most_rows * net->columns;
    const uint8_t *truth = net->truth + first * S;
    int stop = design__stop(net->design);
    if (stop) {
        return stop;
    }
    design__standardise(u, net->design, net->x + first * net->width, n);
    forward(z, h, net, u, n);
    for (size_t i = 0; i < n; i++) {
        for (size_t s = 0; s < S; s++) {
            const float *score = z + i * net->columns + s;
            size_t top = 0;
            for (size_t k = 1; k < K; k++) {
                top = score[k * S] > score[top * S] ? k : top;
            }
            net->right[job] += top == truth[i * S + s];
        }
    }
    softmax_residual(z, net->loss + job * S, truth, S, net->squares, n, S, K);
    return 0;
}

/* Mean loss of rows x (n), summed over squares, and share of right cells. */
static int measure(double *loss, double *accuracy, Net *net, const float *x, const uint8_t *truth,
                   size_t n, const Work *work)
{
    size_t jobs = (n + CHECK_ROWS - 1) / CHECK_ROWS, right = 0;
    double sum = 0;
    net->x = x;
    net->truth = truth;
    net->n = n;
    net->loss = mem_calloc(jobs * net->S, sizeof(double), "losses");
    net->right = mem_calloc(jobs, sizeof(size_t), "right cells");
    int rc = net->loss && net->right ? pool_run(work->pool, jobs, measure_rows, net) : OGPT_ENOMEM;
    for (size_t i = 0; i < jobs * net->S && rc == 0; i++) {
        sum += net->loss[i];
    }
    for (size_t i = 0; i < jobs && rc == 0; i++) {
        right += net->right[i];
    }
    *loss = sum / (double)n;
    *accuracy = (double)right / (double)(n * net->S);
    mem_free(net->loss);
    mem_free(net->right);
    return rc;
}

/* ---- training ---- */

static void fill_normal(float *out, size_t n, double deviation, uint64_t seed, uint64_t index)
{
    Rng rng = rng_at(seed, RNG_FIT, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)(deviation * rng_normal(&rng));
    }
}

/* Make the network equal to a linear fit. Unit c receives u - least of column c, which no row of
 * the problem makes negative: the hidden layer changes nothing yet. */
static void begin_linear(Net *net, const FitWeights *start)
{
    const FitProblem *problem = net->design->problem;
    const Design *design = net->design;
    size_t S = net->S, K = net->K, M = net->middle, width = net->width;
    float *second = second_weights(net, net->params), *biases = second_biases(net, net->params);
    memset(second, 0, net->hidden * net->columns * sizeof(float));
    for (size_t j = 0; j < net->columns; j++) {
        biases[j] = start->bias[j % S * K + j / S];
    }
    for (size_t c = 0; c < width; c++) {
        float least = INFINITY;
        for (size_t i = 0; i < problem->n; i++) {
            least = fminf(least, problem->x[i * width + c]);
        }
        for (size_t from = 0; from < width; from++) {
            net->params[from * M + c] = from == c ? 1 : 0;
        }
        net->params[width * M + c] = (design->shift[c] - least) * design->scale[c];
        for (size_t j = 0; j < net->columns; j++) {
            float raw = start->weight[c * net->columns + j % S * K + j / S];
            second[c * net->columns + j] = design->scale[c] > 0 ? raw / design->scale[c] : 0;
            biases[j] += raw * least;
        }
    }
}

static void first_values(Net *net)
{
    const FitProblem *problem = net->design->problem;
    size_t S = net->S, K = net->K;
    double spread = net->hidden > 0 ? 2 : 1;
    fill_normal(net->params, net->width * net->middle, sqrt(spread / (double)net->width), net->seed,
                DRAW_FIRST);
    if (net->hidden == 0) {
        return;
    }
    fill_normal(second_weights(net, net->params), net->hidden * net->columns,
                sqrt(1 / (double)net->hidden), net->seed, DRAW_SECOND);
    float *biases = second_biases(net, net->params);
    for (size_t k = 0; k < K; k++) {
        for (size_t s = 0; s < S; s++) {
            biases[k * S + s] = (float)design__prior(net->design, net->design->count[s * K + k]);
        }
    }
    if (problem->start) {
        begin_linear(net, problem->start);
    }
}

/* The rows of one batch of games in the order of an epoch. */
static void list_batch(Net *net, size_t epoch, size_t batch)
{
    const FitProblem *problem = net->design->problem;
    size_t n = net->n_games, size = net->batch_games;
    net->n_rows = 0;
    for (size_t i = batch * size; i < (batch + 1) * size && i < n; i++) {
        size_t game = (size_t)rng_permute(net->seed, RNG_FIT, DRAW_ORDER + epoch, i, n);
        size_t first = problem->n_games > 0 ? problem->first[game] : game;
        size_t end = problem->n_games > 0 ? problem->first[game + 1] : game + 1;
        for (size_t row = first; row < end; row++) {
            net->rows[net->n_rows++] = (uint32_t)row;
        }
    }
}

/* One step of AdamW; biases do not decay. */
static void step_params(Net *net, float lr, int64_t step)
{
    float *gradient = net->partial;
    size_t inputs = net->width * net->middle, first = inputs + net->middle;
    size_t second = net->hidden * net->columns;
    const size_t begin[5] = {0, inputs, first, first + second, net->length};
    for (size_t lane = 1; lane < LANES; lane++) {
        const float *other = net->partial + lane * net->length;
        for (size_t i = 0; i < net->length; i++) {
            gradient[i] += other[i];
        }
    }
    for (int part = 0; part < 4; part++) {
        AdamWStep rule = {lr, BETA1, BETA2, EPSILON, part % 2 == 0 ? WEIGHT_DECAY : 0, step};
        size_t at = begin[part];
        adamw_step(net->params + at, net->m + at, net->v + at, gradient + at, begin[part + 1] - at,
                   1.0f, &rule);
    }
}

static int train_net(FitReport *report, Net *net, int epochs, const Work *work)
{
    const FitProblem *problem = net->design->problem;
    size_t batches = (net->n_games + net->batch_games - 1) / net->batch_games;
    int64_t step = 0, steps = (int64_t)batches * epochs;
    double best = -1, trained = -1, loss,
           accuracy; /* the best of start and epochs; the best of the epochs */
    bool selecting = net->hidden > 0 && problem->n_valid > 0;
    int rc = 0, idle = 0;
    if (selecting && problem->start) {
        rc = measure(&loss, &best, net, problem->valid_x, problem->valid_labels, problem->n_valid,
                     work);
        memcpy(net->best, net->params, net->length * sizeof(float));
    }
    for (int epoch = 0; epoch < epochs && rc == 0 && idle < PATIENCE; epoch++) {
        for (size_t batch = 0; batch < batches && rc == 0; batch++, step++) {
            double factor = schedule_factor(SCHEDULE_COSINE, step, steps, 0, 0);
            list_batch(net, (size_t)epoch, batch);
            rc = pool_run(work->pool, LANES, train_lane, net);
            if (rc == 0) {
                step_params(net, net->hidden > 0 ? HIDDEN_LR * (float)factor : LINEAR_LR, step + 1);
            }
        }
        report->rounds = epoch + 1;
        work_tick(work, "epochs", epoch + 1, epochs);
        if (rc == 0 && selecting) {
            rc = measure(&loss, &accuracy, net, problem->valid_x, problem->valid_labels,
                         problem->n_valid, work);
            idle = accuracy > trained
                       ? 0
                       : idle + 1; /* while below the start it may still be learning */
            trained = fmax(accuracy, trained);
            if (accuracy > best) {
                best = accuracy;
                report->kept = epoch + 1;
                memcpy(net->best, net->params, net->length * sizeof(float));
            }
        }
    }
    if (rc == 0 && report->rounds < epochs) { /* it stopped early */
        work_tick(work, "epochs", epochs, epochs);
    }
    if (rc == 0 && selecting) {
        memcpy(net->params, net->best, net->length * sizeof(float));
    }
    return rc ? rc
              : measure(&report->objective, &accuracy, net, problem->x, problem->labels, problem->n,
                        work);
}

/* ---- the whole fit ---- */

/* Most rows of a batch: the longest games could all fall into one. */
static size_t batch_rows(const FitProblem *problem)
{
    size_t longest = 1;
    for (size_t g = 0; g < problem->n_games; g++) {
        size_t length = problem->first[g + 1] - problem->first[g];
        longest = length > longest ? length : longest;
    }
    return BATCH_GAMES * longest;
}

static void net_release(Net *net)
{
    float *const floats[] = {net->params, net->m, net->v, net->best, net->partial, net->scratch};
    for (size_t i = 0; i < sizeof(floats) / sizeof(floats[0]); i++) {
        mem_free(floats[i]);
    }
    mem_free(net->squares);
    mem_free(net->rows);
    mem_free(net->labels);
}

static int net_init(Net *out, const Design *design, size_t hidden, const Work *work)
{
    const FitProblem *problem = design->problem;
    size_t S = problem->n_squares, K = problem->n_classes, rows = batch_rows(problem);
    *out = (Net){.design = design,
                 .width = problem->width,
                 .hidden = hidden,
                 .S = S,
                 .K = K,
                 .seed = work->seed};
    out->n_games = problem->n_games > 0 ? problem->n_games : problem->n;
    out->batch_games = BATCH_GAMES;
    if (hidden > 0 && out->n_games / EPOCH_STEPS < BATCH_GAMES) {
        size_t few = out->n_games / EPOCH_STEPS;
        out->batch_games = few > LEAST_BATCH_GAMES ? few : LEAST_BATCH_GAMES;
    }
    out->columns = S * K;
    out->middle = hidden > 0 ? hidden : S * K;
    out->length = (out->width + 1) * out->middle + (hidden > 0 ? (hidden + 1) * S * K : 0);
    out->most_rows = rows / LANES + 1 > CHECK_ROWS ? rows / LANES + 1 : CHECK_ROWS;
    out->scratch_floats = out->most_rows * (out->width + 1 + S * K + 2 * hidden);
    out->params = mem_calloc(out->length, sizeof(float), "a network");
    out->m = mem_calloc(out->length, sizeof(float), "moments");
    out->v = mem_calloc(out->length, sizeof(float), "moments");
    out->best = mem_calloc(out->length, sizeof(float), "the best network");
    out->partial = mem_alloc(LANES * out->length, sizeof(float), "gradients");
    out->squares = mem_alloc(S, sizeof(uint16_t), "squares");
    out->rows = mem_alloc(rows, sizeof(uint32_t), "rows of a batch");
    out->scratch =
        mem_alloc(work_workers(work) * out->scratch_floats, sizeof(float), "rows of a batch");
    out->labels = mem_alloc(work_workers(work) * out->most_rows, S, "labels of a batch");
    if (!out->params || !out->m || !out->v || !out->best || !out->partial || !out->squares ||
        !out->rows || !out->scratch || !out->labels) {
        net_release(out);
        return OGPT_ENOMEM;
    }
    for (size_t s = 0; s < S; s++) {
        out->squares[s] = (uint16_t)s;
    }
    first_values(out);
    return 0;
}

/* Convert input weights for standardised rows to weights (width, M) and biases (M) for raw rows. */
static void fold_inputs(float *weight, float *bias, const Net *net, bool by_square)
{
    size_t M = net->middle;
    for (size_t j = 0; j < M; j++) {
        /* If the columns are scores, column j is class j / S of square j % S. */
        size_t to = by_square ? j % net->S * net->K + j / net->S : j;
        double b = (double)net->params[net->width * M + j];
        for (size_t c = 0; c < net->width; c++) {
            double raw = (double)net->params[c * M + j] * (double)net->design->scale[c];
            weight[c * M + to] = (float)raw;
            b -= raw * (double)net->design->shift[c];
        }
        bias[to] = (float)b;
    }
}

static int fit_net(const FitWeights *out, FitReport *report, const Design *design, size_t hidden,
                   int epochs, const Work *work)
{
    Net net;
    int rc = net_init(&net, design, hidden, work);
    if (rc) {
        return rc;
    }
    rc = train_net(report, &net, epochs, work);
    if (rc == 0 && hidden == 0) {
        fold_inputs(out->weight, out->bias, &net, true);
    } else if (rc == 0) {
        fold_inputs(out->hidden_weight, out->hidden_bias, &net, false);
        const float *weights = second_weights(&net, net.params);
        for (size_t h = 0; h <= hidden; h++) { /* row `hidden` holds the biases */
            float *to = h < hidden ? out->weight + h * net.columns : out->bias;
            for (size_t j = 0; j < net.columns; j++) {
                to[j % net.S * net.K + j / net.S] = weights[h * net.columns + j];
            }
        }
    }
    net_release(&net);
    return rc;
}

int solve__adamw(const FitWeights *out, FitReport *report, Design *design, const Work *work)
{
    const FitProblem *problem = design->problem;
    int epochs = problem->epochs;
    if (problem->n_hidden == 0) { /* raw rows, as published */
        for (size_t c = 0; c < problem->width; c++) {
            design->shift[c] = 0;
            design->scale[c] = 1;
        }
        epochs = epochs > 0 ? epochs : 1;
    }
    return fit_net(out, report, design, problem->n_hidden, epochs > 0 ? epochs : HIDDEN_EPOCHS,
                   work);
}

size_t solve__adamw_bytes(size_t width, size_t hidden, size_t n_squares, size_t n_classes,
                          size_t rows_of_game, size_t n_workers)
{
    size_t columns = n_squares * n_classes, middle = hidden > 0 ? hidden : columns;
    size_t length = (width + 1) * middle + (hidden > 0 ? (hidden + 1) * columns : 0);
    size_t rows = BATCH_GAMES * rows_of_game / LANES + 1;
    rows = rows > CHECK_ROWS ? rows : CHECK_ROWS;
    size_t scratch = rows * (width + 1 + columns + 2 * hidden);
    return (length * (4 + LANES) + n_workers * scratch) * sizeof(float) +
           n_workers * rows * n_squares + BATCH_GAMES * rows_of_game * sizeof(uint32_t);
}
