/* probes/patching/patch_study.h - activation patching and path patching of a set of pairs, with
 * intervals and controls: the rows of ogpt patch. */
#ifndef OGPT_PROBES_PATCHING_PATCH_STUDY_H
#define OGPT_PROBES_PATCHING_PATCH_STUDY_H

#include "num/statistics/stats.h"
#include "probes/patching/patch_sites.h"

/* How the two runs are made: two directions, and noise (probes/patching/patch_sites.h). */
typedef enum PatchMode { MODE_NOISING, MODE_DENOISING, MODE_NOISE, N_PATCH_MODES } PatchMode;
const char *patch_mode_name(PatchMode mode); /* static */

/* What some patch did, over the pairs that have such a position. */
typedef struct PatchEffect {
    size_t n;        /* pairs */
    Interval effect; /* ratio of sums (probes/patching/edges.h), bootstrap over pairs */
    double moved;    /* mean |Delta(patched) - Delta(base)| / mean |Delta(other) - Delta(base)| */
    double control;  /* the first mean on transpositions, over the second of the pairs; NaN: none */
    double wrong[2],
        strict[2]; /* means: on the clean board, on the corrupt board; NaN: not judged */
} PatchEffect;

typedef struct PatchRow {
    PatchMode mode;
    PatchCell cell; /* of a site */
    size_t n_edges; /* of a set; 0: a site */
    size_t edge;    /* of a set of one edge: its number; SIZE_MAX else */
    bool random;    /* mean over PATCH_RANDOM_SETS random sets of as many edges */
    PatchEffect effect;
} PatchRow;

/* The answers of a run, before anything is patched. */
typedef struct PatchRun {
    PatchMode mode;
    bool other, control; /* base or other run; of the pairs or of the transpositions */
    size_t n;
    Interval delta;
    double wrong[2], strict[2];
} PatchRun;

#define PATCH_RANDOM_SETS 20
enum { PATCH_MAX_RUNS = 4 * N_PATCH_MODES };

typedef struct PatchStudy {
    PatchRow *rows; /* (n_rows) */
    size_t n_rows, room;
    PatchRun runs[PATCH_MAX_RUNS];
    size_t n_runs;
    Interval
        total[N_PATCH_MODES]; /* mean Delta(base) - Delta(other) of the modes asked for, nats */
    size_t self_changed;      /* sites: answers that a patch with own values changed: must be 0 */
} PatchStudy;

typedef struct PatchAsked {
    const Gpt *gpt;
    const Graph *graph;
    const Vocab *vocab;
    const GamePair *pairs, *control; /* control: transpositions, may be none */
    size_t n_pairs, n_control;
    unsigned modes; /* bits by PatchMode; noise only for sites */
    uint64_t sites, layers;
    int back;
    PatchScope scope; /* of edges */
    PatchNorm norm;
    const uint8_t *edges; /* (n_edges) a set of edges, or NULL: sites */
    bool every_edge;      /* each edge alone in place of a set; answers are not judged */
} PatchAsked;

/* Sites if asked->edges is NULL and every_edge is false. A set of edges gives a row for the set,
 * one for each of its edges if there are at most PATCH_SINGLE_MAX, and one for random sets of as
 * many edges. Random sets and intervals come from work->seed. Uses work->journal. The errors of
 * patch_sites and edges_new. */
#define PATCH_SINGLE_MAX 64
int patch_study_run(PatchStudy *out, const PatchAsked *asked, const Work *work);
void patch_study_release(PatchStudy *study);

/* Edges by name, separated by commas: patched (n_edges) is set. A receiver of the form L3H5 stands
 * for its q, k and v. Returns 0 or OGPT_EUSAGE. */
int patch_edges_parse(uint8_t *patched, const Graph *graph, const char *text);
/* Hook sites by name, separated by commas, or "all": bits by HookSite. Returns 0 or OGPT_EUSAGE. */
int patch_sites_parse(uint64_t *sites, const char *text);

#endif
