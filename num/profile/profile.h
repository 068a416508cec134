/* num/profile/profile.h - where the time goes: a kernel set that measures another one.
 *
 * Time is processor time, summed over workers, so that a machine with other work shows the same;
 * floating-point operations are those of the products (a
 * multiplication and an addition each; attention counts the half of the scores that causality
 * leaves). Counters belong to the process: one profiled run at a time.
 */
#ifndef OGPT_NUM_PROFILE_PROFILE_H
#define OGPT_NUM_PROFILE_PROFILE_H

#include <stdint.h>

#include "num/kernels.h"

typedef enum ProfileKind {
    PROFILE_LINEAR_FWD,
    PROFILE_LINEAR_BWD_INP,
    PROFILE_LINEAR_BWD_W,
    PROFILE_ATTENTION_FWD,
    PROFILE_ATTENTION_BWD,
    PROFILE_LAYERNORM,
    PROFILE_GELU,
    PROFILE_CROSS_ENTROPY,
    PROFILE_BATCH,  /* games, tokens, floor */
    PROFILE_SUMS,   /* of the lanes' gradients */
    PROFILE_UPDATE, /* optimiser */
    N_PROFILE_KINDS
} ProfileKind;

typedef struct ProfileRow {
    const char *name;
    double seconds, flops;
    uint64_t calls;
} ProfileRow;

/* A set that runs `inner` and counts; counters start at zero. */
const Kernels *profile_start(const Kernels *inner);
/* Set all counters to zero. */
void profile_reset(void);
/* Count work outside kernels; `seconds` is the processor time of all workers. */
void profile_add(ProfileKind kind, double seconds, double flops);
void profile_read(ProfileRow rows[N_PROFILE_KINDS]);

#endif
