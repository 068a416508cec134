/* probes/patching/edge_runs.c - both runs of every pair. See probes/patching/edges_internal.h. */
#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "num/kernel_steps.h"
#include "probes/patching/edges_internal.h"

#include <string.h>

/* ---- sizes ---- */

typedef struct BlockParts {
    size_t senders, stream, mid, scale; /* numbers in each */
} BlockParts;

static BlockParts parts_of(const EdgeQuestion *question, size_t rows)
{
    size_t L = (size_t)question->gpt->cfg.n_layers, C = (size_t)question->gpt->cfg.d_model;
    return (BlockParts){.senders = question->graph->n_senders * rows * C,
                        .stream = (L + 1) * rows * C,
                        .mid = L * rows * C,
                        .scale = (2 * L + 1) * rows};
}

static size_t block_bytes(const EdgeQuestion *question, size_t rows)
{
    BlockParts parts = parts_of(question, rows);
    return 2 * arena_piece_bytes(parts.senders, sizeof(real)) +
           arena_piece_bytes(parts.stream, sizeof(real)) +
           arena_piece_bytes(parts.mid, sizeof(real)) +
           arena_piece_bytes(parts.scale, sizeof(real));
}

static int block_carve(EdgeBlock *block, const EdgeQuestion *question)
{
    BlockParts parts = parts_of(question, block->rows);
    int rc = arena_init(&block->arena, block_bytes(question, block->rows), "runs of pairs");
    if (rc == 0) {
        block->other = arena_take(&block->arena, parts.senders, sizeof(real));
        block->diff = arena_take(&block->arena, parts.senders, sizeof(real));
        block->pre = arena_take(&block->arena, parts.stream, sizeof(real));
        block->mid = arena_take(&block->arena, parts.mid, sizeof(real));
        block->scale = arena_take(&block->arena, parts.scale, sizeof(real));
    }
    return rc;
}

/* ---- workers ---- */

/* Rows of a pass of edges_exact, at most; edges_patched has H copies of the rows of a block. */
static size_t exact_rows_of(size_t widest)
{
    return widest > EDGE_CHUNK_ROWS ? widest : EDGE_CHUNK_ROWS;
}

/* Counts the bytes of a worker's arrays (worker NULL), or carves them. */
static size_t worker_arrays(EdgeWorker *worker, const EdgeQuestion *question, size_t widest)
{
    size_t H = (size_t)question->graph->n_heads, C = (size_t)question->gpt->cfg.d_model;
    size_t HS = (size_t)question->gpt->cfg.d_head, S = question->graph->n_senders;
    size_t exact = exact_rows_of(widest), rows = exact > H * widest ? exact : H * widest;
    EdgeWorker none, *w = worker ? worker : &none;
    const struct {
        real **array;
        size_t count;
    } arrays[] = {
        {&w->x, rows * C},         {&w->out, rows * C},
        {&w->mean, rows},          {&w->rstd, rows},
        {&w->scale, widest},       {&w->q, exact * C},
        {&w->k, exact * C},        {&w->v, exact * C},
        {&w->stream, exact * C},   {&w->base[0], widest * C},
        {&w->base[1], widest * C}, {&w->base[2], widest * C},
        {&w->head[0], exact * HS}, {&w->head[1], exact * HS},
        {&w->head[2], exact * HS}, {&w->head_patched, exact * HS},
        {&w->lse, exact},          {&w->z, exact * HS},
        {&w->z_base, exact * HS},  {&w->here, S * widest * C},
        {&w->mask, H * S},
    };
    size_t bytes = arena_piece_bytes(exact, sizeof(*w->owner));
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        bytes += arena_piece_bytes(arrays[i].count, sizeof(real));
        if (worker) {
            *arrays[i].array = arena_take(&worker->arena, arrays[i].count, sizeof(real));
        }
    }
    if (worker) {
        worker->owner = arena_take(&worker->arena, exact, sizeof(*worker->owner));
    }
    return bytes;
}

/* Games of n_ctx positions that a tape must hold for so many rows. */
static size_t tape_games(const EdgeQuestion *question, size_t widest)
{
    size_t n_ctx = (size_t)question->gpt->cfg.n_ctx;
    return (exact_rows_of(widest) + n_ctx - 1) / n_ctx;
}

