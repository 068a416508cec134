/* probes/heads/head_follow.h - mine and theirs, or every second move? Heads after a forced pass.
 *
 * In a game without a pass, "moves of the side to move" and "every second move" are the same keys,
 * so no score can tell a head that knows the owner of a move from one that counts. After a forced
 * pass they differ: keys before the pass have changed their owner for whoever counts. Such keys are
 * disputed (HeadKeys.disputed).
 *
 * At every query with disputed keys, for one head, over the disputed keys but the first and those
 * of the last two moves:
 *
 * - seen: attention on the keys that the side to move owns by the engine, minus attention on those
 *   that it owns by parity.
 *
 * - parity: the same of the head's mean attention at the same (t, s) in positions without disputed
 *   keys: what a head does that knows t and s alone.
 *
 * - mover: the same of the mean attention at the neighbouring keys, (t, s-1) and (t, s+1), which in
 *   those positions have the other owner: what a head does that knows the owner.
 *
 * - follow: (parity - seen) / (parity - mover), sums over queries: 0 counts, 1 knows the owner.
 *
 * - preference: (mover - parity) / 2 a query: how much more attention the head gives to its own
 *   moves (mine; below 0: theirs) than to the other side's, at these keys.
 *
 * Where the preference is small, follow is a quotient of two small numbers, and the verdict is
 * "none". The twin is noise: the same keys where none is disputed. Its follow is 0 for any head.
 */
#ifndef OGPT_PROBES_HEADS_HEAD_FOLLOW_H
#define OGPT_PROBES_HEADS_HEAD_FOLLOW_H

#include "probes/heads/head_patterns.h"

/* Fewer positions without a disputed key at a ply say too little about the mean there. */
#define HEAD_ORDINARY_MIN 20
/* The least |preference| of which the verdict speaks: a hundredth of the attention. */
#define HEAD_PREFERENCE_LEAST 0.01

typedef enum HeadVerdict {
    HEAD_FOLLOWS_NOTHING, /* no preference */
    HEAD_FOLLOWS_PARITY,  /* the interval of follow lies between -0.5 and 0.5 */
    HEAD_FOLLOWS_MOVER,   /* between 0.5 and 1.5 */
    HEAD_FOLLOWS_NEITHER, /* outside of both: the head does something else after a pass */
    HEAD_FOLLOWS_UNKNOWN, /* the interval is too wide */
    N_HEAD_VERDICTS
} HeadVerdict;
const char *head_verdict_name(HeadVerdict verdict); /* "none", "parity", ..., "undecided"; static */

typedef struct HeadFollow {
    double seen, parity, mover; /* a query */
    Interval preference, follow, twin;
    HeadVerdict verdict;
} HeadFollow;

typedef struct HeadFollows {
    size_t n_games, n_queries, n_twin_queries;
    double mean_ply;   /* of the queries */
    HeadFollow *heads; /* (H) */
} HeadFollows;

/* patterns: of the same network, with `disputed` as its twins; games: those of the patterns. work:
 * pool, seed, tick("games"). With no query (no game of `disputed`, or at no ply enough positions)
 * heads is NULL. Errors as head_patterns_run; head_follow_release. */
int head_follow_run(HeadFollows *out, const Gpt *gpt, const HeadPatterns *patterns,
                    const HeadGames *games, const HeadGames *disputed, const Work *work);
void head_follow_release(HeadFollows *follows);

/* One head from its sums by game; all (n). */
HeadFollow head_follow_of(const double *seen, const double *parity, const double *mover,
                          const double *queries, size_t n, uint64_t seed);

#endif
