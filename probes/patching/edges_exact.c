/* probes/patching/edges_exact.c - the effect of every edge alone. See probes/patching/edges.h.
 *
 * A job is one block of pairs and the receivers of one layer. Senders are taken a few at a time: a
 * chunk is as many of them, times the pairs of the block, as fill the rows of a pass. What the
 * heads of a layer would read is the same for all of them, so queries, keys and values are computed
 * once a chunk; then each channel of each head is a pass of its own, which begins at this layer and
 * in which the slice of that head is rewritten.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/patching/edges_internal.h"

enum { EXACT_WINDOW = 2 };

typedef struct ExactCall {
    EdgeRuns *runs;
    const Work *work;
    size_t first;    /* job of the window */
    double *values;  /* (jobs of a window, widest job) */
    uint8_t *states; /* (jobs of a window) */
    size_t width;
} ExactCall;
enum { JOB_OPEN, JOB_RECALLED, JOB_FINISHED };

/* Some senders of a block in front of the receivers of a layer. */
typedef struct ExactChunk {
    const EdgeRuns *runs;
    const EdgeBlock *block;
    EdgeWorker *worker;
    size_t sender, n; /* senders in the chunk */
    Receiver receiver;
    double *values; /* (block->n, edges of the layer) */
    size_t first_edge, n_edges;
} ExactChunk;

/* ---- one pass ---- */

static void exact_hook(void *context, const HookPoint *point)
{
    const ExactChunk *chunk = context;
    const EdgeWorker *worker = chunk->worker;
    size_t C = point->width, HS = (size_t)chunk->runs->question.gpt->cfg.d_head;
    size_t rows = chunk->n * chunk->block->rows, at = (size_t)chunk->receiver.head * HS;
    if (point->site == HOOK_LN2 || point->site == HOOK_FINAL) {
        memcpy(point->value, worker->out, rows * C * sizeof(*point->value));
        return;
    }
    const real *patched = point->site == HOOK_Q   ? worker->q
                          : point->site == HOOK_K ? worker->k
                                                  : worker->v;
    for (size_t i = 0; i < rows; i++) {
        memcpy(point->value + i * C + at, patched + i * C + at, HS * sizeof(*patched));
    }
}

/* Run the rows of the chunk with its receiver patched, and keep how far each Delta moved. */
static void run_chunk(ExactChunk *chunk)
{
    static const HookSite sites[] = {HOOK_Q, HOOK_K, HOOK_V, HOOK_LN2, HOOK_FINAL};
    const EdgeRuns *runs = chunk->runs;
    const EdgeBlock *block = chunk->block;
    const Gpt *gpt = runs->question.gpt;
    bool last = chunk->receiver.kind == RECEIVER_LOGITS;
    int layer = last ? gpt->cfg.n_layers : chunk->receiver.layer;
    size_t V = (size_t)gpt->cfg.d_vocab, first = chunk->sender - chunk->first_edge;
    Hooks hooks = {.fn = exact_hook, .context = chunk};
    const real *logits;
    hooks.sites[sites[chunk->receiver.kind]] = 1ULL << (last ? 0 : layer);
    logits = block->prefix
                 ? prefix_rows(chunk->worker->prefix, gpt, chunk->worker->owner,
                               chunk->n * block->rows, &hooks)
                 : gpt_forward_from(gpt, chunk->worker->tape, layer, chunk->worker->stream,
                                    chunk->n * block->n, block->T, &hooks);
    first += graph_first_edge(runs->question.graph,
                              graph_receiver_index(runs->question.graph, chunk->receiver));
    for (size_t s = 0; s < chunk->n; s++) {
        for (size_t i = 0; i < block->n; i++) {
            const real *row = logits + ((s * block->n + i) * block->T + block->T - 1) * V;
            chunk->values[i * chunk->n_edges + first + s] =
                edges__delta(runs, block, i, row) -
                edges_delta(runs, false)[runs->order[block->first + i]];
        }
    }
}

/* ---- a chunk ---- */

