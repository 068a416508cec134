/* probes/sae/mmcs.h - how alike two dictionaries are: mean of the largest cosines.
 *
 * Every direction of `a` has a largest cosine with those of `b`. The mean of these is MMCS (Sharkey
 * et al. 2022; Cunningham et al., arXiv:2309.08600). Not symmetric: "of a in b".
 * Directions of length 0 of `a` are left out and counted, those of `b` have cosine 0 with all.
 */
#ifndef OGPT_PROBES_SAE_MMCS_H
#define OGPT_PROBES_SAE_MMCS_H

#include "base/work.h"

#define MMCS_BINS 20 /* of the histogram: cosines 0 .. 1 in steps of .05; below 0 in the first */

typedef struct Mmcs {
    double mean;                 /* NaN if `a` has no direction of a length above 0 */
    double above;                /* share of the directions of a with a cosine above .9 */
    size_t n, n_zero;            /* directions counted, and left out */
    size_t histogram[MMCS_BINS]; /* of the n largest cosines */
} Mmcs;

/* Directions: rows (n, d) of any length; borrowed. */
typedef struct MmcsSet {
    const float *rows;
    size_t n;
} MmcsSet;

/* best (a->n), may be NULL: the largest cosine of each direction of a, NaN of one of length 0. Any
 * number of workers gives the same bits. OGPT_ENOMEM. */
int mmcs_of(Mmcs *out, float *best, const MmcsSet *a, const MmcsSet *b, size_t d, const Work *work);
/* The plain version, in double precision. */
void mmcs_ref(Mmcs *out, const MmcsSet *a, const MmcsSet *b, size_t d);

#endif
