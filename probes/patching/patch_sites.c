/* probes/patching/patch_sites.c - activation patching. See probes/patching/patch_sites.h.
 *
 * A job is one block of pairs (of one length) and one layer. The other run is looked at once for
 * all sites of the layer; each cell is then a pass from this layer on, in which rows of one site
 * are replaced. Sites that make the pass do its sums in another order (scores, patterns, products
 * in front of an addition) are looked at in a pass of their own, so that the others have the bits
 * of a plain run.
 */
#include "probes/patching/patch_sites.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "probes/legality/answers.h"
#include "probes/patching/pair_blocks.h"
#include "probes/patching/patch_jobs.h"

#define APART                                                                                      \
    (1ULL << HOOK_SCORES | 1ULL << HOOK_PATTERN | 1ULL << HOOK_ATTN_OUT | 1ULL << HOOK_MLP_OUT)
enum { SCORE_NUMBERS = sizeof(PatchScore) / sizeof(double) };
enum { EVERYWHERE = -1 }; /* PatchCell.at: every position, with and without `back` */

typedef struct SiteWorker {
    Tape *tape;
    real *kept[N_HOOK_SITES]; /* (rows, width) of the other run; at most */
    real *stream, *logits;    /* (rows, C) and (rows, V) */
    Arena arena;
} SiteWorker;

typedef struct SiteCall {
    const SiteQuestion *question;
    const Work *work;
    SiteEffects *out;
    size_t *order, *first_cell; /* (n_pairs), (n_layers + 2): cells of each layer */
    PairBlock *blocks;
    size_t n_blocks, n_workers, rows;
    real sd; /* of the noise */
    SiteWorker *workers;
} SiteCall;

/* One run or pass of a block. */
typedef struct SitePass {
    const SiteCall *call;
    const PairBlock *block;
    SiteWorker *worker;
    int layer;
    const PatchCell *cell; /* what is replaced; NULL: values are kept */
    bool noisy, from_stream;
} SitePass;

const char *patch_position_name(PatchPosition position)
{
    static const char *const names[] = {PATCH_POSITIONS(ENUM_NAME)};
    return names[position];
}

/* ---- one answer ---- */

PatchScore patch_score(const GamePair *pair, const Vocab *vocab, const real *logits)
{
    const uint64_t legal[] = {pair->legal_clean, pair->legal_corrupt};
    real weights[BOARD_SQUARES + 1];
    PatchScore out;
    pair_weights(weights, vocab, pair);
    out.delta = pair_delta(weights, logits, vocab->d_vocab);
    for (size_t i = 0; i < 2; i++) {
        uint64_t tokens = answer_tokens(vocab, legal[i]);
        out.wrong[i] = answer_score(logits, vocab->d_vocab, tokens, RULE_TOPN).error;
        out.strict[i] = (tokens >> answer_top(logits, vocab->d_vocab) & 1) != 0 ? 0.0 : 1.0;
    }
    return out;
}

static PatchScore no_score(void)
{
    return (PatchScore){NAN, {NAN, NAN}, {NAN, NAN}};
}

/* ---- positions ---- */

static bool at_position(const PatchCell *cell, const GamePair *pair, size_t t, int back)
{
    size_t last = (size_t)pair->n_moves - 1;
    bool changed = pair->clean[t] != pair->corrupt[t];
    if (cell->at == EVERYWHERE) {
        return true;
    }
    if (back > 0) {
        return t + (size_t)cell->at == last;
    }
    switch ((PatchPosition)cell->at) {
    case PATCH_AT_ALL: return true;
    case PATCH_AT_LAST: return t == last;
    case PATCH_AT_PREVIOUS: return t + 1 == last;
    case PATCH_AT_CHANGED: return t < last && changed;
    default: return t < last && !changed;
    }
}

static bool has_position(const PatchCell *cell, const GamePair *pair, int back)
{
    for (size_t t = 0; t < (size_t)pair->n_moves; t++) {
        if (at_position(cell, pair, t, back)) {
            return true;
        }
    }
    return false;
}

