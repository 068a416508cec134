/* probes/steering/steer_run.c - see probes/steering/steer_run.h. */
#include "probes/steering/steer_run.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/vectors.h"
#include "probes/activations/passes.h"
#include "probes/legality/answers.h"

typedef struct Running {
    SteerScore *scores;
    float *logits;
    const Gpt *gpt;
    const SteerCases *cases;
    const SteerChange *change;
    const float *clean;
    float *units; /* STEER_ABLATE: (n_groups, width) r of every group */
} Running;

/* ---- what is changed ---- */

void steer_project(float *x, const float *r, size_t n)
{
    const double along = vector_dot(x, r, n);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(x[i] - along * r[i]);
    }
}

static size_t group_of(const Running *running, size_t i)
{
    const SteerChange *change = running->change;
    const SteerCase *at = &running->cases->at[i];
    return change->group >= 0 ? (size_t)change->group : change->wrong ? at->wrong : at->group;
}

/* The vector that is added to a case's rows: that of another group is made as long as its own. */
static double factor_of(const Running *running, size_t i, int layer, size_t group)
{
    const SteerChange *change = running->change;
    const size_t own = running->cases->at[i].group;
    if (group == own) {
        return change->alpha;
    }
    const double length = steer_bank_norm(change->bank, layer, group);
    return length > 0 ? change->alpha * (steer_bank_norm(change->bank, layer, own) / length) : 0;
}

static void add_vector(float *row, const float *v, double alpha, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        row[c] = (float)(row[c] + alpha * v[c]);
    }
}

/* Rows of one case at a site: n positions of the history. */
static void change_rows(const Running *running, size_t i, const HookPoint *point, float *rows,
                        size_t n)
{
    const SteerChange *change = running->change;
    const size_t group = group_of(running, i), width = point->width;
    float *last = rows + (n - 1) * width;
    if (change->kind == STEER_HEAD) {
        const size_t HS = (size_t)running->gpt->cfg.d_head, first = (size_t)change->head * HS;
        memcpy(last + first, steer_bank_at(change->bank, point->layer, group) + first,
               HS * sizeof(*last));
    } else if (change->kind == STEER_ADD) {
        const float *v = steer_bank_at(change->bank, point->layer, group);
        const double alpha = factor_of(running, i, point->layer, group);
        for (float *row = change->all ? rows : last; row <= last; row += width) {
            add_vector(row, v, alpha, width);
        }
    } else {
        for (float *row = rows; row <= last; row += width) {
            steer_project(row, running->units + group * width, width);
        }
    }
}

static int change_hook(void *context, const PassBatch *pass, const HookPoint *point)
{
    const Running *running = context;
    for (size_t b = 0; b < pass->B; b++) {
        const size_t i = pass->game + b;
        change_rows(running, i, point, point->value + b * point->T * point->width,
                    running->cases->read[i]);
    }
    return 0;
}

static void want_sites(PassCalls *calls, const SteerChange *change, const GptConfig *cfg)
{
    const uint64_t all = hook_all_layers(cfg->n_layers);
    if (change->kind == STEER_ADD) {
        calls->sites[change->bank->site] = change->layers;
    } else if (change->kind == STEER_HEAD) {
        calls->sites[HOOK_Z] = 1ULL << change->layer;
    } else if (change->kind == STEER_ABLATE) {
        calls->sites[HOOK_RESID_PRE] = 1;
        calls->sites[HOOK_ATTN_OUT] = all;
        calls->sites[HOOK_MLP_OUT] = all;
    }
}

/* ---- what is judged ---- */

static void judge(SteerScore *out, const Running *running, size_t i, const float *logits)
{
    const SteerCase *at = &running->cases->at[i];
    const int V = running->cases->vocab->d_vocab;
    const uint64_t top = 1ULL << answer_top(logits, V);
    const real *weights = running->cases->weights + i * (size_t)V;
    *out = (SteerScore){.edited = answer_score(logits, V, at->edited, RULE_TOPN).error,
                        .before = answer_score(logits, V, at->before, RULE_TOPN).error,
                        .strict_edited = (at->edited & top) == 0,
                        .strict_before = (at->before & top) == 0};
    for (int tok = 0; tok < V; tok++) {
        out->metric += (double)weights[tok] * (double)logits[tok];
    }
    if (running->clean) {
        const float *clean = running->clean + i * (size_t)V;
        out->kl =
            answer_kl(clean, answer_log_total(clean, V), logits, answer_log_total(logits, V), V);
    }
}

