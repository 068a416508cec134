/* probes/patching/edges_exact.c - the effect of every edge alone. See probes/patching/edges.h; the
 * passes are those of probes/patching/edge_chunks.c. */
#include <string.h>

#include "base/err.h"
#include "probes/patching/edge_chunks.h"
#include "probes/patching/patch_jobs.h"

typedef struct ExactCall {
    EdgeRuns *runs;
    double *effect;
} ExactCall;

/* Job j: block j / (L + 1), receivers of layer j % (L + 1); L: the logits. */
static EdgeChunk chunk_of_job(const EdgeRuns *runs, size_t job)
{
    const Graph *graph = runs->question.graph;
    size_t layers = (size_t)graph->n_layers + 1, layer = job % layers;
    size_t a_layer = 3 * (size_t)graph->n_heads + 1, next = (layer + 1) * a_layer;
    EdgeChunk chunk = {.runs = runs, .block = &runs->blocks[job / layers], .layer = (int)layer};
    chunk.first_edge = graph_first_edge(graph, layer * a_layer);
    next = next < graph->n_receivers ? next : graph->n_receivers;
    chunk.n_edges = graph_first_edge(graph, next) - chunk.first_edge;
    return chunk;
}

static size_t exact_numbers(void *context, size_t job)
{
    const ExactCall *call = context;
    EdgeChunk chunk = chunk_of_job(call->runs, job);
    return chunk.block->n * chunk.n_edges;
}

static int exact_run(void *context, double *values, size_t job, size_t worker)
{
    const ExactCall *call = context;
    EdgeChunk chunk = chunk_of_job(call->runs, job);
    chunk.worker = &call->runs->workers[worker];
    chunk.values = values;
    edges__into_layer(&chunk);
    return 0;
}

static void exact_take(void *context, const double *values, size_t job)
{
    const ExactCall *call = context;
    const EdgeRuns *runs = call->runs;
    EdgeChunk chunk = chunk_of_job(runs, job);
    for (size_t b = 0; b < chunk.block->n; b++) {
        size_t pair = runs->order[chunk.block->first + b];
        memcpy(call->effect + pair * runs->question.graph->n_edges + chunk.first_edge,
               values + b * chunk.n_edges, chunk.n_edges * sizeof(*values));
    }
}

int edges_exact(double *effect, double *denominator, EdgeRuns *runs, const Work *work)
{
    ExactCall call = {.runs = runs, .effect = effect};
    PatchJobs jobs = {.work = work,
                      .stage = "edges",
                      .unit = "edges",
                      .n_units = (double)runs->question.graph->n_edges,
                      .n_jobs = runs->n_blocks * ((size_t)runs->question.graph->n_layers + 1),
                      .context = &call,
                      .numbers = exact_numbers,
                      .run = exact_run,
                      .take = exact_take};
    int rc = edges__hire(runs, work);
    rc = rc ? rc : patch_jobs_run(&jobs);
    for (size_t i = 0; rc == 0 && i < runs->question.n_pairs; i++) {
        denominator[i] = edges_delta(runs, true)[i] - edges_delta(runs, false)[i];
    }
    return rc;
}
