/* probes/lens/lens_fit.c - see probes/lens/lens_fit.h. */
#include "probes/lens/lens_fit.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/blas.h"
#include "num/matrices/spd.h"
#include "probes/solvers/solve_descent.h"

#define PIECE 256        /* rows that one call of the kernels takes */
#define CURVED_ROWS 384  /* rows whose Gauss-Newton matrices are averaged */
#define CURVED_DAMP 1e-3 /* of R's mean diagonal, added to it */

/* ---- the head ---- */

typedef struct LensHead {
    const real *w, *b, *W_U, *b_U;
    float eps;
    size_t C, V;
} LensHead;

static LensHead head_of(const Gpt *gpt)
{
    const TensorMap *map = &gpt->map;
    return (LensHead){.w = gpt->params + map->lnf_w,
                      .b = gpt->params + map->lnf_b,
                      .W_U = gpt->params + map->W_U,
                      .b_U = gpt->params + map->b_U,
                      .eps = gpt->cfg.eps,
                      .C = (size_t)gpt->cfg.d_model,
                      .V = (size_t)gpt->cfg.d_vocab};
}

/* Memory for PIECE rows. */
typedef struct HeadScratch {
    float *u, *y, *h, *dh, *dy, *z, *mean, *rstd, *sink;
    void *kernels;
} HeadScratch;

static size_t scratch_bytes(const LensHead *head)
{
    size_t C = head->C, V = head->V, wide = C > V ? C : V;
    return 64 * 16 + sizeof(float) * (PIECE * (5 * C + V + 2) + 2 * C) +
           kernels_fast()->scratch_bytes(PIECE, wide, wide);
}

static float *carve(unsigned char **at, size_t count)
{
    float *out = (float *)(void *)*at;
    *at += (count * sizeof(float) + 63) / 64 * 64;
    return out;
}

static HeadScratch scratch_at(void *block, const LensHead *head)
{
    unsigned char *at = (unsigned char *)(((uintptr_t)block + 63) / 64 * 64);
    size_t C = head->C, V = head->V;
    HeadScratch s = {.u = carve(&at, PIECE * C), .y = carve(&at, PIECE * C)};
    s.h = carve(&at, PIECE * C);
    s.dh = carve(&at, PIECE * C);
    s.dy = carve(&at, PIECE * C);
    s.z = carve(&at, PIECE * V);
    s.mean = carve(&at, PIECE);
    s.rstd = carve(&at, PIECE);
    s.sink = carve(&at, 2 * C);
    s.kernels = at;
    return s;
}

/* z (n, V): logits of rows y (n, C). */
static void head_forward(const HeadScratch *s, const LensHead *head, const float *y, size_t n)
{
    const Kernels *k = kernels_fast();
    k->layernorm_fwd(s->h, s->mean, s->rstd, y, head->w, head->b, n, head->C, head->eps);
    k->linear_fwd(s->z, s->h, head->W_U, head->b_U, n, head->C, head->V, s->kernels);
}

/* dy (n, C): what a gradient dz (n, V) is by the rows y of the last head_forward. */
static void head_backward(const HeadScratch *s, const LensHead *head, const float *dz,
                          const float *y, size_t n)
{
    const Kernels *k = kernels_fast();
    k->linear_bwd_inp(s->dh, dz, head->W_U, 0, n, head->C, head->V, s->kernels);
    memset(s->dy, 0, n * head->C * sizeof(float));
    memset(s->sink, 0, 2 * head->C * sizeof(float));
    k->layernorm_bwd(s->dy, s->sink, s->sink + head->C, s->dh, y, head->w, s->mean, s->rstd, n,
                     head->C);
}

