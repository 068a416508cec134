/* probes/patching/patch_sites.h - activation patching: a hook site of one layer, at some positions,
 * taken from the other run of a pair.
 *
 * Base and other run are those of probes/patching/edges.h. With `noise` the base run is the clean
 * history whose embeddings have Gaussian noise added at the positions where the two histories
 * differ, and the other run is the clean history: causal tracing (Meng et al. 2022), for comparison
 * only, because such a stream belongs to no game.
 */
#ifndef OGPT_PROBES_PATCHING_PATCH_SITES_H
#define OGPT_PROBES_PATCHING_PATCH_SITES_H

#include "base/enums.h"
#include "probes/patching/edges.h"

/* Which positions are patched. X(enumerator, name, meaning) */
#define PATCH_POSITIONS(X)                                                                         \
    X(PATCH_AT_ALL, "all", "every position")                                                       \
    X(PATCH_AT_LAST, "last", "the last one")                                                       \
    X(PATCH_AT_PREVIOUS, "previous", "the one before it")                                          \
    X(PATCH_AT_CHANGED, "changed", "those whose moves differ in the two histories, but the last")  \
    X(PATCH_AT_SAME, "same", "those whose moves are the same, but the last")
typedef enum PatchPosition { PATCH_POSITIONS(ENUM_ID) N_PATCH_POSITIONS } PatchPosition;
const char *patch_position_name(PatchPosition position); /* static */

#define PATCH_NOISE_SD 3.0 /* standard deviations of the token embeddings (Meng et al. 2022) */

typedef struct SiteQuestion {
    const Gpt *gpt;
    const Vocab *vocab;
    const GamePair *pairs;
    size_t n_pairs;
    PatchDirection direction; /* not read with noise */
    bool noise;
    uint64_t sites, layers; /* bits by HookSite and layer; sites outside the blocks: no layer */
    int back;  /* 0: the classes of PATCH_POSITIONS; else the last so many positions, one by one */
    bool self; /* patch every position with the base run's own values: no bit may change */
} SiteQuestion;

/* One answer: Delta, and the rules' judgement by the board of each history: wrong moves of the
 * top-N rule, and whether the top move is illegal (probes/legality/answers.h). [0] clean, [1]
 * corrupt. */
typedef struct PatchScore {
    double delta, wrong[2], strict[2];
} PatchScore;

typedef struct PatchCell {
    HookSite site;
    int layer; /* sites outside the blocks: n_layers */
    int at;    /* PatchPosition, or with `back` how many positions before the last: 0, 1, ... */
} PatchCell;

typedef struct SiteEffects {
    size_t n_cells, n_pairs;
    PatchCell *cells;         /* (n_cells), layer by layer, site by site */
    PatchScore *scores;       /* (n_cells, n_pairs); NaN where a pair has no such position */
    PatchScore *base, *other; /* (n_pairs) */
    size_t self_changed;      /* answers of question.self that differ from the base run in a bit */
} SiteEffects;

/* Whether a patched cell is all that the answer is computed from, so that its effect is 1 whatever
 * the network: the whole stream, or behind the last keys and values its last position. */
bool patch_cell_whole(const PatchCell *cell, int n_layers, int back);

/* Score an answer (d_vocab logits) to a pair; weights of Delta, or NULL: those of the pair. */
PatchScore patch_score(const GamePair *pair, const Vocab *vocab, const real *logits);

/* Patch every cell. Uses work->journal (stages "patch noising", ...), ticks "passes". The same bits
 * for any number of workers and of ranks. A stretch of one length is one batch, all positions run,
 * so that a site between two blocks patched at all positions gives the other run bit for bit.
 * Returns 0, OGPT_EFORMAT (pairs of another board, longer than n_ctx), OGPT_EUSAGE (no pairs, no
 * such layer), OGPT_EINTR, OGPT_ENOMEM or an error of the journal. */
int patch_sites(SiteEffects *out, const SiteQuestion *question, const Work *work);
void patch_sites_release(SiteEffects *effects);

#endif
