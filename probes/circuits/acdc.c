/* probes/circuits/acdc.c - contract in probes/circuits/acdc.h. */
#include "probes/circuits/acdc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/process.h"

const char *acdc_distance_name(AcdcDistance distance)
{
    return distance == ACDC_KL ? "kl" : "delta";
}

const char *acdc_order_name(AcdcOrder order)
{
    return order == ACDC_LAST_FIRST ? "last-first" : "first-last";
}

double acdc_jaccard(const uint8_t *a, const uint8_t *b, size_t n_edges)
{
    size_t both = 0, either = 0;
    for (size_t e = 0; e < n_edges; e++) {
        both += a[e] && b[e];
        either += a[e] || b[e];
    }
    return either > 0 ? (double)both / (double)either : NAN;
}

typedef struct AcdcRun {
    AcdcCircuit *circuit;
    EdgeRuns *runs;
    const EdgeQuestion *question;
    const AcdcOptions *options;
    const Work *work;
    uint8_t *patched; /* (n_edges) dropped so far */
    double *delta;    /* (n_pairs) */
    real *logits;     /* (n_pairs, V) */
    double *tried;    /* (n_senders) distances that the edges of one receiver gave; NaN: untried */
    char stage[64];
} AcdcRun;

/* KL(full || current) of one answer, nats. */
static double divergence(const real *full, const real *current, int n)
{
    double most[2] = {(double)full[0], (double)current[0]}, total[2] = {0, 0}, sum = 0;
    for (int v = 1; v < n; v++) {
        most[0] = fmax(most[0], (double)full[v]);
        most[1] = fmax(most[1], (double)current[v]);
    }
    for (int v = 0; v < n; v++) {
        total[0] += exp((double)full[v] - most[0]);
        total[1] += exp((double)current[v] - most[1]);
    }
    for (int v = 0; v < n; v++) {
        double p = exp((double)full[v] - most[0]) / total[0];
        sum += p * ((double)full[v] - (double)current[v] - most[0] + most[1] - log(total[0]) +
                    log(total[1]));
    }
    return sum;
}

/* The distance of the network with `patched` from the full one. */
static int distance_now(double *out, AcdcRun *run)
{
    const EdgeQuestion *question = run->question;
    size_t n = question->n_pairs, V = (size_t)question->vocab->d_vocab;
    bool kl = run->options->distance == ACDC_KL;
    const Work quiet = work_quiet(run->work);
    int rc = edges_patched(run->delta, kl ? run->logits : NULL, run->runs, run->patched, &quiet);
    const double *full = edges_delta(run->runs, false), *other = edges_delta(run->runs, true);
    double moved = 0, whole = 0, sum = 0;
    if (rc != 0) {
        return rc;
    }
    for (size_t p = 0; p < n; p++) {
        moved += full[p] - run->delta[p];
        whole += full[p] - other[p];
        sum += kl ? divergence(edges_logits(run->runs, false) + p * V, run->logits + p * V, (int)V)
                  : 0;
    }
    *out = kl ? sum / (double)n : fabs(moved / whole);
    return 0;
}

/* Whether anything behind still reads what the receiver's component writes. */
static bool is_read(const AcdcRun *run, Receiver receiver)
{
    const Graph *graph = run->question->graph;
    if (receiver.kind == RECEIVER_LOGITS) {
        return true;
    }
    SenderKind kind = receiver.kind == RECEIVER_MLP ? SENDER_MLP : SENDER_HEAD;
    size_t s = graph_sender_index(graph, (Sender){kind, receiver.layer, receiver.head});
    for (size_t r = 0; r < graph->n_receivers; r++) {
        if (s < graph_sees(graph, r) && !run->patched[graph_first_edge(graph, r) + s]) {
            return true;
        }
    }
    return false;
}

/* Drop the edge, or take it back: `now` is the distance with it dropped. */
static void decide(AcdcRun *run, size_t edge, double now)
{
    AcdcCircuit *circuit = run->circuit;
    bool tried = !isnan(now);
    circuit->growth[edge] = tried ? now - circuit->distance : NAN;
    circuit->n_tried += tried;
    run->patched[edge] = !tried || now - circuit->distance < run->options->tau;
    if (tried && run->patched[edge]) {
        circuit->distance = now;
    }
}

