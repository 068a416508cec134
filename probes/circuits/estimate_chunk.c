/* probes/circuits/estimate_chunk.c - contract in probes/circuits/estimate_chunk.h. */
#include "probes/circuits/estimate_chunk.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/prefix.h"
#include "probes/circuits/qk_fix.h"
#include "probes/circuits/receiver_gradients.h"
#include "probes/graph/outputs.h"

enum { BASE, OTHER, N_RUNS, NO_LAYER = -1 };

struct EstimateLab {
    const EdgeQuestion *question;
    bool qk, drop, ends; /* which passes are asked for */
    Tape *tape;
    Prefix
        *prefix; /* gradients at the base run where only the last position is patched; NULL else */
    Arena arena;
    /* The chunk. */
    const EstimateRow *rows;
    KeptRows kept;
    uint8_t *tokens[N_RUNS]; /* (pairs * T) */
    real *weights, *dlogits; /* (pairs, V), (pairs * T, V) */
    real *outputs;           /* (senders, pairs * T, C) of one run */
    real *delta;             /* (senders, kept, C) other minus base */
    real *embed[N_RUNS];     /* (pairs * T, C) what the input writes */
    real *q, *k;             /* (L, pairs * T, C) of the base run; NULL: not needed */
    real *qkv[3];            /* (L, kept, C) q, k, v of the other run minus those of the base run */
    GradientPoint point;
    real *gradient; /* (kept, C) of one receiver */
    real *dpattern; /* (passes, L, kept, NH * T); NULL: not needed */
    float **out;    /* (passes, pairs) of qk_fix */
    void *room;     /* of qk_fix */
    /* The pass that runs now. */
    int side;       /* whose outputs are taken; N_RUNS: none */
    double between; /* place on the way from base (0) to other (1); negative: not on it */
    bool lasts;     /* its rows are the last positions alone, one a pair */
    int dropped;    /* layer whose writes pass nothing back */
    size_t pass;    /* whose pattern gradients are kept */
    double sums[ESTIMATE_CHUNK_PAIRS]; /* (other - base) . gradient at the embeddings */
};

/* ---- memory ---- */

static size_t rows_kept(const EdgeQuestion *question)
{
    return ESTIMATE_CHUNK_PAIRS *
           (question->scope == PATCH_ALL ? (size_t)question->gpt->cfg.n_ctx : 1);
}

/* Counts (arena without a base) or carves. */
static void *take(EstimateLab *lab, size_t *bytes, size_t count, size_t size)
{
    *bytes += arena_piece_bytes(count, size);
    return lab->arena.base ? arena_take(&lab->arena, count, size) : NULL;
}

static size_t carve(EstimateLab *lab)
{
    const GptConfig *cfg = &lab->question->gpt->cfg;
    size_t P = ESTIMATE_CHUNK_PAIRS, L = (size_t)cfg->n_layers, C = (size_t)cfg->d_model;
    size_t rows = P * (size_t)cfg->n_ctx, n = rows_kept(lab->question), bytes = 0;
    size_t S = lab->question->graph->n_senders, passes = lab->drop ? L + 1 : 1;
    GradientPoint *point = &lab->point;
    real **of_blocks[] = {&point->pre, &point->mid, &point->dq,
                          &point->dk,  &point->dv,  &point->dln2};
    for (int side = 0; side < N_RUNS; side++) {
        lab->tokens[side] = take(lab, &bytes, rows, 1);
        lab->embed[side] = take(lab, &bytes, rows * C, sizeof(real));
    }
    for (size_t i = 0; i < sizeof(of_blocks) / sizeof(of_blocks[0]); i++) {
        *of_blocks[i] = take(lab, &bytes, L * n * C, sizeof(real));
    }
    for (int i = 0; i < 3; i++) {
        lab->qkv[i] = take(lab, &bytes, L * n * C, sizeof(real));
    }
    point->last = take(lab, &bytes, n * C, sizeof(real));
    point->dfinal = take(lab, &bytes, n * C, sizeof(real));
    lab->gradient = take(lab, &bytes, n * C, sizeof(real));
    lab->weights = take(lab, &bytes, P * (size_t)cfg->d_vocab, sizeof(real));
    lab->dlogits = take(lab, &bytes, rows * (size_t)cfg->d_vocab, sizeof(real));
    lab->outputs = take(lab, &bytes, S * rows * C, sizeof(real));
    lab->delta = take(lab, &bytes, S * n * C, sizeof(real));
    lab->kept.row = take(lab, &bytes, n, sizeof(*lab->kept.row));
    lab->kept.first = take(lab, &bytes, P + 1, sizeof(*lab->kept.first));
    lab->kept.length = take(lab, &bytes, P, sizeof(*lab->kept.length));
    if (lab->qk) {
        size_t wide = (size_t)cfg->n_heads * (size_t)cfg->n_ctx;
        lab->q = take(lab, &bytes, L * rows * C, sizeof(real));
        lab->k = take(lab, &bytes, L * rows * C, sizeof(real));
        lab->dpattern = take(lab, &bytes, passes * L * n * wide, sizeof(real));
        lab->out = take(lab, &bytes, passes * P, sizeof(*lab->out));
        lab->room = take(lab, &bytes, qk_fix_bytes(cfg, n), 1);
    }
    return bytes;
}

