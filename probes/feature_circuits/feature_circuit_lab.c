/* probes/feature_circuits/feature_circuit_lab.c - see
 * probes/feature_circuits/feature_circuit_lab.h. */
#include "probes/feature_circuits/feature_circuit_lab.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/prefix.h"
#include "probes/dictionaries/splice.h"

/* Sequences of a pass at all positions, rows of one at the last position. */
enum { LAB_GAMES = 16, LAB_ROWS = 64 };

struct FeatureLab {
    const FeatureQuestion *question;
    HookSite site; /* where rows are changed: resid_post of a block is resid_pre of the next one */
    int layer;
    size_t T, games; /* moves of the pair; sequences of a pass */
    bool neurons;    /* whether the site holds what the layer's neurons write */
    Tape *forward, *back;
    Prefix *prefix; /* at the last position alone, else NULL */
    Arena arena;
    FeatureRuns runs;
    uint8_t *tokens[N_FEATURE_RUNS]; /* (n_ctx) */
    uint8_t *both;                   /* (games, n_ctx) both runs in turn */
    uint16_t *sequences;             /* (LAB_ROWS) zeros */
    real *weights, *dlogits;         /* (V), (n_ctx, V) */
    real *stream;                    /* (games, n_ctx, C) in front of the layer, of the base run */
    float *edited;                   /* (room, n_rows, width) */
    const float *rows;               /* of the pass that runs now */
    float *gradient;                 /* of the way back */
};

size_t feature_circuit_lab_rows(const FeatureQuestion *question)
{
    return question->scope == PATCH_ALL ? (size_t)question->gpt->cfg.n_ctx : 1;
}

size_t feature_circuit_lab_room(const FeatureLab *lab)
{
    return lab->prefix ? LAB_ROWS : LAB_GAMES;
}

/* ---- memory ---- */

/* Counts (arena without a base) or carves. */
static void *take(FeatureLab *lab, size_t *bytes, size_t count, size_t size)
{
    *bytes += arena_piece_bytes(count, size);
    return lab->arena.base ? arena_take(&lab->arena, count, size) : NULL;
}

static size_t carve(FeatureLab *lab)
{
    const GptConfig *cfg = &lab->question->gpt->cfg;
    const size_t ctx = (size_t)cfg->n_ctx, V = (size_t)cfg->d_vocab, width = lab->runs.width;
    const size_t R = feature_circuit_lab_rows(lab->question);
    size_t bytes = 0;
    for (int side = 0; side < N_FEATURE_RUNS; side++) {
        lab->tokens[side] = take(lab, &bytes, ctx, 1);
        lab->runs.rows[side] = take(lab, &bytes, R * width, sizeof(float));
        lab->runs.neurons[side] = take(lab, &bytes, R * (size_t)cfg->d_mlp, sizeof(float));
    }
    lab->both = take(lab, &bytes, lab->games * ctx, 1);
    lab->sequences = take(lab, &bytes, LAB_ROWS, sizeof(*lab->sequences));
    lab->weights = take(lab, &bytes, V, sizeof(real));
    lab->dlogits = take(lab, &bytes, ctx * V, sizeof(real));
    lab->stream = take(lab, &bytes, lab->games * ctx * (size_t)cfg->d_model, sizeof(real));
    lab->edited =
        take(lab, &bytes, (lab->question->scope == PATCH_ALL ? LAB_GAMES : LAB_ROWS) * R * width,
             sizeof(float));
    return bytes;
}

static FeatureLab lab_for(const FeatureQuestion *question)
{
    const GptConfig *cfg = &question->gpt->cfg;
    const SaeConfig *sae = &question->sae->cfg;
    FeatureLab lab = {.question = question,
                      .site = sae->site,
                      .layer = sae->layer,
                      .games = question->scope == PATCH_ALL ? LAB_GAMES : N_FEATURE_RUNS,
                      .neurons = splice_sees_neurons(sae->site, sae->layer),
                      .runs = {.width = sae->d_in}};
    if (sae->layer == LAYER_EMBED) {
        lab.site = HOOK_RESID_PRE;
        lab.layer = 0;
    } else if (sae->site == HOOK_RESID_POST && sae->layer + 1 < cfg->n_layers) {
        lab.site = HOOK_RESID_PRE;
        lab.layer = sae->layer + 1;
    }
    return lab;
}