/* worker->out (n, rows, C): what the receiver reads behind its LayerNorm, for each sender. */
static void read_chunk(const ExactChunk *chunk)
{
    const EdgeRuns *runs = chunk->runs;
    const EdgeBlock *block = chunk->block;
    size_t size = block->rows * (size_t)runs->question.gpt->cfg.d_model;
    size_t layer = chunk->receiver.kind == RECEIVER_LOGITS ? (size_t)runs->question.graph->n_layers
                                                           : (size_t)chunk->receiver.layer;
    const real *x = (chunk->receiver.kind == RECEIVER_MLP ? block->mid : block->pre) + layer * size;
    for (size_t s = 0; s < chunk->n; s++) {
        const real *diff = block->diff + (chunk->sender + s) * size;
        real *out = chunk->worker->x + s * size;
        for (size_t i = 0; i < size; i++) {
            out[i] = x[i] + diff[i];
        }
        for (size_t i = 0; i < block->rows; i++) {
            chunk->worker->owner[s * block->rows + i] = (uint16_t)i;
        }
        if (!block->prefix) {
            const real *pre = block->pre + layer * size;
            memcpy(chunk->worker->stream + s * size, pre, size * sizeof(*pre));
        }
    }
    EdgeNorm norm = edges__norm_of(runs, block, &chunk->receiver);
    edges__normalise(runs, block, chunk->worker, &norm, chunk->n);
}

static void project_chunk(const ExactChunk *chunk)
{
    const EdgeRuns *runs = chunk->runs;
    const TensorMap *map = &runs->question.gpt->map;
    const EdgeWorker *worker = chunk->worker;
    size_t C = (size_t)runs->question.gpt->cfg.d_model, rows = chunk->n * chunk->block->rows;
    const size_t w[] = {map->W_Q, map->W_K, map->W_V}, b[] = {map->b_Q, map->b_K, map->b_V};
    real *const out[] = {worker->q, worker->k, worker->v};
    for (size_t i = 0; i < 3; i++) {
        runs->kernels->linear_fwd(
            out[i], worker->out, edges__tensor(runs, w[i], chunk->receiver.layer),
            edges__tensor(runs, b[i], chunk->receiver.layer), rows, C, C, NULL);
    }
}

/* All channels of all heads of the layer, then its MLP; behind the last layer the logits. */
static void heads_of_chunk(ExactChunk *chunk)
{
    int heads = chunk->runs->question.graph->n_heads;
    read_chunk(chunk);
    project_chunk(chunk);
    for (int i = 0; i < 3 * heads; i++) {
        chunk->receiver.kind = (ReceiverKind)(i / heads);
        chunk->receiver.head = i % heads;
        run_chunk(chunk);
    }
}

static void each_chunk(ExactChunk *chunk, size_t senders, void (*run)(ExactChunk *))
{
    size_t room = EDGE_CHUNK_ROWS / chunk->block->rows;
    const Receiver receiver = chunk->receiver;
    room = room > 0 ? room : 1;
    for (chunk->sender = 0; chunk->sender < senders; chunk->sender += chunk->n) {
        chunk->n = senders - chunk->sender < room ? senders - chunk->sender : room;
        chunk->receiver = receiver;
        run(chunk);
    }
}

static void read_and_run(ExactChunk *chunk)
{
    read_chunk(chunk);
    run_chunk(chunk);
}

/* ---- jobs ---- */

/* Job j: block j / (L + 1), receivers of layer j % (L + 1); L: the logits. */
static ExactChunk chunk_of_job(const EdgeRuns *runs, size_t job)
{
    const Graph *graph = runs->question.graph;
    size_t layers = (size_t)graph->n_layers + 1, layer = job % layers;
    size_t a_layer = 3 * (size_t)graph->n_heads + 1;
    size_t next = (layer + 1) * a_layer;
    ExactChunk chunk = {.runs = runs, .block = &runs->blocks[job / layers]};
    chunk.receiver = (Receiver){RECEIVER_Q, (int)layer, 0};
    chunk.first_edge = graph_first_edge(graph, layer * a_layer);
    next = next < graph->n_receivers ? next : graph->n_receivers;
    chunk.n_edges = graph_first_edge(graph, next) - chunk.first_edge;
    return chunk;
}

/* Base histories of the block into the worker's prefix. */
static void hold_block(const EdgeRuns *runs, EdgeWorker *worker, const EdgeBlock *block)
{
    size_t index = (size_t)(block - runs->blocks);
    EdgeTokens tokens;
    if (worker->held != index) {
        edges__tokens(&tokens, runs, block, false);
        prefix_fill(worker->prefix, runs->question.gpt, tokens.tokens, GAME_MAX_MOVES,
                    tokens.lengths, block->n, NULL);
        worker->held = index;
    }
}