static EstimateLab lab_for(const EdgeQuestion *question, const EstimateOptions *options)
{
    unsigned wanted = options->wanted;
    return (EstimateLab){.question = question,
                         .qk = (wanted & (1U << ESTIMATE_ATP_QK | 1U << ESTIMATE_ATP_STAR)) != 0,
                         .drop =
                             (wanted & (1U << ESTIMATE_ATP_DROP | 1U << ESTIMATE_ATP_STAR)) != 0,
                         .ends = (wanted & 1U << ESTIMATE_CLEAN_CORRUPTED) != 0};
}

size_t estimate_lab_bytes(const EdgeQuestion *question, const EstimateOptions *options)
{
    EstimateLab lab = lab_for(question, options);
    const GptConfig *cfg = &question->gpt->cfg;
    return carve(&lab) + tape_bytes(cfg, ESTIMATE_CHUNK_PAIRS, TAPE_GRADIENT, NULL) +
           (question->scope == PATCH_LAST ? prefix_bytes(cfg, ESTIMATE_CHUNK_PAIRS, TAPE_GRADIENT)
                                          : 0);
}

int estimate_lab_new(EstimateLab **out, const EdgeQuestion *question,
                     const EstimateOptions *options)
{
    EstimateLab *lab = mem_calloc(1, sizeof(*lab), "estimates of edges");
    *out = lab;
    if (!lab) {
        return OGPT_ENOMEM;
    }
    *lab = lab_for(question, options);
    int rc = arena_init(&lab->arena, carve(lab), "estimates of edges");
    if (rc == 0) {
        carve(lab);
        rc = tape_new(&lab->tape, &question->gpt->cfg, ESTIMATE_CHUNK_PAIRS, TAPE_GRADIENT, NULL);
    }
    if (rc == 0 && question->scope == PATCH_LAST) {
        rc = prefix_new(&lab->prefix, &question->gpt->cfg, ESTIMATE_CHUNK_PAIRS, TAPE_GRADIENT,
                        NULL);
    }
    return rc;
}

void estimate_lab_free(EstimateLab *lab)
{
    if (lab) {
        tape_free(lab->tape);
        prefix_free(lab->prefix);
        arena_release(&lab->arena);
        mem_free(lab);
    }
}

/* ---- hooks ---- */

/* The kept rows of a site. */
static void keep_rows(real *to, const EstimateLab *lab, const real *from, size_t width, int layer)
{
    to += (size_t)layer * lab->kept.n * width;
    for (size_t i = 0; i < lab->kept.n; i++) {
        size_t row = lab->lasts ? i : lab->kept.row[i];
        memcpy(to + i * width, from + row * width, width * sizeof(real));
    }
}

/* The other run comes first: its q, k or v, then minus those of the base run. */
static void take_qkv(EstimateLab *lab, const HookPoint *point)
{
    size_t C = point->width, n = lab->kept.n, layer = (size_t)point->layer;
    real *to = lab->qkv[point->site - HOOK_Q];
    if (lab->side == OTHER) {
        keep_rows(to, lab, point->value, C, point->layer);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < C; c++) {
            to[(layer * n + i) * C + c] -= point->value[lab->kept.row[i] * C + c];
        }
    }
    if (lab->qk && point->site != HOOK_V) {
        size_t numbers = point->B * point->T * C;
        memcpy((point->site == HOOK_Q ? lab->q : lab->k) + layer * numbers, point->value,
               numbers * sizeof(real));
    }
}

