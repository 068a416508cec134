/* probes/heads/head_following.h - the steps of head_follow_run, which know no network: a test can
 * hand them attention that was made by hand. Private to the room. */
#ifndef OGPT_PROBES_HEADS_HEAD_FOLLOWING_H
#define OGPT_PROBES_HEADS_HEAD_FOLLOWING_H

#include "probes/heads/head_follow.h"

typedef struct HeadFollowing {
    HeadFollows *out;
    const HeadPatterns *patterns;
    const HeadGames *games, *disputed;
    double *seen, *parity, *mover;    /* (H, n of the disputed games) sums by game */
    double *twin_parity, *twin_mover; /* (H, n of the games) */
    double *queries;                  /* (n of the disputed games) */
    uint64_t seed;
} HeadFollowing;

/* What both hypotheses expect. Returns 0 or OGPT_ENOMEM; head_following_release in both cases. */
int head_following_open(HeadFollowing *following, HeadFollows *out, const HeadPatterns *patterns,
                        const HeadGames *games, const HeadGames *disputed);
/* Attention (T, NH, T) of a layer in disputed game g. Thread-safe for different games. */
void head_following_add(HeadFollowing *following, size_t g, size_t layer, const float *attention);
/* Verdicts, from all games. */
int head_following_close(HeadFollowing *following, const Work *work);
void head_following_release(HeadFollowing *following);

#endif
