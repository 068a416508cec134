/* probes/feature_circuits/feature_circuit_pair.c - see
 * probes/feature_circuits/feature_circuit_pair.h. */
#include "probes/feature_circuits/feature_circuit_pair.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/circuits/grades.h"

enum { FIRST_ORDER = 2, PASSES_AT_ONCE = 64 }; /* index of RNG_FEATURES behind those of bases */

const size_t feature_circuit_counts[N_FEATURE_COUNTS] = {
    1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024};

struct FeaturePair {
    const FeatureQuestion *question;
    const FeatureBasis *bases;
    FeatureLayout layout;
    FeatureLab *lab;
    Arena arena;
    const FeatureRuns *runs;
    float *gradient[N_FEATURE_SCORES]; /* (rows, width) of atp and of ig; that of exact is unused */
    float *between;                    /* (rows, width) */
    float *a[N_FEATURE_RUNS];          /* (rows, n) */
    float *error[N_FEATURE_RUNS];      /* (rows, width) */
    double *sum;                       /* (width) */
    double *scores;                    /* (n) of those that are listed */
    uint32_t *list, *order; /* (n) nodes that differ; their places in the list, in an order */
    uint32_t *sorted;       /* (n) nodes in an order */
    size_t n_list;
    /* Passes that wait. */
    double *to[PASSES_AT_ONCE];
    size_t waiting;
};

const char *feature_circuit_order_name(FeatureOrder order)
{
    static const char *const names[N_FEATURE_ORDERS] = {FEATURE_ORDERS(ENUM_NAME)};
    return names[order];
}

/* ---- places ---- */

FeatureLayout feature_circuit_pair_layout(const FeatureBasis *bases, size_t n_bases)
{
    FeatureLayout layout = {.n_bases = n_bases, .n = N_FEATURE_HEAD};
    for (size_t b = 0; b < n_bases; b++) {
        layout.first[b] = layout.n;
        layout.nodes[b] = bases[b].n + 1;
        layout.n += N_FEATURE_PLANES * layout.nodes[b] + 1 + N_FEATURE_ORDERS * N_FEATURE_COUNTS;
    }
    return layout;
}

size_t feature_circuit_pair_plane(const FeatureLayout *layout, size_t basis, size_t plane)
{
    return layout->first[basis] + plane * layout->nodes[basis];
}

size_t feature_circuit_pair_all(const FeatureLayout *layout, size_t basis)
{
    return feature_circuit_pair_plane(layout, basis, N_FEATURE_PLANES);
}

size_t feature_circuit_pair_curve(const FeatureLayout *layout, size_t basis, FeatureOrder order)
{
    return feature_circuit_pair_all(layout, basis) + 1 + (size_t)order * N_FEATURE_COUNTS;
}

/* ---- memory ---- */

/* Counts (arena without a base) or carves. */
static void *take(FeaturePair *pair, size_t *bytes, size_t count, size_t size)
{
    *bytes += arena_piece_bytes(count, size);
    return pair->arena.base ? arena_take(&pair->arena, count, size) : NULL;
}

static size_t carve(FeaturePair *pair)
{
    const size_t R = feature_circuit_lab_rows(pair->question), width = pair->bases[0].width;
    size_t n = 0, bytes = 0;
    for (size_t b = 0; b < pair->layout.n_bases; b++) {
        n = pair->bases[b].n > n ? pair->bases[b].n : n;
    }
    for (int i = FEATURE_ATP; i < N_FEATURE_SCORES; i++) {
        pair->gradient[i] = take(pair, &bytes, R * width, sizeof(float));
    }
    pair->between = take(pair, &bytes, R * width, sizeof(float));
    for (int side = 0; side < N_FEATURE_RUNS; side++) {
        pair->a[side] = take(pair, &bytes, R * n, sizeof(float));
        pair->error[side] = take(pair, &bytes, R * width, sizeof(float));
    }
    pair->sum = take(pair, &bytes, width, sizeof(double));
    pair->scores = take(pair, &bytes, n, sizeof(double));
    pair->list = take(pair, &bytes, n, sizeof(uint32_t));
    pair->order = take(pair, &bytes, n, sizeof(uint32_t));
    pair->sorted = take(pair, &bytes, n, sizeof(uint32_t));
    return bytes;
}