static void forward_hook(void *context, const HookPoint *point)
{
    EstimateLab *lab = context;
    size_t rows = point->B * point->T, numbers = rows * point->width;
    if (point->site == HOOK_RESID_PRE && point->layer == 0) {
        if (lab->between >= 0) {
            real at = (real)lab->between;
            for (size_t i = 0; i < numbers; i++) {
                point->value[i] =
                    lab->embed[BASE][i] + at * (lab->embed[OTHER][i] - lab->embed[BASE][i]);
            }
        } else {
            memcpy(lab->embed[lab->side], point->value, numbers * sizeof(real));
        }
    }
    if (lab->side < N_RUNS) {
        outputs_take(lab->outputs, rows, lab->question->graph, lab->question->gpt, point);
    }
    if (point->site >= HOOK_Q && point->site <= HOOK_V) {
        take_qkv(lab, point);
    }
}

/* (other - base) . gradient at the embeddings, all positions of each pair. */
static void add_embeddings(EstimateLab *lab, const HookPoint *point)
{
    for (size_t p = 0; p < point->B; p++) {
        size_t first = p * point->T * point->width;
        double sum = 0;
        for (size_t i = first; i < first + lab->kept.length[p] * point->width; i++) {
            sum +=
                (double)(lab->embed[OTHER][i] - lab->embed[BASE][i]) * (double)point->gradient[i];
        }
        lab->sums[p] = sum;
    }
}

/* A row of the hook has room for more keys than the longest sequence. */
static void keep_pattern(const EstimateLab *lab, const HookPoint *point)
{
    const GptConfig *cfg = &lab->question->gpt->cfg;
    size_t NH = (size_t)cfg->n_heads, keys = point->width / NH, T = lab->kept.T;
    size_t layer = lab->pass * (size_t)cfg->n_layers + (size_t)point->layer;
    real *to = lab->dpattern + layer * lab->kept.n * NH * T;
    for (size_t i = 0; i < lab->kept.n; i++) {
        size_t row = lab->lasts ? i : lab->kept.row[i];
        for (size_t h = 0; h < NH; h++) {
            memcpy(to + (i * NH + h) * T, point->gradient + (row * NH + h) * keys, T * sizeof(*to));
        }
    }
}

static void gradient_hook(void *context, const HookPoint *point)
{
    EstimateLab *lab = context;
    const GradientPoint *kept = &lab->point;
    size_t width = point->width;
    switch (point->site) {
    case HOOK_FINAL: keep_rows(kept->dfinal, lab, point->gradient, width, 0); break;
    case HOOK_RESID_POST: keep_rows(kept->last, lab, point->value, width, 0); break;
    case HOOK_LN2: keep_rows(kept->dln2, lab, point->gradient, width, point->layer); break;
    case HOOK_RESID_MID: keep_rows(kept->mid, lab, point->value, width, point->layer); break;
    case HOOK_V: keep_rows(kept->dv, lab, point->gradient, width, point->layer); break;
    case HOOK_K: keep_rows(kept->dk, lab, point->gradient, width, point->layer); break;
    case HOOK_Q: keep_rows(kept->dq, lab, point->gradient, width, point->layer); break;
    case HOOK_PATTERN: keep_pattern(lab, point); break;
    case HOOK_RESID_PRE:
        keep_rows(kept->pre, lab, point->value, width, point->layer);
        if (point->layer == 0 && !lab->lasts) {
            add_embeddings(lab, point);
        }
        break;
    default: /* attn_out and mlp_out: what block l wrote passes nothing back */
        if (point->layer == lab->dropped) {
            memset(point->gradient, 0, point->B * point->T * width * sizeof(real));
        }
        break;
    }
}

/* ---- passes ---- */