size_t feature_circuit_lab_bytes(const FeatureQuestion *question)
{
    const GptConfig *cfg = &question->gpt->cfg;
    FeatureLab lab = lab_for(question);
    return carve(&lab) + tape_bytes(cfg, lab.games, TAPE_FORWARD, NULL) +
           tape_bytes(cfg, 1, TAPE_GRADIENT, NULL) +
           (question->scope == PATCH_LAST ? prefix_rows_bytes(cfg, 1, LAB_ROWS) : 0);
}

int feature_circuit_lab_new(FeatureLab **out, const FeatureQuestion *question)
{
    const GptConfig *cfg = &question->gpt->cfg;
    FeatureLab *lab = mem_calloc(1, sizeof(*lab), "passes of a pair");
    *out = lab;
    if (!lab) {
        return OGPT_ENOMEM;
    }
    *lab = lab_for(question);
    int rc = arena_init(&lab->arena, carve(lab), "passes of a pair");
    if (rc == 0) {
        carve(lab);
        rc = tape_new(&lab->forward, cfg, lab->games, TAPE_FORWARD, NULL);
    }
    rc = rc ? rc : tape_new(&lab->back, cfg, 1, TAPE_GRADIENT, NULL);
    if (rc == 0 && question->scope == PATCH_LAST) {
        rc = prefix_new_rows(&lab->prefix, cfg, 1, LAB_ROWS, NULL);
    }
    return rc;
}

void feature_circuit_lab_free(FeatureLab *lab)
{
    if (lab) {
        tape_free(lab->forward);
        tape_free(lab->back);
        prefix_free(lab->prefix);
        arena_release(&lab->arena);
        mem_free(lab);
    }
}

/* ---- both runs ---- */

/* The last n_rows rows of one sequence. */
static const real *last_rows(const HookPoint *point, size_t sequence, size_t n_rows)
{
    return point->value + ((sequence + 1) * point->T - n_rows) * point->width;
}

static void capture_hook(void *context, const HookPoint *point)
{
    FeatureLab *lab = context;
    FeatureRuns *runs = &lab->runs;
    const size_t numbers = runs->n_rows * point->width;
    if (point->site == HOOK_RESID_PRE && point->layer == lab->layer) {
        for (size_t g = 0; g < lab->games; g++) {
            memcpy(lab->stream + g * point->T * point->width, point->value,
                   point->T * point->width * sizeof(real));
        }
    }
    for (size_t side = 0; side < N_FEATURE_RUNS; side++) {
        const real *from = last_rows(point, side, runs->n_rows);
        if (point->site == lab->site && point->layer == lab->layer) {
            memcpy(runs->rows[side], from, numbers * sizeof(*from));
        }
        if (lab->neurons && point->site == HOOK_POST &&
            point->layer == lab->question->sae->cfg.layer) {
            memcpy(runs->neurons[side], from, numbers * sizeof(*from));
        }
    }
}

static void set_tokens(FeatureLab *lab, const GamePair *pair)
{
    const Vocab *vocab = lab->question->vocab;
    const bool noising = lab->question->direction == PATCH_NOISING;
    const size_t T = lab->T;
    for (size_t t = 0; t < T; t++) {
        uint8_t clean = vocab->tok_of_sq[pair->clean[t]];
        uint8_t corrupt = vocab->tok_of_sq[pair->corrupt[t]];
        lab->tokens[FEATURE_RUN_BASE][t] = noising ? clean : corrupt;
        lab->tokens[FEATURE_RUN_OTHER][t] = noising ? corrupt : clean;
    }
    for (size_t g = 0; g < lab->games; g++) {
        memcpy(lab->both + g * T, lab->tokens[g % N_FEATURE_RUNS], T);
    }
}

static double delta_of(const FeatureLab *lab, const real *logits)
{
    return pair_delta(lab->weights, logits, lab->question->vocab->d_vocab);
}

