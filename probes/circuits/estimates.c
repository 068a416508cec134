/* probes/circuits/estimates.c - pairs in fixed chunks, and the scores of edges. Contract in
 * probes/circuits/estimates.h. */
#include "probes/circuits/estimates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"
#include "base/ranks/ranks.h"
#include "probes/circuits/estimate_chunk.h"

static const char *const estimate_names[] = {ESTIMATES(ENUM_NAME)};

const char *estimate_name(Estimate estimate)
{
    return estimate_names[estimate];
}

bool estimate_signed(Estimate estimate)
{
    return estimate != ESTIMATE_ATP_DROP && estimate != ESTIMATE_ATP_STAR;
}

size_t estimates_planes(Estimate estimate, int n_layers)
{
    return estimate_signed(estimate) ? 1 : (size_t)n_layers;
}

size_t estimates_bytes(const EdgeQuestion *question, const EstimateOptions *options,
                       const Work *work)
{
    size_t planes = 0;
    for (int e = 0; e < N_ESTIMATES; e++) {
        bool wanted = (options->wanted >> e & 1) != 0;
        planes += wanted ? estimates_planes((Estimate)e, question->graph->n_layers) : 0;
    }
    return planes * question->n_pairs *
               (question->graph->n_edges + circuit_nodes(question->graph)) * sizeof(float) +
           work_workers(work) * estimate_lab_bytes(question, options);
}

/* ---- making them ---- */

typedef struct EstimateRun {
    EstimateSet *set;
    const EdgeQuestion *question;
    EstimateLab **labs; /* (workers) */
    size_t *order;      /* (n_pairs) longest first: little padding in a chunk */
    double *sums;       /* (n_pairs, n_trials) */
    RanksPart *parts;   /* of one pair, as many as parts_of_pair says */
    int trials[ESTIMATE_TRIALS_MAX];
    size_t chunk; /* before this window */
} EstimateRun;

static int check(const EdgeQuestion *question, const EstimateOptions *options)
{
    if (options->points < 1 || options->points > ESTIMATE_POINTS_MAX) {
        return err_set(OGPT_EUSAGE, "%d points, expected 1 to %d", options->points,
                       ESTIMATE_POINTS_MAX);
    }
    return patch_check(question->gpt, question->vocab, question->pairs, question->n_pairs);
}

/* 1, 2, 4, ... below the number asked for, and that. */
static void set_trials(EstimateRun *run, const EstimateOptions *options)
{
    EstimateSet *set = run->set;
    if ((options->wanted & 1U << ESTIMATE_EAP_IG) == 0) {
        return;
    }
    for (int points = 1; points < options->points; points *= 2) {
        run->trials[set->n_trials++] = points;
    }
    run->trials[set->n_trials++] = options->points;
}

/* Layers whose dropping does not silence the receiver. */
static void set_divisors(EstimateSet *set, const Graph *graph)
{
    for (size_t r = 0; r < graph->n_receivers; r++) {
        int others = graph->n_layers - (graph_receiver(graph, r).kind != RECEIVER_LOGITS);
        for (size_t s = 0; s < graph_sees(graph, r); s++) {
            set->divisor[graph_first_edge(graph, r) + s] = others > 0 ? others : 1;
        }
    }
    for (size_t node = 0; node < circuit_nodes(graph); node++) {
        int others = graph->n_layers - (circuit_node_layer(graph, node) >= 0);
        set->divisor[set->n_edges + node] = others > 0 ? others : 1;
    }
}