static int exact_job(void *context, size_t i, size_t worker_index)
{
    ExactCall *call = context;
    const EdgeRuns *runs = call->runs;
    const Graph *graph = runs->question.graph;
    ExactChunk chunk = chunk_of_job(runs, call->first + i);
    int layer = chunk.receiver.layer;
    if (call->states[i] != JOB_OPEN) {
        return 0;
    }
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while patching edges");
    }
    chunk.worker = &call->runs->workers[worker_index];
    chunk.values = call->values + i * call->width;
    if (chunk.block->prefix) {
        hold_block(runs, chunk.worker, chunk.block);
    }
    if (layer == graph->n_layers) {
        chunk.receiver = (Receiver){RECEIVER_LOGITS, -1, -1};
        each_chunk(&chunk, graph->n_senders, read_and_run);
    } else {
        each_chunk(&chunk, graph_sees(graph, graph_receiver_index(graph, chunk.receiver)),
                   heads_of_chunk);
        chunk.receiver = (Receiver){RECEIVER_MLP, layer, -1};
        each_chunk(&chunk, graph_sees(graph, graph_receiver_index(graph, chunk.receiver)),
                   read_and_run);
    }
    call->states[i] = JOB_FINISHED;
    return 0;
}

/* ---- windows of jobs ---- */

static int recall_window(ExactCall *call, size_t n)
{
    const WorkJournal *journal = call->work->journal;
    memset(call->states, JOB_OPEN, n);
    for (size_t i = 0; journal && i < n; i++) {
        ExactChunk chunk = chunk_of_job(call->runs, call->first + i);
        int found = journal->recall(journal->context, call->values + i * call->width,
                                    chunk.block->n * chunk.n_edges, "edges", call->first + i);
        if (found < 0) {
            return found;
        }
        call->states[i] = found > 0 ? JOB_RECALLED : JOB_OPEN;
    }
    return 0;
}

static int keep_window(const ExactCall *call, size_t n)
{
    const WorkJournal *journal = call->work->journal;
    int rc = 0;
    for (size_t i = 0; journal && i < n && rc == 0; i++) {
        ExactChunk chunk = chunk_of_job(call->runs, call->first + i);
        if (call->states[i] == JOB_FINISHED) {
            rc = journal->keep(journal->context, call->values + i * call->width,
                               chunk.block->n * chunk.n_edges, "edges", call->first + i);
        }
    }
    return rc;
}

static void spread_window(double *effect, const ExactCall *call, size_t n)
{
    const EdgeRuns *runs = call->runs;
    for (size_t i = 0; i < n; i++) {
        ExactChunk chunk = chunk_of_job(runs, call->first + i);
        for (size_t b = 0; b < chunk.block->n; b++) {
            size_t pair = runs->order[chunk.block->first + b];
            memcpy(effect + pair * runs->question.graph->n_edges + chunk.first_edge,
                   call->values + i * call->width + b * chunk.n_edges,
                   chunk.n_edges * sizeof(*effect));
        }
    }
}

static int run_windows(double *effect, ExactCall *call, size_t n_jobs, size_t window)
{
    const Work *work = call->work;
    int rc = 0;
    work_tick(work, "edges", 0, (double)n_jobs);
    for (call->first = 0; call->first < n_jobs && rc == 0; call->first += window) {
        size_t left = n_jobs - call->first, n = left < window ? left : window;
        rc = recall_window(call, n);
        if (rc == 0) {
            rc = pool_run(work->pool, n, exact_job, call);
            int kept = keep_window(call, n); /* also when another job failed */
            rc = rc ? rc : kept;
        }
        if (rc == 0) {
            spread_window(effect, call, n);
            work_tick(work, "edges", (double)(call->first + n), (double)n_jobs);
        }
    }
    return rc;
}

int edges_exact(double *effect, double *denominator, EdgeRuns *runs, const Work *work)
{
    size_t n_jobs = runs->n_blocks * ((size_t)runs->question.graph->n_layers + 1);
    size_t window = EXACT_WINDOW * work_workers(work);
    ExactCall call = {.runs = runs, .work = work};
    for (size_t job = 0; job < n_jobs; job++) {
        ExactChunk chunk = chunk_of_job(runs, job);
        size_t width = chunk.block->n * chunk.n_edges;
        call.width = width > call.width ? width : call.width;
    }
    call.values = mem_calloc(window * call.width, sizeof(*call.values), "effects of edges");
    call.states = mem_calloc(window, sizeof(*call.states), "jobs of edges");
    int rc = call.values && call.states ? edges__hire(runs, work) : OGPT_ENOMEM;
    rc = rc ? rc : run_windows(effect, &call, n_jobs, window);
    for (size_t i = 0; rc == 0 && i < runs->question.n_pairs; i++) {
        denominator[i] = edges_delta(runs, true)[i] - edges_delta(runs, false)[i];
    }
    mem_free(call.values);
    mem_free(call.states);
    return rc;
}