/* z (n, V) becomes softmax(z). Returns ln of the sum for each row into total, if given. */
static void softmax_rows(float *z, double *total, size_t n, size_t V)
{
    for (size_t i = 0; i < n; i++) {
        float *row = z + i * V, top = row[0], sum = 0;
        for (size_t v = 1; v < V; v++) {
            top = row[v] > top ? row[v] : top;
        }
        for (size_t v = 0; v < V; v++) {
            row[v] = expf(row[v] - top);
            sum += row[v];
        }
        for (size_t v = 0; v < V; v++) {
            row[v] /= sum;
        }
        if (total) {
            total[i] = (double)top + log((double)sum);
        }
    }
}

/* ---- the target ---- */

typedef struct TargetJob {
    LensTarget *target;
    LensHead head;
    unsigned char *scratch;
    size_t scratch_bytes;
} TargetJob;

static int target_chunk(void *context, size_t job, size_t worker)
{
    const TargetJob *run = context;
    LensTarget *target = run->target;
    size_t C = run->head.C, V = run->head.V, first, n = lens_chunk(&first, target->n, job);
    HeadScratch s = scratch_at(run->scratch + worker * run->scratch_bytes, &run->head);
    for (size_t at = first; at < first + n; at += PIECE) {
        size_t left = first + n - at, rows = left < PIECE ? left : PIECE;
        head_forward(&s, &run->head, target->x + at * C, rows);
        memcpy(target->logits + at * V, s.z, rows * V * sizeof(float));
        softmax_rows(s.z, NULL, rows, V);
        memcpy(target->p + at * V, s.z, rows * V * sizeof(float));
        for (size_t i = 0; i < rows; i++) {
            double sum = 0;
            for (size_t v = 0; v < V; v++) {
                double p = (double)s.z[i * V + v];
                sum += p > 0 ? p * log(p) : 0;
            }
            target->negative[at + i] = sum;
        }
    }
    return 0;
}

int lens_target_make(LensTarget *out, const Gpt *gpt, const float *x, size_t n, const Work *work)
{
    TargetJob job = {.target = out, .head = head_of(gpt)};
    *out = (LensTarget){.gpt = gpt, .x = x, .n = n};
    job.scratch_bytes = scratch_bytes(&job.head);
    job.scratch = mem_alloc(work_workers(work), job.scratch_bytes, "rows of a lens");
    out->logits = mem_alloc(n * job.head.V, sizeof(float), "answers of the network");
    out->p = mem_alloc(n * job.head.V, sizeof(float), "answers of the network");
    out->negative = mem_alloc(n, sizeof(double), "answers of the network");
    int rc = job.scratch && out->logits && out->p && out->negative
                 ? pool_run(work->pool, lens_chunks(n), target_chunk, &job)
                 : OGPT_ENOMEM;
    mem_free(job.scratch);
    if (rc) {
        lens_target_release(out);
    }
    return rc;
}

void lens_target_release(LensTarget *target)
{
    mem_free(target->logits);
    mem_free(target->p);
    mem_free(target->negative);
    *target = (LensTarget){0};
}

/* ---- the objective ---- */

typedef struct Tuning {
    const LensTarget *target;
    const LensDesign *design;
    const Work *work;
    LensHead head;
    double l2, kl;
    float *point;           /* (C + 1, C) */
    float *partial;         /* (chunks, C + 1, C) */
    double *loss;           /* (chunks) */
    unsigned char *scratch; /* a worker each */
    size_t scratch_bytes;
    float *left, *right, *between; /* inverses (C, C) of G and R; (C + 1, C) */
} Tuning;

/* dz (rows, V) = softmax(z) - p; returns the sum of KL. */
static double residual(const HeadScratch *s, const Tuning *tuning, size_t at, size_t rows)
{
    size_t V = tuning->head.V;
    double total[PIECE], sum = 0;
    const float *p = tuning->target->p + at * V;
    for (size_t i = 0; i < rows; i++) {
        double cross = 0;
        for (size_t v = 0; v < V; v++) {
            cross += (double)p[i * V + v] * (double)s->z[i * V + v];
        }
        sum += tuning->target->negative[at + i] - cross;
    }
    softmax_rows(s->z, total, rows, V);
    for (size_t i = 0; i < rows; i++) {
        sum += total[i];
    }
    for (size_t i = 0; i < rows * V; i++) {
        s->z[i] -= p[i];
    }
    return sum;
}