static size_t worker_bytes(const EdgeQuestion *question, size_t widest)
{
    const GptConfig *cfg = &question->gpt->cfg;
    return worker_arrays(NULL, question, widest) +
           (question->scope == PATCH_ALL
                ? tape_bytes(cfg, tape_games(question, widest), TAPE_FORWARD, NULL)
                : prefix_rows_bytes(cfg, EDGE_BLOCK, exact_rows_of(widest)));
}

static int worker_init(EdgeWorker *worker, const EdgeRuns *runs)
{
    const EdgeQuestion *question = &runs->question;
    const GptConfig *cfg = &question->gpt->cfg;
    size_t widest = runs->widest;
    int rc =
        arena_init(&worker->arena, worker_arrays(NULL, question, widest), "a worker's patches");
    if (rc == 0 && question->scope == PATCH_ALL) {
        rc = tape_new(&worker->tape, cfg, tape_games(question, widest), TAPE_FORWARD, NULL);
    } else if (rc == 0) {
        rc = prefix_new_rows(&worker->prefix, cfg, EDGE_BLOCK, exact_rows_of(widest), NULL);
    }
    if (rc == 0) {
        worker_arrays(worker, question, widest);
        worker->held = runs->n_blocks;
    }
    return rc;
}

static void worker_release(EdgeWorker *worker)
{
    tape_free(worker->tape);
    prefix_free(worker->prefix);
    arena_release(&worker->arena);
}

int edges__hire(EdgeRuns *runs, const Work *work)
{
    size_t wanted = work_workers(work);
    if (wanted <= runs->n_workers) {
        return 0;
    }
    EdgeWorker *workers =
        mem_realloc(runs->workers, wanted, sizeof(*workers), "workers of a patch");
    if (!workers) {
        return OGPT_ENOMEM;
    }
    runs->workers = workers;
    memset(workers + runs->n_workers, 0, (wanted - runs->n_workers) * sizeof(*workers));
    while (runs->n_workers < wanted) {
        int rc = worker_init(&runs->workers[runs->n_workers], runs);
        if (rc != 0) {
            worker_release(&runs->workers[runs->n_workers]);
            return rc;
        }
        runs->n_workers++;
    }
    return 0;
}

/* ---- blocks ---- */

typedef struct BlockList {
    PairBlock *blocks; /* (n_pairs) */
    size_t n, rows, widest;
} BlockList;

/* order and list->blocks have room for all pairs. */
static void list_blocks(BlockList *list, size_t *order, const EdgeQuestion *question)
{
    list->n = patch_blocks__list(list->blocks, order, question->pairs, question->n_pairs,
                                 question->scope == PATCH_ALL);
    for (size_t i = 0; i < list->n; i++) {
        size_t rows = list->blocks[i].n * list->blocks[i].T;
        list->rows += rows;
        list->widest = rows > list->widest ? rows : list->widest;
    }
}

/* Bytes of all runs, and of one worker, for blocks that are listed. */
static size_t bytes_of(const EdgeQuestion *question, const BlockList *list, const Work *work)
{
    const GptConfig *cfg = &question->gpt->cfg;
    size_t kept = block_bytes(question, list->rows) + list->n * block_bytes(question, 1);
    if (question->scope == PATCH_LAST) { /* sealed, but one of them is being filled */
        kept += list->n * (prefix_bytes(cfg, EDGE_BLOCK, TAPE_FORWARD) -
                           tape_bytes(cfg, PREFIX_FILL, TAPE_FORWARD, NULL));
        kept += work_workers(work) * tape_bytes(cfg, PREFIX_FILL, TAPE_FORWARD, NULL);
    }
    return kept + work_workers(work) * worker_bytes(question, list->widest);
}

size_t edges_bytes(const EdgeQuestion *question, const Work *work)
{
    size_t *order = mem_alloc(question->n_pairs, sizeof(*order), "order of pairs"),
           bytes = SIZE_MAX;
    BlockList list = {.blocks = mem_alloc(question->n_pairs, sizeof(PairBlock), "blocks of pairs")};
    if (order && list.blocks) {
        list_blocks(&list, order, question);
        bytes = bytes_of(question, &list, work);
    }
    mem_free(order);
    mem_free(list.blocks);
    return bytes;
}