/* The logits of a pass on one run, or `between` the two. take_outputs: what its senders write. */
static const real *run_forward(EstimateLab *lab, int side, bool take_outputs, double between)
{
    const EdgeQuestion *question = lab->question;
    Hooks hooks = {.fn = forward_hook, .context = lab};
    lab->side = take_outputs ? side : N_RUNS;
    lab->between = between;
    hooks.sites[HOOK_RESID_PRE] = 1;
    if (take_outputs) {
        outputs_want(&hooks, question->graph);
        hooks.sites[HOOK_Q] = hooks.sites[HOOK_K] = hooks.sites[HOOK_V] = ~0ULL;
    }
    return gpt_forward(question->gpt, lab->tape, lab->tokens[side], lab->kept.n_pairs, lab->kept.T,
                       &hooks);
}

static void run_back(EstimateLab *lab, int dropped, bool patterns)
{
    const EdgeQuestion *question = lab->question;
    Hooks hooks = {.fn = gradient_hook, .context = lab};
    static const HookSite sites[] = {HOOK_FINAL, HOOK_LN2, HOOK_RESID_MID, HOOK_V,
                                     HOOK_K,     HOOK_Q,   HOOK_RESID_PRE};
    lab->dropped = dropped;
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        hooks.sites[sites[i]] = ~0ULL;
    }
    hooks.sites[HOOK_RESID_POST] = 1ULL << (question->gpt->cfg.n_layers - 1);
    hooks.sites[HOOK_PATTERN] = patterns ? ~0ULL : 0;
    hooks.sites[HOOK_ATTN_OUT] = hooks.sites[HOOK_MLP_OUT] =
        dropped == NO_LAYER ? 0 : 1ULL << dropped;
    if (lab->lasts) {
        prefix_gradient(lab->prefix, question->gpt, lab->weights, &hooks);
    } else {
        gpt_gradient(question->gpt, lab->tape, lab->tokens[BASE], lab->dlogits, &hooks, NULL);
    }
}

/* delta = or -= the kept rows of the outputs. */
static void take_delta(EstimateLab *lab, int side)
{
    size_t C = (size_t)lab->question->gpt->cfg.d_model, n = lab->kept.n;
    size_t rows = lab->kept.n_pairs * lab->kept.T;
    for (size_t s = 0; s < lab->question->graph->n_senders; s++) {
        for (size_t i = 0; i < n; i++) {
            real *to = lab->delta + (s * n + i) * C;
            const real *from = lab->outputs + (s * rows + lab->kept.row[i]) * C;
            for (size_t c = 0; c < C; c++) {
                to[c] = side == OTHER ? from[c] : to[c] - from[c];
            }
        }
    }
}

static double dot(const real *a, const real *b, size_t n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return (double)sum;
}

/* The nodes of the same plane: senders are the sum of their edges, but where the gradient of their
 * own block's writes is stopped; q, k and v have a gradient of their own. */
static void score_nodes(EstimateLab *lab, Estimate estimate, size_t plane, double share)
{
    const Graph *graph = lab->question->graph;
    const GptConfig *cfg = &lab->question->gpt->cfg;
    const KeptRows *kept = &lab->kept;
    const real *gradients[3] = {lab->point.dq, lab->point.dk, lab->point.dv};
    size_t C = (size_t)cfg->d_model, HS = (size_t)cfg->d_head;
    for (size_t p = 0; p < kept->n_pairs; p++) {
        float *edges = lab->rows[p].values[estimate] + plane * lab->rows[p].plane;
        float *nodes = edges + graph->n_edges;
        for (size_t s = 0; s < graph->n_senders; s++) {
            double sum = 0;
            for (size_t r = 0; r < graph->n_receivers; r++) {
                sum += s < graph_sees(graph, r) ? (double)edges[graph_first_edge(graph, r) + s] : 0;
            }
            bool stopped = lab->dropped != NO_LAYER && circuit_node_layer(graph, s) == lab->dropped;
            nodes[s] = stopped ? 0 : (float)sum;
        }
        for (size_t node = graph->n_senders; node < circuit_nodes(graph); node++) {
            size_t at = node - graph->n_senders, layer = at / (3 * (size_t)cfg->n_heads);
            size_t kind = at / (size_t)cfg->n_heads % 3, head = at % (size_t)cfg->n_heads;
            double sum = 0;
            for (size_t i = kept->first[p]; i < kept->first[p + 1]; i++) {
                size_t slice = (layer * kept->n + i) * C + head * HS;
                sum += dot(lab->qkv[kind] + slice, gradients[kind] + slice, HS);
            }
            nodes[node] += (float)(share * sum);
        }
    }
}