static int evaluate_chunk(void *context, size_t job, size_t worker)
{
    const Tuning *tuning = context;
    const LensDesign *design = tuning->design;
    size_t C = tuning->head.C, first, n = lens_chunk(&first, design->n, job);
    HeadScratch s = scratch_at(tuning->scratch + worker * tuning->scratch_bytes, &tuning->head);
    float *out = tuning->partial + job * (C + 1) * C;
    const float *bias = tuning->point + C * C;
    double loss = 0;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while a lens was tuned");
    }
    memset(out + C * C, 0, C * sizeof(float));
    for (size_t at = first; at < first + n; at += PIECE) {
        size_t left = first + n - at, rows = left < PIECE ? left : PIECE;
        lens_standardise(s.u, design, at, rows);
        kernels_fast()->linear_residual(s.y, design->x + at * C, s.u, tuning->point, bias, rows, C,
                                        C, s.kernels);
        head_forward(&s, &tuning->head, s.y, rows);
        loss += residual(&s, tuning, at, rows);
        head_backward(&s, &tuning->head, s.z, s.y, rows);
        gemm(true, false, C, C, rows, 1, s.u, C, s.dy, C, at > first, out, C);
        for (size_t i = 0; i < rows; i++) {
            for (size_t c = 0; c < C; c++) {
                out[C * C + c] += s.dy[i * C + c];
            }
        }
    }
    tuning->loss[job] = loss;
    return 0;
}

static int evaluate(void *context, double *f, double *gradient, const double *w)
{
    Tuning *tuning = context;
    size_t C = tuning->head.C, numbers = (C + 1) * C, n = tuning->design->n;
    size_t chunks = lens_chunks(n);
    double loss = 0, penalty = 0;
    for (size_t i = 0; i < numbers; i++) {
        tuning->point[i] = (float)w[i];
        penalty += i < C * C ? w[i] * w[i] : 0;
    }
    int rc = pool_run(tuning->work->pool, chunks, evaluate_chunk, tuning);
    if (rc) {
        return rc;
    }
    for (size_t k = 0; k < chunks; k++) {
        loss += tuning->loss[k];
    }
    for (size_t i = 0; i < numbers; i++) {
        double sum = 0;
        for (size_t k = 0; k < chunks; k++) {
            sum += (double)tuning->partial[k * numbers + i];
        }
        gradient[i] = sum / (double)n + (i < C * C ? tuning->l2 * w[i] : 0);
    }
    tuning->kl = loss / (double)n;
    *f = tuning->kl + 0.5 * tuning->l2 * penalty;
    return 0;
}

/* ---- the preconditioner ---- */

/* out (C + 1, C) = [G^-1, 1] v R^-1. */
static void precondition(void *context, double *out, const double *v)
{
    const Tuning *tuning = context;
    size_t C = tuning->head.C, numbers = (C + 1) * C;
    float *given = tuning->between, *half = given + numbers;
    double most = 1e-300;
    for (size_t i = 0; i < numbers; i++) {
        most = fabs(v[i]) > most ? fabs(v[i]) : most;
    }
    for (size_t i = 0; i < numbers; i++) {
        given[i] = (float)(v[i] / most);
    }
    gemm(false, false, C, C, C, 1, tuning->left, C, given, C, 0, half, C);
    memcpy(half + C * C, given + C * C, C * sizeof(float));
    gemm(false, false, C + 1, C, C, 1, half, C, tuning->right, C, 0, given, C);
    for (size_t i = 0; i < numbers; i++) {
        out[i] = most * (double)given[i];
    }
}

