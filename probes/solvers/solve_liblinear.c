/* probes/solvers/solve_liblinear.c - one-vs-rest logistic regression by LIBLINEAR, the referee.
 *
 * For square s and class k, y_i = +1 where the label of position i is k, else -1:
 *   min_w,b  (1/n) sum_i ln(1 + exp(-y_i (w . u_i + b))) + (l2/2) (||w||^2 + b^2)
 * which is LIBLINEAR's  (1/2)||w||^2 + C sum_i loss_i  with C = 1 / (n l2), divided by n C.
 *
 * The call is shaped by four facts. The library has no dense input: the standardised rows are
 * written once as index-value nodes of 16 bytes, which all problems share and only read. Its dual
 * solvers draw from the process-wide rand(): the primal one (L2R_LR) is used. The bias is one more
 * column and is penalised. The fields of struct parameter differ between versions: they are set by
 * name. Problems run in parallel, and each is a pure function of the rows.
 *
 * The library ends by itself on finite rows of moderate size, which design__init guarantees. In
 * case it does not (version 2.30 goes round for ever on a NaN), and to obey a signal at once, its
 * print function, which it calls at every Newton step, counts the steps and leaves train() by
 * longjmp. The memory of that one call is then lost: the library has no other way out. Leaving is
 * safe, because its functions hold plain memory only, no lock and no file.
 *
 * Ref: Lin, Weng, Keerthi 2008 (trust-region Newton); Fan et al. 2008 (LIBLINEAR).
 */
#include <math.h>
#include <setjmp.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable() ((void)0)
#endif

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/solvers/internal.h"
#include "probes/solvers/liblinear_calls.h"

#if LIBLINEAR_VERSION < 230
#error "LIBLINEAR 2.30 or newer is required: struct parameter has no init_sol in older ones"
#endif

/* The default of the library for L2R_LR, relative to the gradient at zero and to the share of the
 * smaller class. */
#define LIBRARY_TOLERANCE 0.01

typedef struct Referee {
    const Design *design;
    const LiblinearCalls *library;
    size_t rows;                /* width + 1 */
    struct feature_node *nodes; /* (n, width + 2): rows, bias node, end mark */
    struct feature_node **x;    /* (n) */
    double *target;             /* per worker (n) */
    double *start;              /* per worker (rows) */
    double *objective;          /* (n_squares, n_classes) */
    bool *stuck;                /* (n_squares, n_classes): a bound came before the optimum */
    float *w;                   /* (n_squares, rows, n_classes) */
} Referee;

/* One call of train(), watched through the library's print function. */
typedef struct LibraryCall {
    jmp_buf leave;
    const Design *design;
    const LiblinearCalls *library;
    double deadline;
    int steps, rc;
    bool warned; /* the library says that it met its own limit of steps */
} LibraryCall;

static _Thread_local LibraryCall
    *library_call; /* the library hands no context to its print function */

/* The print function. Each Newton step prints a line that begins with "iter". */
static void watch_line(const char *text)
{
    LibraryCall *own = library_call;
    own->warned = own->warned || strstr(text, "WARNING");
    own->steps += strncmp(text, "iter", 4) == 0;
    own->rc = design__stop(own->design);
    if (own->rc == 0 && clock_seconds() > own->deadline) {
        own->rc = err_set(OGPT_ENUM, "liblinear is not done after %g s on one square",
                          design__seconds(own->design->problem));
    }
    own->warned = own->warned || own->steps > design__rounds(own->design->problem);
    if (own->rc || own->steps > design__rounds(own->design->problem)) {
        longjmp(own->leave, 1);
    }
}

/* *out is NULL if the call was left. Returns 0, OGPT_EINTR, OGPT_ENUM, OGPT_ENOMEM. */
static int train_watched(struct model **out, LibraryCall *own, const struct problem *data,
                         const struct parameter *parameter)
{
    *out = NULL;
    library_call = own;
    __lsan_disable();
    if (setjmp(own->leave) == 0) {
        *out = own->library->train(data, parameter);
        own->rc = *out ? 0 : err_set(OGPT_ENOMEM, "liblinear returned no model");
    }
    __lsan_enable();
    library_call = NULL;
    return own->rc;
}

static int fill_nodes(void *context, size_t job, size_t worker)
{
    Referee *referee = context;
    const Design *design = referee->design;
    size_t first, width = design->problem->width;
    size_t n = design__block(&first, design, job);
    for (size_t i = first; i < first + n; i++) {
        const float *x = design->problem->x + i * width;
        struct feature_node *node = referee->nodes + i * (width + 2);
        referee->x[i] = node;
        for (size_t c = 0; c < width; c++) {
            double u = ((double)x[c] - design->mean[c]) * (double)design->scale[c];
            node[c] = (struct feature_node){(int)c + 1, u};
        }
        node[width] = (struct feature_node){(int)width + 1, 1.0};
        node[width + 1] = (struct feature_node){-1, 0.0};
    }
    return 0;
}

/* ln(1 + exp(-margin)) without overflow. */
static double logistic_loss(double margin)
{
    return margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin;
}

