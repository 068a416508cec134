/* probes/dictionaries/splice.h - a network that goes on with what a dictionary rebuilt of its rows.
 *
 * At every position the rows of a site and layer are replaced by what a codebook makes of them, and
 * the rules judge the answers. Excess ratio = (loss spliced - floor) / (loss - floor): how many
 * times further the network is from the least loss that rules allow. "Loss recovered" =
 * (loss of zeros - loss spliced) / (loss of zeros - loss) is what others report; zeros are so far
 * off that it is near 1 for nearly everything.
 */
#ifndef OGPT_PROBES_DICTIONARIES_SPLICE_H
#define OGPT_PROBES_DICTIONARIES_SPLICE_H

#include "datasets/labels.h"
#include "model/gpt.h"
#include "probes/activations/positions.h"
#include "probes/dictionaries/codebook.h"
#include "probes/legality/legality.h"

typedef enum SpliceMode {
    SPLICE_NONE, /* the network as it is */
    SPLICE_ZERO, /* zeros */
    SPLICE_CODEBOOK
} SpliceMode;

/* Where; borrowed. */
typedef struct SplicePlace {
    const Gpt *gpt;
    HookSite site;
    int layer; /* LAYER_EMBED: the input of block 0 */
} SplicePlace;

/* What answered, by game; owned. */
typedef struct SpliceScore {
    LegalitySums total;
    size_t n_games;
    LegalitySums *games;
} SpliceScore;

/* Whether the neurons of the layer's block are computed before the site. */
bool splice_sees_neurons(HookSite site, int layer);
/* The games of `set`, all their positions. codebook: for SPLICE_CODEBOOK only. Any number of
 * workers gives the same sums. Returns 0, OGPT_EINTR, OGPT_ENUM (logits or rebuilt rows are not
 * finite), OGPT_ENOMEM. */
int splice_score(SpliceScore *out, const SplicePlace *place, SpliceMode mode,
                 const Codebook *codebook, const PositionSet *set, const Work *work);
void splice_release(SpliceScore *score);

/* The excess ratio with its interval over games, and the strict error. draws: NULL, or room for
 * BOOTSTRAP_REPLICATES of the ratio; draw r is that of coverage_score. Returns 0 or OGPT_ENOMEM. */
int splice_excess(Interval *ratio, Interval *strict, double *draws, const SpliceScore *spliced,
                  const SpliceScore *clean, uint64_t seed);

#endif