/* R += the Gauss-Newton matrix of one row: B^T B, B's row v = sqrt(p_v) (e_v - p) carried back to
 * the row y. */
static void curve_of_row(float *R, const HeadScratch *s, const LensHead *head, const float *y)
{
    size_t C = head->C, V = head->V;
    float p[256];
    head_forward(s, head, y, 1);
    softmax_rows(s->z, NULL, 1, V);
    memcpy(p, s->z, V * sizeof(float));
    for (size_t v = 0; v < V; v++) {
        memcpy(s->y + v * C, y, C * sizeof(float));
        for (size_t k = 0; k < V; k++) {
            s->z[v * V + k] = sqrtf(p[v]) * ((float)(k == v) - p[k]);
        }
        s->mean[v] = s->mean[0];
        s->rstd[v] = s->rstd[0];
    }
    head_backward(s, head, s->z, s->y, V);
    gemm(true, false, C, C, V, 1, s->dy, C, s->dy, C, 1, R, C);
}

static int make_preconditioner(Tuning *tuning, const double *w)
{
    const LensDesign *design = tuning->design;
    const LensHead *head = &tuning->head;
    size_t C = head->C, n = design->n, rows = n < CURVED_ROWS ? n : CURVED_ROWS;
    HeadScratch s = scratch_at(tuning->scratch, head);
    double trace = 0, *inverse = mem_alloc(C * C, sizeof(double), "curvature of a lens");
    float *y = mem_alloc(C, sizeof(float), "a row");
    int rc = inverse && y ? 0 : OGPT_ENOMEM;
    memset(tuning->right, 0, C * C * sizeof(float));
    for (size_t i = 0; i < C * C + C; i++) {
        tuning->point[i] = (float)w[i];
    }
    for (size_t i = 0; i < rows && rc == 0; i++) {
        size_t row = i * n / rows;
        lens_standardise(s.u, design, row, 1);
        kernels_fast()->linear_residual(y, design->x + row * C, s.u, tuning->point,
                                        tuning->point + C * C, 1, C, C, s.kernels);
        curve_of_row(tuning->right, &s, head, y);
    }
    for (size_t c = 0; c < C; c++) {
        trace += (double)tuning->right[c * C + c] / (double)rows;
    }
    for (size_t i = 0; i < C * C && rc == 0; i++) {
        inverse[i] = (double)tuning->right[i] / (double)rows;
        inverse[i] += i % (C + 1) == 0 ? CURVED_DAMP * trace / (double)C + 1e-12 : 0;
        tuning->left[i] = (float)design->inverse[i];
    }
    rc = rc ? rc : spd_invert(inverse, C);
    for (size_t i = 0; i < C * C && rc == 0; i++) {
        tuning->right[i] = (float)inverse[i];
    }
    mem_free(inverse);
    mem_free(y);
    return rc;
}

/* ---- the fit ---- */

static void tuning_release(Tuning *tuning)
{
    mem_free(tuning->point);
    mem_free(tuning->partial);
    mem_free(tuning->loss);
    mem_free(tuning->scratch);
    mem_free(tuning->left);
    mem_free(tuning->right);
    mem_free(tuning->between);
}

static int tuning_make(Tuning *out, const LensTarget *target, const LensDesign *design,
                       const Work *work)
{
    *out = (Tuning){.target = target, .design = design, .work = work, .head = head_of(target->gpt)};
    size_t C = out->head.C, chunks = lens_chunks(design->n);
    out->scratch_bytes = scratch_bytes(&out->head);
    out->scratch = mem_alloc(work_workers(work), out->scratch_bytes, "rows of a lens");
    out->point = mem_alloc((C + 1) * C, sizeof(float), "a translator");
    out->partial = mem_alloc(chunks * (C + 1) * C, sizeof(float), "gradients of a lens");
    out->loss = mem_alloc(chunks, sizeof(double), "gradients of a lens");
    out->left = mem_alloc(C * C, sizeof(float), "curvature of a lens");
    out->right = mem_alloc(C * C, sizeof(float), "curvature of a lens");
    out->between = mem_alloc(2 * (C + 1) * C, sizeof(float), "curvature of a lens");
    return out->scratch && out->point && out->partial && out->loss && out->left && out->right &&
                   out->between
               ? 0
               : OGPT_ENOMEM;
}

