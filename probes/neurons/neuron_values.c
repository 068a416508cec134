/* probes/neurons/neuron_values.c - see probes/neurons/neuron_values.h. */
#include "probes/neurons/neuron_values.h"

#include <math.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/rng.h"
#include "num/blas.h"
#include "num/matrices/general.h"
#include "probes/activations/passes.h"

typedef struct ValueReading {
    float *values;
    const NeuronGames *games;
} ValueReading;

static int take_values(void *context, const PassBatch *pass, const HookPoint *point)
{
    const ValueReading *reading = context;
    const NeuronGames *games = reading->games;
    for (size_t b = 0; b < pass->B; b++) {
        size_t g = pass->game + b;
        for (size_t i = games->first[g]; i < games->first[g + 1]; i++) {
            const real *row = point->value + (b * point->T + games->t[i]) * point->width;
            double sum = 0;
            for (size_t k = 0; k < point->width; k++) {
                reading->values[k * games->n + i] = (float)row[k];
                sum += (double)row[k];
            }
            if (!isfinite(sum)) {
                return err_set(OGPT_ENUM,
                               "layer %d, game %zu of the sample, behind move %d: an activation is "
                               "not finite; check the model (ogpt verify)",
                               point->layer, g, games->t[i] + 1);
            }
        }
    }
    return 0;
}

int neuron_values_read(float *values, const Gpt *gpt, const NeuronGames *games, int layer,
                       const Work *work)
{
    ValueReading reading = {values, games};
    PassGames given = {.vocab = games->vocab, .n = games->n_games, .moves = games->moves};
    PassCalls calls = {.context = &reading, .hook = take_values};
    Work quiet = work_quiet(work);
    passes_hook_layer(&calls, HOOK_POST, layer);
    return passes_run(gpt, &given, &calls, &quiet);
}

int neuron_values_random_network(Gpt **out, const GptConfig *cfg, uint64_t seed)
{
    int rc = gpt_new(out, cfg);
    if (rc == 0) {
        gpt_init(*out, seed, RNG_CONTROL);
    }
    return rc;
}

enum { ROTATED_A_JOB = 1024 }; /* positions */

typedef struct RotatedValues {
    float *out;
    const float *values, *rows;
    size_t M, n;
} RotatedValues;

static int rotate_job(void *context, size_t job, size_t worker)
{
    const RotatedValues *r = context;
    size_t first = job * ROTATED_A_JOB, left = r->n - first;
    size_t count = left < ROTATED_A_JOB ? left : ROTATED_A_JOB;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while activations were rotated");
    }
    gemm(false, false, r->M, count, r->M, 1, r->rows, r->M, r->values + first, r->n, 0,
         r->out + first, r->n);
    return 0;
}

int neuron_values_rotate(float *out, const float *values, size_t M, size_t n, int layer,
                         const Work *work)
{
    float *rows = mem_alloc(M * M, sizeof(*rows), "a rotation");
    double *scratch = mem_alloc(M * M, sizeof(*scratch), "a rotation");
    RotatedValues rotation = {out, values, rows, M, n};
    Rng rng = rng_at(work->seed, RNG_NEURONS, (UINT64_C(2) << 40) + (uint64_t)layer);
    int rc = rows && scratch ? 0 : OGPT_ENOMEM;
    if (rc == 0) {
        rotation_random(rows, scratch, M, &rng);
        rc = pool_run(work->pool, (n + ROTATED_A_JOB - 1) / ROTATED_A_JOB, rotate_job, &rotation);
    }
    mem_free(rows);
    mem_free(scratch);
    return rc;
}

NeuronShape neuron_shape_of(const float *values, size_t n)
{
    NeuronShape out = {.least = (double)values[0], .largest = (double)values[0]};
    double second = 0, fourth = 0;
    size_t on = 0;
    for (size_t i = 0; i < n; i++) {
        out.least = fmin(out.least, (double)values[i]);
        out.largest = fmax(out.largest, (double)values[i]);
        out.mean += (double)values[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double off = (double)values[i] - out.mean;
        second += off * off / (double)n;
        fourth += off * off * off * off / (double)n;
        on += (double)values[i] > NEURON_ON * out.largest;
    }
    out.deviation = sqrt(second);
    out.on = out.largest > 0 ? (double)on / (double)n : NAN;
    out.kurtosis = second > 0 ? fourth / (second * second) - 3 : NAN;
    return out;
}
