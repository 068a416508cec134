/* probes/circuits/circuit_study.c - contract in probes/circuits/circuit_study.h. */
#include "probes/circuits/circuit_study.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct StudyRun {
    CircuitStudy *study;
    const EdgeQuestion *question;
    const CircuitOptions *options;
    const Work *work;
    EdgeRuns *runs;
    EstimateSet set;
    double *effect;              /* (n_pairs, n_edges) exact numerators; NULL: not asked for */
    double *node_effect;         /* (n_pairs, n_nodes) */
    Estimate which[N_ESTIMATES]; /* of method i + (exact asked for) */
    uint32_t *order;             /* (n_edges) */
} StudyRun;

/* ---- rankings ---- */

typedef struct EstimateRanking {
    const EstimateSet *set;
    Estimate estimate;
    EstimateUnit unit;
} EstimateRanking;

static void estimate_ranking(double *scores, const void *context, const double *weight)
{
    const EstimateRanking *ranking = context;
    estimates_scores(scores, ranking->set, ranking->estimate, ranking->unit, weight);
}

/* Passes a pair, forward and back. */
static size_t passes_of(Estimate estimate, const StudyRun *run)
{
    size_t L = (size_t)run->question->graph->n_layers,
           points = (size_t)run->options->estimates.points;
    switch (estimate) {
    case ESTIMATE_ATP_DROP:
    case ESTIMATE_ATP_STAR: return 2 + L;
    case ESTIMATE_EAP_IG: return 2 + 2 * points;
    case ESTIMATE_CLEAN_CORRUPTED: return 4;
    default: return 3;
    }
}

static CircuitMethod *add_method(StudyRun *run, const char *name, size_t passes)
{
    CircuitMethod *method = &run->study->methods[run->study->n_methods];
    *method = (CircuitMethod){.name = name, .passes = passes};
    method->scores = mem_calloc(run->study->n_edges, sizeof(double), "effects of edges");
    method->node_scores = mem_calloc(run->study->n_nodes, sizeof(double), "effects of nodes");
    run->study->n_methods++;
    return method->scores && method->node_scores ? method : NULL;
}

