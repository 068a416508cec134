/* probes/compare/explained.h - how much of a layer's variance the board explains.
 *
 * Rows x of a layer are regressed on the board f of the position: for each square one indicator for
 * "theirs" and one for "mine" (by the real mover). The regression is within plies. Why? The ply
 * alone moves the whole stream, because positions are embedded, and it says how many discs there
 * are. So the mean of the ply is subtracted from both sides first (Frisch & Waugh 1933). Fitted on
 * training games, measured on test games:
 *
 *   ply      = 1 - sum |x - m_t|^2 / sum |x - m|^2               m, m_t: means over all, over a ply
 *   board    = 1 - sum |x - m_t - B^T (f - f_t)|^2 / sum |x - m_t|^2
 *   shuffled = the same as board, with boards of other games at the same ply: about 0
 *   B = (F^T F + lambda n I)^-1 F^T X,  lambda = EXPLAINED_RIDGE
 *
 * The ridge is needed because the centre squares are never empty, so that F has no full rank. Sums
 * run over positions and coordinates. A held-out R^2 can be below 0: about -p/n for p useless
 * features. Intervals: bootstrap over test games.
 */
#ifndef OGPT_PROBES_COMPARE_EXPLAINED_H
#define OGPT_PROBES_COMPARE_EXPLAINED_H

#include "datasets/corpus.h"
#include "num/statistics/stats.h"
#include "probes/activations/activations.h"

#define EXPLAINED_RIDGE 1e-4

typedef struct Explained {
    Interval ply, board, shuffled;
} Explained;

typedef struct ExplainedOptions {
    size_t n_games, n_test_games;
    int plies; /* drawn from each game; 0: all */
} ExplainedOptions;

/* out[i] for where->layers[i]. work: the pool, the seed, memory_bytes for activations,
 * tick("layers"), each layer twice: learnt and measured. Returns 0, OGPT_EFORMAT, OGPT_ENUM,
 * OGPT_EINTR, OGPT_ENOMEM. */
int explained_variance(Explained *out, const Gpt *gpt, const SiteLayers *where, Corpus *corpus,
                       const ExplainedOptions *options, const Work *work);

#endif