static size_t sender_at(const AcdcRun *run, size_t i, size_t n)
{
    return run->options->order == ACDC_LAST_FIRST ? n - 1 - i : i;
}

/* The edges into one receiver, as found in the journal or by passes. */
static int prune_receiver(AcdcRun *run, size_t r)
{
    const Graph *graph = run->question->graph;
    size_t n = graph_sees(graph, r), first = graph_first_edge(graph, r);
    bool read = is_read(run, graph_receiver(graph, r));
    int recalled = read ? work_recall(run->tried, run->work, n, run->stage, r) : 0, rc = 0;
    for (size_t i = 0; i < n && rc == 0 && recalled >= 0; i++) {
        size_t s = sender_at(run, i, n);
        if (recalled == 0) {
            run->tried[s] = NAN;
            run->patched[first + s] = 1;
            rc = read ? distance_now(&run->tried[s], run) : 0;
        }
        if (rc == 0) {
            decide(run, first + s, run->tried[s]);
        }
    }
    if (rc == 0 && read && recalled == 0) {
        rc = work_keep(run->work, run->tried, n, run->stage, r);
    }
    return recalled < 0 ? recalled : rc;
}

/* Receiver number i of the order. The blocks go backwards in both; inside a block the MLP reads
 * behind the heads, so it is always the first. */
static size_t receiver_at(const AcdcRun *run, size_t i)
{
    const Graph *graph = run->question->graph;
    size_t back = graph->n_receivers - 1 - i, a_block = 3 * (size_t)graph->n_heads + 1;
    size_t block = back / a_block, place = back % a_block;
    if (run->options->order == ACDC_LAST_FIRST || back == graph->n_receivers - 1 ||
        place == a_block - 1) {
        return back;
    }
    return block * a_block + (a_block - 2 - place);
}

static int prune(AcdcRun *run)
{
    size_t n = run->question->graph->n_receivers;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        work_tick(run->work, "receivers", (double)i, (double)n);
        rc = prune_receiver(run, receiver_at(run, i));
        if (rc == 0 && interrupt_pending() != 0) {
            rc = err_set(OGPT_EINTR,
                         "interrupted while edges were pruned; type the command again to go on");
        }
    }
    work_tick(run->work, "receivers", (double)n, (double)n);
    return rc;
}

int acdc_run(AcdcCircuit *out, EdgeRuns *runs, const EdgeQuestion *question,
             const AcdcOptions *options, const Work *work)
{
    size_t n = question->graph->n_edges, pairs = question->n_pairs;
    AcdcRun run = {
        .circuit = out, .runs = runs, .question = question, .options = options, .work = work};
    *out = (AcdcCircuit){.n_edges = n};
    if (!(options->tau > 0)) {
        return err_set(OGPT_EUSAGE, "tau %g: expected a number above 0", options->tau);
    }
    snprintf(run.stage, sizeof(run.stage), "acdc %s %s %.9g", acdc_distance_name(options->distance),
             acdc_order_name(options->order), options->tau);
    out->kept = mem_calloc(n, 1, "edges of a circuit");
    out->growth = mem_calloc(n, sizeof(double), "edges of a circuit");
    run.patched = mem_calloc(n, 1, "edges of a circuit");
    run.delta = mem_calloc(pairs, sizeof(double), "effects of pairs");
    run.logits =
        mem_calloc(pairs * (size_t)question->vocab->d_vocab, sizeof(real), "logits of pairs");
    run.tried = mem_calloc(question->graph->n_senders, sizeof(double), "edges of a circuit");
    int rc = out->kept && out->growth && run.patched && run.delta && run.logits && run.tried
                 ? prune(&run)
                 : OGPT_ENOMEM;
    for (size_t e = 0; e < n && rc == 0; e++) {
        out->kept[e] = !run.patched[e];
        out->n_kept += out->kept[e];
    }
    mem_free(run.patched);
    mem_free(run.delta);
    mem_free(run.logits);
    mem_free(run.tried);
    if (rc != 0) {
        acdc_release(out);
    }
    return rc;
}

void acdc_release(AcdcCircuit *circuit)
{
    mem_free(circuit->kept);
    mem_free(circuit->growth);
    *circuit = (AcdcCircuit){0};
}
