/* probes/heads/head_tally.h - attention of many games, added up. Private to the room; it knows no
 * network, so a test can hand it attention that was made by hand.
 *
 * Three steps: head_tally_open looks at the games alone (which keys, how often). head_tally_add
 * takes the attention of one game and layer. head_compare (head_compare.h) knows the mean attention
 * of every head at every (query, key) and compares.
 *
 * Attention and weights are kept as triangles: row t begins at t (t + 1) / 2.
 */
#ifndef OGPT_PROBES_HEADS_HEAD_TALLY_H
#define OGPT_PROBES_HEADS_HEAD_TALLY_H

#include "probes/heads/head_games.h"
#include "probes/heads/head_project.h"

/* Lanes of the weights of a key (head_project.h). LANE_BEYOND: w (K - mean K) for four detectors:
 * `theirs` is what `mine` is not, and the others know their keys by age. */
enum {
    LANE_SHARE = 0, /* N_HEAD_SETS lanes: 1 on the keys of the detector, where it decides */
    LANE_BEYOND = N_HEAD_SETS,
    N_HEAD_BEYOND = 4,
    LANE_AGE = LANE_BEYOND + N_HEAD_BEYOND, /* t - s */
    LANE_TWIN,                              /* the keys that another game disputes */
    N_HEAD_SUMS = HEAD_LANES + 2            /* and behind the lanes: */
};
enum { SUM_ENTROPY = HEAD_LANES, SUM_LARGEST };
_Static_assert(LANE_TWIN < HEAD_LANES, "all lanes fit");
extern const HeadDetector head_beyond[N_HEAD_BEYOND];

static inline size_t head_triangle(size_t t)
{
    return t * (t + 1) / 2;
}

/* The sign of a disputed key in the contrast of two hypotheses: +1 if the side to move owns it by
 * the engine, -1 if by parity, 0 if it is not disputed, is one of the last two moves or the first
 * (whose neighbours in age are not like them). */
int head_dispute_sign(const HeadKeys *keys, int t, int s);

typedef struct HeadTally {
    const HeadGames *games, *twins; /* borrowed; twins may be NULL */
    size_t H, NH, T, triangle;      /* all heads, heads of a layer */
    double *at;                     /* (T) queries at t */
    double *ordinary_at;            /* (T) those without a disputed key */
    double *key_mean;               /* (triangle, N_HEAD_BEYOND) share of queries with the key */
    double *deciding, *uniform;     /* (n, N_HEAD_SETS) queries; sum of |K| / (t + 1) over them */
    double *counted;                /* (n) queries at t >= 1 */
    double *sums;                   /* (n, H, N_HEAD_SUMS) */
    float *columns;                 /* (n, H, T) attention on key s, over all queries at t >= 1 */
    double *ordinary, *disputed;    /* (H, triangle) sums of attention */
} HeadTally;

size_t head_tally_bytes(size_t n_games, size_t H, size_t T);
/* Returns 0 or OGPT_ENOMEM; head_tally_release in both cases. */
int head_tally_open(HeadTally *out, const HeadGames *games, const HeadGames *twins, size_t n_layers,
                    size_t n_heads);
void head_tally_release(HeadTally *tally);
/* weights (triangle, HEAD_LANES) of game g. */
void head_tally_weights(float *weights, const HeadTally *tally, size_t g);
/* Attention (T, NH, T) of a layer, game g. Row (t, h) begins at t * NH * T + h * T. Adds it to
 * ordinary and disputed (H, triangle) too, which the caller gives to head_tally_gather in the order
 * of the games. Thread-safe for different games. */
void head_tally_add(HeadTally *tally, float *ordinary, float *disputed, size_t g, size_t layer,
                    const float *attention, const float *weights);
void head_tally_gather(HeadTally *tally, const float *ordinary, const float *disputed);

#endif
