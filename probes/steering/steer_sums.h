/* probes/steering/steer_sums.h - means of scores over cases, with intervals by game; runs that are
 * kept. */
#ifndef OGPT_PROBES_STEERING_STEER_SUMS_H
#define OGPT_PROBES_STEERING_STEER_SUMS_H

#include "num/statistics/stats.h"
#include "probes/steering/steer_run.h"

/* Which number of a score (the members of SteerScore, in their order), and which cases. */
typedef enum SteerOf {
    STEER_OF_EDITED,
    STEER_OF_BEFORE,
    STEER_OF_STRICT_EDITED,
    STEER_OF_STRICT_BEFORE,
    STEER_OF_METRIC,
    STEER_OF_KL
} SteerOf;
typedef enum SteerAmong { STEER_CARING, STEER_OTHERS } SteerAmong;

/* Mean over the cases, bootstrap over games. NaN if there is no such case. */
Interval steer_mean(const SteerCases *cases, SteerOf of, SteerAmong among, const SteerScore *scores,
                    uint64_t seed);
/* Mean of `scores` minus mean of `other`, paired. */
Interval steer_paired(const SteerCases *cases, SteerOf of, SteerAmong among,
                      const SteerScore *scores, const SteerScore *other, uint64_t seed);
/* (null - arm) / (null - self), where null and self are the wrong moves of `clean` on the edited
 * board and on its own, over the cases that care. */
Interval steer_closed(const SteerCases *cases, const SteerScore *scores, const SteerScore *clean,
                      uint64_t seed);

/* Under which name a run is kept. */
typedef struct SteerPlace {
    const char *stage;
    size_t block;
} SteerPlace;
/* steer_run, or its scores as the journal of the work kept them. */
int steer_run_kept(SteerScore *scores, const Gpt *gpt, const SteerCases *cases,
                   const SteerChange *change, const float *clean, SteerPlace place,
                   const Work *work);

#endif