/* ---- one run ---- */

void edges__tokens(EdgeTokens *out, const EdgeRuns *runs, const EdgeBlock *block, bool other)
{
    const EdgeQuestion *question = &runs->question;
    bool corrupt = other == (question->direction == PATCH_NOISING);
    patch_blocks__tokens(out, question->pairs, runs->order + block->first, block->n,
                         question->vocab, question->scope == PATCH_ALL ? block->T : GAME_MAX_MOVES,
                         corrupt);
}

double edges__delta(const EdgeRuns *runs, const EdgeBlock *block, size_t i, const real *logits)
{
    int V = runs->question.gpt->cfg.d_vocab;
    return pair_delta(runs->weights + runs->order[block->first + i] * (size_t)V, logits, V);
}

typedef struct RunTaking {
    const EdgeRuns *runs;
    EdgeBlock *block;
    bool other;
} RunTaking;

static void keep_rows(real *array, size_t index, const RunTaking *taking, const HookPoint *point)
{
    size_t size = taking->block->rows * point->width;
    memcpy(array + index * size, point->value, size * sizeof(*array));
}

/* The senders of both runs, and what the receivers of the base run read. */
static void take_run(void *context, const HookPoint *point)
{
    const RunTaking *taking = context;
    const EdgeQuestion *question = &taking->runs->question;
    EdgeBlock *block = taking->block;
    size_t L = (size_t)question->graph->n_layers, layer = (size_t)point->layer;
    outputs_take(taking->other ? block->other : block->diff, block->rows, question->graph,
                 question->gpt, point);
    if (taking->other) {
        return;
    }
    if (point->site == HOOK_RESID_PRE) {
        keep_rows(block->pre, layer, taking, point);
    } else if (point->site == HOOK_RESID_POST) {
        keep_rows(block->pre, L, taking, point);
    } else if (point->site == HOOK_RESID_MID) {
        keep_rows(block->mid, layer, taking, point);
    } else if (point->site == HOOK_LN1_SCALE || point->site == HOOK_LN2_SCALE) {
        keep_rows(block->scale, layer + (point->site == HOOK_LN2_SCALE ? L : 0), taking, point);
    } else if (point->site == HOOK_FINAL_SCALE) {
        keep_rows(block->scale, 2 * L, taking, point);
    }
}

static Hooks taking_hooks(RunTaking *taking)
{
    const Graph *graph = taking->runs->question.graph;
    Hooks hooks = {.fn = take_run, .context = taking};
    outputs_want(&hooks, graph);
    if (!taking->other) {
        hooks.sites[HOOK_RESID_PRE] = hooks.sites[HOOK_RESID_MID] = ~0ULL;
        hooks.sites[HOOK_LN1_SCALE] = hooks.sites[HOOK_LN2_SCALE] = ~0ULL;
        hooks.sites[HOOK_RESID_POST] = 1ULL << (graph->n_layers - 1);
        hooks.sites[HOOK_FINAL_SCALE] = 1;
    }
    return hooks;
}

/* Logits of the last position of pair i: row i * T + T - 1 of those of the pass. */
static void keep_answers(EdgeRuns *runs, const EdgeBlock *block, const real *logits, bool other)
{
    size_t V = (size_t)runs->question.gpt->cfg.d_vocab, n = runs->question.n_pairs;
    for (size_t i = 0; i < block->n; i++) {
        const real *row = logits + (i * block->T + block->T - 1) * V;
        size_t pair = runs->order[block->first + i], at = (other ? n : 0) + pair;
        memcpy(runs->logits + at * V, row, V * sizeof(*row));
        runs->delta[at] = edges__delta(runs, block, i, row);
    }
}

static void run_block(EdgeRuns *runs, EdgeBlock *block, EdgeWorker *worker, bool other)
{
    const EdgeQuestion *question = &runs->question;
    RunTaking taking = {runs, block, other};
    Hooks hooks = taking_hooks(&taking);
    EdgeTokens tokens;
    const real *logits;
    edges__tokens(&tokens, runs, block, other);
    if (question->scope == PATCH_ALL) {
        logits =
            gpt_forward(question->gpt, worker->tape, tokens.tokens, block->n, block->T, &hooks);
    } else {
        Prefix *prefix = other ? worker->prefix : block->prefix;
        prefix_fill(prefix, question->gpt, tokens.tokens, GAME_MAX_MOVES, tokens.lengths, block->n,
                    NULL);
        logits = prefix_last(prefix, question->gpt, &hooks);
    }
    keep_answers(runs, block, logits, other);
}