static int make_memory(EstimateRun *run, const EstimateOptions *options, const Work *work)
{
    EstimateSet *set = run->set;
    const EdgeQuestion *question = run->question;
    size_t n = question->n_pairs, workers = work_workers(work), parts = 2;
    int rc = 0;
    set->denominator = mem_calloc(n, sizeof(double), "effects of pairs");
    set->divisor = mem_calloc(set->width, sizeof(double), "effects of edges");
    run->order = mem_calloc(n, sizeof(*run->order), "order of the pairs");
    run->sums = mem_calloc(n * (size_t)(set->n_trials + 1), sizeof(double), "sums of pairs");
    run->labs = mem_calloc(workers, sizeof(*run->labs), "estimates of edges");
    rc = set->denominator && set->divisor && run->order && run->sums && run->labs ? 0 : OGPT_ENOMEM;
    for (int e = 0; e < N_ESTIMATES && rc == 0; e++) {
        if ((options->wanted >> e & 1) != 0) {
            size_t planes = estimates_planes((Estimate)e, set->n_layers);
            set->values[e] = mem_calloc(planes * n * set->width, sizeof(float), "effects of edges");
            rc = set->values[e] ? 0 : OGPT_ENOMEM;
            parts += planes;
        }
    }
    run->parts = mem_calloc(parts, sizeof(*run->parts), "messages");
    rc = rc || run->parts ? rc : OGPT_ENOMEM;
    for (size_t w = 0; w < workers && rc == 0; w++) {
        rc = estimate_lab_new(&run->labs[w], question, options);
    }
    return rc;
}

static int chunk_job(void *context, size_t job, size_t worker)
{
    const EstimateRun *run = context;
    const EstimateSet *set = run->set;
    size_t first = (run->chunk + job) * ESTIMATE_CHUNK_PAIRS, left = set->n_pairs - first;
    size_t n = left < ESTIMATE_CHUNK_PAIRS ? left : ESTIMATE_CHUNK_PAIRS;
    EstimateRow rows[ESTIMATE_CHUNK_PAIRS];
    for (size_t i = 0; i < n; i++) {
        size_t pair = run->order[first + i];
        const real *weights = run->question->weights;
        size_t d_vocab = (size_t)run->question->vocab->d_vocab;
        rows[i] = (EstimateRow){.pair = &run->question->pairs[pair],
                                .weights = weights ? weights + pair * d_vocab : NULL,
                                .plane = set->n_pairs * set->width,
                                .denominator = &set->denominator[pair],
                                .sums = run->sums + pair * (size_t)(set->n_trials + 1)};
        for (int e = 0; e < N_ESTIMATES; e++) {
            rows[i].values[e] = set->values[e] ? set->values[e] + pair * set->width : NULL;
        }
    }
    estimate_chunk(run->labs[worker], rows, n, run->trials, set->n_trials);
    return 0;
}

/* run->parts: everything that is written of one pair. Returns their number. */
static size_t parts_of_pair(const EstimateRun *run, size_t pair)
{
    const EstimateSet *set = run->set;
    const size_t sums = (size_t)(set->n_trials + 1);
    RanksPart *parts = run->parts;
    size_t n = 0;
    parts[n++] = (RanksPart){.data = &set->denominator[pair], .n_bytes = sizeof(double)};
    parts[n++] = (RanksPart){.data = run->sums + pair * sums, .n_bytes = sums * sizeof(double)};
    for (int e = 0; e < N_ESTIMATES; e++) {
        size_t planes = set->values[e] ? estimates_planes((Estimate)e, set->n_layers) : 0;
        for (size_t plane = 0; plane < planes; plane++) {
            parts[n++] =
                (RanksPart){.data = set->values[e] + (plane * set->n_pairs + pair) * set->width,
                            .n_bytes = set->width * sizeof(float)};
        }
    }
    return n;
}

/* The chunks of a window, dealt to the ranks, and then all of them on every rank. */
static int run_window(const EstimateRun *run, size_t n, const Work *work)
{
    int rc = ranks_run(work->pool, n, chunk_job, (void *)run, NULL, 0);
    for (size_t job = 0; job < n && rc == 0 && ranks_count() > 1; job++) {
        size_t first = (run->chunk + job) * ESTIMATE_CHUNK_PAIRS;
        size_t end = first + ESTIMATE_CHUNK_PAIRS;
        end = end < run->set->n_pairs ? end : run->set->n_pairs;
        for (size_t i = first; i < end && rc == 0; i++) {
            size_t n_parts = parts_of_pair(run, run->order[i]);
            rc = ranks_broadcast_parts(run->parts, n_parts, ranks_owner(job, n));
        }
    }
    return rc;
}

