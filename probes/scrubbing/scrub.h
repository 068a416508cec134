/* probes/scrubbing/scrub.h - causal scrubbing: how much of what a network does is left when every
 * part keeps only what a hypothesis says it carries.
 * (Chan, Garriga-Alonso, Goldowsky-Dill, Greenblatt, Nitishinskaya, Radhakrishnan, Shlegeris,
 * Thomas 2022: "Causal scrubbing".)
 *
 *   scrub(n, x): node n evaluated on position x, each input exchanged:
 *     an input m that the hypothesis names: draw x' at the ply of x, uniformly among the lending
 *         games that agree with x in every feature of m; the input is scrub(m, x')
 *     all inputs that it does not name: one game at the ply of x, drawn without a condition, gives
 *         all of them
 *   A node without named inputs is the plain activation of x'. The senders of one node are one
 *   part: at the position of the node the later ones read what the earlier ones write. Constants
 *   (biases) are the same in every run.
 *
 *   heads read earlier positions too. At the positions that the node names (all, if it names none)
 *   their inputs at position s are scrubbed as at any other: scrub(m, x' up to s), at ply s. Keys
 *   and values at other positions come from a game at the same ply, drawn without a condition.
 *
 *   score = (E scrubbed - E shuffled) / (E full - E shuffled)       (ratio of sums over roots)
 *   E is the mean of the metric (probes/scrubbing/hypothesis.h) over roots: full, the logits of the
 *   root itself; shuffled, those of the game that the logits' free draw lends, judged by the board
 *   of the root. One root from a game, so the root is the unit of intervals.
 *
 * The hypothesis "everything" gives the full logits and the empty one the shuffled ones, bit for
 * bit. Roots of a metric about one square are half of one kind and half of the other. A root for
 * which a node finds no match in the lending games is left out of that row, with its full and
 * shuffled values, and counted.
 */
#ifndef OGPT_PROBES_SCRUBBING_SCRUB_H
#define OGPT_PROBES_SCRUBBING_SCRUB_H

#include "datasets/vocab.h"
#include "num/statistics/stats.h"
#include "probes/scrubbing/samples.h"

#define SCRUB_ROOTS_MAX 1000000

typedef struct ScrubQuestion {
    const Gpt *gpt;
    const Graph *graph; /* graph_of(&gpt->cfg) */
    const Vocab *vocab;
    const Hypothesis *hypothesis;
    const ScrubGames *roots; /* one root from each at most, in order */
    const ScrubGames *pool;  /* games that lend */
    size_t n_roots;
    int min_moves, before_end; /* of a root: moves made, and still to go, at least */
    bool by_node;              /* a row more a node, in which it keeps everything */
} ScrubQuestion;

typedef enum ScrubRowKind {
    SCRUB_FULL,     /* nothing exchanged */
    SCRUB_SHUFFLED, /* everything exchanged */
    SCRUB_HYPOTHESIS,
    SCRUB_ELSEWHERE, /* control: the same of other squares and positions */
    SCRUB_UNBOUND,   /* control: the same nodes, each from any game at its ply */
    SCRUB_KEPT       /* the hypothesis, but one node keeps everything */
} ScrubRowKind;

typedef struct ScrubRow {
    ScrubRowKind kind;
    int node;          /* of SCRUB_KEPT, else -1 */
    size_t n;          /* roots that count */
    size_t unmatched;  /* roots left out: a node found no match */
    double candidates; /* mean number of games that matched, over draws with a condition; NaN */
    double draws;      /* mean number of runs lent to a root */
    Interval metric;   /* mean of the metric */
    Interval score;    /* as above; 1 for SCRUB_FULL and 0 for SCRUB_SHUFFLED */
    Interval strict;   /* share of roots whose top token is not a legal move */
    Interval wrong;    /* mean wrong moves of the top-N rule (probes/legality/answers.h) */
} ScrubRow;

enum { SCRUB_MAX_ROWS = 5 + HYPOTHESIS_MAX_NODES };

typedef struct ScrubResult {
    ScrubRow rows[SCRUB_MAX_ROWS]; /* full, shuffled, hypothesis, then the controls there are */
    size_t n_rows;
    size_t n_roots;
    double full, shuffled; /* means of the metric over all roots */
} ScrubResult;

/* Uses work->journal (stage "roots"), ticks "roots". The same rows for any number of workers.
 * Returns 0, OGPT_EUSAGE (fewer roots than asked for in the games; one root needs too many runs),
 * OGPT_ENUM (logits that are not finite), OGPT_EINTR, OGPT_ENOMEM or an error of the journal. */
int scrub_run(ScrubResult *out, const ScrubQuestion *question, const Work *work);

const char *scrub_row_name(ScrubRowKind kind); /* static: "full", "shuffled", "hypothesis", ... */

#endif