const FeatureRuns *feature_circuit_lab_set(FeatureLab *lab, const GamePair *pair)
{
    const FeatureQuestion *question = lab->question;
    const size_t V = (size_t)question->vocab->d_vocab, T = (size_t)pair->n_moves;
    Hooks hooks = {.fn = capture_hook, .context = lab};
    lab->T = T;
    lab->runs.n_rows = question->scope == PATCH_ALL ? T : 1;
    set_tokens(lab, pair);
    pair_weights(lab->weights, question->vocab, pair);
    memset(lab->dlogits, 0, T * V * sizeof(real));
    memcpy(lab->dlogits + (T - 1) * V, lab->weights, V * sizeof(real));
    hooks.sites[HOOK_RESID_PRE] = 1ULL << lab->layer;
    hooks.sites[lab->site] |= 1ULL << lab->layer;
    if (lab->neurons) {
        hooks.sites[HOOK_POST] |= 1ULL << question->sae->cfg.layer;
    }
    const real *logits = gpt_forward(question->gpt, lab->forward, lab->both, lab->games, T, &hooks);
    for (size_t side = 0; side < N_FEATURE_RUNS; side++) {
        lab->runs.delta[side] = delta_of(lab, logits + ((side + 1) * T - 1) * V);
    }
    if (lab->prefix) {
        const uint8_t length = (uint8_t)T;
        prefix_fill(lab->prefix, question->gpt, lab->tokens[FEATURE_RUN_BASE], T, &length, 1, NULL);
    }
    return &lab->runs;
}

/* ---- passes ---- */

float *feature_circuit_lab_edit(FeatureLab *lab, size_t i)
{
    return lab->edited + i * lab->runs.n_rows * lab->runs.width;
}

/* On the way forward the rows are replaced, on the way back their gradient is kept. */
static void edit_hook(void *context, const HookPoint *point)
{
    const FeatureLab *lab = context;
    const size_t n = lab->runs.n_rows, numbers = n * point->width;
    if (point->gradient) {
        memcpy(lab->gradient, point->gradient + (point->T - n) * point->width,
               numbers * sizeof(real));
        return;
    }
    for (size_t i = 0; i < point->B; i++) {
        memcpy(point->value + ((i + 1) * point->T - n) * point->width, lab->rows + i * numbers,
               numbers * sizeof(real));
    }
}

static Hooks edit_hooks(FeatureLab *lab)
{
    Hooks hooks = {.fn = edit_hook, .context = lab};
    hooks.sites[lab->site] = 1ULL << lab->layer;
    return hooks;
}

void feature_circuit_lab_run(double *delta, FeatureLab *lab, size_t n)
{
    const FeatureQuestion *question = lab->question;
    const size_t V = (size_t)question->vocab->d_vocab, room = feature_circuit_lab_room(lab);
    const size_t numbers = lab->runs.n_rows * lab->runs.width;
    const PassPart part = {.first = lab->layer};
    const Hooks hooks = edit_hooks(lab);
    for (size_t i = n; i < room; i++) {
        memcpy(lab->edited + i * numbers, lab->runs.rows[FEATURE_RUN_BASE],
               numbers * sizeof(float));
    }
    lab->rows = lab->edited;
    const real *logits = lab->prefix
                             ? prefix_rows(lab->prefix, question->gpt, lab->sequences, room, &hooks)
                             : gpt_forward_part(question->gpt, lab->forward, &part, lab->stream,
                                                room, lab->T, &hooks);
    const size_t stride = lab->prefix ? 1 : lab->T;
    for (size_t i = 0; i < n; i++) {
        delta[i] = delta_of(lab, logits + ((i + 1) * stride - 1) * V);
    }
}

void feature_circuit_lab_gradient(float *gradient, FeatureLab *lab, const float *at)
{
    const FeatureQuestion *question = lab->question;
    const uint8_t *tokens = lab->tokens[FEATURE_RUN_BASE];
    const Hooks hooks = edit_hooks(lab);
    lab->rows = at;
    lab->gradient = gradient;
    gpt_forward(question->gpt, lab->back, tokens, 1, lab->T, &hooks);
    gpt_gradient(question->gpt, lab->back, tokens, lab->dlogits, &hooks, NULL);
}