bool patch_cell_whole(const PatchCell *cell, int n_layers, int back)
{
    bool last_layer = cell->layer >= n_layers - 1;
    bool all = back == 0 && cell->at == PATCH_AT_ALL;
    bool last = back > 0 ? cell->at == 0 : cell->at == PATCH_AT_LAST;
    switch (cell->site) {
    case HOOK_RESID_PRE: return all;
    case HOOK_RESID_MID:
    case HOOK_RESID_POST:
    case HOOK_FINAL: return all || (last && last_layer);
    default: return false;
    }
}

static const GamePair *pair_of(const SitePass *pass, size_t i)
{
    return &pass->call->question->pairs[pass->call->order[pass->block->first + i]];
}

/* ---- passes ---- */

/* Noise on the embeddings where the histories differ: by the pair and the position. */
static void add_noise(const SitePass *pass, const HookPoint *point)
{
    for (size_t i = 0; i < point->B; i++) {
        const GamePair *pair = pair_of(pass, i);
        Rng rng =
            rng_at(pass->call->work->seed, RNG_PATCH, pass->call->order[pass->block->first + i]);
        for (size_t t = 0; t < point->T; t++) {
            real *row = point->value + (i * point->T + t) * point->width;
            for (size_t c = 0; pair->clean[t] != pair->corrupt[t] && c < point->width; c++) {
                row[c] += pass->call->sd * (real)rng_normal(&rng);
            }
        }
    }
}

static void replace_rows(const SitePass *pass, const HookPoint *point)
{
    const real *kept = pass->worker->kept[point->site];
    for (size_t i = 0; i < point->B; i++) {
        const GamePair *pair = pair_of(pass, i);
        for (size_t t = 0; t < point->T; t++) {
            if (at_position(pass->cell, pair, t, pass->call->question->back)) {
                size_t at = (i * point->T + t) * point->width;
                memcpy(point->value + at, kept + at, point->width * sizeof(*kept));
            }
        }
    }
}

static void site_hook(void *context, const HookPoint *point)
{
    const SitePass *pass = context;
    int L = pass->call->question->gpt->cfg.n_layers;
    size_t n = point->B * point->T * point->width;
    bool in_front = pass->layer < L ? point->site == HOOK_RESID_PRE && point->layer == pass->layer
                                    : point->site == HOOK_RESID_POST && point->layer == L - 1;
    if (pass->noisy && !pass->from_stream && point->site == HOOK_RESID_PRE && point->layer == 0) {
        add_noise(pass, point);
    }
    if (pass->cell) {
        replace_rows(pass, point);
        return;
    }
    if (in_front && !pass->from_stream) {
        memcpy(pass->worker->stream, point->value, n * sizeof(*point->value));
    } else if (pass->from_stream) {
        memcpy(pass->worker->kept[point->site], point->value, n * sizeof(*point->value));
    }
}

/* A whole run; leaves the stream in front of pass->layer in the worker. */
static const real *whole_run(SitePass *pass, bool other)
{
    const SiteQuestion *question = pass->call->question;
    const Gpt *gpt = question->gpt;
    bool corrupt = question->noise ? false : other == (question->direction == PATCH_NOISING);
    int L = gpt->cfg.n_layers;
    Hooks hooks = {.fn = site_hook, .context = pass};
    EdgeTokens tokens;
    patch_blocks__tokens(&tokens, question->pairs, pass->call->order + pass->block->first,
                         pass->block->n, question->vocab, pass->block->T, corrupt);
    pass->cell = NULL;
    pass->from_stream = false;
    pass->noisy = question->noise && !other;
    hooks.sites[HOOK_RESID_PRE] = (pass->layer < L ? 1ULL << pass->layer : 0) | pass->noisy;
    hooks.sites[HOOK_RESID_POST] = pass->layer == L ? 1ULL << (L - 1) : 0;
    return gpt_forward(gpt, pass->worker->tape, tokens.tokens, pass->block->n, pass->block->T,
                       &hooks);
}

