/* probes/patching/edges_patched.c - one pass with any set of edges patched. See
 * probes/patching/edges.h. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "num/blas.h"
#include "probes/patching/edges_internal.h"

/* A set of edges, seen from both ends. */
typedef struct EdgeSet {
    const uint8_t *patched;
    uint8_t *reads;  /* (n_receivers) whether an edge into it is patched */
    uint8_t *writes; /* (n_senders) whether an edge out of it is patched */
    int first;       /* the first layer with a patched receiver; n_layers: the logits alone */
    Hooks hooks;     /* the sites that such a pass visits; without function */
} EdgeSet;

typedef struct PatchedCall {
    EdgeRuns *runs;
    const EdgeSet *set;
} PatchedCall;

/* One block on its way through the network. */
typedef struct PatchedPass {
    const EdgeRuns *runs;
    const EdgeSet *set;
    const EdgeBlock *block;
    EdgeWorker *worker;
    const real *x; /* (rows, C) the residual stream in front of the receivers that come next */
} PatchedPass;

/* ---- receivers ---- */

/* worker->x (n, rows, C): what n receivers from number `receiver` on read, those without a patched
 * edge left out. Returns how many are left. */
static size_t read_streams(const PatchedPass *pass, size_t receiver, size_t n)
{
    const EdgeQuestion *question = &pass->runs->question;
    const Graph *graph = question->graph;
    const EdgeBlock *block = pass->block;
    EdgeWorker *worker = pass->worker;
    size_t size = block->rows * (size_t)question->gpt->cfg.d_model, found = 0;
    size_t seen = graph_sees(graph, receiver);
    /* Senders below the first patched layer wrote what they write in the base run. */
    size_t below = 1 + (size_t)pass->set->first * (size_t)(graph->n_heads + 1);
    below = below < seen ? below : seen;
    for (size_t r = receiver; r < receiver + n; r++) {
        if (pass->set->reads[r]) {
            const uint8_t *edges = pass->set->patched + graph_first_edge(graph, r);
            for (size_t s = 0; s < seen; s++) {
                worker->mask[found * seen + s] = edges[s] ? 1.0F : 0.0F;
            }
            memcpy(worker->x + found * size, pass->x, size * sizeof(*pass->x));
            found++;
        }
    }
    gemm(false, false, found, size, below, 1, worker->mask, seen, block->diff, size, 1, worker->x,
         size);
    gemm(false, false, found, size, seen - below, 1, worker->mask + below, seen,
         worker->here + below * size, size, 1, worker->x, size);
    return found;
}

/* Rewrite the slices of the heads that read patched edges. */
static void patch_heads(const PatchedPass *pass, ReceiverKind kind, const HookPoint *point)
{
    const EdgeRuns *runs = pass->runs;
    const Graph *graph = runs->question.graph;
    const TensorMap *map = &runs->question.gpt->map;
    size_t C = point->width, HS = (size_t)runs->question.gpt->cfg.d_head, rows = pass->block->rows;
    size_t W = kind == RECEIVER_Q ? map->W_Q : kind == RECEIVER_K ? map->W_K : map->W_V;
    size_t b = kind == RECEIVER_Q ? map->b_Q : kind == RECEIVER_K ? map->b_K : map->b_V;
    Receiver receiver = {kind, point->layer, 0};
    size_t first = graph_receiver_index(graph, receiver);
    size_t n = read_streams(pass, first, (size_t)graph->n_heads), copy = 0;
    EdgeNorm norm = edges__norm_of(runs, pass->block, &receiver);
    edges__normalise(runs, pass->worker, &norm, rows, n);
    for (size_t h = 0; h < (size_t)graph->n_heads; h++) {
        if (pass->set->reads[first + h]) {
            const real *bias = edges__tensor(runs, b, point->layer) + h * HS;
            real *out = point->value + h * HS;
            for (size_t i = 0; i < rows; i++) {
                memcpy(out + i * C, bias, HS * sizeof(*bias));
            }
            gemm(false, false, rows, HS, C, 1, pass->worker->out + copy * rows * C, C,
                 edges__tensor(runs, W, point->layer) + h * HS, C, 1, out, C);
            copy++;
        }
    }
}

/* Rewrite what the MLP, or the unembedding, reads behind its LayerNorm. */
static void patch_rows(const PatchedPass *pass, Receiver receiver, const HookPoint *point)
{
    size_t index = graph_receiver_index(pass->runs->question.graph, receiver);
    if (pass->set->reads[index]) {
        EdgeNorm norm = edges__norm_of(pass->runs, pass->block, &receiver);
        read_streams(pass, index, 1);
        edges__normalise(pass->runs, pass->worker, &norm, pass->block->rows, 1);
        memcpy(point->value, pass->worker->out,
               pass->block->rows * point->width * sizeof(*point->value));
    }
}

