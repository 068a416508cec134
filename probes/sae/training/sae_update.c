/* probes/sae/training/sae_update.c - see probes/sae/training/sae_trainer.h: rates and Adam. */
#include <math.h>

#include "base/err.h"
#include "num/optimisers/optim.h"
#include "probes/sae/training/sae_trainer.h"
#include "probes/sae/training/sae_vectors.h"

#define DECAY_SHARE 0.2   /* of the steps, at the end */
#define SPARSE_SHARE 0.05 /* of the steps in which the penalty rises; all of them in jumprelu */

double sae__rate(const SaeTrainOptions *options, int64_t step, int64_t steps)
{
    const double warm = options->warmup > 0 ? (double)(step + 1) / (double)options->warmup : 1;
    const double left = (double)(steps - step) / (DECAY_SHARE * (double)steps);
    const double share = warm < 1 ? warm : 1;
    return options->lr * (left < 1 ? left : 1) * share;
}

double sae__penalty_share(const SaeTrainOptions *options, int64_t step, int64_t steps)
{
    const double over = options->kind == SAE_JUMPRELU ? 1 : SPARSE_SHARE;
    const double share = (double)(step + 1) / (over * (double)steps);
    return share < 1 ? share : 1;
}

typedef struct UpdateRun {
    SaeTrainer *trainer;
    AdamWStep adam;
} UpdateRun;

static int update_range(const UpdateRun *run, size_t begin, size_t n)
{
    SaeTrainer *trainer = run->trainer;
    const float *gradient = trainer->step.gradient + begin;
    float sum = 0; /* g - g is 0 for finite g and NaN otherwise */
    for (size_t i = 0; i < n; i++) {
        sum += gradient[i] - gradient[i];
    }
    if (!(sum == 0)) {
        return err_set(OGPT_ENUM,
                       "step %lld: the gradient of %s is not finite; nothing was saved of this "
                       "step: try a smaller --lr",
                       (long long)trainer->at.step + 1, sae__net_tensor(&trainer->net, begin));
    }
    adamw_step(trainer->net.params + begin, trainer->moment + begin, trainer->second + begin,
               gradient, n, 1, &run->adam);
    return 0;
}

/* Rows of W_dec stay on the sphere: the gradient loses its part along the row. */
static void project_rows(SaeTrainer *trainer, size_t first, size_t end)
{
    const SaeNet *net = &trainer->net;
    const size_t d = net->d_out;
    for (size_t j = first; j < end; j++) {
        const float *w = net->params + net->w_dec + j * d;
        float *g = trainer->step.gradient + net->w_dec + j * d;
        const float along = sae__dot(g, w, d);
        for (size_t c = 0; c < d; c++) {
            g[c] -= along * w[c];
        }
    }
}

static void shorten_rows(SaeTrainer *trainer, size_t first, size_t end)
{
    const SaeNet *net = &trainer->net;
    const size_t d = net->d_out;
    for (size_t j = first; j < end; j++) {
        float *w = net->params + net->w_dec + j * d;
        const float length = sqrtf(sae__dot(w, w, d));
        for (size_t c = 0; c < d && length > 0; c++) {
            w[c] /= length;
        }
    }
}

static int update_block(void *context, size_t job, size_t worker)
{
    const UpdateRun *run = context;
    SaeTrainer *trainer = run->trainer;
    const SaeNet *net = &trainer->net;
    const size_t first = job * BLOCK_FEATURES;
    const size_t end = first + BLOCK_FEATURES < net->m ? first + BLOCK_FEATURES : net->m;
    project_rows(trainer, first, end);
    int rc = update_range(run, net->w_enc + first * net->d_in, (end - first) * net->d_in);
    rc = rc ? rc : update_range(run, net->w_dec + first * net->d_out, (end - first) * net->d_out);
    rc = rc ? rc : update_range(run, net->b_enc + first, end - first);
    if (rc == 0 && net->b_mag > net->extra) {
        rc = update_range(run, net->extra + first, end - first);
    }
    if (rc == 0 && net->n > net->b_mag) {
        rc = update_range(run, net->b_mag + first, end - first);
    }
    if (rc == 0 && job == 0) {
        rc = update_range(run, net->b_dec, net->d_out);
    }
    shorten_rows(trainer, first, end);
    for (size_t j = first; j < end && net->kind == SAE_JUMPRELU; j++) {
        float *theta = net->params + net->extra + j;
        *theta = *theta > 0 ? *theta : 0;
    }
    return rc;
}

int sae__update(SaeTrainer *trainer, const Work *work)
{
    UpdateRun run = {trainer,
                     {.lr = (float)sae__rate(trainer->options, trainer->at.step, trainer->steps),
                      .beta1 = 0.9F,
                      .beta2 = 0.999F,
                      .eps = 1e-8F,
                      .step = trainer->at.step + 1}};
    return pool_run(work->pool, (trainer->net.m + BLOCK_FEATURES - 1) / BLOCK_FEATURES,
                    update_block, &run);
}
