/* probes/scrubbing/scrub_internal.h - the inside of a scrubbed root: which games lend what (plan),
 * their runs (runs), and the values of the nodes (evaluate). */
#ifndef OGPT_PROBES_SCRUBBING_SCRUB_INTERNAL_H
#define OGPT_PROBES_SCRUBBING_SCRUB_INTERNAL_H

#include "probes/scrubbing/scrub.h"

enum {
    SCRUB_MAX_RUNS = 1024,  /* lent to one root in one row */
    SCRUB_MAX_PARTS = 1024, /* nodes evaluated for one root in one row */
    RUN_ROOT = 0,           /* the root itself */
    RUN_FREE = 1            /* the free draw of its logits */
};

/* A root: position t of a game. */
typedef struct ScrubRoot {
    size_t game;
    int t;
    double sign; /* of the metric: +1 or -1 */
} ScrubRoot;

/* A node evaluated on one position. Runs are numbers of ScrubPlan.games. */
typedef struct ScrubPart {
    int node;    /* -1: the logits */
    int t;       /* the position */
    int source;  /* run that the node sees: x' of its own draw */
    int base;    /* run that gives every input that is not named */
    int outside; /* run that gives keys and values at positions that the node does not name */
    int plain;   /* the part is the plain activation of this run; -1: it has to be computed */
    uint64_t positions[HYPOTHESIS_MAX_GROUPS]; /* that the heads of each group read */
    int first_child, n_children;               /* within ScrubPlan.children */
} ScrubPart;

/* All parts of one root in one row, children in front of their reader. */
typedef struct ScrubPlan {
    const uint8_t *games[SCRUB_MAX_RUNS]; /* moves of each run */
    size_t n_runs;
    ScrubPart parts[SCRUB_MAX_PARTS];
    size_t n_parts; /* the last is the logits */
    int children[SCRUB_MAX_PARTS];
    size_t n_children;
    bool unmatched; /* some node found no match */
    double candidates, n_matched;
} ScrubPlan;

/* What every root shares. */
typedef struct ScrubSetting {
    const ScrubQuestion *question;
    const SamplePool *pool;
    uint64_t seed;
} ScrubSetting;

/* Draw the games of one root for one hypothesis (a row's). The draws depend on the seed, the root's
 * number and the order of the parts alone. Returns 0 or OGPT_EUSAGE (too many). */
int scrub__plan(ScrubPlan *out, const ScrubSetting *setting, const Hypothesis *hypothesis,
                const ScrubRoot *root, size_t root_number);

/* ---- runs ---- */

/* Which sites of a run are kept. Bits are layers. */
typedef struct RunSites {
    uint64_t pre, mid, z, mlp;
    bool input, post;
} RunSites;
RunSites scrub__sites(const Hypothesis *hypothesis, const Graph *graph);

/* The runs of one worker. Rows are those of all positions 0..t of the root. */
typedef struct ScrubRuns ScrubRuns;
int scrub__runs_new(ScrubRuns **out, const Gpt *gpt, const Graph *graph, const Vocab *vocab);
void scrub__runs_free(ScrubRuns *runs);
/* Run games first .. first+n-1 of the plan for T tokens, after those that are kept already
 * (numbers first and up are forgotten). Returns 0 or OGPT_ENOMEM. */
int scrub__runs_do(ScrubRuns *runs, const ScrubPlan *plan, size_t first, const RunSites *sites,
                   size_t T);
/* Rows of a run, borrowed. */
const real *scrub__pre(const ScrubRuns *runs, int run, int layer, int t);
const real *scrub__mid(const ScrubRuns *runs, int run, int layer, int t);
const real *scrub__post(const ScrubRuns *runs, int run, int t);
/* Logits of RUN_ROOT or RUN_FREE at the last position. */
const real *scrub__logits(const ScrubRuns *runs, int run);
/* out (C) += factor * what the sender wrote at position t. */
void scrub__add_sender(real *out, const ScrubRuns *runs, int run, size_t sender, int t,
                       real factor);

/* ---- values ---- */

typedef struct ScrubRows ScrubRows; /* scratch of one worker */
int scrub__rows_new(ScrubRows **out, const Gpt *gpt, const Graph *graph, const Vocab *vocab);
void scrub__rows_free(ScrubRows *rows);
/* The logits (d_vocab) of a plan whose runs are done, borrowed from rows or runs. */
const real *scrub__logits_of(ScrubRows *rows, const ScrubRuns *runs, const ScrubPlan *plan,
                             const Hypothesis *hypothesis);

#endif