/* ---- senders ---- */

/* worker->here of one head: what it wrote in the other run minus what it writes now. */
static void differ_head(const PatchedPass *pass, size_t sender, int head, const HookPoint *point)
{
    const EdgeRuns *runs = pass->runs;
    const TensorMap *map = &runs->question.gpt->map;
    size_t C = point->width, HS = (size_t)runs->question.gpt->cfg.d_head, rows = pass->block->rows;
    size_t at = (size_t)head * HS;
    const real *b = edges__tensor(runs, map->b_V, point->layer) + at;
    real *z = pass->worker->z, *here = pass->worker->here + sender * rows * C;
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < HS; j++) {
            z[i * HS + j] = point->value[i * C + at + j] - b[j];
        }
    }
    memcpy(here, pass->block->other + sender * rows * C, rows * C * sizeof(*here));
    gemm(false, false, rows, C, HS, -1, z, HS, edges__tensor(runs, map->W_O, point->layer) + at * C,
         C, 1, here, C);
}

static void differ_senders(const PatchedPass *pass, const HookPoint *point)
{
    const Graph *graph = pass->runs->question.graph;
    size_t size = pass->block->rows * point->width;
    size_t sender = graph_sender_index(graph, (Sender){SENDER_HEAD, point->layer, 0});
    if (point->site == HOOK_Z) {
        for (int head = 0; head < graph->n_heads; head++, sender++) {
            if (pass->set->writes[sender]) {
                differ_head(pass, sender, head, point);
            }
        }
        return;
    }
    sender = graph_sender_index(graph, (Sender){SENDER_MLP, point->layer, -1});
    real *here = pass->worker->here + sender * size;
    const real *other = pass->block->other + sender * size;
    for (size_t i = 0; pass->set->writes[sender] && i < size; i++) {
        here[i] = other[i] - point->value[i];
    }
}

/* ---- a pass ---- */

static void patched_hook(void *context, const HookPoint *point)
{
    PatchedPass *pass = context;
    switch (point->site) {
    case HOOK_RESID_PRE:
    case HOOK_RESID_MID:
    case HOOK_RESID_POST: pass->x = point->value; break;
    case HOOK_Q: patch_heads(pass, RECEIVER_Q, point); break;
    case HOOK_K: patch_heads(pass, RECEIVER_K, point); break;
    case HOOK_V: patch_heads(pass, RECEIVER_V, point); break;
    case HOOK_LN2: patch_rows(pass, (Receiver){RECEIVER_MLP, point->layer, -1}, point); break;
    case HOOK_FINAL: patch_rows(pass, (Receiver){RECEIVER_LOGITS, -1, -1}, point); break;
    default: differ_senders(pass, point);
    }
}

/* Layers 0 to n_layers - 1 from `first` on, as bits of a Hooks. */
static uint64_t layers_from(int first, int n_layers)
{
    uint64_t all = hook_all_layers(n_layers);
    return first >= 64 ? 0 : all >> first << first;
}

static Hooks set_hooks(const EdgeSet *set, const Graph *graph)
{
    static const HookSite of_kind[] = {HOOK_Q, HOOK_K, HOOK_V, HOOK_LN2};
    uint64_t layers = layers_from(set->first, graph->n_layers);
    Hooks hooks = {.fn = patched_hook};
    for (size_t r = 0; r < graph->n_receivers; r++) {
        Receiver receiver = graph_receiver(graph, r);
        if (set->reads[r] && receiver.kind != RECEIVER_LOGITS) {
            hooks.sites[of_kind[receiver.kind]] |= 1ULL << receiver.layer;
        }
    }
    for (size_t s = 1; s < graph->n_senders; s++) {
        Sender sender = graph_sender(graph, s);
        if (set->writes[s]) {
            hooks.sites[sender.kind == SENDER_HEAD ? HOOK_Z : HOOK_MLP_OUT] |=
                layers & 1ULL << sender.layer;
        }
    }
    hooks.sites[HOOK_RESID_PRE] = hooks.sites[HOOK_Q] | hooks.sites[HOOK_K] | hooks.sites[HOOK_V];
    hooks.sites[HOOK_RESID_MID] = hooks.sites[HOOK_LN2];
    if (set->reads[graph->n_receivers - 1]) {
        hooks.sites[HOOK_FINAL] = 1;
        hooks.sites[HOOK_RESID_POST] = layers & 1ULL << (graph->n_layers - 1);
    }
    return hooks;
}