/* Every edge of every pair at this point: times `share` onto a plane of an estimate. */
static void score_edges(EstimateLab *lab, Estimate estimate, size_t plane, double share)
{
    const Graph *graph = lab->question->graph;
    const KeptRows *kept = &lab->kept;
    size_t C = (size_t)lab->question->gpt->cfg.d_model;
    for (size_t r = 0; r < graph->n_receivers; r++) {
        size_t first = graph_first_edge(graph, r);
        receiver_gradient(lab->gradient, lab->question, &lab->point, graph_receiver(graph, r));
        for (size_t s = 0; s < graph_sees(graph, r); s++) {
            const real *delta = lab->delta + s * kept->n * C;
            for (size_t p = 0; p < kept->n_pairs; p++) {
                float *to = lab->rows[p].values[estimate] + plane * lab->rows[p].plane + first + s;
                double sum = 0;
                for (size_t i = kept->first[p]; i < kept->first[p + 1]; i++) {
                    sum += dot(delta + i * C, lab->gradient + i * C, C);
                }
                *to += (float)(share * sum);
            }
        }
    }
    score_nodes(lab, estimate, plane, share);
}

static void copy_plane(EstimateLab *lab, Estimate to, Estimate from, size_t plane)
{
    for (size_t p = 0; p < lab->kept.n_pairs; p++) {
        const EstimateRow *row = &lab->rows[p];
        memcpy(row->values[to] + plane * row->plane, row->values[from] + plane * row->plane,
               (lab->question->graph->n_edges + circuit_nodes(lab->question->graph)) *
                   sizeof(float));
    }
}

/* The linear scores of the pass that just went back, for one estimate or two. */
static void score_both(EstimateLab *lab, Estimate a, Estimate b, size_t plane)
{
    bool first = lab->rows[0].values[a];
    if (first) {
        score_edges(lab, a, plane, 1.0);
    }
    if (lab->rows[0].values[b]) {
        if (first) {
            copy_plane(lab, b, a, plane);
        } else {
            score_edges(lab, b, plane, 1.0);
        }
    }
}

/* ---- a chunk ---- */

static void set_chunk(EstimateLab *lab, const EstimateRow *rows, size_t n)
{
    const EdgeQuestion *question = lab->question;
    const Vocab *vocab = question->vocab;
    KeptRows *kept = &lab->kept;
    size_t T = 1, V = (size_t)vocab->d_vocab;
    lab->rows = rows;
    for (size_t p = 0; p < n; p++) {
        kept->length[p] = (size_t)rows[p].pair->n_moves;
        T = kept->length[p] > T ? kept->length[p] : T;
    }
    *kept = (KeptRows){n, T, 0, kept->row, kept->first, kept->length};
    memset(lab->tokens[BASE], TOK_PAD, n * T);
    memset(lab->tokens[OTHER], TOK_PAD, n * T);
    memset(lab->dlogits, 0, n * T * V * sizeof(real));
    for (size_t p = 0; p < n; p++) {
        const GamePair *pair = rows[p].pair;
        bool noising = question->direction == PATCH_NOISING;
        size_t last = kept->length[p] - 1;
        for (size_t t = 0; t <= last; t++) {
            uint8_t clean = vocab->tok_of_sq[pair->clean[t]];
            uint8_t corrupt = vocab->tok_of_sq[pair->corrupt[t]];
            lab->tokens[BASE][p * T + t] = noising ? clean : corrupt;
            lab->tokens[OTHER][p * T + t] = noising ? corrupt : clean;
        }
        if (rows[p].weights) {
            memcpy(lab->weights + p * V, rows[p].weights, V * sizeof(real));
        } else {
            pair_weights(lab->weights + p * V, vocab, pair);
        }
        memcpy(lab->dlogits + (p * T + last) * V, lab->weights + p * V, V * sizeof(real));
        kept->first[p] = kept->n;
        for (size_t t = question->scope == PATCH_ALL ? 0 : last; t <= last; t++) {
            kept->row[kept->n++] = p * T + t;
        }
    }
    kept->first[n] = kept->n;
    lab->point.n = kept->n;
}

