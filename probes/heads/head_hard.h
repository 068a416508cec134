/* probes/heads/head_hard.h - what the network loses when one head attends to one key only, or to
 * all alike.
 *
 * At every position and for one head at a time its attention is replaced: `hard` by 1 on its
 * largest weight (the first of equal ones), `uniform` by 1 / (t + 1) on each key. All later layers
 * are computed again. A head that loses nothing by `hard` copies from one key; one that loses
 * nothing by either replacement does not use where it looks.
 */
#ifndef OGPT_PROBES_HEADS_HEAD_HARD_H
#define OGPT_PROBES_HEADS_HEAD_HARD_H

#include "base/work.h"
#include "model/gpt.h"
#include "num/statistics/stats.h"
#include "probes/heads/head_games.h"

typedef enum HeadReplacement { HEAD_HARD, HEAD_UNIFORM, N_HEAD_REPLACEMENTS } HeadReplacement;

typedef struct HeadLoss {
    Interval strict; /* strict error minus that of the clean pass (probes/legality/legality.h) */
    Interval kl;     /* the same of the KL in nats from uniform over the legal moves */
} HeadLoss;

typedef struct HeadHard {
    size_t n_games, n_positions, H;
    Interval strict, kl; /* of the clean pass */
    HeadLoss *losses;    /* (H, N_HEAD_REPLACEMENTS) */
} HeadHard;

size_t head_hard_bytes(const GptConfig *cfg, size_t n_games, const Work *work);
/* The first n_games of `games`; at least 1. Any number of workers gives the same bits. work: pool,
 * seed, tick("games"). Returns 0, OGPT_EFORMAT, OGPT_ENUM, OGPT_EINTR, OGPT_ENOMEM;
 * head_hard_release. */
int head_hard_run(HeadHard *out, const Gpt *gpt, const HeadGames *games, size_t n_games,
                  const Work *work);
void head_hard_release(HeadHard *hard);

/* Replace a row of attention over n_keys keys. */
void head_replace_row(float *row, size_t n_keys, HeadReplacement replacement);

#endif