static int run_job(void *context, size_t job, size_t worker_index)
{
    EdgeRuns *runs = context;
    EdgeBlock *block = &runs->blocks[job];
    EdgeWorker *worker = &runs->workers[worker_index];
    const EdgeQuestion *question = &runs->question;
    int rc = block_carve(block, question);
    if (rc == 0 && interrupt_pending()) {
        rc = err_set(OGPT_EINTR, "interrupted while running the pairs");
    }
    if (rc == 0 && question->scope == PATCH_LAST) {
        rc = prefix_new(&block->prefix, &question->gpt->cfg, block->n, TAPE_FORWARD, NULL);
    }
    if (rc != 0) {
        return rc;
    }
    worker->held = runs->n_blocks;
    run_block(runs, block, worker, true);
    run_block(runs, block, worker, false);
    if (block->prefix) {
        prefix_seal(block->prefix);
    }
    size_t n = question->graph->n_senders * block->rows * (size_t)question->gpt->cfg.d_model;
    for (size_t i = 0; i < n; i++) {
        block->diff[i] = block->other[i] - block->diff[i];
    }
    return 0;
}

/* ---- what receivers read ---- */

const real *edges__tensor(const EdgeRuns *runs, size_t field, int layer)
{
    const Gpt *gpt = runs->question.gpt;
    return gpt->params + field + (size_t)layer * gpt->map.block_stride;
}

EdgeNorm edges__norm_of(const EdgeRuns *runs, const EdgeBlock *block, const Receiver *receiver)
{
    const TensorMap *map = &runs->question.gpt->map;
    int L = runs->question.graph->n_layers, layer = receiver->layer;
    switch (receiver->kind) {
    case RECEIVER_LOGITS:
        return (EdgeNorm){.w = edges__tensor(runs, map->lnf_w, 0),
                          .b = edges__tensor(runs, map->lnf_b, 0),
                          .scale = block->scale + (size_t)(2 * L) * block->rows};
    case RECEIVER_MLP:
        return (EdgeNorm){.w = edges__tensor(runs, map->ln2_w, layer),
                          .b = edges__tensor(runs, map->ln2_b, layer),
                          .scale = block->scale + (size_t)(L + layer) * block->rows};
    default:
        return (EdgeNorm){.w = edges__tensor(runs, map->ln1_w, layer),
                          .b = edges__tensor(runs, map->ln1_b, layer),
                          .scale = block->scale + (size_t)layer * block->rows};
    }
}

void edges__normalise(const EdgeRuns *runs, EdgeWorker *worker, const EdgeNorm *norm, size_t rows,
                      size_t copies)
{
    const GptConfig *cfg = &runs->question.gpt->cfg;
    size_t C = (size_t)cfg->d_model;
    runs->kernels->layernorm_fwd(worker->out, worker->mean, worker->rstd, worker->x, norm->w,
                                 norm->b, copies * rows, C, (real)cfg->eps);
    for (size_t i = 0; runs->question.norm == PATCH_FROZEN && i < copies; i++) {
        size_t at = i * rows;
        layernorm_rescale(worker->out + at * C, norm->scale, worker->x + at * C, norm->w, norm->b,
                          worker->mean + at, worker->rstd + at, rows, C);
    }
}

/* ---- lifecycle ---- */

static int allocate(EdgeRuns *runs)
{
    const EdgeQuestion *question = &runs->question;
    size_t n = question->n_pairs, V = (size_t)question->gpt->cfg.d_vocab;
    runs->order = mem_alloc(n, sizeof(*runs->order), "order of pairs");
    runs->weights = mem_alloc(n * V, sizeof(*runs->weights), "weights of Delta");
    runs->delta = mem_calloc(2 * n, sizeof(*runs->delta), "Delta of both runs");
    runs->logits = mem_calloc(2 * n * V, sizeof(*runs->logits), "logits of both runs");
    runs->patched = mem_calloc(n * V, sizeof(*runs->patched), "logits of a patched run");
    return runs->order && runs->weights && runs->delta && runs->logits && runs->patched
               ? 0
               : OGPT_ENOMEM;
}