static FeaturePair pair_for(const FeatureQuestion *question, const FeatureBasis *bases,
                            size_t n_bases)
{
    return (FeaturePair){.question = question,
                         .bases = bases,
                         .layout = feature_circuit_pair_layout(bases, n_bases)};
}

size_t feature_circuit_pair_bytes(const FeatureQuestion *question, const FeatureBasis *bases,
                                  size_t n_bases)
{
    FeaturePair pair = pair_for(question, bases, n_bases);
    return carve(&pair) + feature_circuit_lab_bytes(question);
}

int feature_circuit_pair_new(FeaturePair **out, const FeatureQuestion *question,
                             const FeatureBasis *bases, size_t n_bases)
{
    FeaturePair *pair = mem_calloc(1, sizeof(*pair), "nodes of a pair");
    *out = pair;
    if (!pair) {
        return OGPT_ENOMEM;
    }
    *pair = pair_for(question, bases, n_bases);
    int rc = arena_init(&pair->arena, carve(pair), "nodes of a pair");
    if (rc == 0) {
        carve(pair);
        rc = feature_circuit_lab_new(&pair->lab, question);
    }
    return rc;
}

void feature_circuit_pair_free(FeaturePair *pair)
{
    if (pair) {
        feature_circuit_lab_free(pair->lab);
        arena_release(&pair->arena);
        mem_free(pair);
    }
}

/* ---- patched rows ---- */

/* sum += sign * (what of row r differs between the runs) of one node, or of the error. */
static void add_node(FeaturePair *pair, const FeatureBasis *basis, size_t r, size_t node,
                     double sign)
{
    const size_t at = r * basis->n + node;
    const double change =
        sign * ((double)pair->a[FEATURE_RUN_OTHER][at] - (double)pair->a[FEATURE_RUN_BASE][at]);
    const float *column = basis->columns + node * basis->width;
    for (size_t c = 0; change != 0 && c < basis->width; c++) {
        pair->sum[c] += change * (double)column[c];
    }
}

static void add_error(FeaturePair *pair, const FeatureBasis *basis, size_t r, double sign)
{
    const float *other = pair->error[FEATURE_RUN_OTHER] + r * basis->width;
    const float *base = pair->error[FEATURE_RUN_BASE] + r * basis->width;
    for (size_t c = 0; c < basis->width; c++) {
        pair->sum[c] += sign * ((double)other[c] - (double)base[c]);
    }
}

/* The rows with nodes [0, k) patched, and the error if asked for: from the nearer end. */
static void compose(float *out, FeaturePair *pair, const FeatureBasis *basis, const uint32_t *nodes,
                    size_t k, bool error)
{
    const size_t n = pair->n_list, in = k + (basis->has_error && error);
    const bool near = 2 * in <= n + basis->has_error; /* to the base run */
    const float *from = pair->runs->rows[near ? FEATURE_RUN_BASE : FEATURE_RUN_OTHER];
    for (size_t r = 0; r < pair->runs->n_rows; r++) {
        for (size_t c = 0; c < basis->width; c++) {
            pair->sum[c] = (double)from[r * basis->width + c];
        }
        for (size_t i = near ? 0 : k; i < (near ? k : n); i++) {
            add_node(pair, basis, r, nodes[i], near ? 1.0 : -1.0);
        }
        if (basis->has_error && error == near) {
            add_error(pair, basis, r, near ? 1.0 : -1.0);
        }
        for (size_t c = 0; c < basis->width; c++) {
            out[r * basis->width + c] = (float)pair->sum[c];
        }
    }
}

static void flush(FeaturePair *pair)
{
    double delta[PASSES_AT_ONCE];
    if (pair->waiting > 0) {
        feature_circuit_lab_run(delta, pair->lab, pair->waiting);
    }
    for (size_t i = 0; i < pair->waiting; i++) {
        *pair->to[i] = delta[i];
    }
    pair->waiting = 0;
}