/* From the stream in front of pass->layer, visiting some sites of that layer. */
static const real *part_run(SitePass *pass, uint64_t sites)
{
    const Gpt *gpt = pass->call->question->gpt;
    PassPart part = {.first = pass->layer};
    Hooks hooks = {.fn = site_hook, .context = pass};
    for (int site = 0; site < N_HOOK_SITES; site++) {
        bool outside = hook_site_outside((HookSite)site);
        if (sites >> site & 1 && outside == (pass->layer == gpt->cfg.n_layers)) {
            hooks.sites[site] = outside ? 1 : 1ULL << pass->layer;
        }
    }
    pass->from_stream = true;
    return gpt_forward_part(gpt, pass->worker->tape, &part, pass->worker->stream, pass->block->n,
                            pass->block->T, &hooks);
}

/* The site's own values written back: answers that are not those of the base run, in any bit. */
static double self_changes(const SitePass *pass, HookSite site)
{
    const SiteCall *call = pass->call;
    size_t V = (size_t)call->question->gpt->cfg.d_vocab, rows = pass->block->n * pass->block->T;
    PatchCell all = {site, pass->layer, EVERYWHERE};
    SitePass own = *pass;
    double changed = 0;
    own.cell = NULL;
    memcpy(pass->worker->logits, part_run(&own, 1ULL << site), rows * V * sizeof(real));
    own.cell = &all;
    const real *again = part_run(&own, 1ULL << site);
    for (size_t i = 0; i < rows; i++) {
        changed += memcmp(again + i * V, pass->worker->logits + i * V, V * sizeof(real)) != 0;
    }
    return changed;
}

/* ---- jobs ---- */

/* Cells of one site. */
static size_t positions_of(const SiteQuestion *question)
{
    return question->back > 0 ? (size_t)question->back : N_PATCH_POSITIONS;
}

static size_t layers_of(const SiteCall *call)
{
    return (size_t)call->question->gpt->cfg.n_layers + 1;
}

static size_t cells_of_job(const SiteCall *call, size_t job)
{
    size_t layer = job % layers_of(call);
    return call->first_cell[layer + 1] - call->first_cell[layer];
}

static size_t site_numbers(void *context, size_t job)
{
    const SiteCall *call = context;
    size_t pairs = call->blocks[job / layers_of(call)].n;
    return 1 + cells_of_job(call, job) * pairs * SCORE_NUMBERS;
}

static void score_pass(double *values, const SitePass *pass, const real *logits)
{
    const SiteQuestion *question = pass->call->question;
    size_t V = (size_t)question->gpt->cfg.d_vocab, T = pass->block->T;
    for (size_t i = 0; i < pass->block->n; i++) {
        const GamePair *pair = pair_of(pass, i);
        PatchScore score = !pass->cell || has_position(pass->cell, pair, question->back)
                               ? patch_score(pair, question->vocab, logits + ((i + 1) * T - 1) * V)
                               : no_score();
        memcpy(values + i * SCORE_NUMBERS, &score, sizeof(score));
    }
}

static int site_run(void *context, double *values, size_t job, size_t worker)
{
    const SiteCall *call = context;
    const SiteQuestion *question = call->question;
    SitePass pass = {.call = call,
                     .block = &call->blocks[job / layers_of(call)],
                     .worker = &call->workers[worker],
                     .layer = (int)(job % layers_of(call))};
    size_t n_cells = cells_of_job(call, job);
    const PatchCell *cells = call->out->cells + call->first_cell[pass.layer];
    if (n_cells == 0) {
        return 0;
    }
    if (question->self) {
        whole_run(&pass, false);
        for (size_t i = 0; i < n_cells; i += positions_of(question)) {
            values[0] += self_changes(&pass, cells[i].site);
        }
    }
    whole_run(&pass, true);
    part_run(&pass, question->sites & ~APART);
    if (question->sites & APART) {
        part_run(&pass, question->sites & APART);
    }
    whole_run(&pass, false);
    for (size_t i = 0; i < n_cells; i++) {
        pass.cell = &cells[i];
        score_pass(values + 1 + i * pass.block->n * SCORE_NUMBERS, &pass,
                   part_run(&pass, 1ULL << cells[i].site));
    }
    return 0;
}

