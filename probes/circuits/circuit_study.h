/* probes/circuits/circuit_study.h - the whole question: every edge exactly, every estimate of it,
 * grades, curves, pruned circuits, controls. */
#ifndef OGPT_PROBES_CIRCUITS_CIRCUIT_STUDY_H
#define OGPT_PROBES_CIRCUITS_CIRCUIT_STUDY_H

#include "probes/circuits/acdc.h"
#include "probes/circuits/circuit_control.h"
#include "probes/circuits/estimates.h"
#include "probes/circuits/faithfulness.h"
#include "probes/circuits/grades.h"

enum { CIRCUIT_METHODS_MAX = N_ESTIMATES + 2 }; /* exact first, random last */
#define CIRCUIT_WANTED                                                                             \
    50 /* K of the grades: the strongest by the truth, which estimates must find */
#define CIRCUIT_WANTED_NODES 20
#define CIRCUIT_RANDOM_ORDERS 10 /* curves of the control */

typedef struct CircuitOptions {
    bool exact, acdc;
    bool scores_only; /* no curves, no controls */
    EstimateOptions estimates;
    size_t top; /* edges of the circuit, at most those of the graph */
    double tau;
    AcdcDistance distance;
    const GamePair *transpositions; /* borrowed; n_transpositions 0: none */
    size_t n_transpositions;
} CircuitOptions;

/* One way of ranking edges. */
typedef struct CircuitMethod {
    const char *name;   /* "exact", an estimate's, "random" */
    bool no_sign;       /* scores are sizes (estimate_signed) */
    size_t passes;      /* of the network a pair, forward and back, both runs included */
    double *scores;     /* (n_edges) share of the effect; NULL for random; owned */
    bool graded, drawn; /* whether `grade` and `curve` are filled */
    Grade grade;
    double *node_scores; /* (nodes) the same of nodes, owned */
    Grade node_grade;
    FaithCurve curve;
} CircuitMethod;

typedef struct CircuitStudy {
    size_t n_pairs, n_edges, top;
    size_t n_nodes, n_wanted_nodes; /* as n_edges, n_wanted */
    size_t n_wanted;                /* CIRCUIT_WANTED, or all edges of a smaller graph */
    double *denominator;            /* (n_pairs) Delta(other) - Delta(base), owned */
    Interval total;                 /* mean Delta(base) - Delta(other) over pairs, nats */
    CircuitMethod methods[CIRCUIT_METHODS_MAX];
    size_t n_methods;
    EstimateTrial trials[ESTIMATE_TRIALS_MAX];
    int n_trials;
    bool pruned;
    AcdcCircuit acdc[N_ACDC_ORDERS];
    FaithPoint acdc_faith[N_ACDC_ORDERS];
    double jaccard;
    CircuitControl controls[N_CONTROL_PAIRS];
    bool controlled[N_CONTROL_PAIRS];
    /* The circuit: the first `top` edges of the first method, strongest first. */
    uint32_t *edges; /* (top), owned */
} CircuitStudy;

/* Methods as people write them, "exact,atp,acdc" or "all": sets exact, acdc and estimates.wanted.
 * Attribution patching of an edge is called EAP, so "eap" is "atp". Returns 0 or OGPT_EUSAGE. */
int circuit_methods_parse(CircuitOptions *out, const char *text);

/* Bytes that the runs, effects and estimates of a study take at most. */
size_t circuit_study_bytes(const EdgeQuestion *question, const CircuitOptions *options,
                           const Work *work);
/* Ticks "edges", "pairs", "resamples", "receivers", "circuits"; uses work->journal. Returns 0 or
 * the error of a part. */
int circuit_study_run(CircuitStudy *out, const EdgeQuestion *question,
                      const CircuitOptions *options, const Work *work);
void circuit_study_release(CircuitStudy *study);

#endif
