/* probes/attribution/attribution.c - contributions of blocks of vectors, by matrix products.
 * Contract in probes/attribution/attribution.h. */
#include "probes/attribution/attribution.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "probes/attribution/attributor_internal.h"

/* ---- memory ---- */

static size_t coarse_count(const ComponentList *list)
{
    size_t n = 0;
    for (size_t j = 0; j < list->n; j++) {
        n += attributor__is_coarse(component_at(list, j).kind);
    }
    return n;
}

/* Sizes and pieces of everything: with `a->arena` unset only the bytes are counted. */
typedef struct PieceCounter {
    Arena *arena;
    size_t bytes;
} PieceCounter;

static void *carve(PieceCounter *carver, size_t count, size_t size)
{
    carver->bytes += arena_piece_bytes(count, size);
    return carver->arena ? arena_take(carver->arena, count, size) : NULL;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void set_sizes(Attributor *a, const GptConfig *cfg, const ComponentList *list, size_t K)
{
    a->list = list;
    a->C = (size_t)cfg->d_model;
    a->T = (size_t)cfg->n_ctx;
    a->K = K;
    a->J = list->n;
    a->n_coarse = coarse_count(list);
    a->n_parts = list->grain == GRAIN_NEURON ? attribution_erasers(list) : 0;
    a->m_max = larger(a->n_coarse, list->grain == GRAIN_NEURON ? (size_t)cfg->d_mlp : a->T);
}

static size_t carve_all(Attributor *a, Arena *arena, const Kernels *kernels, bool all)
{
    PieceCounter to = {.arena = arena};
    size_t rows = ATTRIBUTION_ROWS, C = a->C, K = a->K, J = a->J, m = a->m_max;
    AttributionValues *v = &a->values;
    double **of_components[] = {&v->frozen,   &v->recomputed, &v->random,
                                &v->shuffled, &v->magnitude,  &v->random_magnitude};
    a->coarse = carve(&to, a->n_coarse, sizeof(*a->coarse));
    a->vectors = carve(&to, rows * a->n_coarse * C, sizeof(real));
    a->parts = carve(&to, rows * a->n_parts * C, sizeof(real));
    for (int q = 0; q < N_QUERIES; q++) {
        a->query[q] = carve(&to, rows * C, sizeof(real));
        a->dot[q] = carve(&to, rows * m, sizeof(real));
    }
    a->columns = carve(&to, m * K, sizeof(real));
    a->random_columns = carve(&to, m * K, sizeof(real));
    a->norm = carve(&to, m, sizeof(double));
    a->magnitude = carve(&to, m, sizeof(double));
    a->random_magnitude = carve(&to, m, sizeof(double));
    a->coefficient = carve(&to, larger(rows, a->n_parts) * m, sizeof(real));
    a->rows = carve(&to, larger(rows, a->T) * C, sizeof(real));
    a->sums = carve(&to, rows * K, sizeof(real));
    for (size_t i = 0; i < sizeof(of_components) / sizeof(of_components[0]); i++) {
        *of_components[i] = carve(&to, rows * J, sizeof(double));
    }
    v->total = carve(&to, rows * K, sizeof(double));
    v->all = all ? carve(&to, rows * J * K, sizeof(real)) : NULL;
    a->scratch = carve(&to,
                       kernels->scratch_bytes(rows, m, C) + kernels->scratch_bytes(m, C, K) +
                           kernels->scratch_bytes(rows, m, K) + kernels->scratch_bytes(rows, C, C) +
                           kernels->scratch_bytes(larger(rows, a->n_parts), m, C),
                       1);
    return to.bytes;
}

size_t attributor_bytes(const GptConfig *cfg, const ComponentList *list, size_t n_columns, bool all)
{
    Attributor sizes = {0};
#ifdef OGPT_REAL_DOUBLE
    const Kernels *kernels = &kernels_ref;
#else
    const Kernels *kernels = kernels_fast();
#endif
    set_sizes(&sizes, cfg, list, n_columns);
    return sizeof(sizes) + carve_all(&sizes, NULL, kernels, all);
}

int attributor_new(Attributor **out, const Gpt *gpt, const ComponentList *list,
                   const Readout *readout, const Kernels *kernels, bool all)
{
    Attributor *a = mem_calloc(1, sizeof(*a), "an attribution");
    *out = a;
    if (!a) {
        return OGPT_ENOMEM;
    }
    a->gpt = gpt;
    a->readout = readout;
    a->kernels = kernels;
    set_sizes(a, &gpt->cfg, list, readout->n_columns);
    int rc = arena_init(&a->arena, carve_all(a, NULL, kernels, all), "an attribution");
    if (rc != 0) {
        mem_free(a);
        *out = NULL;
        return rc;
    }
    carve_all(a, &a->arena, kernels, all);
    for (size_t j = 0, k = 0; j < list->n; j++) {
        if (attributor__is_coarse(component_at(list, j).kind)) {
            a->coarse[k++] = j;
        }
    }
    return 0;
}

void attributor_free(Attributor *attributor)
{
    if (attributor) {
        arena_release(&attributor->arena);
        mem_free(attributor);
    }
}

/* ---- rows ---- */

static double dot(const real *x, const real *y, size_t n)
{
    double sum = 0;
    for (size_t c = 0; c < n; c++) {
        sum += (double)x[c] * (double)y[c];
    }
    return sum;
}

/* query (n, C) = weights (n, K) . columns^T */
static void make_query(Attributor *a, Query query, const real *weights, const real *columns)
{
    a->kernels->linear_bwd_inp(a->query[query], weights, columns, 0, a->n, a->C, a->K, a->scratch);
}

/* Scale, number and queries of each row. */
static void prepare_rows(Attributor *a, const Writes *writes, const real *weights,
                         const real *shuffled)
{
    size_t C = a->C;
    make_query(a, QUERY_TARGET, weights, a->readout->direction);
    make_query(a, QUERY_RANDOM, weights, a->readout->random);
    if (shuffled) {
        make_query(a, QUERY_SHUFFLED, shuffled, a->readout->direction);
    }
    for (size_t i = 0; i < a->n; i++) {
        const real *r = a->query[QUERY_TARGET] + i * C, *stream;
        real *random = a->query[QUERY_RANDOM] + i * C, *x = a->query[QUERY_STREAM] + i * C;
        double length = sqrt(dot(random, random, C)), mean = 0;
        double factor = length > 0 ? sqrt(dot(r, r, C)) / length : 0;
        stream = writes->stream + (a->first + i) * C;
        for (size_t c = 0; c < C; c++) {
            random[c] *= (real)factor;
            mean += (double)stream[c] / (double)C;
        }
        for (size_t c = 0; c < C; c++) {
            x[c] = (real)((double)stream[c] - (a->readout->normed ? mean : 0));
        }
        a->square[i] = dot(x, x, C);
        a->number[i] = dot(x, r, C);
        a->scale[i] =
            a->readout->normed ? sqrt(a->square[i] / (double)C + (double)a->readout->eps) : 1;
    }
}

/* ---- blocks ---- */

/* Mean over the columns of |column|; behind a LayerNorm of |column - mean of the columns|. */
static double mean_magnitude(const real *columns, size_t K, bool centred)
{
    double mean = 0, sum = 0;
    for (size_t k = 0; k < K && centred; k++) {
        mean += (double)columns[k] / (double)K;
    }
    for (size_t k = 0; k < K; k++) {
        sum += fabs((double)columns[k] - mean);
    }
    return sum / (double)K;
}

/* Everything of a block that does not depend on the row. */
static void project_block(Attributor *a, const WriteBlock *block)
{
    size_t C = a->C, K = a->K;
    bool normed = a->readout->normed;
    a->kernels->linear_fwd(a->columns, block->vectors, a->readout->direction, NULL, block->m, C, K,
                           a->scratch);
    a->kernels->linear_fwd(a->random_columns, block->vectors, a->readout->random, NULL, block->m, C,
                           K, a->scratch);
    for (size_t j = 0; j < block->m; j++) {
        const real *vector = block->vectors + j * C;
        double mean = 0;
        for (size_t c = 0; c < C; c++) {
            mean += (double)vector[c] / (double)C;
        }
        a->norm[j] = dot(vector, vector, C) - (double)C * mean * mean;
        a->magnitude[j] = mean_magnitude(a->columns + j * K, K, normed);
        a->random_magnitude[j] = mean_magnitude(a->random_columns + j * K, K, normed);
    }
    for (int q = 0; q < N_QUERIES; q++) {
        if (q != QUERY_SHUFFLED || a->has_shuffled) {
            a->kernels->linear_bwd_inp(a->dot[q], a->query[q] + block->row * C, block->vectors, 0,
                                       block->n_rows, block->m, C, a->scratch);
        }
    }
}

/* The component of vector j at row i of a block; SIZE_MAX: none. */
static size_t component_of(const Attributor *a, const WriteBlock *block, size_t i, size_t j)
{
    if (block->index) {
        return block->index[j];
    }
    if (!block->ply) {
        return block->first + j;
    }
    size_t ply = block->ply[i];
    return j > ply ? SIZE_MAX : block->first + (a->list->back ? ply - j : j);
}

/* The number without a component: everything else as it was, the LayerNorm computed again. */
static double without(const Attributor *a, size_t row, double along_stream, double along_target,
                      double norm)
{
    double square = fmax(a->square[row] - 2 * along_stream + norm, 0);
    return (a->number[row] - along_target) / sqrt(square / (double)a->C + (double)a->readout->eps);
}

static void add_row(Attributor *a, const WriteBlock *block, size_t i)
{
    AttributionValues *v = &a->values;
    size_t row = block->row + i, m = block->m, K = a->K;
    double s = a->scale[row];
    for (size_t j = 0; j < m; j++) {
        size_t component = component_of(a, block, i, j);
        if (component == SIZE_MAX) {
            continue;
        }
        size_t at = row * a->J + component, from = i * m + j;
        double g = block->coefficient ? (double)block->coefficient[from] : 1;
        double along = g * (double)a->dot[QUERY_TARGET][from];
        v->frozen[at] = along / s;
        v->recomputed[at] = v->frozen[at];
        if (a->readout->normed) {
            v->recomputed[at] =
                a->number[row] / s -
                without(a, row, g * (double)a->dot[QUERY_STREAM][from], along, g * g * a->norm[j]);
        }
        v->random[at] = g * (double)a->dot[QUERY_RANDOM][from] / s;
        v->shuffled[at] = a->has_shuffled ? g * (double)a->dot[QUERY_SHUFFLED][from] / s : 0;
        v->magnitude[at] = fabs(g) * a->magnitude[j] / s;
        v->random_magnitude[at] = fabs(g) * a->random_magnitude[j] / s;
        for (size_t k = 0; v->all && k < K; k++) {
            v->all[at * K + k] = (real)(g * (double)a->columns[j * K + k] / s);
        }
    }
}

static void add_block(Attributor *a, const WriteBlock *block)
{
    size_t K = a->K, m = block->m;
    double *total = a->values.total + block->row * K;
    project_block(a, block);
    for (size_t i = 0; i < block->n_rows; i++) {
        add_row(a, block, i);
    }
    if (!block->coefficient) {
        for (size_t j = 0; j < m; j++) {
            for (size_t k = 0; k < K; k++) {
                total[k] += (double)a->columns[j * K + k] / a->scale[block->row];
            }
        }
        return;
    }
    a->kernels->linear_fwd(a->sums, block->coefficient, a->columns, NULL, block->n_rows, m, K,
                           a->scratch);
    for (size_t i = 0; i < block->n_rows; i++) {
        for (size_t k = 0; k < K; k++) {
            total[i * K + k] += (double)a->sums[i * K + k] / a->scale[block->row + i];
        }
    }
}

/* The constant of the reader: the last component. */
static void add_constant(Attributor *a, const real *weights, const real *shuffled)
{
    AttributionValues *v = &a->values;
    const real *constant = a->readout->constant;
    size_t K = a->K;
    for (size_t i = 0; i < a->n; i++) {
        size_t at = i * a->J + a->J - 1;
        v->frozen[at] = v->recomputed[at] = dot(weights + i * K, constant, K);
        v->shuffled[at] = shuffled ? dot(shuffled + i * K, constant, K) : 0;
        v->magnitude[at] = mean_magnitude(constant, K, a->readout->normed);
        for (size_t k = 0; k < K; k++) {
            v->total[i * K + k] += (double)constant[k];
            if (v->all) {
                v->all[at * K + k] = constant[k];
            }
        }
    }
}

const AttributionValues *attributor_rows(Attributor *a, const Writes *writes, const real *weights,
                                         const real *shuffled, size_t first, size_t n)
{
    AttributionValues *v = &a->values;
    size_t cells = n * a->J;
    assert(n <= ATTRIBUTION_ROWS);
    a->first = first;
    a->n = v->n = n;
    a->has_shuffled = shuffled;
    double *const of_components[] = {v->frozen,   v->recomputed, v->random,
                                     v->shuffled, v->magnitude,  v->random_magnitude};
    for (size_t i = 0; i < sizeof(of_components) / sizeof(of_components[0]); i++) {
        memset(of_components[i], 0, cells * sizeof(double));
    }
    memset(v->total, 0, n * a->K * sizeof(double));
    if (v->all) {
        memset(v->all, 0, cells * a->K * sizeof(real));
    }
    prepare_rows(a, writes, weights, shuffled);
    attributor__vectors(a, writes);
    attributor__blocks(a, writes, add_block);
    add_constant(a, weights, shuffled);
    return v;
}
