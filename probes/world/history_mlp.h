/* probes/world/history_mlp.h - a player that knows which squares each side has played, and in no
 * order: a hidden layer on a vector of fixed length, without attention.
 *
 * The input has two numbers for each playable square: 1 if the side to move played it, and 1 if the
 * other side did. It is trained as a network is, by cross-entropy on the next move of random games,
 * for as many steps as it is told, and stopped while it still learns: no upper end of what such a
 * vector allows. What it does as well as the network under test needs no order of moves and no
 * state kept from move to move; what it does worse need not lack them, but for one thing that it
 * cannot see: two histories that exchange moves of one side are one for it. The control history_mlp
 * of probes (probes/board/controls.h) is also given the age of each move.
 *
 * Games are those of (seed, RNG_WORLD). A step is cut into HISTORY_LANES lanes whose gradients are
 * added in order: the same bits for any number of workers.
 */
#ifndef OGPT_PROBES_WORLD_HISTORY_MLP_H
#define OGPT_PROBES_WORLD_HISTORY_MLP_H

#include "base/work.h"
#include "datasets/vocab.h"

enum { HISTORY_MLP_HIDDEN = 256, HISTORY_LANES = 8, HISTORY_LANE_GAMES = 8 };
#define HISTORY_STEP_GAMES ((size_t)HISTORY_LANES * HISTORY_LANE_GAMES)
/* Its strict error is 12.1, 11.0 and 9.8 % after 400, 800 and 1,600 steps on 6x6, 13.4 and 11.5 %
 * after 400 and more on 8x8. */

typedef struct HistoryMlp {
    const Vocab *vocab;
    size_t width;  /* of the input */
    float *params; /* W_in (width, H), b_in (H), W_out (H, V), b_out (V); owned */
} HistoryMlp;

/* What is learned after the n moves of a game. */
typedef struct HistoryLesson {
    /* A token; NULL: the next move of the game is learned. */
    int (*teacher)(void *context, const uint8_t *moves, int n);
    void *context;
    size_t steps; /* 0: nothing is learned, it answers as it begins */
} HistoryLesson;

/* Train one. work: pool, seed, tick("steps"). Returns 0, OGPT_ENUM (it diverged), OGPT_EINTR,
 * OGPT_ENOMEM; history_mlp_release in any case. */
int history_mlp_learn(HistoryMlp *out, const Vocab *vocab, const HistoryLesson *lesson,
                      const Work *work);
void history_mlp_release(HistoryMlp *mlp);
/* Its answer after the n >= 1 legal moves of a game that is not over: d_vocab probabilities. */
void history_mlp_answer(float *p, const HistoryMlp *mlp, const uint8_t *moves, int n);

#endif