/* runs->blocks, with their shapes. */
static int make_blocks(EdgeRuns *runs, const BlockList *list)
{
    runs->blocks = mem_calloc(list->n, sizeof(*runs->blocks), "blocks of pairs");
    if (!runs->blocks) {
        return OGPT_ENOMEM;
    }
    runs->n_blocks = list->n;
    runs->widest = list->widest;
    for (size_t i = 0; i < list->n; i++) {
        PairBlock block = list->blocks[i];
        runs->blocks[i] = (EdgeBlock){
            .first = block.first, .n = block.n, .T = block.T, .rows = block.n * block.T};
    }
    return 0;
}

static int lay_out(EdgeRuns *runs, const Work *work)
{
    const EdgeQuestion *question = &runs->question;
    BlockList list = {.blocks = mem_alloc(question->n_pairs, sizeof(PairBlock), "blocks of pairs")};
    if (!list.blocks) {
        return OGPT_ENOMEM;
    }
    list_blocks(&list, runs->order, question);
    size_t bytes = bytes_of(question, &list, work);
    int rc = 0;
    if (work->memory_bytes > 0 && bytes > work->memory_bytes) {
        rc = err_set(OGPT_EUSAGE,
                     "the runs of %zu pairs take %zu MiB, %zu MiB are allowed; use fewer pairs or "
                     "allow more memory",
                     question->n_pairs, (bytes >> 20) + 1, work->memory_bytes >> 20);
    }
    rc = rc ? rc : make_blocks(runs, &list);
    mem_free(list.blocks);
    return rc;
}

static void weigh(EdgeRuns *runs)
{
    const EdgeQuestion *question = &runs->question;
    size_t V = (size_t)question->gpt->cfg.d_vocab;
    for (size_t i = 0; i < question->n_pairs; i++) {
        if (question->weights) {
            memcpy(runs->weights + i * V, question->weights + i * V, V * sizeof(real));
        } else {
            pair_weights(runs->weights + i * V, question->vocab, &question->pairs[i]);
        }
    }
}

int edges_new(EdgeRuns **out, const EdgeQuestion *question, const Work *work)
{
    *out = NULL;
    int rc = patch_check(question->gpt, question->vocab, question->pairs, question->n_pairs);
    EdgeRuns *runs = rc == 0 ? mem_calloc(1, sizeof(*runs), "runs of pairs") : NULL;
    if (!runs) {
        return rc ? rc : OGPT_ENOMEM;
    }
    runs->question = *question;
    runs->kernels = kernels_fast();
    rc = allocate(runs);
    rc = rc ? rc : lay_out(runs, work);
    if (rc == 0) {
        weigh(runs);
    }
    rc = rc ? rc : edges__hire(runs, work);
    rc = rc ? rc : pool_run(work->pool, runs->n_blocks, run_job, runs);
    if (rc != 0) {
        edges_free(runs);
        return rc;
    }
    *out = runs;
    return 0;
}

void edges_free(EdgeRuns *runs)
{
    if (!runs) {
        return;
    }
    for (size_t i = 0; i < runs->n_workers; i++) {
        worker_release(&runs->workers[i]);
    }
    for (size_t i = 0; i < runs->n_blocks; i++) {
        prefix_free(runs->blocks[i].prefix);
        arena_release(&runs->blocks[i].arena);
    }
    mem_free(runs->workers);
    mem_free(runs->blocks);
    mem_free(runs->order);
    mem_free(runs->weights);
    mem_free(runs->delta);
    mem_free(runs->logits);
    mem_free(runs->patched);
    mem_free(runs);
}

const double *edges_delta(const EdgeRuns *runs, bool other)
{
    return runs->delta + (other ? runs->question.n_pairs : 0);
}

const real *edges_logits(const EdgeRuns *runs, bool other)
{
    size_t V = (size_t)runs->question.gpt->cfg.d_vocab;
    return runs->logits + (other ? runs->question.n_pairs * V : 0);
}