/* *to becomes Delta with nodes [0, k) patched, at the latest with flush. */
static void ask(double *to, FeaturePair *pair, const FeatureBasis *basis, const uint32_t *nodes,
                size_t k, bool error)
{
    compose(feature_circuit_lab_edit(pair->lab, pair->waiting), pair, basis, nodes, k, error);
    pair->to[pair->waiting++] = to;
    if (pair->waiting == feature_circuit_lab_room(pair->lab)) {
        flush(pair);
    }
}

/* ---- one basis ---- */

/* (other - base) . gradient of the rows; of the errors. */
static double dot_change(const float *other, const float *base, const float *gradient, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += ((double)other[i] - (double)base[i]) * (double)gradient[i];
    }
    return sum;
}

/* Change and estimates of one node at all positions. */
static void estimate_node(double *planes[N_FEATURE_PLANES], const FeaturePair *pair,
                          const FeatureBasis *basis, size_t node)
{
    const float *column = basis->columns + node * basis->width;
    for (size_t r = 0; r < pair->runs->n_rows; r++) {
        const size_t at = r * basis->n + node;
        const double change =
            (double)pair->a[FEATURE_RUN_OTHER][at] - (double)pair->a[FEATURE_RUN_BASE][at];
        planes[FEATURE_CHANGE][node] += fabs(change);
        for (size_t score = FEATURE_ATP; change != 0 && score < N_FEATURE_SCORES; score++) {
            const float *gradient = pair->gradient[score] + r * basis->width;
            double dot = 0;
            for (size_t c = 0; c < basis->width; c++) {
                dot += (double)column[c] * (double)gradient[c];
            }
            planes[score][node] += change * dot;
        }
    }
}

static void estimate_error(double *planes[N_FEATURE_PLANES], const FeaturePair *pair,
                           const FeatureBasis *basis)
{
    const float *other = pair->error[FEATURE_RUN_OTHER], *base = pair->error[FEATURE_RUN_BASE];
    const size_t numbers = pair->runs->n_rows * basis->width;
    for (size_t i = 0; basis->has_error && i < numbers; i++) {
        planes[FEATURE_CHANGE][basis->n] += fabs((double)other[i] - (double)base[i]);
    }
    for (size_t score = FEATURE_ATP; basis->has_error && score < N_FEATURE_SCORES; score++) {
        planes[score][basis->n] = dot_change(other, base, pair->gradient[score], numbers);
    }
}

/* Split both runs, list the nodes that differ, and estimate them. */
static void split(double *planes[N_FEATURE_PLANES], FeaturePair *pair, const FeatureBasis *basis)
{
    const FeatureRuns *runs = pair->runs;
    for (int side = 0; side < N_FEATURE_RUNS; side++) {
        feature_circuit_basis_split(basis, runs->rows[side], runs->neurons[side], runs->n_rows,
                                    pair->a[side], pair->error[side]);
    }
    pair->n_list = 0;
    for (size_t node = 0; node < basis->n; node++) {
        estimate_node(planes, pair, basis, node);
        if (planes[FEATURE_CHANGE][node] > 0) {
            pair->list[pair->n_list++] = (uint32_t)node;
        }
    }
    estimate_error(planes, pair, basis);
}

