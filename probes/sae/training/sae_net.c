/* probes/sae/training/sae_net.c - contract in probes/sae/training/sae_net.h: parameters, memory,
 * one step. */
#include "probes/sae/training/sae_net.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "num/vectors.h"
#include "probes/sae/sae_select.h"

/* pre begins with mean 0 and variance 1, so a sixth of the features are active. A threshold moves
 * by a rate a step at most: from 0 it would not arrive. */
#define THETA_FIRST 1.0F

SaeNet sae__net_layout(SaeKind kind, size_t d_in, size_t d_out, size_t features)
{
    SaeNet net = {.kind = kind, .d_in = d_in, .d_out = d_out, .m = features};
    net.w_dec = features * d_in;
    net.b_enc = net.w_dec + features * d_out;
    net.b_dec = net.b_enc + features;
    net.extra = net.b_dec + d_out;
    const bool extra = kind == SAE_GATED || kind == SAE_JUMPRELU;
    net.b_mag = net.extra + (extra ? features : 0);
    net.n = net.b_mag + (kind == SAE_GATED ? features : 0);
    return net;
}

static void unit_row(float *row, size_t d, Rng *rng)
{
    for (size_t c = 0; c < d; c++) {
        row[c] = (float)rng_normal(rng);
    }
    vector_unit(row, d);
}

void sae__net_draw(SaeNet *net, uint64_t seed)
{
    /* Where half of the features are active at first, the rows rebuilt by unit directions would be
     * m / 2d times too long. */
    const bool half = net->kind == SAE_STANDARD || net->kind == SAE_GATED;
    const double scale = net->m > 2 * net->d_in ? 2.0 * (double)net->d_in / (double)net->m : 1;
    memset(net->params, 0, net->n * sizeof(float));
    for (size_t j = 0; j < net->m; j++) {
        Rng rng = rng_at(seed, RNG_SAE, SAE_DRAW_WEIGHTS + j);
        float *enc = net->params + net->w_enc + j * net->d_in;
        float *dec = net->params + net->w_dec + j * net->d_out;
        unit_row(enc, net->d_in, &rng);
        if (net->kind == SAE_TRANSCODER) {
            unit_row(dec, net->d_out, &rng);
        } else {
            memcpy(dec, enc, net->d_in * sizeof(float));
        }
        for (size_t c = 0; c < net->d_in && half; c++) {
            enc[c] *= (float)scale;
        }
        if (net->kind == SAE_JUMPRELU) {
            net->params[net->extra + j] = THETA_FIRST;
        }
    }
}

const char *sae__net_tensor(const SaeNet *net, size_t i)
{
    const char *extra = net->kind == SAE_GATED ? "r_mag" : "threshold";
    return i < net->w_dec   ? "W_enc"
           : i < net->b_enc ? "W_dec"
           : i < net->b_dec ? "b_enc"
           : i < net->extra ? "b_dec"
           : i < net->b_mag ? extra
                            : "b_mag";
}

/* ---- memory ---- */

typedef struct StepPlan {
    const SaeNet *net;
    size_t rows, chunks, groups, workers, room, aux_k, aux_room;
    bool dense, extra; /* extra: kinds with dmag */
} StepPlan;