static int set_init(EdgeSet *set, const Graph *graph, const uint8_t *patched)
{
    *set = (EdgeSet){.patched = patched, .first = graph->n_layers};
    set->reads = mem_calloc(graph->n_receivers + graph->n_senders, 1, "ends of patched edges");
    if (!set->reads) {
        return OGPT_ENOMEM;
    }
    set->writes = set->reads + graph->n_receivers;
    for (size_t r = 0, e = 0; r < graph->n_receivers; r++) {
        Receiver receiver = graph_receiver(graph, r);
        for (size_t s = 0; s < graph_sees(graph, r); s++, e++) {
            if (patched[e]) {
                set->reads[r] = set->writes[s] = 1;
            }
        }
        if (set->reads[r] && receiver.layer >= 0 && receiver.layer < set->first) {
            set->first = receiver.layer;
        }
    }
    set->hooks = set_hooks(set, graph);
    return 0;
}

static int patched_job(void *context, size_t job, size_t worker_index)
{
    const PatchedCall *call = context;
    EdgeRuns *runs = call->runs;
    const Gpt *gpt = runs->question.gpt;
    const EdgeBlock *block = &runs->blocks[job];
    size_t V = (size_t)gpt->cfg.d_vocab, C = (size_t)gpt->cfg.d_model;
    PatchedPass pass = {
        .runs = runs, .set = call->set, .block = block, .worker = &runs->workers[worker_index]};
    Hooks hooks = call->set->hooks;
    const real *logits;
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while patching edges");
    }
    hooks.context = &pass;
    pass.x = block->pre + (size_t)call->set->first * block->rows * C;
    logits = runs->question.scope == PATCH_ALL
                 ? gpt_forward_part(gpt, pass.worker->tape, &(PassPart){.first = call->set->first},
                                    pass.x, block->n, block->T, &hooks)
                 : prefix_last(block->prefix, gpt, &hooks);
    for (size_t i = 0; i < block->n; i++) {
        memcpy(runs->patched + (block->first + i) * V, logits + (i * block->T + block->T - 1) * V,
               V * sizeof(*logits));
    }
    return 0;
}

/* Blocks were dealt to the ranks: what each of them did goes to all. */
static int gather_blocks(const EdgeRuns *runs)
{
    size_t bounds[RANKS_MAX + 1], first, end, n = runs->question.n_pairs;
    size_t n_bytes = (size_t)runs->question.gpt->cfg.d_vocab * sizeof(*runs->patched);
    for (int rank = 0; rank < ranks_count(); rank++) {
        ranks_share(&first, &end, runs->n_blocks, rank);
        bounds[rank] = (first < runs->n_blocks ? runs->blocks[first].first : n) * n_bytes;
    }
    bounds[ranks_count()] = n * n_bytes;
    return ranks_gather_cut(runs->patched, bounds);
}

/* From the order of the blocks to that of the pairs. */
static void take_answers(double *delta, real *logits, const EdgeRuns *runs)
{
    size_t V = (size_t)runs->question.gpt->cfg.d_vocab;
    for (size_t i = 0; i < runs->question.n_pairs; i++) {
        const real *row = runs->patched + i * V;
        size_t pair = runs->order[i];
        if (delta) {
            delta[pair] = pair_delta(runs->weights + pair * V, row, (int)V);
        }
        if (logits) {
            memcpy(logits + pair * V, row, V * sizeof(*row));
        }
    }
}

/* The results of the base run, for a set without edges. */
static void copy_base(double *delta, real *logits, const EdgeRuns *runs)
{
    size_t n = runs->question.n_pairs, V = (size_t)runs->question.gpt->cfg.d_vocab;
    if (delta) {
        memcpy(delta, edges_delta(runs, false), n * sizeof(*delta));
    }
    if (logits) {
        memcpy(logits, edges_logits(runs, false), n * V * sizeof(*logits));
    }
}

int edges_patched(double *delta, real *logits, EdgeRuns *runs, const uint8_t *patched,
                  const Work *work)
{
    const Graph *graph = runs->question.graph;
    EdgeSet set;
    if (!memchr(patched, 1, graph->n_edges)) {
        copy_base(delta, logits, runs);
        return 0;
    }
    int rc = set_init(&set, graph, patched);
    PatchedCall call = {.runs = runs, .set = &set};
    rc = rc ? rc : edges__hire(runs, work);
    rc = rc ? rc : ranks_run(work->pool, runs->n_blocks, patched_job, &call, NULL, 0);
    rc = rc ? rc : gather_blocks(runs);
    if (rc == 0) {
        take_answers(delta, logits, runs);
    }
    mem_free(set.reads);
    return rc;
}
