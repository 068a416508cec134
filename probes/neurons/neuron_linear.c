/* probes/neurons/neuron_linear.c - see probes/neurons/neuron_linear.h. */
#include "probes/neurons/neuron_linear.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/blas.h"
#include "num/matrices/spd.h"

enum { ROWS_A_BLOCK = 1024 };

/* The features of rows first .. first+count-1 as zeros and ones, (count, n_columns). */
static void fill_rows(float *rows, const NeuronLinear *linear, size_t first, size_t count)
{
    const NeuronDesign *design = linear->design;
    size_t F = linear->n_columns;
    memset(rows, 0, count * F * sizeof(*rows));
    for (size_t i = 0; i < count; i++) {
        float *row = rows + i * F;
        for (int fact = 0; fact < N_NEURON_FACTS; fact++) {
            uint64_t left = design->facts[first + i].squares[fact] & design->offered[fact];
            for (; left; left &= left - 1) {
                row[linear->column[neuron_feature((NeuronFact)fact, __builtin_ctzll(left))]] = 1;
            }
        }
        row[F - 1] = 1;
    }
}

/* inverse = what the ridge adds, plus products of the columns: counts, exact in float. */
static int fill_products(NeuronLinear *out, float *rows, float *products)
{
    size_t F = out->n_columns, n = out->design->n_fit;
    memset(out->inverse, 0, F * F * sizeof(*out->inverse));
    for (size_t first = 0; first < n; first += ROWS_A_BLOCK) {
        size_t count = n - first < ROWS_A_BLOCK ? n - first : ROWS_A_BLOCK;
        fill_rows(rows, out, first, count);
        gemm(true, false, F, F, count, 1, rows, F, rows, F, 0, products, F);
        for (size_t i = 0; i < F * F; i++) {
            out->inverse[i] += (double)products[i];
        }
    }
    for (size_t f = 0; f + 1 < F; f++) {
        out->inverse[f * F + f] += NEURON_RIDGE;
    }
    return spd_invert(out->inverse, F);
}

int neuron_linear_open(NeuronLinear *out, const NeuronDesign *design)
{
    *out = (NeuronLinear){.design = design};
    out->column = mem_alloc(NEURON_FEATURES, sizeof(*out->column), "columns");
    for (int f = 0; f < NEURON_FEATURES && out->column; f++) {
        out->column[f] = neuron_design_offers(design, f) ? (int16_t)out->n_columns++ : -1;
    }
    size_t F = ++out->n_columns;
    out->inverse = mem_alloc(F * F, sizeof(*out->inverse), "a linear twin");
    float *rows = mem_alloc(ROWS_A_BLOCK * F, sizeof(*rows), "rows");
    float *products = mem_alloc(F * F, sizeof(*products), "products");
    int rc = out->column && out->inverse && rows && products ? fill_products(out, rows, products)
                                                             : OGPT_ENOMEM;
    mem_free(rows);
    mem_free(products);
    return rc;
}

void neuron_linear_release(NeuronLinear *linear)
{
    mem_free(linear->column);
    mem_free(linear->inverse);
    *linear = (NeuronLinear){0};
}

static size_t widest(size_t F)
{
    return F > ROWS_A_BLOCK ? F : ROWS_A_BLOCK;
}

int neuron_linear_scratch_new(NeuronLinearScratch *out, const NeuronLinear *linear)
{
    size_t F = linear->n_columns;
    out->rows = mem_alloc(ROWS_A_BLOCK * F, sizeof(*out->rows), "rows");
    out->values = mem_alloc(NEURON_TOGETHER * ROWS_A_BLOCK, sizeof(*out->values), "values");
    out->products = mem_alloc(NEURON_TOGETHER * widest(F), sizeof(*out->products), "products");
    out->sums = mem_alloc(NEURON_TOGETHER * F, sizeof(*out->sums), "sums");
    out->weights = mem_alloc(NEURON_TOGETHER * F, sizeof(*out->weights), "weights");
    return out->rows && out->values && out->products && out->sums && out->weights ? 0 : OGPT_ENOMEM;
}

void neuron_linear_scratch_free(NeuronLinearScratch *scratch)
{
    mem_free(scratch->rows);
    mem_free(scratch->values);
    mem_free(scratch->products);
    mem_free(scratch->sums);
    mem_free(scratch->weights);
    *scratch = (NeuronLinearScratch){0};
}

size_t neuron_linear_bytes(void)
{
    size_t F = NEURON_FEATURES + 1;
    return F * F * (sizeof(double) + sizeof(float)) + ROWS_A_BLOCK * F * sizeof(float) +
           NEURON_TOGETHER *
               (F * (sizeof(double) + sizeof(float)) + (widest(F) + ROWS_A_BLOCK) * sizeof(float));
}

/* Without its mean a neuron that varies little around a large value keeps its digits in float. */
static void take_means(double mean[NEURON_TOGETHER], const NeuronDesign *design,
                       const float *values, size_t n_neurons)
{
    for (size_t k = 0; k < n_neurons; k++) {
        double sum = 0;
        for (size_t i = 0; i < design->n_fit; i++) {
            sum += (double)values[k * design->n + i];
        }
        mean[k] = sum / (double)design->n_fit;
    }
}

static void centre(float *out, const float *values, size_t n, size_t count, const double *mean,
                   size_t n_neurons)
{
    for (size_t k = 0; k < n_neurons; k++) {
        for (size_t i = 0; i < count; i++) {
            out[k * ROWS_A_BLOCK + i] = (float)((double)values[k * n + i] - mean[k]);
        }
    }
}

void neuron_linear_fit(float *said, const NeuronLinear *linear, NeuronLinearScratch *scratch,
                       const float *values, size_t n_neurons)
{
    const NeuronDesign *design = linear->design;
    size_t F = linear->n_columns, n = design->n, n_test = n - design->n_fit;
    double mean[NEURON_TOGETHER];
    take_means(mean, design, values, n_neurons);
    memset(scratch->sums, 0, n_neurons * F * sizeof(*scratch->sums));
    for (size_t first = 0; first < design->n_fit; first += ROWS_A_BLOCK) {
        size_t left = design->n_fit - first, count = left < ROWS_A_BLOCK ? left : ROWS_A_BLOCK;
        fill_rows(scratch->rows, linear, first, count);
        centre(scratch->values, values + first, n, count, mean, n_neurons);
        gemm(false, false, n_neurons, F, count, 1, scratch->values, ROWS_A_BLOCK, scratch->rows, F,
             0, scratch->products, F);
        for (size_t i = 0; i < n_neurons * F; i++) {
            scratch->sums[i] += (double)scratch->products[i];
        }
    }
    for (size_t k = 0; k < n_neurons; k++) {
        const double *sums = scratch->sums + k * F;
        for (size_t f = 0; f < F; f++) {
            double weight = 0;
            for (size_t g = 0; g < F; g++) {
                weight += linear->inverse[f * F + g] * sums[g];
            }
            scratch->weights[k * F + f] = (float)weight;
        }
    }
    for (size_t first = 0; first < n_test; first += ROWS_A_BLOCK) {
        size_t count = n_test - first < ROWS_A_BLOCK ? n_test - first : ROWS_A_BLOCK;
        fill_rows(scratch->rows, linear, design->n_fit + first, count);
        gemm(false, true, n_neurons, count, F, 1, scratch->weights, F, scratch->rows, F, 0,
             said + first, n_test);
        for (size_t k = 0; k < n_neurons; k++) {
            for (size_t i = 0; i < count; i++) {
                float *value = said + k * n_test + first + i;
                *value = (float)((double)*value + mean[k]);
            }
        }
    }
}