static void site_take(void *context, const double *values, size_t job)
{
    const SiteCall *call = context;
    const PairBlock *block = &call->blocks[job / layers_of(call)];
    size_t first = call->first_cell[job % layers_of(call)];
    call->out->self_changed += (size_t)values[0];
    for (size_t i = 0; i < cells_of_job(call, job); i++) {
        for (size_t b = 0; b < block->n; b++) {
            PatchScore *score = call->out->scores + (first + i) * call->out->n_pairs +
                                call->order[block->first + b];
            memcpy(score, values + 1 + (i * block->n + b) * SCORE_NUMBERS, sizeof(*score));
        }
    }
}

/* Answers of both runs of a block. */
static int plain_job(void *context, size_t job, size_t worker)
{
    const SiteCall *call = context;
    SitePass pass = {.call = call,
                     .block = &call->blocks[job],
                     .worker = &call->workers[worker],
                     .layer = call->question->gpt->cfg.n_layers};
    PatchScore scores[EDGE_BLOCK];
    for (int other = 0; other < 2; other++) {
        score_pass((double *)scores, &pass, whole_run(&pass, other));
        for (size_t i = 0; i < pass.block->n; i++) {
            (other ? call->out->other : call->out->base)[call->order[pass.block->first + i]] =
                scores[i];
        }
    }
    return 0;
}

/* ---- memory ---- */

static int worker_make(SiteWorker *worker, const SiteCall *call)
{
    const GptConfig *cfg = &call->question->gpt->cfg;
    size_t C = (size_t)cfg->d_model, V = (size_t)cfg->d_vocab, keys = (size_t)cfg->n_ctx;
    size_t bytes = arena_piece_bytes(call->rows * C, sizeof(real)) +
                   arena_piece_bytes(call->rows * V, sizeof(real));
    for (int site = 0; site < N_HOOK_SITES; site++) {
        bytes +=
            arena_piece_bytes(call->rows * hook_width(cfg, (HookSite)site, keys), sizeof(real));
    }
    int rc = tape_new(&worker->tape, cfg, EDGE_BLOCK, TAPE_FORWARD, NULL);
    rc = rc ? rc : arena_init(&worker->arena, bytes, "sites of the other run");
    if (rc != 0) {
        return rc;
    }
    worker->stream = arena_take(&worker->arena, call->rows * C, sizeof(real));
    worker->logits = arena_take(&worker->arena, call->rows * V, sizeof(real));
    for (int site = 0; site < N_HOOK_SITES; site++) {
        worker->kept[site] = arena_take(
            &worker->arena, call->rows * hook_width(cfg, (HookSite)site, keys), sizeof(real));
    }
    return 0;
}

/* The cells of all layers, and where those of each layer begin. cells NULL: counted only. */
static size_t list_cells(PatchCell *cells, size_t *first, const SiteQuestion *question)
{
    int L = question->gpt->cfg.n_layers;
    int n_at = (int)positions_of(question);
    size_t n = 0;
    for (int layer = 0; layer <= L; layer++) {
        first[layer] = n;
        for (int site = 0; site < N_HOOK_SITES; site++) {
            bool here = hook_site_outside((HookSite)site)
                            ? layer == L
                            : layer < L && (question->layers >> layer & 1) != 0;
            for (int at = 0; here && (question->sites >> site & 1) != 0 && at < n_at; at++, n++) {
                if (cells) {
                    cells[n] = (PatchCell){(HookSite)site, layer, at};
                }
            }
        }
    }
    first[L + 1] = n;
    return n;
}

