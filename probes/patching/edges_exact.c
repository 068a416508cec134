/* probes/patching/edges_exact.c - the effect of every edge alone: jobs, blocks of the journal. See
 * probes/patching/edges.h; the passes are those of probes/patching/edge_chunks.c. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "probes/patching/edge_chunks.h"

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

/* ---- jobs ---- */

/* Job j: block j / (L + 1), receivers of layer j % (L + 1); L: the logits. */
static EdgeChunk chunk_of_job(const EdgeRuns *runs, size_t job)
{
    const Graph *graph = runs->question.graph;
    size_t layers = (size_t)graph->n_layers + 1, layer = job % layers;
    size_t a_layer = 3 * (size_t)graph->n_heads + 1;
    size_t next = (layer + 1) * a_layer;
    EdgeChunk chunk = {.runs = runs, .block = &runs->blocks[job / layers]};
    chunk.layer = (int)layer;
    chunk.first_edge = graph_first_edge(graph, layer * a_layer);
    next = next < graph->n_receivers ? next : graph->n_receivers;
    chunk.n_edges = graph_first_edge(graph, next) - chunk.first_edge;
    return chunk;
}

static int exact_job(void *context, size_t i, size_t worker_index)
{
    ExactCall *call = context;
    EdgeChunk chunk = chunk_of_job(call->runs, call->first + i);
    if (call->states[i] != JOB_OPEN) {
        return 0;
    }
    if (interrupt_pending()) {
        return err_set(OGPT_EINTR, "interrupted while patching edges");
    }
    chunk.worker = &call->runs->workers[worker_index];
    chunk.values = call->values + i * call->width;
    edges__into_layer(&chunk);
    call->states[i] = JOB_FINISHED;
    return 0;
}

/* ---- windows of jobs ---- */

static int recall_window(ExactCall *call, size_t n)
{
    const WorkJournal *journal = call->work->journal;
    memset(call->states, JOB_OPEN, n);
    for (size_t i = 0; journal && i < n; i++) {
        EdgeChunk chunk = chunk_of_job(call->runs, call->first + i);
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
        EdgeChunk chunk = chunk_of_job(call->runs, call->first + i);
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
        EdgeChunk chunk = chunk_of_job(runs, call->first + i);
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
        EdgeChunk chunk = chunk_of_job(runs, job);
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
