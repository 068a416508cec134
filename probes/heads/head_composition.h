/* probes/heads/head_composition.h - how much of what a head writes a later head reads.
 *
 * Elhage et al. 2021. Rows are vectors of the stream, x W. A head reads its queries by Q = diag(w)
 * W_Q, keys by K, values by V, where w is the weight of its LayerNorm, and it writes W_O, centred:
 * the mean over the stream, which every LayerNorm takes away, is subtracted. With A = V W_O of the
 * earlier head and the later one's Q, K, A' = V' W_O':
 *   Q  |A Q K^T| / (|A| |Q K^T|)      its query depends on what was written
 *   K  |A K Q^T| / (|A| |Q K^T|)      its key does
 *   V  |A A'| / (|A| |A'|)            what it moves does
 * with Frobenius norms. Nothing else is folded; the scale of the LayerNorm cancels.
 *
 * The null is exact: for a uniformly random rotation R of the stream, E |A R B|^2 = |A|^2 |B|^2 /
 * d, whatever the spectra; so the score of an unrelated pair is 1 / sqrt(d) in root mean square. z
 * = (score - mean) / deviation over HEAD_ROTATIONS rotations of the same pair.
 */
#ifndef OGPT_PROBES_HEADS_HEAD_COMPOSITION_H
#define OGPT_PROBES_HEADS_HEAD_COMPOSITION_H

#include "base/work.h"
#include "model/gpt.h"

#define HEAD_ROTATIONS 100

typedef enum HeadChannel { HEAD_Q, HEAD_K, HEAD_V, N_HEAD_CHANNELS } HeadChannel;
const char *head_channel_name(HeadChannel channel); /* "Q" */

typedef struct HeadComposition {
    size_t H, NH, d;
    double null;                   /* 1 / sqrt(d) */
    double rotated, rotated_error; /* the same measured: root of the mean of score^2 over all pairs
                                    * and rotations, and its standard error over rotations */
    double *score, *mean, *deviation; /* (N_HEAD_CHANNELS, H, H): from a head, to a head; of the
                                       * rotations. NaN unless `to` is in a later layer, and where a
                                       * norm is 0 */
} HeadComposition;

static inline size_t head_pair(const HeadComposition *c, HeadChannel channel, size_t from,
                               size_t to)
{
    return ((size_t)channel * c->H + from) * c->H + to;
}

size_t head_composition_bytes(const GptConfig *cfg, const Work *work);
/* rotations: 0 leaves mean and deviation NaN. work: pool, seed, tick("rotations"). Returns 0,
 * OGPT_ENOMEM, OGPT_EINTR; head_composition_release. */
int head_composition_run(HeadComposition *out, const Gpt *gpt, size_t rotations, const Work *work);
void head_composition_release(HeadComposition *composition);

/* The plain version: whole (d, d) matrices in double precision, multiplied. NaN as above. */
double head_composition_ref(const Gpt *gpt, HeadChannel channel, size_t from, size_t to);

#endif