static double binary_objective(const Referee *referee, const double *target, const double *w)
{
    const FitProblem *problem = referee->design->problem;
    double loss = 0, penalty = 0;
    for (size_t i = 0; i < problem->n; i++) {
        const struct feature_node *node = referee->x[i];
        double score = 0;
        for (size_t c = 0; c < referee->rows; c++) {
            score += node[c].value * w[c];
        }
        loss += logistic_loss(target[i] * score);
    }
    for (size_t c = 0; c < referee->rows; c++) {
        penalty += w[c] * w[c];
    }
    return loss / (double)problem->n + 0.5 * problem->l2 * penalty;
}

/* One binary problem: square job / K, class job % K. */
static int fit_binary(void *context, size_t job, size_t worker)
{
    Referee *referee = context;
    const Design *design = referee->design;
    const FitProblem *problem = design->problem;
    size_t K = problem->n_classes, square = job / K, k = job % K, rows = referee->rows;
    uint32_t count = design->count[square * K + k];
    double *target = referee->target + worker * problem->n;
    double *start = referee->start + worker * rows;
    float *w = referee->w + square * rows * K + k;
    int rc = design__stop(design);
    if (rc) {
        return rc;
    }
    if (count == 0 || design__present(design, square) < 2) {
        return 0; /* w keeps its start */
    }
    for (size_t i = 0; i < problem->n; i++) {
        target[i] = problem->labels[i * problem->n_squares + square] == k ? 1 : -1;
    }
    for (size_t c = 0; c < rows; c++) {
        start[c] = (double)w[c * K];
    }
    struct problem data = {.l = (int)problem->n, .n = (int)rows, .bias = 1};
    data.y = target;
    data.x = referee->x;
    double tolerance = problem->tolerance > 0 ? problem->tolerance : LIBRARY_TOLERANCE;
    struct parameter parameter = {.solver_type = L2R_LR, .eps = tolerance};
    parameter.C = 1 / ((double)problem->n * problem->l2);
    parameter.init_sol = start;
    const char *reason = referee->library->check_parameter(&data, &parameter);
    if (reason) {
        return err_set(OGPT_EUSAGE, "liblinear refuses its parameters: %s", reason);
    }
    LibraryCall own = {.design = design,
                       .library = referee->library,
                       .deadline = clock_seconds() + design__seconds(problem)};
    struct model *model;
    rc = train_watched(&model, &own, &data, &parameter);
    if (rc) {
        return rc;
    }
    referee->stuck[job] = own.warned;
    if (model) {
        double sign = model->label[0] == 1 ? 1 : -1; /* w is signed by the first label */
        for (size_t c = 0; c < rows; c++) {
            start[c] = sign * model->w[c];
            w[c * K] = (float)start[c];
        }
        referee->library->free_model(&model);
    }
    referee->objective[job] = binary_objective(referee, target, start);
    return 0;
}

int solve__liblinear(float *w, FitReport *report, const Design *design, const Work *work)
{
    const FitProblem *problem = design->problem;
    size_t n_workers = work_workers(work), width = problem->width;
    size_t n_problems = problem->n_squares * problem->n_classes;
    Referee referee = {.design = design, .rows = width + 1, .w = w};
    int rc = OGPT_ENOMEM;
    referee.library = solve__liblinear_calls();
    if (!referee.library) {
        return OGPT_EIO;
    }
    referee.nodes =
        mem_alloc(problem->n * (width + 2), sizeof(struct feature_node), "liblinear's rows");
    referee.x = mem_alloc(problem->n, sizeof(struct feature_node *), "liblinear's rows");
    referee.target = mem_alloc(n_workers * problem->n, sizeof(double), "liblinear's targets");
    referee.start = mem_alloc(n_workers * referee.rows, sizeof(double), "liblinear's weights");
    referee.objective = mem_calloc(n_problems, sizeof(double), "objectives");
    referee.stuck = mem_calloc(n_problems, sizeof(bool), "squares");
    if (!referee.stuck || !referee.nodes || !referee.x || !referee.target || !referee.start ||
        !referee.objective) {
        goto done;
    }
    referee.library->set_print(watch_line);
    rc = pool_run(work->pool, design->n_blocks, fill_nodes, &referee);
    rc = rc ? rc : pool_run(work->pool, n_problems, fit_binary, &referee);
    for (size_t i = 0; i < n_problems && rc == 0; i++) {
        report->objective += referee.objective[i];
        if (referee.stuck[i]) {
            solve__unconverged(report, i / problem->n_classes);
        }
    }
done:
    mem_free(referee.nodes);
    mem_free(referee.x);
    mem_free(referee.target);
    mem_free(referee.start);
    mem_free(referee.objective);
    mem_free(referee.stuck);
    return rc;
}

int fit_liblinear_version(void)
{
    const LiblinearCalls *library = solve__liblinear_calls();
    return library ? library->version : 0;
}

/* The library keeps one pointer for each row, and about ten vectors for each running problem. */
size_t solve__liblinear_bytes(size_t n, size_t width, size_t n_squares, size_t n_classes,
                              size_t n_workers)
{
    size_t shared = n * ((width + 2) * sizeof(struct feature_node) + sizeof(void *));
    size_t worker = n * (4 * sizeof(double) + sizeof(void *)) + 12 * (width + 1) * sizeof(double);
    return shared + n_workers * worker + n_squares * n_classes * sizeof(double);
}