/* sqrt of the variance of all token embeddings, times PATCH_NOISE_SD. */
static real noise_sd(const Gpt *gpt)
{
    size_t n = (size_t)gpt->cfg.d_vocab * (size_t)gpt->cfg.d_model;
    const real *w = gpt->params + gpt->map.W_E;
    double sum = 0.0, square = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)w[i];
        square += (double)w[i] * (double)w[i];
    }
    double mean = sum / (double)n;
    return (real)(PATCH_NOISE_SD * sqrt(square / (double)n - mean * mean));
}

static int call_make(SiteCall *call)
{
    const SiteQuestion *question = call->question;
    SiteEffects *out = call->out;
    size_t n = question->n_pairs;
    call->first_cell = mem_calloc(layers_of(call) + 1, sizeof(size_t), "cells of layers");
    call->order = mem_alloc(n, sizeof(*call->order), "order of pairs");
    call->blocks = mem_alloc(n, sizeof(*call->blocks), "blocks of pairs");
    call->n_workers = work_workers(call->work);
    call->workers = mem_calloc(call->n_workers, sizeof(*call->workers), "workers of a patch");
    if (!call->first_cell || !call->order || !call->blocks || !call->workers) {
        return OGPT_ENOMEM;
    }
    out->n_pairs = n;
    out->n_cells = list_cells(NULL, call->first_cell, question);
    out->cells = mem_alloc(out->n_cells, sizeof(*out->cells), "patched cells");
    out->scores = mem_alloc(out->n_cells * n, sizeof(*out->scores), "scores of patches");
    out->base = mem_alloc(n, sizeof(*out->base), "scores of base runs");
    out->other = mem_alloc(n, sizeof(*out->other), "scores of other runs");
    if (!out->cells || !out->scores || !out->base || !out->other) {
        return OGPT_ENOMEM;
    }
    list_cells(out->cells, call->first_cell, question);
    call->n_blocks = patch_blocks__list(call->blocks, call->order, question->pairs, n, true);
    for (size_t i = 0; i < call->n_blocks; i++) {
        size_t rows = call->blocks[i].n * call->blocks[i].T;
        call->rows = rows > call->rows ? rows : call->rows;
    }
    call->sd = noise_sd(question->gpt);
    int rc = 0;
    for (size_t i = 0; i < call->n_workers && rc == 0; i++) {
        rc = worker_make(&call->workers[i], call);
    }
    return rc;
}

static void call_release(SiteCall *call)
{
    for (size_t i = 0; call->workers && i < call->n_workers; i++) {
        tape_free(call->workers[i].tape);
        arena_release(&call->workers[i].arena);
    }
    mem_free(call->workers);
    mem_free(call->first_cell);
    mem_free(call->order);
    mem_free(call->blocks);
}

int patch_sites(SiteEffects *out, const SiteQuestion *question, const Work *work)
{
    const char *stage = question->noise                        ? "patch noise"
                        : question->direction == PATCH_NOISING ? "patch noising"
                                                               : "patch denoising";
    SiteCall call = {.question = question, .work = work, .out = out};
    *out = (SiteEffects){0};
    int rc = patch_check(question->gpt, question->vocab, question->pairs, question->n_pairs);
    rc = rc ? rc : call_make(&call);
    rc = rc ? rc : pool_run(work->pool, call.n_blocks, plain_job, &call);
    if (rc == 0) {
        PatchJobs jobs = {.work = work,
                          .stage = stage,
                          .unit = "passes",
                          .n_units = (double)(call.n_blocks * layers_of(&call)),
                          .n_jobs = call.n_blocks * layers_of(&call),
                          .context = &call,
                          .numbers = site_numbers,
                          .run = site_run,
                          .take = site_take};
        rc = patch_jobs_run(&jobs);
    }
    call_release(&call);
    if (rc != 0) {
        patch_sites_release(out);
    }
    return rc;
}

void patch_sites_release(SiteEffects *effects)
{
    mem_free(effects->cells);
    mem_free(effects->scores);
    mem_free(effects->base);
    mem_free(effects->other);
    *effects = (SiteEffects){0};
}
