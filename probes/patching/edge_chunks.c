/* probes/patching/edge_chunks.c - the edges into one layer. See probes/patching/edge_chunks.h. */
#include "probes/patching/edge_chunks.h"

#include <string.h>

#include "num/blas.h"
#include "num/kernel_steps.h"

/* ---- rows ---- */

static size_t width_of(const EdgeChunk *chunk)
{
    return (size_t)chunk->runs->question.gpt->cfg.d_model;
}

/* Row (i, t) of the chunk in an array of the block. */
static size_t row_at(const EdgeChunk *chunk, size_t i, size_t t)
{
    return (i + 1) * chunk->block->T - chunk->T + t;
}

/* out (n, block->n, T, C): the rows of an array of the block, once for each sender. */
static void repeat_rows(real *out, const EdgeChunk *chunk, const real *rows)
{
    size_t C = width_of(chunk), T = chunk->T, n = chunk->block->n;
    for (size_t s = 0; s < chunk->n; s++) {
        for (size_t i = 0; i < n; i++) {
            memcpy(out + (s * n + i) * T * C, rows + row_at(chunk, i, 0) * C, T * C * sizeof(*out));
        }
    }
}

/* worker->out: what the receiver reads behind its LayerNorm, x plus what each sender adds. */
static void read_chunk(const EdgeChunk *chunk, const real *x)
{
    const EdgeBlock *block = chunk->block;
    EdgeWorker *worker = chunk->worker;
    size_t C = width_of(chunk), T = chunk->T, rows = block->n * T;
    EdgeNorm norm = edges__norm_of(chunk->runs, block, &chunk->receiver);
    repeat_rows(worker->x, chunk, x);
    for (size_t s = 0; s < chunk->n; s++) {
        const real *diff = block->diff + (chunk->sender + s) * block->rows * C;
        for (size_t i = 0; i < block->n; i++) {
            real *out = worker->x + (s * rows + i * T) * C;
            const real *in = diff + row_at(chunk, i, 0) * C;
            for (size_t c = 0; c < T * C; c++) {
                out[c] += in[c];
            }
        }
    }
    for (size_t i = 0; i < block->n; i++) {
        memcpy(worker->scale + i * T, norm.scale + row_at(chunk, i, 0), T * sizeof(*norm.scale));
    }
    norm.scale = worker->scale;
    edges__normalise(chunk->runs, worker, &norm, rows, chunk->n);
}

/* Keep how far each Delta moved; logits (n, block->n, V). */
static void keep_answers(const EdgeChunk *chunk, const real *logits)
{
    const EdgeRuns *runs = chunk->runs;
    const EdgeBlock *block = chunk->block;
    const Graph *graph = runs->question.graph;
    size_t V = (size_t)runs->question.gpt->cfg.d_vocab;
    size_t first = graph_first_edge(graph, graph_receiver_index(graph, chunk->receiver)) -
                   chunk->first_edge + chunk->sender;
    for (size_t s = 0; s < chunk->n; s++) {
        for (size_t i = 0; i < block->n; i++) {
            chunk->values[i * chunk->n_edges + first + s] =
                edges__delta(runs, block, i, logits + (s * block->n + i) * V) -
                edges_delta(runs, false)[runs->order[block->first + i]];
        }
    }
}

/* ---- scope last: a hook in prefix_rows ---- */

static void last_hook(void *context, const HookPoint *point)
{
    const EdgeChunk *chunk = context;
    const EdgeWorker *worker = chunk->worker;
    size_t C = point->width, HS = (size_t)chunk->runs->question.gpt->cfg.d_head;
    size_t rows = point->B * point->T, at = (size_t)chunk->receiver.head * HS;
    const real *patched = point->site == HOOK_Q   ? worker->q
                          : point->site == HOOK_K ? worker->k
                                                  : worker->v;
    if (point->site == HOOK_LN2 || point->site == HOOK_FINAL) {
        memcpy(point->value, worker->out, rows * C * sizeof(*point->value));
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        memcpy(point->value + i * C + at, patched + i * C + at, HS * sizeof(*patched));
    }
}

static void run_last(EdgeChunk *chunk)
{
    static const HookSite sites[] = {HOOK_Q, HOOK_K, HOOK_V, HOOK_LN2, HOOK_FINAL};
    ReceiverKind kind = chunk->receiver.kind;
    const EdgeBlock *block = chunk->block;
    EdgeWorker *worker = chunk->worker;
    Hooks hooks = {.fn = last_hook, .context = chunk};
    hooks.sites[sites[kind]] = kind == RECEIVER_LOGITS ? 1 : 1ULL << chunk->layer;
    for (size_t r = 0; r < chunk->n * block->n; r++) {
        worker->owner[r] = (uint16_t)(r % block->n);
    }
    keep_answers(chunk, prefix_rows(worker->prefix, chunk->runs->question.gpt, worker->owner,
                                    chunk->n * block->n, &hooks));
}