static int run_chunks(EstimateRun *run, const Work *work)
{
    size_t n = (run->set->n_pairs + ESTIMATE_CHUNK_PAIRS - 1) / ESTIMATE_CHUNK_PAIRS;
    size_t window = 2 * work_workers(work) * (size_t)ranks_count();
    int rc = 0;
    for (run->chunk = 0; run->chunk < n && rc == 0; run->chunk += window) {
        size_t left = n - run->chunk, done = run->chunk * ESTIMATE_CHUNK_PAIRS;
        work_tick(work, "pairs", (double)done, (double)run->set->n_pairs);
        rc = run_window(run, left < window ? left : window, work);
        if (rc == 0 && interrupt_pending() != 0) {
            rc = err_set(OGPT_EINTR,
                         "interrupted while edges were estimated; type the command again");
        }
    }
    if (rc == 0) {
        work_tick(work, "pairs", (double)run->set->n_pairs, (double)run->set->n_pairs);
    }
    return rc;
}

static void set_errors(EstimateRun *run)
{
    EstimateSet *set = run->set;
    for (int i = 0; i < set->n_trials; i++) {
        double wrong = 0, whole = 0;
        for (size_t p = 0; p < set->n_pairs; p++) {
            double sum = run->sums[p * (size_t)(set->n_trials + 1) + (size_t)i];
            wrong += fabs(sum - set->denominator[p]);
            whole += fabs(set->denominator[p]);
        }
        set->trials[i] = (EstimateTrial){run->trials[i], whole > 0 ? wrong / whole : NAN};
    }
}

int estimates_make(EstimateSet *out, const EdgeQuestion *question, const EstimateOptions *options,
                   const Work *work)
{
    EstimateRun run = {.set = out, .question = question};
    *out = (EstimateSet){.n_pairs = question->n_pairs,
                         .n_edges = question->graph->n_edges,
                         .width = question->graph->n_edges + circuit_nodes(question->graph),
                         .n_layers = question->graph->n_layers};
    int rc = check(question, options);
    if (rc != 0) {
        return rc;
    }
    set_trials(&run, options);
    rc = make_memory(&run, options, work);
    if (rc == 0) {
        set_divisors(out, question->graph);
        patch_order(run.order, question->pairs, question->n_pairs);
        rc = run_chunks(&run, work);
    }
    if (rc == 0) {
        set_errors(&run);
    }
    for (size_t w = 0; run.labs && w < work_workers(work); w++) {
        estimate_lab_free(run.labs[w]);
    }
    mem_free(run.labs);
    mem_free(run.parts);
    mem_free(run.sums);
    mem_free(run.order);
    if (rc != 0) {
        estimates_release(out);
    }
    return rc;
}

void estimates_release(EstimateSet *set)
{
    for (int e = 0; e < N_ESTIMATES; e++) {
        mem_free(set->values[e]);
    }
    mem_free(set->denominator);
    mem_free(set->divisor);
    *set = (EstimateSet){0};
}

/* ---- scores ---- */

void estimates_scores(double *scores, const EstimateSet *set, Estimate estimate, EstimateUnit unit,
                      const double *weight)
{
    bool edges = unit == ESTIMATE_EDGES, has_sign = estimate_signed(estimate);
    size_t planes = estimates_planes(estimate, set->n_layers);
    size_t n = edges ? set->n_edges : set->width - set->n_edges, offset = edges ? 0 : set->n_edges;
    double whole = 0, sums[256];
    memset(scores, 0, n * sizeof(*scores));
    for (size_t p = 0; p < set->n_pairs; p++) {
        whole += (weight ? weight[p] : 1.0) * set->denominator[p];
    }
    for (size_t plane = 0; plane < planes; plane++) {
        const float *values = set->values[estimate] + plane * set->n_pairs * set->width + offset;
        for (size_t first = 0; first < n; first += 256) { /* so many sums at a time */
            size_t count = n - first < 256 ? n - first : 256;
            memset(sums, 0, sizeof(sums));
            for (size_t p = 0; p < set->n_pairs; p++) {
                const float *row = values + p * set->width + first;
                double w = weight ? weight[p] : 1.0;
                for (size_t e = 0; w != 0 && e < count; e++) {
                    sums[e] += w * (double)row[e];
                }
            }
            for (size_t e = 0; e < count; e++) {
                scores[first + e] +=
                    has_sign ? sums[e] : fabs(sums[e]) / set->divisor[offset + first + e];
            }
        }
    }
    for (size_t e = 0; e < n; e++) {
        scores[e] /= has_sign ? whole : fabs(whole);
    }
}