int lens_fit_evaluate(double *kl, double *gradient, const LensTarget *target,
                      const LensDesign *design, const double *w, const Work *work)
{
    Tuning tuning;
    int rc = tuning_make(&tuning, target, design, work);
    rc = rc ? rc : evaluate(&tuning, kl, gradient, w);
    tuning_release(&tuning);
    return rc;
}

/* w (C + 1, C) = the ridge map of what the last rows have more than these. */
static int ridge_start(double *w, const LensTarget *target, const LensDesign *design,
                       const Work *work)
{
    size_t C = design->width, n = design->n;
    float *more = mem_alloc(n * C, sizeof(float), "differences of rows");
    if (!more) {
        return OGPT_ENOMEM;
    }
    for (size_t i = 0; i < n * C; i++) {
        more[i] = target->x[i] - design->x[i];
    }
    int rc = lens_ridge(w, w + C * C, design, more, C, work);
    mem_free(more);
    return rc;
}

static int tune(Tuning *tuning, double *w, LensFit *report, const LensFitOptions *options)
{
    size_t C = tuning->head.C, numbers = (C + 1) * C;
    DescentReport descent = {0};
    double *g = mem_alloc(numbers, sizeof(double), "gradients of a lens"), f_ridge = 0, f_logit = 0;
    double *zero = mem_calloc(numbers, sizeof(double), "a translator");
    int rc = g && zero ? evaluate(tuning, &f_ridge, g, w) : OGPT_ENOMEM;
    report->kl_ridge = tuning->kl;
    rc = rc ? rc : evaluate(tuning, &f_logit, g, zero);
    report->kl_logit = tuning->kl;
    report->from_ridge = f_ridge < f_logit;
    if (rc == 0 && !report->from_ridge) {
        memcpy(w, zero, numbers * sizeof(double));
    }
    rc = rc ? rc : make_preconditioner(tuning, w);
    const Descent how = {.context = tuning,
                         .n = numbers,
                         .evaluate = evaluate,
                         .precondition = precondition,
                         .tolerance = options->tolerance > 0 ? options->tolerance : LENS_TOLERANCE,
                         .rounds = options->rounds > 0 ? options->rounds : LENS_ROUNDS};
    rc = rc ? rc : solve_descent(w, &descent, &how);
    rc = rc ? rc : evaluate(tuning, &report->objective, g, w);
    report->kl = tuning->kl;
    report->gap = descent.gap;
    report->rounds = descent.rounds;
    report->arrived = descent.arrived;
    mem_free(g);
    mem_free(zero);
    return rc;
}

int lens_fit(const LensFitted *out, LensFit *report, const LensTarget *target,
             const LensDesign *design, const LensFitOptions *options, const Work *work)
{
    size_t C = design->width;
    Tuning tuning;
    double *w = mem_alloc((C + 1) * C, sizeof(double), "a translator");
    *report = (LensFit){0};
    int rc = tuning_make(&tuning, target, design, work);
    rc = rc ? rc : w ? ridge_start(w, target, design, work) : OGPT_ENOMEM;
    if (rc == 0) {
        lens_fold(out->ridge_matrix, out->ridge_bias, design, w, w + C * C, C);
        tuning.l2 = options->l2 > 0 ? options->l2 : LENS_L2;
        rc = tune(&tuning, w, report, options);
    }
    if (rc == 0) {
        lens_fold(out->matrix, out->bias, design, w, w + C * C, C);
    }
    tuning_release(&tuning);
    mem_free(w);
    return rc;
}