/* How well the split adds up, in rows and in the estimate. */
static void check_sums(double *values, FeaturePair *pair, const FeatureBasis *basis,
                       double *planes[N_FEATURE_PLANES])
{
    const FeatureRuns *runs = pair->runs;
    double sum = 0, size = 0, off = 0, most = 0;
    for (size_t node = 0; node <= basis->n; node++) {
        sum += planes[FEATURE_ATP][node];
        size += fabs(planes[FEATURE_ATP][node]);
    }
    if (size > 0) {
        values[FEATURE_HEAD_IDENTITY] =
            fmax(values[FEATURE_HEAD_IDENTITY], fabs(sum - values[FEATURE_HEAD_ATP]) / size);
    }
    for (size_t r = 0; r < runs->n_rows; r++) {
        const float *base = runs->rows[FEATURE_RUN_BASE] + r * basis->width;
        const float *other = runs->rows[FEATURE_RUN_OTHER] + r * basis->width;
        memset(pair->sum, 0, basis->width * sizeof(*pair->sum));
        for (size_t i = 0; i < pair->n_list; i++) {
            add_node(pair, basis, r, pair->list[i], 1.0);
        }
        add_error(pair, basis, r, 1.0);
        for (size_t c = 0; c < basis->width; c++) {
            const double change = (double)other[c] - (double)base[c];
            off = fmax(off, fabs(pair->sum[c] - change));
            most = fmax(most, fabs(change));
        }
    }
    if (most > 0) {
        values[FEATURE_HEAD_SPLIT] = fmax(values[FEATURE_HEAD_SPLIT], off / most);
    }
}

/* The list in an order: nodes by falling |score|, or drawn. */
static int put_in_order(FeaturePair *pair, const double *score, FeatureOrder order, uint64_t seed,
                        size_t draw)
{
    const size_t n = pair->n_list;
    int rc = 0;
    for (size_t i = 0; i < n && order != FEATURE_RANDOM; i++) {
        pair->scores[i] = score[pair->list[i]];
    }
    if (order != FEATURE_RANDOM) {
        rc = grade_order(pair->order, pair->scores, n);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        pair->sorted[i] = pair->list[order == FEATURE_RANDOM
                                         ? rng_permute(seed, RNG_FEATURES, FIRST_ORDER + draw, i, n)
                                         : pair->order[i]];
    }
    return rc;
}

/* The curve of an order; where k is all nodes or more, what all of them do. */
static int measure_curve(double *curve, FeaturePair *pair, const FeatureBasis *basis,
                         const double *score, FeatureOrder order, uint64_t seed, size_t draw)
{
    int rc = put_in_order(pair, score, order, seed, draw);
    for (size_t k = 0; k < N_FEATURE_COUNTS && rc == 0; k++) {
        if (feature_circuit_counts[k] < pair->n_list) {
            ask(&curve[k], pair, basis, pair->sorted, feature_circuit_counts[k], false);
        }
    }
    flush(pair);
    return rc;
}

static int measure_curves(double *values, FeaturePair *pair, size_t b, size_t index, uint64_t seed)
{
    const FeatureBasis *basis = &pair->bases[b];
    const FeatureLayout *layout = &pair->layout;
    const double all = values[feature_circuit_pair_all(layout, b)];
    double drawn[N_FEATURE_COUNTS];
    int rc = 0;
    for (int order = 0; order < N_FEATURE_ORDERS && rc == 0; order++) {
        const bool random = order == FEATURE_RANDOM;
        const size_t draws = random ? FEATURE_DRAWS : 1;
        double *curve = values + feature_circuit_pair_curve(layout, b, (FeatureOrder)order);
        const double *score =
            random ? NULL : values + feature_circuit_pair_plane(layout, b, (size_t)order);
        for (size_t draw = 0; draw < draws && rc == 0; draw++) {
            for (size_t k = 0; k < N_FEATURE_COUNTS; k++) {
                drawn[k] = all;
            }
            rc = measure_curve(drawn, pair, basis, score, (FeatureOrder)order, seed,
                               index * FEATURE_DRAWS + draw);
            for (size_t k = 0; k < N_FEATURE_COUNTS; k++) {
                curve[k] += drawn[k] / (double)draws;
            }
        }
    }
    return rc;
}

/* Every node alone, the error alone, all but the error. */
static void patch_each(double *values, double *exact, FeaturePair *pair, size_t b, bool brief)
{
    const FeatureBasis *basis = &pair->bases[b];
    double *all = values + feature_circuit_pair_all(&pair->layout, b);
    ask(all, pair, basis, pair->list, pair->n_list, !basis->has_error);
    if (basis->has_error) {
        ask(&exact[basis->n], pair, basis, pair->list, 0, true);
    }
    memcpy(pair->sorted, pair->list, pair->n_list * sizeof(*pair->list));
    for (size_t i = 0; i < pair->n_list && !brief; i++) {
        const uint32_t first = pair->sorted[0], node = pair->sorted[i];
        pair->sorted[0] = node;
        pair->sorted[i] = first;
        ask(&exact[node], pair, basis, pair->sorted, 1, false);
        pair->sorted[0] = first;
        pair->sorted[i] = node;
    }
    flush(pair);
}