static int visit_answers(void *context, const PassBatch *pass)
{
    const Running *running = context;
    const size_t V = (size_t)running->cases->vocab->d_vocab;
    for (size_t b = 0; b < pass->B; b++) {
        const size_t i = pass->game + b;
        const float *logits = pass->logits + (b * pass->T + running->cases->read[i] - 1) * V;
        const int bad = answer_bad_token(logits, (int)V);
        if (bad >= 0) {
            return err_set(OGPT_ENUM,
                           "steered position %zu: the logit of token %d is not finite; check the "
                           "model (ogpt verify), or take a smaller --alpha",
                           i, bad);
        }
        judge(&running->scores[i], running, i, logits);
        if (running->logits) {
            memcpy(running->logits + i * V, logits, V * sizeof(*logits));
        }
    }
    return 0;
}

/* ---- a run ---- */

/* The vectors of one layer, of length 1. */
static int unit_vectors(float **out, const SteerBank *bank, int layer)
{
    *out = mem_alloc(bank->n_groups * bank->width, sizeof(float), "directions");
    for (size_t g = 0; g < bank->n_groups && *out; g++) {
        steer_bank_unit(*out + g * bank->width, bank, layer, g);
    }
    return *out ? 0 : OGPT_ENOMEM;
}

int steer_run(SteerScore *scores, float *logits, const Gpt *gpt, const SteerCases *cases,
              const SteerChange *change, const float *clean, const Work *work)
{
    Running running = {scores, logits, gpt, cases, change, clean, NULL};
    const PassGames games = {
        .vocab = cases->vocab, .n = cases->n, .moves = cases->moves, .read = cases->read};
    PassCalls calls = {.context = &running, .visit = visit_answers};
    int rc = 0;
    if (change->kind != STEER_PLAIN) {
        calls.hook = change_hook;
        want_sites(&calls, change, &gpt->cfg);
    }
    if (change->kind == STEER_ABLATE) {
        rc = unit_vectors(&running.units, change->bank, change->layer);
    }
    rc = rc ? rc : passes_run(gpt, &games, &calls, work);
    mem_free(running.units);
    return rc;
}

/* ---- weights ---- */

static void project_rows(real *rows, const float *r, size_t n, size_t C)
{
    for (size_t i = 0; i < n; i++) {
        double along = 0;
        for (size_t c = 0; c < C; c++) {
            along += (double)rows[i * C + c] * (double)r[c];
        }
        for (size_t c = 0; c < C; c++) {
            rows[i * C + c] = (real)((double)rows[i * C + c] - along * (double)r[c]);
        }
    }
}

int steer_orthogonalise(Gpt **out, const Gpt *gpt, const float *r)
{
    const GptConfig *cfg = &gpt->cfg;
    const TensorMap *map = &gpt->map;
    const size_t C = (size_t)cfg->d_model;
    int rc = gpt_new(out, cfg);
    if (rc) {
        return rc;
    }
    real *params = (*out)->params;
    memcpy(params, gpt->params, gpt->n_numbers * sizeof(*params));
    project_rows(params + map->W_E, r, (size_t)cfg->d_vocab, C);
    project_rows(params + map->W_pos, r, (size_t)cfg->n_ctx, C);
    for (int l = 0; l < cfg->n_layers; l++) {
        real *block = params + (size_t)l * map->block_stride;
        project_rows(block + map->W_O, r, (size_t)(cfg->n_heads * cfg->d_head), C);
        project_rows(block + map->b_O, r, 1, C);
        project_rows(block + map->W_out, r, (size_t)cfg->d_mlp, C);
        project_rows(block + map->b_out, r, 1, C);
    }
    return 0;
}
