/* probes/forgetting/forget_find.h - forgetting, relearning and barriers from what was measured. */
#ifndef OGPT_PROBES_FORGETTING_FORGET_FIND_H
#define OGPT_PROBES_FORGETTING_FORGET_FIND_H

#include "probes/forgetting/forgetting.h"

/* One network, or one checkpoint, on one kind of games: each measure, and how much more excess
 * (loss, which differs by as much) than `before` has on the same games: F on the old ones. */
typedef struct ForgetScore {
    Interval of[N_FORGET_MEASURES];
    Interval change;
} ForgetScore;

/* score (N_FORGET_KINDS); values and before (forget_numbers of n games). The bootstrap has `seed`.
 * Returns 0 or OGPT_ENOMEM. */
int forget_find(ForgetScore *score, const double *values, const double *before, size_t n,
                uint64_t seed);

/* The largest rise of a line (FORGET_LINE) above the straight one between its ends: 0 or more. */
double forget_barrier(const double *line);

/* Relearning: scores (n, N_FORGET_KINDS) of checkpoints, in the order of training. The first one
 * whose change is at most `within`; n if there is none. */
size_t forget_relearned(ForgetScore (*scores)[N_FORGET_KINDS], size_t n, double within);

#endif