/* Base histories of the block into the worker's prefix. */
static void hold_block(const EdgeChunk *chunk)
{
    const EdgeRuns *runs = chunk->runs;
    EdgeWorker *worker = chunk->worker;
    size_t index = (size_t)(chunk->block - runs->blocks);
    EdgeTokens tokens;
    if (worker->held != index) {
        edges__tokens(&tokens, runs, chunk->block, false);
        prefix_fill(worker->prefix, runs->question.gpt, tokens.tokens, GAME_MAX_MOVES,
                    tokens.lengths, chunk->block->n, NULL);
        worker->held = index;
    }
}

/* ---- scope all: a pass that begins behind what was patched ---- */

static bool last_layer(const EdgeChunk *chunk)
{
    return chunk->layer >= chunk->runs->question.graph->n_layers - 1;
}

/* From worker->stream, the stream in the middle of the layer or behind the last. */
static void run_behind(const EdgeChunk *chunk, const Hooks *hooks)
{
    const Gpt *gpt = chunk->runs->question.gpt;
    PassPart part = {
        .first = chunk->layer, .middle = chunk->layer < gpt->cfg.n_layers, .last = true};
    keep_answers(chunk, gpt_forward_part(gpt, chunk->worker->tape, &part, chunk->worker->stream,
                                         chunk->n * chunk->block->n, chunk->T, hooks));
}

static void run_all_rows(EdgeChunk *chunk)
{
    bool mlp = chunk->receiver.kind == RECEIVER_MLP;
    Hooks hooks = {.fn = last_hook, .context = chunk};
    hooks.sites[mlp ? HOOK_LN2 : HOOK_FINAL] = mlp ? 1ULL << chunk->layer : 1;
    run_behind(chunk, &hooks);
}

/* out (n, rows, HS): the slice of one head, of rows (rows, C), n times. */
static void pack_head(real *out, const EdgeChunk *chunk, const real *rows, size_t n_rows, size_t n)
{
    size_t C = width_of(chunk), HS = (size_t)chunk->runs->question.gpt->cfg.d_head;
    const real *in = rows + (size_t)chunk->receiver.head * HS;
    for (size_t i = 0; i < n_rows; i++) {
        memcpy(out + i * HS, in + i * C, HS * sizeof(*out));
    }
    for (size_t i = 1; i < n; i++) {
        memcpy(out + i * n_rows * HS, out, n_rows * HS * sizeof(*out));
    }
}

/* z of one head in n sequences: of all positions, in the last layer (n, HS) of the last ones. */
static void attend(real *z, const EdgeChunk *chunk, const real *q, const real *k, const real *v,
                   size_t n)
{
    size_t HS = (size_t)chunk->runs->question.gpt->cfg.d_head, T = chunk->block->T;
    real weights[GAME_MAX_MOVES];
    if (!last_layer(chunk)) {
        chunk->runs->kernels->attention_fwd(z, chunk->worker->lse, q, k, v, n, T, 1, HS);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        attention_last_scores(weights, q + ((i + 1) * T - 1) * HS, k + i * T * HS, T, 1, HS);
        attention_row_softmax(weights, weights, T, T, 1);
        attention_row_mix(z + i * HS, weights, v + i * T * HS, T, T, 1, HS);
    }
}

/* One head with one channel patched: worker->stream = mid + (z - z of the base run) . W_O. */
static void patch_head(EdgeChunk *chunk, ReceiverKind kind)
{
    const EdgeRuns *runs = chunk->runs;
    EdgeWorker *worker = chunk->worker;
    const EdgeBlock *block = chunk->block;
    size_t C = width_of(chunk), HS = (size_t)runs->question.gpt->cfg.d_head;
    const real *patched[] = {worker->q, worker->k, worker->v};
    const real *qkv[] = {worker->head[0], worker->head[1], worker->head[2]};
    const real *W_O = edges__tensor(runs, runs->question.gpt->map.W_O, chunk->layer);
    chunk->receiver.kind = kind;
    pack_head(worker->head_patched, chunk, patched[kind], chunk->n * block->rows, 1);
    qkv[kind] = worker->head_patched;
    attend(worker->z, chunk, qkv[0], qkv[1], qkv[2], chunk->n * block->n);
    chunk->T = last_layer(chunk) ? 1 : block->T;
    size_t rows = block->n * chunk->T;
    for (size_t s = 0; s < chunk->n; s++) {
        for (size_t i = 0; i < rows * HS; i++) {
            worker->z[s * rows * HS + i] -= worker->z_base[i];
        }
    }
    repeat_rows(worker->stream, chunk, block->mid + (size_t)chunk->layer * block->rows * C);
    gemm(false, false, chunk->n * rows, C, HS, 1, worker->z, HS,
         W_O + (size_t)chunk->receiver.head * HS * C, C, 1, worker->stream, C);
    run_behind(chunk, NULL);
    chunk->T = block->T;
}

