/* probes/heads/head_patterns.h - what each head looks at, minus what chance gives.
 *
 * For a detector with the key set K of a query (probes/heads/head_detectors.h), over the queries at
 * which it decides (some keys are in K, but not all):
 * - share: mean of the attention on K.
 * - uniform: mean of |K| / (t + 1): attention that is uniform over the keys.
 * - excess: share - uniform.
 * - shuffled: mean over K of the mean attention of this head from position t to key s in all other
 *   games: the same ages, and the squares of another game.
 * - beyond: share - shuffled: what the head does because of the squares. 0 for attention that is a
 *   function of (t, s).
 * - score: excess for detectors of kind AGE, whose shuffled share is the share itself; beyond for
 *   those of kind BOARD. A head that looks at K alone scores 1 - uniform, or 1 - shuffled.
 *
 * The mean attention is estimated on the same games, without the game itself: the difference to the
 * mean of all is scaled by n / (n - 1), n games at t. The intervals resample games; the sum of a
 * game is centred by the mean key set, so that it is the influence of the game on the estimate (the
 * added terms sum to 0).
 *
 * square  the square on which the head puts most beyond uniform in games 0, 2, 4, ...; its scores
 *         are those of games 1, 3, 5, ..., at queries behind its move
 */
#ifndef OGPT_PROBES_HEADS_HEAD_PATTERNS_H
#define OGPT_PROBES_HEADS_HEAD_PATTERNS_H

#include "base/work.h"
#include "model/gpt.h"
#include "num/statistics/stats.h"
#include "probes/heads/head_games.h"

typedef struct HeadScore {
    double share, uniform, shuffled; /* NaN where no query decides; shuffled: kind BOARD alone */
    PairedTest excess, beyond;       /* p_holm: over the heads, for this detector */
    double queries;
} HeadScore;

/* The score of its kind: excess or beyond. */
const PairedTest *head_score_of(const HeadScore *score, HeadDetector detector);

typedef struct HeadPattern {
    HeadScore scores[N_HEAD_DETECTORS];
    Interval entropy; /* nats, mean over queries at t >= 1 */
    Interval largest; /* mean of the largest weight of a query */
    Interval age;     /* mean of t - s under the attention */
    int square;       /* bit number of the square of HEAD_SQUARE */
    int kind; /* the detector of its largest score that is at least HEAD_KIND_LEAST and whose
               * p_holm is below 0.05; -1: none */
} HeadPattern;
#define HEAD_KIND_LEAST 0.1

typedef struct HeadPatterns {
    size_t n_layers, NH, H, T, n_games;
    double queries;
    HeadPattern *heads; /* (H), layer by layer */
    /* The mean attention at (t, s) over queries without a disputed key: (H, T (T + 1) / 2), row t
     * at t (t + 1) / 2; and how many there are (T). */
    float *ordinary;
    double *ordinary_at;
    /* The contrast of head_follow.h in ordinary games at the keys that another game disputes, sums
     * by game: (H, n_games); NULL without twins. */
    double *twin;
    /* HEAD_MINE by game: what a game adds to excess and to beyond, sums over its queries (H,
     * n_games, 2), and at how many it decides (n_games). Sum by sum is the score; HEAD_THEIRS has
     * the same with the other sign. */
    double *mine, *mine_queries;
} HeadPatterns;

/* Memory in bytes. */
size_t head_patterns_bytes(const GptConfig *cfg, size_t n_games, const Work *work);
/* Pass the games through the network. twins: games whose disputed keys are looked at in these games
 * too, as a control (head_follow.h), or NULL. Any number of workers gives the same bits. work:
 * pool, seed, tick("games"). Returns 0, OGPT_EFORMAT, OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM;
 * head_patterns_release. */
int head_patterns_run(HeadPatterns *out, const Gpt *gpt, const HeadGames *games,
                      const HeadGames *twins, const Work *work);
void head_patterns_release(HeadPatterns *patterns);

#endif