static int measure_basis(double *values, FeaturePair *pair, size_t b, size_t index, uint64_t seed,
                         bool brief)
{
    const FeatureBasis *basis = &pair->bases[b];
    double *planes[N_FEATURE_PLANES];
    int rc = 0;
    for (size_t plane = 0; plane < N_FEATURE_PLANES; plane++) {
        planes[plane] = values + feature_circuit_pair_plane(&pair->layout, b, plane);
    }
    split(planes, pair, basis);
    check_sums(values, pair, basis, planes);
    patch_each(values, planes[FEATURE_EXACT], pair, b, brief);
    /* From Delta to its change; nodes that do not differ keep 0. */
    const double base = values[FEATURE_HEAD_BASE];
    for (size_t i = 0; i < pair->n_list && !brief; i++) {
        planes[FEATURE_EXACT][pair->list[i]] -= base;
    }
    planes[FEATURE_EXACT][basis->n] -= basis->has_error ? base : 0;
    rc = brief ? 0 : measure_curves(values, pair, b, index, seed);
    for (size_t i = feature_circuit_pair_all(&pair->layout, b);
         i <= feature_circuit_pair_all(&pair->layout, b) +
                  (brief ? 0 : N_FEATURE_ORDERS * N_FEATURE_COUNTS);
         i++) {
        values[i] -= base;
    }
    return rc;
}

/* ---- a pair ---- */

static void find_gradients(FeaturePair *pair)
{
    const FeatureRuns *runs = pair->runs;
    const size_t numbers = runs->n_rows * runs->width;
    const int points = pair->question->points;
    const float *base = runs->rows[FEATURE_RUN_BASE], *other = runs->rows[FEATURE_RUN_OTHER];
    float *mean = pair->gradient[FEATURE_IG], *one = pair->gradient[FEATURE_ATP];
    memset(mean, 0, numbers * sizeof(*mean));
    for (int k = 0; k < points; k++) {
        const double share = (k + 0.5) / points;
        for (size_t i = 0; i < numbers; i++) {
            pair->between[i] =
                (float)((double)base[i] + share * ((double)other[i] - (double)base[i]));
        }
        feature_circuit_lab_gradient(one, pair->lab, pair->between);
        for (size_t i = 0; i < numbers; i++) {
            mean[i] += one[i] / (float)points;
        }
    }
    feature_circuit_lab_gradient(one, pair->lab, base);
}

int feature_circuit_pair_measure(double *values, FeaturePair *pair, size_t index, uint64_t seed,
                                 bool brief)
{
    const FeatureRuns *runs = feature_circuit_lab_set(pair->lab, &pair->question->pairs[index]);
    const size_t numbers = runs->n_rows * runs->width;
    int rc = 0;
    memset(values, 0, pair->layout.n * sizeof(*values));
    pair->runs = runs;
    pair->waiting = 0;
    for (size_t side = 0; side < N_FEATURE_RUNS; side++) {
        values[FEATURE_HEAD_RUNS + side] = runs->delta[side];
        memcpy(feature_circuit_lab_edit(pair->lab, side), runs->rows[side],
               numbers * sizeof(float));
    }
    feature_circuit_lab_run(&values[FEATURE_HEAD_BASE], pair->lab, N_FEATURE_RUNS);
    find_gradients(pair);
    values[FEATURE_HEAD_ATP] =
        dot_change(runs->rows[FEATURE_RUN_OTHER], runs->rows[FEATURE_RUN_BASE],
                   pair->gradient[FEATURE_ATP], numbers);
    for (size_t b = 0; b < pair->layout.n_bases && rc == 0; b++) {
        rc = measure_basis(values, pair, b, index, seed, brief);
    }
    return rc;
}