/* ---- a chunk ---- */

/* Queries, keys and values of n rows of worker->out. */
static void project(real *const out[3], const EdgeChunk *chunk, size_t n)
{
    const EdgeRuns *runs = chunk->runs;
    const TensorMap *map = &runs->question.gpt->map;
    const size_t w[] = {map->W_Q, map->W_K, map->W_V}, b[] = {map->b_Q, map->b_K, map->b_V};
    size_t C = width_of(chunk);
    for (size_t i = 0; i < 3; i++) { /* the fast kernels need no scratch */
        runs->kernels->linear_fwd(out[i], chunk->worker->out,
                                  edges__tensor(runs, w[i], chunk->layer),
                                  edges__tensor(runs, b[i], chunk->layer), n, C, C, NULL);
    }
}

static const real *stream_of(const EdgeChunk *chunk, bool middle)
{
    const real *array = middle ? chunk->block->mid : chunk->block->pre;
    return array + (size_t)chunk->layer * chunk->block->rows * width_of(chunk);
}

/* All channels of all heads. */
static void heads_of_chunk(EdgeChunk *chunk)
{
    EdgeWorker *worker = chunk->worker;
    const EdgeBlock *block = chunk->block;
    int heads = chunk->runs->question.graph->n_heads;
    chunk->T = block->T;
    read_chunk(chunk, stream_of(chunk, false));
    project((real *[]){worker->q, worker->k, worker->v}, chunk, chunk->n * block->rows);
    for (int head = 0; head < heads; head++) {
        chunk->receiver.head = head;
        for (size_t i = 0; i < 3 && !block->prefix; i++) {
            pack_head(worker->head[i], chunk, worker->base[i], block->rows, chunk->n);
        }
        if (!block->prefix) {
            attend(worker->z_base, chunk, worker->head[0], worker->head[1], worker->head[2],
                   block->n);
        }
        for (int kind = RECEIVER_Q; kind <= RECEIVER_V; kind++) {
            chunk->receiver.kind = (ReceiverKind)kind;
            if (block->prefix) {
                run_last(chunk);
            } else {
                patch_head(chunk, (ReceiverKind)kind);
            }
        }
    }
}

/* The MLP, or the logits: one receiver. */
static void rows_of_chunk(EdgeChunk *chunk)
{
    bool mlp = chunk->receiver.kind == RECEIVER_MLP;
    chunk->T = last_layer(chunk) ? 1 : chunk->block->T;
    read_chunk(chunk, stream_of(chunk, mlp));
    if (chunk->block->prefix) {
        run_last(chunk);
    } else {
        repeat_rows(chunk->worker->stream, chunk, stream_of(chunk, mlp));
        run_all_rows(chunk);
    }
}

static void each_chunk(EdgeChunk *chunk, Receiver receiver, void (*run)(EdgeChunk *))
{
    const Graph *graph = chunk->runs->question.graph;
    size_t senders = graph_sees(graph, graph_receiver_index(graph, receiver));
    size_t room = EDGE_CHUNK_ROWS / chunk->block->rows;
    room = room > 0 ? room : 1;
    for (chunk->sender = 0; chunk->sender < senders; chunk->sender += chunk->n) {
        chunk->n = senders - chunk->sender < room ? senders - chunk->sender : room;
        chunk->receiver = receiver;
        run(chunk);
    }
}

/* Queries, keys and values of the layer in the base run. */
static void project_base(EdgeChunk *chunk)
{
    const EdgeRuns *runs = chunk->runs;
    const TensorMap *map = &runs->question.gpt->map;
    EdgeWorker *worker = chunk->worker;
    size_t rows = chunk->block->rows;
    runs->kernels->layernorm_fwd(worker->out, worker->mean, worker->rstd, stream_of(chunk, false),
                                 edges__tensor(runs, map->ln1_w, chunk->layer),
                                 edges__tensor(runs, map->ln1_b, chunk->layer), rows,
                                 width_of(chunk), (real)runs->question.gpt->cfg.eps);
    project(worker->base, chunk, rows);
}

void edges__into_layer(EdgeChunk *chunk)
{
    int L = chunk->runs->question.graph->n_layers;
    if (chunk->block->prefix) {
        hold_block(chunk);
    } else if (chunk->layer < L) {
        project_base(chunk);
    }
    if (chunk->layer == L) {
        each_chunk(chunk, (Receiver){RECEIVER_LOGITS, -1, -1}, rows_of_chunk);
        return;
    }
    each_chunk(chunk, (Receiver){RECEIVER_Q, chunk->layer, 0}, heads_of_chunk);
    each_chunk(chunk, (Receiver){RECEIVER_MLP, chunk->layer, -1}, rows_of_chunk);
}