/* scores (n) = ratios of sums over pairs. */
static void add_up(double *scores, const double *effect, const double *denominator, size_t n_pairs,
                   size_t n)
{
    double whole = 0;
    for (size_t p = 0; p < n_pairs; p++) {
        whole += denominator[p];
        for (size_t i = 0; i < n; i++) {
            scores[i] += effect[p * n + i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        scores[i] /= whole;
    }
}

static int find_truth(StudyRun *run)
{
    CircuitStudy *study = run->study;
    size_t n = study->n_pairs;
    run->effect = mem_alloc(n * study->n_edges, sizeof(double), "effects of edges");
    run->node_effect = mem_alloc(n * study->n_nodes, sizeof(double), "effects of nodes");
    CircuitMethod *method = add_method(run, "exact", study->n_edges + 2);
    if (!run->effect || !run->node_effect || !method) {
        return OGPT_ENOMEM;
    }
    int rc = edges_exact(run->effect, study->denominator, run->runs, run->work);
    rc = rc ? rc : circuit_nodes_exact(run->node_effect, run->runs, run->question, run->work);
    if (rc == 0) {
        add_up(method->scores, run->effect, study->denominator, n, study->n_edges);
        add_up(method->node_scores, run->node_effect, study->denominator, n, study->n_nodes);
    }
    return rc;
}

static int estimate_all(StudyRun *run)
{
    const EstimateOptions *wanted = &run->options->estimates;
    CircuitStudy *study = run->study;
    size_t n = 0;
    if (wanted->wanted == 0) {
        return 0;
    }
    int rc = estimates_make(&run->set, run->question, wanted, run->work);
    for (int e = 0; e < N_ESTIMATES && rc == 0; e++) {
        if ((wanted->wanted >> e & 1) != 0) {
            CircuitMethod *method =
                add_method(run, estimate_name((Estimate)e), passes_of((Estimate)e, run));
            if (!method) {
                return OGPT_ENOMEM;
            }
            method->no_sign = !estimate_signed((Estimate)e);
            run->which[n++] = (Estimate)e;
            estimates_scores(method->scores, &run->set, (Estimate)e, ESTIMATE_EDGES, NULL);
            estimates_scores(method->node_scores, &run->set, (Estimate)e, ESTIMATE_NODES, NULL);
        }
    }
    if (rc == 0) {
        memcpy(study->trials, run->set.trials, sizeof(study->trials));
        study->n_trials = run->set.n_trials;
        memcpy(study->denominator, run->set.denominator, study->n_pairs * sizeof(double));
    }
    return rc;
}

static int grade_units(StudyRun *run, EstimateUnit unit)
{
    CircuitStudy *study = run->study;
    bool edges = unit == ESTIMATE_EDGES;
    GradeTruth truth = {study->n_pairs, edges ? study->n_edges : study->n_nodes,
                        edges ? run->effect : run->node_effect, study->denominator,
                        edges ? study->n_wanted : study->n_wanted_nodes};
    EstimateRanking contexts[N_ESTIMATES];
    GradeRanking rankings[N_ESTIMATES];
    Grade grades[N_ESTIMATES + 1];
    size_t n = study->n_methods - 2; /* estimates: the truth first, random orders last */
    for (size_t i = 0; i < n; i++) {
        contexts[i] = (EstimateRanking){&run->set, run->which[i], unit};
        rankings[i] = (GradeRanking){estimate_ranking, &contexts[i]};
    }
    int rc = grade_rankings(grades, &truth, rankings, n, run->work);
    rc = rc ? rc : grade_random(&grades[n], &truth, run->work);
    for (size_t i = 0; i <= n && rc == 0; i++) {
        CircuitMethod *method = &study->methods[i + 1];
        *(edges ? &method->grade : &method->node_grade) = grades[i];
        method->graded = true;
    }
    return rc;
}

/* ---- circuits ---- */

static int draw_curves(StudyRun *run)
{
    CircuitStudy *study = run->study;
    int rc = 0;
    for (size_t i = 0; i < study->n_methods && rc == 0; i++) {
        CircuitMethod *method = &study->methods[i];
        if (method->scores) {
            rc = grade_order(run->order, method->scores, study->n_edges);
            rc = rc ? rc
                    : faith_curve(&method->curve, run->runs, run->question, run->order,
                                  method->name, run->work);
        } else {
            rc = faith_random(&method->curve, run->runs, run->question, CIRCUIT_RANDOM_ORDERS,
                              run->work);
        }
        method->drawn = rc == 0;
    }
    return rc;
}

static int choose_circuit(StudyRun *run)
{
    CircuitStudy *study = run->study;
    study->edges = mem_alloc(study->top, sizeof(*study->edges), "edges of a circuit");
    if (!study->edges) {
        return OGPT_ENOMEM;
    }
    int rc = grade_order(run->order, study->methods[0].scores, study->n_edges);
    memcpy(study->edges, run->order, study->top * sizeof(*study->edges));
    return rc;
}

static int prune_both(StudyRun *run)
{
    CircuitStudy *study = run->study;
    int rc = 0;
    for (int order = 0; order < N_ACDC_ORDERS && rc == 0; order++) {
        AcdcOptions options = {run->options->distance, run->options->tau, (AcdcOrder)order};
        rc = acdc_run(&study->acdc[order], run->runs, run->question, &options, run->work);
        rc = rc ? rc
                : faith_circuit(&study->acdc_faith[order], run->runs, run->question,
                                study->acdc[order].kept, run->work);
    }
    if (rc == 0) {
        study->pruned = true;
        study->jaccard = acdc_jaccard(study->acdc[0].kept, study->acdc[1].kept, study->n_edges);
    }
    return rc;
}

static int measure_controls(StudyRun *run)
{
    CircuitStudy *study = run->study;
    size_t n = study->n_pairs;
    double *direction = mem_calloc(study->top, sizeof(*direction), "effects of edges");
    GamePair *swapped = mem_calloc(n, sizeof(*swapped), "pairs of other labels");
    int rc = direction && swapped ? 0 : OGPT_ENOMEM;
    for (size_t i = 0; i < study->top && rc == 0; i++) {
        direction[i] = study->methods[0].no_sign
                           ? NAN /* as measured on the flips, which come first */
                           : study->methods[0].scores[study->edges[i]] * study->total.value;
    }
    if (rc == 0) {
        circuit_control_swap(swapped, run->question->pairs, n);
    }
    for (int which = 0; which < N_CONTROL_PAIRS && rc == 0; which++) {
        EdgeQuestion question = *run->question;
        bool transposed = which == CONTROL_TRANSPOSITION;
        question.pairs = which == CONTROL_FLIP ? question.pairs
                         : transposed          ? run->options->transpositions
                                               : swapped;
        question.n_pairs = transposed ? run->options->n_transpositions : n;
        study->controlled[which] = question.n_pairs > (which == CONTROL_SWAPPED ? 1 : 0);
        if (study->controlled[which]) {
            rc = circuit_control_measure(&study->controls[which], &question, run->runs,
                                         study->edges, direction, study->top, run->work);
        }
        edges_free(run->runs); /* those of the flips; the others have runs of their own */
        run->runs = NULL;
    }
    mem_free(direction);
    mem_free(swapped);
    return rc;
}

static int run_all(StudyRun *run)
{
    const CircuitOptions *options = run->options;
    CircuitStudy *study = run->study;
    size_t n = study->n_pairs;
    int rc = edges_new(&run->runs, run->question, run->work);
    rc = rc || !options->exact ? rc : find_truth(run);
    rc = rc ? rc : estimate_all(run);
    if (rc != 0) {
        return rc;
    }
    const double *base = edges_delta(run->runs, false), *other = edges_delta(run->runs, true);
    double *moved = mem_alloc(n, sizeof(*moved), "effects of pairs");
    for (size_t p = 0; moved && p < n; p++) {
        moved[p] = base[p] - other[p];
    }
    study->total = moved ? bootstrap_ratio(moved, NULL, n, run->work->seed) : study->total;
    rc = moved ? 0 : OGPT_ENOMEM;
    mem_free(moved);
    rc = rc ? rc : choose_circuit(run);
    study->methods[study->n_methods++] = (CircuitMethod){.name = "random"};
    rc = rc || !options->exact ? rc : grade_units(run, ESTIMATE_EDGES);
    rc = rc || !options->exact ? rc : grade_units(run, ESTIMATE_NODES);
    rc = rc || options->scores_only ? rc : draw_curves(run);
    rc = rc || !options->acdc ? rc : prune_both(run);
    return rc || options->scores_only ? rc : measure_controls(run);
}

size_t circuit_study_bytes(const EdgeQuestion *question, const CircuitOptions *options,
                           const Work *work)
{
    size_t units = question->graph->n_edges + circuit_nodes(question->graph);
    return edges_bytes(question, work) +
           (options->exact ? question->n_pairs * units * sizeof(double) : 0) +
           (options->estimates.wanted ? estimates_bytes(question, &options->estimates, work) : 0);
}

int circuit_study_run(CircuitStudy *out, const EdgeQuestion *question,
                      const CircuitOptions *options, const Work *work)
{
    StudyRun run = {.study = out, .question = question, .options = options, .work = work};
    size_t n = question->graph->n_edges, nodes = circuit_nodes(question->graph);
    *out = (CircuitStudy){.n_pairs = question->n_pairs,
                          .n_edges = n,
                          .top = options->top < n ? options->top : n,
                          .n_wanted = n < CIRCUIT_WANTED ? n : CIRCUIT_WANTED,
                          .n_nodes = nodes,
                          .n_wanted_nodes =
                              nodes < CIRCUIT_WANTED_NODES ? nodes : CIRCUIT_WANTED_NODES};
    if (!options->exact && options->estimates.wanted == 0) {
        return err_set(OGPT_EUSAGE, "no method that ranks edges: expected exact or an estimate");
    }
    out->denominator = mem_calloc(question->n_pairs, sizeof(double), "effects of pairs");
    run.order = mem_alloc(n, sizeof(*run.order), "order of edges");
    int rc = out->denominator && run.order ? run_all(&run) : OGPT_ENOMEM;
    edges_free(run.runs);
    estimates_release(&run.set);
    mem_free(run.effect);
    mem_free(run.node_effect);
    mem_free(run.order);
    if (rc != 0) {
        circuit_study_release(out);
    }
    return rc;
}

void circuit_study_release(CircuitStudy *study)
{
    for (size_t i = 0; i < study->n_methods; i++) {
        mem_free(study->methods[i].scores);
        mem_free(study->methods[i].node_scores);
    }
    for (int order = 0; order < N_ACDC_ORDERS; order++) {
        acdc_release(&study->acdc[order]);
    }
    mem_free(study->denominator);
    mem_free(study->edges);
    *study = (CircuitStudy){0};
}