static StepPlan plan_step(const SaeNet *net, const SaeTrainOptions *options, size_t workers)
{
    const size_t rows = (size_t)options->batch, m = net->m;
    StepPlan plan = {.net = net, .rows = rows, .workers = workers};
    const bool few = sae_has_k(net->kind) && 8 * options->k <= m;
    plan.chunks = (rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    plan.groups = net->kind == SAE_MATRYOSHKA ? SAE_GROUPS_MAX : 1;
    plan.dense = options->path == SAE_PATH_PLAIN || (options->path == SAE_PATH_AUTO && !few);
    plan.extra = net->kind == SAE_GATED || net->kind == SAE_JUMPRELU;
    plan.room = options->path == SAE_PATH_PLAIN ? 0
                : sae_has_k(net->kind)          ? rows * options->k
                : plan.dense                    ? rows * m / 8
                                                : rows * m;
    plan.aux_k = options->dead_after > 0 ? (net->d_out / 2 > 0 ? net->d_out / 2 : 1) : 0;
    plan.aux_k = plan.aux_k < m ? plan.aux_k : m;
    plan.aux_room = rows * plan.aux_k;
    return plan;
}

/* Take the pieces from an arena, or with NULL count their bytes. */
static void *piece(Arena *arena, size_t *bytes, size_t count, size_t size)
{
    *bytes += arena_piece_bytes(count, size);
    return arena ? arena_take(arena, count, size) : NULL;
}

static void carve_list(SaeList *list, Arena *arena, size_t *bytes, const StepPlan *plan,
                       size_t room, bool extra)
{
    const size_t m = plan->net->m;
    list->room = room;
    list->row_at = piece(arena, bytes, plan->rows, sizeof(size_t));
    list->row_end = piece(arena, bytes, plan->rows, sizeof(size_t));
    list->index = piece(arena, bytes, room, sizeof(uint32_t));
    list->f = piece(arena, bytes, room, sizeof(float));
    list->c = piece(arena, bytes, room, sizeof(float));
    list->dmag = extra ? piece(arena, bytes, room, sizeof(float)) : NULL;
    list->column_at = piece(arena, bytes, m + 1, sizeof(size_t));
    list->entry = piece(arena, bytes, room, sizeof(uint32_t));
    list->row = piece(arena, bytes, room, sizeof(uint32_t));
    list->counts = piece(arena, bytes, plan->chunks * m, sizeof(uint32_t));
}

static size_t carve(SaeStep *step, Arena *arena, const StepPlan *plan)
{
    const SaeNet *net = plan->net;
    const size_t m = net->m, rows = plan->rows;
    size_t bytes = 0;
    step->pre = piece(arena, &bytes, rows * m, sizeof(float));
    if (plan->dense) {
        step->dense_f = piece(arena, &bytes, rows * m, sizeof(float));
        step->scratch = piece(arena, &bytes, plan->workers * 2 * CHUNK_ROWS * m, sizeof(float));
        step->dense_dmag = plan->extra ? piece(arena, &bytes, rows * m, sizeof(float)) : NULL;
    }
    step->b_pre = piece(arena, &bytes, m, sizeof(float));
    step->least = piece(arena, &bytes, rows > m ? rows : m, sizeof(float));
    step->equal = piece(arena, &bytes, rows, sizeof(uint32_t));
    step->g = piece(arena, &bytes, plan->groups * rows * net->d_out, sizeof(float));
    step->residual = piece(arena, &bytes, rows * net->d_out, sizeof(float));
    step->g_aux = piece(arena, &bytes, rows * net->d_out, sizeof(float));
    carve_list(&step->kept, arena, &bytes, plan, plan->room, plan->extra);
    carve_list(&step->revived, arena, &bytes, plan, plan->aux_room, false);
    step->dead = piece(arena, &bytes, m, sizeof(uint32_t));
    step->dead_pre = piece(arena, &bytes, plan->workers * m, sizeof(float));
    step->bins = piece(arena, &bytes, plan->chunks * SELECT_BINS, sizeof(uint32_t));
    if (sae_has_k(net->kind)) {
        step->high = piece(arena, &bytes, plan->chunks * CHUNK_ROWS * (m / 4 + 1), sizeof(float));
        step->n_high = piece(arena, &bytes, plan->chunks, sizeof(size_t));
    }
    step->row_sums =
        piece(arena, &bytes, plan->chunks * (N_ROW_SUMS + 2 * net->d_out), sizeof(double));
    step->column_c = piece(arena, &bytes, m, sizeof(double));
    step->fired = piece(arena, &bytes, m, 1);
    step->gradient = piece(arena, &bytes, net->n, sizeof(float));
    return bytes;
}

size_t sae__step_bytes(const SaeNet *net, const SaeTrainOptions *options, size_t workers)
{
    SaeStep step = {0};
    const StepPlan plan = plan_step(net, options, workers);
    return carve(&step, NULL, &plan);
}

int sae__step_init(SaeStep *step, const SaeNet *net, const SaeTrainOptions *options, size_t workers)
{
    const StepPlan plan = plan_step(net, options, workers);
    *step = (SaeStep){.net = net, .max_rows = plan.rows, .n_groups = plan.groups};
    for (size_t q = 0; q < plan.groups; q++) {
        step->group_end[q] = net->m >> (plan.groups - 1 - q);
    }
    step->aux_k = plan.aux_k;
    int rc = arena_init(&step->arena, carve(step, NULL, &plan), "a step of training");
    if (rc == 0) {
        carve(step, &step->arena, &plan);
    }
    return rc;
}

void sae__step_release(SaeStep *step)
{
    arena_release(&step->arena);
}

/* ---- what both paths share ---- */

float sae__value(const SaeNet *net, float pre, size_t j)
{
    const float *extra = net->params + net->extra;
    if (net->kind == SAE_GATED) {
        const float own = pre - net->params[net->b_enc + j];
        const float size = expf(extra[j]) * own + net->params[net->b_mag + j];
        return size > 0 ? size : 0;
    }
    return net->kind == SAE_JUMPRELU && !(pre > extra[j]) ? 0 : pre;
}

float sae__coefficient(const SaeStep *step, float *dmag, float pre, float f, float df, float dgate,
                       size_t j)
{
    const SaeNet *net = step->net;
    const float rows = (float)step->ask.rows;
    *dmag = 0;
    if (net->kind == SAE_STANDARD) {
        return df + (float)step->ask.l1 / rows;
    }
    if (net->kind == SAE_GATED) {
        *dmag = f > 0 ? df : 0;
        return dgate + (float)step->ask.l1 / rows + expf(net->params[net->extra + j]) * *dmag;
    }
    if (net->kind == SAE_JUMPRELU) {
        const float theta = net->params[net->extra + j];
        const float goal = (float)step->ask.l0;
        const float l0 = (float)(step->sums.active / step->ask.rows);
        const float dl0 = (float)step->ask.l0_weight * 2 * (l0 / goal - 1) / goal / rows;
        if (fabsf(pre - theta) < SAE_BANDWIDTH / 2) {
            *dmag = -(theta * df + dl0) / SAE_BANDWIDTH;
        }
        return f > 0 ? df : 0;
    }
    return df;
}

void sae__row_done(const SaeStep *step, double *sums, const float *residual, const float *g0,
                   size_t r)
{
    const size_t d = step->net->d_out;
    const float *y = step->y + r * d;
    double error = 0, power = 0;
    for (size_t c = 0; c < d; c++) {
        error += (double)residual[c] * residual[c];
        power += (double)y[c] * y[c];
        sums[N_ROW_SUMS + c] += g0[c];
        sums[N_ROW_SUMS + d + c] += residual[c];
    }
    sums[SUM_ERROR] += error;
    sums[SUM_POWER] += power;
}

void sae__column_done(SaeStep *step, size_t j, double c, double dmag, double dmag_f)
{
    const SaeNet *net = step->net;
    float *gradient = step->gradient;
    step->column_c[j] += c;
    if (net->kind != SAE_TRANSCODER) {
        float *w_enc = gradient + net->w_enc + j * net->d_in;
        for (size_t k = 0; k < net->d_in; k++) {
            w_enc[k] -= (float)c * net->params[net->b_dec + k];
        }
    }
    if (net->kind == SAE_GATED) {
        /* size = exp(r_mag) (pre - b_enc) + b_mag: its own bias is b_mag. */
        const double b_mag = net->params[net->b_mag + j];
        gradient[net->b_enc + j] += (float)(c - exp(net->params[net->extra + j]) * dmag);
        gradient[net->extra + j] += (float)(dmag_f - b_mag * dmag);
        gradient[net->b_mag + j] += (float)dmag;
        return;
    }
    gradient[net->b_enc + j] += (float)c;
    if (net->kind == SAE_JUMPRELU) {
        gradient[net->extra + j] += (float)dmag;
    }
}

/* The sums of the chunks become those of the step; the first gradient of b_dec. */
static void add_sums(SaeStep *step, double *all)
{
    const SaeNet *net = step->net;
    const size_t n = N_ROW_SUMS + 2 * net->d_out;
    memset(all, 0, n * sizeof(double));
    all[SUM_LEAST] = INFINITY;
    for (size_t chunk = 0; chunk < sae__chunks(step); chunk++) {
        const double *sums = sae__row_sums(step, chunk);
        const double least = sums[SUM_LEAST] < all[SUM_LEAST] ? sums[SUM_LEAST] : all[SUM_LEAST];
        for (size_t i = 0; i < n; i++) {
            all[i] += sums[i];
        }
        all[SUM_LEAST] = least;
    }
    SaeSums *sums = &step->sums;
    sums->error = all[SUM_ERROR];
    sums->power = all[SUM_POWER];
    sums->extra_error = all[SUM_EXTRA];
    sums->least = isfinite(all[SUM_LEAST]) ? (float)all[SUM_LEAST] : 0;
    sums->penalty = step->ask.l1 * all[SUM_F] / (double)step->ask.rows;
    if (net->kind == SAE_JUMPRELU) {
        const double off = sums->active / (double)step->ask.rows / step->ask.l0 - 1;
        sums->penalty = step->ask.l0_weight * off * off;
    }
    double spread = all[SUM_ERROR];
    for (size_t c = 0; c < net->d_out; c++) {
        const double sum = all[N_ROW_SUMS + net->d_out + c];
        spread -= sum * sum / (double)step->ask.rows;
        step->gradient[net->b_dec + c] = (float)all[N_ROW_SUMS + c];
    }
    step->aux_scale = step->n_dead > 0 && spread > 0 && step->aux_k > 0
                          ? SAE_AUX_WEIGHT * (double)net->d_out / spread
                          : 0;
}

/* b_dec is taken from the rows before the encoder: d loss / d b_dec has this part too. */
static void add_encoder_bias(SaeStep *step)
{
    const SaeNet *net = step->net;
    float *out = step->gradient + net->b_dec;
    for (size_t c = 0; c < net->d_in && net->kind != SAE_TRANSCODER; c++) {
        double sum = out[c];
        for (size_t j = 0; j < net->m; j++) {
            sum -= step->column_c[j] * net->params[net->w_enc + j * net->d_in + c];
        }
        out[c] = (float)sum;
    }
}

static void list_dead(SaeStep *step)
{
    step->n_dead = 0;
    for (size_t j = 0; j < step->net->m && step->ask.dead && step->aux_k > 0; j++) {
        if (step->ask.dead[j]) {
            step->dead[step->n_dead++] = (uint32_t)j;
        }
    }
}

int sae__step_run(SaeStep *step, const float *x, const float *y, const SaeAsk *ask,
                  const Work *work)
{
    const SaeNet *net = step->net;
    size_t entries = 0;
    step->x = x;
    step->y = y;
    step->ask = *ask;
    step->sums = (SaeSums){0};
    memset(step->gradient, 0, net->n * sizeof(float));
    memset(step->column_c, 0, net->m * sizeof(double));
    memset(step->fired, 0, net->m);
    list_dead(step);
    int rc = sae__encode(step, &entries, work);
    step->sums.fast =
        !step->dense_f || (ask->path != SAE_PATH_PLAIN && entries <= step->kept.room &&
                           8 * entries <= ask->rows * net->m);
    rc = rc ? rc : sae__revive_list(step, work);
    rc = rc ? rc : step->sums.fast ? sae__rows_fast(step, work) : sae__rows_plain(step, work);
    double *all =
        rc ? NULL : mem_alloc(N_ROW_SUMS + 2 * net->d_out, sizeof(double), "sums of a step");
    rc = rc || all ? rc : OGPT_ENOMEM;
    if (rc) {
        return rc;
    }
    add_sums(step, all);
    mem_free(all);
    rc = step->sums.fast ? sae__columns_fast(step, false, work) : sae__columns_plain(step, work);
    if (rc == 0 && step->aux_scale > 0) {
        rc = sae__revive(step, work);
    }
    if (rc == 0) {
        add_encoder_bias(step);
    }
    return rc;
}
