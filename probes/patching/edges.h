/* probes/patching/edges.h - edges patched from one run of a pair into the other: one at a time, all
 * of them, or any set in one pass.
 *
 *   noising    base = the clean history, other = the corrupt one
 *   denoising  base = the corrupt history, other = the clean one
 *
 * A pass with a set E of patched edges: every receiver v reads
 *
 *   x + sum over the edges (u, v) of E of (a_u(other) - a_u(here))
 *
 * where x is the residual stream of this very pass in front of v and a_u what sender u wrote:
 * `here` in this pass, `other` in the other run (probes/graph/outputs.h). So a single edge changes
 * what v reads by a_u(other) - a_u(base) and nothing that anyone else reads; all out-edges of u are
 * activation patching of u; all edges are the other run. (Path patching: Wang et al. 2023,
 * Goldowsky-Dill et al. 2023; edges by channel q, k, v, MLP, logits: Conmy et al. 2023.)
 *
 * The metric is Delta (probes/graph/pair_metric.h) at the last position.
 *   effect(E) = (Delta(patched) - Delta(base)) / (Delta(other) - Delta(base))
 * as a ratio of sums over pairs, so numerators and denominators come apart (bootstrap_ratio).
 */
#ifndef OGPT_PROBES_PATCHING_EDGES_H
#define OGPT_PROBES_PATCHING_EDGES_H

#include "base/work.h"
#include "probes/graph/graph.h"
#include "probes/graph/pair_metric.h"

typedef enum PatchDirection { PATCH_NOISING, PATCH_DENOISING } PatchDirection;
#define PATCH_DIRECTION_NAMES "noising|denoising"
/* Which positions of the senders are patched. LAST: the last one alone; every earlier position is
 * as in the base run. ALL: every position. */
typedef enum PatchScope { PATCH_LAST, PATCH_ALL } PatchScope;
#define PATCH_SCOPE_NAMES "last|all"
/* The LayerNorm of a receiver with a patched edge. RECOMPUTED: exact. FROZEN: divided by the scale
 * of the base run at that position, so that what it reads is linear in the patch. Receivers without
 * a patched edge always compute their own. */
typedef enum PatchNorm { PATCH_RECOMPUTED, PATCH_FROZEN } PatchNorm;
#define PATCH_NORM_NAMES "recomputed|frozen"
const char *patch_direction_name(PatchDirection direction); /* static, as the next two */
const char *patch_scope_name(PatchScope scope);
const char *patch_norm_name(PatchNorm norm);

/* Refuse pairs that a network cannot run: OGPT_EFORMAT (of another board; longer than n_ctx, with
 * the number of the pair), OGPT_EUSAGE (none). */
int patch_check(const Gpt *gpt, const Vocab *vocab, const GamePair *pairs, size_t n);
/* order (n): numbers of the pairs, longest first, equal lengths as they come. */
void patch_order(size_t *order, const GamePair *pairs, size_t n);

typedef struct EdgeQuestion {
    const Gpt *gpt;
    const Graph *graph; /* graph_of(&gpt->cfg) */
    const Vocab *vocab;
    const GamePair *pairs;
    size_t n_pairs;
    PatchDirection direction;
    PatchScope scope;
    PatchNorm norm;
    /* (n_pairs, d_vocab) or NULL: another linear metric in place of Delta. Then the derived members
     * of the pairs are not read, only their moves. */
    const real *weights;
} EdgeQuestion;

/* Both runs of every pair, kept for many questions: Deltas, logits, what the senders wrote, and
 * keys and values of the base run. Borrows what the question names. Not thread-safe: one call at a
 * time, which itself uses the pool of its Work. */
typedef struct EdgeRuns EdgeRuns;

/* Bytes that edges_new takes at most. */
size_t edges_bytes(const EdgeQuestion *question, const Work *work);
/* Do both runs of all pairs. Returns 0, OGPT_EFORMAT (pairs of another board, longer than n_ctx;
 * the message names the pair), OGPT_EUSAGE (no pairs; more memory than work->memory_bytes allows),
 * OGPT_EINTR, OGPT_ENOMEM. */
int edges_new(EdgeRuns **out, const EdgeQuestion *question, const Work *work);
void edges_free(EdgeRuns *runs);

/* What the base run (other false) or the other run gave, borrowed as long as the runs live: Delta
 * (n_pairs), logits at the last position (n_pairs, d_vocab). */
const double *edges_delta(const EdgeRuns *runs, bool other);
const real *edges_logits(const EdgeRuns *runs, bool other);

/* A pass with a set of edges patched. patched (n_edges): 0 or 1, by edge number (graph_edge).
 * delta (n_pairs) or NULL; logits (n_pairs, d_vocab) or NULL. The pass begins at the first receiver
 * that has a patched edge, so sets near the logits are cheap. With no edge patched the results are
 * those of edges_delta(runs, false), bit for bit. Same bits for any number of workers and of ranks,
 * to which blocks of at most 16 pairs are dealt (base/ranks/ranks.h). Returns 0, OGPT_EINTR,
 * OGPT_ENOMEM or the error that ended the job. */
int edges_patched(double *delta, real *logits, EdgeRuns *runs, const uint8_t *patched,
                  const Work *work);

/* Every edge alone. effect (n_pairs, n_edges): numerators Delta(patched) - Delta(base); denominator
 * (n_pairs): Delta(other) - Delta(base). Uses work->journal (stage "edges"), ticks "edges". Same
 * bits for any number of workers and of ranks. Returns 0, OGPT_EINTR, OGPT_ENOMEM or an error of
 * the journal. */
int edges_exact(double *effect, double *denominator, EdgeRuns *runs, const Work *work);

#endif