/* Both runs: what the senders write, and the denominators. */
static void run_pairs(EstimateLab *lab)
{
    int V = lab->question->vocab->d_vocab;
    for (int side = OTHER; side >= BASE; side--) {
        const real *logits = run_forward(lab, side, true, -1.0);
        for (size_t p = 0; p < lab->kept.n_pairs; p++) {
            size_t last = p * lab->kept.T + lab->kept.length[p] - 1;
            double delta = pair_delta(lab->weights + p * (size_t)V, logits + last * (size_t)V, V);
            *lab->rows[p].denominator = side == OTHER ? delta : *lab->rows[p].denominator - delta;
        }
        take_delta(lab, side);
    }
}

/* Gradients at the base run, whose forward pass is on the tape. */
static void run_gradients(EstimateLab *lab)
{
    int L = lab->question->gpt->cfg.n_layers;
    float *const *wanted = lab->rows[0].values;
    size_t n = lab->kept.n_pairs;
    lab->pass = 0;
    if (lab->prefix) {
        uint8_t lengths[ESTIMATE_CHUNK_PAIRS];
        for (size_t p = 0; p < n; p++) {
            lengths[p] = (uint8_t)lab->kept.length[p];
        }
        prefix_fill(lab->prefix, lab->question->gpt, lab->tokens[BASE], lab->kept.T, lengths, n,
                    NULL);
        prefix_last(lab->prefix, lab->question->gpt, NULL);
        lab->lasts = true;
    }
    if (wanted[ESTIMATE_ATP] || wanted[ESTIMATE_ATP_QK] || lab->ends) {
        run_back(lab, NO_LAYER, wanted[ESTIMATE_ATP_QK]);
        score_both(lab, ESTIMATE_ATP, ESTIMATE_ATP_QK, 0);
        for (size_t p = 0; wanted[ESTIMATE_ATP_QK] && p < n; p++) {
            lab->out[p] = lab->rows[p].values[ESTIMATE_ATP_QK];
        }
        lab->pass += wanted[ESTIMATE_ATP_QK] ? 1 : 0;
        if (lab->ends) {
            score_edges(lab, ESTIMATE_CLEAN_CORRUPTED, 0, 0.5);
        }
    }
    for (int l = 0; lab->drop && l < L; l++) {
        run_back(lab, L > 1 ? l : NO_LAYER, wanted[ESTIMATE_ATP_STAR]);
        score_both(lab, ESTIMATE_ATP_DROP, ESTIMATE_ATP_STAR, (size_t)l);
        for (size_t p = 0; wanted[ESTIMATE_ATP_STAR] && p < n; p++) {
            const EstimateRow *row = &lab->rows[p];
            lab->out[lab->pass * n + p] = row->values[ESTIMATE_ATP_STAR] + (size_t)l * row->plane;
        }
        lab->pass += wanted[ESTIMATE_ATP_STAR] ? 1 : 0;
    }
    lab->lasts = false;
    if (lab->qk) {
        QkFix fix = {.question = lab->question,
                     .kept = &lab->kept,
                     .pre = lab->point.pre,
                     .q = lab->q,
                     .k = lab->k,
                     .delta = lab->delta,
                     .change = {lab->qkv[0], lab->qkv[1]},
                     .dpattern = lab->dpattern,
                     .n_passes = lab->pass,
                     .out = lab->out,
                     .memory = lab->room};
        qk_fix_run(&fix);
    }
}

void estimate_chunk(EstimateLab *lab, const EstimateRow *rows, size_t n, const int *trials,
                    int n_trials)
{
    set_chunk(lab, rows, n);
    run_pairs(lab);
    run_gradients(lab);
    if (lab->ends) {
        run_forward(lab, BASE, false, 1.0);
        run_back(lab, NO_LAYER, false);
        score_edges(lab, ESTIMATE_CLEAN_CORRUPTED, 0, 0.5);
    }
    for (int i = 0; i < n_trials; i++) { /* the last is the number of points asked for */
        for (int k = 0; k < trials[i]; k++) {
            double share = 1.0 / trials[i];
            run_forward(lab, BASE, false, (k + 0.5) * share);
            run_back(lab, NO_LAYER, false);
            for (size_t p = 0; p < n; p++) {
                rows[p].sums[i] += share * lab->sums[p];
            }
            if (i == n_trials - 1) {
                score_edges(lab, ESTIMATE_EAP_IG, 0, share);
            }
        }
    }
}
